package api

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"einvoice/connector"
)

// The body of a POST as structs: what Marshal is held against.
type (
	wireInvoice struct {
		Number      string           `json:"document_number"`
		Type        string           `json:"type,omitempty"`
		IssueDate   connector.Date   `json:"issue_date"`
		Currency    string           `json:"currency"`
		Net         connector.Amount `json:"total_amount_excluding_tax,omitzero"`
		Tax         connector.Amount `json:"total_tax_amount,omitzero"`
		Gross       connector.Amount `json:"total_amount_including_tax,omitzero"`
		Sender      wireParty        `json:"sender"`
		Recipient   wireParty        `json:"recipient"`
		Lines       []wireLine       `json:"invoice_lines"`
		Taxes       []wireTax        `json:"tax_subtotals,omitempty"`
		Payment     []wirePayment    `json:"payment_means,omitempty"`
		ServiceCode string           `json:"chorus_pro_service_code,omitempty"`
		Commitment  string           `json:"commitment_number,omitempty"`
		Attached    []wireAttachment `json:"attachments,omitempty"`
	}
	wireParty struct {
		Name     string       `json:"name"`
		FiscalID string       `json:"fiscal_id,omitempty"`
		VATID    string       `json:"vat_id,omitempty"`
		Email    string       `json:"email,omitempty"`
		Address  *wireAddress `json:"address,omitempty"`
	}
	wireLine struct {
		Description string           `json:"description"`
		Quantity    connector.Amount `json:"quantity"`
		UnitPrice   connector.Amount `json:"unit_price"`
		Rate        connector.Amount `json:"tax_rate,omitzero"`
		Net         connector.Amount `json:"total_net_amount,omitzero"`
		Unit        string           `json:"unit_of_measure,omitempty"`
		Category    string           `json:"tax_category,omitempty"`
	}
	wireTax struct {
		Taxable  connector.Amount `json:"taxable_amount"`
		Tax      connector.Amount `json:"tax_amount"`
		Rate     connector.Amount `json:"vat_rate,omitzero"`
		Category string           `json:"tax_category,omitempty"`
	}
	wirePayment struct {
		Mode    string           `json:"payment_mode,omitempty"`
		Due     connector.Date   `json:"due_date,omitempty"`
		Amount  connector.Amount `json:"amount,omitzero"`
		Account string           `json:"financial_account,omitempty"`
	}
	wireAttachment struct {
		Document    []byte `json:"document,omitempty"`
		MIME        string `json:"mime_type"`
		Filename    string `json:"filename"`
		Description string `json:"description,omitempty"`
		ID          string `json:"document_id,omitempty"`
	}
)

// marshalStd is Marshal by encoding/json.
func marshalStd(inv connector.Invoice) ([]byte, error) {
	scale := connector.MinorUnit(inv.Currency)
	w := wireInvoice{
		Number: inv.Number, Type: inv.Type, IssueDate: inv.IssueDate, Currency: inv.Currency,
		Net: money(inv.Totals.Net, scale), Tax: money(inv.Totals.Tax, scale), Gross: money(inv.Totals.Gross, scale),
		Sender: partyOut(inv.Seller), Recipient: partyOut(inv.Buyer),
		Lines: []wireLine{}, Payment: paymentOut(inv, scale),
		ServiceCode: inv.ServiceCode, Commitment: inv.CommitmentNumber,
	}
	for _, l := range inv.Lines {
		w.Lines = append(w.Lines, wireLine{
			Description: l.Description, Quantity: l.Quantity, UnitPrice: money(l.UnitPrice, scale), Rate: l.Rate,
			Net: money(l.Net, scale), Unit: l.Unit, Category: categoryWord(l.Category),
		})
	}
	for _, t := range inv.Taxes {
		w.Taxes = append(w.Taxes, wireTax{Taxable: money(t.Taxable, scale), Tax: money(t.Tax, scale), Rate: t.Rate, Category: categoryWord(t.Category)})
	}
	for _, a := range inv.Attached {
		w.Attached = append(w.Attached, wireAttachment{Document: a.Content, MIME: a.MIME, Filename: a.Filename, Description: a.Description, ID: a.ID})
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(w); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

func partyOut(p connector.Party) wireParty {
	w := wireParty{Name: p.Name, FiscalID: p.FiscalID, VATID: p.VATID, Email: p.Email}
	if p.Address != (connector.Address{}) {
		a := wireAddress(p.Address)
		w.Address = &a
	}
	return w
}

// paymentOut is one payment means when there is anything to say; the due date
// has no other place.
func paymentOut(inv connector.Invoice, scale int) []wirePayment {
	if inv.Means == "" && inv.IBAN == "" && inv.DueDate == "" {
		return nil
	}
	amount := inv.Totals.Payable
	if !amount.Present() {
		amount = inv.Totals.Gross
	}
	mode := paymentWord(inv.Means)
	if mode == "" && inv.IBAN != "" {
		mode = paymentWord("58")
	}
	return []wirePayment{{Mode: mode, Due: inv.DueDate, Amount: money(amount, scale), Account: inv.IBAN}}
}

// TestABodyIsWhatEncodingJSONWouldWrite writes full, empty and half empty invoices.
func TestABodyIsWhatEncodingJSONWouldWrite(t *testing.T) {
	all := []connector.Invoice{{}, usualInvoice(), *fullInvoice(), {Currency: "JPY", Totals: fullInvoice().Totals}}
	for skip := range 60 { // each leaf left out, one at a time
		inv, n := fullInvoice(), 0
		walk(reflect.ValueOf(inv).Elem(), "", func(_ string, v reflect.Value) {
			if n == skip {
				v.SetZero()
			}
			n++
		})
		inv.Lines = append(inv.Lines, inv.Lines...)
		inv.Taxes = append(inv.Taxes, inv.Taxes...)
		inv.Attached = append(inv.Attached, inv.Attached...)
		inv.Currency = []string{"EUR", "JPY", "TND"}[skip%3]
		all = append(all, *inv)
	}
	for _, inv := range all {
		want, err := marshalStd(inv)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Marshal(inv)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("wrote %s\nwant  %s (%v)", got, want, err)
		}
	}
}
