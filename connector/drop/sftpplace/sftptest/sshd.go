package sftptest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"einvoice/connector/drop/sftpplace"
)

// Sshd is a real OpenSSH server.
type Sshd struct {
	Addr    string
	Dir     string
	section sftpplace.Config
}

// Section is the [[sftp]] section that reaches the server.
func (s *Sshd) Section() sftpplace.Config { return s.section }

// URL is the address of a directory of the server.
func (s *Sshd) URL(dir string) string {
	return "sftp://" + s.section.User + "@" + s.Addr + filepath.ToSlash(dir)
}

// StartSshd runs OpenSSH on a free loopback port, with keys of its own, until
// the end of the test. Where it is not installed the test is skipped; in CI,
// which installs it, that is a failure.
func StartSshd(t testing.TB) *Sshd {
	t.Helper()
	path := findSshd(t)
	dir := t.TempDir()
	host, hostFile := KeyFile(t, "")
	key, keyFile := KeyFile(t, "")
	authorized := filepath.Join(dir, "authorized_keys")
	if err := os.WriteFile(authorized, ssh.MarshalAuthorizedKey(key.PublicKey()), 0o600); err != nil {
		t.Fatal(err)
	}
	account, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if account.Uid == "0" { // sshd as root wants its folder for the unprivileged part
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	addr := freePort(t)
	_, port, _ := net.SplitHostPort(addr)
	config := filepath.Join(dir, "sshd_config")
	text := fmt.Sprintf("ListenAddress 127.0.0.1\nPort %s\nHostKey %s\nAuthorizedKeysFile %s\nStrictModes no\nUsePAM no\nPidFile none\n"+
		"PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\nMaxStartups 100\nSubsystem sftp internal-sftp\n", port, hostFile, authorized)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, path, config, addr)
	s := &Sshd{Addr: addr, Dir: filepath.Join(dir, "files"), section: Section(addr, keyFile, ssh.FingerprintSHA256(host.PublicKey()))}
	s.section.User = account.Username
	if err := os.Mkdir(s.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return s
}

func findSshd(t testing.TB) string {
	t.Helper()
	for _, p := range []string{"/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"} {
		if _, err := os.Stat(p); err == nil {
			return p
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("sshd is not installed: .ci/run installs openssh-server")
	}
	t.Skip("sshd is not installed (apt-get install openssh-server)")
	return ""
}

// run starts sshd in the foreground and waits until it listens.
func run(t testing.TB, path, config, addr string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, path, "-D", "-e", "-f", config)
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	for {
		if conn, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
			conn.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("sshd does not start: %s", log.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
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
