// Package sftpplace is a drop.Place in a directory of an SFTP server.
//
// Every call is bounded in time: a server that hangs costs its own places one
// timeout and nobody else anything.
package sftpplace

import (
	"fmt"
	"path"
	"strings"
	"sync"
)

// Hosts opens places by their addresses; those of one account share a few
// connections. Nothing is connected before a place is used.
type Hosts struct {
	sections []Config

	mu      sync.Mutex
	servers map[string]*server
}

// NewHosts reaches servers as the [[sftp]] sections say.
func NewHosts(sections []Config) *Hosts {
	return &Hosts{sections: sections, servers: map[string]*server{}}
}

// Place is the directory at address. Files are retired to archive, an address
// on the same account or, without a scheme, a path below the directory itself;
// when that is "", Retire is an error.
func (h *Hosts) Place(address, archive string) (*Place, error) {
	a, err := Parse(address)
	if err != nil {
		return nil, fmt.Errorf("open place: address %w", err)
	}
	srv, err := h.server(a)
	if err != nil {
		return nil, fmt.Errorf("open place %s: %w", a, err)
	}
	p := &Place{server: srv, addr: a, made: map[string]bool{}}
	if archive == "" {
		return p, nil
	}
	if p.archive, err = h.archive(a, srv, archive); err != nil {
		return nil, fmt.Errorf("open place %s: %w", a, err)
	}
	return p, nil
}

func (h *Hosts) archive(a Address, srv *server, archive string) (string, error) {
	if !Is(archive) {
		return path.Join(a.Path, path.Base(strings.ReplaceAll(archive, `\`, "/"))), nil
	}
	b, err := Parse(archive)
	if err != nil {
		return "", fmt.Errorf("archive %w", err)
	}
	if other, err := h.server(b); err != nil || other != srv {
		return "", fmt.Errorf("archive %s is not on the same account: a file is moved there by a rename", b)
	}
	if b.Path == a.Path {
		return "", fmt.Errorf("archive is the directory itself")
	}
	return b.Path, nil
}

// server gives the account of an address.
func (h *Hosts) server(a Address) (*server, error) {
	cfg, ok := Find(h.sections, a)
	if !ok {
		return nil, fmt.Errorf("no [[sftp]] section has host = %q", a.Host)
	}
	if a.User == "" {
		a.User = cfg.User
	}
	if a.User == "" {
		return nil, fmt.Errorf("no user, neither in the address nor in the [[sftp]] section of %s", a.Host)
	}
	key := a.User + "@" + a.Endpoint()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.servers[key] == nil {
		h.servers[key] = newServer(cfg, a)
	}
	return h.servers[key], nil
}

// Close ends all connections. Places fail from then on.
func (h *Hosts) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	var wg sync.WaitGroup
	for _, s := range h.servers {
		wg.Go(s.close)
	}
	wg.Wait()
}
