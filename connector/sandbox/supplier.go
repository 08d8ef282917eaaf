package sandbox

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/govalues/decimal"
)

// order asks for an invoice of a supplier. Only fiscal_id is needed; every
// other field makes the invoice odder.
type order struct {
	FiscalID          string          `json:"fiscal_id"` // of the registered company that receives it
	SupplierName      string          `json:"supplier_name"`
	SupplierFiscalID  string          `json:"supplier_fiscal_id"`
	SupplierVATID     string          `json:"supplier_vat_id"`
	Number            string          `json:"document_number"`
	Type              string          `json:"type"`
	IssueDate         string          `json:"issue_date"`
	DueDate           string          `json:"due_date"`
	Currency          string          `json:"currency"`
	Amount            *number         `json:"amount"` // net, of one line
	Rate              *number         `json:"tax_rate"`
	Gross             *number         `json:"total_amount_including_tax"` // stated; may contradict the lines
	IBAN              string          `json:"iban"`
	WithPDF           bool            `json:"with_pdf"`  // attaches the Factur-X
	PDFBytes          int             `json:"pdf_bytes"` // pads it to this size
	Network           string          `json:"network"`   // that it came over: fr-dgfip, peppol, chorus-pro, email
	Lines             json.RawMessage `json:"invoice_lines"`
	Attached          []attachment    `json:"attachments"`
	RecipientName     string          `json:"recipient_name"`      // another than the company's
	RecipientFiscalID string          `json:"recipient_fiscal_id"` // another than the company's: not ours
	Count             int             `json:"count"`               // that many at once, numbered
}

// maxOrder bounds how many invoices one order makes.
const maxOrder = 10_000

// orderSupplierInvoice makes supplier invoices for a registered company and
// calls it back. The answer is that of the last one.
func (s *Sandbox) orderSupplierInvoice(w http.ResponseWriter, r *http.Request) {
	var o order
	if !readJSON(w, r, &o) {
		return
	}
	last, err := s.supplyAll(o)
	switch {
	case errors.Is(err, errNoReceiver):
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.catchUp()
	writeJSON(w, http.StatusOK, s.shown(last).body)
}

var errNoReceiver = errors.New("fiscal_id: no company is registered under it with supplier_invoice")

// supplyAll makes the invoices of an order and returns the last one.
func (s *Sandbox) supplyAll(o order) (last record, err error) {
	s.mu.Lock()
	to := s.store.company(o.FiscalID)
	s.mu.Unlock()
	if o.FiscalID == "" || to == nil || !to.SupplierInvoice {
		return last, errNoReceiver
	}
	for n := 1; n <= min(max(o.Count, 1), maxOrder); n++ {
		raw, p, err := s.supply(o, to, s.opt.Now(), n)
		if err != nil {
			return last, err
		}
		s.mu.Lock()
		last = *s.receive(to, o.envelope(p, raw, s.opt.Now()))
		s.mu.Unlock()
	}
	return last, nil
}

// supply writes the n-th invoice of an order as its supplier would post it.
func (s *Sandbox) supply(o order, to *company, now time.Time, n int) ([]byte, posted, error) {
	serial := newID(now)[18:]
	number1 := cmp.Or(o.Number, "F-"+serial)
	if o.Count > 1 {
		number1 = fmt.Sprintf("%s-%d", number1, n)
	}
	supplier := cmp.Or(digits(o.SupplierFiscalID), "20000000800017")
	name := o.SupplierName
	if name == "" {
		name = s.know(supplier).Name
	}
	p := map[string]any{
		"document_number": number1, "type": cmp.Or(o.Type, "380"),
		"issue_date": cmp.Or(o.IssueDate, now.Format(time.DateOnly)), "currency": cmp.Or(o.Currency, "EUR"),
		"sender":    postedParty{Name: name, FiscalID: supplier, VATID: o.SupplierVATID},
		"recipient": o.recipient(to), "invoice_lines": o.lines(),
	}
	if o.Gross != nil {
		p["total_amount_including_tax"] = *o.Gross
	}
	return o.finish(p, now)
}

func (o order) recipient(to *company) postedParty {
	name := o.RecipientName
	if name == "" && to.Name != nil {
		name = *to.Name
	}
	p := postedParty{Name: name, FiscalID: cmp.Or(o.RecipientFiscalID, to.FiscalID), Address: to.Address}
	if to.VATID != nil {
		p.VATID = *to.VATID
	}
	return p
}

func (o order) lines() any {
	if len(o.Lines) > 0 {
		return o.Lines
	}
	price, rate := o.Amount, o.Rate
	if price == nil {
		price = &number{decimal.MustNew(125, 0)}
	}
	if rate == nil {
		rate = &number{decimal.MustNew(20, 0)}
	}
	return []any{map[string]any{"description": "Fournitures diverses", "quantity": 1, "unit_price": *price, "tax_rate": *rate}}
}

// finish adds what depends on the total: the payment.
func (o order) finish(body map[string]any, now time.Time) ([]byte, posted, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, posted{}, fmt.Errorf("make supplier invoice: %w", err)
	}
	p, err := parse(raw)
	if err != nil {
		return nil, posted{}, fmt.Errorf("make supplier invoice: %w", err)
	}
	inv, err := normalise(p)
	if err != nil {
		return nil, posted{}, fmt.Errorf("make supplier invoice: %w", err)
	}
	body["payment_means"] = []any{map[string]any{
		"payment_mode": "sepa_credit_transfer", "amount": inv.Gross,
		"due_date":          cmp.Or(o.DueDate, now.AddDate(0, 0, 30).Format(time.DateOnly)),
		"financial_account": cmp.Or(o.IBAN, "FR7630001007941234567890185"),
	}}
	body["attachments"] = o.Attached
	if raw, err = json.Marshal(body); err != nil {
		return nil, p, fmt.Errorf("make supplier invoice: %w", err)
	}
	p, err = parse(raw)
	return raw, p, err
}

// envelope is an ordered invoice on its way to its company.
func (o order) envelope(p posted, raw []byte, now time.Time) *record {
	r := &record{
		ID: newID(now), Incoming: true, Number: p.Number, Type: p.kind(), IssueDate: p.IssueDate,
		Created: now, State: "RECEIVED", External: "made_available", Network: o.Network, Raw: raw,
	}
	if o.WithPDF || o.PDFBytes > 0 || o.Network == networkEmail {
		r.From, r.FileName, r.Pad = r.ID, "facture.pdf", o.PDFBytes
	}
	return r
}
