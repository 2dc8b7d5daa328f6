package dynamodb

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/bridge/store/remote"
)

// most is how many items can be fetched at once.
const most = 100

// again is the pause before what a table had no capacity for is asked again.
const again = 100 * time.Millisecond

// A source is a store as its view sees it. It implements [remote.Source].
type source struct{ *Store }

// Hints implements [remote.Source]: there are none.
func (s source) Hints(ctx context.Context, _ string, _ func(string)) { <-ctx.Done() }

// Look implements [remote.Source].
func (s source) Look(ctx context.Context, cluster string, only []string, known func(string) string) ([]remote.Sight, error) {
	var found [shards][]remote.Sight
	all, within := errgroup.WithContext(ctx)
	for shard := range shards {
		all.Go(func() (err error) {
			found[shard], err = s.beats(within, partition(cluster, shard))
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return nil, outcome(ctx, err, nil)
	}
	sights := slices.Concat(found[:]...)
	if only != nil {
		sights = slices.DeleteFunc(sights, func(at remote.Sight) bool { return !slices.Contains(only, at.Host) })
	}
	news := map[string]*remote.Sight{} // by sort key
	for i := range sights {
		if at := &sights[i]; !at.Withdrawn && at.Version != known(at.Host) {
			news["r#"+at.Host] = at
		}
	}
	return sights, outcome(ctx, s.fetch(ctx, cluster, news), nil)
}

// beats are those of one partition.
func (s source) beats(ctx context.Context, partition string) ([]remote.Sight, error) {
	condition, consistent := "pk = :pk AND begins_with(sk, :b)", true
	pages := sdk.NewQueryPaginator(s.client, &sdk.QueryInput{
		TableName: &s.table, KeyConditionExpression: &condition, ConsistentRead: &consistent,
		ExpressionAttributeValues: item{":pk": text(partition), ":b": text("b#")},
	})
	var sights []remote.Sight
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		now := s.clock.now()
		for _, it := range page.Items {
			b := beatIn(it)
			sights = append(sights, remote.Sight{
				Host: strings.TrimPrefix(textIn(it, "sk"), "b#"), Version: b.incarnation + " " + b.seq, Renewed: b.count,
				Left: time.Duration(b.expires-now) * time.Millisecond, TTL: b.ttl, Withdrawn: b.withdrawn,
			})
		}
	}
	return sights, nil
}

// fetch reads the records of some hosts. One may be newer than its beat was,
// and one that is missing goes in this moment.
func (s source) fetch(ctx context.Context, cluster string, news map[string]*remote.Sight) error {
	var keys []item
	for _, at := range news {
		keys = append(keys, address(store.Key{Cluster: cluster, Host: at.Host}, "r#"))
		at.Version = ""
	}
	consistent := true
	for len(keys) > 0 {
		n := min(len(keys), most)
		answer, err := s.client.BatchGetItem(ctx, &sdk.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
			s.table: {Keys: keys[:n], ConsistentRead: &consistent},
		}})
		if err != nil {
			return fmt.Errorf("read records: %w", err)
		}
		for _, it := range answer.Responses[s.table] {
			tell(news[textIn(it, "sk")], it, cluster)
		}
		keys = keys[n:]
		if left := answer.UnprocessedKeys[s.table].Keys; len(left) > 0 {
			keys = append(keys, left...)
			if !remote.Sleep(ctx, again) {
				return ctx.Err()
			}
		}
	}
	return nil
}

// tell puts a record into the sight of its host.
func tell(at *remote.Sight, it item, cluster string) {
	if at == nil {
		return
	}
	r, err := recordIn(it)
	at.Version = textIn(it, "i") + " " + textIn(it, "s")
	if err != nil || r.Key() != (store.Key{Cluster: cluster, Host: at.Host}) {
		at.Unknown = true
		return
	}
	at.Record = &r
}
