package relay

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// A process is a relay or a receiver in the host's namespace.
type process struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	errs bytes.Buffer

	polite bool // it ends with its input
}

func (r *Rig) launch(ctx context.Context, argv []string) (*process, error) {
	p := &process{cmd: inside(ctx, r.host, nil, argv...)}
	p.cmd.Stderr = &p.errs
	if r.peers.libs != "" {
		p.cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+r.peers.libs)
	}
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	return p, p.cmd.Start()
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// stop ends the process, whatever it does. One of ours ends with its input.
func (p *process) stop() {
	_ = p.in.Close()
	if p.polite {
		_ = p.cmd.Wait()
		return
	}
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// ask has a receiver say what it has received.
func (p *process) ask() (t taken, err error) { return t, p.answer(&t) }

// answer asks a process of ours, and reads what it says.
func (p *process) answer(to any) error {
	if _, err := io.WriteString(p.in, "\n"); err != nil {
		return p.fault(err)
	}
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return p.fault(err)
	}
	return json.Unmarshal(line, to)
}

// fault is what a process said when it should not have ended.
func (p *process) fault(err error) error {
	p.stop()
	return fmt.Errorf("%v: %w: %s", p.cmd.Args[3:], err, bytes.TrimSpace(p.errs.Bytes()))
}

// startLimit is how long a process may take to listen.
const startLimit = 10 * time.Second

// ready waits until something is so for a process.
func (p *process) ready(ctx context.Context, so func() bool) error {
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for began := time.Now(); !so(); {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		if time.Since(began) > startLimit {
			return p.fault(errors.New("does not listen"))
		}
	}
	return nil
}

// generate sends a load from the containers.
func (r *Rig) generate(ctx context.Context, l Load) (s sent, err error) {
	argv, err := r.childArgs(roleSend, l)
	if err != nil {
		return s, err
	}
	cmd := inside(ctx, r.host, r.boxes, argv...)
	// One thread does all; nothing may be collected, nor interrupted.
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "GOGC=off", "GODEBUG=asyncpreemptoff=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return s, fmt.Errorf("send: %w", err)
	}
	return s, json.Unmarshal(out, &s)
}
