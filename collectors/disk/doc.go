// Package disk says how full a file system is: bytes and inodes, and the share
// of each in use, counted as df counts it.
//
//	usage, err := disk.Stat("/var/log/apps")
//	if usage.Worst() >= 85 { … }
//
// Two paths are on one file system if their [Usage.Device] is equal: who
// reports several paths shows each file system once.
//
// It asks the kernel once per call and holds nothing. On a network file system
// whose server is away the call blocks as long as the mount does; the folders
// that Berth looks after are local.
package disk
