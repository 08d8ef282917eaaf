package api

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"sync/atomic"
	"time"
)

// idleTimeout is below what servers and firewalls allow, so that a POST rarely
// meets a connection that the other side has just closed.
const idleTimeout = 25 * time.Second

// proxyRefusal is a proxy's answer to CONNECT other than 200.
type proxyRefusal struct{ status int }

func (e *proxyRefusal) Error() string {
	return fmt.Sprintf("proxy answered %d %s", e.status, http.StatusText(e.status))
}

func newTransport(cfg Config) (*http.Transport, error) {
	roots, err := rootCAs(cfg.CAFile)
	if err != nil {
		return nil, err
	}
	proxy, err := proxyOf(cfg)
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: 20 * time.Second, KeepAlive: 30 * time.Second}
	// HTTP/1.1 only: HTTP/2 replays refused streams by itself and hides which
	// bytes were written.
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy: proxy,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &meteredConn{Conn: conn}, nil
		},
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, res *http.Response) error {
			if res.StatusCode != http.StatusOK {
				return &proxyRefusal{status: res.StatusCode}
			}
			return nil
		},
		TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: 20 * time.Second,
		Protocols:           protocols,
		MaxConnsPerHost:     cfg.MaxConnections,
		MaxIdleConnsPerHost: cfg.MaxConnections,
		IdleConnTimeout:     idleTimeout,
	}, nil
}

// rootCAs is nil, the system's, without a file of our own.
func rootCAs(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read ca_file: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read ca_file: %s holds no PEM certificate", file)
	}
	return pool, nil
}

// meteredConn counts the bytes that the operating system took.
type meteredConn struct {
	net.Conn
	written atomic.Int64
}

func (c *meteredConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.written.Add(int64(n))
	return n, err
}

// tlsGoodbye bounds what TLS writes by itself after the handshake, such as the
// alert of a closing connection. The record that holds our request's head is
// larger, and a part of a record is nothing to its reader.
const tlsGoodbye = 100

// flight tells whether any byte of a request may have left.
type flight struct {
	got   bool // a connection was had; without one nothing can have left
	conn  *meteredConn
	start int64
	slack int64
}

// trace returns a context under which f sees the request's connection.
func (f *flight) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: f.take})
}

func (f *flight) take(info httptrace.GotConnInfo) {
	*f = flight{got: true}
	conn := info.Conn
	for {
		t, ok := conn.(*tls.Conn)
		if !ok {
			break
		}
		conn, f.slack = t.NetConn(), tlsGoodbye
	}
	if m, ok := conn.(*meteredConn); ok {
		f.conn, f.start = m, m.written.Load()
	}
}

// left is asked after the transport gave up; its writer has ended by then. In
// doubt (a transport that is not ours) it says yes.
func (f *flight) left() bool {
	if !f.got {
		return false
	}
	return f.conn == nil || f.conn.written.Load()-f.start > f.slack
}
