package ledger

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// fillQueue puts n invoices into the queue, of one large export and of small ones
// of ten, as a ledger has them after a long outage.
func (w *world) fillQueue(n int) {
	w.t.Helper()
	large := w.take()
	var small []int64
	for range 1000 {
		small = append(small, w.take().ID)
	}
	const chunk = 50_000
	for at := 0; at < n; at += chunk {
		w.ok(w.commit(context.Background(), func(t *tx) error {
			if _, err := t.exec(`WITH RECURSIVE x (k) AS (SELECT ?1 UNION ALL SELECT k + 1 FROM x WHERE k + 1 < ?2)
				INSERT INTO invoice (company, state, file_id, ordinal, source_rows, source_row, seller_siren, document_number, issue_year, issue_date,
				  is_credit, buyer_siren, gross, gross_plain, currency, fingerprint, verdict, holds_key, problems, created_at)
				SELECT 'acme', 'queued', CASE WHEN k < 10000 THEN ?4 + k % 1000 ELSE ?3 END, k, k || '-' || (k + 2), k, '100000009', 'N' || k, 2026, '2026-10-01',
				  0, '732829320', '85.20', '85.2', 'EUR', hex(randomblob(32)), 'QUEUED', 1, '[]', '2026-10-05T08:00:00.000Z' FROM x`,
				at+1, min(n, at+chunk)+1, large.ID, small[0]); err != nil {
				return err
			}
			_, err := t.exec("INSERT INTO document SELECT id, ? FROM invoice WHERE id > (SELECT COALESCE(MAX(invoice_id), 0) FROM document)", staticDocument)
			return err
		}))
	}
	_, err := w.write.db.Exec("UPDATE file SET state = 'mapped', mapped_at = taken_at")
	w.ok(err)
}

// staticDocument is an invoice as it is kept.
var staticDocument = func() string {
	e, err := encode(StagedInvoice{Invoice: benchBill(1), Verdict: VerdictQueued})
	if err != nil {
		panic(err)
	}
	return e.document
}()

// TestAMillionQueued holds what a restart and a status cost against their bounds.
// It takes minutes: EINVOICE_BENCH_QUEUED is the number of invoices. Without it,
// a few show that it works, on however busy a machine.
func TestAMillionQueued(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("EINVOICE_BENCH_QUEUED"))
	measured := err == nil
	if !measured {
		n = 5_000
	}
	w := newWorld(t)
	w.fillQueue(n)
	w.ok(w.Close())
	took := func(what string, bound time.Duration, do func()) {
		t.Helper()
		start := time.Now()
		do()
		d := time.Since(start)
		t.Logf("%-42s %8.1f ms, bound %s", what, float64(d.Microseconds())/1000, bound)
		if measured && d > bound {
			t.Errorf("%s took %s, bound %s", what, d, bound)
		}
	}
	before := heap()
	took("start of the daemon's ledger", 2*time.Second, w.open)
	took("status", 100*time.Millisecond, func() {
		figures, err := w.Status(t.Context())
		w.ok(err)
		want(t, "queued", figures[0].States[Queued], n)
	})
	took("is anything pending", 100*time.Millisecond, func() {
		pending, err := w.Pending(t.Context())
		w.ok(err)
		want(t, "queued", pending[Queued], n)
	})
	var ids []int64
	took("next 16 to send", 100*time.Millisecond, func() {
		next, err := w.NextToSend(t.Context(), acme, 16)
		w.ok(err)
		for _, s := range next {
			ids = append(ids, s.ID)
		}
	})
	files := map[int64]bool{}
	for _, id := range ids {
		inv, err := w.InvoiceByID(t.Context(), id)
		w.ok(err)
		files[inv.FileID] = true
	}
	want(t, "files that the next 16 are of, behind one large one", len(files), 16)
	took("intents and outcomes of 16", 200*time.Millisecond, func() {
		marked, err := w.MarkSending(t.Context(), ids)
		w.ok(err)
		var out []Outcome
		for _, id := range marked {
			out = append(out, Outcome{ID: id, State: Sent, APIID: fmt.Sprint("id-", id), HTTP: 200})
		}
		w.ok(w.Settle(t.Context(), out))
	})
	took("files to settle", 100*time.Millisecond, func() {
		_, err := w.FilesToSettle(t.Context())
		w.ok(err)
	})
	took("next wake, places with events, files owed", 100*time.Millisecond, func() {
		_, err := w.NextWake(t.Context())
		w.ok(err)
		_, err = w.PlacesWithEvents(t.Context())
		w.ok(err)
		_, err = w.Owed(t.Context())
		w.ok(err)
	})
	t.Logf("heap grew by %d KiB", (heap()-before)>>10)
	if grown := heap() - before; grown > 32<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
	_, err = w.MarkSending(t.Context(), nil)
	w.ok(err)
	next, err := w.NextToSend(t.Context(), acme, 16)
	w.ok(err)
	_, err = w.MarkSending(t.Context(), []int64{next[0].ID})
	w.ok(err)
	w.ok(w.Close())
	took("start after a crash with an intent", 2*time.Second, w.open)
	doubts, err := w.Doubts(t.Context(), 10)
	w.ok(err)
	want(t, "uncertain", len(doubts), 1)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}
