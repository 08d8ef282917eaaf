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

// company is a registered SIREN or SIRET, with the keys of the page.
type company struct {
	FiscalID          string             `json:"fiscal_id"`
	VATID             *string            `json:"vat_id"`
	Name              *string            `json:"name"`
	Email             *string            `json:"email"`
	CustomerInvoice   bool               `json:"customer_invoice"`
	SupplierInvoice   bool               `json:"supplier_invoice"`
	Address           *address           `json:"address"`
	APIConfigurations []apiConfiguration `json:"api_configurations"`
	Active            bool               `json:"active"`
	Created           int64              `json:"create_timestamp"`
	ID                string             `json:"id"`
}

type apiConfiguration struct {
	Event    string    `json:"event"`
	Callback *callback `json:"callback"`
}

// callback says how a company wants to be called.
type callback struct {
	Method  string            `json:"method"` // JSON: as the body; POST: as a form
	URL     string            `json:"url"`
	Field   string            `json:"field"`   // of the form
	Headers map[string]string `json:"headers"` // sent with every call
	Data    json.RawMessage   `json:"data"`
	Retry   int               `json:"retry"`  // 0: a call that fails is lost
	Custom  json.RawMessage   `json:"custom"` // echoed
}

// companyRequest is the body of POST and PATCH; a nil field was not sent.
type companyRequest struct {
	FiscalID          *string             `json:"fiscal_id"`
	VATID             *string             `json:"vat_id"`
	Name              *string             `json:"name"`
	Email             *string             `json:"email"`
	CustomerInvoice   *bool               `json:"customer_invoice"`
	SupplierInvoice   *bool               `json:"supplier_invoice"`
	Address           *address            `json:"address"`
	APIConfigurations *[]apiConfiguration `json:"api_configurations"`
}

// register is POST /FR-configurations: the fiscal id alone suffices, then both
// services are on and the directory tells the rest.
func (s *Sandbox) register(q *request) reply {
	var b companyRequest
	if err := json.Unmarshal(q.body, &b); err != nil {
		return badInput(err)
	}
	if b.FiscalID == nil || *b.FiscalID == "" {
		return fail(http.StatusBadRequest, 423, "Missing fiscal_id")
	}
	id := digits(*b.FiscalID)
	if !plausibleFiscalID(id) || s.opt.Strict && !validFiscalID(id) {
		return invalid("fiscal_id: %s is neither a SIREN nor a SIRET.", *b.FiscalID)
	}
	both := b.CustomerInvoice == nil && b.SupplierInvoice == nil
	now := s.opt.Now()
	known := s.know(id)
	key := vatID(id[:9])
	c := &company{
		FiscalID: *b.FiscalID, VATID: cmp.Or(b.VATID, &key), Name: cmp.Or(b.Name, &known.Name), Email: b.Email,
		CustomerInvoice: both, SupplierInvoice: both, Address: cmp.Or(b.Address, &known.Address),
		APIConfigurations: []apiConfiguration{}, Active: true, Created: now.Unix(), ID: newID(now),
	}
	if err := c.apply(b, s.opt.Strict); err != nil {
		return invalid("%v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.store.companies[c.FiscalID] != nil {
		return fail(http.StatusUnprocessableEntity, 112, "This fiscal_id already exists")
	}
	s.store.register(c)
	s.remember(entry{Company: c})
	return ok(*c)
}

// apply takes over what may be changed later as well.
func (c *company) apply(b companyRequest, strict bool) error {
	if b.CustomerInvoice != nil {
		c.CustomerInvoice = *b.CustomerInvoice
	}
	if b.SupplierInvoice != nil {
		c.SupplierInvoice = *b.SupplierInvoice
	}
	c.VATID = cmp.Or(b.VATID, c.VATID)
	c.Address = cmp.Or(b.Address, c.Address)
	if b.APIConfigurations == nil {
		return nil
	}
	// The new list replaces the old one: an event that is not named is off.
	list := []apiConfiguration{}
	for _, a := range *b.APIConfigurations {
		if a.Callback == nil {
			continue
		}
		if err := a.complete(strict); err != nil {
			return fmt.Errorf("api_configurations: %w", err)
		}
		list = append(list, a)
	}
	c.APIConfigurations = list
	return nil
}

func (a *apiConfiguration) complete(strict bool) error {
	if e := strings.ReplaceAll(a.Event, "_", "-"); e != "customer-invoice" && e != "supplier-invoice" {
		return fmt.Errorf("event: %q is not a valid choice", a.Event)
	}
	return a.completeCallback(strict)
}

func (a *apiConfiguration) completeCallback(strict bool) error {
	c := *a.Callback
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("callback.url: this value is not a valid URL")
	}
	c.Method = cmp.Or(c.Method, "JSON")
	if c.Method != "JSON" && c.Method != "POST" {
		return fmt.Errorf("callback.method: %q is not a valid choice", c.Method)
	}
	// The sister API's schema says at least 5 and at most 5, with a default of 0.
	if c.Retry < 0 || c.Retry > 5 || strict && c.Retry != 0 && c.Retry != 5 {
		return fmt.Errorf("callback.retry: this value should be 5")
	}
	c.Field = cmp.Or(c.Field, "data")
	if c.Headers == nil {
		c.Headers = map[string]string{}
	}
	if len(c.Data) == 0 {
		c.Data = json.RawMessage("{}")
	}
	a.Callback = &c
	return nil
}

