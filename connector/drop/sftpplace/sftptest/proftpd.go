package sftptest

import (
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// StartProFTPD runs ProFTPD with mod_sftp on a free loopback port, with keys of
// its own, until the end of the test.
func StartProFTPD(t testing.TB) *Daemon {
	t.Helper()
	path := installed(t, "proftpd-core proftpd-mod-crypto", "/usr/sbin/proftpd")
	if os.Geteuid() != 0 {
		t.Skip("ProFTPD changes accounts and wants root")
	}
	d, hostFile := newDaemon(t)
	key, keyFile := KeyFile(t, "")
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	write(t, at("keys"), publicKeyFile(key.PublicKey()))
	write(t, at("passwd"), fmt.Appendf(nil, "erp:x:0:0::%s:/bin/sh\n", d.Dir))
	_, port, _ := net.SplitHostPort(d.Addr)
	write(t, at("proftpd.conf"), fmt.Appendf(nil, `ServerName test
ServerType standalone
DefaultAddress 127.0.0.1
Port %s
SocketBindTight on
UseIPv6 off
UseReverseDNS off
WtmpLog off
User root
Group root
RootLogin on
RequireValidShell off
PersistentPasswd off
AuthUserFile %s
AuthOrder mod_auth_file.c
ScoreboardFile %s
PidFile %s
SystemLog none
AllowOverwrite on
ModulePath /usr/lib/proftpd
LoadModule mod_sftp.c
SFTPEngine on
SFTPHostKey %s
SFTPAuthMethods publickey
SFTPAuthorizedUserKeys file:%s
`, port, at("passwd"), at("scores"), at("pid"), hostFile, at("keys")))
	d.section.KeyFile = keyFile
	d.Pid = daemon(t, d.Addr, path, "-n", "-c", at("proftpd.conf"))
	return d
}

// publicKeyFile is a key as RFC 4716 writes it.
func publicKeyFile(key ssh.PublicKey) []byte {
	text := base64.StdEncoding.EncodeToString(key.Marshal())
	var b strings.Builder
	b.WriteString("---- BEGIN SSH2 PUBLIC KEY ----\n")
	for len(text) > 0 {
		n := min(len(text), 70)
		b.WriteString(text[:n] + "\n")
		text = text[n:]
	}
	b.WriteString("---- END SSH2 PUBLIC KEY ----\n")
	return []byte(b.String())
}
