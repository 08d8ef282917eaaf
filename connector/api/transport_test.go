package api

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"einvoice/connector/problem"
	"einvoice/connector/setting"
)

func problemLang(s string) problem.Lang { return problem.Lang(s) }

// listen runs a server that does what it likes with its connections.
func listen(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			handle(conn)
			conn.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return "http://" + l.Addr().String()
}

// readRequest reads one whole request off a connection.
func readRequest(conn net.Conn) error {
	r, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r.Body)
	return err
}

func reset(conn net.Conn) {
	conn.(*net.TCPConn).SetLinger(0) // close sends RST
}

func TestNothingWrittenMeansLater(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + l.Addr().String()
	l.Close()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	secure.Config.ErrorLog = nil
	plain := listen(t, func(c net.Conn) { c.Write([]byte("220 not TLS\r\n")) })
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name, base, code string
		ctx              context.Context
	}{
		{"connection refused", closed, codeUnreachable, t.Context()},
		{"unknown host", "http://no-such-host.invalid", codeUnreachable, t.Context()},
		{"certificate of nobody", secure.URL, codeCertificate, t.Context()},
		{"no TLS on the other side", "https" + strings.TrimPrefix(plain, "http"), codeUnreachable, t.Context()},
		{"cancelled before", closed, codeUnreachable, gone},
	} {
		a := newTestClient(t, c.base, Options{}).Submit(c.ctx, usualInvoice())
		if a.Fate != Later || a.HTTP != 0 || a.Problems[0].Code != c.code {
			t.Errorf("%s: %+v", c.name, a)
		}
	}
}

func TestAnythingWrittenAndUnansweredIsUncertain(t *testing.T) {
	for name, handle := range map[string]func(net.Conn){
		"reset after reading":  func(c net.Conn) { readRequest(c); reset(c) },
		"closed after reading": func(c net.Conn) { readRequest(c) },
		"head only": func(c net.Conn) {
			readRequest(c)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Le")
		},
		"not HTTP": func(c net.Conn) { readRequest(c); io.WriteString(c, "220 ftp ready\r\n\r\n") },
		"body cut": func(c net.Conn) {
			readRequest(c)
			io.WriteString(c, "HTTP/1.1 422 No\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n{\"message\":")
		},
		"a status that says it all, body cut": func(c net.Conn) {
			readRequest(c)
			io.WriteString(c, "HTTP/1.1 413 No\r\nContent-Length: 400\r\n\r\n<html>")
		},
	} {
		calls := atomic.Int32{}
		c := newTestClient(t, listen(t, func(conn net.Conn) { calls.Add(1); handle(conn) }), Options{})
		if a := c.Submit(t.Context(), usualInvoice()); a.Fate != Unsure || a.Scope != ScopeInvoice || len(a.Problems) != 1 {
			t.Errorf("%s: %+v", name, a)
		}
		if calls.Load() != 1 {
			t.Errorf("%s: %d connections", name, calls.Load())
		}
	}
}

func TestAResetBeforeReadingIsNeverARefusal(t *testing.T) {
	base := listen(t, reset)
	for range 20 {
		if a := newTestClient(t, base, Options{}).Submit(t.Context(), usualInvoice()); a.Fate != Unsure && a.Fate != Later {
			t.Errorf("answer %+v", a)
		}
	}
}

func TestSilenceIsUncertainAndNamesTheTimeout(t *testing.T) {
	release := make(chan struct{})
	base := serve(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	cfg := Defaults()
	cfg.BaseURL, cfg.Timeout = base, setting.Duration(50*time.Millisecond)
	a := clientOf(t, cfg, Options{}).Submit(t.Context(), usualInvoice())
	if a.Fate != Unsure || !strings.Contains(a.Note, "request timeout") {
		t.Errorf("answer %+v", a)
	}
}

// A good answer cut anywhere must never look like a failure that allows to send again.
func TestAGoodAnswerCutAtAnyByteIsSentOrUncertain(t *testing.T) {
	body := `{"data":{"id":"6a1000000000000000000001","state":"NEW"},"success":true,"message":"","error":null}`
	for name, head := range map[string]string{
		"with its length": fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(body)),
		"until closed":    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n",
	} {
		whole := head + body
		n := 0
		base := listen(t, func(c net.Conn) {
			if readRequest(c) == nil {
				io.WriteString(c, whole[:n])
			}
		})
		c := newTestClient(t, base, Options{})
		for n = 0; n <= len(whole); n++ {
			a := c.Submit(t.Context(), usualInvoice())
			if a.Fate != Sent && a.Fate != Unsure || n == len(whole) && a.Fate != Sent || a.Fate == Sent && a.Remote.ID != "6a1000000000000000000001" {
				t.Fatalf("%s, cut at %d: %+v", name, n, a)
			}
		}
	}
}

// net/http sends a request again by itself when a kept connection breaks; a
// POST must not be among them.
func TestAPostIsNeverReplayedOnAnotherConnection(t *testing.T) {
	posts, connections := atomic.Int32{}, atomic.Int32{}
	base := listen(t, func(c net.Conn) {
		connections.Add(1)
		in := bufio.NewReader(c)
		for i := range 2 {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			io.Copy(io.Discard, r.Body)
			posts.Add(1)
			if i == 0 {
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"data\":{\"id\":\"a1\"}}")
			}
		}
		reset(c)
	})
	c := newTestClient(t, base, Options{})
	if a := c.Submit(t.Context(), usualInvoice()); a.Fate != Sent {
		t.Fatalf("first: %+v", a)
	}
	if a := c.Submit(t.Context(), usualInvoice()); a.Fate != Unsure {
		t.Errorf("second: %+v", a)
	}
	if posts.Load() != 2 || connections.Load() != 1 {
		t.Errorf("%d posts over %d connections", posts.Load(), connections.Load())
	}
}

