package inbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"einvoice/connector"
	"einvoice/connector/api"
	"einvoice/connector/ledger"
)

const (
	sweptKey  = "inbox.swept." // + company: when the last full sweep ended, RFC 3339
	knownMost = 50_000         // received ids kept in memory to spare writes
	sweepName = "sweep of "    // subject of a pause, beside API ids
	sweepPart = 2              // a sweep may take this fraction of what is left of the budget
)

// walk is how far a list is read.
type walk struct {
	pages int            // at most
	depth time.Time      // a list in order of creation is not read below this
	since connector.Date // incoming invoices from before it are left alone
}

// walk reads a company's list and applies what it shows. whole tells whether
// nothing was left unread.
func (in *Inbox) walk(ctx context.Context, c connector.Company, w walk) (whole bool, err error) {
	left, err := in.left(ctx, c.ID, polling)
	if err != nil || left == 0 {
		return false, err
	}
	if err := in.count(ctx); err != nil {
		return false, err
	}
	var own []ledger.Invoice
	order := descent{below: w.depth}
	items := 0
	whole = true
	for remote, err := range in.platform(c.ID).List(ctx, api.Query{FiscalID: c.FiscalID, Limit: pageSize, MaxPages: min(w.pages, left)}) {
		if err != nil {
			whole = false
			in.cut(c, err)
			break
		}
		in.answered(c.ID)
		if items++; items%pageSize == 1 && items > 1 { // the first of a further page
			if err := in.count(ctx); err != nil {
				return false, err
			}
		}
		if own, err = in.showOne(ctx, c, remote, w.since, own); err != nil {
			return false, err
		}
		if order.reached(remote.Created) {
			break
		}
	}
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	return whole, in.plan(ctx, own)
}

// showOne applies one entry of a list and adds it to own if it is ours.
func (in *Inbox) showOne(ctx context.Context, c connector.Company, r connector.Remote, since connector.Date, own []ledger.Invoice) ([]ledger.Invoice, error) {
	if _, known := in.known[r.ID]; known || r.ID == "" {
		return own, nil
	}
	s := sighting{remote: r, company: c}
	if in.before(s, since) {
		return own, nil
	}
	mine, ok, err := in.apply(ctx, s)
	if err != nil {
		return own, err
	}
	switch {
	case ok:
		own = append(own, mine)
	case mine.ID == 0 && s.direction() == connector.Incoming:
		if len(in.known) >= knownMost {
			clear(in.known)
		}
		in.known[r.ID] = struct{}{}
	}
	return own, nil
}

// before tells whether an incoming invoice came before the first
// synchronisation. One without any date did not.
func (in *Inbox) before(s sighting, since connector.Date) bool {
	date := s.remote.Invoice.IssueDate
	if !s.remote.Created.IsZero() {
		date = connector.DateOf(s.remote.Created.In(in.opt.Location))
	}
	return date != "" && date < since && s.direction() == connector.Incoming
}

// cut takes note of a list that ended early.
func (in *Inbox) cut(c connector.Company, err error) {
	switch {
	case errors.Is(err, api.ErrTruncated):
	case errors.Is(err, api.ErrPaging):
		in.sayOnce("paging "+c.ID, err)
	default:
		in.failed(c.ID, in.opt.Now(), err)
	}
}

// descent notices when a list that runs from new to old has gone deep enough.
// A list in any other order is read to its end.
type descent struct {
	below    time.Time
	last     time.Time
	older    int
	disorder bool
}

func (d *descent) reached(created time.Time) bool {
	if d.below.IsZero() || created.IsZero() || !d.last.IsZero() && created.After(d.last) {
		d.disorder = true
	}
	d.last = created
	if created.Before(d.below) {
		d.older++
	}
	return !d.disorder && d.older >= pageSize
}

// since is the start of the company's first synchronisation.
func (in *Inbox) since(ctx context.Context, c connector.Company) (connector.Date, error) {
	if date, ok := in.starts[c.ID]; ok {
		return date, nil
	}
	initial := connector.Date(in.cfg.ReceivedSince)
	if initial == "" {
		initial = connector.DateOf(in.now())
	}
	date, err := in.opt.Ledger.ReceivedSince(ctx, c.ID, initial)
	if err == nil {
		in.starts[c.ID] = date
	}
	return date, err
}

func (in *Inbox) sweepDue(ctx context.Context, c connector.Company) (bool, error) {
	now := in.opt.Now()
	if now.Before(in.later[sweepName+c.ID].until) {
		return false, nil
	}
	text, err := in.opt.Ledger.Get(ctx, sweptKey+c.ID)
	if err != nil || text == "" {
		return err == nil, err
	}
	last, err := time.Parse(time.RFC3339, text)
	// After now is a clock that was wrong then: no sweep would come until that day.
	return err != nil || last.After(now) || now.Sub(last) >= in.cfg.Poll.SweepEvery.Std(), nil
}

// sweep reads a company's list as deep as anything may still change: what is
// watched, and what arrived since the first synchronisation if no sweep saw it
// yet. It finds what was announced by nobody, and late invoices with old dates.
func (in *Inbox) sweep(ctx context.Context, c connector.Company) error {
	since, err := in.since(ctx, c)
	if err != nil {
		return err
	}
	swept, err := in.opt.Ledger.Get(ctx, sweptKey+c.ID)
	if err != nil {
		return err
	}
	depth := in.opt.Now().Add(-horizon)
	if first, err := time.ParseInLocation(time.DateOnly, string(since), in.opt.Location); err == nil && swept == "" && first.Before(depth) {
		depth = first
	}
	whole, err := in.sweepTo(ctx, c, walk{depth: depth, since: since})
	if err != nil || !whole {
		return err
	}
	return in.opt.Ledger.Put(ctx, sweptKey+c.ID, in.opt.Now().UTC().Format(time.RFC3339))
}

// sweepTo walks within a part of the budget; a sweep that could not end is
// tried again after a growing pause.
func (in *Inbox) sweepTo(ctx context.Context, c connector.Company, w walk) (whole bool, err error) {
	in.listed[c.ID] = in.opt.Now()
	in.shown[c.ID] = true
	left, err := in.left(ctx, c.ID, polling)
	if err != nil {
		return false, err
	}
	w.pages = max(1, left/sweepPart)
	whole, err = in.walk(ctx, c, w)
	name := sweepName + c.ID
	if err != nil || whole {
		delete(in.later, name)
		return whole, err
	}
	p := in.later[name]
	p.fail(in.opt.Now(), idPause)
	in.later[name] = p
	in.opt.Log.Info().Str("company", c.ID).Time("again_at", p.until).Msg("the list of invoices could not be read to its end; tried again later")
	return false, nil
}

// FetchSince records a company's supplier invoices from a day on, for `fetch
// --since`; rounds deliver them. whole is false when the budget or an error
// ended the list early: call again.
func (in *Inbox) FetchSince(ctx context.Context, companyID string, since connector.Date) (whole bool, err error) {
	in.round.Lock()
	defer in.round.Unlock()
	first, err := time.ParseInLocation(time.DateOnly, string(since), in.opt.Location)
	if err != nil {
		return false, fmt.Errorf("fetch since %q: not a date", since)
	}
	return in.sweepTo(ctx, in.company(companyID), walk{depth: first, since: since})
}
