package outbox

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"einvoice/connector"
	"einvoice/connector/api"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
)

// ledgerFolder is the whole folder of the rig's database.
func (r *rig) ledgerFolder() string { return filepath.Join(r.dir, "data") }

// The backup still has in its queue what was sent since it was made.
func TestARestoredBackupSendsNothingOfItsQueueAgain(t *testing.T) {
	r := newRig(t, nil)
	r.drop("a.csv", header+row("F1", "10.00")+row("F2", "20.00"))
	r.intake()
	r.must(r.Ledger.Close())
	backup := t.TempDir()
	r.must(os.CopyFS(backup, os.DirFS(r.ledgerFolder())))

	r.open(nil)
	r.sendAll()
	r.want("F2", ledger.Sent)
	r.must(r.Ledger.Close())

	r.must(os.Remove(filepath.Join(r.ledgerFolder(), "ledger.db")))
	data, err := os.ReadFile(filepath.Join(backup, "ledger.db"))
	r.must(err)
	r.must(os.WriteFile(filepath.Join(r.ledgerFolder(), "ledger.db"), data, 0o600))
	r.open(nil)
	r.want("F1", ledger.Queued)
	r.api.failing = true // an inconclusive sweep sends nothing
	r.sendAll()
	r.want("F1", ledger.Queued)
	r.api.failing = false
	r.clock.add(r.Config.Probe.Std())
	r.sendAll()
	r.want("F1", ledger.Sent)
	r.posts("F1", 1)
	r.posts("F2", 1)
	for _, number := range []string{"F1", "F2"} {
		if !slices.Contains(r.said, "found "+number) {
			t.Errorf("the journal does not say that the platform has %s: %q", number, r.said)
		}
	}
}

// The ledger was lost, and the export comes again after the sweep.
func TestAnExportAfterTheSweepIsToldAsFound(t *testing.T) {
	r := newRig(t, nil)
	r.api.take(connector.Invoice{Number: "F1", IssueDate: "2026-11-02", Totals: connector.Totals{Gross: connector.MustAmount("12.00")}})
	r.sendAll()
	r.drop("a.csv", header+row("F1", "10.00")+row("F2", "20.00"))
	r.intake()
	r.sendAll()
	r.posts("F1", 0)
	r.posts("F2", 1)
	if !slices.Contains(r.said, "found F1") || slices.Contains(r.said, "found F2") {
		t.Errorf("said %q", r.said)
	}
}

// A whole folder that is put back has a witness that agrees with it; the marker
// in the drop says more. Until it was read, nothing goes.
func TestNothingIsSentBeforeTheMarkersOfTheDropsWereRead(t *testing.T) {
	var beat error
	r := newRig(t, nil)
	r.Drops[0].Beat = func(ctx context.Context) error {
		if beat == nil {
			return r.Ledger.RequireSweep(ctx, "acme") // as a foreign marker demands
		}
		return beat
	}
	r.sweep()
	r.drop("a.csv", header+row("F1", "10.00"))
	r.intake()
	r.Drops[0].claimed.Store(false)
	r.sweep()
	r.api.take(connector.Invoice{Number: "F1", IssueDate: "2026-11-02", Totals: connector.Totals{Gross: connector.MustAmount("12.00")}})
	r.sendAll()
	r.posts("F1", 0)
	beat = problem.Problem{Code: "E1009", Severity: problem.Hold} // another one serves the drop
	r.intake()
	r.sendAll()
	r.posts("F1", 0)
	beat = errors.New("place is away")
	if r.scan(context.Background(), r.Drops[0]) != nil || !r.entitled("acme") {
		t.Error("a place that is away stops the others' sending")
	}
	beat = nil
	r.intake()
	r.sendAll()
	r.posts("F1", 0) // found by the sweep
	r.want("F1", ledger.Sent)
}

// restored puts the database of the first moment back after the second.
func (r *rig) restored(before, after func()) {
	r.t.Helper()
	before()
	r.must(r.Ledger.Close())
	path := filepath.Join(r.ledgerFolder(), "ledger.db")
	backup, err := os.ReadFile(path)
	r.must(err)
	r.open(nil)
	after()
	r.must(r.Ledger.Close())
	r.must(os.WriteFile(path, backup, 0o600))
	r.open(nil)
}

// The backup was made while the platform was away: it says that the invoice was
// tried, and that it did not arrive.
func TestARestoredBackupSendsNothingAgainThatItHadTried(t *testing.T) {
	r := newRig(t, nil)
	away := true
	r.api.answer = func(connector.Invoice, int) api.Answer {
		if away {
			return api.Answer{Fate: api.Later, Scope: api.ScopeCredential}
		}
		return api.Answer{Fate: api.Sent}
	}
	r.restored(func() {
		r.drop("a.csv", header+row("F1", "10.00"))
		r.intake()
		r.sendAll()
	}, func() {
		away = false
		r.clock.add(time.Hour)
		r.sendAll()
		r.want("F1", ledger.Sent)
	})
	r.clock.add(time.Hour)
	r.sendAll()
	r.want("F1", ledger.Sent)
	r.posts("F1", 2)
}

