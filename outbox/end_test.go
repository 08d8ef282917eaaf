package outbox

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"einvoice/connector"
	"einvoice/connector/api"
	"einvoice/connector/drop"
	"einvoice/connector/ledger"
)

// between has something happen after the first company was looked at for
// invoices to send, and before anything else is.
func (r *rig) between(happens func()) {
	looks := 0
	r.Now = func() time.Time {
		if looks++; looks == len(r.Companies) {
			happens()
		}
		return r.clock.now()
	}
}

func firmReady(t *testing.T) *rig {
	r := newFirm(t, 1)
	r.Drops[0].read.Store(true)
	for _, c := range r.Companies {
		_, err := r.swept(t.Context(), c.ID)
		r.must(err)
		next, err := r.Ledger.NextToSend(t.Context(), c.ID, 10)
		r.must(err)
		for _, n := range next {
			_, err = r.Ledger.MarkSending(t.Context(), []int64{n.ID})
			r.must(err)
			if c.ID != firstOfOne.ID {
				r.must(r.Ledger.Settle(t.Context(), []ledger.Outcome{{ID: n.ID, State: ledger.Sent, APIID: "x" + c.ID}}))
			}
		}
	}
	r.must(r.settleFiles(t.Context()))
	return r
}

func (r *rig) wantIdle(want bool) {
	r.t.Helper()
	if got, err := r.Idle(r.t.Context()); err != nil || got != want {
		r.t.Errorf("idle: %v, %v, want %v", got, err, want)
	}
}

// TestACreditNoteThatIsLetGoIsNoEnd: its invoice is answered between the look for
// invoices to send and the end.
func TestACreditNoteThatIsLetGoIsNoEnd(t *testing.T) {
	r := firmReady(t)
	f, err := r.Ledger.TakeFile(t.Context(), ledger.NewFile{Drop: "main", Place: "a1", Name: "cn", SHA256: "cn"})
	r.must(err)
	inv := connector.Invoice{Number: "INV", Type: "380", IssueDate: "2026-11-02", Seller: connector.Party{FiscalID: firstOfOne.FiscalID}}
	cn := connector.Invoice{Number: "CN", Type: "381", IssueDate: "2026-11-02", Seller: connector.Party{FiscalID: firstOfOne.FiscalID}, Preceding: []connector.Ref{{Number: "INV"}}}
	r.stage(f, ledger.StagedInvoice{Ordinal: 1, Row: 2, Company: firstOfOne.ID, Invoice: inv, Verdict: ledger.VerdictQueued},
		ledger.StagedInvoice{Ordinal: 2, Row: 3, Company: firstOfOne.ID, Invoice: cn, Verdict: ledger.VerdictQueued})
	_, err = r.Ledger.Release(t.Context(), f.ID, ledger.Mapped{Mapping: "test"})
	r.must(err)
	found, err := r.Ledger.Find(t.Context(), "a1-000")
	r.must(err)
	r.must(r.Ledger.Settle(t.Context(), []ledger.Outcome{{ID: found[0].ID, State: ledger.Sent, APIID: "first"}}))
	r.must(r.settleFiles(t.Context()))
	found, err = r.Ledger.Find(t.Context(), "INV")
	r.must(err)
	_, err = r.Ledger.MarkSending(t.Context(), []int64{found[0].ID})
	r.must(err)
	r.want("CN", ledger.Waiting)
	r.wantIdle(false)
	r.between(func() { // the invoice is answered
		r.must(r.Ledger.Settle(r.t.Context(), []ledger.Outcome{{ID: found[0].ID, State: ledger.Sent, APIID: "id-x"}}))
	})
	r.wantIdle(false)
	r.want("CN", ledger.Queued)
}

func TestADoubtThatIsProvenAbsentIsNoEnd(t *testing.T) {
	r := firmReady(t)
	found, err := r.Ledger.Find(t.Context(), "a1-000")
	r.must(err)
	r.must(r.Ledger.Settle(t.Context(), []ledger.Outcome{{ID: found[0].ID, State: ledger.Uncertain, Retry: r.clock.now()}}))
	r.wantIdle(false)
	r.between(func() {
		r.must(r.concluded(r.t.Context(), []ledger.Outcome{{ID: found[0].ID, State: ledger.Queued, Retry: r.clock.now()}}))
	})
	r.wantIdle(false)
	r.want("a1-000", ledger.Queued)
}

