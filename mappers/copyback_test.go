package mappers

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"einvoice/connector/problem"
)

// fateOf is what an invoice came to, but for where it stands.
func fateOf(r Result) string {
	var codes []string
	for _, p := range r.Problems {
		if p.Code == codeRagged {
			return p.Code // what follows stands in other columns now
		}
		codes = append(codes, p.Code+" "+p.Field+" "+p.Value)
	}
	inv := r.Invoice
	return fmt.Sprintf("%q %q %q %q %v %v %s", inv.Number, inv.IssueDate, inv.Buyer.Name, r.Ignored, inv.Lines, inv.Totals, strings.Join(codes, ", "))
}

func ragged(fates []string) bool { return contains(fates, codeRagged) }

// alone tells that what became of a document had nothing to do with another one.
func alone(r Result) bool {
	if r.Spoils != 0 {
		return false
	}
	for _, p := range r.Problems {
		if p.Code == codeKeyAgain || p.Code == codeTwice || p.Code == codeNoHead {
			return false
		}
	}
	return true
}

// copiedBack writes the copy of all documents, or of each second or third, reads
// it by the same mapping and wants the same invoices, with the same problems.
func copiedBack(t *testing.T, m *Mapping, e Export, results []Result, report Report, every int, back string) {
	var want []string
	for _, r := range results {
		if !alone(r) {
			return // alone, its fate would be another
		}
		if r.Ordinal%every == 0 {
			want = append(want, fateOf(r))
		}
	}
	if len(want) == 0 {
		return
	}
	var out bytes.Buffer
	failing := func(n int) ([]problem.Problem, bool) { return results[n-1].Problems, n%every == 0 }
	if err := m.WriteCopy(context.Background(), e, failing, &out, CopyOptions{Lang: problem.French}); err != nil {
		t.Fatalf("write copy: %v", err)
	}
	again, second, err := readAll(t, m, exportOf(back, out.Bytes()))
	if err != nil {
		t.Fatalf("read copy: %v\n%q", err, out.Bytes())
	}
	if second.Encoding != report.Encoding {
		return // nothing said which it was, and the rows that told are not in the copy
	}
	if ragged(want) {
		// Such a row keeps its cells and is refused again; what it is taken for
		// by then is all one.
		for _, r := range again {
			if !r.Refused() && !contains(want, fateOf(r)) {
				t.Fatalf("mended by copying: %v\n%q", r, out.Bytes())
			}
		}
		return
	}
	if len(again) != len(want) {
		t.Fatalf("%d documents, %d in the copy (%v)\n%q", len(want), len(again), second.Problems, out.Bytes())
	}
	for i, r := range again {
		if got := fateOf(r); got != want[i] {
			t.Fatalf("document %d\n was %s\n  is %s\n%q", i, want[i], got, out.Bytes())
		}
	}
}
