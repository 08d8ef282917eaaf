package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener without a network, so that a test owns the time.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	select {
	case <-p.closed:
	default:
		close(p.closed)
	}
	return nil
}

func (*pipes) Addr() net.Addr { return &net.TCPAddr{} }

// TestCallbacksUnderWayKeepWhatTheyUse: what comes after serving closes the ledger.
func TestCallbacksUnderWayKeepWhatTheyUse(t *testing.T) {
	for _, c := range []struct {
		name     string
		takes    time.Duration
		finished bool
		after    time.Duration
	}{
		{"a slow one is waited for", 10 * time.Second, true, 12 * time.Second}, // Shutdown looks every half second
		{"one that does not end is not", time.Hour, false, 21 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var finished atomic.Bool
				release := make(chan struct{})
				srv := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
					select {
					case <-time.After(c.takes):
						finished.Store(true)
					case <-release:
					}
				})}
				l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
				ctx, stop := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, stop)
				go func() {
					client, server := net.Pipe()
					defer client.Close()
					l.conns <- server
					if _, err := io.WriteString(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"); err == nil {
						_, _ = io.Copy(io.Discard, client)
					}
				}()
				start := time.Now()
				if err := serveUntil(ctx, srv, l, 20*time.Second); err != nil {
					t.Error(err)
				}
				if took := time.Since(start); finished.Load() != c.finished || took > c.after {
					t.Errorf("returned after %s, finished %v", took, finished.Load())
				}
				close(release)
			})
		})
	}
}

// deafListener is a listener whose socket fails.
type deafListener struct{ pipes }

func (deafListener) Accept() (net.Conn, error) { return nil, errors.New("no descriptors") }

func TestAListenerThatFailsIsAnError(t *testing.T) {
	if err := serveUntil(t.Context(), &http.Server{}, &deafListener{pipes{closed: make(chan struct{})}}, time.Second); err == nil {
		t.Error("no error")
	}
}
