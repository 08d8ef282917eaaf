package rules

import "einvoice/connector"

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
		if l.Rate.Or0().IsPos() && l.Rate.Or0().Less(lowestRate.Or0()) {
			say(rateFinding(i, l))
		}
	})
}

// lowestRate is the lowest that France knows, in Corsica.
var lowestRate = connector.MustAmount("0.9")

func frenchRate(s *sheet, say report) {
	s.lineRates(func(i int, l *connector.Line) {
		if r := l.Rate.Or0(); r.Less(lowestRate.Or0()) {
			return // 0, or what other rules refuse
		}
		switch l.Rate.Or0().Trim(0).String() {
		case "20", "10", "5.5", "2.1", "8.5", "1.75", "1.05", "13", "0.9",
			"19.6", "20.6", "7", "9.2", "9.6":
			return
		}
		say(rateFinding(i, l))
	})
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
	if c := s.company(); !blank(s.inv.Seller.VATID) || c != nil && !blank(c.VATID) {
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
