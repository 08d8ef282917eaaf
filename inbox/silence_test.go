package inbox

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"einvoice/connector"
	"einvoice/connector/ledger"
)

// TestCallbacksThatGoSilentAreMissed: changes come, calls do not.
func TestCallbacksThatGoSilentAreMissed(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Poll.Budget = 1 << 20 })
	change := func(code int) {
		for i := range silentAfter {
			number := fmt.Sprint("F-", i)
			w.platform.put(issued(fmt.Sprint("out", i), number, connector.Status{State: connector.StateSent, Code: code}))
		}
		w.pass(w.cfg.Poll.List.Std() + time.Minute)
		w.rounds(1)
	}
	for i := range silentAfter {
		w.outgoing(fmt.Sprint("F-", i), ledger.Sent, fmt.Sprint("out", i))
	}
	silent := func() bool {
		text, err := w.ledger.Get(w.ctx, SilentFact)
		w.must(err)
		return text != ""
	}
	w.ring(EventCustomer, about("out0"))
	w.rounds(1)
	if w.young() != w.cfg.Poll.List.Std() {
		t.Errorf("while calls come young invoices are looked at every %s", w.young())
	}
	change(202)
	if silent() {
		t.Error("silent although a call came just before")
	}
	w.pass(silentFor)
	change(203)
	if !silent() || !slices.Contains(w.journal, "callbacks_silent") {
		t.Fatalf("nobody missed the calls: %v", w.journal)
	}
	if w.young() != w.cfg.Poll.Young.Std() {
		t.Errorf("polling did not take over: every %s", w.young())
	}
	w.restart()
	w.rounds(1)
	if !silent() {
		t.Error("a restart forgot the silence")
	}
	w.ring(EventCustomer, about("out0"))
	w.rounds(1)
	if silent() || !slices.Contains(w.journal, "callbacks_back") {
		t.Errorf("a call did not end the silence: %v", w.journal)
	}
}

func TestWithoutCallbacksNobodyMissesThem(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Callback.Enabled = false })
	for i := range 2 * silentAfter {
		w.pass(time.Hour)
		w.must(w.unannounced(w.ctx))
		if !w.silent.IsZero() {
			t.Fatalf("missed after %d changes", i)
		}
	}
}

// TestARenewedCertificateIsTakenUp: a listener with its own certificate serves
// the new one without a restart, and the old one while the files do not match.
func TestARenewedCertificateIsTakenUp(t *testing.T) {
	dir := t.TempDir()
	c := CallbackConfig{CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem")}
	if _, err := c.TLS(); err == nil {
		t.Error("files that are not there were accepted")
	}
	writePair(t, c, 1)
	cfg, err := c.TLS()
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.(*tls.Conn).Handshake()
			conn.Close()
		}
	}()
	if n := served(t, l.Addr()); n != 1 {
		t.Fatalf("serves certificate %d", n)
	}
	writePair(t, c, 2)
	later(t, c.CertFile, c.KeyFile)
	if n := served(t, l.Addr()); n != 2 {
		t.Errorf("after the renewal it serves certificate %d", n)
	}
	if err := os.WriteFile(c.CertFile, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	later(t, c.CertFile)
	if n := served(t, l.Addr()); n != 2 {
		t.Errorf("with half a file it serves certificate %d", n)
	}
}

// later gives files a time that differs from what was seen.
func later(t *testing.T, files ...string) {
	for i, f := range files {
		at := time.Now().Add(time.Duration(i+1) * time.Hour)
		if err := os.Chtimes(f, at, at); err != nil {
			t.Fatal(err)
		}
	}
}

func served(t *testing.T, addr net.Addr) int64 {
	t.Helper()
	conn, err := tls.Dial("tcp", addr.String(), &tls.Config{InsecureSkipVerify: true}) // a test's own listener
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func writePair(t *testing.T, c CallbackConfig, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{c.CertFile: {Type: "CERTIFICATE", Bytes: cert}, c.KeyFile: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