// TestAnAttachmentThatComesIsNoEnd: an attachment is offered between the look at the exports and the end.
func TestAnAttachmentThatComesIsNoEnd(t *testing.T) {
	r := newRig(t, reading(t, withPDF))
	r.sweep()
	r.drop("x.csv", header+row("F1", "10"))
	r.intake()
	r.must(r.scan(t.Context(), r.Drops[0]))
	r.wantIdle(true)
	if r.Waiting() != 1 {
		t.Fatal("not waiting")
	}
	looked := false
	r.Now = func() time.Time { // in nothingToSend
		if !looked {
			looked = true
			r.drop("F1.pdf", pdf+"F1")
			r.must(r.scan(r.t.Context(), r.Drops[0]))
		}
		return r.clock.now()
	}
	r.wantIdle(false)
	if ids, err := r.Ledger.ToMap(t.Context(), 1); err != nil || len(ids) != 1 || r.Waiting() != 0 {
		t.Errorf("%v %v, %d waiting", ids, err, r.Waiting())
	}
}

// TestWhatBeginsToWaitHidesNoOther: one export begins to wait between the count and the list.
func TestWhatBeginsToWaitHidesNoOther(t *testing.T) {
	r := newRig(t, nil)
	for _, n := range []string{"a.csv", "b.csv"} {
		r.drop(n, header+row(n, "10"))
	}
	r.must(r.scan(t.Context(), r.Drops[0]))
	ids, err := r.Ledger.ToMap(t.Context(), 3)
	r.must(err)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			r.stalled.wait(ids[0], r.stalled.changes())
			time.Sleep(50 * time.Microsecond)
			r.stalled.end(ids[0])
			time.Sleep(50 * time.Microsecond)
		}
	})
	wrong := 0
	for range 2000 {
		none, err := r.nothingToMap(t.Context())
		r.must(err)
		if none {
			wrong++
		}
	}
	stop()
	wg.Wait()
	if wrong > 0 {
		t.Errorf("nothing to map %d times, although %d is", wrong, ids[1])
	}
}

// opening is a place where something happens before a file is opened.
type opening struct {
	Place
	before map[string]func()
}

func (p *opening) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	if f := p.before[name]; f != nil {
		delete(p.before, name)
		f()
	}
	return p.Place.Open(ctx, name)
}

func TestAnAttachmentThatComesMeanwhileIsNotMissed(t *testing.T) {
	r := newRig(t, reading(t, withPDF))
	r.sweep()
	r.drop("x.csv", header+row("F1", "10")+row("F2", "10"))
	r.drop("F2.pdf", pdf+"F2")
	p := &opening{Place: r.Drops[0].Place}
	r.Drops[0].Place = p
	r.must(r.scan(t.Context(), r.Drops[0]))
	p.before = map[string]func(){"F2.pdf": func() { // F1's was looked for before
		r.drop("F1.pdf", pdf+"F1")
		r.must(r.scan(r.t.Context(), r.Drops[0]))
	}}
	r.mapWake.wait(t.Context(), 0)
	r.must(r.mapFiles(t.Context()))
	select {
	case <-r.mapWake:
	default:
		t.Error("nobody is woken")
	}
	if idle, err := r.nothingToMap(t.Context()); err != nil || idle {
		t.Error("a run with --once ends here")
	}
	r.must(r.mapFiles(t.Context()))
	r.want("F1", ledger.Queued)
}

// forbidden is a place whose F1.pdf may not be opened.
type forbidden struct{ Place }

func (p forbidden) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	if name == "F1.pdf" {
		return nil, os.ErrPermission
	}
	return p.Place.Open(ctx, name)
}

// TestWatcherIsUsedByOneGoroutine scans and maps at once, as the daemon does; the
// race detector looks.
func TestWatcherIsUsedByOneGoroutine(t *testing.T) {
	r := newRig(t, reading(t, withPDF))
	r.sweep()
	r.drop("x.csv", header+row("F1", "10"))
	r.drop("F1.pdf", pdf+"F1")
	r.Drops[0].Place = forbidden{r.Drops[0].Place}
	r.Drops[0].Watcher = drop.NewWatcher(r.Drops[0].Place, r.Drops[0].Config, drop.WatcherOptions{Now: r.clock.now, Beside: r.Drops[0].IsBeside})
	r.must(r.scan(t.Context(), r.Drops[0]))
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 50 {
			r.must(r.mapFiles(context.Background()))
		}
	})
	wg.Go(func() {
		for range 50 {
			r.clock.add(11 * time.Minute / 50)
			r.drop("n", "x")
			r.must(r.scan(context.Background(), r.Drops[0]))
			_ = os.Remove(filepath.Join(r.dir, "drop", "n"))
		}
	})
	wg.Wait()
}

