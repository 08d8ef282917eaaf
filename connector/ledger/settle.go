package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"einvoice/connector"
	"einvoice/connector/problem"
)

// Settle records outcomes of attempts and look-ups (from Sending or Uncertain
// only; others are skipped and counted in the error ErrState after the rest was
// done), with their events: SENT; REFUSED; UNCERTAIN on entering; RESOLVED when
// leaving Uncertain, before the event of the new state; HELD. It wakes credit
// notes that waited for them. One transaction. An API id that another invoice
// has is not adopted twice: the invoice is held.
func (l *Ledger) Settle(ctx context.Context, outcomes []Outcome) error {
	skipped := 0
	err := l.commit(ctx, func(t *tx) error {
		skipped = 0
		standing, err := standingOf(t, outcomes)
		if err != nil {
			return err
		}
		waited, err := first(context.Background(), t, scanOne[bool], "SELECT EXISTS (SELECT 1 FROM invoice WHERE waits_for IS NOT NULL)")
		if err != nil {
			return err
		}
		for i := range outcomes {
			o := &outcomes[i]
			from := standing[o.ID]
			delete(standing, o.ID) // one outcome each
			if !settles(from.state, o) {
				skipped++
				continue
			}
			if err := l.settle(t, o, from); err != nil {
				return fmt.Errorf("invoice %d: %w", o.ID, err)
			}
			if !waited {
				continue
			}
			if err := l.wakeAfter(t, o); err != nil {
				return fmt.Errorf("wake what waits for invoice %d: %w", o.ID, err)
			}
		}
		return nil
	})
	return skippedError("settle", skipped, len(outcomes), err)
}

// standing is an invoice that is about to be settled.
type standing struct {
	state     State
	attempt   int
	attempted any // column value
}

// standingOf reads all outcomes' invoices at once.
func standingOf(t *tx, outcomes []Outcome) (map[int64]standing, error) {
	ids := make([]int64, len(outcomes))
	for i := range outcomes {
		ids[i] = outcomes[i].ID
	}
	which, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	all := make(map[int64]standing, len(ids))
	_, err = list(context.Background(), t, func(r row) (struct{}, error) {
		var id int64
		var s standing
		err := r.Scan(&id, textTo(&s.state), &s.attempt, &s.attempted)
		all[id] = s
		return struct{}{}, err
	}, "SELECT i.id, i.state, i.attempts, i.attempted_at FROM json_each(?) x CROSS JOIN invoice i ON i.id = x.value", string(which))
	return all, err
}

func (l *Ledger) settle(t *tx, o *Outcome, from standing) error {
	var err error
	if from.state == Uncertain {
		err = l.leaveDoubt(t, o)
	} else {
		err = l.endAttempt(t, o, from)
	}
	if err != nil {
		return err
	}
	return l.enter(t, o, from.state)
}

// settles tells whether the outcome may end what is under way. Sent without an
// id would be lost for ever: it is nothing.
func settles(from State, o *Outcome) bool {
	if from != Sending && from != Uncertain {
		return false
	}
	switch o.State {
	case Sent:
		return o.APIID != ""
	case Rejected, Queued, Uncertain, Held:
		return true
	}
	return false
}

func (l *Ledger) endAttempt(t *tx, o *Outcome, from standing) error {
	problems, err := problemList(o.Problems)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO attempt (invoice_id, number, started_at, ended_at, outcome, http, note, problems) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		o.ID, from.attempt, from.attempted, stamp(l.now()), string(o.State), o.HTTP, o.Note, problems)
	return err
}

// leaveDoubt records the look-up, and ends the doubt unless it goes on.
func (l *Ledger) leaveDoubt(t *tx, o *Outcome) error {
	finding := o.Note
	if finding == "" {
		finding = "led to " + string(o.State)
	}
	if _, err := t.exec("INSERT INTO lookup (invoice_id, at, finding) VALUES (?, ?, ?)", o.ID, stamp(l.now()), finding); err != nil {
		return err
	}
	if o.State == Uncertain {
		return nil
	}
	if _, err := t.exec("DELETE FROM doubt WHERE invoice_id = ?", o.ID); err != nil {
		return err
	}
	return l.tell(t, happening{invoice: o.ID, kind: EventResolved, status: o.Status, note: o.Note})
}

func (l *Ledger) enter(t *tx, o *Outcome, from State) error {
	switch o.State {
	case Sent:
		return l.enterSent(t, o.ID, o.APIID, o.Status, o.Note)
	case Rejected:
		return l.enterRejected(t, o)
	case Queued:
		return l.enterQueued(t, o)
	case Uncertain:
		return l.enterUncertain(t, o, from)
	case Held:
		return l.enterHeld(t, o.ID, o.Problems, o.Note)
	}
	return nil
}

// enterSent takes the API's id for this invoice, and has it polled soon. OR
// IGNORE leaves the row alone when another invoice has the id.
func (l *Ledger) enterSent(t *tx, id int64, apiID string, s connector.Status, note string) error {
	if s.State == "" {
		s.State = connector.StateNew
	}
	now := stamp(l.now())
	args := append([]any{apiID}, statusArgs(s)...)
	n, err := t.exec(`UPDATE OR IGNORE invoice SET state = 'sent', api_id = ?, platform_state = ?, external_status = ?, status_code = ?, reason_code = ?, reason = ?,
		status_at = ?, sent_at = ?, next_poll_at = ?, not_before = NULL, waits_for = NULL, answer_problems = '[]' WHERE id = ?`, append(args, now, now, id)...)
	if err != nil {
		return err
	}
	if n == 0 {
		return l.refuseSecondOwner(t, id, apiID)
	}
	return l.tell(t, happening{invoice: id, kind: EventSent, status: s, note: note})
}

