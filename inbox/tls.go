package inbox

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"
)

// TLS is the listener's own certificate, nil when a proxy before it has one. A
// file that changes is read again: certificates are renewed every few weeks, and
// nobody restarts a daemon for that.
func (c CallbackConfig) TLS() (*tls.Config, error) {
	if c.CertFile == "" {
		return nil, nil
	}
	p := &pair{cert: c.CertFile, key: c.KeyFile}
	if _, err := p.get(nil); err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: p.get}, nil
}

// pair is a certificate and its key as they stand on disk.
type pair struct {
	cert, key string

	mu   sync.Mutex
	read time.Time // of the newer file
	have *tls.Certificate
}

// get gives the newest pair that can be used: one that is being replaced, and
// does not fit together for a moment, leaves the former in use.
func (p *pair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	changed, err := newest(p.cert, p.key)
	if err == nil && p.have != nil && !changed.After(p.read) {
		return p.have, nil
	}
	var fresh tls.Certificate
	if err == nil {
		fresh, err = tls.LoadX509KeyPair(p.cert, p.key)
	}
	if err != nil {
		if p.have != nil {
			return p.have, nil
		}
		return nil, fmt.Errorf("read certificate of the callback listener: %w", err)
	}
	p.have, p.read = &fresh, changed
	return p.have, nil
}

func newest(files ...string) (at time.Time, err error) {
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			return at, err
		}
		if info.ModTime().After(at) {
			at = info.ModTime()
		}
	}
	return at, nil
}
