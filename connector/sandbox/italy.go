package sandbox

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// italian is a company of the sister API, with the keys of its OpenAPI file.
type italian struct {
	FiscalID          string             `json:"fiscal_id"`
	Name              string             `json:"name"`
	Email             string             `json:"email"`
	Login             *italianLogin      `json:"receipts_authentication"`
	APIConfigurations []apiConfiguration `json:"api_configurations"`
	Receipts          bool               `json:"receipts"`
	CustomerInvoice   bool               `json:"customer_invoice"`
	SupplierInvoice   bool               `json:"supplier_invoice"`
	Active            bool               `json:"active"`
	Created           int64              `json:"create_timestamp"`
	ID                string             `json:"id"`
}

// italianLogin keeps what the platform gives back: never the password and pin.
type italianLogin struct {
	TaxCode string `json:"taxCode"`
}

// italianInvoice is an invoice of the sister API.
type italianInvoice struct {
	ID        string          `json:"id"`
	State     string          `json:"state"`
	Direction string          `json:"direction"`
	FiscalID  string          `json:"fiscal_id"`
	Type      string          `json:"type"`
	Number    string          `json:"document_number"`
	IssueDate string          `json:"issue_date"`
	Gross     number          `json:"total_gross_amount"`
	Sender    json.RawMessage `json:"sender"`
	Recipient json.RawMessage `json:"recipient"`
	Details   italianDetails  `json:"details"`
}

type italianDetails struct {
	ID       *string `json:"sdi_id"`
	Filename *string `json:"sdi_filename"`
	Status   string  `json:"sdi_status"`
	Message  string  `json:"sdi_message"`
	Updated  string  `json:"sdi_update_date"`
	Invoiced string  `json:"invoice_date"`
}

