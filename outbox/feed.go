package outbox

import (
	"cmp"
	"context"
	"errors"
	"time"

	"einvoice/connector/fault"
	"einvoice/connector/ledger"
)

// feed commits intents while there is room, companies in turn. It closes the
// work channel when it ends.
func (s *sender) feed(ctx context.Context) error {
	defer close(s.work)
	for {
		fed, again, err := s.round(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			s.shelf.clear() // what was taken off it is still queued
			if s.o.endure(ctx, "feed", err) {
				continue
			}
			return cause(ctx, err)
		}
		s.o.well("feed")
		wait := s.o.untilNext(again)
		if fed > 0 {
			wait = 0 // ask again at once, unless there is no room
		}
		if !s.pause(ctx, wait) {
			return nil
		}
		select {
		case err := <-s.broken: // no more intents
			return err
		default:
		}
	}
}

// pause waits for news from the ledger, room among the workers, or time.
func (s *sender) pause(ctx context.Context, wait time.Duration) bool {
	if wait <= 0 && s.room() >= s.least() {
		return ctx.Err() == nil
	}
	if wait <= 0 {
		wait = time.Minute
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-s.o.sendWake:
		s.shelf.clear()
	case <-s.recorded:
	case <-t.C:
	}
	return true
}

// least is the number for which a commit of intents or outcomes is worth its
// fsync: the workers have as much to do meanwhile.
func (s *sender) least() int { return max(1, s.o.Config.Workers/2) }

// room is how many more intents may be pending.
func (s *sender) room() int { return 2*s.o.Config.Workers - s.underWay() }

// underWay is the number of intents whose outcome is not recorded.
func (s *sender) underWay() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pending
}

func (s *sender) add(n int) {
	s.mu.Lock()
	s.pending += n
	s.mu.Unlock()
}

// round gives each company its share of the room, beginning behind the one that
// was given something last, and commits all their intents at once. again is when
// there may be more, zero for no known time.
func (s *sender) round(ctx context.Context) (fed int, again time.Time, err error) {
	select {
	case <-s.o.sendWake: // what was released may go before what stands ready
		s.shelf.clear()
	default:
	}
	room := s.room()
	if room <= 0 {
		return 0, time.Time{}, nil
	}
	var next []ledger.ToSend
	share := max(1, room/max(1, len(s.o.lanes.order)))
	for _, company := range s.o.lanes.turn() {
		n, until := s.o.lanes.open(company, min(share, room-len(next)), s.o.Now())
		if n == 0 {
			again = earlier(again, until)
			continue
		}
		if !s.o.entitled(company) {
			continue // the claim of its drop wakes us
		}
		mine, err := s.next(ctx, company, n)
		if errors.Is(err, errUnswept) { // the end of its sweep wakes us
			again = earlier(again, s.o.Now().Add(s.o.Config.Probe.Std()))
			continue
		}
		if err != nil {
			return 0, again, err
		}
		next = append(next, mine...)
		if len(mine) == 0 {
			continue
		}
		s.o.lanes.gave(company)
		if s.o.lanes.shut(company) {
			break // one probe is enough for all companies
		}
	}
	if fed, err = s.hand(ctx, next); err != nil || fed > 0 {
		return fed, again, err
	}
	wake, err := s.o.Ledger.NextWake(ctx)
	if err == nil && wake.After(s.o.Now()) {
		again = earlier(again, wake)
	}
	return 0, again, err
}

// errUnswept: what a company sent before is not known yet.
var errUnswept = errors.New("not swept")

// next takes a company's next invoices off the shelf, which is filled again when
// it runs low: what stands there is still queued, and comes again.
func (s *sender) next(ctx context.Context, company string, n int) ([]ledger.ToSend, error) {
	if len(s.shelf.ready[company]) < n {
		if needed, err := s.o.Ledger.SweepNeeded(ctx, company); err != nil {
			return nil, err
		} else if needed {
			return nil, cmp.Or(s.sweeps.begin(company), errUnswept)
		}
		next, err := s.o.Ledger.NextToSend(ctx, company, max(n, s.shelf.size(len(s.o.lanes.order))))
		if err != nil {
			return nil, err
		}
		s.shelf.ready[company] = next
	}
	return s.shelf.take(company, n), nil
}

// hand commits the intents and gives the invoices to the workers. The commit
// comes first: from then on a crash means "uncertain".
func (s *sender) hand(ctx context.Context, next []ledger.ToSend) (int, error) {
	if len(next) == 0 {
		return 0, nil
	}
	ids := make([]int64, len(next))
	for i, t := range next {
		ids[i] = t.ID
	}
	marked, err := s.o.Ledger.MarkSending(ctx, ids)
	if err != nil {
		return 0, err
	}
	if err := fault.Hit(fault.Intent); err != nil {
		return 0, errors.Join(err, s.o.Ledger.Unsend(ctx, marked)) // no worker has them
	}
	if len(marked) < len(ids) { // somebody held, replaced or swept meanwhile
		s.shelf.clear()
	}
	s.add(len(marked))
	going := make(map[int64]bool, len(marked))
	for _, id := range marked {
		going[id] = true
	}
	for _, t := range next {
		if going[t.ID] {
			s.o.lanes.probing(t.Company, s.o.Now())
			s.work <- t // never blocks: the channel holds all that may be pending
		}
	}
	return len(marked), nil
}

// shelf holds what feed read ahead. It is bounded, and only a hint: an intent is
// committed for what is still queued in the ledger.
type shelf struct {
	ready map[string][]ledger.ToSend
}

func newShelf() shelf { return shelf{ready: map[string][]ledger.ToSend{}} }

// shelved invoices are read at a time, of all companies together.
const shelved = 256

// size is how many of one company are read ahead.
func (s *shelf) size(companies int) int { return max(1, shelved/max(1, companies)) }

func (s *shelf) clear() { clear(s.ready) }

func (s *shelf) take(company string, n int) []ledger.ToSend {
	all := s.ready[company]
	n = min(n, len(all))
	s.ready[company] = all[n:]
	return all[:n:n]
}
