package sftpplace_test

import (
	"net"
	"testing"
	"time"

	"einvoice/connector/drop/sftpplace/sftptest"
	"einvoice/connector/setting"
)

// TestDoubtfulConnectionIsProbed: a connection that rested is asked before it is
// used; one that a firewall forgot is replaced, and the caller does not notice.
func TestDoubtfulConnectionIsProbed(t *testing.T) {
	s := sftptest.Start(t, sftptest.Options{})
	addr, forget := pipes(t, s.Addr)
	section := s.Section()
	section.Host, section.Timeout = addr, setting.Duration(300*time.Millisecond)
	p, _ := place(t, through{s, addr}, section)
	connect := func() error { return p.Connect(t.Context()) }
	var err error
	for range 3 { // where the machine rests for so long, the new connection is late as well
		awaitNil(t, connect)
		forget()
		p.Rest(time.Minute)
		if err = connect(); err == nil {
			return
		}
	}
	t.Errorf("the forgotten connection was used: %v", err)
}

// through is a server seen at another address.
type through struct {
	*sftptest.Server
	addr string
}

func (s through) URL(dir string) string { return "sftp://erp@" + s.addr + dir }

// pipes carries connections to a server until forget, after which those that
// stand carry nothing more and are not closed, as a firewall leaves them.
func pipes(t *testing.T, server string) (addr string, forget func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	forgotten := make(chan chan struct{}, 1)
	current := make(chan struct{})
	forgotten <- current
	go func() {
		for {
			a, err := l.Accept()
			if err != nil {
				return
			}
			b, err := net.Dial("tcp", server)
			if err != nil {
				a.Close()
				continue
			}
			stop := <-forgotten
			forgotten <- stop
			go carry(a, b, stop)
			go carry(b, a, stop)
		}
	}()
	t.Cleanup(func() { l.Close() })
	return l.Addr().String(), func() {
		close(<-forgotten)
		forgotten <- make(chan struct{})
	}
}

func carry(to, from net.Conn, stop <-chan struct{}) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		select {
		case <-stop:
			if err == nil {
				continue // swallowed
			}
		default:
			_, _ = to.Write(buf[:n])
		}
		if err != nil {
			to.Close()
			return
		}
	}
}
