package dynamodb

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"hash/fnv"
	"io"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/berth-dev/berth/bridge/store"
)

// shards is over how many partitions a cluster is spread: one takes a thousand
// writes a second. It is part of the format.
const shards = 4

// kept is for how long a dead host's items stay, where the table has a time to
// live.
const kept = 24 * time.Hour

// compressed is the size of a record from which on it is compressed: that of
// one write unit.
const compressed = 1 << 10

// An item is one of the table's.
type item = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number[T int64 | uint64](n T) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: fmt.Sprint(n)}
}

// partition is the name of a shard.
func partition(cluster string, shard int) string { return cluster + "#" + strconv.Itoa(shard) }

// address is the key of a host's record ("r#") or beat ("b#").
func address(key store.Key, kind string) item {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(key.Host))
	return item{"pk": text(partition(key.Cluster, int(hash.Sum32()%shards))), "sk": text(kind + key.Host)}
}

// itemOf is a record's item.
func itemOf(r store.Record) (item, error) {
	body, err := store.Encode(r)
	if err != nil {
		return nil, err
	}
	it := address(r.Key(), "r#")
	it["i"], it["s"] = text(r.Incarnation), number(r.Seq)
	if len(body) <= compressed {
		it["j"] = text(string(body))
		return it, nil
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	it["z"] = &types.AttributeValueMemberB{Value: b.Bytes()}
	return it, nil
}

// recordIn reads a record's item.
func recordIn(it item) (store.Record, error) {
	if z, ok := it["z"].(*types.AttributeValueMemberB); ok {
		r, err := gzip.NewReader(bytes.NewReader(z.Value))
		if err != nil {
			return store.Record{}, fmt.Errorf("unpack record: %w", err)
		}
		body, err := io.ReadAll(io.LimitReader(r, store.MaxRecord+1))
		if err != nil {
			return store.Record{}, fmt.Errorf("unpack record: %w", err)
		}
		return store.Decode(body)
	}
	return store.Decode([]byte(textIn(it, "j")))
}

// A beat is the life of a record.
type beat struct {
	incarnation, seq string
	count            string
	expires          int64 // ms of the server's time
	ttl              time.Duration
	withdrawn        bool
}

func beatIn(it item) beat {
	withdrawn, _ := it["w"].(*types.AttributeValueMemberBOOL)
	return beat{
		incarnation: textIn(it, "i"), seq: textIn(it, "s"), count: textIn(it, "n"),
		expires: numberIn(it, "x"), ttl: time.Duration(numberIn(it, "t")) * time.Millisecond, withdrawn: withdrawn != nil,
	}
}

// textIn is a text or a number as text; empty if there is none.
func textIn(it item, name string) string {
	switch v := it[name].(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return v.Value
	default:
		return ""
	}
}

func numberIn(it item, name string) int64 {
	n, _ := strconv.ParseInt(textIn(it, name), 10, 64)
	return n
}
