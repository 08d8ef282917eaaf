package rules

import (
	"strings"

	"einvoice/connector"
)

//go:generate go run gen_codes.go
//go:generate go test -run TestRULESmdListsTheTable . -update

func knownCurrency(s *sheet, say report) {
	if c := s.inv.Currency; !blank(c) && !isCurrency(c) {
		say(finding{field: "currency", bt: "BT-5", value: c, expected: "EUR"})
	}
}

func knownCountry(s *sheet, say report) {
	for _, p := range s.parties() {
		if c := p.Address.Country; c != "" && !isCountry(c) {
			say(finding{field: p.field + ".address.country", bt: p.countryBT, value: c, expected: "FR"})
		}
	}
}

// party is the seller or the buyer with its names.
type party struct {
	*connector.Party
	field, idBT, vatBT, emailBT, countryBT string
}

func (s *sheet) parties() [2]party {
	return [2]party{
		{&s.inv.Seller, "sender", "BT-30", "BT-31", "BT-43", "BT-40"},
		{&s.inv.Buyer, "recipient", "BT-47", "BT-48", "BT-58", "BT-55"},
	}
}

// knownType takes the French list, which is shorter than the European one.
func knownType(s *sheet, say report) {
	switch s.inv.Type {
	case "", "380", "389", "393", "501", // invoices
		"386", "500", // deposits
		"384", "471", "472", "473", // corrective invoices
		"261", "262", "381", "396", "502", "503": // credit notes
		return
	}
	say(finding{field: "type", bt: "BT-3", value: s.inv.Type, expected: "380, 381, 384, 386"})
}

func knownUnit(s *sheet, say report) {
	for i := range s.inv.Lines {
		if u := s.inv.Lines[i].Unit; u != "" && !isUnit(u) {
			say(finding{field: lineField(i, "unit_of_measure"), bt: "BT-130", line: i + 1, value: u, expected: "C62"})
		}
	}
}

func isCategory(c string) bool {
	switch c {
	case "", "S", "Z", "E", "AE", "K", "G", "O":
		return true
	}
	return false
}

func knownCategory(s *sheet, say report) {
	const expected = "S, Z, E, AE, K, G, O"
	for i := range s.inv.Lines {
		if c := s.inv.Lines[i].Category; !isCategory(c) {
			say(finding{field: lineField(i, "tax_category"), bt: "BT-151", line: i + 1, value: c, expected: expected,
				rule: europeanCategory(c, "BR-CL-18")})
		}
	}
	for i := range s.inv.Taxes {
		// A derived entry repeats the category of its lines, which was reported above.
		if c := s.inv.Taxes[i].Category; !isCategory(c) && !s.onLine(c) {
			say(finding{field: taxField(i, "tax_category"), bt: "BT-118", value: c, expected: expected,
				rule: europeanCategory(c, "BR-CL-17")})
		}
	}
}

// europeanCategory names the European rule, unless the category is one that
// only France does not know: of the Canary Islands, Ceuta and Melilla, and Italy.
func europeanCategory(category, rule string) string {
	switch category {
	case "L", "M", "B":
		return ""
	}
	return rule
}

func (s *sheet) onLine(category string) bool {
	for i := range s.inv.Lines {
		if s.inv.Lines[i].Category == category {
			return true
		}
	}
	return false
}

func knownFrame(s *sheet, say report) {
	switch s.inv.Frame {
	case "", "B1", "S1", "M1", "B2", "S2", "M2", "S3", "B4", "S4", "M4", "S5", "S6",
		"B7", "S7", "B8", "S8", "M8", "B9", "S9", "M9":
		return
	}
	say(finding{field: "billing_frame", bt: "BT-23", value: s.inv.Frame, expected: "B1, S1, M1"})
}

// knownMeans lets the API's own words pass, which are in small letters.
func knownMeans(s *sheet, say report) {
	if m := s.inv.Means; !blank(m) && !isMeans(m) && strings.Trim(m, "abcdefghijklmnopqrstuvwxyz_") != "" {
		say(finding{field: "payment_mode", bt: "BT-81", value: m, expected: "30, 58, 59, 20, 10"})
	}
}

func knownMIME(s *sheet, say report) {
	for i := range s.inv.Attached {
		if m := s.inv.Attached[i].MIME; !isMIME(m) {
			say(finding{field: attachedField(i, "mime_type"), bt: "BT-125", value: m,
				expected: "application/pdf, image/png, image/jpeg, text/csv, XLSX, ODS"})
		}
	}
}
