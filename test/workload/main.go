package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	every := flag.Duration("every", 100*time.Millisecond, "time between log lines")
	life := flag.Duration("for", -1, "how long to live; negative: until told to stop")
	code := flag.Int("exit", 0, "exit code at the end of -for")
	listen := flag.String("listen", "", `address to answer on, such as ":5555"; empty: none`)
	deaf := flag.Bool("deaf", false, "ignore SIGTERM")
	flag.Parse()

	signals := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	if *deaf {
		signal.Ignore(syscall.SIGTERM)
		signals = signals[:1]
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	defer stop()
	if *life == 0 {
		os.Exit(*code)
	}
	if err := work(ctx, *every, *life, *listen); err != nil {
		fmt.Fprintln(os.Stderr, "workload:", err)
		os.Exit(1)
	}
	if ctx.Err() == nil {
		os.Exit(*code)
	}
}

// work does what a service does until ctx ends or life is over.
func work(ctx context.Context, every, life time.Duration, listen string) error {
	log, err := openLog()
	if err != nil {
		return err
	}
	metrics, err := dialMetrics()
	if err != nil {
		return err
	}
	defer metrics.close()
	if listen != "" {
		if err := serve(listen); err != nil {
			return err
		}
	}
	var end <-chan time.Time
	if life > 0 {
		end = time.After(life)
	}
	var tick <-chan time.Time
	if log != nil || metrics.any() {
		tick = time.Tick(every)
	}
	for n := 1; ; n++ {
		if err := report(log, metrics, n); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-end:
			return nil
		case <-tick:
		}
	}
}

// report writes the nth line and sends its count.
func report(log *os.File, m *metrics, n int) error {
	m.count()
	if log == nil {
		return nil
	}
	_, err := fmt.Fprintf(log, "%s line %d\n", time.Now().UTC().Format(time.RFC3339Nano), n)
	return err
}

// openLog makes $LOG_DIR/<hostname>/app.log; nil without LOG_DIR.
func openLog() (*os.File, error) {
	dir := os.Getenv("LOG_DIR")
	if dir == "" {
		return nil, nil
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(dir, host)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	return os.OpenFile(filepath.Join(folder, "app.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
}

// serve answers each connection with the hostname until the process ends.
func serve(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	go func() {
		for {
			c, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				fmt.Fprintln(c, host)
				c.Close()
			}
		}
	}()
	return nil
}
