package relay

import (
	"fmt"
	"slices"
)

// A Variant is a way from the containers to the receiver.
type Variant struct {
	Name string
	Unix bool // the receiver has a unix socket
	Cred bool // and asks for credentials
	Port int  // that the containers send to; 0: port
	// Address is where the receiver listens; empty: behind the relay.
	Address string
	own     bool                         // it is our relay, and answers
	relay   func(*Rig) ([]string, error) // the relay's command line; nil: there is none
}

// The variants that ours are set beside.
const (
	Direct = "direct"
	DNAT   = "DNAT"
	Naive  = "naive"
	socat  = "socat"
	nginx  = "nginx"
)

// fetched reports whether programs of others are needed for some variants.
func fetched(names []string) bool {
	return len(names) == 0 || slices.Contains(names, socat) || slices.Contains(names, nginx)
}

// variants are all that the rig can run.
func (r *Rig) variants() []Variant {
	all := []Variant{
		{Name: Direct, Address: fmt.Sprintf("%s:%d", gateway, port)},
		{Name: DNAT, Port: redirected},
		{Name: Naive, relay: func(r *Rig) ([]string, error) { return r.childArgs(roleNaive, nil) }},
	}
	if r.peers.socat != "" {
		all = append(
			all,
			Variant{Name: socat, relay: func(r *Rig) ([]string, error) { return r.socatArgs(), nil }},
			Variant{Name: nginx, relay: (*Rig).nginxArgs},
		)
	}
	return append(all, ourVariants()...)
}

// named are those of the variants that are asked for; all, if none is.
func named(all []Variant, names []string) []Variant {
	if len(names) == 0 {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(v Variant) bool { return !slices.Contains(names, v.Name) })
}
