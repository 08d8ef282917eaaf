package quickjson

import (
	"encoding/base64"
	"encoding/json"

	"einvoice/connector"
)

// AppendInvoice writes an invoice in the form of its JSON tags.
func AppendInvoice(b []byte, inv *connector.Invoice) []byte {
	w := Writer{Bytes: b}
	w.Open("", '{')
	w.Text("document_number", inv.Number)
	w.TextIf("type", inv.Type)
	w.Text("issue_date", string(inv.IssueDate))
	w.TextIf("due_date", string(inv.DueDate))
	w.Text("currency", inv.Currency)
	w.party("sender", &inv.Seller)
	w.party("recipient", &inv.Buyer)
	w.lines(inv.Lines)
	w.taxes(inv.Taxes)
	w.totals(&inv.Totals)
	w.payment(&inv.Payment)
	w.buying(&inv.Buying)
	w.rest(inv)
	w.TextIf("erp_key", inv.ERPKey)
	w.Close('}')
	return w.Bytes
}

func (w *Writer) party(name string, p *connector.Party) {
	w.Open(name, '{')
	w.Text("name", p.Name)
	w.TextIf("fiscal_id", p.FiscalID)
	w.TextIf("vat_id", p.VATID)
	w.TextIf("email", p.Email)
	if p.Address != (connector.Address{}) {
		w.Open("address", '{')
		w.TextIf("street_address", p.Address.Street)
		w.TextIf("zip_code", p.Address.ZIP)
		w.TextIf("city", p.Address.City)
		w.TextIf("country", p.Address.Country)
		w.Close('}')
	}
	w.Close('}')
}

func (w *Writer) lines(lines []connector.Line) {
	if lines == nil {
		w.raw("invoice_lines", []byte("null"))
		return
	}
	w.Open("invoice_lines", '[')
	for i := range lines {
		l := &lines[i]
		w.Open("", '{')
		w.Text("description", l.Description)
		w.TextIf("item_code", l.Item)
		w.Amount("quantity", l.Quantity)
		w.TextIf("unit_of_measure", l.Unit)
		w.Amount("unit_price", l.UnitPrice)
		w.AmountIf("total_net_amount", l.Net)
		w.TextIf("tax_category", l.Category)
		w.AmountIf("tax_rate", l.Rate)
		w.TextIf("exemption_reason", l.Exemption)
		w.Close('}')
	}
	w.Close(']')
}

func (w *Writer) taxes(taxes []connector.Tax) {
	if len(taxes) == 0 {
		return
	}
	w.Open("tax_subtotals", '[')
	for _, t := range taxes {
		w.Open("", '{')
		w.TextIf("tax_category", t.Category)
		w.Amount("vat_rate", t.Rate)
		w.Amount("taxable_amount", t.Taxable)
		w.Amount("tax_amount", t.Tax)
		w.Close('}')
	}
	w.Close(']')
}

func (w *Writer) totals(t *connector.Totals) {
	w.Open("totals", '{')
	w.AmountIf("total_amount_excluding_tax", t.Net)
	w.AmountIf("total_tax_amount", t.Tax)
	w.AmountIf("total_amount_including_tax", t.Gross)
	w.AmountIf("prepaid_amount", t.Prepaid)
	w.AmountIf("rounding_amount", t.Rounded)
	w.AmountIf("total_payable_amount", t.Payable)
	w.Close('}')
}

func (w *Writer) payment(p *connector.Payment) {
	w.Open("payment", '{')
	w.TextIf("payment_mode", p.Means)
	w.TextIf("financial_account", p.IBAN)
	w.TextIf("bic", p.BIC)
	w.TextIf("payment_terms", p.Terms)
	w.TextIf("billing_frame", p.Frame)
	w.TextIf("delivery_date", string(p.Deliver))
	w.Close('}')
}

func (w *Writer) buying(p *connector.Buying) {
	w.Open("buying", '{')
	w.TextIf("chorus_pro_service_code", p.ServiceCode)
	w.TextIf("commitment_number", p.CommitmentNumber)
	if p.PublicBuyer {
		w.raw("recipient_public", []byte("true"))
	}
	w.Close('}')
}

