package outbox

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"einvoice/connector/drop"
)

// shape is how many lines each invoice of the export has.
var shape = []int{1, 3, 2, 1, 4}

// wholeExport is an export without totals; prefix makes its numbers its own.
func wholeExport(prefix string) string {
	text := header
	for i, lines := range shape {
		for line := range lines {
			text += strings.Replace(row(fmt.Sprintf("%s-%d", prefix, i), fmt.Sprint(100+line)), ";Vis;", fmt.Sprintf(";Vis %d;", line), 1)
		}
	}
	return text
}

// TestACutExportNeverSendsAnInvoiceWithTooFewLines cuts an export that has no
// end of its own after each row, and inside of each: the longer file comes while
// the last invoice waits, under the same name or another.
func TestACutExportNeverSendsAnInvoiceWithTooFewLines(t *testing.T) {
	r := newRig(t, func(_ *Options, cfg *drop.Config) { cfg.Complete = drop.Settle })
	r.sweep()
	hold := r.Drops[0].Config.TailHold.Std()
	arrive := func(name, content string) {
		r.drop(name, content)
		r.intake() // seen
		r.clock.add(r.Drops[0].Config.Settle.Std())
		r.intake() // unchanged since: taken
		r.sendAll()
	}
	cuts := 0
	for at := range wholeExport("00000") {
		whole := wholeExport(fmt.Sprintf("%05d", at))
		end, _, _ := strings.Cut(whole[at:], "\n")
		if at < len(header) || end != "" && end != "0" && end != ";20" { // after a row, within its last cell, and before it
			continue
		}
		cuts++
		cut := whole[:at]
		if whole[at] == '\n' {
			cut = whole[:at+1]
		}
		name := fmt.Sprintf("export%05d.csv", at)
		arrive(name, cut)
		r.clock.add(hold - time.Minute)
		r.sendAll()
		if at%2 == 0 {
			name = "again_" + name
		}
		arrive(name, whole)
		r.clock.add(2 * hold)
		r.sendAll()
		for i := range shape {
			number := fmt.Sprintf("%05d-%d", at, i)
			if n := r.api.posts[number]; n != 1 {
				t.Errorf("cut at %d: %s was sent %d times and is %s", at, number, n, r.state(number))
			}
		}
	}
	for _, remote := range r.api.invoices {
		var prefix, i int
		if _, err := fmt.Sscanf(remote.Invoice.Number, "%d-%d", &prefix, &i); err != nil {
			t.Fatal(err)
		}
		if got := len(remote.Invoice.Lines); got != shape[i] {
			t.Errorf("%s was sent with %d of %d lines", remote.Invoice.Number, got, shape[i])
		}
		for _, l := range remote.Invoice.Lines {
			if l.Rate.String() != "20" {
				t.Errorf("%s was sent with a rate of %s", remote.Invoice.Number, l.Rate)
			}
		}
	}
	if rows := strings.Count(wholeExport("00000"), "\n"); cuts < 3*(rows-1) {
		t.Errorf("only %d cuts in %d rows", cuts, rows)
	}
	t.Logf("%d cuts, %d invoices sent", cuts, len(r.api.invoices))
}
