package sftpplace_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"einvoice/connector/drop"
	"einvoice/connector/drop/sftpplace"
	"einvoice/connector/drop/sftpplace/sftptest"
	"einvoice/connector/problem"
)

// rsaHost makes a host key of another type than the tests' usual one.
func rsaHost(t *testing.T) ssh.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func certified(t *testing.T, authority, key ssh.Signer) ssh.Signer {
	t.Helper()
	cert := &ssh.Certificate{Key: key.PublicKey(), CertType: ssh.HostCert, ValidPrincipals: []string{"127.0.0.1"}, ValidBefore: ssh.CertTimeInfinity}
	if err := cert.SignCert(rand.Reader, authority); err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewCertSigner(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestHostKeyMustBeKnown has every way to know a key, and every way not to.
func TestHostKeyMustBeKnown(t *testing.T) {
	host, other, authority := sftptest.NewKey(t), sftptest.NewKey(t), sftptest.NewKey(t)
	rsaKey := rsaHost(t)
	line := func(mark, addr string, k ssh.Signer) string {
		return strings.TrimSpace(mark + " " + knownhosts.Line([]string{addr}, k.PublicKey()))
	}
	hashed := func(addr string, k ssh.Signer) string {
		return knownhosts.HashHostname(knownhosts.Normalize(addr)) + " " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k.PublicKey())))
	}
	print := func(k ssh.Signer) string { return ssh.FingerprintSHA256(k.PublicKey()) }
	for _, c := range []struct {
		name  string
		shows ssh.Signer
		known func(addr string) string // a known_hosts file
		pins  []string
		want  string // code of the problem; "" connects
	}{
		{"pinned", host, nil, []string{print(host)}, ""},
		{"pinned with its type", host, nil, []string{"ssh-ed25519 " + print(host)}, ""},
		{"one of two pinned", host, nil, []string{print(other), print(host)}, ""},
		{"RSA pinned without its type", rsaKey, nil, []string{print(rsaKey)}, ""},
		{"another pinned", host, nil, []string{print(other)}, "E1017"},
		{"known", host, func(a string) string { return line("", a, host) }, nil, ""},
		{"known, hashed", host, func(a string) string { return hashed(a, host) }, nil, ""},
		{"known besides another type", host, func(a string) string { return line("", a, rsaKey) + "\n" + line("", a, host) }, nil, ""},
		{"another known", host, func(a string) string { return line("", a, other) }, nil, "E1017"},
		{"known on another port only", host, func(string) string { return line("", "127.0.0.1:1", host) }, nil, "E1018"},
		{"nothing known", host, func(string) string { return "# nothing" }, nil, "E1018"},
		{"revoked", host, func(a string) string { return line("@revoked", a, host) + "\n" + line("", a, host) }, nil, "E1017"},
		{"signed by a known authority", certified(t, authority, host), func(a string) string { return line("@cert-authority", a, authority) }, nil, ""},
		{"signed by another authority", certified(t, other, host), func(a string) string { return line("@cert-authority", a, authority) }, nil, "refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := sftptest.Start(t, sftptest.Options{Host: c.shows})
			section := s.Section()
			section.HostKeys = c.pins
			if c.known != nil {
				section.KnownHosts = filepath.Join(t.TempDir(), "known_hosts")
				if err := os.WriteFile(section.KnownHosts, []byte(c.known(s.Addr)+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			p, _ := place(t, s, section)
			err := p.Connect(t.Context())
			found, _ := errors.AsType[problem.Problem](err)
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want == "refused" && err == nil:
				t.Error("it connects")
			case c.want != "" && c.want != "refused" && found.Code != c.want:
				t.Errorf("error %v, want %s", err, c.want)
			case c.want != "" && !errors.Is(err, drop.ErrBusy):
				t.Errorf("error %v does not say that files wait", err)
			}
		})
	}
}

