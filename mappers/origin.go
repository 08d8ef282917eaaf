package mappers

import (
	"strings"

	"einvoice/connector/problem"
)

// Origin is where a value came from.
type Origin struct {
	Position problem.Position
	Value    string // as it stands in the file, before anything was done to it
}

// Origins are the origins of an invoice's values by dotted field name, as in
// "recipient.vat_id" and "invoice_lines[0].tax_rate", lines counted from 0.
// "invoice_lines[0]" is the line itself and "" the invoice.
type Origins map[string]Origin

// Find gives the origin of a field or, where it has none of its own, of what it
// is part of: the line, else the invoice. Groups of the JSON form ("totals.",
// "payment.", "buying.") may stand in front.
func (o Origins) Find(field string) Origin {
	for _, group := range []string{"totals.", "payment.", "buying."} {
		field = strings.TrimPrefix(field, group)
	}
	for field != "" {
		if found, ok := o[field]; ok {
			return found
		}
		cut := strings.LastIndexByte(field, '.')
		if cut < 0 {
			break
		}
		field = field[:cut]
	}
	return o[""]
}
