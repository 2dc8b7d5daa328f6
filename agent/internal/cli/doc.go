// Package cli is the command line: one file for each command, each a client of
// the daemon's socket. Only the config commands work without a daemon, and run
// is the daemon.
//
// [Main] runs one command and returns the exit code:
//
//	0   ok
//	1   failed
//	2   the command line itself is wrong
//	3   no daemon answers
//	4   not permitted
//	6   degraded (status --fail, doctor)
//	78  the configuration is invalid
//
// What a command found out goes to the standard output, and why it could not
// to the standard error. With --json the output is the API's own JSON: one
// document, or one object a line where it is a stream. Without, it is for
// people. On a terminal times are relative, wide columns are cut to its width
// and there is colour; elsewhere times are RFC 3339, nothing is cut, and there
// is none.
//
// Names, images, paths and log texts come from tenants. Whatever is printed
// for people goes through a page, which shows every character that a terminal
// could take for a command, or that reorders text, as an escape: \u{1b}. Pages
// add the only control sequences there are. In JSON the same characters are
// JSON's own escapes.
//
// # Invariants
//
//   - J6 (plan equals apply): a dry run prints the plan's own text, byte for
//     byte where it is piped, with the hash that a sweep can be held to.
package cli