// fixed names a field that was sent and cannot be changed.
func (b *companyRequest) fixed() string {
	for _, field := range []struct {
		name string
		sent *string
	}{{"fiscal_id", b.FiscalID}, {"name", b.Name}, {"email", b.Email}} {
		if field.sent != nil {
			return field.name
		}
	}
	return ""
}

func notEditable(name string) reply {
	return quirk(http.StatusBadRequest, 670, "Invalid field: "+name+". Fields fiscal_id, name, email are not editable.")
}

// merge keeps the callbacks of events that are not named.
func (b *companyRequest) merge(old *company) {
	if b.APIConfigurations == nil {
		return
	}
	list := slices.Clone(*b.APIConfigurations)
	for _, a := range old.APIConfigurations {
		if !slices.ContainsFunc(list, func(c apiConfiguration) bool { return c.Event == a.Event }) {
			list = append(list, a)
		}
	}
	b.APIConfigurations = &list
}

// companyAt finds the company of a path. The caller holds mu.
func (s *Sandbox) companyAt(fiscalID string) *company {
	if s.switches.Load().Key == "siren" {
		return s.store.company(fiscalID)
	}
	return s.store.companies[fiscalID]
}

func (s *Sandbox) companies() reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]company, 0, len(s.store.companies))
	for _, c := range s.store.companies {
		list = append(list, *c)
	}
	slices.SortFunc(list, func(a, b company) int { return strings.Compare(a.FiscalID, b.FiscalID) })
	return ok(list)
}

func (s *Sandbox) company(fiscalID string) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.companyAt(fiscalID)
	if c == nil {
		return notRegistered()
	}
	return ok(*c)
}

// change is PATCH: what was not sent stays, but callbacks are replaced as a list.
func (s *Sandbox) change(q *request) reply {
	var b companyRequest
	if err := json.Unmarshal(q.body, &b); err != nil {
		return badInput(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.companyAt(q.id)
	if old == nil {
		return notRegistered()
	}
	if name := b.fixed(); name != "" {
		return notEditable(name)
	}
	if s.switches.Load().Patch == "merge" {
		b.merge(old)
	}
	c := *old
	if err := c.apply(b, s.opt.Strict); err != nil {
		return invalid("%v", err)
	}
	s.store.register(&c)
	s.remember(entry{Company: &c})
	return ok(c)
}

// remove is DELETE, refused once the company has invoices.
func (s *Sandbox) remove(fiscalID string) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.store.companies[fiscalID] == nil {
		return notRegistered()
	}
	for _, r := range s.store.bySIREN[siren(fiscalID)] {
		if r.Owner == fiscalID {
			return fail(http.StatusBadRequest, 400, "The configuration cannot be deleted: invoices were sent or received with it")
		}
	}
	s.store.forget(fiscalID)
	s.remember(entry{Gone: fiscalID})
	rep := ok("null")
	rep.body.Message = "Deleted configuration for id: " + fiscalID
	return rep
}
