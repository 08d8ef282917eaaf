package rules

import (
	"fmt"
	"testing"

	"github.com/govalues/decimal"
	"pgregory.net/rapid"

	"einvoice/connector"
	"einvoice/connector/problem"
)

func arithmeticCases() map[string][]situation {
	totals := func(f func(*connector.Totals)) change { return inv(func(i *connector.Invoice) { f(&i.Totals) }) }
	tax := func(f func(*connector.Tax)) change { return inv(func(i *connector.Invoice) { f(&i.Taxes[0]) }) }
	yen := func(i *connector.Invoice) { i.Currency, i.Lines[0].UnitPrice = "JPY", am("2550") }
	return map[string][]situation{
		"E3101": {
			{name: "three cents off", before: line(func(l *connector.Line) { l.Net = am("51.03") }), field: "invoice_lines[0].total_net_amount", value: "51.03", expect: "51.00"},
			{name: "two cents off", before: line(func(l *connector.Line) { l.Net = am("51.02") })},
			{name: "three yen off", before: inv(func(i *connector.Invoice) { yen(i); i.Lines[0].Net = am("5103") }), field: "invoice_lines[0].total_net_amount", value: "5103", expect: "5100"},
			{name: "two yen off", before: inv(func(i *connector.Invoice) { yen(i); i.Lines[0].Net = am("5102") })},
		},
		"E3102": {
			{name: "a cent off", before: totals(func(t *connector.Totals) { t.Net = am("51.01") }), field: "total_amount_excluding_tax", value: "51.01", expect: "51.00"},
			{name: "written with fewer zeros", before: totals(func(t *connector.Totals) { t.Net = am("51") })},
		},
		"E3103": {
			{name: "a cent off", after: tax(func(x *connector.Tax) { x.Taxable = am("51.01") }), field: "tax_subtotals[0].taxable_amount", value: "51.01", expect: "51.00"},
			{name: "a rate no line has", after: inv(func(i *connector.Invoice) {
				i.Taxes = append(i.Taxes, connector.Tax{Category: "S", Rate: am("10"), Taxable: am("5"), Tax: am("0.50")})
			}), field: "tax_subtotals[1].taxable_amount", value: "5.00", expect: "0.00"},
			{name: "breakdown without categories", after: tax(func(x *connector.Tax) { x.Category = "" })},
		},
		"E3104": {
			{name: "a euro off", before: inv(func(i *connector.Invoice) {
				i.Taxes = []connector.Tax{{Category: "S", Rate: am("20"), Taxable: am("51"), Tax: am("11.20")}}
			}), field: "tax_subtotals[0].tax_amount", value: "11.20", expect: "10.20"},
			{name: "99 cents off", before: inv(func(i *connector.Invoice) {
				i.Taxes = []connector.Tax{{Category: "S", Rate: am("20"), Taxable: am("51"), Tax: am("11.19")}}
			})},
		},
		"E3120": {
			{name: "more than rounding explains", before: inv(func(i *connector.Invoice) {
				i.Taxes = []connector.Tax{{Category: "S", Rate: am("20"), Taxable: am("51"), Tax: am("10.22")}}
			}), field: "tax_subtotals[0].tax_amount", value: "10.22", expect: "10.20"},
			{name: "a cent a line", before: inv(func(i *connector.Invoice) {
				i.Taxes = []connector.Tax{{Category: "S", Rate: am("20"), Taxable: am("51"), Tax: am("10.21")}}
			})},
		},
		"E3105": {
			{name: "a cent off", after: totals(func(t *connector.Totals) { t.Tax = am("10.21") }), field: "total_tax_amount", value: "10.21", expect: "10.20"},
			{name: "agrees", before: totals(func(t *connector.Totals) { t.Tax = am("10.2") })},
			{name: "rounded line by line, without a breakdown", before: totals(func(t *connector.Totals) { t.Tax = am("10.22") })},
		},
		"E3106": {
			{name: "a cent off", before: totals(func(t *connector.Totals) { t.Gross = am("61.21") }), field: "total_amount_including_tax", value: "61.21", expect: "61.20"},
			{name: "agrees", before: totals(func(t *connector.Totals) { t.Gross = am("61.2") })},
		},
		"E3107": {
			{name: "prepaid forgotten", before: totals(func(t *connector.Totals) { t.Prepaid, t.Payable = am("20"), am("61.20") }), field: "total_payable_amount", value: "61.20", expect: "41.20"},
			{name: "agrees", before: totals(func(t *connector.Totals) { t.Prepaid, t.Payable = am("20"), am("41.20") })},
			{name: "rounded to whole euros", before: totals(func(t *connector.Totals) { t.Rounded, t.Payable = am("-0.20"), am("61") })},
		},
		"E3108": {
			{name: "a cent at 0 %", before: zero("E", "art. 261 CGI"), after: tax(func(x *connector.Tax) { x.Tax = am("0.01") }), field: "tax_subtotals[0].tax_amount", value: "0.01", expect: "0.00"},
			{name: "nothing at 0 %", before: zero("E", "art. 261 CGI")},
		},
		"E3109": {
			{name: "another rate in the breakdown", after: tax(func(x *connector.Tax) { x.Rate = am("10") }), field: "tax_subtotals", expect: "20"},
			{name: "another category in the breakdown", before: zero("E", "art. 261 CGI"), after: tax(func(x *connector.Tax) { x.Category = "G" }), field: "tax_subtotals", expect: "0"},
			{name: "no category at 0 % in the export", before: zero("", ""), after: tax(func(x *connector.Tax) { x.Category = "E" })},
			{name: "rate written with zeros", after: tax(func(x *connector.Tax) { x.Rate = am("20.00") })},
		},
		"E3112": {
			{name: "thirteen digits", after: totals(func(t *connector.Totals) { t.Gross = am("1000000000000") }), field: "total_amount_including_tax", value: "1000000000000"},
			{name: "a product that long", before: line(func(l *connector.Line) {
				l.Quantity, l.UnitPrice, l.Net = am("10000000"), am("10000000"), am("1")
			}), field: "total_amount_including_tax", value: "1.20"},
			{name: "twelve digits", before: line(func(l *connector.Line) { l.Quantity, l.UnitPrice = am("1"), am("800000000000.01") })},
		},
	}
}

