package inbox

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"einvoice/connector"
	"einvoice/connector/api"
)

// Registrar is what registering companies asks of the API.
type Registrar interface {
	Registered(ctx context.Context, fiscalID string) (api.Registration, bool, error)
	Register(ctx context.Context, r api.Registration) error
}

// retries of a call that was not answered 200. The platform's default is none:
// a callback lost once would be lost for good.
const retries = 5

// Register compares a company's registration with the configuration and, if
// apply is true, brings it in line. diff says in plain text, a line each, what
// differs; "" when nothing does. It shows no secret.
func (in *Inbox) Register(ctx context.Context, r Registrar, companyID string, apply bool) (diff string, err error) {
	want := in.registration(in.company(companyID))
	have, known, err := r.Registered(ctx, want.Company.FiscalID)
	if err != nil {
		return "", fmt.Errorf("read registration of %s: %w", companyID, err)
	}
	lines := difference(have, want)
	if !known {
		lines = append([]string{"not registered yet"}, lines...)
	}
	if len(lines) == 0 || !apply {
		return strings.Join(lines, "\n"), nil
	}
	if err := r.Register(ctx, want); err != nil {
		return strings.Join(lines, "\n"), fmt.Errorf("register %s: %w", companyID, err)
	}
	return strings.Join(lines, "\n"), nil
}

// registration is what the configuration asks for. All callbacks are always
// given together: the platform replaces the former ones as a whole.
func (in *Inbox) registration(c connector.Company) api.Registration {
	reg := api.Registration{Company: c, CustomerInvoice: true, SupplierInvoice: in.cfg.Enabled}
	if !in.cfg.Callback.Enabled {
		return reg
	}
	for _, event := range []string{EventCustomer, EventSupplier} {
		reg.Callbacks = append(reg.Callbacks, api.Callback{
			Event: event, URL: in.CallbackURL(in.cfg.Callback.PublicURL, c.ID, event),
			Headers: in.Headers(), Retry: retries, Method: "JSON", Custom: map[string]string{"company": c.ID, "event": event},
		})
	}
	return reg
}

// difference lists what a registration lacks. Fields that the platform leaves
// out of its answer cannot be compared and are not listed.
func difference(have, want api.Registration) (lines []string) {
	add := func(what, from, to string) {
		if from != to && to != "" {
			lines = append(lines, fmt.Sprintf("%s: %q, should be %q", what, from, to))
		}
	}
	add("name", have.Company.Name, want.Company.Name)
	add("VAT number", have.Company.VATID, want.Company.VATID)
	add("e-mail", have.Company.Email, want.Company.Email)
	add("sending invoices", onOff(have.CustomerInvoice), onOff(want.CustomerInvoice))
	add("receiving invoices", onOff(have.SupplierInvoice), onOff(want.SupplierInvoice))
	for _, w := range want.Callbacks {
		i := slices.IndexFunc(have.Callbacks, func(h api.Callback) bool { return h.Event == w.Event })
		if i < 0 {
			lines = append(lines, fmt.Sprintf("callback %s: none, should be %s", w.Event, veiled(w.URL)))
			continue
		}
		lines = append(lines, callbackDifference(have.Callbacks[i], w)...)
	}
	return lines
}

func callbackDifference(have, want api.Callback) (lines []string) {
	name := "callback " + want.Event
	if have.URL != want.URL {
		lines = append(lines, fmt.Sprintf("%s: calls %s, should call %s", name, veiled(have.URL), veiled(want.URL))+
			either(veiled(have.URL) == veiled(want.URL), " with another secret part"))
	}
	if have.Retry != want.Retry {
		lines = append(lines, fmt.Sprintf("%s: retried %d times, should be %d: a call lost is lost for good otherwise", name, have.Retry, want.Retry))
	}
	if len(have.Headers) > 0 && !maps.Equal(have.Headers, want.Headers) {
		lines = append(lines, name+": sends another secret header")
	}
	if len(have.Headers) == 0 {
		lines = append(lines, name+": sends no secret header")
	}
	return lines
}

// veiled hides the secret part of a callback address.
func veiled(url string) string {
	i := strings.Index(url, callbackPath)
	if i < 0 {
		return url
	}
	return url[:i+len(callbackPath)] + "…"
}

func either(yes bool, text string) string {
	if yes {
		return text
	}
	return ""
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}
