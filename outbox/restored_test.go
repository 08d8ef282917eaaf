package outbox

import (
	"context"
	"errors"
	"os"
	"path/filepath"
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
	r.must(r.Ledger.SweepDone(context.Background(), "acme"))
	r.drop("a.csv", header+row("F1", "10.00"))
	r.intake()
	r.Drops[0].claimed.Store(false)
	r.must(r.Ledger.SweepDone(context.Background(), "acme"))
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
