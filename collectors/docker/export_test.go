package docker

import (
	"context"
	"net/http"

	"github.com/docker/docker/client"
)

// What the tests need of the inside: the pure functions, and Docker's client as
// the product has it.
var (
	FromList      = fromList
	FromInspect   = fromInspect
	FromImages    = fromImages
	ChainIDs      = chainIDs
	AddBlobs      = addBlobs
	FromBlobs     = fromBlobs
	HintOf        = hintOf
	ParseStat     = parseStat
	EngineStarted = engineStarted
	Repository    = repository
)

// The hint's parts.
func (h hint) Container() string { return string(h.container) }
func (h hint) Event() Event      { return h.event }

// API is Docker's own client, behind the allow-list.
func (c *Client) API(ctx context.Context) (*client.Client, error) { return c.negotiated(ctx) }

// API is Docker's own client, behind the allow-list of a remover.
func (r *Remover) API(ctx context.Context) (*client.Client, error) { return r.client.negotiated(ctx) }

// Add reports whether an event is new.
func (h *Heard) Add(e Event) bool { return h.add(e) }

// Transport is what all requests to the Engine go by.
func (c *Client) Transport() http.RoundTripper { return c.http.Transport }
