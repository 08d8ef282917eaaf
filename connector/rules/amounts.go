package rules

import (
	"strconv"

	"einvoice/connector"
)

// The decimals that the French rules allow.
const (
	maxQuantityDecimals = 4
	maxPriceDecimals    = 6
	maxRateDecimals     = 2
)

func positivePrice(s *sheet, say report) {
	for i := range s.inv.Lines {
		if p := s.inv.Lines[i].UnitPrice; p.Or0().IsNeg() {
			say(finding{field: lineField(i, "unit_price"), bt: "BT-146", line: i + 1, value: p.String()})
		}
	}
}

// precise reports an amount with more decimals than allowed. Trailing zeros do
// not count: the API gets numbers, where 1.500 is 1.5.
func precise(say report, a connector.Amount, limit int, where func() finding) {
	if d := a.Or0(); d.Scale() <= limit || d.MinScale() <= limit { // the first is much cheaper
		return
	}
	f := where()
	f.value = a.String()
	f.expected = connector.Round(a.Or0(), limit).String()
	f.args = map[string]string{"limit": strconv.Itoa(limit)}
	say(f)
}

// preciseLines is precise for one amount of every line.
func (s *sheet) preciseLines(say report, limit int, field, bt string, amount func(*connector.Line) connector.Amount) {
	for i := range s.inv.Lines {
		precise(say, amount(&s.inv.Lines[i]), limit, func() finding {
			return finding{field: lineField(i, field), bt: bt, line: i + 1}
		})
	}
}

// amountDecimals takes what the currency has coins for: three decimals in a few,
// although EN 16931 knows two, and none in yen and CFP francs, where the totals
// are compared without them and would not add up on the wire.
func amountDecimals(s *sheet, say report) {
	limit := s.scale
	s.preciseLines(say, limit, "total_net_amount", "BT-131", func(l *connector.Line) connector.Amount { return l.Net })
	for i := range s.inv.Taxes {
		t := &s.inv.Taxes[i]
		precise(say, t.Taxable, limit, func() finding { return finding{field: taxField(i, "taxable_amount"), bt: "BT-116"} })
		precise(say, t.Tax, limit, func() finding { return finding{field: taxField(i, "tax_amount"), bt: "BT-117"} })
	}
	t := &s.inv.Totals
	total := func(a connector.Amount, field, bt string) {
		precise(say, a, limit, func() finding { return finding{field: field, bt: bt} })
	}
	total(t.Net, "total_amount_excluding_tax", "BT-109")
	total(t.Tax, "total_tax_amount", "BT-110")
	total(t.Gross, "total_amount_including_tax", "BT-112")
	total(t.Prepaid, "prepaid_amount", "BT-113")
	total(t.Rounded, "rounding_amount", "BT-114")
	total(t.Payable, "total_payable_amount", "BT-115")
}

func quantityDecimals(s *sheet, say report) {
	s.preciseLines(say, maxQuantityDecimals, "quantity", "BT-129", func(l *connector.Line) connector.Amount { return l.Quantity })
}

func priceDecimals(s *sheet, say report) {
	s.preciseLines(say, maxPriceDecimals, "unit_price", "BT-146", func(l *connector.Line) connector.Amount { return l.UnitPrice })
}

func rateDecimals(s *sheet, say report) {
	s.preciseLines(say, maxRateDecimals, "tax_rate", "BT-152", func(l *connector.Line) connector.Amount { return l.Rate })
}

// positiveCredit warns: a credit note says by its type that it takes back, and
// a negative one would add.
func positiveCredit(s *sheet, say report) {
	if g := s.inv.Totals.Gross; s.inv.IsCredit() && g.Or0().IsNeg() {
		say(finding{field: "total_amount_including_tax", bt: "BT-112", value: g.String(), expected: g.Or0().Neg().String()})
	}
}
