package dynamodb

import (
	"cmp"
	"context"
	"errors"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/bridge/store/remote"
)

// A keeper is a store as its sessions see it. It implements [remote.Keeper].
type keeper struct{ *Store }

// outcome turns a condition that does not hold into what that means, and the
// error of a call that had to end into its context's.
func outcome(ctx context.Context, err, otherwise error) error {
	if _, failed := errors.AsType[*types.ConditionalCheckFailedException](err); failed {
		return otherwise
	}
	if err != nil {
		return cmp.Or(ctx.Err(), err)
	}
	return nil
}

// Read implements [remote.Keeper].
func (k keeper) Read(ctx context.Context, key store.Key) (*remote.Held, error) {
	record, live, err := k.state(ctx, key)
	if err != nil || !live {
		return nil, err
	}
	r, err := recordIn(record)
	if err != nil {
		return nil, err
	}
	return &remote.Held{Record: r}, nil
}

// state returns a host's record, dead or alive.
func (k keeper) state(ctx context.Context, key store.Key) (record item, live bool, err error) {
	life, err := k.get(ctx, address(key, "b#"))
	if err == nil {
		record, err = k.get(ctx, address(key, "r#"))
	}
	b := beatIn(life)
	return record, record != nil && !b.withdrawn && b.expires > k.clock.now(), err
}

func (k keeper) get(ctx context.Context, key item) (item, error) {
	consistent := true
	answer, err := k.client.GetItem(ctx, &sdk.GetItemInput{TableName: &k.table, Key: key, ConsistentRead: &consistent})
	if err != nil {
		return nil, outcome(ctx, err, nil)
	}
	return answer.Item, nil
}

// Write implements [remote.Keeper].
func (k keeper) Write(ctx context.Context, r store.Record, ttl time.Duration, over *remote.Held) (*remote.Held, error) {
	condition, values := "i = :i AND s = :s", item{}
	if over != nil {
		values[":i"], values[":s"] = text(over.Record.Incarnation), number(over.Record.Seq)
	} else {
		dead, live, err := k.state(ctx, r.Key())
		switch {
		case err != nil:
			return nil, err
		case live:
			return nil, remote.ErrRaced
		case dead == nil:
			condition, values = "attribute_not_exists(pk)", nil
		default:
			values[":i"], values[":s"] = dead["i"], dead["s"]
		}
	}
	it, err := itemOf(r)
	if err != nil {
		return nil, err
	}
	it["gc"] = number(time.UnixMilli(k.clock.now()).Add(30 * kept).Unix()) // renewed with each change only
	_, err = k.client.PutItem(ctx, &sdk.PutItemInput{TableName: &k.table, Item: it, ConditionExpression: &condition, ExpressionAttributeValues: values})
	if err := outcome(ctx, err, remote.ErrRaced); err != nil {
		return nil, err
	}
	err = k.beat(ctx, r, ttl, "attribute_not_exists(i) OR i <= :i OR x <= :now OR attribute_exists(w)", item{":now": number(k.clock.now())})
	return &remote.Held{Record: r}, outcome(ctx, err, remote.ErrRaced)
}

// beat lets a record live for a TTL from now on.
func (k keeper) beat(ctx context.Context, r store.Record, ttl time.Duration, condition string, values item) error {
	now := k.clock.now()
	values[":i"], values[":s"], values[":one"] = text(r.Incarnation), number(r.Seq), number(int64(1))
	values[":x"], values[":t"] = number(now+ttl.Milliseconds()), number(ttl.Milliseconds())
	values[":gc"] = number(time.UnixMilli(now).Add(ttl + kept).Unix())
	change := "SET i = :i, s = :s, x = :x, t = :t, gc = :gc REMOVE w ADD n :one"
	_, err := k.client.UpdateItem(ctx, &sdk.UpdateItemInput{
		TableName: &k.table, Key: address(r.Key(), "b#"), UpdateExpression: &change, ConditionExpression: &condition, ExpressionAttributeValues: values,
	})
	return err
}

// Renew implements [remote.Keeper]. A beat that is merely late is taken up
// again: nobody else has published since.
func (k keeper) Renew(ctx context.Context, h *remote.Held, ttl time.Duration) error {
	err := k.beat(ctx, h.Record, ttl, "i = :i AND attribute_not_exists(w)", item{})
	return outcome(ctx, err, remote.ErrGone)
}

// Remove implements [remote.Keeper]. The beat stays, and tells why the record
// has gone.
func (k keeper) Remove(ctx context.Context, h *remote.Held) error {
	key, now := h.Record.Key(), k.clock.now()
	change, condition := "SET w = :true, x = :x, gc = :gc ADD n :one", "i = :i AND attribute_not_exists(w)"
	_, err := k.client.UpdateItem(ctx, &sdk.UpdateItemInput{
		TableName: &k.table, Key: address(key, "b#"), UpdateExpression: &change, ConditionExpression: &condition,
		ExpressionAttributeValues: item{
			":true": &types.AttributeValueMemberBOOL{Value: true}, ":x": number(now), ":gc": number(time.UnixMilli(now).Add(kept).Unix()),
			":one": number(int64(1)), ":i": text(h.Record.Incarnation),
		},
	})
	if err := outcome(ctx, err, remote.ErrRaced); err != nil {
		return err
	}
	mine := "i = :i AND s = :s"
	_, err = k.client.DeleteItem(ctx, &sdk.DeleteItemInput{
		TableName: &k.table, Key: address(key, "r#"), ConditionExpression: &mine,
		ExpressionAttributeValues: item{":i": text(h.Record.Incarnation), ":s": number(h.Record.Seq)},
	})
	return outcome(ctx, err, nil)
}
