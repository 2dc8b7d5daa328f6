// Package dynamodb is the central store in a DynamoDB table: nobody runs a
// server.
//
//	st, err := dynamodb.Open("dynamodb://berth?region=eu-west-1")
//
// # The table
//
// Its partition key is pk and its sort key sk, both texts; on-demand capacity
// suits. Nothing else is needed: no stream, no index. A time to live on the
// attribute gc removes what has been dead for a day, and is a convenience.
//
//	pk <cluster>#<0…3>   sk r#<host>   the record: inc i, seq s, JSON j or gzipped z
//	                     sk b#<host>   the beat: i, s, count n, expiry x and TTL t in ms, w withdrawn
//
// A renewal writes the beat alone: DynamoDB charges for the whole item. A record
// above 1 KiB is compressed for the same reason.
//
// An agent needs GetItem, PutItem, UpdateItem and DeleteItem, a reader Query and
// BatchGetItem, on this table; the condition dynamodb:LeadingKeys limits either
// to its cluster ("prod#*", with ForAllValues:StringLike).
//
// Credentials come from the environment, from a container's endpoint or from
// the instance's role, in this order; files in a home are not read, as the
// library for them starts programs.
//
// # Order
//
// The record is written first, with the condition that the one it follows is
// there, then the beat. Whoever dies in between is repaired by the next
// publication or renewal, which name the record they are of.
//
// # Clocks
//
// The expiry is in AWS's time: what its answers say in Date is believed where
// it differs from the host's clock by more than two seconds.
//
// # Invariants
//
//   - P1 (a record expires unless renewed): who reads passes over what is past.
//   - P2 (no false withdrawal): a table that does not answer ends nothing (see
//     [remote.View]).
//   - I5 (no duty waits for another): a reader's pace is its own.
package dynamodb
