package outbox

import (
	"slices"
	"sync"
	"time"

	"einvoice/connector"
	"einvoice/connector/api"
)

// lanes knows which companies may send now. A lane is the sending path of one
// company under one credential; the credential's own stop closes them all.
type lanes struct {
	mu     sync.Mutex
	probe  time.Duration
	pause  func(failures int) time.Duration // of a lane that waits as a whole
	of     map[string]*stop                 // the credential's own, by company: shared
	each   map[string]*stop
	order  []string // companies, in turn
	last   string   // of them that was given something to send
	opened int      // how often a path was opened, or a probe let go before its time
}

// stop is a closed path: it opens for one probe at a time, and for good when a
// probe gets through.
type stop struct {
	closed bool
	why    string    // what the platform said, for status; none for the network
	until  time.Time // next probe
	tries  int       // failures in a row that are nobody's fault but the network's
}

func newLanes(companies []connector.Company, c Config, credential func(company string) string) *lanes {
	l := &lanes{probe: c.Probe.Std(), pause: func(failures int) time.Duration { return c.backoff(failures, jitter()) }, of: map[string]*stop{}, each: map[string]*stop{}}
	shared := map[string]*stop{}
	for _, c := range companies {
		name := credential(c.ID)
		if shared[name] == nil {
			shared[name] = &stop{}
		}
		l.of[c.ID], l.each[c.ID] = shared[name], &stop{}
		l.order = append(l.order, c.ID)
	}
	return l
}

// turn lists the companies, beginning behind the one that was given something last,
// be it one of two places or a credential's probe. Who began one further at each
// look would serve some twice as often as others, or never let them probe, as the
// places that are free and the looks between two probes come in a rhythm.
func (l *lanes) turn() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := slices.Index(l.order, l.last) + 1
	return slices.Concat(l.order[first:], l.order[:first])
}

// gave ends a company's turn.
func (l *lanes) gave(company string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = company
}

// open tells how many invoices of a company may start now: all that fit, one
// probe, or none before the time given.
func (l *lanes) open(company string, room int, now time.Time) (n int, again time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n = room
	for _, s := range []*stop{l.of[company], l.each[company]} {
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

// shut tells whether the stop of the company's credential closes its lane, and
// all others under it.
func (l *lanes) shut(company string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.of[company].closed
}

// hurry lets the next probe go at once.
func (l *lanes) hurry() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opened++
	for company, s := range l.each {
		s.until, l.of[company].until = time.Time{}, time.Time{}
	}
}

// probing closes the way behind the probe that has just left.
func (l *lanes) probing(company string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range []*stop{l.of[company], l.each[company]} {
		if s.closed {
			s.until = now.Add(l.probe)
		}
	}
}

// stopped closes what an answer stops, for wait at least, and keeps why. It returns
// true when that is news.
func (l *lanes) stopped(company string, scope api.Scope, why string, now time.Time, wait time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.each[company]
	if scope == api.ScopeCredential {
		s = l.of[company]
	}
	news := !s.closed || s.why == ""
	s.closed, s.until = true, now.Add(max(wait, l.probe))
	if news {
		s.why = why
	}
	return news
}

// breakAfter is the number of failures in a row after which a lane waits as a
// whole, so that an API that is down is not asked by every invoice in turn.
const breakAfter = 5

// failed counts a failure that another try may cure, or that leaves its invoice
// in doubt. The lane tries again after wait at least, and ever later: each probe
// is another invoice, whose own tries say nothing of how long this lasts.
func (l *lanes) failed(company string, now time.Time, wait time.Duration) (news bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.of[company]
	all.tries++
	if all.tries < breakAfter {
		return false
	}
	news = !all.closed
	all.closed, all.until = true, now.Add(max(wait, l.pause(all.tries-breakAfter+1)))
	return news
}

// worked opens what was closed. It returns true when that is news.
func (l *lanes) worked(company string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, all := l.each[company], l.of[company]
	news := s.closed || all.closed
	if news {
		l.opened++
	}
	*s, *all = stop{}, stop{}
	return news
}

// read opens a company's own path, which a list that could not be read had
// closed; a list proves nothing about what stops the credential. It returns true
// when that is news.
func (l *lanes) read(company string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.each[company]
	news := s.closed
	if news {
		l.opened++
	}
	*s = stop{}
	return news
}

// openings counts how often a path was opened. Who finds all paths closed, and
// after that nothing under way, has seen no end if it grew meanwhile: a probe got
// through.
func (l *lanes) openings() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.opened
}

// why tells what stops a company: its own reason before that of its credential,
// which others tell too. Empty when nothing was said.
func (l *lanes) why(company string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if own := l.each[company].why; own != "" {
		return own
	}
	return l.of[company].why
}

// together tells whether two companies are under one credential.
func (l *lanes) together(a, b string) bool { return l.of[a] == l.of[b] }
