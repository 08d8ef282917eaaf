package rules

import (
	"cmp"

	"github.com/govalues/decimal"

	"einvoice/connector"
)

// lineSlack is Peppol's tolerance of a line, in smallest coins: ERPs print
// prices with fewer digits than they compute with.
const lineSlack = 2

// computable speaks for all rules of this file: where amounts are too large to
// be exact, they say nothing.
func computable(s *sheet, say report) {
	if s.tooLarge {
		say(finding{field: "total_amount_including_tax", bt: "BT-112", value: s.inv.Totals.Gross.String()})
	}
}

// differ reports a stated amount that is not the computed one, both to the
// smallest coin. An amount that is absent counts as 0.
func (s *sheet) differ(say report, stated connector.Amount, computed decimal.Decimal, where func() finding) {
	computed = s.round(computed)
	if s.tooLarge || s.round(stated.Or0()).Equal(computed) {
		return
	}
	f := where()
	f.value, f.expected = stated.String(), computed.String()
	say(f)
}

func lineNet(s *sheet, say report) {
	for i := range s.inv.Lines {
		l := &s.inv.Lines[i]
		if s.tooLarge || !l.Quantity.Present() || !l.UnitPrice.Present() {
			continue
		}
		net, err := l.Quantity.Or0().Mul(l.UnitPrice.Or0())
		if err == nil && apart(l.Net.Or0(), net).Cmp(s.coins(lineSlack)) <= 0 {
			continue
		}
		say(finding{field: lineField(i, "total_net_amount"), bt: "BT-131", line: i + 1,
			value: l.Net.String(), expected: s.round(net).String(),
			args: map[string]string{"quantity": l.Quantity.String(), "price": l.UnitPrice.String()}})
	}
}

// apart is the distance of two amounts, both short enough not to overflow.
func apart(a, b decimal.Decimal) decimal.Decimal {
	gap, err := a.SubAbs(b)
	if err != nil {
		return a.Abs().Max(b.Abs())
	}
	return gap
}

func netTotal(s *sheet, say report) {
	s.differ(say, s.inv.Totals.Net, s.lineSum, func() finding {
		return finding{field: "total_amount_excluding_tax", bt: "BT-109"}
	})
}

// rateInBreakdown wants every category and rate of a line in the breakdown.
func rateInBreakdown(s *sheet, say report) {
	for i := range s.groups {
		if g := &s.groups[i]; g.stated == 0 && !s.tooLarge {
			say(finding{field: "tax_subtotals", bt: "BG-23", expected: g.rate.String(),
				rule: official("BR-S-01", g.category)})
		}
	}
}

// taxableAmount is exact: UBL would tolerate almost one euro, but CII, which is
// what Factur-X carries, tolerates nothing.
func taxableAmount(s *sheet, say report) {
	for i := range s.groups {
		g := &s.groups[i]
		if g.stated == 0 {
			continue
		}
		s.differ(say, connector.AmountOf(g.taxable), g.sum, func() finding {
			return finding{field: taxField(g.first, "taxable_amount"), bt: "BT-116",
				rule: official("BR-S-08", g.category), args: map[string]string{"rate": g.rate.String()}}
		})
	}
}

// official names the rule of another category: BR-S-08 is BR-AE-08 for AE, and
// BR-IC-08 for K.
func official(rule, category string) string {
	const prefix, standard = "BR-", "S"
	switch category {
	case "", standard:
		return rule
	case "K":
		category = "IC"
	}
	return prefix + category + rule[len(prefix)+len(standard):]
}

// taxAmount tolerates less than one whole unit of the currency, as BR-CO-17
// does: ERPs that round VAT on every line drift by cents.
func taxAmount(s *sheet, say report) {
	for i := range s.inv.Taxes {
		t := &s.inv.Taxes[i]
		if want, ok := s.vat(t); ok && apart(t.Tax.Or0(), want).Cmp(decimal.One) >= 0 {
			say(taxFinding(i, t, want))
		}
	}
}

// taxDrift warns where VAT is further from base x rate than rounding every line
// explains: the platform may compute it again and disagree.
func taxDrift(s *sheet, say report) {
	for i := range s.inv.Taxes {
		t := &s.inv.Taxes[i]
		want, ok := s.vat(t)
		if !ok {
			continue
		}
		gap := apart(t.Tax.Or0(), want)
		lines := max(1, s.group(t.Category, t.Rate.Or0()).lines)
		if gap.Cmp(s.coins(int64(lines))) > 0 && gap.Cmp(decimal.One) < 0 {
			say(taxFinding(i, t, want))
		}
	}
}

// vat is the VAT of an entry of the breakdown as computed; ok is false where it
// cannot be.
func (s *sheet) vat(t *connector.Tax) (want decimal.Decimal, ok bool) {
	if s.tooLarge {
		return decimal.Zero, false
	}
	vat, err := connector.Percent(t.Taxable.Or0(), t.Rate.Or0())
	return s.round(vat), err == nil
}

func taxFinding(i int, t *connector.Tax, want decimal.Decimal) finding {
	return finding{field: taxField(i, "tax_amount"), bt: "BT-117", value: t.Tax.String(), expected: want.String(),
		args: map[string]string{"rate": t.Rate.String(), "base": t.Taxable.String()}}
}

// noTaxAtZero is exact, unlike BR-CO-17: 0 % of anything is 0.
func noTaxAtZero(s *sheet, say report) {
	for i := range s.inv.Taxes {
		t := &s.inv.Taxes[i]
		if !t.Rate.Or0().IsZero() {
			continue
		}
		s.differ(say, t.Tax, decimal.Zero, func() finding {
			return finding{field: taxField(i, "tax_amount"), bt: "BT-117", rule: official("BR-S-09", cmp.Or(t.Category, "Z"))}
		})
	}
}

func taxTotal(s *sheet, say report) {
	s.differ(say, s.inv.Totals.Tax, s.taxSum, func() finding {
		return finding{field: "total_tax_amount", bt: "BT-110"}
	})
}

func grossTotal(s *sheet, say report) {
	t := &s.inv.Totals
	gross, _ := t.Net.Or0().Add(t.Tax.Or0()) // bounded by tooLarge
	s.differ(say, t.Gross, gross, func() finding {
		return finding{field: "total_amount_including_tax", bt: "BT-112",
			args: map[string]string{"net": t.Net.String(), "tax": t.Tax.String()}}
	})
}

func payable(s *sheet, say report) {
	t := &s.inv.Totals
	due, _ := t.Due() // bounded by tooLarge
	s.differ(say, t.Payable, due, func() finding {
		return finding{field: "total_payable_amount", bt: "BT-115",
			args: map[string]string{"gross": t.Gross.String(), "prepaid": cmp.Or(t.Prepaid.String(), "0")}}
	})
}
