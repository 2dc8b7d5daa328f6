package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/client"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"

	"github.com/berth-dev/berth/collectors/inventory"
)

// nowhere is the address that Docker's client believes in. Some of its calls
// dial on their own, past any transport; they must not find the Engine.
const nowhere = "unix:///dev/null/berth"

// defaultTimeout bounds one call.
const defaultTimeout = 5 * time.Second

// A Client asks one Engine, read-only. Its exported fields are set before
// first use; its methods may then be called from many goroutines.
type Client struct {
	// Timeout bounds each call, answer included; zero means 5 s.
	Timeout time.Duration
	// ServiceLabel is a container label whose value names the service, after
	// the ECS task definition family; empty: none.
	ServiceLabel string
	// Labels are container labels whose values the inventory is to carry.
	Labels []string

	socket    string
	transport *http.Transport
	http      *http.Client
	images    sync.Map // inventory.Image by ID: what was asked of an image once stays true
	names     sync.Map // string by inventory.ID: the image's name that a container was made by
	// api speaks the version that the Engine behind the socket was last found to
	// speak. Docker's client cannot renegotiate while it is in use, so it is
	// replaced as a whole; nil: ask first.
	api   atomic.Pointer[client.Client]
	known atomic.Pointer[info] // what the Engine last said about itself; nil: ask first
}

// Dial returns a client for the Engine at a unix socket. It makes no call, so
// the Engine need not be there.
func Dial(socket string) (*Client, error) { return dial(socket, Calls()) }

// dial returns a client that makes these calls and no others.
func dial(socket string, calls []string) (*Client, error) {
	if !filepath.IsAbs(socket) {
		return nil, fmt.Errorf("docker socket %q: not an absolute path", socket)
	}
	c := &Client{socket: socket}
	c.transport = &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
		DisableCompression:  true,
		MaxIdleConns:        inspectsAtOnce,
		MaxIdleConnsPerHost: inspectsAtOnce,
		IdleConnTimeout:     30 * time.Second,
		ReadBufferSize:      16 << 10,
	}
	c.http = &http.Client{
		Transport:     &allowList{calls: calls, next: c.transport},
		CheckRedirect: client.CheckRedirect,
	}
	return c, nil
}

// Socket is the path of the Engine's socket.
func (c *Client) Socket() string { return c.socket }

// CloseIdle closes connections that no call is using.
func (c *Client) CloseIdle() { c.transport.CloseIdleConnections() }

func (c *Client) timeout() time.Duration { return cmp.Or(c.Timeout, defaultTimeout) }

// negotiated returns a client that speaks the Engine's API version.
func (c *Client) negotiated(ctx context.Context) (*client.Client, error) {
	if api := c.api.Load(); api != nil {
		return api, nil
	}
	own := *c.http // Docker's client wraps the transport of the one it is given, each time anew
	api, err := client.NewClientWithOpts(
		client.WithHost(nowhere), client.WithHTTPClient(&own), client.WithUserAgent("berth"),
		client.WithTraceOptions(otelhttp.WithFilter(func(*http.Request) bool { return false })),
	)
	if err != nil {
		return nil, err
	}
	pong, err := api.Ping(ctx)
	if err != nil {
		return nil, err
	}
	api.NegotiateAPIVersionPing(pong)
	c.api.Store(api)
	return api, nil
}

// call makes one bounded call. After a failure the next one negotiates anew:
// another Engine may answer by then.
func (c *Client) call(ctx context.Context, what string, f func(context.Context, *client.Client) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout(), &noAnswer{c.timeout()})
	defer cancel()
	var seen trip
	ctx = context.WithValue(ctx, tripKey{}, &seen)
	api, err := c.negotiated(ctx)
	if err == nil {
		err = f(ctx, api)
	}
	if err == nil {
		return nil
	}
	if !isNotFound(err) {
		c.api.Store(nil)
		c.known.Store(nil)
	}
	return fmt.Errorf("%s: %w", what, cause(ctx, err, seen))
}

// cause is the plainest true account of why a call failed.
func cause(ctx context.Context, err error, seen trip) error {
	var errno syscall.Errno
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(seen.err, &errno):
		return errno
	case seen.err != nil:
		err = seen.err
	}
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return errCutShort
	case seen.status >= http.StatusBadRequest && seen.method == http.MethodHead:
		return fmt.Errorf("status %d", seen.status) // there is no message to quote
	case seen.status >= http.StatusBadRequest:
		return fmt.Errorf("status %d: %w", seen.status, err)
	}
	return err
}

// errCutShort is an answer that ended before its end.
var errCutShort = errors.New("the answer ended early")

// noAnswer is a deadline that this package has set and that has passed.
type noAnswer struct{ after time.Duration }

func (e *noAnswer) Error() string { return fmt.Sprintf("no answer within %v", e.after) }

func (e *noAnswer) Unwrap() error { return context.DeadlineExceeded }

// isNotFound reports whether the Engine answered 404.
func isNotFound(err error) bool {
	var e interface{ NotFound() }
	return errors.As(err, &e)
}

// ping returns nil if the Engine answers.
func (c *Client) ping(ctx context.Context) error {
	return c.call(ctx, "ping", func(ctx context.Context, api *client.Client) error {
		_, err := api.Ping(ctx)
		return err
	})
}

// inspect returns what the list does not tell of a container.
func (c *Client) inspect(ctx context.Context, id inventory.ID) (d detail, err error) {
	err = c.call(ctx, "inspect container "+id.Short(), func(ctx context.Context, api *client.Client) error {
		r, err := api.ContainerInspect(ctx, string(id))
		if err == nil {
			d, err = fromInspect(r, c.ServiceLabel)
		}
		if err == nil && d.Image != "" {
			c.names.Store(id, d.Image)
		}
		return err
	})
	return d, err
}

// containers returns the containers that one list names, sorted by ID: those
// with these IDs, or without any, all. To list one container by its ID costs the
// Engine a twentieth of listing two hundred.
func (c *Client) containers(ctx context.Context, ids ...inventory.ID) (all []inventory.Container, err error) {
	options := container.ListOptions{All: true, Filters: filters.NewArgs()}
	for _, id := range ids {
		options.Filters.Add("id", string(id))
	}
	err = c.call(ctx, "list containers", func(ctx context.Context, api *client.Client) error {
		list, err := api.ContainerList(ctx, options)
		if err == nil {
			all, err = fromList(list, c.ServiceLabel, c.Labels...)
		}
		return err
	})
	return all, err
}
