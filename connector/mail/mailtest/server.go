// Package mailtest is an SMTP server for tests: it takes every mail and keeps it.
package mailtest

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// Mail is one that arrived.
type Mail struct {
	From string
	To   []string
	Data string
}

// Server listens on a loopback port until the test ends.
type Server struct {
	Host string
	Port int

	mu     sync.Mutex
	mails  []Mail
	refuse bool
}

// New starts a server.
func New(t testing.TB) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	return s
}

// Refuse makes the server refuse every mail, or take them again.
func (s *Server) Refuse(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = yes
}

// Mails are those that arrived so far.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mails...)
}

func (s *Server) serve(conn net.Conn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second)) // a client that gives up may leave it open
	in := bufio.NewScanner(conn)
	say := func(text string) { fmt.Fprint(conn, text+"\r\n") }
	say("220 test")
	var m Mail
	for in.Scan() {
		verb, rest, _ := strings.Cut(in.Text(), ":")
		switch strings.ToUpper(strings.TrimSpace(verb)) {
		case "MAIL FROM":
			m = Mail{From: address(rest)}
			say("250 ok")
		case "RCPT TO":
			m.To = append(m.To, address(rest))
			say("250 ok")
		case "DATA":
			say("354 go on")
			m.Data = data(in)
			say(s.keep(m))
		case "QUIT":
			say("221 bye")
			return
		default: // EHLO, NOOP, RSET
			say("250 test")
		}
	}
}

func (s *Server) keep(m Mail) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse {
		return "451 not now"
	}
	s.mails = append(s.mails, m)
	return "250 ok"
}

func address(text string) string {
	_, text, _ = strings.Cut(text, "<")
	text, _, _ = strings.Cut(text, ">")
	return text
}

func data(in *bufio.Scanner) string {
	var b strings.Builder
	for in.Scan() && in.Text() != "." {
		b.WriteString(in.Text() + "\n")
	}
	return b.String()
}
