package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"einvoice/connector/drop"
	"einvoice/connector/ledger"
	"einvoice/connector/results"
)

// waits is what a drop remembers of files that are not taken.
type waits struct {
	since    map[string]time.Time // from when on, by name; over restarts kept as a fact
	answered map[string]bool      // an answer says why
	seen     map[string]time.Time // when a member of a group was first seen whole
	before   map[string]time.Time // the same, up to the last scan
}

// look begins a scan: what it does not show is forgotten after it.
func (w *waits) look() { w.before, w.seen = w.seen, map[string]time.Time{} }

// whole is when the last of a group's members was first seen whole.
func (w *waits) whole(members []drop.Entry, now time.Time) (last time.Time) {
	for _, e := range members {
		key := e.Name + "\x1f" + e.Modified.String()
		at, known := w.before[key]
		if !known {
			at = now
		}
		w.seen[key] = at
		if at.After(last) {
			last = at
		}
	}
	return last
}

// waitsFact is the name under which the ledger keeps since when the files of a
// drop wait.
func waitsFact(drop string) string { return "outbox.waits." + drop }

// sayPending tells why files are not taken: in the journal, and after the drop's
// deadline in an answer as well. A name that the drop does not read gets none:
// other programs may use the folder too.
func (o *Outbox) sayPending(ctx context.Context, d *Drop, pending []drop.Pending, ready []drop.Entry) error {
	if err := o.loadWaits(ctx, d); err != nil {
		return err
	}
	now, since := o.Now(), map[string]time.Time{}
	for _, p := range pending {
		if p.New {
			o.tellPending("pending", d, p)
		}
		if p.Soon || p.Why.Code == codeNotIncluded {
			continue
		}
		start, known := d.waits.since[p.Entry.Name]
		if !known {
			start = now
		}
		since[p.Entry.Name] = start
		if until := start.Add(d.Config.Deadline.Std()); now.Before(until) {
			d.Watcher.Again(until)
		} else if err := o.answerPending(ctx, d, p); err != nil {
			return err
		}
	}
	for _, e := range ready { // one that is only tried again still waits
		if start, known := d.waits.since[e.Name]; known && d.Watcher.Failing(e) {
			since[e.Name] = start
		}
	}
	return o.keepWaits(ctx, d, since)
}

func (o *Outbox) tellPending(event string, d *Drop, p drop.Pending) {
	o.tell(event, "drop", d.Config.Name, "file", p.Entry.Name,
		"reason", p.Why.Message(o.Lang), "remedy", p.Why.Remedy(o.Lang))
}

// answerPending writes the one answer about a file that is never whole.
func (o *Outbox) answerPending(ctx context.Context, d *Drop, p drop.Pending) error {
	if d.waits.answered[p.Entry.Name] {
		return nil
	}
	made, err := o.Ledger.Unready(ctx, d.Results, results.UnreadyName(p.Entry.Name, p.Entry.Modified, o.ext(d.Results)), p.Entry.Name, p.Why)
	if err != nil {
		return err
	}
	d.waits.answered[p.Entry.Name] = true
	if made {
		o.tellPending("unready", d, p)
		o.Published()
	}
	return nil
}

func (o *Outbox) loadWaits(ctx context.Context, d *Drop) error {
	if d.waits.since != nil {
		return nil
	}
	d.waits.since, d.waits.answered = map[string]time.Time{}, map[string]bool{}
	text, err := o.Ledger.Get(ctx, waitsFact(d.Config.Name))
	if err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &d.waits.since)
	}
	if errors.Is(err, ledger.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read what the drop %s waits for: %w", d.Config.Name, err)
	}
	return nil
}

// keepWaits remembers since when files wait; those that went are forgotten.
func (o *Outbox) keepWaits(ctx context.Context, d *Drop, since map[string]time.Time) error {
	for name := range d.waits.answered {
		if _, still := since[name]; !still {
			delete(d.waits.answered, name)
		}
	}
	if maps.Equal(since, d.waits.since) {
		return nil
	}
	d.waits.since = since
	text, err := json.Marshal(since)
	if err != nil {
		return err
	}
	return o.Ledger.Put(ctx, waitsFact(d.Config.Name), string(text))
}
