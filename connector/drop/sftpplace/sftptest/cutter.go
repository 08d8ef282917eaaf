package sftptest

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// Cutter is a proxy that cuts each connection after a number of bytes or of
// packets, whichever way they go.
type Cutter struct {
	Addr string
	Cuts atomic.Int64 // connections cut so far

	bytes, packets atomic.Int64
	listener       net.Listener
	wg             sync.WaitGroup
}

// NewCutter stands before a server until the end of the test. It cuts nothing
// until After is called.
func NewCutter(t testing.TB, server string) *Cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &Cutter{Addr: l.Addr().String(), listener: l}
	c.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", server)
			if err != nil {
				conn.Close()
				continue
			}
			c.join(conn, out)
		}
	})
	t.Cleanup(func() {
		l.Close()
		c.wg.Wait()
	})
	return c
}

// After sets where connections made from now on are cut; 0 is nowhere.
func (c *Cutter) After(bytes, packets int64) {
	c.bytes.Store(bytes)
	c.packets.Store(packets)
}

func (c *Cutter) join(a, b net.Conn) {
	left := &budget{bytes: c.bytes.Load(), packets: c.packets.Load()}
	left.limited = left.bytes > 0 || left.packets > 0
	var once sync.Once
	end := func(cut bool) {
		once.Do(func() {
			if cut {
				c.Cuts.Add(1)
			}
			a.Close()
			b.Close()
		})
	}
	c.wg.Go(func() { end(left.copy(a, b)) })
	c.wg.Go(func() { end(left.copy(b, a)) })
}

// budget is what a connection may still carry.
type budget struct {
	limited        bool
	mu             sync.Mutex
	bytes, packets int64
}

// copy carries data until one side ends or the budget does; cut is the latter.
func (l *budget) copy(to, from net.Conn) (cut bool) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		allowed, last := l.spend(n)
		if _, werr := to.Write(buf[:allowed]); werr != nil || err != nil {
			return false
		}
		if last {
			return true
		}
	}
}

// spend takes from the budget, and tells how much of n may pass.
func (l *budget) spend(n int) (allowed int, last bool) {
	if !l.limited {
		return n, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bytes > 0 {
		allowed = int(min(int64(n), l.bytes))
		l.bytes -= int64(allowed)
		return allowed, l.bytes == 0
	}
	if l.packets > 0 {
		l.packets--
		return n, l.packets == 0
	}
	return 0, true
}
