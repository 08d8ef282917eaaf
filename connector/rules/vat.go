package rules

import (
	"github.com/govalues/decimal"

	"einvoice/connector"
)

// These rules look at lines only: a breakdown that differs from its lines in
// category or rate is a matter of arithmetic.

// lineRates visits the lines that state a rate.
func (s *sheet) lineRates(visit func(i int, l *connector.Line)) {
	for i := range s.inv.Lines {
		if l := &s.inv.Lines[i]; l.Rate.Present() {
			visit(i, l)
		}
	}
}

func rateFinding(i int, l *connector.Line) finding {
	return finding{field: lineField(i, "tax_rate"), bt: "BT-152", line: i + 1, value: l.Rate.String(),
		args: map[string]string{"category": l.Category}}
}

func standardRate(s *sheet, say report) {
	s.lineRates(func(i int, l *connector.Line) {
		if sign := l.Rate.Or0().Sign(); sign < 0 || sign == 0 && l.Category == "S" {
			say(rateFinding(i, l))
		}
	})
}

func zeroRate(s *sheet, say report) {
	s.lineRates(func(i int, l *connector.Line) {
		switch l.Category {
		case "Z", "E", "AE", "K", "G":
		default:
			return
		}
		if l.Rate.Or0().IsPos() {
			f := rateFinding(i, l)
			f.expected, f.rule = "0", official("BR-S-05", l.Category)
			say(f)
		}
	})
}

// outsideRate lets 0 pass for "no rate": exports and the API have a column for
// it that cannot be left out.
func outsideRate(s *sheet, say report) {
	s.lineRates(func(i int, l *connector.Line) {
		if l.Category == "O" && l.Rate.Or0().IsPos() {
			say(rateFinding(i, l))
		}
	})
}

// fractionRate catches 0.2 for 20 %: without stated totals nothing else would,
// and the invoice would go with a hundredth of its VAT.
func fractionRate(s *sheet, say report) {
	s.lineRates(func(i int, l *connector.Line) {
		if l.Rate.Or0().IsPos() && belowLowest(l.Rate.Or0()) {
			say(rateFinding(i, l))
		}
	})
}

// belowLowest tells whether a rate is below 0.9 %, the lowest that France knows.
func belowLowest(rate decimal.Decimal) bool { return rate.Less(decimal.MustNew(9, 1)) }

func frenchRate(s *sheet, say report) {
	s.lineRates(func(i int, l *connector.Line) {
		if r := l.Rate.Or0(); !belowLowest(r) && !isFrenchRate(r) { // others refuse what is below
			say(rateFinding(i, l))
		}
	})
}

// isFrenchRate knows the rates of the mainland, overseas, Corsica and the past.
func isFrenchRate(rate decimal.Decimal) bool {
	whole, hundredths, ok := rate.Int64(2)
	if !ok || rate.MinScale() > 2 {
		return false
	}
	switch whole*100 + hundredths {
	case 2000, 1000, 550, 210, 850, 175, 105, 1300, 90, 1960, 2060, 700, 920, 960:
		return true
	}
	return false
}

func outsideAlone(s *sheet, say report) {
	outside, other := -1, -1
	for i := range s.inv.Lines {
		if s.inv.Lines[i].Category == "O" {
			outside = i
		} else {
			other = i
		}
	}
	if outside >= 0 && other >= 0 {
		say(finding{field: lineField(outside, "tax_category"), bt: "BT-151", line: outside + 1, value: "O"})
	}
}

func categoryAtZero(s *sheet, say report) {
	s.lineRates(func(i int, l *connector.Line) {
		if l.Category == "" && l.Rate.Or0().IsZero() {
			say(finding{field: lineField(i, "tax_category"), bt: "BT-151", line: i + 1, expected: "E, AE, K, G, O, Z"})
		}
	})
}

// exemptionReason warns only: the API documents no field that carries it.
func exemptionReason(s *sheet, say report) {
	for i := range s.inv.Lines {
		l := &s.inv.Lines[i]
		switch l.Category {
		case "E", "AE", "K", "G", "O":
			if blank(l.Exemption) {
				say(finding{field: lineField(i, "exemption_reason"), bt: "BT-120", line: i + 1,
					rule: official("BR-S-10", l.Category), args: map[string]string{"category": l.Category}})
			}
		}
	}
}

func needlessReason(s *sheet, say report) {
	for i := range s.inv.Lines {
		l := &s.inv.Lines[i]
		standard := l.Category == "" && l.Rate.Or0().IsPos()
		if (l.Category == "S" || l.Category == "Z" || standard) && !blank(l.Exemption) {
			say(finding{field: lineField(i, "exemption_reason"), bt: "BT-120", line: i + 1, value: l.Exemption,
				rule: official("BR-S-10", l.Category), args: map[string]string{"category": l.Category}})
		}
	}
}

// sellerVAT is content with the VAT number of the registered company. Lines
// outside the scope of VAT need none.
func sellerVAT(s *sheet, say report) {
	if c := s.company(); s.sellerLeftOut() || !blank(s.inv.Seller.VATID) || c != nil && !blank(c.VATID) {
		return
	}
	for i := range s.inv.Lines {
		if s.inv.Lines[i].Category != "O" {
			say(finding{field: "sender.vat_id", bt: "BT-31"})
			return
		}
	}
}

func buyerVAT(s *sheet, say report) {
	if s.onLine("K") && blank(s.inv.Buyer.VATID) {
		say(finding{field: "recipient.vat_id", bt: "BT-48"})
	}
}

func reverseChargeBuyer(s *sheet, say report) {
	if b := &s.inv.Buyer; s.onLine("AE") && blank(b.VATID) && blank(b.FiscalID) {
		say(finding{field: "recipient.vat_id", bt: "BT-48"})
	}
}
