package api

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
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

// failing is a way in which a request gets no whole answer.
type failing struct {
	name    string
	base    func(t *testing.T) string
	timeout time.Duration
	ctx     func(context.Context) context.Context
	fate    Fate
	code    string
}

// answering is a server that reads a request and then does what it likes. A
// second request is a mistake.
func answering(then func(net.Conn)) func(*testing.T) string {
	return func(t *testing.T) string {
		var requests atomic.Int32
		t.Cleanup(func() {
			if n := requests.Load(); n != 1 {
				t.Errorf("the server got %d requests", n)
			}
		})
		return listen(t, func(c net.Conn) {
			if readRequest(c) == nil {
				requests.Add(1)
				then(c)
			}
		})
	}
}

func says(text string) func(*testing.T) string {
	return answering(func(c net.Conn) { io.WriteString(c, text) })
}

func ended(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx
}

func nobody(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

func secured(base func(*testing.T) string) func(*testing.T) string {
	return func(t *testing.T) string { return "https" + strings.TrimPrefix(base(t), "http") }
}

func strangersCertificate(t *testing.T) string {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

// silent accepts connections and says nothing until the other side gives up.
func silent(t *testing.T) string {
	return listen(t, func(c net.Conn) { io.Copy(io.Discard, c) })
}

// failures has a row for each way in which a request gets no whole answer:
// before its first byte left, it surely was not processed; after, nobody knows.
var failures = []failing{
	{name: "connection refused", base: nobody, fate: Later, code: codeUnreachable},
	{name: "unknown host", base: func(*testing.T) string { return "http://no-such-host.invalid" }, fate: Later, code: codeUnreachable},
	{name: "certificate of nobody", base: strangersCertificate, fate: Later, code: codeCertificate},
	{name: "no TLS on the other side", base: secured(func(t *testing.T) string {
		return listen(t, func(c net.Conn) { c.Write([]byte("220 not TLS\r\n")) })
	}), fate: Later, code: codeUnreachable},
	{name: "reset in the handshake", base: secured(func(t *testing.T) string { return listen(t, reset) }), fate: Later, code: codeUnreachable},
	{name: "silence in the handshake", base: secured(silent), timeout: 50 * time.Millisecond, fate: Later, code: codeUnreachable},
	{name: "stopped before", base: nobody, ctx: ended, fate: Later, code: codeUnreachable},
	{name: "reset after reading", base: answering(reset), fate: Unsure, code: codeNoAnswer},
	{name: "closed after reading", base: answering(func(net.Conn) {}), fate: Unsure, code: codeNoAnswer},
	{name: "silence after reading", base: silent, timeout: 50 * time.Millisecond, fate: Unsure, code: codeNoAnswer},
	{name: "not HTTP", base: says("220 ftp ready\r\n\r\n"), fate: Unsure, code: codeNoAnswer},
	{name: "head cut", base: says("HTTP/1.1 200 OK\r\nContent-Le"), fate: Unsure, code: codeNoAnswer},
	{name: "body cut", base: says("HTTP/1.1 422 No\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n{\"message\":"), fate: Unsure, code: codeBrokenAnswer},
	{name: "good body cut", base: says("HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n{\"data\":{\"id\":\"a1\"}}"), fate: Unsure, code: codeBrokenAnswer},
	{name: "a status that says it all, body cut", base: says("HTTP/1.1 413 No\r\nContent-Length: 400\r\n\r\n<html>"), fate: Unsure, code: codeBrokenAnswer},
	{name: "body that does not end", timeout: 100 * time.Millisecond, base: answering(func(c net.Conn) {
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n{")
		io.Copy(io.Discard, c)
	}), fate: Unsure, code: codeBrokenAnswer},
	{name: "a chunk that is none", base: says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot a length\r\n"), fate: Unsure, code: codeBrokenAnswer},
	{name: "compressed, but not really", base: says("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd"), fate: Unsure, code: codeBrokenAnswer},
}

func TestEveryFailureOfTheTransportHasItsFate(t *testing.T) {
	for _, f := range failures {
		t.Run(f.name, func(t *testing.T) {
			cfg := Defaults()
			cfg.BaseURL, cfg.Timeout = f.base(t), setting.Duration(cmp.Or(f.timeout, 5*time.Second))
			ctx := t.Context()
			if f.ctx != nil {
				ctx = f.ctx(ctx)
			}
			a := clientOf(t, cfg, Options{}).Submit(ctx, usualInvoice())
			scope := ScopeCredential
			if f.fate == Unsure {
				scope = ScopeInvoice
			}
			if a.Fate != f.fate || a.Scope != scope || len(a.Problems) != 1 || a.Problems[0].Code != f.code || a.RetryAfter != 0 || a.Doubt {
				t.Errorf("answer %+v, want %s of %s, %s", a, f.fate, scope, f.code)
			}
		})
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
