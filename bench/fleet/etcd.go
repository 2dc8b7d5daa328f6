package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/bridge/store/etcd"
	"github.com/berth-dev/berth/test/storeserver"
)

// asOperated are etcd's settings that a cluster of this use has too: without
// compaction it would keep every record there ever was.
var asOperated = []string{"--auto-compaction-mode=revision", "--auto-compaction-retention=10000", "--log-level=error"}

// A real server is an etcd of one member, a process of its own, and the clients
// that the hosts share.
type real struct {
	process *storeserver.Server
	clients []*etcd.Store

	mu     sync.Mutex // guards the fields below
	before int64      // calls of former lives
	life   int64      // calls of this one
}

func newReal(j *job, build storeserver.Build, clients int) (*real, error) {
	flags := asOperated
	if build == storeserver.Current {
		flags = nil // test/etcdserver has no such settings
	}
	r := &real{process: storeserver.Etcd(j, build, flags...)}
	for range clients + 1 { // the last is the watcher's
		s, err := etcd.Open("etcd://" + r.process.Addr())
		if err != nil {
			return nil, err
		}
		r.clients = append(r.clients, s)
	}
	return r, nil
}

func (r *real) via(host int) store.Store { return r.clients[host%(len(r.clients)-1)] }
func (r *real) reader() store.Store      { return r.clients[len(r.clients)-1] }
func (r *real) outlasts() bool           { return true }
func (r *real) whose() string            { return "etcd's process" }

func (r *real) die() error {
	r.process.Kill()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.before, r.life = r.before+r.life, 0
	return nil
}

func (r *real) revive(empty bool) error {
	if empty {
		r.process.Empty()
	} else {
		r.process.Start()
	}
	return nil
}

// calls asks etcd how many calls it has begun to serve. One that is busy is
// asked for half a second.
func (r *real) calls(ctx context.Context) int64 {
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	n, err := begun(ctx, r.process.Addr())
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.life = n
	}
	return r.before + r.life
}

// begun sums the calls that an etcd counts, by method.
func begun(ctx context.Context, addr string) (int64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	total := 0.0
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "grpc_server_started_total{") {
			n, _ := strconv.ParseFloat(lines.Text()[strings.LastIndexByte(lines.Text(), ' ')+1:], 64)
			total += n
		}
	}
	return int64(total), err
}

// cpu is the time that all threads of etcd have run.
func (r *real) cpu() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", r.process.PID()))
	_, rest, found := strings.Cut(string(stat), ") ")
	if err != nil || !found {
		return 0
	}
	const tick = time.Second / 100 // as the kernel says it to programs
	fields := strings.Fields(rest)
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * tick
}

func (r *real) close() error {
	var all error
	for _, s := range r.clients {
		all = errors.Join(all, s.Close())
	}
	return all
}

// same counts, until its result is asked for, the puts that write what is there
// already. A watcher of the store is not told of them.
func (r *real) same(ctx context.Context) (count func() int, err error) {
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{r.process.Addr()}, Logger: zap.NewNop(), Context: ctx})
	if err != nil {
		return nil, err
	}
	told := client.Watch(ctx, store.ClusterPrefix(cluster), clientv3.WithPrefix(), clientv3.WithPrevKV())
	ended := make(chan int)
	go func() {
		n := 0
		for answer := range told {
			for _, e := range answer.Events {
				if e.Type == mvccpb.PUT && e.PrevKv != nil && bytes.Equal(e.Kv.Value, e.PrevKv.Value) {
					n++
				}
			}
		}
		ended <- n
	}()
	return func() int { _ = client.Close(); return <-ended }, nil
}
