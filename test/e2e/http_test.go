package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/berth-dev/berth/agent/api"
)

// A line asks the daemon on its socket, without a process for each question.
// It may be used from any goroutine.
type line struct{ http *http.Client }

// dial connects to the daemon's socket, over and over if need be.
func (d *daemon) dial(t *testing.T) line {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", d.socket())
	}
	transport := &http.Transport{DialContext: dial}
	t.Cleanup(transport.CloseIdleConnections)
	return line{&http.Client{Transport: transport, Timeout: patience}}
}

// errRefused is an answer of the daemon that is not a success.
var errRefused = errors.New("the daemon refused")

// do makes one call; in is sent as JSON unless it is nil.
func (l line) do(method, path string, in, out any) error {
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			return err
		}
	}
	req, err := http.NewRequest(method, "http://berth"+path, &body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := l.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%w: %s: %s", errRefused, resp.Status, answer)
	}
	return json.Unmarshal(answer, out)
}

// sweep sweeps once. A sweep that could not see is no error of the caller's:
// it is in the report.
func (l line) sweep(r api.SweepRequest) (api.SweepReport, error) {
	var report api.SweepReport
	err := l.do(http.MethodPost, "/v1/logs/sweep", r, &report)
	return report, err
}
