package ledger

import (
	"testing"

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