// rest writes the lists that most invoices lack.
func (w *Writer) rest(inv *connector.Invoice) {
	if len(inv.Preceding) > 0 {
		w.Open("preceding", '[')
		for _, r := range inv.Preceding {
			w.Open("", '{')
			w.Text("number", r.Number)
			w.TextIf("date", string(r.Date))
			w.Close('}')
		}
		w.Close(']')
	}
	if len(inv.Notes) > 0 {
		w.Open("notes", '[')
		for _, n := range inv.Notes {
			w.Text("", n)
		}
		w.Close(']')
	}
	if len(inv.Attached) > 0 {
		w.Open("attachments", '[')
		for i := range inv.Attached {
			w.attachment(&inv.Attached[i])
		}
		w.Close(']')
	}
}

func (w *Writer) attachment(a *connector.Attachment) {
	w.Open("", '{')
	w.Text("filename", a.Filename)
	w.Text("mime_type", a.MIME)
	w.TextIf("description", a.Description)
	w.TextIf("document_id", a.ID)
	if len(a.Content) > 0 {
		w.Base64("document", a.Content)
	}
	w.TextIf("sha256", a.SHA256)
	w.Close('}')
}

// Base64 adds bytes as encoding/json writes them.
func (w *Writer) Base64(name string, content []byte) {
	w.next(name)
	w.Bytes = append(w.Bytes, '"')
	w.Bytes = base64.StdEncoding.AppendEncode(w.Bytes, content)
	w.Bytes = append(w.Bytes, '"')
}

// Invoice reads what AppendInvoice wrote. JSON that looks in any way different
// is left to encoding/json, which says what is wrong with it.
func Invoice(text []byte) (inv connector.Invoice, err error) {
	r := reading{ok: true}
	r.members(text, func(name string, v []byte) { r.invoice(&inv, name, v) })
	if r.ok {
		return inv, nil
	}
	inv = connector.Invoice{}
	err = json.Unmarshal(text, &inv)
	return inv, err
}

// BuyerName reads nothing but the buyer's name out of what AppendInvoice wrote.
func BuyerName(text []byte) (string, error) {
	r, name := reading{ok: true}, ""
	r.members(text, func(member string, v []byte) {
		if member == "recipient" {
			r.members(v, func(member string, v []byte) {
				if member == "name" {
					name = r.text(v)
				}
			})
		}
	})
	if r.ok {
		return name, nil
	}
	inv, err := Invoice(text)
	return inv.Buyer.Name, err
}

// reading remembers whether all was as AppendInvoice writes it.
type reading struct{ ok bool }

func (r *reading) members(v []byte, visit func(string, []byte)) {
	r.ok = Members(v, visit) && r.ok
}

func (r *reading) text(v []byte) string {
	s, ok := Text(v)
	r.ok = r.ok && ok
	return s
}

func (r *reading) date(v []byte) connector.Date { return connector.Date(r.text(v)) }

func (r *reading) amount(v []byte) (a connector.Amount) {
	if a.UnmarshalJSON(v) != nil {
		r.ok = false
	}
	return a
}

// listOf reads an array of objects.
func listOf[T any](r *reading, v []byte, member func(*T, string, []byte)) []T {
	all := []T{}
	ok := elements(v, func(e []byte) {
		all = append(all, *new(T))
		at := &all[len(all)-1]
		r.members(e, func(name string, v []byte) { member(at, name, v) })
	})
	r.ok = r.ok && ok
	return all
}

