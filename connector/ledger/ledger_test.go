package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"einvoice/connector"
	"einvoice/connector/problem"
)

const (
	acme   = "acme"
	siren  = "100000009"
	bakery = "bakery"
)

// hand is a clock that tests turn.
type hand struct {
	mu sync.Mutex
	t  time.Time
}

func (h *hand) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.t
}

func (h *hand) turn(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.t = h.t.Add(d)
}

// world is a ledger under test with its clock.
type world struct {
	*Ledger
	t       testing.TB
	clock   *hand
	dir     string
	files   int
	adopted []Adopted // so far
}

var companies = []connector.Company{
	{ID: acme, FiscalID: siren, Name: "ACME"},
	{ID: bakery, FiscalID: "200000008", Name: "Bakery"},
}

func identity() Identity { return Identity{BaseURL: "https://api.example/v1", Companies: companies} }

// newWorld has an empty ledger whose companies need no sweep.
func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, clock: &hand{t: time.Date(2026, 10, 5, 8, 0, 0, 0, time.UTC)}, dir: t.TempDir()}
	w.open()
	for _, c := range companies {
		w.sweepDone(c.ID)
	}
	t.Cleanup(func() {
		w.tallied()
		_ = w.Close()
	})
	return w
}

// tallied checks, after each test, that the tally counts what is there.
func (w *world) tallied() {
	w.t.Helper()
	if w.read == nil || w.t.Failed() {
		return
	}
	const difference = `SELECT company || ' ' || state || ' ' || platform_state || ': ' || n FROM (
		SELECT company, state, platform_state, SUM(n) AS n FROM (
			SELECT company, state, platform_state, COUNT(*) AS n FROM invoice WHERE state <> 'staged' GROUP BY 1, 2, 3
			UNION ALL SELECT company, state, platform_state, -invoices FROM tally) GROUP BY 1, 2, 3) WHERE n <> 0
		UNION ALL SELECT name || ' in flight: ' || in_flight FROM file f WHERE in_flight <> (SELECT COUNT(*) FROM invoice
			WHERE file_id = f.id AND state IN ('queued', 'waiting', 'sending', 'uncertain'))`
	wrong, err := list(context.Background(), w.read, scanOne[string], difference)
	if err != nil && !errors.Is(err, sql.ErrConnDone) && !strings.Contains(err.Error(), "closed") {
		w.t.Error(err)
	}
	if len(wrong) > 0 {
		w.t.Errorf("rows that the tally misses: %v", wrong)
	}
}

func (w *world) open() {
	w.t.Helper()
	l, err := Open(context.Background(), Config{Path: w.dir}, Options{Identity: identity(), Now: w.clock.now})
	w.ok(err)
	w.Ledger = l
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) wantErr(err, want error) {
	w.t.Helper()
	if !errors.Is(err, want) {
		w.t.Fatalf("error %v, want %v", err, want)
	}
}

// want compares what is shown.
func want[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func all[T any](t testing.TB, seq iter.Seq2[T, error]) []T {
	t.Helper()
	var got []T
	for v, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, v)
	}
	return got
}

// bill is an invoice of ACME with one line.
func bill(number, gross string) connector.Invoice {
	return connector.Invoice{
		Number: number, Type: "380", IssueDate: "2026-10-01", Currency: "EUR",
		Seller: connector.Party{FiscalID: siren}, Buyer: connector.Party{FiscalID: "732829320", VATID: "FR40303265045"},
		Lines:  []connector.Line{{Description: "x", Net: connector.MustAmount(gross)}},
		Totals: connector.Totals{Net: connector.MustAmount(gross), Gross: connector.MustAmount(gross)},
		ERPKey: "erp-" + number,
	}
}

func credit1(number, gross string, of ...connector.Ref) connector.Invoice {
	inv := bill(number, gross)
	inv.Type, inv.Preceding = "381", of
	return inv
}

func queued(invs ...connector.Invoice) []StagedInvoice {
	var s []StagedInvoice
	for _, inv := range invs {
		s = append(s, StagedInvoice{Company: acme, Invoice: inv, Verdict: VerdictQueued})
	}
	return s
}

// take records an export that differs from every other.
func (w *world) take() File {
	w.t.Helper()
	w.files++
	name := fmt.Sprintf("export%d.csv", w.files)
	f, err := w.TakeFile(w.t.Context(), NewFile{Drop: "main", Place: "results", Name: name, SHA256: "sha-" + name, Size: 10})
	w.ok(err)
	w.ok(w.FileArchived(w.t.Context(), f.ID, "archive/"+name))
	return f
}

