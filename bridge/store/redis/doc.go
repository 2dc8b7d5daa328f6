// Package redis is the central store on a Redis or Valkey server, version 6 or
// newer, or on a service such as ElastiCache.
//
//	st, err := redis.Open("rediss://10.0.0.5:6379/0?user=berth&passwordfile=/etc/berth/redis")
//
// With several hosts in the URL they are a cluster's; with the parameter master
// they are sentinels. The path is the number of a database.
//
// # Keys
//
// Four for each cluster of hosts, in one slot of a Redis cluster:
//
//	berth:v1:{<cluster>}:records   hash: host → record, as JSON
//	berth:v1:{<cluster>}:beats     hash: host → who holds it, and until when
//	berth:v1:{<cluster>}:life      hash: when the server began, and was last heard
//	berth:v1:{<cluster>}:changes   channel: the host whose record has changed
//
// An ACL needs these, and the commands EVAL, EVALSHA, SCRIPT LOAD, HGET, HSET,
// HDEL, HMGET, HGETALL, HEXISTS, HRANDFIELD, TIME, INFO, PUBLISH and SUBSCRIBE.
//
// # Liveness
//
// No key of ours expires: Redis tells of that late, and not at all to who was
// away. A beat says until when its record lives, in the server's time, and who
// reads passes over what is past (see [remote.View]). After a restart of the
// server what was alive before has its TTL again. What has been dead for a day is
// removed by whoever writes, a few hosts at a time.
//
// Each change is a script: the fence, the record and the beat are one step.
// The channel is a hint to look at once; nothing is lost with a message.
//
// # What it does not keep
//
// Redis writes to its disk once a second at best, and not before it answers,
// and a replica that takes over may lack the last writes. What is lost that way
// is published again with the next renewal. A server whose clock is set ahead
// hides records from who lists them, until their hosts renew them; who watches
// does not notice.
//
// # Invariants
//
//   - P1 (a record expires unless renewed): by the server's time, and for who
//     watches by its own monotonic clock too.
//   - P2 (no false withdrawal): a beat that is missing, as after a loss of data, is
//     no reason to end a record before its time.
//   - I5 (no duty waits for another): a reader's pace is its own.
package redis
