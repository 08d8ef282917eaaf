package rules

import (
	"strconv"

	"einvoice/connector"
)

// The decimals that the French rules allow.
const (
	maxAmountDecimals   = 2
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
func precise(say report, a connector.Amount, limit int, f finding) {
	if a.Or0().MinScale() <= limit {
		return
	}
	f.value = a.String()
	f.expected = connector.Round(a.Or0(), limit).String()
	f.args = map[string]string{"limit": strconv.Itoa(limit)}
	say(f)
}

// amountDecimals grants the few currencies with three decimals their coin,
// although EN 16931 knows two.
func amountDecimals(s *sheet, say report) {
	limit := max(maxAmountDecimals, s.scale)
	for i := range s.inv.Lines {
		precise(say, s.inv.Lines[i].Net, limit, finding{field: lineField(i, "total_net_amount"), bt: "BT-131", line: i + 1})
	}
	for i := range s.inv.Taxes {
		t := &s.inv.Taxes[i]
		precise(say, t.Taxable, limit, finding{field: taxField(i, "taxable_amount"), bt: "BT-116"})
		precise(say, t.Tax, limit, finding{field: taxField(i, "tax_amount"), bt: "BT-117"})
	}
	t := &s.inv.Totals
	precise(say, t.Net, limit, finding{field: "total_amount_excluding_tax", bt: "BT-109"})
	precise(say, t.Tax, limit, finding{field: "total_tax_amount", bt: "BT-110"})
	precise(say, t.Gross, limit, finding{field: "total_amount_including_tax", bt: "BT-112"})
	precise(say, t.Prepaid, limit, finding{field: "prepaid_amount", bt: "BT-113"})
	precise(say, t.Payable, limit, finding{field: "total_payable_amount", bt: "BT-115"})
}

func quantityDecimals(s *sheet, say report) {
	for i := range s.inv.Lines {
		precise(say, s.inv.Lines[i].Quantity, maxQuantityDecimals, finding{field: lineField(i, "quantity"), bt: "BT-129", line: i + 1})
	}
}

func priceDecimals(s *sheet, say report) {
	for i := range s.inv.Lines {
		precise(say, s.inv.Lines[i].UnitPrice, maxPriceDecimals, finding{field: lineField(i, "unit_price"), bt: "BT-146", line: i + 1})
	}
}

func rateDecimals(s *sheet, say report) {
	for i := range s.inv.Lines {
		precise(say, s.inv.Lines[i].Rate, maxRateDecimals, finding{field: lineField(i, "tax_rate"), bt: "BT-152", line: i + 1})
	}
}

// positiveCredit warns: a credit note says by its type that it takes back, and
// a negative one would add.
func positiveCredit(s *sheet, say report) {
	if g := s.inv.Totals.Gross; s.inv.IsCredit() && g.Or0().IsNeg() {
		say(finding{field: "total_amount_including_tax", bt: "BT-112", value: g.String(), expected: g.Or0().Neg().String()})
	}
}
