package sftpplace_test

import (
	"io"
	"net"
	"strconv"
	"sync"
	"testing"
)

func itoa(n int) string { return strconv.Itoa(n) }

// proxy joins connections to what answer says they want.
func proxy(t *testing.T, answer func(net.Conn) (target string, ok bool)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				target, ok := answer(conn)
				if !ok {
					return
				}
				out, err := net.Dial("tcp", target)
				if err != nil {
					return
				}
				wg.Go(func() { io.Copy(out, conn); out.Close() })
				io.Copy(conn, out)
			})
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return l.Addr().String()
}
