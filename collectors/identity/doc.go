// Package identity says who this host is: the ID and cluster under which its
// record is published, the address at which others reach it, and which boot
// this is.
//
//	host, err := identity.Reader{ID: cfg.Host.ID, Cluster: cfg.Host.Cluster}.Read()
//
// Everything is read from files and interfaces of this host. There is no call
// over the network, so it answers at once and alike on EC2, elsewhere, and
// before the network is up.
//
// # Where the ID comes from
//
// The configuration; else the EC2 instance ID in the firmware's asset tag
// (Nitro) or in cloud-init's state (Xen); else the host name.
//
// # Where the cluster comes from
//
// The configuration; else ECS_CLUSTER in /etc/ecs/ecs.config; else "default",
// as for the ECS agent. That file can hold credentials of registries: only the
// three keys that are wanted leave the parser, and its text never leaves this
// package.
//
// # Which address
//
// The first address of the interface with the default route: what the kernel
// would send from. Without a default route, that of the first interface that
// has one. Loopback, link-local and Docker's own bridges are never chosen.
package identity
