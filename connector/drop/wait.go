package drop

import (
	"context"
	"time"
)

// Next is the time until the next scan is worth it: a pending file may have
// become whole, or the period is over.
func (w *Watcher) Next() time.Duration {
	if w.scanned.IsZero() {
		return 0
	}
	at := w.scanned.Add(w.pace())
	if !w.due.IsZero() && w.due.Before(at) {
		at = w.due
	}
	return max(at.Sub(w.opt.Now()), 10*time.Millisecond)
}

// pace is the period of scans. Where a file appeared and no event told, events
// cannot be trusted: network shares and virtual machines give none, without an error.
func (w *Watcher) pace() time.Duration {
	switch {
	case w.cfg.Scan > 0:
		return w.cfg.Scan.Std()
	case w.opt.Hint == nil || w.deaf:
		return paceWithout
	}
	return paceWithEvents
}

// Wait returns when it is time to scan: after Next, or soon after a hint, of
// which a burst is one. It returns the context's error when that ends.
func (w *Watcher) Wait(ctx context.Context) error {
	timer := time.NewTimer(w.Next())
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			return nil
		case _, open := <-w.opt.Hint:
			if !open {
				w.opt.Hint = nil // the watch ended; scanning goes on without it
				timer.Reset(w.Next())
				continue
			}
			w.hinted, w.deaf = true, false
			timer.Reset(min(w.Next(), max(0, burst-w.opt.Now().Sub(w.scanned))))
		}
	}
}
