package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"einvoice/connector"
)

// Callback is where the platform reports events of one kind to.
type Callback struct {
	Event   string            // "customer-invoice" or "supplier-invoice"
	URL     string            //
	Headers map[string]string // sent along; the only way to authenticate the platform
	Retry   int               // attempts after a failure; without it a lost call is lost
	Custom  any               // given back in every call
	Method  string            // "JSON", or "POST" for a form; "" is JSON
}

// Registration is a company as the platform knows it.
type Registration struct {
	Company                          connector.Company
	CustomerInvoice, SupplierInvoice bool // sends, receives; false asks for nothing and switches nothing off
	Callbacks                        []Callback
}

// Registered reads a company's registration; false when there is none under
// exactly this fiscal id.
func (c *Client) Registered(ctx context.Context, fiscalID string) (Registration, bool, error) {
	r := c.call(ctx, http.MethodGet, configurationPath(fiscalID), nil)
	if r.status == http.StatusNotFound && r.err == nil && !r.fromProxy() {
		return Registration{}, false, nil
	}
	if err := r.readError("get company registration"); err != nil {
		return Registration{}, false, err
	}
	raw := r.one()
	if inner := decodeObject(raw).object("data"); inner != nil {
		return registrationOf(inner), true, nil // the sister API's schema wraps twice
	}
	o := decodeObject(raw)
	if o == nil {
		return Registration{}, false, nil
	}
	return registrationOf(o), true, nil
}

func configurationPath(fiscalID string) string {
	return pathConfigurations + "/" + url.PathEscape(fiscalID)
}

// Register makes or updates a company's registration: POST, and PATCH where it
// exists already. Callbacks replace those registered before; bodies that are
// refused are tried again plainer, without retries, then without headers, so
// read the registration back to know what holds. The error is an *Error.
func (c *Client) Register(ctx context.Context, reg Registration) error {
	var err error
	for plainness := range 3 {
		err = c.register(ctx, reg, plainness)
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Fate != Refused || len(reg.Callbacks) == 0 {
			return err
		}
	}
	return err
}

func (c *Client) register(ctx context.Context, reg Registration, plainness int) error {
	w := wireRegistration{
		Customer: reg.CustomerInvoice, Supplier: reg.SupplierInvoice,
		FiscalID: reg.Company.FiscalID, VATID: reg.Company.VATID, Name: reg.Company.Name, Email: reg.Company.Email,
	}
	if reg.Company.Address != (connector.Address{}) {
		a := wireAddress(reg.Company.Address)
		w.Address = &a
	}
	for _, cb := range reg.Callbacks {
		w.Events = append(w.Events, wireEvent{Event: cb.Event, Callback: callbackOut(cb, plainness)})
	}
	r, err := c.write(ctx, http.MethodPost, pathConfigurations, w)
	if err != nil || r.writeError("register company") == nil {
		return err
	}
	if !r.companyExists() {
		return r.writeError("register company")
	}
	// What identifies the company may not be edited, and a refusal of one
	// field would refuse the callbacks as well.
	update := wireRegistration{Customer: w.Customer, Supplier: w.Supplier, Events: w.Events}
	u, err := c.write(ctx, http.MethodPatch, configurationPath(reg.Company.FiscalID), update)
	if err != nil {
		return err
	}
	if u.status == http.StatusNotFound {
		return r.writeError("register company") // it did not exist after all
	}
	return u.writeError("update company registration")
}

func (c *Client) write(ctx context.Context, method, path string, body any) (reply, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return reply{}, fmt.Errorf("encode registration: %w", err)
	}
	return c.call(ctx, method, path, b), nil
}

// companyExists reads the three ways in which "already registered" was seen.
// Error 111 also means the contrary; the update that follows tells.
func (r *reply) companyExists() bool {
	return r.code == "112" || r.code == "111" || r.status == http.StatusConflict ||
		strings.Contains(strings.ToLower(r.message), "already")
}

// writeError is nil for a 2xx without an error inside. A registration may be
// written twice, so nothing is Unsure.
func (r *reply) writeError(op string) error {
	if r.status >= 200 && r.status < 300 && r.err == nil && r.isJSON && !r.failure {
		return nil
	}
	v := r.verdict()
	switch v.fate {
	case Unsure, Sent:
		v = r.because(Later, ScopeCredential, codeUnclear)
	case Exists:
		v = r.because(Refused, ScopeCompany, codeRefused)
	}
	return &Error{Op: op, Fate: v.fate, Scope: v.scope, HTTP: r.status, Code: r.code, Message: r.text(),
		Problem: v.problems[0], cause: r.err}
}

type (
	wireRegistration struct {
		FiscalID string       `json:"fiscal_id,omitempty"`
		VATID    string       `json:"vat_id,omitempty"`
		Name     string       `json:"name,omitempty"`
		Email    string       `json:"email,omitempty"`
		Customer bool         `json:"customer_invoice,omitempty"`
		Supplier bool         `json:"supplier_invoice,omitempty"`
		Address  *wireAddress `json:"address,omitempty"`
		Events   []wireEvent  `json:"api_configurations,omitempty"`
	}
	wireAddress struct {
		Street  string `json:"street_address,omitempty"`
		ZIP     string `json:"zip_code,omitempty"`
		City    string `json:"city,omitempty"`
		Country string `json:"country,omitempty"`
	}
	wireEvent struct {
		Event    string       `json:"event"`
		Callback wireCallback `json:"callback"`
	}
	wireCallback struct {
		URL     string            `json:"url"`
		Method  string            `json:"method,omitempty"`
		Headers map[string]string `json:"headers,omitempty"`
		Retry   int               `json:"retry,omitempty"`
		Custom  any               `json:"custom,omitempty"`
	}
)

func callbackOut(cb Callback, plainness int) wireCallback {
	w := wireCallback{URL: cb.URL, Method: cb.Method, Headers: cb.Headers, Retry: cb.Retry, Custom: cb.Custom}
	if plainness >= 1 {
		w.Retry, w.Custom = 0, nil
	}
	if plainness >= 2 {
		w.Method, w.Headers = "", nil
	}
	return w
}

func registrationOf(o object) Registration {
	p := partyIn(o)
	reg := Registration{
		Company:         connector.Company{FiscalID: p.FiscalID, Name: p.Name, VATID: p.VATID, Email: p.Email, Address: p.Address},
		CustomerInvoice: o.boolean("customer_invoice"),
		SupplierInvoice: o.boolean("supplier_invoice"),
	}
	for _, e := range o.objects("api_configurations") {
		cb := e.object("callback")
		if cb.text("url") == "" {
			continue // switched off
		}
		reg.Callbacks = append(reg.Callbacks, callbackIn(strings.ReplaceAll(e.text("event"), "_", "-"), cb))
	}
	return reg
}

func callbackIn(event string, cb object) Callback {
	out := Callback{Event: event, URL: cb.text("url"), Method: cb.text("method")}
	for name := range cb.object("headers") {
		if out.Headers == nil {
			out.Headers = map[string]string{}
		}
		out.Headers[name] = cb.object("headers").text(name)
	}
	// A wrong kind leaves the zero value, which is the right one.
	_ = json.Unmarshal(cb["retry"], &out.Retry)
	_ = json.Unmarshal(cb["custom"], &out.Custom)
	return out
}
