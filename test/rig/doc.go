// Package rig boots machines: systemd as the first process of a container, with
// a real Docker Engine of its own inside, on a pure cgroup v2 hierarchy, as an
// ECS host has it.
//
//	m := rig.Boot(t)
//	m.Copy(t, "berth.deb", "/root/berth.deb")
//	m.Do(t, "dpkg", "-i", "/root/berth.deb")
//
// The tests beside it install what make package makes, and hold the unit, the
// packages and the way they come and go against what operators rely on.
//
// # The image
//
// There is no registry: [Image] makes Debian's own system out of its packages by
// mmdebstrap, once for a machine, and imports it under a tag made from a hash of
// its recipe. It stays, so that later runs find it; make setup installs what it
// takes. A machine boots in about five seconds on two busy cores and uses no
// network but its own.
//
// # What cannot be seen here
//
// The hierarchy has no memory controller, so MemoryHigh and MemoryMax have no
// effect; OOMScoreAdjust stays 0, for lack of CAP_SYS_RESOURCE. There is no
// SELinux. arm64 packages are built and inspected, and not run.
package rig
