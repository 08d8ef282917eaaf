package rules

import (
	"strings"

	"einvoice/connector"
)

// The checksums below are warnings by default: files of the platform itself
// carry numbers that fail them.

// mutilatedID is a buyer's number that is no SIREN or SIRET although it should
// be one; see withoutSIREN. (The seller's must be that of a company anyway.)
func (s *sheet) mutilatedID() string {
	id := s.inv.Buyer.FiscalID
	if blank(id) || isSIREN(id) || isSIRET(id) || s.foreignBuyer() {
		return ""
	}
	return id
}

func buyerIDShape(s *sheet, say report) {
	if id := s.mutilatedID(); id != "" && padded(id) == "" {
		say(finding{field: "recipient.fiscal_id", bt: "BT-47", value: id})
	}
}

func buyerIDZeros(s *sheet, say report) {
	if id := s.mutilatedID(); id != "" && padded(id) != "" {
		say(finding{field: "recipient.fiscal_id", bt: "BT-47", value: id, expected: padded(id)})
	}
}

// padded gives back the leading zeros that a spreadsheet cut off, where the
// checksum then agrees; "" where it does not.
func padded(id string) string {
	if !digits(id) {
		return ""
	}
	for _, length := range []int{9, 14} {
		if n := length - len(id); n > 0 && n <= 3 {
			if whole := strings.Repeat("0", n) + id; connector.Luhn(whole) {
				return whole
			}
		}
	}
	return ""
}

func sirenKey(s *sheet, say report) {
	for _, p := range s.parties() {
		if isSIREN(p.FiscalID) && !connector.Luhn(p.FiscalID) {
			say(finding{field: p.field + ".fiscal_id", bt: p.idBT, value: p.FiscalID})
		}
	}
}

func siretKey(s *sheet, say report) {
	for _, p := range s.parties() {
		if isSIRET(p.FiscalID) && !validSIRET(p.FiscalID) {
			say(finding{field: p.field + ".fiscal_id", bt: p.idBT, value: p.FiscalID})
		}
	}
}

func vatPrefix(s *sheet, say report) {
	for _, p := range s.parties() {
		v := p.VATID
		if blank(v) || len(v) > 2 && (isCountry(v[:2]) || v[:2] == "EL") {
			continue
		}
		f := finding{field: p.field + ".vat_id", bt: p.vatBT, value: v, expected: expectedVAT(p)}
		if validFrenchVAT("FR" + v) {
			f.expected = "FR" + v
		}
		say(f)
	}
}

// frenchVAT visits the parties with a VAT number that begins with FR.
func (s *sheet) frenchVAT(visit func(p party)) {
	for _, p := range s.parties() {
		if strings.HasPrefix(p.VATID, "FR") {
			visit(p)
		}
	}
}

func frenchVATShape(s *sheet, say report) {
	s.frenchVAT(func(p party) {
		if !frenchVATShaped(p.VATID) {
			say(finding{field: p.field + ".vat_id", bt: p.vatBT, value: p.VATID, expected: expectedVAT(p)})
		}
	})
}

func frenchVATKey(s *sheet, say report) {
	s.frenchVAT(func(p party) {
		if frenchVATShaped(p.VATID) && !validFrenchVAT(p.VATID) {
			say(finding{field: p.field + ".vat_id", bt: p.vatBT, value: p.VATID, expected: numericVAT(p.VATID[4:])})
		}
	})
}

// vatOfSIREN passes Monaco, whose numbers begin with 000 and hold no SIREN, and
// members of a VAT group, who are rare enough for a warning.
func vatOfSIREN(s *sheet, say report) {
	s.frenchVAT(func(p party) {
		siren := p.SIREN()
		if !isSIREN(siren) || !frenchVATShaped(p.VATID) || strings.HasPrefix(p.VATID[4:], "000") || p.VATID[4:] == siren {
			return
		}
		say(finding{field: p.field + ".vat_id", bt: p.vatBT, value: p.VATID, expected: expectedVAT(p),
			args: map[string]string{"siren": siren}})
	})
}

// expectedVAT is the usual number of a party with a SIREN, else an example.
func expectedVAT(p party) string {
	const example = "100000009"
	if siren := p.SIREN(); isSIREN(siren) {
		return numericVAT(siren)
	}
	return numericVAT(example)
}

func ibanKey(s *sheet, say report) {
	if v := s.inv.IBAN; !blank(v) && !validIBAN(v) {
		say(finding{field: "financial_account", bt: "BT-84", value: v})
	}
}

func bicShape(s *sheet, say report) {
	if v := s.inv.BIC; !blank(v) && !validBIC(v) {
		say(finding{field: "bic", bt: "BT-86", value: v})
	}
}

// emailShape looks only for what no mail server takes.
func emailShape(s *sheet, say report) {
	for _, p := range s.parties() {
		v := p.Email
		local, domain, ok := strings.Cut(v, "@")
		good := ok && local != "" && strings.Trim(domain, ".") == domain && strings.Contains(domain, ".") &&
			!strings.ContainsAny(v, " \t\r\n,;<>") && !strings.Contains(domain, "@")
		if v != "" && !good {
			say(finding{field: p.field + ".email", bt: p.emailBT, value: v})
		}
	}
}
