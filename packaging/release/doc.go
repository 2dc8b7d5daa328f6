// Release makes everything that a release consists of, for amd64 and arm64: the
// packages for Debian's and Red Hat's families, an archive for all others, the
// bill of materials of each binary, and the checksums of all of it.
//
//	go run ./packaging/release -version 1.2.3 -out bin/dist
//
// Nothing in the result depends on the machine, the folder, the user or the
// hour: the only time in it is SOURCE_DATE_EPOCH, or without that the time of
// the commit. Two runs on one commit, wherever, make the same bytes; the tests
// of test/rig compare two.
//
// It builds the binary as make build does, lays everything out in a stage, one
// folder for each architecture, and has nfpm (pinned in packaging/nfpm.mod) make
// the packages from that by packaging/nfpm.yaml.
package main
