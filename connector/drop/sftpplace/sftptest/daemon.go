package sftptest

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// daemon runs a server in the foreground until the end of the test, and waits
// until it listens.
func daemon(t testing.TB, addr, path string, args ...string) (pid int) {
	t.Helper()
	cmd := exec.Command(path, args...)
	var log output
	cmd.Stdout, cmd.Stderr = &log, &log
	endWithUs(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	for {
		if conn, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
			conn.Close()
			return cmd.Process.Pid
		}
		select {
		case <-ended:
			t.Fatalf("%s does not start: %s", path, log.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// output may be read while it is written.
type output struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all.String()
}

// installed finds a server's program. Where it is missing the test is skipped;
// in CI, whose script installs it, that is a failure.
func installed(t testing.TB, pack string, paths ...string) string {
	t.Helper()
	for _, p := range paths {
		if _, err := os.Stat(p); err == nil {
			return p
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("none of %s is there: install %s", strings.Join(paths, ", "), pack)
	}
	t.Skipf("none of %s is there (apt-get install %s)", strings.Join(paths, ", "), pack)
	return ""
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
