package sftpplace

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// A server that cannot be reached is tried again after a pause that doubles
// between these bounds, with jitter.
const (
	pauseFirst = time.Second
	pauseMost  = time.Minute
)

// crowded is how many operations share a connection before another is opened.
const crowded = 16

// server is one account on one server: a few connections that its places share.
type server struct {
	cfg  Config
	addr Address // without path
	once chan struct{}

	dialing chan struct{} // holds one token: at most one dial at a time

	mu       sync.Mutex
	sessions []*session
	down     error // why the last dial failed; nil after a good one
	failures int
	until    time.Time // no dial before
	closed   bool
	wg       sync.WaitGroup
}

func newServer(cfg Config, addr Address) *server {
	s := &server{cfg: cfg, addr: addr, dialing: make(chan struct{}, 1)}
	if cfg.Profile == Compat {
		s.once = make(chan struct{}, 1)
	}
	return s
}

// turn waits until a mailbox is free: it bears one operation at a time.
func (s *server) turn(ctx context.Context) (done func(), err error) {
	if s.once == nil {
		return func() {}, ctx.Err()
	}
	select {
	case s.once <- struct{}{}:
		return func() { <-s.once }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// session gives a connection that works: the least used one, a probed one where
// it rested, else a new one. A server that failed is dialled in the background:
// no caller waits for it twice.
func (s *server) session(ctx context.Context) (*session, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		best, err := s.pick()
		if err != nil {
			return nil, err
		}
		if best == nil {
			return s.dial(ctx)
		}
		if best.rested() < doubtAfter || best.probe(ctx, s.cfg.Timeout.Std()) == nil {
			return best, nil
		}
	}
}

// pick chooses among the connections that stand; nil asks for a new one.
func (s *server) pick() (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	var best *session
	alive := s.sessions[:0]
	for _, x := range s.sessions {
		if x.isGone() {
			continue
		}
		alive = append(alive, x)
		if best == nil || x.busy.Load() < best.busy.Load() {
			best = x
		}
	}
	clear(s.sessions[len(alive):])
	s.sessions = alive
	if best != nil && (best.busy.Load() < crowded || len(alive) >= s.most() || s.down != nil) {
		return best, nil
	}
	if s.down == nil {
		return nil, nil
	}
	if !time.Now().Before(s.until) {
		s.dialBehind()
	}
	return nil, fmt.Errorf("%w (trying again by itself)", s.down)
}

func (s *server) most() int {
	if s.cfg.Profile == Compat {
		return 1
	}
	return s.cfg.Connections
}

// dial opens a connection, unless somebody else just did.
func (s *server) dial(ctx context.Context) (*session, error) {
	select {
	case s.dialing <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-s.dialing }()
	if best, err := s.pick(); best != nil || err != nil {
		return best, err
	}
	return s.dialled(s.cfg.open(ctx, s.addr))
}

// dialBehind dials once without a caller. s.mu is held.
func (s *server) dialBehind() {
	select {
	case s.dialing <- struct{}{}:
	default:
		return
	}
	s.wg.Go(func() {
		defer func() { <-s.dialing }()
		_, _ = s.dialled(s.cfg.open(context.Background(), s.addr)) // bounded by connect_timeout; the error is kept
	})
}

// dialled records how a dial ended.
func (s *server) dialled(x *session, err error) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil && errors.Is(err, context.Canceled):
		return nil, err
	case err != nil:
		pause := min(pauseFirst<<min(s.failures, 10), pauseMost)
		s.until = time.Now().Add(pause/2 + rand.N(pause/2+1))
		s.failures++
		s.down = err
		return nil, err
	case s.closed:
		x.close(errClosed)
		return nil, errClosed
	}
	s.down, s.failures = nil, 0
	s.sessions = append(s.sessions, x)
	s.wg.Go(func() { x.tend(s.cfg.KeepAlive.Std(), s.cfg.Idle.Std()) })
	return x, nil
}

// close ends all connections and waits for what tends them.
func (s *server) close() {
	s.mu.Lock()
	s.closed = true
	for _, x := range s.sessions {
		x.close(errClosed)
	}
	s.mu.Unlock()
	s.wg.Wait()
}