func TestRequestsCarryNoIdempotencyKeyAndNoBodyToReplay(t *testing.T) {
	req, err := newRequest(t.Context(), http.MethodPost, "http://localhost/", []byte("{}"), testToken)
	if err != nil || req.GetBody != nil || req.ContentLength != 2 {
		t.Errorf("request %+v, %v", req, err)
	}
	for name := range req.Header {
		if strings.Contains(name, "Idempotency") {
			t.Errorf("header %s lets net/http replay", name)
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := atomic.Int32{}
	target := serve(t, func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) })
	c := newTestClient(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, target, http.StatusPermanentRedirect)
	}), Options{HTTP: &http.Client{}})
	defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	if a := c.Submit(t.Context(), usualInvoice()); a.Fate != Unsure {
		t.Errorf("post: %+v", a)
	}
	_, err := c.Get(t.Context(), "a1", false)
	if e, ok := errors.AsType[*Error](err); !ok || e.Fate != Later {
		t.Errorf("get: %v", err)
	}
	if elsewhere.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

func TestWhatTLSWritesByItselfIsNoRequest(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "{}") }))
	defer server.Close()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		raw, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		metered := &meteredConn{Conn: raw}
		conn := tls.Client(metered, &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version})
		if err := conn.Handshake(); err != nil {
			t.Fatal(err)
		}
		var f flight
		f.take(httptrace.GotConnInfo{Conn: conn})
		if f.left() {
			t.Error("the handshake counts as a request")
		}
		conn.Close()
		if f.left() || metered.written.Load() == f.start {
			t.Errorf("version %x: goodbye of %d bytes", version, metered.written.Load()-f.start)
		}
	}
}

func TestTheSmallestRequestIsMoreThanAGoodbye(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	raw, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	metered := &meteredConn{Conn: raw}
	conn := tls.Client(metered, &tls.Config{InsecureSkipVerify: true})
	defer conn.Close()
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	var f flight
	f.take(httptrace.GotConnInfo{Conn: conn})
	req, _ := newRequest(t.Context(), http.MethodPost, "https://a/", []byte("{}"), "t")
	if err := req.Write(conn); err != nil || !f.left() {
		t.Errorf("%d bytes, %v", metered.written.Load()-f.start, err)
	}
}

func TestAStaleConnectionThatTookNothingMeansLater(t *testing.T) {
	ours, theirs := net.Pipe()
	theirs.Close()
	metered := &meteredConn{Conn: ours}
	var f flight
	f.take(httptrace.GotConnInfo{Conn: metered})
	if _, err := metered.Write([]byte("POST")); err == nil || f.left() {
		t.Error("a failed write counts as written")
	}
	f.take(httptrace.GotConnInfo{Conn: ours})
	if !f.left() {
		t.Error("a connection that cannot be measured must count as written")
	}
}

func TestProxies(t *testing.T) {
	connects := atomic.Int32{}
	status := http.StatusProxyAuthRequired
	proxy := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect || r.URL.IsAbs() {
			connects.Add(1)
		}
		w.WriteHeader(status)
		io.WriteString(w, page)
	})
	for _, c := range []struct {
		status int
		base   string
		fate   Fate
		code   string
	}{
		{http.StatusProxyAuthRequired, "https://einvoice.invalid", Stopped, codeProxyAuth},
		{http.StatusProxyAuthRequired, "http://einvoice.invalid", Stopped, codeProxyAuth},
		{http.StatusForbidden, "https://einvoice.invalid", Stopped, codeProxyBlocked},
		{http.StatusForbidden, "http://einvoice.invalid", Stopped, codeProxyBlocked},
		{http.StatusBadGateway, "https://einvoice.invalid", Later, codeUnreachable},
		{http.StatusBadGateway, "http://einvoice.invalid", Unsure, codeUnclear},
	} {
		status = c.status
		cfg := Defaults()
		cfg.BaseURL, cfg.Proxy = c.base, strings.Replace(proxy, "http://", "http://user:hunter2@", 1)
		a := clientOf(t, cfg, Options{}).Submit(t.Context(), usualInvoice())
		if a.Fate != c.fate || a.Problems[0].Code != c.code {
			t.Errorf("%d at %s: %+v", c.status, c.base, a)
		}
		if strings.Contains(a.Note+a.Problems[0].Value, "hunter2") {
			t.Errorf("the proxy's password is shown: %s", a.Note)
		}
	}
	if connects.Load() != 6 {
		t.Errorf("the proxy saw %d requests", connects.Load())
	}
}

func TestACertificateOfTheCompanyIsTrusted(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"data":{"id":"a1"}}`)
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := Defaults()
	cfg.BaseURL, cfg.CAFile = server.URL, file
	if a := clientOf(t, cfg, Options{}).Submit(t.Context(), usualInvoice()); a.Fate != Sent {
		t.Errorf("answer %+v", a)
	}
	cfg.CAFile = file + ".missing"
	if _, err := New(cfg, Options{}); err == nil {
		t.Error("a missing ca_file must be an error")
	}
}

func TestConnectionsAreKeptAndBounded(t *testing.T) {
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"data":{"id":"a1"}}`)
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	cfg := Defaults()
	cfg.BaseURL, cfg.MaxConnections = server.URL, 2
	c := clientOf(t, cfg, Options{})
	answers := make(chan Answer)
	for range 20 {
		go func() { answers <- c.Submit(t.Context(), usualInvoice()) }()
	}
	for range 20 {
		if a := <-answers; a.Fate != Sent {
			t.Errorf("answer %+v", a)
		}
	}
	if n := connections.Load(); n > 2 {
		t.Errorf("%d connections", n)
	}
}
