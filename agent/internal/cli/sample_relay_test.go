package cli_test

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/berth-dev/berth/agent/api"
)

func relayState() api.RelayState {
	return api.RelayState{
		Listen: "docker0:8125", Addresses: []string{"169.254.231.1:8125", "172.17.0.1:8125"}, Mode: "cred",
		Upstreams: []api.RelayOutlet{
			{URL: "unixgram:///var/run/datadog/dsd.socket", Up: true, Since: ago(76 * time.Hour), Datagrams: 40_112, Messages: 1_204_331, Bytes: 96 << 20, Held: 4096},
			{URL: "udp://127.0.0.1:8125"},
		},
		Messages: 1_204_400, Delivered: 1_204_331, Held: 12, Dropped: 57, Unresolved: 3, Apart: "2 in awsvpc mode, which do not reach the relay",
	}
}

func relay() api.Relay {
	return api.Relay{
		State: relayState(), Wait: 5 * time.Millisecond,
		Total: api.RelayCount{Datagrams: 200_100, Messages: 1_204_400, Bytes: 96 << 20, Delivered: 1_204_331, Held: 12, Unresolved: 3, Dropped: map[string]uint64{"rate": 50, "kernel": 7}},
		Senders: []api.RelaySender{
			{Container: id("4f1c2d3e4a5b"), Service: "orders", Address: "172.17.0.2", Last: ago(time.Second), Count: api.RelayCount{Datagrams: 200_000, Messages: 1_204_397, Delivered: 1_204_328, Held: 12, Dropped: map[string]uint64{"rate": 50, "kernel": 7, "ring": 0}}},
			{Container: id("5e0d"), Service: hostile, Address: "172.17.0.3"},
			{Address: "172.17.0.9", Last: ago(time.Minute), Count: api.RelayCount{Datagrams: 100, Messages: 3, Delivered: 3, Unresolved: 3}},
		},
		Sockets: []api.RelaySocket{{Address: "172.17.0.1:8125", Buffer: 8 << 20}},
	}
}

func (s *sample) Relay(context.Context) api.Relay {
	if s.empty {
		return api.Relay{State: api.RelayState{Listen: "docker0:8125", Mode: "field", Why: "credentials can be sent to a unixgram upstream only"}}
	}
	return relay()
}

func (s *sample) RelayTap(ctx context.Context, f api.RelayFilter, _ time.Duration) (iter.Seq[api.RelayLine], error) {
	return slices.Values([]api.RelayLine{
		{Time: noon, Container: id("4f1c2d3e4a5b"), Service: "orders", Address: "172.17.0.2", Line: "orders.placed:1|c|#shop:a"},
		{Time: noon, Missed: 7},
		{Time: noon, Address: "172.17.0.9", Line: hostile + ":1|c", Missed: 7},
	}), nil
}

func (s *sample) RelayCapture(_ context.Context, _ api.Peer, r api.CaptureRequest) (api.Capture, error) {
	if s.refused != nil {
		return api.Capture{}, s.refused
	}
	return api.Capture{Path: "/var/lib/berth/captures/20261123T120000Z.dog", Datagrams: 4711, Bytes: 96 << 10, Missed: 2}, nil
}

func (s *sample) Docker0(context.Context) api.Docker0 {
	if s.empty {
		return api.Docker0{Faults: []string{"docker0 is not there: Docker has not made it yet, or runs with bridge: none"}}
	}
	return api.Docker0{
		Bridges: []api.Bridge{{Name: "docker0", Index: 3, Addresses: []string{"172.17.0.1"}, Up: true}, {Name: "br-0123456789ab", Index: 9}},
		Stable:  "169.254.231.1", Use: []string{"169.254.231.1:8125", "172.17.0.1:8125"}, File: "/run/berth/dogstatsd.env",
	}
}
