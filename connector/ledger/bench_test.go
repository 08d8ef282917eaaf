package ledger

import (
	"fmt"
	"testing"

	"einvoice/connector"
)

// benchBill is an invoice of three lines, as most are.
func benchBill(i int) connector.Invoice {
	inv := bill(fmt.Sprintf("B%08d", i), "85.20")
	inv.Lines = append(inv.Lines, inv.Lines[0], inv.Lines[0])
	inv.ERPKey = ""
	return inv
}

// stageMany stages and releases one export of n invoices.
func (w *world) stageMany(from, n int) File {
	w.t.Helper()
	f := w.take()
	const batch = 500
	for at := 0; at < n; at += batch {
		var page []StagedInvoice
		for i := at; i < min(n, at+batch); i++ {
			page = append(page, StagedInvoice{Ordinal: i + 1, Rows: fmt.Sprint(i + 2), Row: i + 2, Company: acme, Invoice: benchBill(from + i), Verdict: VerdictQueued})
		}
		w.ok(w.Stage(w.t.Context(), f.ID, page))
	}
	_, err := w.Release(w.t.Context(), f.ID, Mapped{Mapping: "bench", AckName: f.Name + ".ack", SummaryName: f.Name + ".sum"})
	w.ok(err)
	return f
}

// BenchmarkWayOut is the ledger's part of one invoice's way: staged, released,
// intended, settled, numbered; in the batches that 16 workers make.
//
//	go test ./connector/ledger -run '^$' -bench WayOut -benchtime 10000x
func BenchmarkWayOut(b *testing.B) {
	w := newWorld(b)
	b.ResetTimer()
	w.stageMany(0, b.N)
	staged := b.Elapsed()
	for sent := 0; sent < b.N; {
		next, err := w.NextToSend(b.Context(), acme, 16)
		w.ok(err)
		var ids []int64
		for _, s := range next {
			ids = append(ids, s.ID)
		}
		marked, err := w.MarkSending(b.Context(), ids)
		w.ok(err)
		var out []Outcome
		for _, id := range marked {
			out = append(out, Outcome{ID: id, State: Sent, APIID: fmt.Sprintf("%024x", id), HTTP: 200, Note: "HTTP 200",
				Status: connector.Status{State: connector.StateNew}})
		}
		w.ok(w.Settle(b.Context(), out))
		sent += len(marked)
	}
	b.ReportMetric(float64(staged.Microseconds())/float64(b.N), "µs/staged")
	b.ReportMetric(float64((b.Elapsed()-staged).Microseconds())/float64(b.N), "µs/sent")
	for {
		_, more, err := w.NumberEvents(b.Context(), "results", acme, 20_000, func(first int64) string { return fmt.Sprint(first) })
		w.ok(err)
		if !more {
			return
		}
	}
}
