package inbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"einvoice/connector"
	"einvoice/connector/ledger"
)

const (
	pageSize     = 100
	watchAtOnce  = 2000
	horizon      = 90 * 24 * time.Hour // older invoices are not watched any more
	refreshAfter = 24 * time.Hour      // an invoice still open then is asked for at its network: what the platform has may be old
	pagesPerLook = 4                   // singles that a further page must be able to replace
)

// interval is how long to leave an invoice alone; ok is false when its story
// is over. DONE is not the end in France: refusal and payment come after it.
func (in *Inbox) interval(sentAt time.Time, s connector.Status) (wait time.Duration, ok bool) {
	age := in.opt.Now().Sub(sentAt)
	p := in.cfg.Poll
	switch {
	case s.State == connector.StateError, s.State == connector.StateDone && closed(s), age > horizon:
		return 0, false
	case age < time.Hour:
		return in.young(), true
	case age < 24*time.Hour:
		return p.Day.Std(), true
	case age < 30*24*time.Hour:
		return p.Month.Std(), true
	}
	return p.Old.Std(), true
}

// closed tells whether the French life cycle is over: refused (210) or paid (212).
func closed(s connector.Status) bool {
	switch strings.ToLower(s.External) {
	case "paid", "refused", "encaissée", "encaissee", "refusée", "refusee":
		return true
	}
	return s.Code == 210 || s.Code == 212
}

// plan says when invoices that were just seen are looked at next, in as few
// writes as there are intervals.
func (in *Inbox) plan(ctx context.Context, seen []ledger.Invoice) error {
	groups := map[time.Time][]int64{}
	for _, own := range seen {
		var next time.Time // zero: never
		if wait, ok := in.interval(own.SentAt, own.Status); ok {
			next = in.opt.Now().Add(wait)
		}
		groups[next] = append(groups[next], own.ID)
	}
	for next, ids := range groups {
		if err := in.opt.Ledger.Polled(ctx, ids, next); err != nil {
			return fmt.Errorf("plan next look: %w", err)
		}
	}
	return nil
}

// list looks at the newest invoices of each company: one GET tells about a
// hundred, and it is how supplier invoices are found without callbacks.
func (in *Inbox) list(ctx context.Context) error {
	clear(in.shown)
	_, due, err := in.due(ctx)
	if err != nil {
		return err
	}
	for _, c := range in.opt.Companies {
		if err := in.listCompany(ctx, c, due[c.ID]); err != nil {
			return fmt.Errorf("list invoices of %s: %w", c.ID, err)
		}
	}
	return nil
}

// due gives the invoices to look at, and counts them by company. One that was
// just sent is left alone at first: the answer to its POST is fresh enough.
func (in *Inbox) due(ctx context.Context) (watched []ledger.Watched, count map[string]int, err error) {
	all, err := in.opt.Ledger.Watch(ctx, watchAtOnce)
	if err != nil {
		return nil, nil, fmt.Errorf("list invoices to watch: %w", err)
	}
	count = map[string]int{}
	for _, w := range all {
		if w.PolledAt.IsZero() && in.opt.Now().Sub(w.SentAt) < in.cfg.Poll.Young.Std() {
			continue
		}
		watched = append(watched, w)
		count[w.Company]++
	}
	return watched, count, nil
}

func (in *Inbox) listCompany(ctx context.Context, c connector.Company, watched int) error {
	if !in.cfg.Enabled && watched == 0 {
		return nil
	}
	due, err := in.sweepDue(ctx, c)
	if err != nil {
		return err
	}
	if due {
		return in.sweep(ctx, c)
	}
	pace, err := in.pace(ctx)
	if err != nil {
		return err
	}
	wait := in.cfg.Poll.List.Std()
	if watched > 1 { // a single GET tells about one as well as a list
		wait = min(wait, in.young())
	}
	if in.opt.Now().Sub(in.listed[c.ID]) < max(wait, pace) {
		return nil
	}
	in.listed[c.ID] = in.opt.Now()
	in.shown[c.ID] = true
	since, err := in.since(ctx, c)
	if err != nil {
		return err
	}
	_, err = in.walk(ctx, c, walk{pages: max(1, watched/pagesPerLook), since: since})
	return err
}

// pace spreads what is left of the day's budget over what is left of the day,
// once half of it is spent: a busy morning must not leave a blind afternoon.
func (in *Inbox) pace(ctx context.Context) (time.Duration, error) {
	spent, err := in.opt.Ledger.Spend(ctx, in.now().Format(time.DateOnly), 0)
	left := in.limit(polling) - spent
	if err != nil || left <= 0 || spent < in.limit(polling)/2 {
		return 0, err
	}
	return in.tomorrow().Sub(in.now()) / time.Duration(left) * time.Duration(len(in.opt.Companies)), nil
}

// watch looks at single invoices: those that the list just read did not show,
// and one that is alone. Several wait for the next list, which is never far.
func (in *Inbox) watch(ctx context.Context) error {
	due, count, err := in.due(ctx)
	if err != nil {
		return err
	}
	for _, w := range due {
		if count[w.Company] > 1 && !in.shown[w.Company] {
			continue
		}
		if err := in.look(ctx, w); err != nil {
			return fmt.Errorf("look at invoice %s: %w", w.APIID, err)
		}
	}
	return nil
}

func (in *Inbox) look(ctx context.Context, w ledger.Watched) error {
	own := ledger.Invoice{ID: w.InvoiceID, SentAt: w.SentAt, Status: w.Status}
	if _, ok := in.interval(own.SentAt, own.Status); !ok {
		return in.plan(ctx, []ledger.Invoice{own})
	}
	remote, err := in.getRefreshed(ctx, w.Company, w.APIID, polling, in.opt.Now().Sub(w.SentAt) > refreshAfter)
	switch {
	case errors.Is(err, errNotNow):
		return nil
	case err != nil && ctx.Err() != nil:
		return err
	case err != nil:
		in.opt.Log.Debug().Err(err).Str("api_id", w.APIID).Msg("cannot read invoice; tried again later")
		return nil
	}
	now, ok, err := in.apply(ctx, sighting{remote: remote, company: in.company(w.Company)})
	if err != nil || !ok {
		return err
	}
	return in.plan(ctx, []ledger.Invoice{now})
}