// The backup knows a refusal, but not that a person had it tried again since.
func TestARetryAfterARestoreFindsWhatWentBeforeIt(t *testing.T) {
	r := newRig(t, nil)
	r.api.answer = func(_ connector.Invoice, post int) api.Answer {
		if post == 1 {
			return api.Answer{Fate: api.Refused}
		}
		return api.Answer{Fate: api.Sent}
	}
	retry := func() {
		found, err := r.Ledger.Find(t.Context(), "F1")
		r.must(err)
		r.must(r.Ledger.Retry(t.Context(), []int64{found[0].ID}))
		r.sendAll()
		r.want("F1", ledger.Sent)
	}
	r.restored(func() {
		r.drop("a.csv", header+row("F1", "10.00"))
		r.intake()
		r.sendAll()
	}, retry)
	r.sendAll() // sweeps
	r.want("F1", ledger.Rejected)
	retry()
	r.posts("F1", 2)
}

// terse is a platform whose lists show little, and whose single reads are
// what the test says.
type terse struct {
	sparse
	get   func(connector.Remote) (connector.Remote, error)
	reads int
}

func (p *terse) Get(ctx context.Context, id string, refresh bool) (connector.Remote, error) {
	p.reads++
	r, err := p.platform.Get(ctx, id, refresh)
	if err != nil || p.get == nil {
		return r, err
	}
	return p.get(r)
}

// listing is a platform that had F1 of a total before the ledger was new.
func listing(r *rig, show func(*connector.Remote), get func(connector.Remote) (connector.Remote, error)) *terse {
	r.api.take(connector.Invoice{Number: "F1", IssueDate: "2026-11-02", Totals: connector.Totals{Gross: connector.MustAmount("12.00")}})
	p := &terse{sparse: sparse{platform: r.api, show: show}, get: get}
	r.Account = func(string) Platform { return p }
	r.Platform = p
	return p
}

func noNumber(r *connector.Remote) { r.Invoice.Number = "" }

// The list does not show what an invoice is known by: it is read singly.
func TestASweepReadsSinglyWhatTheListDoesNotName(t *testing.T) {
	for _, c := range []struct {
		lacks string
		show  func(*connector.Remote)
		year  connector.Date
		posts int
	}{
		{"number", noNumber, "2026-11-02", 0},
		{"date, of the same year", func(r *connector.Remote) { r.Invoice.IssueDate = "" }, "2026-11-02", 0},
		{"date, of another year", func(r *connector.Remote) { r.Invoice.IssueDate = "" }, "2019-11-02", 1},
	} {
		t.Run(c.lacks, func(t *testing.T) {
			r := newRig(t, nil)
			p := listing(r, c.show, func(r connector.Remote) (connector.Remote, error) {
				r.Invoice.IssueDate = c.year
				return r, nil
			})
			r.drop("a.csv", header+row("F1", "10.00")+row("F2", "10.00"))
			r.intake()
			r.sendAll()
			r.want("F1", ledger.Sent)
			r.want("F2", ledger.Sent)
			r.posts("F1", c.posts)
			r.posts("F2", 1)
			if p.reads != 1 {
				t.Errorf("%d single reads, want 1", p.reads)
			}
		})
	}
}

// A single read does not tell either: what the nameless one may be is held, also
// when it is dropped later, until a person says so; all else goes.
func TestWhatANamelessInvoiceAtThePlatformMayBeIsHeld(t *testing.T) {
	nameless := func(total string) func(connector.Remote) (connector.Remote, error) {
		return func(r connector.Remote) (connector.Remote, error) {
			r.Invoice.Number, r.Invoice.Totals.Gross = "", connector.Amount{}
			if total != "" {
				r.Invoice.Totals.Gross = connector.MustAmount(total)
			}
			return r, nil
		}
	}
	broken := func(http int) func(connector.Remote) (connector.Remote, error) {
		return func(connector.Remote) (connector.Remote, error) {
			return connector.Remote{}, &api.Error{Fate: api.Later, Scope: api.ScopeCredential, HTTP: http}
		}
	}
	for _, c := range []struct {
		told  string
		get   func(connector.Remote) (connector.Remote, error)
		other ledger.State // an invoice of another total
	}{
		{"the same total", nameless("12.00"), ledger.Sent},
		{"a cent more", nameless("12.01"), ledger.Sent},
		{"a cent less", nameless("11.990"), ledger.Sent},
		{"a little more", nameless("12.004"), ledger.Sent},
		{"no total", nameless(""), ledger.Held},
		{"nothing: it cannot be read", broken(500), ledger.Sent},
	} {
		t.Run(c.told, func(t *testing.T) {
			r := newRig(t, nil)
			listing(r, noNumber, c.get)
			r.drop("a.csv", header+row("F1", "10.00")+row("F2", "20.00"))
			r.intake()
			r.sendAll()
			r.want("F1", ledger.Held)
			r.want("F2", c.other)
			r.drop("b.csv", header+row("F3", "10.00")+"F4;2026-12-02;Client;20000000800017;Vis;1;10.00;20\n")
			r.clock.add(13 * 24 * time.Hour)
			r.intake()
			r.sendAll()
			r.want("F3", ledger.Held)
			r.want("F4", ledger.Sent) // issued after the sweep
			found, err := r.Ledger.Find(t.Context(), "F3")
			r.must(err)
			if code := found[0].Problems[0].Code; code != "E5015" {
				t.Errorf("F3 is held for %s", code)
			}
			r.must(r.Ledger.ReleaseHeld(t.Context(), []int64{found[0].ID}, "Anne"))
			found, err = r.Ledger.Find(t.Context(), "F1")
			r.must(err)
			r.must(r.Ledger.ResolveHeld(t.Context(), ledger.Outcome{ID: found[0].ID, State: ledger.Sent, APIID: "id-1"}))
			r.sendAll()
			r.want("F3", ledger.Sent)
			r.posts("F1", 0)
			r.drop("c.csv", header+row("F5", "10.00")) // the nameless one is known now
			r.intake()
			r.sendAll()
			r.want("F5", ledger.Sent)
		})
	}
}

