package outbox

import (
	"context"
	"errors"
	"sync"
	"time"

	"einvoice/connector/ledger"
)

// hardship is what our own disk or ledger keeps us from: the errors of work that
// is being tried again, by subject. A full disk strikes all of them at once and
// is said once.
type hardship struct {
	mu    sync.Mutex
	tries map[string]int
}

// hardshipMost bounds the wait before work that failed on our own disk is tried
// again: room that a person has made must not lie idle.
const hardshipMost = 30 * time.Second

// endure waits before work that an error of our own ledger or disk broke off is
// tried again. It returns false when that error is to be returned instead: we
// stop, or are not to endure, or the ledger was closed.
func (o *Outbox) endure(ctx context.Context, subject string, err error) bool {
	if ctx.Err() != nil || !o.Endure || errors.Is(err, ledger.ErrClosed) {
		return false
	}
	tries, news := o.hardship.add(subject)
	if news {
		o.Log.Error().Err(err).Msg("our own disk or ledger fails; nothing is lost, trying again")
		o.tell("hardship", "reason", err.Error())
	} else {
		o.Log.Debug().Err(err).Str("work", subject).Msg("still failing")
	}
	t := time.NewTimer(min(o.Config.backoff(tries, 1), hardshipMost))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// well tells that work of a subject succeeded. The end of the last hardship is
// said.
func (o *Outbox) well(subject string) {
	if o.hardship.end(subject) {
		o.Log.Info().Msg("our own disk and ledger work again")
		o.tell("relief")
	}
}

// add counts a failure; news is true for the first of all.
func (h *hardship) add(subject string) (tries int, news bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.tries == nil {
		h.tries = map[string]int{}
	}
	news = len(h.tries) == 0
	h.tries[subject]++
	return h.tries[subject], news
}

// end tells whether that was the last of all subjects.
func (h *hardship) end(subject string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, in := h.tries[subject]; !in {
		return false
	}
	delete(h.tries, subject)
	return len(h.tries) == 0
}

// cause is the error of work, nil when it only says that we stop.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
