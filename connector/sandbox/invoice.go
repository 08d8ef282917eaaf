package sandbox

import (
	"cmp"
	"fmt"
	"time"

	"github.com/govalues/decimal"
)

// invoice is an invoice as the platform shows it, with the page's keys in the
// page's order. There is no direction and no updated_at: the page has none.
type invoice struct {
	Number     string         `json:"document_number"`
	IssueDate  string         `json:"issue_date"`
	Currency   string         `json:"currency"`
	Type       string         `json:"type"`
	Gross      number         `json:"amount_including_tax"`
	TotalGross number         `json:"total_amount_including_tax"`
	Net        number         `json:"amount_excluding_tax"`
	TotalNet   number         `json:"total_amount_excluding_tax"`
	Tax        number         `json:"tax_amount"`
	TotalTax   number         `json:"total_tax_amount"`
	Sender     party          `json:"sender"`
	Recipient  party          `json:"recipient"`
	Lines      []line         `json:"invoice_lines"`
	Payment    []paymentMeans `json:"payment_means"`
	Subtotals  []subtotal     `json:"tax_subtotals"`
	Service    *string        `json:"chorus_pro_service_code"`
	Commitment *string        `json:"commitment_number"`
	Attached   []attachment   `json:"attachments"`
	ID         string         `json:"id"`
	State      string         `json:"state"`
	Details    details        `json:"details"`
	Created    string         `json:"create_at"`
}

type party struct {
	Name     string   `json:"name"`
	FiscalID *string  `json:"fiscal_id"`
	SIREN    *string  `json:"siren"`
	SIRET    *string  `json:"siret"`
	VATID    *string  `json:"vat_id"`
	Email    *string  `json:"email"`
	Address  *address `json:"address"`
}

type address struct {
	Street  string `json:"street_address"`
	Zip     string `json:"zip_code"`
	City    string `json:"city"`
	Country string `json:"country"`
}

type line struct {
	Description string `json:"description"`
	Quantity    number `json:"quantity"`
	UnitPrice   number `json:"unit_price"`
	Rate        number `json:"tax_rate"`
	Net         number `json:"total_net_amount"`
	Unit        string `json:"unit_of_measure"`
	Nature      string `json:"nature"`
	Category    string `json:"tax_category"`
}

type paymentMeans struct {
	Mode    *string `json:"payment_mode"`
	DueDate *string `json:"due_date"`
	Amount  *number `json:"amount"`
	Account *string `json:"financial_account"`
}

type subtotal struct {
	Taxable  number `json:"taxable_amount"`
	Tax      number `json:"tax_amount"`
	Rate     number `json:"vat_rate"`
	Category string `json:"tax_category"`
}

type attachment struct {
	Document    string  `json:"document"` // base64
	MIMEType    string  `json:"mime_type"`
	Filename    string  `json:"filename"`
	Description *string `json:"description"`
	DocumentID  *string `json:"document_id"`
}

// details carry the network's view. Where a reason arrives is not documented;
// reason_code and reason are the sandbox's guess and stand there only with one.
type details struct {
	External   string  `json:"external_status"`
	Network    string  `json:"network"`
	SIREN      *string `json:"siren"`
	SIRET      *string `json:"siret"`
	Service    *string `json:"service_code"`
	Commitment *string `json:"commitment_number"`
	Format     string  `json:"invoice_type"`
	Submitted  string  `json:"submission_date"`
	ReasonCode string  `json:"reason_code,omitempty"`
	Reason     string  `json:"reason,omitempty"`
	Message    string  `json:"message,omitempty"`
}

// layoutIncoming is the other layout of create_at that the platform's family
// uses; outgoing invoices have RFC 3339. A client must read both.
const layoutIncoming = "2006-01-02 15:04:05 -07:00"

// invoice renders what the platform keeps. Nothing but the posted body is
// kept, so that 100,000 invoices fit in memory.
func (s *Sandbox) invoice(r record) (invoice, error) {
	p, err := parse(r.Raw)
	if err != nil {
		return invoice{}, fmt.Errorf("render invoice %s: %w", r.ID, err)
	}
	inv, err := normalise(p)
	if err != nil {
		return invoice{}, fmt.Errorf("render invoice %s: %w", r.ID, err)
	}
	return s.render(r, inv)
}

// render adds to a normalised invoice what the platform knows of it.
func (s *Sandbox) render(r record, inv invoice) (invoice, error) {
	s.fill(&inv.Sender)
	s.fill(&inv.Recipient)
	if r.Cent {
		inv.aCentMore()
	}
	w := s.switches.Load()
	inv.ID, inv.State = r.ID, w.state(r)
	inv.Created = r.Created.Format(time.RFC3339)
	if r.Incoming {
		inv.Created = r.Created.UTC().Format(layoutIncoming)
	}
	inv.Details = details{
		Network: cmp.Or(r.Network, networkFrench),
		SIREN:   inv.Recipient.SIREN, SIRET: inv.Recipient.SIRET,
		Service: inv.Service, Commitment: inv.Commitment,
		Format: "Factur-X", Submitted: r.Created.Format(time.DateOnly),
	}
	w.say(&inv.Details, r)
	if r.Incoming && r.From != "" {
		file, err := s.facturX(r)
		if err != nil {
			return invoice{}, err
		}
		inv.Attached = append(inv.Attached, file)
	}
	return inv, nil
}