func TestANamelessInvoiceOfAnotherTotalHoldsNothing(t *testing.T) {
	r := newRig(t, nil)
	listing(r, noNumber, func(r connector.Remote) (connector.Remote, error) {
		r.Invoice.Number, r.Invoice.Totals.Gross = "", connector.MustAmount("12.02")
		return r, nil
	})
	r.drop("a.csv", header+row("F1", "10.00"))
	r.intake()
	r.sendAll()
	r.want("F1", ledger.Sent)
}

// The platform is away between the list and the single read: nothing goes, and
// the reason is told, until it is back. It is asked again after a while, or when it
// says.
func TestASweepThatCannotReadSinglyIsNotDone(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		code string
		wait time.Duration // Probe at least
	}{
		"no answer": {io.ErrUnexpectedEOF, "E5205", 0},
		"too many requests": {&api.Error{Fate: api.Later, Scope: api.ScopeCredential, HTTP: 429, RetryAfter: 2 * time.Hour,
			Problem: problem.Problem{Code: "E4012"}}, "E4012", 2 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			away := true
			listing(r, noNumber, func(r connector.Remote) (connector.Remote, error) {
				if away {
					return connector.Remote{}, c.err
				}
				return r, nil
			})
			r.drop("a.csv", header+row("F1", "10.00")+row("F2", "20.00"))
			r.intake()
			r.sendAll()
			r.want("F1", ledger.Queued)
			r.want("F2", ledger.Queued)
			why, err := r.Ledger.Get(t.Context(), StoppedFact("acme"))
			r.must(err)
			if !strings.Contains(why, c.code) {
				t.Errorf("status says %q", why)
			}
			away = false
			if wait := c.wait - time.Minute; wait > 0 {
				r.clock.add(wait)
				r.sendAll()
				r.want("F2", ledger.Queued)
			}
			r.clock.add(r.Config.Probe.Std())
			r.sendAll()
			r.want("F1", ledger.Sent)
			r.want("F2", ledger.Sent)
			r.posts("F1", 0)
		})
	}
}

// The list shows neither number nor parties of what a supplier sent us.
func TestASweepLeavesOutWhatASingleReadTellsIsIncoming(t *testing.T) {
	for name, tell := range map[string]func(*connector.Remote){
		"by its direction": func(r *connector.Remote) { r.Direction = connector.Incoming },
		"by its seller":    func(r *connector.Remote) { r.Direction, r.Invoice.Seller.FiscalID = "", "73282932000017" },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			listing(r, noNumber, func(r connector.Remote) (connector.Remote, error) {
				r.Invoice.Number = ""
				tell(&r)
				return r, nil
			})
			r.drop("a.csv", header+row("F1", "10.00"))
			r.intake()
			r.sendAll()
			r.want("F1", ledger.Sent)
			r.posts("F1", 1)
		})
	}
}

// What the ledger knows by its id needs no single read, which more than a ledger
// of years has would use up.
func TestASweepReadsNothingSinglyThatTheLedgerKnows(t *testing.T) {
	r := newRig(t, nil)
	p := listing(r, noNumber, nil)
	r.drop("a.csv", header+row("F2", "20.00")+row("F3", "30.00"))
	r.intake()
	r.sendAll()
	r.must(r.Ledger.RequireSweep(t.Context(), "acme"))
	p.reads = 0
	r.drop("b.csv", header+row("F1", "10.00"))
	r.intake()
	r.sendAll()
	r.want("F1", ledger.Sent)
	r.posts("F1", 0)
	if p.reads != 1 {
		t.Errorf("%d single reads, want that of F1", p.reads)
	}
}
