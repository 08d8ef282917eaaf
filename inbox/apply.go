package inbox

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"einvoice/connector"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
)

// sighting is an invoice as the platform showed it, and on whose behalf we
// were looking.
type sighting struct {
	remote  connector.Remote
	company connector.Company // whose callback or list showed it
	event   string            // of the callback; "" for anything else
}

// apply is the one path of everything that the platform tells. It may be given
// the same thing any number of times. It returns our invoice, if it is one; ok
// when it told how that stands.
func (in *Inbox) apply(ctx context.Context, s sighting) (own ledger.Invoice, ok bool, err error) {
	own, err = in.own(ctx, s)
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		if s.direction() == connector.Incoming {
			err = in.see(ctx, s.recipient(in.opt.Companies), s.remote)
		} else {
			err = nil // issued by other software: none of our business
		}
		return ledger.Invoice{}, false, err
	case err != nil:
		return ledger.Invoice{}, false, err
	}
	// Both sides may be ours, under one id. That the buyer sees it, or is called,
	// is what tells that it arrived; what the buyer sees is no status of the sale.
	buyers := s.company.ID != own.Company && s.buys()
	if buyers && s.arrived() {
		return own, false, in.see(ctx, s.company, s.remote)
	}
	if err := in.status(ctx, own, s.remote.Status); err != nil {
		return ledger.Invoice{}, false, err
	}
	if s.event == "" && s.remote.Status.State != "" && !own.Status.Same(s.remote.Status) {
		if err := in.unannounced(ctx); err != nil {
			return ledger.Invoice{}, false, err
		}
	}
	own.Status = s.remote.Status
	if buyers && s.event == EventSupplier {
		err = in.see(ctx, s.company, s.remote)
	}
	return own, true, err
}

// own finds our invoice of an API id, or adopts the id for one whose answer
// never came, has not come yet or said that it did not arrive: it must not go (again).
func (in *Inbox) own(ctx context.Context, s sighting) (ledger.Invoice, error) {
	own, err := in.opt.Ledger.OutgoingByAPIID(ctx, s.remote.ID)
	if !errors.Is(err, ledger.ErrNotFound) || s.direction() == connector.Incoming {
		return own, err
	}
	key := s.remote.Invoice.Key()
	if key.SIREN == "" || key.Number == "" {
		return own, err
	}
	open, err := in.opt.Ledger.OpenByKey(ctx, key)
	if err != nil {
		return open, err
	}
	if !open.Gross.Equal(s.remote.Invoice.Totals.Gross) {
		// Another document under our number: a look-up or the platform asks a person.
		in.opt.Log.Warn().Str("number", key.Number).Str("api_id", s.remote.ID).
			Msg("the platform has this number with another total; not adopted")
		return ledger.Invoice{}, ledger.ErrNotFound
	}
	if open.State == ledger.Held && slices.ContainsFunc(open.Problems, asksWhich) {
		return ledger.Invoice{}, ledger.ErrNotFound
	}
	doubtful := open.State == ledger.Sending || open.State == ledger.Uncertain
	if status := s.remote.Status; !doubtful && status.State == connector.StateError && (status.Code == 501 || status.Code == 221) {
		return ledger.Invoice{}, ledger.ErrNotFound // it is sent again under its number, and this one waits to be
	}
	return in.adopt(ctx, open, s.remote)
}

// asksWhich tells a person's question which of two documents of our number at the
// platform ours is: the first that is shown must not answer it.
func asksWhich(p problem.Problem) bool { return p.Code == "E5009" || p.Code == "E5104" }

func (in *Inbox) adopt(ctx context.Context, open ledger.Invoice, r connector.Remote) (ledger.Invoice, error) {
	err := in.opt.Ledger.Adopt(ctx, open.ID, r, "found at the platform before its answer arrived")
	// ErrState: its answer was recorded between our look and this.
	if err != nil && !errors.Is(err, ledger.ErrState) {
		return open, err
	}
	in.opt.Journal("adopted", map[string]string{"company": open.Company, "number": open.Key.Number, "api_id": r.ID})
	return in.opt.Ledger.OutgoingByAPIID(ctx, r.ID)
}

// status records what is new.
func (in *Inbox) status(ctx context.Context, own ledger.Invoice, s connector.Status) error {
	return in.statusRead(ctx, own, s, false)
}

// statusRead is status; fresh when the platform was asked to look itself.
func (in *Inbox) statusRead(ctx context.Context, own ledger.Invoice, s connector.Status, fresh bool) error {
	if s.State == "" || own.Status.Same(s) {
		return nil
	}
	changed, err := in.opt.Ledger.ApplyStatus(ctx, own.ID, s, fresh)
	if changed {
		in.opt.Journal("status", map[string]string{
			"company": own.Company, "number": own.Key.Number, "api_id": own.APIID, "state": string(s.State), "external": s.External, "code": strconv.Itoa(s.Code),
		})
	}
	return err
}

// see records a supplier invoice; the fetching step does the rest.
func (in *Inbox) see(ctx context.Context, company connector.Company, r connector.Remote) error {
	if !in.cfg.Enabled {
		return nil
	}
	_, err := in.opt.Ledger.SeeReceived(ctx, company.ID, r.ID)
	return err
}

// direction decides without asking for our own ids, which go first: the
// platform's word, else the state that only incoming invoices have, else the
// parties, else what the callback was registered for. Parties alone cannot
// tell when both are ours.
func (s sighting) direction() connector.Direction {
	sells, buys := s.sells(), s.buys()
	switch {
	case s.remote.Direction != "":
		return s.remote.Direction
	case s.remote.Status.State == connector.StateReceived, buys && !sells:
		return connector.Incoming
	case sells && !buys:
		return connector.Outgoing
	case s.event == EventSupplier:
		return connector.Incoming
	case s.event == EventCustomer, sells:
		return connector.Outgoing
	}
	// Neither party is this company: better shown to a person than dropped.
	return connector.Incoming
}

// arrived tells that the platform shows an invoice as one that was received.
func (s sighting) arrived() bool {
	return s.remote.Direction == connector.Incoming || s.remote.Direction == "" && s.remote.Status.State == connector.StateReceived
}

func (s sighting) sells() bool { return is(s.remote.Invoice.Seller, s.company) }
func (s sighting) buys() bool  { return is(s.remote.Invoice.Buyer, s.company) }

// is compares on nine digits: the platform shows a SIRET where a SIREN was registered.
func is(p connector.Party, c connector.Company) bool {
	if siren := p.SIREN(); siren != "" {
		return siren == c.SIREN()
	}
	return p.VATID != "" && strings.EqualFold(p.VATID, c.VATID)
}

// recipient is the company of ours that the invoice is for: the same SIRET,
// else the one that showed it, else the same SIREN, else the one that showed it.
func (s sighting) recipient(companies []connector.Company) connector.Company {
	buyer := s.remote.Invoice.Buyer
	for _, c := range companies {
		if buyer.FiscalID != "" && c.FiscalID == buyer.FiscalID {
			return c
		}
	}
	if s.buys() {
		return s.company
	}
	for _, c := range companies {
		if is(buyer, c) {
			return c
		}
	}
	return s.company
}