// TestChangedHostKeyStopsThePlaceAndNoOther changes the key of one of two
// servers: its place says so in words, the other goes on.
func TestChangedHostKeyStopsThePlaceAndNoOther(t *testing.T) {
	first, second := sftptest.Start(t, sftptest.Options{}), sftptest.Start(t, sftptest.Options{})
	hosts := sftpplace.NewHosts([]sftpplace.Config{first.Section(), second.Section()})
	t.Cleanup(hosts.Close)
	var places []*sftpplace.Place
	for _, s := range []*sftptest.Server{first, second} {
		p, err := hosts.Place(s.URL(s.Dir), "")
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Publish(t.Context(), "a.csv", strings.NewReader("a")); err != nil {
			t.Fatal(err)
		}
		places = append(places, p)
	}
	first.Stop()
	sftptest.Start(t, sftptest.Options{Listen: first.Addr}) // somebody else answers there
	var err error
	for range 3 { // the first one may only notice that the connection ended
		err = places[0].Connect(t.Context())
	}
	p, ok := errors.AsType[problem.Problem](err)
	if !ok || p.Code != "E1017" || !strings.Contains(p.Message(problem.French), first.Addr) || !strings.Contains(p.Remedy(problem.English), "einvoice sftp-key") {
		t.Errorf("error %v, want E1017 naming %s", err, first.Addr)
	}
	if err := places[1].Publish(t.Context(), "b.csv", strings.NewReader("b")); err != nil {
		t.Errorf("the other server: %v", err)
	}
}

func TestShownKeysAreThoseToPin(t *testing.T) {
	for _, host := range []ssh.Signer{sftptest.NewKey(t), rsaHost(t)} {
		s := sftptest.Start(t, sftptest.Options{Host: host})
		a, err := sftpplace.Parse(s.URL("/x"))
		if err != nil {
			t.Fatal(err)
		}
		keys, err := sftpplace.Defaults().ShownKeys(t.Context(), a)
		if err != nil || len(keys) != 1 {
			t.Fatalf("%v, %v", keys, err)
		}
		section := s.Section()
		section.HostKeys = keys
		if p, _ := place(t, s, section); p.Connect(t.Context()) != nil {
			t.Errorf("what was shown (%s) does not connect", keys)
		}
	}
}

