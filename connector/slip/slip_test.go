package slip

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"einvoice/connector"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
)

type books struct {
	issued []ledger.Issued
	files  []ledger.File
	known  []string // numbers of other days
}

func (b books) IssuedIn(context.Context, string, time.Time, time.Time) iter.Seq2[ledger.Issued, error] {
	return func(yield func(ledger.Issued, error) bool) {
		for _, i := range b.issued {
			if !yield(i, nil) {
				return
			}
		}
	}
}

func (b books) FilesIn(context.Context, time.Time, time.Time) ([]ledger.File, error) {
	return b.files, nil
}

func (b books) Find(_ context.Context, number string) (found []ledger.Invoice, _ error) {
	for _, n := range b.known {
		if n == number {
			found = append(found, ledger.Invoice{Company: "acme", Key: connector.Key{Number: n}})
		}
	}
	return found, nil
}

func dropped(number string, state ledger.State, kind string) ledger.Issued {
	a := connector.MustAmount
	i := ledger.Issued{Document: connector.Invoice{Type: kind,
		Totals: connector.Totals{Net: a("100"), Tax: a("20"), Gross: a("120")},
		Taxes:  []connector.Tax{{Rate: a("20.00"), Taxable: a("100"), Tax: a("20")}}}}
	i.FileID, i.Key.Number, i.State, i.Gross, i.Currency, i.Company = 1, number, state, a("120"), "EUR", "acme"
	return i
}

// everyState is what an evening may find.
func everyState() books {
	b := books{known: []string{"F-0004"}, files: []ledger.File{
		{ID: 1, State: ledger.FileMapped, NewFile: ledger.NewFile{Name: "lot.csv"}, Controls: []ledger.Control{{Name: "total", Stated: "120.5", Computed: "130"}, {Name: "lines", Computed: "7"}}},
		{ID: 2, State: ledger.FileFailed, NewFile: ledger.NewFile{Name: "kaputt.csv"}},
		{ID: 3, State: ledger.FileMapped, NewFile: ledger.NewFile{Name: "of-another-company.csv"}},
	}}
	for i, s := range []ledger.State{ledger.Sent, ledger.Sent, ledger.Queued, ledger.Uncertain, ledger.Sending, ledger.Waiting, ledger.Held,
		ledger.Refused, ledger.Rejected, ledger.Conflict, ledger.Duplicate, ledger.Superseded, ledger.Ignored} {
		b.issued = append(b.issued, dropped([]string{"F-0001", "F-0003", "F-0007"}[min(i, 2)], s, "380"))
	}
	b.issued = append(b.issued, dropped("A-9", ledger.Sent, "381"))
	return b
}