func TestBreakdownRulesAreNamedAfterTheirCategory(t *testing.T) {
	for category, want := range map[string]string{"": "BR-S-08", "S": "BR-S-08", "E": "BR-E-08", "AE": "BR-AE-08", "K": "BR-IC-08", "O": "BR-O-08"} {
		if got := official("BR-S-08", category); got != want {
			t.Errorf("category %q: got %s, want %s", category, got, want)
		}
	}
}

func TestNoSettingWeakensArithmetic(t *testing.T) {
	ctx := context()
	ctx.Config.Severity = map[string]string{}
	for _, r := range Catalogue() {
		ctx.Config.Severity[r.Code] = "off"
	}
	i := smallest()
	i.Totals.Gross = am("61.21")
	if err := i.Complete(); err != nil {
		t.Fatal(err)
	}
	if ps := withCode(Check(i, ctx), "E3106"); len(ps) != 1 || ps[0].Severity != problem.Refuse {
		t.Errorf("got %v, want a refusal", ps)
	}
}

// invoices draws invoices as an ERP would export them: with or without net
// amounts of lines, breakdown and totals to derive.
func invoices() *rapid.Generator[*connector.Invoice] {
	return rapid.Custom(func(t *rapid.T) *connector.Invoice {
		i := smallest()
		i.Currency = rapid.SampledFrom([]string{"EUR", "USD", "JPY", "TND"}).Draw(t, "currency")
		i.Type = rapid.SampledFrom([]string{"380", "381"}).Draw(t, "type")
		i.Lines = rapid.SliceOfN(lines(), 1, 12).Draw(t, "lines")
		if rapid.Bool().Draw(t, "prepaid") {
			i.Totals.Prepaid = connector.AmountOf(decimal.MustNew(rapid.Int64Range(0, 1e6).Draw(t, "paid"), connector.MinorUnit(i.Currency)))
		}
		return i
	})
}

func lines() *rapid.Generator[connector.Line] {
	return rapid.Custom(func(t *rapid.T) connector.Line {
		vat := rapid.SampledFrom([]struct{ category, rate string }{
			{"S", "20"}, {"", "20.00"}, {"S", "5.5"}, {"", "2.1"}, {"E", "0"}, {"AE", "0"}, {"Z", "0.0"}, {"", "0"},
		}).Draw(t, "vat")
		return connector.Line{
			Description: "Planche",
			Quantity:    connector.AmountOf(decimal.MustNew(rapid.Int64Range(-1e5, 1e5).Draw(t, "quantity"), rapid.IntRange(0, 4).Draw(t, "scale"))),
			UnitPrice:   connector.AmountOf(decimal.MustNew(rapid.Int64Range(0, 99999).Draw(t, "price"), rapid.IntRange(0, 6).Draw(t, "decimals"))),
			Category:    vat.category, Rate: am(vat.rate),
		}
	})
}

func arithmetic(ps []problem.Problem) (codes []string) {
	for _, p := range ps {
		if p.Code >= "E3100" && p.Code < "E3200" {
			codes = append(codes, fmt.Sprintf("%s %s %s/%s", p.Code, p.Field, p.Value, p.Expected))
		}
	}
	return codes
}

