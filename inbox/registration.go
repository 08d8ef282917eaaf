package inbox

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"einvoice/connector"
	"einvoice/connector/api"
	"einvoice/connector/ledger"
)

// Registrar is what registering companies asks of the API.
type Registrar interface {
	Registered(ctx context.Context, fiscalID string) (api.Registration, bool, error)
	Register(ctx context.Context, r api.Registration) error
}

// retries of a call that was not answered 200. The platform's default is none:
// a callback lost once would be lost for good.
const retries = 5

// ErrForeign is wrapped when an event calls an address that is not ours: some
// other software would stop being called.
var ErrForeign = errors.New("registered by other software")

// Enrolment is what registering a company found, and what the platform says now.
type Enrolment struct {
	Difference []string // from the configuration, a line each, in Lang; none: in line
	Remains    []string // of it, after the change: what the platform did not take
	Foreign    []string // events that call somebody else
	Completed  []string // what the platform added to the company's particulars
}

// Register is Enrol that never replaces what is not ours; diff has a line for
// each difference, and shows no secret.
func (in *Inbox) Register(ctx context.Context, r Registrar, companyID string, apply bool) (diff string, err error) {
	e, err := in.Enrol(ctx, r, companyID, apply, false)
	return strings.Join(e.Difference, "\n"), err
}

// Enrol compares a company's registration with the configuration and, if apply
// is true, brings it in line. Events that call somebody else are an error
// (ErrForeign) unless replace is true; those of other kinds are left as they
// are. What the platform completes is kept in the ledger, where there is one.
func (in *Inbox) Enrol(ctx context.Context, r Registrar, companyID string, apply, replace bool) (e Enrolment, err error) {
	t := enrolTextsOf(in.opt.Lang)
	want := in.registration(in.company(companyID))
	have, known, err := r.Registered(ctx, want.Company.FiscalID)
	if err != nil {
		return e, fmt.Errorf("read registration of %s: %w", companyID, err)
	}
	if !known {
		e.Difference = append(e.Difference, t.unknown)
	}
	e.Difference = append(e.Difference, t.difference(have, want)...)
	e.Foreign = in.foreign(have, want)
	if apply && len(e.Difference) > 0 {
		if len(e.Foreign) > 0 && !replace {
			return e, fmt.Errorf("register %s: %w: %s", companyID, ErrForeign, strings.Join(e.Foreign, ", "))
		}
		if err := r.Register(ctx, merged(want, have)); err != nil {
			return e, fmt.Errorf("register %s: %w", companyID, err)
		}
		if have, known, err = r.Registered(ctx, want.Company.FiscalID); err != nil {
			return e, fmt.Errorf("read registration of %s back: %w", companyID, err)
		}
		e.Remains = t.difference(have, want)
	}
	if known {
		e.Completed = t.completed(have.Company, want.Company)
		err = in.keepCompany(ctx, companyID, have.Company)
	}
	return e, err
}

// foreign lists the events of ours that call an address which is not below our
// public address.
func (in *Inbox) foreign(have, want api.Registration) (events []string) {
	base := strings.TrimRight(in.cfg.Callback.PublicURL, "/") + callbackPath
	for _, w := range want.Callbacks {
		for _, h := range have.Callbacks {
			if h.Event == w.Event && !strings.HasPrefix(h.URL, base) {
				events = append(events, h.Event+" ("+veiled(h.URL)+")")
			}
		}
	}
	return events
}

// merged adds the callbacks of other events: the platform replaces the list as
// a whole.
func merged(want, have api.Registration) api.Registration {
	if len(want.Callbacks) == 0 {
		return want
	}
	for _, h := range have.Callbacks {
		if !slices.ContainsFunc(want.Callbacks, func(w api.Callback) bool { return w.Event == h.Event }) {
			want.Callbacks = append(want.Callbacks, h)
		}
	}
	return want
}

const companyKey = "inbox.company." // + company: its particulars at the platform

func (in *Inbox) keepCompany(ctx context.Context, id string, c connector.Company) error {
	if in.opt.Ledger == nil {
		return nil
	}
	text, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("keep particulars of %s: %w", id, err)
	}
	return in.opt.Ledger.Put(ctx, companyKey+id, string(text))
}

// Complete fills in what the configuration leaves open with what the platform
// said when the companies were registered: a SIREN alone suffices.
func Complete(ctx context.Context, l *ledger.Ledger, companies []connector.Company) ([]connector.Company, error) {
	list := slices.Clone(companies)
	for i := range list {
		text, err := l.Get(ctx, companyKey+list[i].ID)
		if err != nil {
			return nil, err
		}
		var kept connector.Company
		if text == "" || json.Unmarshal([]byte(text), &kept) != nil {
			continue
		}
		c := &list[i]
		c.Name, c.VATID, c.Email = cmp.Or(c.Name, kept.Name), cmp.Or(c.VATID, kept.VATID), cmp.Or(c.Email, kept.Email)
		c.Address = cmp.Or(c.Address, kept.Address)
	}
	return list, nil
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

// veiled hides the secret part of a callback address.
func veiled(url string) string {
	i := strings.Index(url, callbackPath)
	if i < 0 {
		return url
	}
	return url[:i+len(callbackPath)] + "…"
}
