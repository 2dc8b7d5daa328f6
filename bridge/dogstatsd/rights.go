package dogstatsd

import "golang.org/x/sys/unix"

// mayImpersonate reports whether this process may name another one as the
// sender of what it sends: CAP_SYS_ADMIN (unix(7)).
func mayImpersonate() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	return unix.Capget(&header, &data[0]) == nil && data[0].Effective&(1<<unix.CAP_SYS_ADMIN) != 0
}
