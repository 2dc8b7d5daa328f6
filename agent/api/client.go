package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// A Client asks the daemon at the other end of a unix socket. It may be used
// from many goroutines at once. Its errors are [*Unreachable] if no daemon
// answered and [*Problem] if one refused.
type Client struct {
	socket  string
	timeout time.Duration
	http    *http.Client
}

// NewClient returns a client of the daemon listening at socket. The timeout
// bounds each question; 0 means none. Sweeps, undo, job runs and followed
// events take as long as they take: only their context ends them. No
// connection is made before the first question.
func NewClient(socket string, timeout time.Duration) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	transport := &http.Transport{DialContext: dial, DisableCompression: true, IdleConnTimeout: time.Minute}
	return &Client{socket: socket, timeout: timeout, http: &http.Client{Transport: transport}}
}

// Status asks for the daemon's verdict on itself.
func (c *Client) Status(ctx context.Context) (Status, error) {
	return get[Status](ctx, c, "/v1/status")
}

// Version asks which build the daemon is.
func (c *Client) Version(ctx context.Context) (Version, error) {
	return get[Version](ctx, c, "/v1/version")
}

// Live is nil if the daemon's parts still answer.
func (c *Client) Live(ctx context.Context) error {
	_, err := get[Health](ctx, c, "/v1/health/live")
	return err
}

// Ready is nil once the daemon has seen Docker and runs its newest configuration.
func (c *Client) Ready(ctx context.Context) error {
	_, err := get[Health](ctx, c, "/v1/health/ready")
	return err
}

// Containers asks for the containers on the host that match: a service's, or
// those of a name or a beginning of an ID; for all of them without a match.
func (c *Client) Containers(ctx context.Context, match string) (Containers, error) {
	query := url.Values{}
	if match != "" {
		query.Set("match", match)
	}
	return get[Containers](ctx, c, withQuery("/v1/containers", query))
}

// Portmaps asks for the published ports as other hosts reach them.
func (c *Client) Portmaps(ctx context.Context) ([]Portmap, error) {
	return get[[]Portmap](ctx, c, "/v1/portmaps")
}

// Reservation asks what of the host is reserved.
func (c *Client) Reservation(ctx context.Context) (Reservation, error) {
	return get[Reservation](ctx, c, "/v1/reservation")
}

// Records asks for all hosts' records in the central store.
func (c *Client) Records(ctx context.Context) ([]StoreRecord, error) {
	return get[[]StoreRecord](ctx, c, "/v1/records")
}

// Diagnose asks the daemon for its part of the doctor.
func (c *Client) Diagnose(ctx context.Context) ([]Check, error) {
	return get[[]Check](ctx, c, "/v1/diagnostics")
}

// LogFolders asks for the log folders and what the janitor thinks of each; if
// measured, with the sizes of those of living containers, which may take long.
func (c *Client) LogFolders(ctx context.Context, measured bool) ([]Folder, error) {
	return get[[]Folder](ctx, c, withFlag("/v1/logs", "measured", measured))
}

// LogPlan asks what a sweep would do now, with or without the limits of one.
func (c *Client) LogPlan(ctx context.Context, unlimited bool) (LogPlan, error) {
	return get[LogPlan](ctx, c, withFlag("/v1/logs/plan", "unlimited", unlimited))
}

// LogSweep sweeps the log folders and returns when that is done.
func (c *Client) LogSweep(ctx context.Context, r SweepRequest) (SweepReport, error) {
	return post[SweepReport](ctx, c, "/v1/logs/sweep", r)
}

// LogUndo brings back what a sweep removed.
func (c *Client) LogUndo(ctx context.Context, r UndoRequest) (UndoReport, error) {
	return post[UndoReport](ctx, c, "/v1/logs/undo", r)
}

// LogHistory asks for the newest lines of the audit; limit 0 means the
// daemon's own.
func (c *Client) LogHistory(ctx context.Context, limit int) ([]Record, error) {
	return get[[]Record](ctx, c, withLimit("/v1/logs/history", limit))
}