// italy answers the sister API's paths; ok is false for any other.
func (s *Sandbox) italy(q *request) (reply, bool) {
	if !strings.Contains(q.route, " /IT-") {
		return reply{}, false
	}
	do := map[string]func(*request) reply{
		"POST /IT-configurations":              s.registerItalian,
		"GET /IT-configurations":               s.listItalians,
		"GET /IT-configurations/{fiscal_id}":   s.showItalian,
		"PATCH /IT-configurations/{fiscal_id}": s.changeItalian,
		"GET /IT-invoices":                     s.listItalianInvoices,
		"GET /IT-invoices/{id}":                s.showItalianInvoice,
	}[q.route]
	if do == nil {
		return reply{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return do(q), true
}

// italianEvents are those that POST may name; PATCH may name the first four.
func italianEvents() []string {
	return []string{"receipt", "receipt-credentials", "receipt-retry", "receipt-error", "customer-invoice", "supplier-invoice"}
}

func completeItalian(list []apiConfiguration, events []string) ([]apiConfiguration, error) {
	kept := []apiConfiguration{}
	for _, a := range list {
		if !slices.Contains(events, strings.ReplaceAll(a.Event, "_", "-")) {
			return nil, fmt.Errorf("event: %q is not a valid choice", a.Event)
		}
		if a.Callback == nil {
			continue
		}
		if err := a.completeCallback(false); err != nil {
			return nil, err
		}
		kept = append(kept, a)
	}
	return kept, nil
}

func (s *Sandbox) registerItalian(q *request) reply {
	var c italian
	if err := json.Unmarshal(q.body, &c); err != nil {
		return badInput(err)
	}
	if c.FiscalID == "" {
		return fail(http.StatusBadRequest, 423, "Missing fiscal_id")
	}
	for _, field := range [][2]string{{"name", c.Name}, {"email", c.Email}} {
		if field[1] == "" {
			return fail(http.StatusUnprocessableEntity, 334, "The '%s' is required", field[0])
		}
	}
	if s.italians[c.FiscalID] != nil {
		return fail(http.StatusUnprocessableEntity, 112, "This fiscal_id already exists")
	}
	if len(c.APIConfigurations) == 0 {
		return invalid("api_configurations: this collection should contain 1 element or more.")
	}
	var err error
	if c.APIConfigurations, err = completeItalian(c.APIConfigurations, italianEvents()); err != nil {
		return invalid("api_configurations: %v", err)
	}
	now := s.opt.Now()
	c.Active, c.Created, c.ID = true, now.Unix(), newID(now)
	s.italians[c.FiscalID] = &c
	s.remember(entry{Italian: &c})
	return ok(c)
}

func (s *Sandbox) listItalians(*request) reply {
	list := make([]italian, 0, len(s.italians))
	for _, c := range s.italians {
		list = append(list, *c)
	}
	slices.SortFunc(list, func(a, b italian) int { return strings.Compare(a.FiscalID, b.FiscalID) })
	return ok(list)
}

func (s *Sandbox) showItalian(q *request) reply {
	c := s.italians[q.id]
	if c == nil {
		return notRegistered()
	}
	return ok(*c)
}

// changeItalian changes receipts and callbacks by event; a callback of null
// switches its event off.
func (s *Sandbox) changeItalian(q *request) reply {
	var b struct {
		companyRequest
		Receipts *bool         `json:"receipts"`
		Login    *italianLogin `json:"receipts_authentication"`
	}
	if err := json.Unmarshal(q.body, &b); err != nil {
		return badInput(err)
	}
	old := s.italians[q.id]
	if old == nil {
		return notRegistered()
	}
	if name := b.fixed(); name != "" {
		return notEditable(name)
	}
	c := *old
	c.Login = cmp.Or(b.Login, c.Login)
	if b.Receipts != nil {
		c.Receipts = *b.Receipts
	}
	if b.APIConfigurations != nil {
		list, err := completeItalian(*b.APIConfigurations, italianEvents()[:4])
		if err != nil {
			return invalid("api_configurations: %v", err)
		}
		for _, a := range old.APIConfigurations {
			if !slices.ContainsFunc(*b.APIConfigurations, func(n apiConfiguration) bool { return n.Event == a.Event }) {
				list = append(list, a)
			}
		}
		c.APIConfigurations = list
	}
	s.italians[q.id] = &c
	s.remember(entry{Italian: &c})
	return ok(c)
}

func (s *Sandbox) listItalianInvoices(q *request) reply {
	f, err := readFilter(q.URL.Query(), s.switches.Load().Limit)
	if err != nil {
		return fail(http.StatusBadRequest, 400, "Invalid input data: %v", err)
	}
	page := []italianInvoice{}
	skip := f.skip
	for _, inv := range slices.Backward(s.italianInvoices) {
		if !inv.matches(f, q.URL.Query()) {
			continue
		}
		if skip--; skip < 0 && len(page) < f.limit {
			page = append(page, *inv)
		}
	}
	return ok(page)
}

func (inv *italianInvoice) matches(f filter, asked url.Values) bool {
	// The French filter compares SIRENs; an Italian id is compared as it is.
	f.fiscalIDs = nil
	ids := listOf(asked.Get("fiscal_id"))
	r := record{Number: inv.Number, State: inv.State, Type: inv.Type, IssueDate: inv.IssueDate, Incoming: inv.Direction == "incoming"}
	return f.matches(&r) && (len(ids) == 0 || slices.Contains(ids, inv.FiscalID))
}

func (s *Sandbox) showItalianInvoice(q *request) reply {
	for _, inv := range s.italianInvoices {
		if inv.ID == q.id {
			return ok(*inv)
		}
	}
	return quirk(http.StatusNotFound, 404, "Invoice not found")
}

// orderItalianInvoice is POST /sandbox/it-invoices: the sister API takes
// FatturaPA, which is not played here; this puts an invoice there as it is.
func (s *Sandbox) orderItalianInvoice(w http.ResponseWriter, r *http.Request) {
	now := s.opt.Now()
	inv := italianInvoice{State: "DONE", Direction: "outgoing", Type: "TD01", IssueDate: now.Format("2006-01-02"),
		Sender: json.RawMessage("{}"), Recipient: json.RawMessage("{}"),
		Details: italianDetails{Status: "DELIVERED", Updated: now.Format(layoutIncoming), Invoiced: now.Format("2006-01-02")}}
	if !readJSON(w, r, &inv) {
		return
	}
	inv.ID = cmp.Or(inv.ID, newID(now))
	s.mu.Lock()
	s.italianInvoices = append(s.italianInvoices, &inv)
	s.remember(entry{ItalianInvoice: &inv})
	s.mu.Unlock()
	writeJSON(w, http.StatusOK, inv)
}