// TestAReleaseWhileAFileIsSettledIsNoHardship: a person lets go what is held while the end of its file is being written.
func TestAReleaseWhileAFileIsSettledIsNoHardship(t *testing.T) {
	r := newRig(t, func(opt *Options, _ *drop.Config) { opt.Endure = true })
	r.sweep()
	r.drop("a.csv", header+row("F1", "10")+row("F2", "10"))
	r.intake()
	r.api.answer = func(inv connector.Invoice, _ int) api.Answer {
		if inv.Number == "F1" {
			return api.Answer{Fate: api.Refused}
		}
		return api.Answer{Fate: api.Sent}
	}
	found, err := r.Ledger.Find(t.Context(), "F2")
	r.must(err)
	r.must(r.Ledger.Hold(t.Context(), []int64{found[0].ID}, "by a person"))
	r.sendAll()
	r.want("F1", ledger.Rejected)
	r.want("F2", ledger.Held)
	r.Journal = func(event string, args map[string]string) {
		if event == "copy" { // rendered, not recorded yet
			r.must(r.Ledger.ReleaseHeld(r.t.Context(), []int64{found[0].ID}, "a person"))
		}
	}
	if err := r.settleFiles(t.Context()); err != nil {
		t.Errorf("told as a failure of our disk or ledger, and ends a run with --once: %v", err)
	}
}

// retiring is a place where something happens before an attachment is moved: a scan
// that goes on with originals that were left moves what the mapping is about to.
type retiring struct {
	Place
	before func()
}

func (p *retiring) Retire(ctx context.Context, name, to string) error {
	if f := p.before; f != nil && name == "F1.pdf" {
		p.before = nil
		f()
	}
	return p.Place.Retire(ctx, name, to)
}

func TestAnAttachmentIsMovedByTwo(t *testing.T) {
	r := newRig(t, reading(t, withPDF))
	r.sweep()
	r.drop("x.csv", header+row("F1", "10"))
	r.drop("F1.pdf", pdf+"F1")
	p := &retiring{Place: r.Drops[0].Place}
	r.Drops[0].Place = p
	r.must(r.scan(t.Context(), r.Drops[0]))
	p.before = func() {
		r.Drops[0].again() // another original could not be moved
		r.must(r.scan(r.t.Context(), r.Drops[0]))
	}
	if err := r.mapFiles(t.Context()); err != nil {
		t.Errorf("told as a failure of our disk or ledger, and ends a run with --once: %v", err)
	}
	r.want("F1", ledger.Queued)
}

// TestTheNoteBesideACopyComesAfterAStop: a run is stopped, or believes in its end,
// between the end of a file and the note about what that mended.
func TestTheNoteBesideACopyComesAfterAStop(t *testing.T) {
	r := newRig(t, nil)
	r.sweep()
	r.drop("a.csv", header+row("F1", "ten"))
	r.intake()
	r.must(r.settleFiles(t.Context()))
	r.drop("b.csv", header+row("F1", "10"))
	r.intake()
	r.sendAll()
	r.want("F1", ledger.Sent)
	r.Drops[0].read.Store(true)
	ctx, stop := context.WithCancel(t.Context())
	r.Journal = func(event string, _ map[string]string) {
		if event == "settled" {
			r.wantIdle(false)
			stop()
		}
	}
	_ = r.settleFiles(ctx) // its context ended
	r.restart(nil)
	ctx, stop = context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		owed, err := r.Ledger.FilesMended(t.Context())
		r.must(err)
		if len(owed) == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%s is mended, and nobody says so", owed[0].Name)
		}
	}
	stop()
	r.must(<-done)
}

// unreadable is a place whose bad.csv is listed, and opened as body.
type unreadable struct {
	Place
	body io.Reader
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("input/output error") }

func (p unreadable) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	if name == "bad.csv" {
		return io.NopCloser(p.body), nil
	}
	return p.Place.Open(ctx, name)
}

// TestARunEndsAlthoughAFileCannotBeRead, and says that something is left.
func TestARunEndsAlthoughAFileCannotBeRead(t *testing.T) {
	for name, harm := range map[string]func(r *rig){
		"it breaks off": func(r *rig) { r.Drops[0].Place = unreadable{r.Drops[0].Place, broken{}} },
		"less comes than is listed": func(r *rig) {
			r.Drops[0].Place = unreadable{r.Drops[0].Place, strings.NewReader("number")}
		},
		"the spool cannot be written": func(r *rig) { r.must(os.RemoveAll(filepath.Join(r.dir, "spool"))) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			r.sweep()
			harm(r)
			r.drop("bad.csv", header+row("F1", "10"))
			for range 10 {
				r.clock.add(time.Hour)
				r.intake()
				if ok, err := r.Idle(t.Context()); err != nil || ok {
					r.must(err)
					if !r.Unreadable() {
						t.Error("its end says that all was read")
					}
					return
				}
			}
			t.Error("a run with --once does not end in ten hours")
		})
	}
}
