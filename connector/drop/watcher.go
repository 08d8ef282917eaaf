package drop

import (
	"context"
	"path"
	"slices"
	"strings"
	"time"

	"einvoice/connector/problem"
)

// Times of a watcher that no setting changes.
const (
	paceWithEvents = 60 * time.Second
	paceWithout    = 10 * time.Second
	burst          = time.Second      // least time between two scans that events wake
	growsTooLong   = 10 * time.Minute // a file that never settles is reported after it
	orphanAfter    = 5 * time.Minute  // a trigger without its export is reported after it
	lockStale      = time.Hour        // a program's x.lock that never changed is forgotten after it
	askAgain       = 10 * time.Second // first pause before a file that is not whole is looked into again
	askAtMost      = 10 * time.Minute
)

// WatcherOptions are what a Watcher needs from outside.
type WatcherOptions struct {
	// Now is the clock; nil is time.Now. Its monotonic part is what counts.
	Now func() time.Time
	// Whole looks for the structural end of a file whose size is stable; nil
	// takes every file for whole. why says what is missing, for people.
	Whole func(ctx context.Context, p Place, e Entry) (ok bool, why string, err error)
	// Beside tells the names of files that belong to an export and are none
	// themselves, such as the PDF of an invoice; nil for none. They are offered
	// like exports, whatever include says, and need no trigger.
	Beside func(name string) bool
	// Hint wakes Wait when something happened in the place (Notify); nil for none.
	Hint <-chan struct{}
}

// Pending is a file that is not ready, and why.
type Pending struct {
	Entry
	Why problem.Problem
	// New is true once for each reason of each file, when it has stood for the
	// settle time: the moment to log it.
	New bool
	// Soon says that nothing is wrong: the file has only to stay unchanged for
	// the settle time. What runs once waits for these and for no others.
	Soon bool
}

// Watcher finds the files of a place that are whole. It never takes them. One
// goroutine uses it.
type Watcher struct {
	place    Place
	cfg      Config
	opt      WatcherOptions
	include  []string // lower case
	triggers triggers // none unless they decide

	seen    map[string]*sighting
	scanned time.Time // when the last scan looked
	due     time.Time // when a pending file may become ready; zero for none
	hinted  bool      // an event came since the last scan
	deaf    bool      // a file appeared and no event told
}

// sighting is what we know of one name.
type sighting struct {
	entry     Entry
	first     time.Time // when we first saw the name
	since     time.Time // when we first saw this size and time
	restless  time.Time // when it began to change, after having been settled or absent
	left      bool      // taken, and kept in place as it is
	code      string    // of the reason why it is pending
	codeSince time.Time
	told      bool          // that reason was New
	asked     time.Time     // when the file was last looked into
	pause     time.Duration // before it is looked into again
	answer    finding       // what was found then
	failed    bool          // it was offered and could not be read
}

// NewWatcher watches p as cfg says.
func NewWatcher(p Place, cfg Config, opt WatcherOptions) *Watcher {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	w := &Watcher{place: p, cfg: cfg, opt: opt, seen: map[string]*sighting{}}
	for _, pattern := range cfg.Include {
		w.include = append(w.include, strings.ToLower(pattern))
	}
	if cfg.Complete == Trigger {
		w.triggers = parseTriggers(cfg.Trigger)
	}
	return w
}

// Scan looks once at the whole place. ready are the files that are whole, in
// the natural order of their names; each is offered again by the next scan
// unless it was retired, removed, Taken or Left meanwhile. The error is that of List.
func (w *Watcher) Scan(ctx context.Context) (ready []Entry, pending []Pending, err error) {
	entries, err := w.place.List(ctx)
	if err != nil {
		w.Skip()
		return nil, nil, err
	}
	now := w.opt.Now()
	w.observe(entries, now)
	w.due = time.Time{}
	slices.SortFunc(entries, func(a, b Entry) int { return compareNatural(a.Name, b.Name) })
	listing := newListing(entries)
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		s := w.seen[e.Name]
		switch found := w.judge(ctx, s, listing, now); found.verdict {
		case isWhole:
			if !s.failed { // else it may be told again what was told before
				s.code = ""
			}
			ready = append(ready, w.withOwner(e))
		case isPending, isSettling:
			pending = append(pending, w.report(s, found, now))
		}
	}
	return ready, pending, ctx.Err()
}

// Skip counts as a scan that saw nothing: a place that cannot be read now is
// looked at again after the usual pace, not at once and for ever.
func (w *Watcher) Skip() {
	w.scanned, w.due, w.hinted = w.opt.Now(), time.Time{}, false
}

// observe updates what we know of each name and forgets those that are gone.
func (w *Watcher) observe(entries []Entry, now time.Time) {
	present := make(map[string]bool, len(entries))
	for _, e := range entries {
		present[e.Name] = true
		s, known := w.seen[e.Name]
		if !known {
			if w.opt.Hint != nil && !w.hinted && !w.scanned.IsZero() && !Junk(e.Name) {
				w.deaf = true
			}
			s = &sighting{entry: e, first: now, since: now, restless: now}
			w.seen[e.Name] = s
		}
		if !s.entry.same(e) {
			if s.left || w.settled(s, w.scanned) {
				s.restless = now
			}
			s.entry, s.since, s.left, s.answer, s.failed = e, now, false, finding{}, false
		}
	}
	for name := range w.seen {
		if !present[name] {
			delete(w.seen, name)
		}
	}
	w.scanned, w.hinted = now, false
}

