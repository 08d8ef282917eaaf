package inbox

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// Callbacks may stop without anybody noticing: a certificate that ran out, a
// firewall, a registration that other software replaced. Polling sees the
// changes all the same; many of them that nobody announced are the sign.

const (
	silentAfter = 5                // changes in a row that only polling saw
	silentFor   = 10 * time.Minute // and no call for so long
)

// SilentFact is the name under which the ledger keeps since when callbacks are
// silent, RFC 3339; status shows it.
const SilentFact = "inbox.callbacks.silent"

// heard takes note of an authentic call. The handler calls it.
func (in *Inbox) heard() { in.lastCall.Store(in.opt.Now().UnixNano()) }

// calledAt is when the last call came, else when we started.
func (in *Inbox) calledAt() time.Time {
	if at := in.lastCall.Load(); at != 0 {
		return time.Unix(0, at)
	}
	return in.since0
}

// alive tells whether calls come: then young invoices need no look every minute.
func (in *Inbox) alive() bool {
	return in.cfg.Callback.Enabled && in.lastCall.Load() != 0 && in.silent.IsZero()
}

// young is the time between looks at young invoices: as long as that between
// lists while calls come, and short again by itself when they go silent.
func (in *Inbox) young() time.Duration {
	if in.alive() {
		return max(in.cfg.Poll.Young.Std(), in.cfg.Poll.List.Std())
	}
	return in.cfg.Poll.Young.Std()
}

// unannounced counts a change that polling found.
func (in *Inbox) unannounced(ctx context.Context) error {
	in.missed++
	now, last := in.opt.Now(), in.calledAt()
	if !in.cfg.Callback.Enabled || !in.silent.IsZero() || in.missed < silentAfter || now.Sub(last) < silentFor {
		return nil
	}
	in.silent = last
	in.opt.Log.Warn().Time("since", last).Int("changes", in.missed).
		Msg("the platform calls no more, polling takes over; look at inbox.callback.public_url, its certificate, the firewall, and einvoice register --dry-run")
	in.opt.Journal("callbacks_silent", map[string]string{"since": last.In(in.opt.Location).Format(time.DateTime), "changes": strconv.Itoa(in.missed)})
	return in.opt.Ledger.Put(ctx, SilentFact, last.UTC().Format(time.RFC3339))
}

// hearken ends a silence that a call has broken.
func (in *Inbox) hearken(ctx context.Context) error {
	if !in.listening {
		text, err := in.opt.Ledger.Get(ctx, SilentFact)
		if err != nil {
			return fmt.Errorf("read silence of callbacks: %w", err)
		}
		in.silent, _ = time.Parse(time.RFC3339, text) // "" is none
		in.listening = true
	}
	call := in.lastCall.Load()
	if call == in.answeredCall {
		return nil
	}
	in.answeredCall, in.missed = call, 0
	if in.silent.IsZero() {
		return nil
	}
	in.silent = time.Time{}
	in.opt.Log.Info().Msg("the platform calls again")
	in.opt.Journal("callbacks_back", nil)
	return in.opt.Ledger.Put(ctx, SilentFact, "")
}
