// Package docker0 knows where this host can be reached from Docker's bridges.
//
// A [Watcher] follows the kernel's own news of links and addresses (rtnetlink),
// so docker0 may come late, change its address, gain IPv6, or be deleted and
// made anew. News is only a hint: what holds is what the kernel lists after it.
// Without news nothing runs, and nothing is polled.
//
// A stable address can be put on lo: a task definition that names it holds on
// every host. Linux takes packets for it on any interface, so who listens there
// has to look at the interface they came by.
//
// [Publish] tells applications where to send, and [FindOwner] tells who already
// has the port.
//
// [Watcher.Watch] hands over state and its expiry under one lock, as the
// inventory does.
package docker0