// refuseSecondOwner holds an invoice whose API id belongs to another row.
func (l *Ledger) refuseSecondOwner(t *tx, id int64, apiID string) error {
	owner, err := first(context.Background(), t, func(r row) (d [3]string, err error) {
		err = r.Scan(&d[0], &d[1], &d[2])
		return d, err
	}, "SELECT i.document_number, f.name, CAST(i.source_row AS TEXT) FROM invoice i JOIN file f ON f.id = i.file_id WHERE i.api_id = ?", apiID)
	if err != nil {
		return err
	}
	p := problem.Problem{Code: "E5010", Severity: problem.Hold, Value: apiID,
		Args: map[string]string{"api_id": apiID, "other": owner[0], "first_file": owner[1], "first_row": owner[2]}}
	return l.enterHeld(t, id, []problem.Problem{p}, "")
}

func (l *Ledger) enterRejected(t *tx, o *Outcome) error {
	problems, err := problemList(o.Problems)
	if err != nil {
		return err
	}
	if _, err := t.exec("UPDATE invoice SET state = 'rejected', answer_problems = ? WHERE id = ?", problems, o.ID); err != nil {
		return err
	}
	return l.tell(t, happening{invoice: o.ID, kind: EventRefused, status: o.Status, problem: foremost(o.Problems), note: o.Note})
}

func (l *Ledger) enterQueued(t *tx, o *Outcome) error {
	problems, err := problemList(o.Problems)
	if err != nil {
		return err
	}
	_, err = t.exec("UPDATE invoice SET state = 'queued', not_before = ?, answer_problems = ? WHERE id = ?", stamp(o.Retry), problems, o.ID)
	return err
}

// enterUncertain plans the next look-up; the event is written once, on entering.
func (l *Ledger) enterUncertain(t *tx, o *Outcome, from State) error {
	problems, err := problemList(o.Problems)
	if err != nil {
		return err
	}
	next := o.Retry
	if next.IsZero() {
		next = l.now()
	}
	if _, err := t.exec("INSERT INTO doubt (invoice_id, next_lookup_at) VALUES (?1, ?2) ON CONFLICT (invoice_id) DO UPDATE SET next_lookup_at = ?2", o.ID, stamp(next)); err != nil {
		return err
	}
	if _, err := t.exec("UPDATE invoice SET state = 'uncertain', answer_problems = CASE ?1 WHEN '[]' THEN answer_problems ELSE ?1 END WHERE id = ?2", problems, o.ID); err != nil {
		return err
	}
	if from == Uncertain {
		return nil
	}
	return l.tell(t, happening{invoice: o.ID, kind: EventUncertain, status: o.Status, problem: foremost(o.Problems), note: o.Note})
}

func (l *Ledger) enterHeld(t *tx, id int64, ps []problem.Problem, note string) error {
	problems, err := problemList(ps)
	if err != nil {
		return err
	}
	if _, err := t.exec("UPDATE invoice SET state = 'held', not_before = NULL, waits_for = NULL, answer_problems = ? WHERE id = ?", problems, id); err != nil {
		return err
	}
	return l.tell(t, happening{invoice: id, kind: EventHeld, problem: foremost(ps), note: note})
}

// statusNow is an invoice's last known status.
type statusNow struct {
	state  State
	status connector.Status
}

// ApplyStatus records a status as observed now. changed is false when nothing is
// new, or when an older event would undo what is known: a final state is only
// left for another final one unless fresh is true (the invoice was re-read with
// refresh), and a status dated before the known one is ignored likewise. Writes
// the event STATUS, which is the history as well. ErrState unless it was sent.
func (l *Ledger) ApplyStatus(ctx context.Context, invoiceID int64, s connector.Status, fresh bool) (changed bool, err error) {
	err = l.commit(ctx, func(t *tx) (err error) {
		changed, err = l.applyStatus(t, invoiceID, s, fresh)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("apply status to invoice %d: %w", invoiceID, err)
	}
	return changed, nil
}

func (l *Ledger) applyStatus(t *tx, id int64, s connector.Status, fresh bool) (bool, error) {
	known, err := first(context.Background(), t, func(r row) (k statusNow, err error) {
		err = r.Scan(append([]any{textTo(&k.state)}, statusInto(&k.status)...)...)
		return k, err
	}, "SELECT i.state, "+fmt.Sprintf(statusColumns, "i")+" FROM invoice i WHERE i.id = ?", id)
	if err != nil {
		return false, err
	}
	if known.state != Sent {
		return false, fmt.Errorf("invoice is %s: %w", known.state, ErrState)
	}
	if s.Same(known.status) || (!fresh && stale(s, known.status)) {
		return false, nil
	}
	if _, err := t.exec(`UPDATE invoice SET platform_state = ?, external_status = ?, status_code = ?, reason_code = ?, reason = ?, status_at = ? WHERE id = ?`,
		append(statusArgs(s), id)...); err != nil {
		return false, err
	}
	return true, l.tell(t, happening{invoice: id, kind: EventStatus, status: s, at: s.At})
}

// stale tells whether status s is of an earlier time than what is known.
func stale(s, known connector.Status) bool {
	if known.State.Final() && !s.State.Final() {
		return true
	}
	return !s.At.IsZero() && !known.At.IsZero() && s.At.Truncate(time.Millisecond).Before(known.At)
}
