package remote

import (
	"context"
	"sync"

	"github.com/berth-dev/berth/bridge/store"
)

// A Life is the time from the opening of a store to its end. The zero value is
// open.
type Life struct {
	mu     sync.Mutex // guards the fields below
	closed bool
	ends   map[*context.CancelFunc]bool
	work   sync.WaitGroup
}

// Begin returns a context that ends with ctx or with the store, and what says
// that the work under it has ended; ErrClosed if the store has.
func (l *Life) Begin(ctx context.Context) (context.Context, func(), error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, nil, store.ErrClosed
	}
	ctx, cancel := context.WithCancel(ctx)
	if l.ends == nil {
		l.ends = map[*context.CancelFunc]bool{}
	}
	l.ends[&cancel] = true
	l.work.Add(1)
	return ctx, sync.OnceFunc(func() {
		cancel()
		l.mu.Lock()
		delete(l.ends, &cancel)
		l.mu.Unlock()
		l.work.Done()
	}), nil
}

// Err is ErrClosed once the store has been closed.
func (l *Life) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return store.ErrClosed
	}
	return nil
}

// Close ends all that has begun and waits for it. It returns false if it was
// called before.
func (l *Life) Close() bool {
	l.mu.Lock()
	first := !l.closed
	l.closed = true
	for cancel := range l.ends {
		(*cancel)()
	}
	l.mu.Unlock()
	l.work.Wait()
	return first
}
