package outbox

import (
	"fmt"
	"testing"

	"einvoice/connector"
	"einvoice/connector/ledger"
)

// stageInBatches gives a staging, over an export that was taken, a batch for each list of
// ordinals, and is the error that it ends with.
func stageInBatches(r *rig, ordinals ...[]int) error {
	r.t.Helper()
	ctx := r.t.Context()
	f, err := r.Ledger.TakeFile(ctx, ledger.NewFile{Drop: "main", Place: seller.ID, Name: "a.csv", SHA256: "a"})
	r.must(err)
	s := r.staging(f, r.Drops[0], r.Drops[0].Mappings[0][0])
	s.brake = r.newBrake(f.Name, s.m.Name, s.loose, r.Ledger.History())
	for _, batch := range ordinals {
		for _, o := range batch {
			inv := connector.Invoice{Number: fmt.Sprintf("F%04d", o), Type: "380", IssueDate: "2026-11-02", Seller: connector.Party{FiscalID: seller.FiscalID}}
			s.batch = append(s.batch, ledger.StagedInvoice{Ordinal: o, Row: o + 1, Company: seller.ID, Invoice: inv, Verdict: ledger.VerdictQueued})
		}
		s.flush(ctx)
	}
	s.written()
	return s.broken
}

func upTo(from, to int) (all []int) {
	for o := from; o < to; o++ {
		all = append(all, o)
	}
	return all
}

// TestABatchThatCannotBeWrittenIsNotForgotten: the next one is begun before its
// fate is known, and an export must not be released without its invoices.
func TestABatchThatCannotBeWrittenIsNotForgotten(t *testing.T) {
	r := newRig(t, nil)
	if err := stageInBatches(r, []int{1, 1}, upTo(2, 50), upTo(50, 99)); err == nil {
		t.Error("two invoices of one place in the file were staged, or their batch left out")
	}
}

// TestBatchesAreWrittenInTheirOrder: what comes first in the file has the lower id.
func TestBatchesAreWrittenInTheirOrder(t *testing.T) {
	r := newRig(t, nil)
	var ordinals [][]int
	for from := 1; from < 400; from += 4 {
		ordinals = append(ordinals, upTo(from, from+4))
	}
	r.must(stageInBatches(r, ordinals...))
	last := int64(0)
	for inv, err := range r.Ledger.InvoicesOf(t.Context(), 1) {
		r.must(err)
		if inv.ID < last {
			t.Fatalf("%s has id %d, the one before it %d", inv.Key.Number, inv.ID, last)
		}
		last = inv.ID
	}
	if last == 0 {
		t.Error("nothing was staged")
	}
}
