package sftptest

import (
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/ssh"

	"einvoice/connector/drop/sftpplace"
)

// Daemon is a real server of its own process.
type Daemon struct {
	Addr    string
	Dir     string
	Pid     int
	section sftpplace.Config
}

// Section is the [[sftp]] section that reaches the server.
func (s *Daemon) Section() sftpplace.Config { return s.section }

// URL is the address of a directory of the server.
func (s *Daemon) URL(dir string) string {
	return "sftp://" + s.section.User + "@" + s.Addr + filepath.ToSlash(dir)
}

// StartSshd runs OpenSSH on a free loopback port, with keys of its own, until
// the end of the test.
func StartSshd(t testing.TB) *Daemon {
	t.Helper()
	path := installed(t, "openssh-server", "/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd")
	d, hostFile := newDaemon(t)
	key, keyFile := KeyFile(t, "")
	authorized := filepath.Join(t.TempDir(), "authorized_keys")
	write(t, authorized, ssh.MarshalAuthorizedKey(key.PublicKey()))
	account, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if account.Uid == "0" { // sshd as root wants its folder for the unprivileged part
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	_, port, _ := net.SplitHostPort(d.Addr)
	config := filepath.Join(t.TempDir(), "sshd_config")
	write(t, config, fmt.Appendf(nil, "ListenAddress 127.0.0.1\nPort %s\nHostKey %s\nAuthorizedKeysFile %s\nStrictModes no\nUsePAM no\nPidFile none\n"+
		"PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\nMaxStartups 100\nSubsystem sftp internal-sftp\n", port, hostFile, authorized))
	d.section.User, d.section.KeyFile = account.Username, keyFile
	d.Pid = daemon(t, d.Addr, path, "-D", "-e", "-f", config)
	return d
}

// newDaemon chooses the address and the host key of a server.
func newDaemon(t testing.TB) (d *Daemon, hostFile string) {
	t.Helper()
	host, hostFile := KeyFile(t, "")
	d = &Daemon{Addr: freePort(t), Dir: filepath.Join(t.TempDir(), "files")}
	d.section = Section(d.Addr, "", ssh.FingerprintSHA256(host.PublicKey()))
	if err := os.Mkdir(d.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return d, hostFile
}

func write(t testing.TB, file string, content []byte) {
	t.Helper()
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
