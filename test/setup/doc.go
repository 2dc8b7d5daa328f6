// Setup tells whether a Docker Engine answers on its socket, without any
// client of Docker's: setup.sh asks it, and does what is needed so that it does.
//
//	go run ./test/setup [SOCKET]
//
// It prints one word: ok, absent (no socket, or nobody behind it), denied (not
// for this user), or silent (somebody is there and says nothing).
package main