// release stages and releases an export; it returns its invoices in order.
func (w *world) release(staged ...StagedInvoice) []Invoice {
	w.t.Helper()
	return w.releaseFile(w.take(), staged...)
}

func (w *world) releaseFile(f File, staged ...StagedInvoice) []Invoice {
	w.t.Helper()
	for i := range staged {
		staged[i].Ordinal, staged[i].Row = i+1, i+2
	}
	w.ok(w.Stage(w.t.Context(), f.ID, staged))
	sum, err := w.Release(w.t.Context(), f.ID, mappedOf(f))
	w.ok(err)
	w.adopted = append(w.adopted, sum.Adopted...)
	return all(w.t, w.InvoicesOf(w.t.Context(), f.ID))
}

// Stage encodes and stages.
func (w *world) Stage(ctx context.Context, fileID int64, invoices []StagedInvoice) error {
	b, err := Encode(fileID, invoices)
	if err != nil {
		return err
	}
	return w.Ledger.Stage(ctx, b)
}

// sweepDone ends a company's sweep.
func (w *world) sweepDone(company string) {
	w.t.Helper()
	adopted, err := w.SweepDone(w.t.Context(), company)
	w.ok(err)
	w.adopted = append(w.adopted, adopted...)
}

func mappedOf(f File) Mapped {
	return Mapped{Mapping: "csv", Encoding: "utf-8", AckName: fmt.Sprintf("%s.%06d.ack.csv", f.Name, f.Take), SummaryName: fmt.Sprintf("%s.%06d.summary.csv", f.Name, f.Take)}
}

func (w *world) again(inv Invoice) Invoice {
	w.t.Helper()
	now, err := w.InvoiceByID(w.t.Context(), inv.ID)
	w.ok(err)
	return now
}

// sending marks invoices.
func (w *world) sending(invs ...Invoice) {
	w.t.Helper()
	var ids []int64
	for _, inv := range invs {
		ids = append(ids, inv.ID)
	}
	marked, err := w.MarkSending(w.t.Context(), ids)
	w.ok(err)
	if len(marked) != len(ids) {
		w.t.Fatalf("marked %d of %d", len(marked), len(ids))
	}
}

func (w *world) settle(o Outcome) {
	w.t.Helper()
	w.ok(w.Settle(w.t.Context(), []Outcome{o}))
}

// lookedUp records that a look-up did not find an invoice.
func (w *world) lookedUp(inv Invoice, proof bool) {
	w.t.Helper()
	w.ok(w.LookedUp(w.t.Context(), []Look{{ID: inv.ID, Proof: proof, Next: w.clock.now()}}))
}

// sent sends an invoice and gives it an API id.
func (w *world) sent(inv Invoice, apiID string) {
	w.t.Helper()
	w.sending(inv)
	w.settle(Outcome{ID: inv.ID, State: Sent, APIID: apiID, HTTP: 201})
}

func (w *world) state(inv Invoice, s State) {
	w.t.Helper()
	if got := w.again(inv).State; got != s {
		w.t.Errorf("invoice %s is %s, want %s", inv.Key.Number, got, s)
	}
}

// kinds are the events of an invoice in order.
func (w *world) kinds(inv Invoice) string {
	w.t.Helper()
	kinds, err := list(w.t.Context(), w.read, scanOne[string], "SELECT COALESCE(GROUP_CONCAT(kind, ' '), '') FROM (SELECT kind FROM event WHERE invoice_id = ? ORDER BY id)", inv.ID)
	w.ok(err)
	return kinds[0]
}

func TestSQLiteHasNoWALResetBug(t *testing.T) {
	w := newWorld(t)
	v, err := first(t.Context(), w.read, scanOne[string], "SELECT sqlite_version()")
	w.ok(err)
	var major, minor, patch int
	if _, err := fmt.Sscanf(v, "%d.%d.%d", &major, &minor, &patch); err != nil {
		t.Fatal(err)
	}
	if major*1_000_000+minor*1000+patch < 3_051_003 {
		t.Errorf("SQLite %s: before 3.51.3 a writer and a checkpoint can lose a commit", v)
	}
}

func TestWriterIsDurable(t *testing.T) {
	w := newWorld(t)
	for pragma, value := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"} {
		var got string
		w.ok(w.commit(t.Context(), func(t *tx) (err error) {
			got, err = first(context.Background(), t, scanOne[string], "PRAGMA "+pragma)
			return err
		}))
		want(t, pragma, got, value)
	}
}

func TestReadersCannotWrite(t *testing.T) {
	w := newWorld(t)
	if _, err := w.read.db.ExecContext(t.Context(), "DELETE FROM company"); err == nil {
		t.Error("a reader could write")
	}
}