func TestDerivedTotalsNeverDisagree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i := invoices().Draw(t, "invoice")
		if err := i.Complete(); err != nil {
			t.Fatal(err)
		}
		if got := arithmetic(Check(i, context())); len(got) > 0 {
			t.Fatalf("complains: %v", got)
		}
	})
}

func TestAnyAmountChangedByACoinIsRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i := invoices().Draw(t, "invoice")
		if err := i.Complete(); err != nil {
			t.Fatal(err)
		}
		amounts := []*connector.Amount{&i.Totals.Net, &i.Totals.Tax, &i.Totals.Gross, &i.Totals.Prepaid, &i.Totals.Rounded, &i.Totals.Payable}
		for n := range i.Taxes {
			amounts = append(amounts, &i.Taxes[n].Taxable, &i.Taxes[n].Tax)
		}
		for n := range i.Lines {
			amounts = append(amounts, &i.Lines[n].Net)
		}
		a := amounts[rapid.IntRange(0, len(amounts)-1).Draw(t, "which")]
		coins := rapid.SampledFrom([]int64{-100000, -100, -1, 1, 100, 100000}).Draw(t, "coins")
		changed, err := a.Or0().Add(decimal.MustNew(coins, connector.MinorUnit(i.Currency)))
		if err != nil {
			t.Fatal(err)
		}
		*a = connector.AmountOf(changed)
		for _, p := range Check(i, context()) {
			if p.Code >= "E3100" && p.Code < "E3120" && p.Severity == problem.Refuse {
				return
			}
		}
		t.Fatal("nobody complains")
	})
}

// A price or a quantity that moves the product by more than the slack, and the
// half coin that rounding adds to it, is refused as well.
func TestAPriceOrQuantityChangedBeyondTheSlackIsRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i := invoices().Draw(t, "invoice")
		if err := i.Complete(); err != nil {
			t.Fatal(err)
		}
		n := rapid.IntRange(0, len(i.Lines)-1).Draw(t, "line")
		l := &i.Lines[n]
		changed, other := &l.UnitPrice, l.Quantity
		if rapid.Bool().Draw(t, "quantity instead") {
			changed, other = &l.Quantity, l.UnitPrice
		}
		by := decimal.MustNew(rapid.Int64Range(-100000, 100000).Draw(t, "by"), 2)
		moved, err := by.Mul(other.Or0())
		if err != nil || moved.Abs().Cmp(decimal.MustNew(10*lineSlack+5, connector.MinorUnit(i.Currency)+1)) <= 0 {
			t.Skip("within the slack")
		}
		after, err := changed.Or0().Add(by)
		if err != nil {
			t.Fatal(err)
		}
		*changed = connector.AmountOf(after)
		if ps := withCode(Check(i, context()), "E3101"); len(ps) == 0 || ps[0].Severity != problem.Refuse {
			t.Fatal("nobody complains")
		}
	})
}

func TestAnExportMayRoundVATByLine(t *testing.T) {
	i := smallest()
	i.Lines = nil
	for range 40 { // 0.13 at 20 % is 0.026: 0.03 by line, 1.20 in all, against 1.04
		i.Lines = append(i.Lines, connector.Line{Description: "Vis", Quantity: am("1"), UnitPrice: am("0.13"), Category: "S", Rate: am("20")})
	}
	i.Taxes = []connector.Tax{{Category: "S", Rate: am("20"), Taxable: am("5.20"), Tax: am("1.20")}}
	if err := i.Complete(); err != nil {
		t.Fatal(err)
	}
	if ps := Check(i, context()); len(ps) > 0 {
		t.Errorf("got %v", ps)
	}
}

// What a sound invoice costs must not depend on its lines nor on the number of
// rules: a closure for each rule was half of the time.
func TestASoundInvoiceCostsFewAllocations(t *testing.T) {
	i, ctx := smallest(), context()
	for range 99 {
		i.Lines = append(i.Lines, i.Lines[0])
	}
	if err := i.Complete(); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() { Check(i, ctx) }); n > 8 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkCheck measures one core, of completed invoices that nothing is wrong
// with. The wanted 100,000 a second are for invoices of three lines; ERPs' files
// have two to four on average.
func BenchmarkCheck(b *testing.B) {
	for _, lines := range []int{1, 3, 10} {
		b.Run(fmt.Sprintf("lines=%d", lines), func(b *testing.B) {
			i, ctx := smallest(), context()
			i.Means, i.IBAN, i.BIC, i.Buyer.VATID = "30", "FR7630006000011234567890189", "AGRIFRPP882", "FR44732829320"
			for range lines - 1 {
				i.Lines = append(i.Lines, i.Lines[0])
			}
			if err := i.Complete(); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if len(Check(i, ctx)) > 0 {
					b.Fatal("complains")
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "invoices/s")
		})
	}
}
