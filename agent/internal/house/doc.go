// Package house holds the rules of the house as tests: what every package of
// Berth keeps to, whatever it is about. It has no code of its own.
//
//	go test ./agent/internal/house
//
// A rule is here because it is about the whole tree: who may import whom, what
// is written about a package, which invariant is proved where. What can be
// judged in one file alone is the linter's business. Each failure says what to
// do; where the rule itself is wrong, change its table in the same commit.
//
// # Invariants
//
// Three of the invariants are shapes of the code and are proved here, by
// reading it: I1 (one writer), I2 (nothing irreversible reads it) and
// I3 (constructors start nothing).
package house
