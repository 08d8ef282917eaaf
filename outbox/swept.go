package outbox

import (
	"context"
	"errors"
	"sync"

	"einvoice/connector"
	"einvoice/connector/api"
	"einvoice/connector/fault"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
)

// sweepsAtOnce bounds how many companies' invoices are read at a time.
const sweepsAtOnce = 4

// sweeps read what companies sent before, apart from feed: a list of thousands of
// pages, or a platform that does not answer, must not keep the others waiting.
type sweeps struct {
	read  func(company string) error
	wake  signal // that one ended
	mu    sync.Mutex
	going map[string]bool
	err   error // of our own ledger, for feed
	work  sync.WaitGroup
}

// begin reads for a company, unless that is under way or others are first. It
// returns, once, what kept an earlier one from being recorded.
func (s *sweeps) begin(company string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.err; err != nil {
		s.err = nil
		return err
	}
	if s.going[company] || len(s.going) == sweepsAtOnce {
		return nil
	}
	s.going[company] = true
	s.work.Go(func() { s.end(company, s.read(company)) })
	return nil
}

func (s *sweeps) end(company string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.going, company)
	s.err = errors.Join(s.err, err)
	s.wake.set()
}

// swept makes sure that a new or restored ledger knows what the company sent
// before, and tells whether sending may start.
func (o *Outbox) swept(ctx context.Context, company string) (bool, error) {
	needed, err := o.Ledger.SweepNeeded(ctx, company)
	if err != nil || !needed {
		return !needed, err
	}
	err = o.sweep(ctx, company)
	if ctx.Err() != nil {
		return false, nil
	}
	if away, ok := errors.AsType[*unreadError](err); ok {
		p := unread(away.cause)
		if o.lanes.stopped(company, api.ScopeCompany, o.since(o.Now(), p), o.Now(), api.RetryAfter(away.cause)) {
			o.note(ctx, company)
			o.tell("unreachable", "company", company, "reason", p.Message(o.Lang), "remedy", p.Remedy(o.Lang))
		}
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := fault.Hit(fault.SweptPart); err != nil {
		return false, err
	}
	if o.lanes.read(company) {
		o.note(ctx, company)
		o.tell("resumed", "company", company)
	}
	adopted, err := o.Ledger.SweepDone(ctx, company)
	if err != nil {
		return false, err
	}
	o.tellAdopted(adopted)
	o.settleWake.set() // what it found may have been all that a file waited for
	o.Published()
	return true, fault.Hit(fault.Swept)
}

// tellAdopted says in the journal what is not sent because the platform has it.
func (o *Outbox) tellAdopted(all []ledger.Adopted) {
	for _, a := range all {
		o.tell("found", "company", a.Company, "number", a.Number, "id", a.APIID)
	}
}

// unreadError is of the platform, not of our own ledger.
type unreadError struct{ cause error }

func (e *unreadError) Error() string { return "sweep: " + e.cause.Error() }

// sweep records all that the company sent before.
func (o *Outbox) sweep(ctx context.Context, company string) error {
	c, w := o.company(company), single{o: o, company: company, left: readSingly}
	var found []connector.Remote
	for r, err := range o.Platform.List(ctx, api.Query{FiscalID: c.FiscalID, Direction: connector.Outgoing, Again: true}) {
		if err != nil {
			return &unreadError{err}
		}
		if r, err = w.whole(ctx, r); err != nil {
			return err
		}
		if by := r.Invoice.Seller.SIREN(); r.Direction == connector.Incoming || by != "" && by != c.SIREN() {
			continue // which the list did not say
		}
		if found = append(found, r); len(found) == stageBatch {
			if err := o.Ledger.AddSwept(ctx, company, found); err != nil {
				return err
			}
			found = found[:0]
		}
	}
	return o.Ledger.AddSwept(ctx, company, found)
}

// readSingly is the number of invoices that a sweep reads one by one, because
// the list lacks what they are known by. Of more, what the list shows must do.
const readSingly = 1000

// single is what a sweep may still read singly.
type single struct {
	o       *Outbox
	company string
	left    int
}

// whole reads what the list does not show of an invoice that the ledger does not
// know by its id. Where the platform answers, but does not tell either, it stays
// as it is: the ledger holds back what it might be.
func (w *single) whole(ctx context.Context, listed connector.Remote) (connector.Remote, error) {
	if listed.Invoice.Number != "" && listed.Invoice.IssueDate != "" || w.left == 0 {
		return listed, nil
	}
	ours, err := w.o.Ledger.Known(ctx, []string{listed.ID})
	if err != nil || ours[listed.ID] {
		return listed, err
	}
	w.left--
	r, err := w.o.Account(w.company).Get(ctx, listed.ID, false)
	if err == nil {
		return r, nil
	}
	known, ok := errors.AsType[*api.Error](err)
	if ok && (known.Scope == api.ScopeInvoice || known.HTTP >= 500) {
		w.o.Log.Warn().Err(err).Str("api_id", listed.ID).Msg("an invoice at the platform does not show its number")
		return listed, nil
	}
	return listed, &unreadError{err}
}

// unread says that what a company sent before could not be read.
func unread(err error) problem.Problem {
	var known *api.Error
	if errors.As(err, &known) && known.Problem.Code != "" {
		return known.Problem
	}
	return problem.Problem{Code: "E5205", Severity: problem.Warn, Value: err.Error()}
}
