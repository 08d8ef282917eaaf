package sftpplace

import "time"

// Rest makes the place's connections look as if they had not been used for d.
func (p *Place) Rest(d time.Duration) {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	for _, s := range p.server.sessions {
		s.used.Store(time.Now().Add(-d).UnixNano())
	}
}