func TestSecondInstanceIsRefusedWithThePID(t *testing.T) {
	w := newWorld(t)
	_, err := Open(t.Context(), Config{Path: w.dir}, Options{Identity: identity()})
	w.wantErr(err, ErrInUse)
	if pid := fmt.Sprintf("process %d ", os.Getpid()); !strings.Contains(err.Error(), pid) {
		t.Errorf("error %q does not name %q", err, pid)
	}
	w.ok(w.Close())
	w.open()
}

func TestVerbsAfterCloseSayClosed(t *testing.T) {
	w := newWorld(t)
	w.ok(w.Close())
	w.wantErr(w.Put(t.Context(), "a", "b"), ErrClosed)
}

func TestReaderBesideAndWithoutDaemon(t *testing.T) {
	w := newWorld(t)
	inv := w.release(queued(bill("F1", "10.00"))...)[0]
	for _, daemon := range []bool{true, false} {
		if !daemon {
			w.ok(w.Close())
		}
		r, err := OpenReader(t.Context(), Config{Path: w.dir})
		w.ok(err)
		want(t, "id", r.ID(), w.ID())
		got, err := r.InvoiceByID(t.Context(), inv.ID)
		w.ok(err)
		want(t, "number", got.Key.Number, "F1")
		w.wantErr(r.Put(t.Context(), "a", "b"), ErrReadOnly)
		w.ok(r.Close())
	}
	_, err := OpenReader(t.Context(), Config{Path: filepath.Join(w.dir, "nothing")})
	w.wantErr(err, os.ErrNotExist)
}

func TestNewerSchemaIsRefused(t *testing.T) {
	w := newWorld(t)
	w.ok(w.commit(t.Context(), func(t *tx) error { _, err := t.exec("PRAGMA user_version = 99"); return err }))
	w.ok(w.Close())
	_, err := Open(t.Context(), Config{Path: w.dir}, Options{Identity: identity()})
	w.wantErr(err, ErrNewerSchema)
	_, err = OpenReader(t.Context(), Config{Path: w.dir})
	w.wantErr(err, ErrNewerSchema)
}

func TestUpgradeBacksUpFirst(t *testing.T) {
	w := newWorld(t)
	w.ok(w.Put(t.Context(), "kept", "yes"))
	conn := w.write.tx.conn
	w.ok(upgrade(t.Context(), conn, w.dir, append(steps(), "CREATE TABLE extra (a TEXT) STRICT"), w.clock.now()))
	backups, err := filepath.Glob(filepath.Join(w.dir, fmt.Sprintf("ledger-before-v%d-*.db", len(steps())+1)))
	w.ok(err)
	want(t, "backups", len(backups), 1)
	w.ok(w.Close())
	old := filepath.Join(t.TempDir(), "old")
	w.ok(os.Mkdir(old, 0o700))
	w.ok(os.Rename(backups[0], Config{Path: old}.File()))
	w.dir = old
	w.open()
	v, err := w.Get(t.Context(), "kept")
	w.ok(err)
	want(t, "fact in backup", v, "yes")
}

func TestFailedUpgradeLeavesTheLedgerAsItWas(t *testing.T) {
	w := newWorld(t)
	conn := w.write.tx.conn
	if err := upgrade(t.Context(), conn, w.dir, append(steps(), "CREATE TABLE extra (a TEXT) STRICT; SELECT nonsense FROM nowhere"), w.clock.now()); err == nil {
		t.Fatal("nonsense was accepted")
	}
	v, err := versionOf(t.Context(), conn, len(steps()))
	w.ok(err)
	want(t, "version", v, len(steps()))
	w.ok(w.Put(t.Context(), "still", "works"))
}

func TestOtherAPIIsRefused(t *testing.T) {
	w := newWorld(t)
	w.ok(w.Close())
	for url, ok := range map[string]bool{
		"https://API.example:443/v1/": true, "https://other.example/v1": false, "http://localhost:8490": false, "https://api.example/v2": false,
	} {
		id := identity()
		id.BaseURL = url
		l, err := Open(t.Context(), Config{Path: w.dir}, Options{Identity: id})
		if ok {
			w.ok(err)
			w.ok(l.Close())
			continue
		}
		w.wantErr(err, ErrOtherAPI)
	}
}

func TestLoopbackIsOneAPI(t *testing.T) {
	want, _ := canonicalURL("http://localhost:8490/api")
	for _, url := range []string{"http://127.0.0.1:1234", "http://[::1]:9/", "https://LOCALHOST", "http://127.8.9.1"} {
		if got, err := canonicalURL(url); err != nil || got != want {
			t.Errorf("%s is %q (%v), want %q", url, got, err, want)
		}
	}
	if _, err := canonicalURL("api.example"); err == nil {
		t.Error("a URL without scheme was accepted")
	}
}

