package api

import (
	"slices"

	"einvoice/connector"
	"einvoice/connector/quickjson"
)

// Marshal writes the body of a POST: the fields that FIELDS.md says are sent,
// under the page's names, nothing for what the invoice lacks, amounts as JSON
// numbers that keep the decimals of the currency (61.20).
func Marshal(inv connector.Invoice) ([]byte, error) {
	w := wire{scale: connector.MinorUnit(inv.Currency)}
	w.Bytes = make([]byte, 0, 512+256*len(inv.Lines))
	w.Open("", '{')
	w.Text("document_number", inv.Number)
	w.TextIf("type", inv.Type)
	w.Text("issue_date", string(inv.IssueDate))
	w.Text("currency", inv.Currency)
	w.moneyIf("total_amount_excluding_tax", inv.Totals.Net)
	w.moneyIf("total_tax_amount", inv.Totals.Tax)
	w.moneyIf("total_amount_including_tax", inv.Totals.Gross)
	w.party("sender", &inv.Seller)
	w.party("recipient", &inv.Buyer)
	w.lines(inv.Lines)
	w.taxes(inv.Taxes)
	w.payment(&inv)
	w.TextIf("chorus_pro_service_code", inv.ServiceCode)
	w.TextIf("commitment_number", inv.CommitmentNumber)
	w.attachments(inv.Attached)
	w.Close('}')
	return slices.Clip(w.Bytes), nil
}

// wire writes the members of a body.
type wire struct {
	quickjson.Writer
	scale int // decimals of the currency
}

func (w *wire) money(name string, a connector.Amount) { w.Amount(name, money(a, w.scale)) }

func (w *wire) moneyIf(name string, a connector.Amount) {
	if a.Present() {
		w.money(name, a)
	}
}

func (w *wire) party(name string, p *connector.Party) {
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

func (w *wire) lines(lines []connector.Line) {
	w.Open("invoice_lines", '[')
	for i := range lines {
		l := &lines[i]
		w.Open("", '{')
		w.Text("description", l.Description)
		w.Amount("quantity", l.Quantity)
		w.money("unit_price", l.UnitPrice)
		w.AmountIf("tax_rate", l.Rate)
		w.moneyIf("total_net_amount", l.Net)
		w.TextIf("unit_of_measure", l.Unit)
		w.TextIf("tax_category", categoryWord(l.Category))
		w.Close('}')
	}
	w.Close(']')
}

func (w *wire) taxes(taxes []connector.Tax) {
	if len(taxes) == 0 {
		return
	}
	w.Open("tax_subtotals", '[')
	for _, t := range taxes {
		w.Open("", '{')
		w.money("taxable_amount", t.Taxable)
		w.money("tax_amount", t.Tax)
		w.AmountIf("vat_rate", t.Rate)
		w.TextIf("tax_category", categoryWord(t.Category))
		w.Close('}')
	}
	w.Close(']')
}

// payment is one payment means when there is anything to say; the due date has
// no other place.
func (w *wire) payment(inv *connector.Invoice) {
	if !saysHowToPay(inv) {
		return
	}
	amount := inv.Totals.Payable
	if !amount.Present() {
		amount = inv.Totals.Gross
	}
	mode := paymentWord(inv.Means)
	if mode == "" && inv.IBAN != "" {
		mode = paymentWord("58")
	}
	w.Open("payment_means", '[')
	w.Open("", '{')
	w.TextIf("payment_mode", mode)
	w.TextIf("due_date", string(inv.DueDate))
	w.moneyIf("amount", amount)
	w.TextIf("financial_account", inv.IBAN)
	w.Close('}')
	w.Close(']')
}

func saysHowToPay(inv *connector.Invoice) bool {
	return inv.Means != "" || inv.IBAN != "" || inv.DueDate != ""
}

func (w *wire) attachments(all []connector.Attachment) {
	if len(all) == 0 {
		return
	}
	w.Open("attachments", '[')
	for i := range all {
		a := &all[i]
		w.Open("", '{')
		if len(a.Content) > 0 {
			w.Base64("document", a.Content)
		}
		w.Text("mime_type", a.MIME)
		w.Text("filename", a.Filename)
		w.TextIf("description", a.Description)
		w.TextIf("document_id", a.ID)
		w.Close('}')
	}
	w.Close(']')
}

// money shows at least the decimals of the currency and never rounds.
func money(a connector.Amount, scale int) connector.Amount {
	d, ok := a.Get()
	if !ok || d.Scale() >= scale {
		return a
	}
	return connector.AmountOf(d.Pad(scale))
}
