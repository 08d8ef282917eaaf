package results

import (
	"fmt"
	"time"

	"einvoice/connector/ledger"
	"einvoice/connector/problem"
)

// summary is what a summary file says of one export.
type summary struct {
	file  ledger.File
	first string // name of the earlier export with the same bytes, "" if none
	sum   ledger.Summary
	lang  problem.Lang
	zone  *time.Location
}

// verdicts in the order of the summary; all of them, so that a script finds
// each name in each file.
func verdicts() []ledger.Verdict {
	return []ledger.Verdict{
		ledger.VerdictQueued, ledger.VerdictRefused, ledger.VerdictDuplicate, ledger.VerdictConflict,
		ledger.VerdictSuperseded, ledger.VerdictIgnored, ledger.VerdictHeld, ledger.VerdictWaiting,
	}
}

// write writes name;value lines. Names are stable and not translated.
func (s summary) write(t rows, c Config) error {
	f := s.file
	figure := c.figure
	if c.Format == JSON || c.Format == XML { // whose decimal sign is a point
		figure = func(s string) string { return s }
	}
	t.row("name", "value")
	t.row("file", f.Name)
	t.row("take", fmt.Sprintf("%06d", f.Take))
	t.row("sha256", f.SHA256)
	t.row("mapping", f.Mapping)
	t.row("encoding", f.Encoding)
	t.row("taken_at", stamp(f.TakenAt, s.zone))
	t.row("state", string(f.State))
	if s.first != "" {
		t.row("first_file", s.first)
	}
	t.row("invoices", fmt.Sprint(s.sum.Invoices))
	for _, v := range verdicts() {
		t.row(string(v), fmt.Sprint(s.sum.Counts[v]))
	}
	for _, control := range f.Controls {
		t.row("control."+control.Name+".stated", figure(control.Stated))
		t.row("control."+control.Name+".computed", figure(control.Computed))
	}
	for i, p := range f.Problems {
		name := fmt.Sprintf("problem.%d.", i+1)
		t.row(name+"code", p.Code)
		t.row(name+"message", p.Message(s.lang))
		t.row(name+"what_to_do", p.Remedy(s.lang))
	}
	return nil // flush has the first error
}
