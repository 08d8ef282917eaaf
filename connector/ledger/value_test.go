package ledger

import (
	"testing"
	"time"

	"einvoice/connector"
	"einvoice/connector/problem"
)

func TestTheCauseIsWhatKeepsTheInvoiceThere(t *testing.T) {
	warn, hold := problem.Problem{Code: "W", Severity: problem.Warn}, problem.Problem{Code: "H", Severity: problem.Hold}
	refuse := problem.Problem{Code: "R", Severity: problem.Refuse}
	for _, c := range []struct {
		state State
		ps    []problem.Problem
		want  string
	}{
		{Held, []problem.Problem{warn, hold}, "H"},
		{Refused, []problem.Problem{warn, refuse}, "R"},
		{Duplicate, []problem.Problem{warn, hold}, "W"}, // the first invoice is held, this one is not
		{Queued, []problem.Problem{warn, hold}, "W"},    // put off now; let go before
		{Sent, nil, ""},
	} {
		if got := (Invoice{State: c.state, Problems: c.ps}).Cause().Code; got != c.want {
			t.Errorf("%s: %q, want %q", c.state, got, c.want)
		}
	}
}

// A platform wrote its time in a unit that nobody expected. The invoice, and the
// lists that it is in, are read all the same.
func TestATimeOfNoYearStopsNoList(t *testing.T) {
	for _, at := range []time.Time{time.UnixMilli(1795430000000000), time.Date(9999, 12, 31, 23, 0, 0, 0, time.FixedZone("", -7200)), time.Date(0, 1, 1, 0, 0, 0, 0, time.FixedZone("", 7200))} {
		w := newWorld(t)
		inv := w.release(queued(bill("A1", "1.00"))...)[0]
		w.sent(inv, "id1")
		_, err := w.ApplyStatus(t.Context(), inv.ID, connector.Status{State: connector.StateSent, At: at}, true)
		w.ok(err)
		_, err = w.InvoiceByID(t.Context(), inv.ID)
		w.ok(err)
		due, err := w.Watch(t.Context(), 10)
		w.ok(err)
		want(t, "polled", len(due), 1)
	}
}
