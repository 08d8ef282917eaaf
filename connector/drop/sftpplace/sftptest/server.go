// Package sftptest runs SFTP servers for tests: one inside the process, and real
// ones, sshd and ProFTPD, with keys of their own.
package sftptest

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"einvoice/connector/drop/sftpplace"
	"einvoice/connector/setting"
)

// Server is an SFTP server in this process. Its account is "erp", with the key
// in KeyFile or the password "mot de passe".
type Server struct {
	Addr    string // host:port
	Dir     string // where its files are; paths are those of this machine
	KeyFile string
	Host    ssh.Signer
	Account ssh.PublicKey // that may log in

	Alive atomic.Int64 // signs of life that clients gave

	t        testing.TB
	listener net.Listener
	opt      Options
	wg       sync.WaitGroup
	mu       sync.Mutex
	conns    map[net.Conn]bool
	closed   bool
}

// Options make a server behave in a special way.
type Options struct {
	Listen string // "" takes a free port
	Host   ssh.Signer
	// Serve answers one SFTP channel; nil is pkg/sftp's server on the real file system.
	Serve func(ch io.ReadWriteCloser) error
	// Account is the key that may log in; nil makes one.
	Account ssh.PublicKey
	// KeyboardOnly refuses keys and plain passwords.
	KeyboardOnly bool
}

// Password of the account "erp".
const Password = "mot de passe"

// Start runs a server until the end of the test.
func Start(t testing.TB, opt Options) *Server {
	t.Helper()
	if opt.Listen == "" {
		opt.Listen = "127.0.0.1:0"
	}
	if opt.Host == nil {
		opt.Host = NewKey(t)
	}
	if opt.Serve == nil {
		opt.Serve = Files
	}
	l, err := net.Listen("tcp", opt.Listen)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Addr: l.Addr().String(), Dir: t.TempDir(), Host: opt.Host, t: t, listener: l, opt: opt, conns: map[net.Conn]bool{}}
	signer, file := KeyFile(t, "")
	s.KeyFile = file
	if opt.Account == nil {
		opt.Account = signer.PublicKey()
	}
	s.Account = opt.Account
	config := s.config(opt.Account)
	s.wg.Go(func() { s.accept(config) })
	t.Cleanup(s.Stop)
	return s
}

// Files is pkg/sftp's server on the real file system.
func Files(ch io.ReadWriteCloser) error {
	srv, err := sftp.NewServer(ch)
	if err != nil {
		return err
	}
	return srv.Serve()
}

// Stop ends the server and its connections. It may be called twice.
func (s *Server) Stop() {
	s.listener.Close()
	s.mu.Lock()
	s.closed = true
	for c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

func (s *Server) config(key ssh.PublicKey) *ssh.ServerConfig {
	c := &ssh.ServerConfig{}
	c.AddHostKey(s.Host)
	c.KeyboardInteractiveCallback = func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
		answers, err := ask("", "", []string{"Jeton: "}, []bool{false})
		if err != nil || len(answers) != 1 || answers[0] != Password {
			return nil, errors.New("wrong")
		}
		return nil, nil
	}
	if s.opt.KeyboardOnly {
		return c
	}
	c.PublicKeyCallback = func(m ssh.ConnMetadata, k ssh.PublicKey) (*ssh.Permissions, error) {
		if m.User() == "erp" && string(k.Marshal()) == string(key.Marshal()) {
			return nil, nil
		}
		return nil, errors.New("unknown key")
	}
	c.PasswordCallback = func(m ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
		if m.User() == "erp" && string(password) == Password {
			return nil, nil
		}
		return nil, errors.New("wrong")
	}
	return c
}

func (s *Server) accept(config *ssh.ServerConfig) {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.closed {
			conn.Close()
		}
		s.conns[conn] = true
		s.mu.Unlock()
		s.wg.Go(func() {
			s.serve(conn, config)
			conn.Close()
			s.mu.Lock()
			delete(s.conns, conn)
			s.mu.Unlock()
		})
	}
}

func (s *Server) serve(conn net.Conn, config *ssh.ServerConfig) {
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	s.wg.Go(func() {
		for r := range requests {
			s.Alive.Add(1)
			if r.WantReply {
				_ = r.Reply(false, nil)
			}
		}
	})
	for nc := range channels {
		if nc.ChannelType() != "session" {
			_ = nc.Reject(ssh.UnknownChannelType, "only sessions")
			continue
		}
		ch, in, err := nc.Accept()
		if err != nil {
			return
		}
		s.wg.Go(func() { s.channel(ch, in) })
	}
}

func (s *Server) channel(ch ssh.Channel, in <-chan *ssh.Request) {
	defer ch.Close()
	for r := range in {
		ok := r.Type == "subsystem" && string(r.Payload[4:]) == "sftp"
		_ = r.Reply(ok, nil)
		if ok {
			s.wg.Go(func() { ssh.DiscardRequests(in) })
			_ = s.opt.Serve(ch)
			return
		}
	}
}

// Section is the [[sftp]] section that reaches the server.
func (s *Server) Section() sftpplace.Config {
	return Section(s.Addr, s.KeyFile, ssh.FingerprintSHA256(s.Host.PublicKey()))
}

// Section is a section with short times.
func Section(addr, keyFile, fingerprint string) sftpplace.Config {
	c := sftpplace.Defaults()
	c.Host, c.User, c.KeyFile = addr, "erp", keyFile
	c.HostKeys = []string{fingerprint}
	c.ConnectTimeout = setting.Duration(10 * time.Second)
	return c
}

// URL is the address of a directory of the server.
func (s *Server) URL(dir string) string { return "sftp://erp@" + s.Addr + filepath.ToSlash(dir) }

// NewKey makes an ed25519 key.
func NewKey(t testing.TB) ssh.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// KeyFile makes a private key file as ssh-keygen does.
func KeyFile(t testing.TB, passphrase string) (ssh.Signer, string) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return WriteKey(t, key, passphrase)
}

// WriteKey writes a private key of any type.
func WriteKey(t testing.TB, key any, passphrase string) (ssh.Signer, string) {
	t.Helper()
	block, err := ssh.MarshalPrivateKey(key, "test")
	if passphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "test", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "id")
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(fmt.Errorf("make signer: %w", err))
	}
	return signer, file
}