// TestWaysToLogIn has each way once right and once wrong.
func TestWaysToLogIn(t *testing.T) {
	secret := func(t *testing.T, text string, mode os.FileMode) string {
		file := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		return file
	}
	t.Setenv("EINVOICE_TEST_PASSWORD", sftptest.Password)
	t.Setenv("EINVOICE_TEST_PASSPHRASE", "phrase")
	locked, lockedFile := sftptest.KeyFile(t, "phrase")
	for _, c := range []struct {
		name     string
		keyboard bool
		change   func(t *testing.T, c *sftpplace.Config)
		want     string // in the error; "" logs in
	}{
		{"password file", false, func(t *testing.T, c *sftpplace.Config) { c.PasswordFile = secret(t, sftptest.Password+"\r\n", 0o600) }, ""},
		{"password in the environment", false, func(_ *testing.T, c *sftpplace.Config) { c.PasswordEnv = "EINVOICE_TEST_PASSWORD" }, ""},
		{"dialogue", true, func(_ *testing.T, c *sftpplace.Config) { c.PasswordEnv = "EINVOICE_TEST_PASSWORD" }, ""},
		{"wrong password", false, func(t *testing.T, c *sftpplace.Config) { c.PasswordFile = secret(t, "canary", 0o600) }, "E1019"},
		{"password that all may read", false, func(t *testing.T, c *sftpplace.Config) { c.PasswordFile = secret(t, sftptest.Password, 0o644) }, "can be read by others"},
		{"empty password file", false, func(t *testing.T, c *sftpplace.Config) { c.PasswordFile = secret(t, "", 0o600) }, "is empty"},
		{"unset variable", false, func(_ *testing.T, c *sftpplace.Config) { c.PasswordEnv = "EINVOICE_NO_SUCH" }, "is not set"},
		{"foreign key", false, func(t *testing.T, c *sftpplace.Config) { _, c.KeyFile = sftptest.KeyFile(t, "") }, "E1019"},
		{"locked key", false, func(t *testing.T, c *sftpplace.Config) { _, c.KeyFile = sftptest.KeyFile(t, "phrase") }, "has a passphrase"},
		{"wrong passphrase", false, func(t *testing.T, c *sftpplace.Config) {
			_, c.KeyFile = sftptest.KeyFile(t, "other")
			c.PassphraseEnv = "EINVOICE_TEST_PASSPHRASE"
		}, "unlock key file"},
		{"passphrase file", false, func(t *testing.T, c *sftpplace.Config) {
			c.KeyFile, c.PassphraseFile = lockedFile, secret(t, "phrase\n", 0o600)
		}, ""},
		{"passphrase in the environment", false, func(_ *testing.T, c *sftpplace.Config) {
			c.KeyFile, c.PassphraseEnv = lockedFile, "EINVOICE_TEST_PASSPHRASE"
		}, ""},
		{"passphrase that all may read", false, func(t *testing.T, c *sftpplace.Config) {
			c.KeyFile, c.PassphraseFile = lockedFile, secret(t, "phrase", 0o604)
		}, "can be read by others"},
		{"key that all may read", false, func(t *testing.T, c *sftpplace.Config) {
			key, err := os.ReadFile(lockedFile)
			if err != nil {
				t.Fatal(err)
			}
			c.KeyFile, c.PassphraseEnv = secret(t, string(key), 0o644), "EINVOICE_TEST_PASSPHRASE"
		}, "can be read by others"},
		{"password file by PowerShell", false, func(t *testing.T, c *sftpplace.Config) {
			c.PasswordFile = secret(t, inUTF16(sftptest.Password+"\r\n"), 0o600)
		}, ""},
		{"key file by PowerShell", false, func(t *testing.T, c *sftpplace.Config) {
			key, err := os.ReadFile(lockedFile)
			if err != nil {
				t.Fatal(err)
			}
			c.KeyFile, c.PassphraseEnv = secret(t, inUTF16(string(key)), 0o600), "EINVOICE_TEST_PASSPHRASE"
		}, ""},
		{"PuTTY's key", false, func(t *testing.T, c *sftpplace.Config) {
			c.KeyFile = secret(t, "PuTTY-User-Key-File-3: ssh-ed25519\r\nEncryption: none\r\n", 0o600)
		}, "Export OpenSSH key"},
		{"key locked by openssl", false, func(t *testing.T, c *sftpplace.Config) {
			c.KeyFile = secret(t, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIF\n-----END ENCRYPTED PRIVATE KEY-----\n", 0o600)
			c.PassphraseEnv = "EINVOICE_TEST_PASSPHRASE"
		}, "ssh-keygen -p"},
		{"public key", false, func(t *testing.T, c *sftpplace.Config) {
			c.KeyFile = secret(t, string(ssh.MarshalAuthorizedKey(locked.PublicKey())), 0o600)
		}, "name the private one"},
		{"no key file", false, func(_ *testing.T, c *sftpplace.Config) { c.KeyFile = "/nowhere/key" }, "read key file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := sftptest.Start(t, sftptest.Options{KeyboardOnly: c.keyboard, Account: locked.PublicKey()})
			section := s.Section()
			section.KeyFile = ""
			c.change(t, &section)
			p, _ := place(t, s, section)
			err := p.Connect(t.Context())
			if found, ok := errors.AsType[problem.Problem](err); ok && found.Code == c.want {
				err = fmt.Errorf("%s: %w", found.Code, err)
			}
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if err != nil && (strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), sftptest.Password)) {
				t.Errorf("a secret shows: %v", err)
			}
		})
	}
}

// TestKindsOfKeys logs in with each kind of private key, one with a passphrase.
func TestKindsOfKeys(t *testing.T) {
	_, ed, err1 := ed25519.GenerateKey(rand.Reader)
	ec, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	rs, err3 := rsa.GenerateKey(rand.Reader, 2048)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	t.Setenv("EINVOICE_TEST_PASSPHRASE", "phrase")
	for name, key := range map[string]any{"ed25519": ed, "ecdsa": ec, "rsa": rs} {
		for _, passphrase := range []string{"", "phrase"} {
			signer, file := sftptest.WriteKey(t, key, passphrase)
			s := sftptest.Start(t, sftptest.Options{Account: signer.PublicKey()})
			section := s.Section()
			section.KeyFile = file
			if passphrase != "" {
				section.PassphraseEnv = "EINVOICE_TEST_PASSPHRASE"
			}
			if p, _ := place(t, s, section); p.Connect(t.Context()) != nil {
				t.Errorf("%s, passphrase %q: %v", name, passphrase, p.Connect(t.Context()))
			}
		}
	}
}

// inUTF16 writes a text as Windows PowerShell's > does.
func inUTF16(text string) string {
	out := []byte("\xff\xfe")
	for _, u := range utf16.Encode([]rune(text)) {
		out = binary.LittleEndian.AppendUint16(out, u)
	}
	return string(out)
}