// settled tells whether two observations of ours, at least the settle time
// apart, saw the same size and time. The file's time is never compared with now.
func (w *Watcher) settled(s *sighting, now time.Time) bool {
	return now.After(s.since) && now.Sub(s.since) >= w.cfg.Settle.Std()
}

// report makes a Pending and notes what was told.
func (w *Watcher) report(s *sighting, f finding, now time.Time) Pending {
	p := Pending{Entry: s.entry, Why: f.why, Soon: f.verdict == isSettling}
	p.Why.Position.File = s.entry.Name
	if s.code != f.why.Code {
		s.code, s.codeSince, s.told = f.why.Code, now, false
	}
	switch {
	case p.Soon:
		w.dueAt(s.since.Add(w.cfg.Settle.Std()))
	case !s.told && f.stands(s, now, w.cfg.Settle.Std()):
		p.New, s.told = true, true
	case !s.told:
		w.dueAt(s.since.Add(w.cfg.Settle.Std()))
	}
	return p
}

// dueAt wants a scan at t, unless t is past: it would ask for scans without end.
func (w *Watcher) dueAt(t time.Time) {
	if !t.After(w.scanned) {
		return
	}
	if w.due.IsZero() || t.Before(w.due) {
		w.due = t
	}
}

// included tells whether a name matches the patterns, letter case ignored:
// old ERPs write EXPORT.CSV.
func (w *Watcher) included(name string) bool {
	for _, pattern := range w.include {
		if ok, err := path.Match(pattern, strings.ToLower(name)); err == nil && ok {
			return true
		}
	}
	_, ours := CopyOf(name) // a corrected copy, which may be a workbook where the ERP writes CSV
	return ours || len(w.include) == 0
}

func (w *Watcher) withOwner(e Entry) Entry {
	if o, ok := w.place.(interface{ OwnerOf(name string) string }); ok {
		e.Owner = o.OwnerOf(e.Name)
	}
	return e
}

// Leave remembers a file that was taken and stays in place, so that it is not
// offered again until it changes.
func (w *Watcher) Leave(e Entry) {
	if s := w.seen[e.Name]; s != nil && s.entry.same(e) {
		s.left = true
	}
}

// Unreadable says that a file which was offered could not be opened, as where
// rights are wrong and the place itself cannot tell. It is pending then, and is
// offered again ever less often.
func (w *Watcher) Unreadable(e Entry, err error) {
	if s := w.seen[e.Name]; s != nil && s.entry.same(e) {
		s.answer, s.asked, s.failed = unreadable(err), w.opt.Now(), true
		s.pause = min(max(askAgain, s.asked.Sub(s.since)), askAtMost)
	}
}

// Failing tells whether an export that is offered was so before, as it is, and
// could not be opened then.
func (w *Watcher) Failing(e Entry) bool {
	s := w.seen[e.Name]
	return s != nil && s.failed
}

// Taken is Leave, and removes the trigger files that announced e and no other
// file still to be taken. Call it once e is recorded, before it is retired: a
// crash in between leaves an export that is known, not an orphan trigger.
func (w *Watcher) Taken(ctx context.Context, e Entry) error {
	w.Leave(e)
	for _, name := range w.triggersOf(e.Name) {
		if w.announcesOthers(name, e.Name) {
			continue
		}
		if err := w.place.Remove(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// Forget drops what is known of a name. Call it once the file was retired or
// removed: the next file of that name is a new one, even with the same size and
// time, which a copy that preserves times gives it.
func (w *Watcher) Forget(name string) { delete(w.seen, name) }

// triggersOf lists the triggers of a file that the last scan saw.
func (w *Watcher) triggersOf(data string) []string {
	var found []string
	wanted := w.triggers.of(data)
	if len(wanted) == 0 {
		return nil
	}
	for name := range w.seen {
		if slices.Contains(wanted, strings.ToLower(name)) {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
}

// announcesOthers tells whether x.done of x.csv also stands for x.xml.
func (w *Watcher) announcesOthers(trigger, data string) bool {
	for name, s := range w.seen {
		if name != data && !s.left && w.isData(name) &&
			slices.Contains(w.triggers.of(name), strings.ToLower(trigger)) {
			return true
		}
	}
	return false
}

// isBeside tells a companion of an export.
func (w *Watcher) isBeside(name string) bool { return w.opt.Beside != nil && w.opt.Beside(name) }

// Again wants a scan at t, although no file may be ready then.
func (w *Watcher) Again(t time.Time) { w.dueAt(t) }

func (w *Watcher) isData(name string) bool {
	return !w.isBeside(name) && !w.triggers.match(name) && !Junk(name) && usable(name) && w.included(name)
}
