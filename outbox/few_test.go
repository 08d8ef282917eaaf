package outbox

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"einvoice/connector/ledger"
	"einvoice/connector/problem"
)

// lot is a drop full of small exports that have to do with each other.
func lot() [][2]string {
	body := header + row("C1", "10.00")
	all := [][2]string{
		{"01.csv", body},
		{"02.csv", header + row("C1", "10.00")},                  // a duplicate of the one before
		{"03.csv", header + row("C1", "11.00")},                  // which takes its place
		{"04.csv", header + row("C2", "20.00") + row("C3", "x")}, // one refused
		{"05.csv", header + row("C4", "1100.00")},                // a hundred times 03, the buyer's last but one
		{"06.csv", "nothing that a mapping knows\n"},             // refused as a whole
		{"07.csv", header + row("C5", "10.00") + row("C6", "10.00")},
		{"08.csv", header + row("C7", "1000.00")},                    // a hundred times what came just before
		{"09.csv", header + row("C8", "10.00") + row("C8", "12.00")}, // of two lines
		{"11.csv", body}, // the first one again
		{"12.csv", header + row("C9", "10.00")},
	}
	large := header
	for i := range stageBatch + 20 { // in the middle of them, one that is not small
		large += row(fmt.Sprint("L", i), "10.00")
	}
	return slices.Insert(all, 9, [2]string{"10.csv", large})
}

// outcome is what became of all invoices and exports.
func (r *rig) outcome() string {
	r.t.Helper()
	var all []string
	files := r.files()
	slices.Reverse(files)
	for _, f := range files {
		all = append(all, fmt.Sprintf("%s take %d %s %s %s %v", f.Name, f.Take, f.State, f.Mapping, f.Encoding, f.Controls))
		for _, p := range f.Problems {
			all = append(all, "  "+p.Code)
		}
		for inv, err := range r.Ledger.InvoicesOf(context.Background(), f.ID) {
			r.must(err)
			line := fmt.Sprintf("  %s %s %s %s first %d", inv.Key.Number, inv.Verdict, inv.State, inv.Gross, inv.FirstID)
			for _, p := range inv.Problems {
				line += " " + p.Code + " " + p.Message(problem.English)
			}
			all = append(all, line)
		}
		pubs, err := r.Ledger.PublicationsOf(context.Background(), f.ID)
		r.must(err)
		for _, p := range pubs {
			all = append(all, fmt.Sprintf("  %s %d-%d", p.Name, p.SeqFrom, p.SeqTo))
		}
	}
	return strings.Join(all, "\n")
}

// TestTogetherOrOneByOneIsTheSame: exports that are released in one commit meet
// each other, and what was let go before, as if each had come alone.
func TestTogetherOrOneByOneIsTheSame(t *testing.T) {
	history := func(s *Safety) { s.OtherYear = "send" }
	alone, together := newSafeRig(t, history), newSafeRig(t, history)
	for _, r := range []*rig{alone, together} {
		r.drop("00.csv", header+row("A1", "10.00")+row("A2", "10.00")+row("A3", "10.00"))
		r.intake()
	}
	for _, f := range lot() {
		alone.drop(f[0], f[1])
		alone.intake()
		together.drop(f[0], f[1])
	}
	together.intake()
	want, got := alone.outcome(), together.outcome()
	if want != got {
		t.Errorf("one by one:\n%s\ntogether:\n%s", want, got)
	}
	for _, code := range []string{"E5305", "E5306", "E5001", "SUPERSEDED", "REFUSED"} {
		if !strings.Contains(strings.ToUpper(want), code) {
			t.Errorf("nothing in the lot is %s:\n%s", code, want)
		}
	}
}

func TestSmallPlainExportsAtTheHeadAreReleasedTogether(t *testing.T) {
	r := newRig(t, nil)
	for _, f := range lot()[:7] {
		r.drop(f[0], f[1])
	}
	r.must(r.scan(t.Context(), r.Drops[0]))
	files, err := r.Ledger.FilesToMap(t.Context())
	r.must(err)
	for _, c := range []struct{ from, want int }{{0, 5}, {5, 0}, {6, 0}} { // up to the unreadable one; it, and one alone, go the ordinary way
		if n, err := r.mapFew(t.Context(), files[c.from:]); n != c.want || err != nil {
			t.Errorf("from %d: %d, %v; want %d", c.from, n, err, c.want)
		}
	}
	r.must(r.mapFiles(t.Context()))
	if left, err := r.Ledger.FilesToMap(t.Context()); err != nil || len(left) != 0 {
		t.Errorf("not mapped: %v, %v", left, err)
	}
}

// TestOneThatCannotBeReadNowKeepsNoOther: the spool lost the bytes of one.
func TestOneThatCannotBeReadNowKeepsNoOther(t *testing.T) {
	r := newRig(t, nil)
	for i := range 5 {
		r.drop(fmt.Sprint(i, ".csv"), header+row(fmt.Sprint("F", i), "10.00"))
	}
	r.must(r.scan(t.Context(), r.Drops[0]))
	lost := r.Spool.Path(r.files()[2].SHA256)
	r.must(os.Rename(lost, lost+".away"))
	if err := r.mapFiles(t.Context()); err == nil || !strings.Contains(err.Error(), "map 2.csv") {
		t.Errorf("error %v", err)
	}
	r.want("F1", ledger.Queued)
	r.want("F4", ledger.Queued)
	r.must(os.Rename(lost+".away", lost))
	r.must(r.mapFiles(t.Context()))
	r.want("F2", ledger.Queued)
}

// TestWhatAnInterruptedMappingStagedIsGone: the same invoice is not there twice.
func TestWhatAnInterruptedMappingStagedIsGone(t *testing.T) {
	r := newRig(t, nil)
	for i := range 2 {
		r.drop(fmt.Sprint(i, ".csv"), header+row(fmt.Sprint("F", i), "10.00"))
	}
	r.must(r.scan(t.Context(), r.Drops[0]))
	f := r.files()[0]
	r.stage(f, ledger.StagedInvoice{Ordinal: 1, Company: "acme", Verdict: ledger.VerdictQueued})
	r.must(r.mapFiles(t.Context()))
	r.want("F1", ledger.Queued)
	if n, err := r.Ledger.SummaryOf(t.Context(), f.ID); err != nil || n.Invoices != 1 {
		t.Errorf("%+v, %v", n, err)
	}
}
