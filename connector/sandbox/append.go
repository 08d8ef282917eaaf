package sandbox

import (
	"encoding/json"
	"unicode/utf8"
)

// The invoice is most of what the sandbox writes. It is written by hand, so that
// the sandbox never limits a measurement: encoding/json takes three times as long.

// object writes the members of one JSON object.
type object struct{ b []byte }

// key begins the next member.
func (o *object) key(name string) {
	if o.b[len(o.b)-1] != '{' {
		o.b = append(o.b, ',')
	}
	o.b = append(append(append(o.b, '"'), name...), '"', ':')
}

func (o *object) text(name, value string) {
	o.key(name)
	o.b = appendText(o.b, value)
}

// some is text, or nothing where there is none.
func (o *object) some(name, value string) {
	if value != "" {
		o.text(name, value)
	}
}

func (o *object) orNull(name string, value *string) {
	o.key(name)
	if value == nil {
		o.b = append(o.b, "null"...)
		return
	}
	o.b = appendText(o.b, *value)
}

func (o *object) number(name string, n number) {
	o.key(name)
	o.b = append(o.b, n.Trim(0).String()...)
}

// within writes an object as a member.
func (o *object) within(name string, members func()) {
	o.key(name)
	o.b = append(o.b, '{')
	members()
	o.b = append(o.b, '}')
}

// list writes an array of objects.
func list[T any](o *object, name string, all []T, members func(*T)) {
	o.key(name)
	if all == nil {
		o.b = append(o.b, "null"...)
		return
	}
	o.b = append(o.b, '[')
	for i := range all {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.b = append(o.b, '{')
		members(&all[i])
		o.b = append(o.b, '}')
	}
	o.b = append(o.b, ']')
}

// appendText writes a string as encoding/json does.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' || c >= utf8.RuneSelf {
			quoted, _ := json.Marshal(s) // never fails
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// MarshalJSON writes the page's keys in the page's order.
func (inv invoice) MarshalJSON() ([]byte, error) { return inv.append(nil), nil }

// append writes the invoice behind b.
func (inv invoice) append(b []byte) []byte {
	o := &object{append(b, '{')}
	o.text("document_number", inv.Number)
	o.text("issue_date", inv.IssueDate)
	o.text("currency", inv.Currency)
	o.text("type", inv.Type)
	o.number("amount_including_tax", inv.Gross)
	o.number("total_amount_including_tax", inv.TotalGross)
	o.number("amount_excluding_tax", inv.Net)
	o.number("total_amount_excluding_tax", inv.TotalNet)
	o.number("tax_amount", inv.Tax)
	o.number("total_tax_amount", inv.TotalTax)
	o.within("sender", func() { o.party(inv.Sender) })
	o.within("recipient", func() { o.party(inv.Recipient) })
	list(o, "invoice_lines", inv.Lines, o.line)
	list(o, "payment_means", inv.Payment, o.payment)
	list(o, "tax_subtotals", inv.Subtotals, func(t *subtotal) {
		o.number("taxable_amount", t.Taxable)
		o.number("tax_amount", t.Tax)
		o.number("vat_rate", t.Rate)
		o.text("tax_category", t.Category)
	})
	o.orNull("chorus_pro_service_code", inv.Service)
	o.orNull("commitment_number", inv.Commitment)
	list(o, "attachments", inv.Attached, func(a *attachment) {
		o.text("document", a.Document)
		o.text("mime_type", a.MIMEType)
		o.text("filename", a.Filename)
		o.orNull("description", a.Description)
		o.orNull("document_id", a.DocumentID)
	})
	o.text("id", inv.ID)
	o.text("state", inv.State)
	o.within("details", func() { o.details(inv.Details) })
	o.text("create_at", inv.Created)
	return append(o.b, '}')
}

func (o *object) party(p party) {
	o.text("name", p.Name)
	o.orNull("fiscal_id", p.FiscalID)
	o.orNull("siren", p.SIREN)
	o.orNull("siret", p.SIRET)
	o.orNull("vat_id", p.VATID)
	o.orNull("email", p.Email)
	if p.Address == nil {
		o.orNull("address", nil)
		return
	}
	o.within("address", func() {
		o.text("street_address", p.Address.Street)
		o.text("zip_code", p.Address.Zip)
		o.text("city", p.Address.City)
		o.text("country", p.Address.Country)
	})
}

func (o *object) line(l *line) {
	o.text("description", l.Description)
	o.number("quantity", l.Quantity)
	o.number("unit_price", l.UnitPrice)
	o.number("tax_rate", l.Rate)
	o.number("total_net_amount", l.Net)
	o.text("unit_of_measure", l.Unit)
	o.text("nature", l.Nature)
	o.text("tax_category", l.Category)
}

func (o *object) payment(m *paymentMeans) {
	o.orNull("payment_mode", m.Mode)
	o.orNull("due_date", m.DueDate)
	if m.Amount == nil {
		o.orNull("amount", nil)
	} else {
		o.number("amount", *m.Amount)
	}
	o.orNull("financial_account", m.Account)
}

func (o *object) details(d details) {
	o.text("external_status", d.External)
	o.text("network", d.Network)
	o.orNull("siren", d.SIREN)
	o.orNull("siret", d.SIRET)
	o.orNull("service_code", d.Service)
	o.orNull("commitment_number", d.Commitment)
	o.text("invoice_type", d.Format)
	o.text("submission_date", d.Submitted)
	o.some("reason_code", d.ReasonCode)
	o.some("reason", d.Reason)
	o.some("message", d.Message)
}
