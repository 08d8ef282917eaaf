package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"einvoice/connector"
	"einvoice/connector/problem"
)

// Paths of the API below its base URL.
const (
	pathInvoices       = "/FR-invoices"
	pathConfigurations = "/FR-configurations"
)

// Submit sends an invoice, once. It never returns an error: every failure has
// a fate. A cancelled ctx is Later before, Unsure after the request may have left.
func (c *Client) Submit(ctx context.Context, inv connector.Invoice) Answer {
	body, err := Marshal(inv)
	if err != nil {
		p := problem.Problem{Code: codeNotEncoded, Severity: problem.Refuse, Value: err.Error()}
		return Answer{Fate: Refused, Scope: ScopeInvoice, Problems: []problem.Problem{p}, Note: err.Error()}
	}
	r := c.call(ctx, http.MethodPost, pathInvoices, body)
	v := r.verdict()
	a := Answer{Fate: v.fate, Scope: v.scope, HTTP: r.status, Problems: v.problems, RetryAfter: r.retryAfter, Note: r.note()}
	switch v.fate {
	case Sent:
		a.Remote = receiptOf(r.one(), r.object())
	case Exists:
		a.Remote.ID = remoteID(r.object())
	}
	for i := range a.Problems {
		a.Problems[i].Invoice = inv.Number
	}
	return a
}

// note says in one line what came back.
func (r *reply) note() string {
	switch {
	case r.status == 0 && r.written:
		return "no answer after the request was written: " + r.err.Error()
	case r.status == 0:
		return "nothing was sent: " + r.err.Error()
	case r.err != nil:
		return fmt.Sprintf("HTTP %d, answer broke off: %v", r.status, r.err)
	case r.failure || r.status >= 300:
		return (&Error{Op: "post invoice", HTTP: r.status, Code: r.code, Message: r.text()}).Error()
	}
	return fmt.Sprintf("HTTP %d", r.status)
}

// The body of a POST. The names are the page's; FIELDS.md says which of them it
// shows only in answers.
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
	wireAddress struct {
		Street  string `json:"street_address,omitempty"`
		ZIP     string `json:"zip_code,omitempty"`
		City    string `json:"city,omitempty"`
		Country string `json:"country,omitempty"`
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

// Marshal writes the body of a POST: the fields that FIELDS.md says are sent,
// nothing for what the invoice lacks, amounts as JSON numbers that keep the
// decimals of the currency (61.20).
func Marshal(inv connector.Invoice) ([]byte, error) {
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
		return nil, fmt.Errorf("encode invoice: %w", err)
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// money shows at least the decimals of the currency and never rounds.
func money(a connector.Amount, scale int) connector.Amount {
	d, ok := a.Get()
	if !ok || d.Scale() >= scale {
		return a
	}
	return connector.AmountOf(d.Pad(scale))
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
