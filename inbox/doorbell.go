package inbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"einvoice/connector"
	"einvoice/connector/api"
	"einvoice/connector/fault"
	"einvoice/connector/ledger"
)

// ring is all callbacks about one invoice: one look answers them all.
type ring struct {
	ledger.Callback // the first
	rows            []int64
}

const callbacksAtOnce = 500

// answerCallbacks processes what the handler recorded.
func (in *Inbox) answerCallbacks(ctx context.Context) error {
	due, err := in.opt.Ledger.CallbacksDue(ctx, callbacksAtOnce)
	if err != nil {
		return fmt.Errorf("list callbacks: %w", err)
	}
	for _, r := range coalesce(due) {
		if err := in.answer(ctx, r); err != nil {
			return fmt.Errorf("process callback about %q: %w", r.APIID, err)
		}
	}
	return nil
}

// coalesce groups by company, event and id: the event may decide the
// direction, so two events are two looks.
func coalesce(callbacks []ledger.Callback) (rings []*ring) {
	type about struct{ company, event, id string }
	known := map[about]*ring{}
	for _, c := range callbacks {
		a := about{c.Company, c.Event, c.APIID}
		if known[a] == nil {
			known[a] = &ring{Callback: c}
			rings = append(rings, known[a])
		}
		known[a].rows = append(known[a].rows, c.ID)
	}
	return rings
}

func (in *Inbox) answer(ctx context.Context, r *ring) error {
	if r.APIID == "" {
		in.opt.Log.Warn().Str("company", r.Company).Str("body", r.BodySHA256).
			Msg("callback names no invoice; its body is kept, polling finds what it was about")
		return in.opt.Ledger.CallbacksDone(ctx, r.rows)
	}
	remote, err := in.believe(ctx, r)
	switch {
	case errors.Is(err, api.ErrNotFound):
		in.opt.Log.Warn().Str("api_id", r.APIID).Msg("callback names an invoice that the platform does not know")
		return in.opt.Ledger.CallbacksDone(ctx, r.rows)
	case err != nil && ctx.Err() != nil:
		return err
	case err != nil:
		return in.opt.Ledger.PostponeCallbacks(ctx, r.rows, in.again(r))
	}
	own, ok, err := in.apply(ctx, sighting{remote, in.company(r.Company), r.Event})
	if err != nil {
		return err
	}
	if ok {
		if err := in.plan(ctx, []ledger.Invoice{own}); err != nil {
			return err
		}
	}
	if err := fault.Hit(fault.CallbackApplied); err != nil {
		return err
	}
	if err := in.opt.Ledger.CallbacksDone(ctx, r.rows); err != nil {
		return err
	}
	return fault.Hit(fault.CallbackDone)
}

// believe gives what a callback stands for: read again with our own token, or,
// with verify = "trust", the callback's own word.
func (in *Inbox) believe(ctx context.Context, r *ring) (connector.Remote, error) {
	if in.cfg.Callback.Verify == verifyTrust {
		notice, err := in.read(ctx, r.Callback, "")
		if err == nil && notice.Remote != nil && notice.Remote.Status.State != "" {
			notice.Remote.ID = r.APIID
			in.keep(*notice.Remote)
			return *notice.Remote, nil
		}
	}
	if _, err := in.opt.Ledger.OutgoingByAPIID(ctx, r.APIID); errors.Is(err, ledger.ErrNotFound) {
		// Whoever holds the secret address must not make us ask without end.
		if !in.unknown.AllowN(in.opt.Now(), 1) {
			return connector.Remote{}, errNotNow
		}
	} else if err != nil {
		return connector.Remote{}, err
	}
	if remote, ok := in.onHand[r.APIID]; ok {
		return remote, nil
	}
	remote, err := in.get(ctx, r.Company, r.APIID, needed)
	if err == nil {
		in.keep(remote)
	}
	return remote, err
}

// keep spares the fetching step a second GET; the bounds spare the memory.
func (in *Inbox) keep(r connector.Remote) {
	if len(in.onHand) < onHandEntries && len(r.Raw) <= onHandBytes {
		in.onHand[r.ID] = r
	}
}

// again is when a callback that could not be processed is tried next: after
// half its age, so that waiting grows without a counter, and not before a pause
// that is already known.
func (in *Inbox) again(r *ring) time.Time {
	now := in.opt.Now()
	due := now.Add(min(max(now.Sub(r.ReceivedAt)/2, firstPause), time.Hour))
	for _, until := range []time.Time{in.later[r.APIID].until, in.outage(r.Company).until} {
		if until.After(due) {
			due = until
		}
	}
	return due
}