func withLimit(path string, limit int) string {
	if limit == 0 {
		return path
	}
	return withQuery(path, url.Values{"limit": {strconv.Itoa(limit)}})
}

// Images asks for what is in Docker's store and what the janitor thinks of it.
func (c *Client) Images(ctx context.Context) ([]Object, error) {
	return get[[]Object](ctx, c, "/v1/images")
}

// ImagePlan asks what a sweep of the images would do now; with untilLow, one
// that goes no further than the disk needs.
func (c *Client) ImagePlan(ctx context.Context, untilLow bool) (ImagePlan, error) {
	return get[ImagePlan](ctx, c, withFlag("/v1/images/plan", "until_low", untilLow))
}

// ImageSweep sweeps the images and returns when that is done.
func (c *Client) ImageSweep(ctx context.Context, r ImageSweepRequest) (ImageSweepReport, error) {
	return post[ImageSweepReport](ctx, c, "/v1/images/sweep", r)
}

// ImageHistory asks for the newest lines of the audit about Docker's store;
// limit 0 means the daemon's own.
func (c *Client) ImageHistory(ctx context.Context, limit int) ([]Record, error) {
	return get[[]Record](ctx, c, withLimit("/v1/images/history", limit))
}

// Why asks for all that is known of a container, a folder or an image.
func (c *Client) Why(ctx context.Context, object string) (Why, error) {
	return get[Why](ctx, c, withQuery("/v1/why", url.Values{"object": {object}}))
}

// Relay asks what the dogstatsd relay has counted.
func (c *Client) Relay(ctx context.Context) (Relay, error) {
	return get[Relay](ctx, c, "/v1/relay")
}

// RelayTap hands each line that passes the relay and the filter to each, until
// ctx ends, the daemon stops, or each returns an error, which RelayTap then
// returns. Lines without text are signs of life.
func (c *Client) RelayTap(ctx context.Context, f RelayFilter, each func(RelayLine) error) error {
	query := url.Values{}
	for name, value := range map[string]string{"container": f.Container, "service": f.Service, "name": f.Name} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return stream(ctx, c, withQuery("/v1/relay/tap", query), each)
}

// RelayCapture writes what comes to the relay to a file, and returns when that
// is over.
func (c *Client) RelayCapture(ctx context.Context, r CaptureRequest) (Capture, error) {
	return post[Capture](ctx, c, "/v1/relay/capture", r)
}

// Docker0 asks where this host can be reached from Docker's bridges.
func (c *Client) Docker0(ctx context.Context) (Docker0, error) {
	return get[Docker0](ctx, c, "/v1/docker0")
}

// Jobs asks for the schedules and their last and next runs.
func (c *Client) Jobs(ctx context.Context) ([]Job, error) {
	return get[[]Job](ctx, c, "/v1/jobs")
}

// JobRuns asks for the runs of one job that are remembered.
func (c *Client) JobRuns(ctx context.Context, name string) ([]Run, error) {
	return get[[]Run](ctx, c, "/v1/jobs/"+url.PathEscape(name)+"/runs")
}

// RunJob runs a job now and returns when it has ended.
func (c *Client) RunJob(ctx context.Context, name string, dryRun bool) (Run, error) {
	return post[Run](ctx, c, withFlag("/v1/jobs/"+url.PathEscape(name)+"/run", "dry_run", dryRun), nil)
}

// Config asks for the configuration in force, secrets masked.
func (c *Client) Config(ctx context.Context) (ConfigShow, error) {
	return get[ConfigShow](ctx, c, "/v1/config")
}

// CheckConfig asks the daemon what is wrong with a configuration file's text;
// no faults means that it would be accepted.
func (c *Client) CheckConfig(ctx context.Context, text []byte) ([]Fault, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	return answer[[]Fault](ctx, c, http.MethodPost, "/v1/config/check", "application/yaml", text)
}

