package problem

import (
	"slices"
	"strings"
	"unicode"
)

// veil stands for what a log does not show.
const veil = "…"

// plainWords are the parts of field names whose values say nothing about a person.
func plainWords() []string {
	return []string{"amount", "total", "rate", "quantity", "price", "date", "currency", "type", "number", "siren", "siret", "fiscal_id",
		"vat", "unit", "code", "percent", "country", "net", "gross", "charge", "base"}
}

// oursByValue are the codes whose value is no data of an invoice: a name that the
// mapping gives, a count, a control total, an error of the network. Without it
// the line says nothing.
func oursByValue() []string {
	return []string{"E2001", "E2013", "E2033", "E2034", "E2101", "E2102", "E4004", "E4013", "E4014", "E4024"}
}

// oursByExpected are those whose other value is none either. The columns that a
// file has instead of the one missing are not among them: without a header they
// are its first invoice.
func oursByExpected() []string { return []string{"E2033", "E2034", "E2101"} }

// Discreet is the problem as a log may show it: without what was seen in a field
// that can hold a name, an address, an e-mail address or an account. The
// acknowledgement and the correctable copy show all of it, to those whose it is.
func (p Problem) Discreet() Problem {
	if p.Value == "" && len(p.Args) == 0 || plain(p.Field) && figure(p.Value) {
		return p
	}
	if p.Value != "" && !slices.Contains(oursByValue(), p.Code) {
		p.Value = veil
	}
	if p.Expected != "" && !slices.Contains(oursByExpected(), p.Code) {
		p.Expected = veil
	}
	if p.Field == "" { // the words of a catalogue text about the file or our own state
		return p
	}
	args := make(map[string]string, len(p.Args))
	for k := range p.Args {
		args[k] = veil
	}
	p.Args = args
	return p
}

// figure tells a value that can be an amount, a date or an identifier from one
// that stands in the wrong column: few letters.
func figure(value string) bool {
	letters := 0
	for _, r := range value {
		if unicode.IsLetter(r) {
			letters++
		}
	}
	return letters <= 5
}

func plain(field string) bool {
	last := field[strings.LastIndex(field, ".")+1:]
	for _, w := range plainWords() {
		if strings.Contains(last, w) {
			return true
		}
	}
	return false
}