func (r *reading) invoice(inv *connector.Invoice, name string, v []byte) {
	switch name {
	case "document_number":
		inv.Number = r.text(v)
	case "type":
		inv.Type = r.text(v)
	case "issue_date":
		inv.IssueDate = r.date(v)
	case "due_date":
		inv.DueDate = r.date(v)
	case "currency":
		inv.Currency = r.text(v)
	case "sender":
		r.members(v, func(name string, v []byte) { r.party(&inv.Seller, name, v) })
	case "recipient":
		r.members(v, func(name string, v []byte) { r.party(&inv.Buyer, name, v) })
	case "invoice_lines":
		inv.Lines = listOf(r, v, r.line)
	case "tax_subtotals":
		inv.Taxes = listOf(r, v, r.tax)
	case "totals":
		r.members(v, func(name string, v []byte) { r.total(&inv.Totals, name, v) })
	case "payment":
		r.members(v, func(name string, v []byte) { r.pay(&inv.Payment, name, v) })
	case "buying":
		r.members(v, func(name string, v []byte) { r.buy(&inv.Buying, name, v) })
	case "erp_key":
		inv.ERPKey = r.text(v)
	default: // preceding invoices, notes, attachments: rare
		r.ok = false
	}
}

func (r *reading) party(p *connector.Party, name string, v []byte) {
	switch name {
	case "name":
		p.Name = r.text(v)
	case "fiscal_id":
		p.FiscalID = r.text(v)
	case "vat_id":
		p.VATID = r.text(v)
	case "email":
		p.Email = r.text(v)
	case "address":
		r.members(v, func(name string, v []byte) { r.address(&p.Address, name, v) })
	default:
		r.ok = false
	}
}

func (r *reading) address(a *connector.Address, name string, v []byte) {
	switch name {
	case "street_address":
		a.Street = r.text(v)
	case "zip_code":
		a.ZIP = r.text(v)
	case "city":
		a.City = r.text(v)
	case "country":
		a.Country = r.text(v)
	default:
		r.ok = false
	}
}

func (r *reading) line(l *connector.Line, name string, v []byte) {
	switch name {
	case "description":
		l.Description = r.text(v)
	case "item_code":
		l.Item = r.text(v)
	case "quantity":
		l.Quantity = r.amount(v)
	case "unit_of_measure":
		l.Unit = r.text(v)
	case "unit_price":
		l.UnitPrice = r.amount(v)
	case "total_net_amount":
		l.Net = r.amount(v)
	case "tax_category":
		l.Category = r.text(v)
	case "tax_rate":
		l.Rate = r.amount(v)
	case "exemption_reason":
		l.Exemption = r.text(v)
	default:
		r.ok = false
	}
}

func (r *reading) tax(t *connector.Tax, name string, v []byte) {
	switch name {
	case "tax_category":
		t.Category = r.text(v)
	case "vat_rate":
		t.Rate = r.amount(v)
	case "taxable_amount":
		t.Taxable = r.amount(v)
	case "tax_amount":
		t.Tax = r.amount(v)
	default:
		r.ok = false
	}
}

func (r *reading) total(t *connector.Totals, name string, v []byte) {
	switch name {
	case "total_amount_excluding_tax":
		t.Net = r.amount(v)
	case "total_tax_amount":
		t.Tax = r.amount(v)
	case "total_amount_including_tax":
		t.Gross = r.amount(v)
	case "prepaid_amount":
		t.Prepaid = r.amount(v)
	case "rounding_amount":
		t.Rounded = r.amount(v)
	case "total_payable_amount":
		t.Payable = r.amount(v)
	default:
		r.ok = false
	}
}

func (r *reading) pay(p *connector.Payment, name string, v []byte) {
	switch name {
	case "payment_mode":
		p.Means = r.text(v)
	case "financial_account":
		p.IBAN = r.text(v)
	case "bic":
		p.BIC = r.text(v)
	case "payment_terms":
		p.Terms = r.text(v)
	case "billing_frame":
		p.Frame = r.text(v)
	case "delivery_date":
		p.Deliver = r.date(v)
	default:
		r.ok = false
	}
}

func (r *reading) buy(p *connector.Buying, name string, v []byte) {
	switch name {
	case "chorus_pro_service_code":
		p.ServiceCode = r.text(v)
	case "commitment_number":
		p.CommitmentNumber = r.text(v)
	default:
		r.ok = false
	}
}
