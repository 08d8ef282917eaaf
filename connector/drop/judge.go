package drop

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"time"

	"einvoice/connector/problem"
)

// Codes of the reasons why a file waits (texts: connector/problem/file.go).
const (
	codeEmpty       = "E1001"
	codeUnreadable  = "E1002"
	codeGrowing     = "E1003"
	codeLocked      = "E1004"
	codePerson      = "E1005"
	codeNoEnd       = "E1006"
	codeNoTrigger   = "E1007"
	codeOrphan      = "E1008"
	codeOtherOwner  = "E1009"
	codeName        = "E1010"
	codeNotIncluded = "E1011"
	codeSettling    = "E1012"
	codeLockFile    = "E1013"
)

// lockedFor is how long another program may hold a file before we mention it:
// an antivirus holds every new file for a moment.
const lockedFor = 30 * time.Second

type verdict int

const (
	isNothing  verdict = iota // junk, a trigger, a file left in place
	isWhole                   // ready
	isSettling                // pending, and only for the settle time
	isPending
)

type finding struct {
	verdict verdict
	why     problem.Problem
}

// stands tells whether a reason has lasted long enough to be told.
func (f finding) stands(s *sighting, now time.Time, settle time.Duration) bool {
	switch f.why.Code {
	case codeGrowing:
		return true
	case codeLocked:
		return now.Sub(s.codeSince) >= lockedFor
	}
	return now.Sub(s.since) >= settle
}

// waits is a finding that needs only time or another program.
func waits(code string) finding {
	return finding{isPending, problem.Problem{Code: code, Severity: problem.Warn}}
}

// needsPerson is a finding that lasts until somebody acts.
func needsPerson(code string) finding {
	return finding{isPending, problem.Problem{Code: code, Severity: problem.Hold}}
}

// judge decides about one file, cheapest questions first.
func (w *Watcher) judge(ctx context.Context, s *sighting, l listing, now time.Time) finding {
	name := s.entry.Name
	switch {
	case w.triggers.match(name):
		return w.judgeTrigger(s, l, now)
	case Junk(name) || s.left:
		return finding{}
	case !usable(name):
		return needsPerson(codeName)
	case !w.included(name) && !w.isBeside(name):
		return needsPerson(codeNotIncluded)
	case s.entry.Size == 0 && !w.settled(s, now):
		return settling()
	case s.entry.Size == 0:
		return needsPerson(codeEmpty)
	}
	if f := w.judgeGuards(name, l, now); f.verdict != isNothing {
		return f
	}
	if f := w.judgeWhole(s, l, now); f.verdict != isWhole {
		return f
	}
	return w.look(ctx, s, now)
}

func settling() finding {
	f := waits(codeSettling)
	f.verdict = isSettling
	return f
}

// judgeTrigger reports a trigger that stays without the file it announces.
func (w *Watcher) judgeTrigger(s *sighting, l listing, now time.Time) finding {
	for _, e := range l.entries {
		if !w.isData(e.Name) {
			continue
		}
		for _, t := range w.triggers.of(e.Name) {
			if t == strings.ToLower(s.entry.Name) {
				return finding{}
			}
		}
	}
	if now.Sub(s.first) < orphanAfter {
		return finding{}
	}
	return needsPerson(codeOrphan)
}

// judgeGuards looks for the owner files of Excel and LibreOffice, which say that
// a person has the file open, and for a program's lock file.
func (w *Watcher) judgeGuards(name string, l listing, now time.Time) finding {
	person, program := guards(name)
	for _, g := range person {
		if _, there := l.actual[g]; there {
			return needsPerson(codePerson)
		}
	}
	for _, g := range program {
		if actual, there := l.actual[g]; there && now.Sub(w.seen[actual].since) < lockStale {
			f := waits(codeLockFile)
			f.why.Value = actual
			return f
		}
	}
	return finding{}
}

// judgeWhole asks what the drop's configuration says about wholeness.
func (w *Watcher) judgeWhole(s *sighting, l listing, now time.Time) finding {
	switch w.cfg.Complete {
	case OnAppearance:
		return finding{verdict: isWhole}
	case Trigger:
		if w.isBeside(s.entry.Name) {
			break
		}
		for _, t := range w.triggers.of(s.entry.Name) {
			if _, there := l.actual[t]; there {
				return finding{verdict: isWhole}
			}
		}
		f := waits(codeNoTrigger)
		f.why.Expected = strings.Join(w.triggers.of(s.entry.Name), ", ")
		return f
	}
	switch {
	case w.settled(s, now):
		return finding{verdict: isWhole}
	case now.Sub(s.restless) >= growsTooLong:
		w.dueAt(s.since.Add(w.cfg.Settle.Std()))
		return waits(codeGrowing)
	}
	return settling()
}

// look opens the file: may we read it, does somebody else hold it, has its
// format an end? A negative answer is kept for a while.
func (w *Watcher) look(ctx context.Context, s *sighting, now time.Time) finding {
	if s.answer.verdict != isPending || now.Sub(s.asked) >= s.pause {
		s.answer = w.ask(ctx, s.entry)
		s.asked, s.pause = now, askAgain
		if s.answer.why.Code == codeNoEnd { // looking for the end may read all of it: ever less often
			s.pause = min(max(askAgain, now.Sub(s.since)), askAtMost)
		}
	}
	if s.answer.verdict == isPending {
		w.dueAt(s.asked.Add(s.pause))
	}
	return s.answer
}

func (w *Watcher) ask(ctx context.Context, e Entry) finding {
	if p, ok := w.place.(interface {
		Probe(ctx context.Context, name string) error
	}); ok {
		if err := p.Probe(ctx, e.Name); err != nil {
			return unreadable(err)
		}
	}
	if w.opt.Whole == nil {
		return finding{verdict: isWhole}
	}
	ok, why, err := w.opt.Whole(ctx, w.place, e)
	if err != nil {
		return unreadable(err)
	}
	if !ok {
		f := waits(codeNoEnd)
		f.why.Args = map[string]string{"why": why}
		return f
	}
	return finding{verdict: isWhole}
}

func unreadable(err error) finding {
	switch {
	case errors.Is(err, ErrBusy):
		return waits(codeLocked)
	case errors.Is(err, fs.ErrNotExist):
		return finding{} // taken away since it was listed
	}
	f := needsPerson(codeUnreadable)
	f.why.Args = map[string]string{"why": err.Error()}
	return f
}

// listing is one scan's view of the place.
type listing struct {
	entries []Entry
	actual  map[string]string // names by their lower case
}

func newListing(entries []Entry) listing {
	l := listing{entries: entries, actual: make(map[string]string, len(entries))}
	for _, e := range entries {
		l.actual[strings.ToLower(e.Name)] = e.Name
	}
	return l
}
