// Package audit is the janitor's memory of what it did and why: an append-only
// file of records, each holding the hash of the one before, so that a record
// that is changed, dropped or slipped in later shows.
//
// The file is kept in segments; the oldest go when there are more than
// [MaxSegments] or they are older than [MaxAge]. Some room on the disk is set
// aside ahead of what is written: a disk that is full is when there is most to
// delete, and nothing is deleted that cannot be accounted for. Beside each
// segment lies an index, so that a question about one container is answered in
// milliseconds; it proves nothing and can be deleted at any time.
//
// # Invariants
//
//   - J6 (plan equals apply): every deletion and every refusal has a record with
//     its reason and the hash of the plan that named it. It is on disk before
//     the deletion is final.
package audit