// normalise completes a posted invoice: net amounts, breakdown, totals,
// defaults. A stated gross total stays, even when the lines contradict it.
func normalise(p posted) (invoice, error) {
	inv := invoice{
		Number: p.Number, IssueDate: p.IssueDate, Currency: p.Currency, Type: cmp.Or(p.Type, "380"),
		Sender: p.Sender.complete(), Recipient: p.Recipient.complete(),
		Lines: make([]line, 0, len(p.Lines)), Payment: append([]paymentMeans{}, p.Payment...),
		Subtotals: append([]subtotal{}, p.Subtotals...),
		Service:   p.Service, Commitment: p.Commitment, Attached: append([]attachment{}, p.Attached...),
	}
	scale := coin(p.Currency)
	for i, l := range p.Lines {
		full, err := l.complete(scale)
		if err != nil {
			return inv, fmt.Errorf("invoice_lines[%d]: %w", i, err)
		}
		inv.Lines = append(inv.Lines, full)
	}
	for i, t := range inv.Subtotals {
		inv.Subtotals[i].Category = cmp.Or(t.Category, usualCategory(t.Rate))
	}
	if len(inv.Subtotals) == 0 {
		if err := inv.breakDown(scale); err != nil {
			return inv, err
		}
	}
	net, tax, err := inv.sums()
	if err != nil {
		return inv, err
	}
	gross, err := net.Add(tax)
	if err != nil {
		return inv, fmt.Errorf("total: %w", err)
	}
	if p.Gross != nil {
		gross = p.Gross.Decimal
	}
	inv.Net, inv.TotalNet = number{net}, number{net}
	inv.Tax, inv.TotalTax = number{tax}, number{tax}
	inv.Gross, inv.TotalGross = number{gross}, number{gross}
	return inv, nil
}

func (l postedLine) complete(scale int) (line, error) {
	full := line{
		Description: l.Description, Quantity: number{l.Quantity.or0()}, UnitPrice: number{l.UnitPrice.or0()},
		Rate: number{l.Rate.or0()}, Unit: cmp.Or(l.Unit, "C62"), Nature: cmp.Or(l.Nature, "standard"), Category: l.Category,
	}
	full.Category = cmp.Or(full.Category, usualCategory(full.Rate))
	if l.Net != nil {
		full.Net = *l.Net
		return full, nil
	}
	net, err := full.Quantity.Mul(full.UnitPrice.Decimal)
	full.Net = number{round(net, scale)}
	return full, err
}

// usualCategory is that of a rate of which no category is said.
func usualCategory(rate number) string {
	if rate.IsZero() {
		return "zero_rated"
	}
	return "standard"
}

// breakDown sums the lines by category and rate, in the order of their first line.
func (inv *invoice) breakDown(scale int) error {
	at := map[string]int{}
	for _, l := range inv.Lines {
		key := l.Category + " " + l.Rate.Trim(0).String()
		i, known := at[key]
		if !known {
			i = len(inv.Subtotals)
			at[key] = i
			inv.Subtotals = append(inv.Subtotals, subtotal{Rate: l.Rate, Category: l.Category})
		}
		sum, err := inv.Subtotals[i].Taxable.Add(l.Net.Decimal)
		if err != nil {
			return fmt.Errorf("taxable amount: %w", err)
		}
		inv.Subtotals[i].Taxable = number{sum}
	}
	for i, s := range inv.Subtotals {
		tax, err := s.Taxable.Mul(s.Rate.Decimal)
		if err != nil {
			return fmt.Errorf("tax amount: %w", err)
		}
		if tax, err = tax.Quo(decimal.Hundred); err != nil {
			return fmt.Errorf("tax amount: %w", err)
		}
		inv.Subtotals[i].Tax = number{round(tax, scale)}
	}
	return nil
}

func (inv *invoice) sums() (net, tax decimal.Decimal, err error) {
	for _, s := range inv.Subtotals {
		if net, err = net.Add(s.Taxable.Decimal); err != nil {
			return net, tax, fmt.Errorf("net total: %w", err)
		}
		if tax, err = tax.Add(s.Tax.Decimal); err != nil {
			return net, tax, fmt.Errorf("tax total: %w", err)
		}
	}
	return net, tax, nil
}

// aCentMore is what a platform that rounds its own way does to the totals.
func (inv *invoice) aCentMore() {
	for _, n := range []*number{&inv.Tax, &inv.TotalTax, &inv.Gross, &inv.TotalGross} {
		if more, err := n.Add(decimal.MustNew(1, coin(inv.Currency))); err == nil {
			n.Decimal = more
		}
	}
}
