package sftpplace

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

const (
	// grace lets an operation of an ended context finish: closing the connection
	// is the only way to stop it, and other operations share the connection.
	grace = 2 * time.Second
	// doubtAfter is how long a connection may rest before it is probed: firewalls
	// forget idle connections without telling.
	doubtAfter = 15 * time.Second
	// probeWithin bounds a probe.
	probeWithin = 10 * time.Second
)

var (
	errSilent = errors.New("the server did not answer in time")
	errClosed = errors.New("connection closed")
)

// session is one connection with its SFTP subsystem. pkg/sftp knows no
// deadlines: closing the connection is what ends a call that hangs.
type session struct {
	conn net.Conn
	ssh  *ssh.Client
	sftp *sftp.Client

	busy  atomic.Int32 // operations under way
	used  atomic.Int64 // when the last one ended, Unix nanoseconds
	gone  chan struct{}
	once  sync.Once
	cause error // why it was closed; set before gone is closed
}

// open dials, checks the host key, logs in and starts SFTP. One key algorithm
// after another is offered until the server shows a key that is known.
func (c Config) open(ctx context.Context, a Address) (*session, error) {
	known, err := c.trusted(a.Endpoint())
	if err != nil {
		return nil, err
	}
	logins, err := c.logins() // unlocking a key takes seconds on a busy machine: no fault of the server
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.ConnectTimeout.Std(), errSilent)
	defer cancel()
	var wrong error
	for _, algorithms := range known.offers {
		s, err := c.openWith(ctx, a, known.check, algorithms, logins)
		if err == nil {
			return s, nil
		}
		if wrong == nil || keyIsWrong(err) {
			wrong = err
		}
		if !keyIsWrong(err) && !noCommonAlgorithm(err) {
			return nil, err
		}
	}
	return nil, wrong
}

func noCommonAlgorithm(err error) bool {
	var n *ssh.AlgorithmNegotiationError
	return errors.As(err, &n)
}

// openWith makes one attempt with the host key algorithms given.
func (c Config) openWith(ctx context.Context, a Address, check ssh.HostKeyCallback, algorithms []string, logins []ssh.AuthMethod) (_ *session, err error) {
	conn, err := c.connect(ctx, a.Endpoint())
	if err != nil {
		return nil, cause(ctx, fmt.Errorf("connect: %w", err))
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	defer func() {
		if err != nil {
			conn.Close()
			err = cause(ctx, err)
		}
	}()
	var refused error // x/crypto/ssh does not wrap the callback's error
	config := &ssh.ClientConfig{
		User: a.User, Auth: logins, HostKeyAlgorithms: algorithms, ClientVersion: "SSH-2.0-einvoice",
		HostKeyCallback: func(host string, remote net.Addr, key ssh.PublicKey) error {
			refused = check(host, remote, key)
			return refused
		},
	}
	if c.LegacyAlgorithms {
		config.Config = legacyConfig()
	}
	link, channels, requests, err := ssh.NewClientConn(conn, a.Endpoint(), config)
	if refused != nil {
		return nil, refused
	}
	if err != nil {
		return nil, explainLogin(err, a)
	}
	client := ssh.NewClient(link, channels, requests)
	files, err := sftp.NewClient(client, c.sftpOptions()...)
	if err != nil {
		return nil, fmt.Errorf("start SFTP: %w", err)
	}
	if !stop() {
		return nil, errClosed
	}
	s := &session{conn: conn, ssh: client, sftp: files, gone: make(chan struct{})}
	s.used.Store(time.Now().UnixNano())
	return s, nil
}

// legacyConfig adds the insecure algorithms that x/crypto still has.
func legacyConfig() ssh.Config {
	safe, old := ssh.SupportedAlgorithms(), ssh.InsecureAlgorithms()
	return ssh.Config{
		KeyExchanges: append(safe.KeyExchanges, old.KeyExchanges...),
		Ciphers:      append(safe.Ciphers, old.Ciphers...),
		MACs:         append(safe.MACs, old.MACs...),
	}
}

// sftpOptions: a mailbox gets one plain read or write after another.
func (c Config) sftpOptions() []sftp.ClientOption {
	if c.Profile == Compat {
		return []sftp.ClientOption{sftp.UseConcurrentReads(false), sftp.UseConcurrentWrites(false), sftp.MaxConcurrentRequestsPerFile(1)}
	}
	return []sftp.ClientOption{sftp.MaxConcurrentRequestsPerFile(64)}
}

// cause says why an attempt ended: that it took too long, rather than that its
// connection was closed.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// guard runs one call, or one part of a stream, and closes the connection when
// it does not end within limit, or soon after ctx ends.
func (s *session) guard(ctx context.Context, limit time.Duration, call func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var ended atomic.Bool
	timer := time.AfterFunc(limit, func() {
		if !ended.Load() {
			s.close(errSilent)
		}
	})
	stop := context.AfterFunc(ctx, func() { timer.Reset(min(limit, grace)) })
	s.busy.Add(1)
	err := call()
	ended.Store(true)
	stop()
	timer.Stop()
	s.used.Store(time.Now().UnixNano())
	s.busy.Add(-1)
	switch {
	case err == nil || answered(err):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	}
	s.close(connectionLost(err))
	return away(s.cause)
}

// close ends the connection, and with it every call on it; the first cause counts.
func (s *session) close(cause error) {
	s.once.Do(func() {
		s.cause = cause
		close(s.gone)
		s.conn.Close()
	})
}

func (s *session) isGone() bool {
	select {
	case <-s.gone:
		return true
	default:
		return false
	}
}

// rested is how long the connection was not used; 0 while it is.
func (s *session) rested() time.Duration {
	if s.busy.Load() > 0 {
		return 0
	}
	return time.Since(time.Unix(0, s.used.Load()))
}

// probe asks for something that every server answers.
func (s *session) probe(ctx context.Context, limit time.Duration) error {
	err := s.guard(ctx, min(limit, probeWithin), func() error {
		_, err := s.sftp.Getwd()
		return err
	})
	if err != nil && ctx.Err() == nil {
		s.close(err)
	}
	return err
}

// tend keeps an idle connection alive, closes one that nobody uses, and ends
// with it.
func (s *session) tend(keepAlive, idle time.Duration) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.close(connectionLost(s.ssh.Wait()))
	}()
	tick := time.NewTicker(min(keepAlive, idle))
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return
		case <-tick.C:
		}
		rested := s.rested()
		switch {
		case rested >= idle:
			s.close(errClosed)
		case rested >= keepAlive/2:
			s.signOfLife()
		}
	}
}

// signOfLife does not count as use: an unused connection shall end.
func (s *session) signOfLife() {
	timer := time.AfterFunc(probeWithin, func() { s.close(errSilent) })
	defer timer.Stop()
	if _, _, err := s.ssh.SendRequest("keepalive@openssh.com", true, nil); err != nil {
		s.close(connectionLost(err))
	}
}

func connectionLost(err error) error {
	if err == nil {
		return errClosed
	}
	return fmt.Errorf("connection lost: %w", err)
}
