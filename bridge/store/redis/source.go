package redis

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/bridge/store/remote"
)

// most is how many records are fetched at once.
const most = 200

// A source is a store as its view sees it. It implements [remote.Source].
type source struct{ *Store }

// A beat is what the scripts write.
type beat struct {
	Incarnation string `json:"i"`
	Seq         string `json:"s"`
	Count       int64  `json:"n"`
	Expires     int64  `json:"x"` // ms of the server's time
	TTL         int64  `json:"t"` // ms
	Withdrawn   bool   `json:"w"`
}

// Look implements [remote.Source].
func (s source) Look(ctx context.Context, cluster string, only []string, known func(string) string) ([]remote.Sight, error) {
	args := []any{""}
	for _, host := range only {
		args = append(args, host)
	}
	answer, err := s.run(ctx, s.scripts.look, cluster, args...)
	if err != nil {
		return nil, err
	}
	sights, err := sightsIn(answer)
	if err != nil {
		return nil, err
	}
	var news []*remote.Sight
	for i := range sights {
		if at := &sights[i]; !at.Withdrawn && at.Version != known(at.Host) {
			news = append(news, at)
		}
	}
	for len(news) > 0 {
		n := min(len(news), most)
		if err := s.fetch(ctx, cluster, news[:n]); err != nil {
			return nil, err
		}
		news = news[n:]
	}
	return sights, nil
}

// sightsIn reads what the script look returns.
func sightsIn(answer any) ([]remote.Sight, error) {
	parts, _ := answer.([]any)
	var sights []remote.Sight
	for i := 0; i+2 < len(parts); i += 3 {
		host, _ := parts[i].(string)
		text, _ := parts[i+1].(string)
		left, _ := parts[i+2].(int64)
		var b beat
		if err := json.Unmarshal([]byte(text), &b); err != nil {
			return nil, fmt.Errorf("read beat of host %s: %w", host, err)
		}
		sights = append(sights, remote.Sight{
			Host: host, Version: b.Incarnation + " " + b.Seq, Renewed: strconv.FormatInt(b.Count, 10) + " " + strconv.FormatInt(b.Expires, 10),
			Left: time.Duration(left) * time.Millisecond, TTL: time.Duration(b.TTL) * time.Millisecond, Withdrawn: b.Withdrawn,
		})
	}
	return sights, nil
}

// fetch reads the records of some hosts. One may be newer than its beat was.
func (s source) fetch(ctx context.Context, cluster string, news []*remote.Sight) error {
	hosts := make([]string, len(news))
	for i, at := range news {
		hosts[i] = at.Host
	}
	texts, err := s.client.HMGet(ctx, keys(cluster)[0], hosts...).Result()
	if err != nil {
		return fmt.Errorf("read records: %w", err)
	}
	for i, at := range news {
		text, there := texts[i].(string)
		r, err := store.Decode([]byte(text))
		switch {
		case !there:
			at.Version = "" // it goes in this moment, and the next look sees how
		case err != nil || r.Key() != store.Key{Cluster: cluster, Host: at.Host}:
			at.Unknown = true
		default:
			at.Record, at.Version = &r, version(r)
		}
	}
	return nil
}

// silence is after which time without a hint a subscription is made anew: it
// may be half open, and nothing else would show that.
const silence = 20 * time.Second

// Hints implements [remote.Source].
func (s source) Hints(ctx context.Context, cluster string, wake func(host string)) {
	pace, _ := remote.PaceOf(time.Minute)
	for failures := 1; ctx.Err() == nil; failures++ {
		if s.subscribe(ctx, keys(cluster)[2], wake) {
			failures = 0
			continue
		}
		remote.Sleep(ctx, pace.Backoff(failures))
	}
}

// subscribe hears a channel until it fails or is silent, and reports whether it
// has heard anything. Reading does not end with ctx, but with the subscription.
func (s source) subscribe(ctx context.Context, name string, wake func(host string)) (heard bool) {
	channel := s.client.Subscribe(ctx, name)
	stop := context.AfterFunc(ctx, func() { _ = channel.Close() })
	defer func() {
		if stop() {
			_ = channel.Close()
		}
	}()
	for {
		message, err := channel.ReceiveTimeout(ctx, silence)
		if err != nil {
			return heard
		}
		heard = true
		if m, ok := message.(*redis.Message); ok {
			wake(m.Payload)
		}
	}
}