func TestTheFatesAddUpToWhatWasDropped(t *testing.T) {
	s, err := Draw(t.Context(), everyState(), "acme", time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	sum := Sum{}
	for _, f := range fates() {
		if one := s.Fates[f]["EUR"]; one != nil {
			n := sum.Invoices + one.Invoices
			sum.add(one.Net, one.Tax, one.Gross)
			sum.Invoices = n
		}
	}
	all := s.Dropped["EUR"]
	if sum.Invoices != all.Invoices || sum.Gross.Cmp(all.Gross) != 0 || all.Invoices != 14 {
		t.Errorf("fates add up to %d, %s; dropped were %d, %s", sum.Invoices, sum.Gross, all.Invoices, all.Gross)
	}
	if sent := s.Fates[Sent]["EUR"]; sent.Invoices != 3 || sent.Gross.String() != "120" {
		t.Errorf("sent %d, %s: the credit note counts negative", sent.Invoices, sent.Gross)
	}
	if w := s.Fates[Waiting]["EUR"]; w.Invoices != 4 {
		t.Errorf("waiting %d, want queued, uncertain, sending and waiting", w.Invoices)
	}
	if len(s.Rates) != 1 || s.Rates[0].Rate != "20" || s.Rates[0].Sum.Tax.String() != "20" {
		t.Errorf("rates %+v", s.Rates)
	}
}

func TestGapsAreNumbersThatNoExportBrought(t *testing.T) {
	s, err := Draw(t.Context(), everyState(), "acme", time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	want := []Gap{{"F-0002", "F-0002"}, {"F-0005", "F-0006"}} // 4 came another day
	if len(s.Gaps) != 2 || s.Gaps[0] != want[0] || s.Gaps[1] != want[1] {
		t.Errorf("gaps %v, want %v", s.Gaps, want)
	}
}

func TestAGapIsFoundWhereNumbersOutgrowTheirZeros(t *testing.T) {
	b := books{}
	for _, number := range []string{"F-0998", "F-1001", "F-1003", "G-9", "G-11", "H-07", "H-9"} {
		b.issued = append(b.issued, dropped(number, ledger.Sent, "380"))
	}
	s, err := Draw(t.Context(), b, "acme", time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	want := []Gap{{"F-0999", "F-1000"}, {"F-1002", "F-1002"}, {"G-10", "G-10"}} // H-9 has no zero to follow H-07
	if !slices.Equal(s.Gaps, want) {
		t.Errorf("gaps %v, want %v", s.Gaps, want)
	}
}

// counting counts what is looked up.
type counting struct {
	books
	lookups *int
}

func (c counting) Find(ctx context.Context, number string) ([]ledger.Invoice, error) {
	*c.lookups++
	return c.books.Find(ctx, number)
}

func TestNumbersThatRunAtRandomCostNoEvening(t *testing.T) {
	b, lookups := books{}, 0
	for i := range 2000 {
		b.issued = append(b.issued, dropped(fmt.Sprint("F-", 100_000+990*i), ledger.Sent, "380"))
	}
	s, err := Draw(t.Context(), counting{b, &lookups}, "acme", time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Gaps) != gapsMost || lookups > gapsMost*gapMost {
		t.Errorf("%d gaps and %d look-ups", len(s.Gaps), lookups)
	}
	var text strings.Builder
	if err := s.WriteCSV(&text, problem.French); err != nil || !strings.Contains(text.String(), "et d'autres") {
		t.Errorf("the slip does not say that there are more: %v", err)
	}
}

func TestAnAbsurdAmountCostsNoSlip(t *testing.T) {
	b := books{issued: []ledger.Issued{dropped("F-1", ledger.Sent, "380")}}
	for range 2 {
		absurd := dropped("", ledger.Refused, "380")
		absurd.Gross = connector.MustAmount("99999999999999999.99") // a bar code, perhaps
		b.issued = append(b.issued, absurd)
	}
	s, err := Draw(t.Context(), b, "acme", time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := s.WriteCSV(&text, problem.French); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Déposées;;EUR;3;;;;montants trop grands", "refusées;EUR;2;;;;montants trop grands", "transmises;EUR;1;100,00;20,00;120,00;\r\n"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
}

func TestTheSlipSaysItInBothFiles(t *testing.T) {
	s, err := Draw(t.Context(), everyState(), "acme", time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for name, write := range map[string]func(*strings.Builder) error{
		"CSV":  func(b *strings.Builder) error { return s.WriteCSV(b, problem.French) },
		"HTML": func(b *strings.Builder) error { return s.WriteHTML(b, problem.French) },
	} {
		var b strings.Builder
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"Déposées", "transmises", "120,00", "lot.csv : total TTC", "120,5 / 130 ≠", "kaputt.csv", "F-0005 – F-0006", "20 %"} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("no %q in the %s:\n%s", want, name, b.String())
			}
		}
		if strings.Contains(b.String(), "lines") {
			t.Errorf("%s compares a total that the ERP did not give", name)
		}
		if strings.Contains(b.String(), "of-another-company") {
			t.Errorf("%s names an export of another company", name)
		}
	}
	if s.Balanced() {
		t.Error("balanced, although much is left")
	}
	if got := Name("acme", "2026-05-14", ".csv"); got != "slip_acme_2026-05-14.csv" {
		t.Error(got)
	}
}
