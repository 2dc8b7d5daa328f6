package dogstatsd

import (
	"net/netip"
	"os"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
)

// An Origin is one container as a sender: what names it, and from where and
// since when its datagrams come.
type Origin struct {
	ID        inventory.ID
	Service   string
	Addresses []netip.Addr // on Docker's networks
	Started   time.Time    // when its first process began: what came earlier is another's
	PID       int          // its first process, in this process's PID namespace; 0: not known
	Process   *os.File     // a pidfd of that process, the caller's; nil: its end is told by Ended alone
	Inode     uint64       // of its cgroup, as the upstream sees it; 0: not known
	Tags      []string     // for the mode Tags, each "key:value"
}

// A Mode is how the upstream learns of a datagram's origin.
type Mode string

// The modes. Cred needs a unix socket upstream and CAP_SYS_ADMIN, and the
// server's dogstatsd_origin_detection; Field and Inode need its
// dogstatsd_origin_detection_client; Tags needs nothing.
const (
	Auto  Mode = "auto"  // Cred where it can be, else Field
	Cred  Mode = "cred"  // the container's process ID in the datagram's SCM_CREDENTIALS
	Field Mode = "field" // |c:ci-<container ID>
	Inode Mode = "inode" // |c:in-<inode of the cgroup>; Field where the inode is not known
	Tags  Mode = "tags"  // the origin's tags, merged into those of the line
	Off   Mode = "off"   // nothing is added
)
