package outbox

import (
	"sync"
	"time"

	"einvoice/connector"
	"einvoice/connector/api"
)

// lanes knows which companies may send now. A lane is the sending path of one
// company under one credential; the credential's own stop closes them all.
type lanes struct {
	mu    sync.Mutex
	probe time.Duration
	all   stop // of the credential
	each  map[string]*stop
	order []string // companies, in turn
}

// stop is a closed path: it opens for one probe at a time, and for good when a
// probe gets through.
type stop struct {
	closed bool
	until  time.Time // next probe
	tries  int       // failures in a row that are nobody's fault but the network's
}

func newLanes(companies []connector.Company, probe time.Duration) *lanes {
	l := &lanes{probe: probe, each: map[string]*stop{}}
	for _, c := range companies {
		l.each[c.ID] = &stop{}
		l.order = append(l.order, c.ID)
	}
	return l
}

// open tells how many invoices of a company may start now: all that fit, one
// probe, or none before the time given.
func (l *lanes) open(company string, room int, now time.Time) (n int, again time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n = room
	for _, s := range []*stop{&l.all, l.each[company]} {
		if !s.closed {
			continue
		}
		if now.Before(s.until) {
			return 0, s.until
		}
		n = min(n, 1)
	}
	return n, time.Time{}
}

// hurry lets the next probe go at once.
func (l *lanes) hurry() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all.until = time.Time{}
	for _, s := range l.each {
		s.until = time.Time{}
	}
}

// probing closes the way behind the probe that has just left.
func (l *lanes) probing(company string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range []*stop{&l.all, l.each[company]} {
		if s.closed {
			s.until = now.Add(l.probe)
		}
	}
}

// stopped closes what an answer stops. It returns true when that is news.
func (l *lanes) stopped(company string, a api.Answer, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.each[company]
	if a.Scope == api.ScopeCredential {
		s = &l.all
	}
	news := !s.closed
	s.closed, s.until = true, now.Add(l.probe)
	return news
}

// breakAfter is the number of failures in a row after which a lane waits as a
// whole, so that an API that is down is not asked by every invoice in turn.
const breakAfter = 5

// failed counts a failure that another try may cure; wait is that try's.
func (l *lanes) failed(company string, now time.Time, wait time.Duration) (news bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all.tries++
	if l.all.tries < breakAfter {
		return false
	}
	news = !l.all.closed
	l.all.closed, l.all.until = true, now.Add(wait)
	return news
}

// worked opens what was closed. It returns true when that is news.
func (l *lanes) worked(company string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.each[company]
	news := s.closed || l.all.closed
	*s, l.all = stop{}, stop{}
	return news
}
