package docker0

import (
	"net/netip"
	"slices"
)

// A Bridge is one of Docker's bridges on this host.
type Bridge struct {
	Name      string
	Index     int          // of the interface; another one after it was made anew
	Addresses []netip.Addr // IPv4, and IPv6 that is not link-local; sorted
	Up        bool         // set up by whoever made it; true without a container too
}

// A State is where containers reach this host now. Its slices are shared by
// all readers and never written to.
type State struct {
	Bridges []Bridge   // the Watcher's own interface first, then the others by name
	Stable  netip.Addr // zero unless it is in place
	Faults  []string   // what is not as it should be, each a sentence for people
}

func (s State) equal(o State) bool {
	return s.Stable == o.Stable && slices.Equal(s.Faults, o.Faults) &&
		slices.EqualFunc(s.Bridges, o.Bridges, Bridge.equal)
}

func (b Bridge) equal(o Bridge) bool {
	return b.Name == o.Name && b.Index == o.Index && b.Up == o.Up && slices.Equal(b.Addresses, o.Addresses)
}

// Watch returns the present state and a channel that is closed once it is out
// of date. Before the first listing the state is empty.
func (w *Watcher) Watch() (State, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state, w.expiry()
}

// expiry makes the channel where it is first needed, so that the zero Watcher
// can be watched. The caller holds mu.
func (w *Watcher) expiry() chan struct{} {
	if w.expired == nil {
		w.expired = make(chan struct{})
	}
	return w.expired
}

// show replaces the state, and tells the readers only of a difference.
func (w *Watcher) show(s State) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state.equal(s) {
		return
	}
	for _, fault := range s.Faults {
		if !slices.Contains(w.state.Faults, fault) {
			w.Log.Warn("watch docker's bridges", "fault", fault)
		}
	}
	w.state = s
	close(w.expiry())
	w.expired = nil
}