// Reload makes the daemon read its configuration again. A refused one is a
// [*Problem] whose Errors are the faults.
func (c *Client) Reload(ctx context.Context) (Reload, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	return post[Reload](ctx, c, "/v1/reload", nil)
}

// Events hands each event after sequence number since to each, until the
// present or, if follow is set, until ctx ends, the daemon stops, or each
// returns an error, which Events then returns. Types heartbeat and dropped
// are the stream's own.
func (c *Client) Events(ctx context.Context, follow bool, since uint64, each func(Event) error) error {
	query := url.Values{}
	if since != 0 {
		query.Set("since", strconv.FormatUint(since, 10))
	}
	if follow {
		query.Set("follow", "true")
	} else {
		var cancel context.CancelFunc
		ctx, cancel = c.bounded(ctx)
		defer cancel()
	}
	return stream(ctx, c, withQuery("/v1/events", query), each)
}

// WatchRecords hands each change of the records in the central store to each,
// until ctx ends, the daemon stops, or each returns an error, which it then
// returns. It begins with a resync, or, if since is not 0, with what came after
// that revision where the store still has it.
func (c *Client) WatchRecords(ctx context.Context, since uint64, each func(RecordEvent) error) error {
	query := url.Values{}
	if since != 0 {
		query.Set("since", strconv.FormatUint(since, 10))
	}
	return stream(ctx, c, withQuery("/v1/records/watch", query), each)
}

// stream hands each line of an answer to each.
func stream[T any](ctx context.Context, c *Client, path string, each func(T) error) error {
	response, err := c.do(ctx, http.MethodGet, path, "", nil)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	lines := json.NewDecoder(response.Body)
	for {
		var line T
		switch err := lines.Decode(&line); {
		case err == io.EOF:
			return nil
		case err != nil:
			return c.unreachable(ctx, fmt.Errorf("read %s: %w", path, err))
		}
		if err := each(line); err != nil {
			return err
		}
	}
}

// get asks a question that must be answered within the client's timeout.
func get[T any](ctx context.Context, c *Client, path string) (T, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	return answer[T](ctx, c, http.MethodGet, path, "", nil)
}

// post asks for something to be done, with no deadline of its own.
func post[T any](ctx context.Context, c *Client, path string, body any) (T, error) {
	if body == nil {
		return answer[T](ctx, c, http.MethodPost, path, "", nil)
	}
	text, err := json.Marshal(body)
	if err != nil {
		var none T
		return none, fmt.Errorf("encode request to %s: %w", path, err)
	}
	return answer[T](ctx, c, http.MethodPost, path, "application/json", text)
}

// answer makes one request and decodes the answer. Unknown fields are
// ignored: a newer daemon may say more.
func answer[T any](ctx context.Context, c *Client, method, path, mime string, body []byte) (T, error) {
	var into T
	response, err := c.do(ctx, method, path, mime, body)
	if err != nil {
		return into, err
	}
	defer func() { _ = response.Body.Close() }()
	if err := json.NewDecoder(response.Body).Decode(&into); err != nil {
		return into, c.unreachable(ctx, fmt.Errorf("read answer to %s: %w", path, err))
	}
	return into, nil
}

// do makes one request; an answer of 400 or more becomes an error.
func (c *Client) do(ctx context.Context, method, path, mime string, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://berth"+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", path, err)
	}
	if mime != "" {
		request.Header.Set("Content-Type", mime)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if response.StatusCode < http.StatusBadRequest {
		return response, nil
	}
	defer func() { _ = response.Body.Close() }()
	return nil, readProblem(response)
}

// bounded applies the client's timeout.
func (c *Client) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.timeout <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, c.timeout)
}

// withQuery appends what query holds, if it holds anything.
// withFlag adds a parameter that is true, or nothing.
func withFlag(path, name string, set bool) string {
	if !set {
		return path
	}
	return withQuery(path, url.Values{name: {"true"}})
}

func withQuery(path string, query url.Values) string {
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}
