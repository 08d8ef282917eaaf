package inbox

import (
	"context"
	"errors"
	"strconv"
	"time"

	"einvoice/connector"
	"einvoice/connector/api"
)

// errNotNow means that the platform is not asked at present: its budget of the
// day is spent, or it is away. What needed it waits.
var errNotNow = errors.New("platform not asked now")

const (
	firstPause = 30 * time.Second
	lastPause  = 15 * time.Minute // of the platform as a whole
	idPause    = time.Hour        // of one invoice
	outageRow  = 3                // failures in a row that mean that the platform is away
)

// pause doubles with each failure.
type pause struct {
	until time.Time
	wait  time.Duration
	row   int // failures in a row
}

func (p *pause) fail(now time.Time, most time.Duration) {
	p.row++
	p.wait = min(max(2*p.wait, firstPause), most)
	p.until = now.Add(p.wait)
}

// purpose says how far into the day's budget a call may go.
type purpose int

const (
	polling purpose = iota // leaves a quarter of the budget
	needed                 // a callback to answer, a supplier invoice to fetch
	again                  // to fetch one that was not to be had; leaves half
)

func (in *Inbox) limit(p purpose) int {
	switch p {
	case polling:
		return in.cfg.Poll.Budget - in.cfg.Poll.Budget/4
	case again:
		return in.cfg.Poll.Budget - in.cfg.Poll.Budget/2
	}
	return in.cfg.Poll.Budget
}

// left is the number of calls that may be made now: 0 when the platform is
// away or the day's budget spent.
func (in *Inbox) left(ctx context.Context, company string, p purpose) (int, error) {
	if away := in.outage(company); away.row >= outageRow && in.opt.Now().Before(away.until) {
		return 0, nil
	}
	day := in.now().Format(time.DateOnly)
	total, err := in.opt.Ledger.Spend(ctx, day, 0)
	if err != nil {
		return 0, err
	}
	if total >= in.limit(p) && p != again { // a half is not the budget
		in.overBudget(day, p, total)
	}
	return max(0, in.limit(p)-total), nil
}

// count counts one GET. Do it before the call: a crash between may waste one,
// but never hides one.
func (in *Inbox) count(ctx context.Context) error {
	_, err := in.opt.Ledger.Spend(ctx, in.now().Format(time.DateOnly), 1)
	return err
}

// overBudget says once a day and purpose that the budget is spent.
func (in *Inbox) overBudget(day string, p purpose, total int) {
	subject := "budget" + strconv.Itoa(int(p))
	if in.said[subject] == day {
		return
	}
	in.said[subject] = day
	in.opt.Log.Warn().Int("calls", total).Int("budget", in.cfg.Poll.Budget).Bool("polling_only", p == polling).
		Msg("the day's budget of calls is spent; the platform is asked again tomorrow (inbox.poll.budget)")
	in.opt.Journal("budget", map[string]string{"spent": strconv.Itoa(total), "budget": strconv.Itoa(in.cfg.Poll.Budget)})
}

// get reads one invoice. errNotNow: nobody was asked. api.ErrNotFound: the
// platform does not know it. Other errors put the invoice on a pause of its
// own; several in a row put everything on one, so that one poisoned invoice
// stops nobody else and an outage is not hammered.
func (in *Inbox) get(ctx context.Context, company, id string, p purpose) (connector.Remote, error) {
	return in.getRefreshed(ctx, company, id, p, false)
}

// getRefreshed is get; with refresh the platform asks the network itself first.
func (in *Inbox) getRefreshed(ctx context.Context, company, id string, p purpose, refresh bool) (connector.Remote, error) {
	now := in.opt.Now()
	if now.Before(in.later[id].until) {
		return connector.Remote{}, errNotNow
	}
	left, err := in.left(ctx, company, p)
	if err == nil && left == 0 {
		err = errNotNow
	}
	if err == nil {
		err = in.count(ctx)
	}
	if err != nil {
		return connector.Remote{}, err
	}
	remote, err := in.platform(company).Get(ctx, id, refresh)
	if err == nil {
		in.answered(company)
		delete(in.later, id)
		remote.ID = id
		return remote, nil
	}
	if ctx.Err() != nil {
		return connector.Remote{}, ctx.Err()
	}
	one := in.later[id]
	one.fail(now, idPause)
	in.later[id] = one
	if errors.Is(err, api.ErrNotFound) {
		in.answered(company)
		return connector.Remote{}, err
	}
	in.failed(company, now, err)
	return connector.Remote{}, err
}

// platform is what a company's credential shows.
func (in *Inbox) platform(company string) Platform {
	if in.opt.Account == nil {
		return in.opt.Platform
	}
	return in.opt.Account(company)
}

// outage is that of a company's credential: the others go on.
func (in *Inbox) outage(company string) *pause {
	p := in.platform(company)
	if in.outages[p] == nil {
		in.outages[p] = &pause{}
	}
	return in.outages[p]
}

func (in *Inbox) answered(company string) {
	away := in.outage(company)
	if away.row >= outageRow {
		in.opt.Log.Info().Msg("the platform answers again")
	}
	*away = pause{}
}

func (in *Inbox) failed(company string, now time.Time, err error) {
	away := in.outage(company)
	asked := now.Add(api.RetryAfter(err))
	if asked.After(now) { // one that says so need not fail again to be believed
		away.row = max(away.row, outageRow-1)
	}
	away.fail(now, lastPause)
	if asked.After(away.until) {
		away.until = asked
	}
	if away.row == outageRow {
		in.opt.Log.Warn().Err(err).Msg("the platform does not answer; it is asked again in a while")
		return
	}
	in.opt.Log.Debug().Err(err).Int("in_a_row", away.row).Msg("call failed")
}

// tomorrow is when the next day's budget opens.
func (in *Inbox) tomorrow() time.Time {
	now := in.now()
	return time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, now.Location())
}
