package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/berth-dev/berth/agent/api"
)

// startLimit is how long the daemon may take before the measurement gives up.
const startLimit = 30 * time.Second

// A daemon is the process that is measured.
type daemon struct {
	*host
	cmd  *exec.Cmd
	http *http.Client
}

// settings is the configuration: everything that a host's daemon does, except
// for its own schedule and the metrics, which would measure their receiver.
const settings = `host: {id: bench}
docker: {settle: 0s}
api: {socket: %[1]s/berth.sock, group: ""}
state_dir: %[1]s/state
logs:
  roots: [{path: %[1]s/logs}]
  schedule: "0 0 29 2 *"
relay: {listen: off}
metrics: {dogstatsd: off}
log: {format: text}
`

// launch starts a daemon and waits until it is ready.
func (h *host) launch() *daemon {
	h.must(os.WriteFile(h.dir+"/berth.yaml", fmt.Appendf(nil, settings+h.more, h.dir), 0o644))
	notify := h.dir + "/notify.sock"
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: notify, Net: "unixgram"})
	h.must(err)
	defer func() { conn.Close(); _ = os.Remove(notify) }()
	log, err := os.OpenFile(h.dir+"/berth.log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	h.must(err)
	defer log.Close()

	d := &daemon{host: h, http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", h.socket())
		},
	}}}
	d.cmd = exec.Command(h.binary, "run", "--config", h.dir+"/berth.yaml")
	d.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "NOTIFY_SOCKET=" + notify}
	d.cmd.Stdout, d.cmd.Stderr = log, log
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL} // Ctrl-C is the bench's
	h.must(d.cmd.Start())
	h.Cleanup(func() { _ = d.cmd.Process.Kill(); _ = d.cmd.Wait() })
	h.must(conn.SetReadDeadline(time.Now().Add(startLimit)))
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			h.Fatalf("the daemon is not ready after %v: %v\n%s", startLimit, err, d.log())
		}
		if slices.Contains(strings.Split(string(buf[:n]), "\n"), "READY=1") {
			return d
		}
	}
}

// startUp measures the time from exec to READY=1 on a host without containers
// of ours.
func (h *host) startUp(r *report) {
	var took []time.Duration
	for range 10 {
		h.alive()
		began := time.Now()
		d := h.launch()
		took = append(took, time.Since(began))
		d.stop()
	}
	r.add(figure{"start-up, exec to READY=1", "ms", milli(quantile(took, 0.5)), 150, "median of 10"})
}

// stop ends the daemon in order.
func (d *daemon) stop() {
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	if err := d.cmd.Wait(); err != nil {
		d.Errorf("the daemon's end: %v\n%s", err, d.log())
	}
	d.http.CloseIdleConnections()
}

// log is the end of the daemon's log.
func (d *daemon) log() []byte {
	b, _ := os.ReadFile(d.dir + "/berth.log")
	return b[max(0, len(b)-2000):]
}

// call makes one call to the socket.
func (d *daemon) call(method, path, body string, out any) {
	req, err := http.NewRequestWithContext(d.ctx, method, "http://berth"+path, strings.NewReader(body))
	d.must(err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := d.http.Do(req)
	d.must(err)
	answer, err := io.ReadAll(resp.Body)
	d.must(errors.Join(err, resp.Body.Close()))
	if resp.StatusCode/100 != 2 {
		d.Fatalf("%s %s: %s: %s", method, path, resp.Status, answer)
	}
	d.must(json.Unmarshal(answer, out))
}

// running returns the IDs of the containers that match and that the daemon takes
// for running; of all without a match.
func (d *daemon) running(match string) map[string]bool {
	var all api.Containers
	d.call(http.MethodGet, "/v1/containers?match="+match, "", &all)
	up := map[string]bool{}
	for _, c := range all.Containers {
		if c.State == "running" {
			up[c.ID] = true
		}
	}
	return up
}

// sees waits until the daemon knows at least n running containers.
func (d *daemon) sees(n int) {
	for deadline := time.Now().Add(startLimit); len(d.running("")) < n; <-time.After(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			d.Fatalf("the daemon sees %d running containers after %v, want %d", len(d.running("")), startLimit, n)
		}
	}
}