func TestCompanyWithOpenInvoicesCannotBeRemoved(t *testing.T) {
	w := newWorld(t)
	inv := w.release(queued(bill("F1", "10.00"))...)[0]
	reopen := func(cs ...connector.Company) error {
		l, err := Open(t.Context(), Config{Path: w.dir}, Options{Identity: Identity{BaseURL: identity().BaseURL, Companies: cs}, Now: w.clock.now})
		if err == nil {
			w.Ledger = l
			err = l.Close()
		}
		return err
	}
	other := companies[0]
	other.FiscalID = "732829320"
	w.ok(w.Close())
	w.wantErr(reopen(companies[1]), ErrOpenCompany)
	w.wantErr(reopen(other, companies[1]), ErrOpenCompany)
	w.ok(reopen(companies...))
	w.open()
	needed, err := w.SweepNeeded(t.Context(), acme)
	w.ok(err)
	want(t, "a refused opening leaves no trace: sweep", needed, false)
	w.sent(inv, "api-1")
	w.ok(w.Close())
	w.ok(reopen(companies[1]))
	w.ok(reopen(companies...))
	w.open()
	needed, err = w.SweepNeeded(t.Context(), acme)
	w.ok(err)
	want(t, "a company that comes back must sweep", needed, true)
	needed, err = w.SweepNeeded(t.Context(), bakery)
	w.ok(err)
	want(t, "one that stayed must not", needed, false)
}

func TestOneFailureNeverHurtsItsNeighbours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		boom := errors.New("boom")
		gate := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() { _ = w.commit(context.Background(), func(*tx) error { <-gate; return nil }) })
		synctest.Wait() // the writer is busy: all that follows shares one batch
		errs, runs := make([]error, 50), make([]int, 50)
		for i := range errs {
			wg.Go(func() {
				errs[i] = w.commit(context.Background(), func(tx *tx) error {
					runs[i]++
					_, err := tx.exec("INSERT INTO fact (name, value) VALUES (?, 'x')", fmt.Sprint(i))
					if i%10 == 3 {
						return boom
					}
					return err
				})
			})
		}
		synctest.Wait()
		close(gate)
		wg.Wait()
		again := 0
		for i, err := range errs {
			v, getErr := w.Get(t.Context(), fmt.Sprint(i))
			w.ok(getErr)
			again += runs[i] - 1
			if i%10 == 3 {
				w.wantErr(err, boom)
				want(t, "fact of a failed verb", v, "")
				continue
			}
			w.ok(err)
			want(t, "fact of its neighbour", v, "x")
		}
		if again == 0 {
			t.Error("no verb ran twice: they did not share a transaction")
		}
		w.ok(w.Close())
	})
}

func TestCancelledVerbIsNotDone(t *testing.T) {
	w := newWorld(t)
	gate, entered := make(chan struct{}), make(chan struct{})
	done := make(chan error)
	go func() {
		done <- w.commit(context.Background(), func(*tx) error { close(entered); <-gate; return nil })
	}()
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.wantErr(w.Put(ctx, "a", "b"), context.Canceled)
	close(gate)
	w.ok(<-done)
	v, err := w.Get(t.Context(), "a")
	w.ok(err)
	want(t, "fact", v, "")
}

func TestFactsAndBudget(t *testing.T) {
	w := newWorld(t)
	w.ok(w.Put(t.Context(), "k", "1"))
	w.ok(w.Put(t.Context(), "k", "2"))
	v, err := w.Get(t.Context(), "k")
	w.ok(err)
	want(t, "fact", v, "2")
	for _, c := range []struct {
		day      string
		n, total int
	}{{"2026-10-05", 0, 0}, {"2026-10-05", 3, 3}, {"2026-10-05", 2, 5}, {"2026-10-06", 1, 1}, {"2026-10-05", 0, 5}} {
		total, err := w.Spend(t.Context(), c.day, c.n)
		w.ok(err)
		want(t, "spent", total, c.total)
	}
}

func TestEveryCodeOfTheLedgerHasTexts(t *testing.T) {
	for _, code := range []string{"E5001", "E5002", "E5003", "E5004", "E5005", "E5006", "E5007", "E5008", "E5009", "E5010", "E5011", "E5012", "E5013", "E5014", "E5015"} {
		p := problem.Problem{Code: code}
		for _, lang := range []problem.Lang{problem.French, problem.English} {
			if m := p.Message(lang); m == code || m == "" || p.Remedy(lang) == "" {
				t.Errorf("%s has no text or remedy in %s", code, lang)
			}
		}
	}
}
