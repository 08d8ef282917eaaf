package ledger

import (
	"context"
	"errors"
	"fmt"

	"einvoice/connector/problem"
)

// ReleaseHeld: held -> queued, with event RELEASED and the note recorded. One that
// was held with a question about its key takes the key from the invoice that
// was refused. Those not held, or whose key is in flight, are skipped: ErrState
// after the rest was done.
func (l *Ledger) ReleaseHeld(ctx context.Context, ids []int64, note string) error {
	return l.decide(ctx, "release held invoices", ids, func(t *tx, id int64) (bool, error) {
		free, err := takeKey(t, id)
		if err != nil || !free {
			return false, err
		}
		n, err := t.exec("UPDATE invoice SET state = 'queued', not_before = NULL, waits_for = NULL WHERE id = ? AND state = 'held'", id)
		if err != nil || n == 0 {
			return false, err
		}
		if err := l.tell(t, happening{invoice: id, kind: EventReleased, note: note}); err != nil {
			return false, err
		}
		return true, errors.Join(l.noteReleased(t, id), reopen(t, id), l.orderReleased(t, id))
	})
}

// orderReleased keeps a credit note behind its invoice, when it was held for
// another reason than that invoice.
func (l *Ledger) orderReleased(t *tx, id int64) error {
	released, err := credits(t, "i.id = ? AND i.is_credit = 1 AND NOT "+fmt.Sprintf(asked, "E5007"), id)
	if err != nil || len(released) == 0 {
		return err
	}
	return l.decideCredit(t, released[0], false)
}

// decide runs one step of a person's verb for each invoice, in one transaction.
func (l *Ledger) decide(ctx context.Context, verb string, ids []int64, step func(*tx, int64) (bool, error)) error {
	skipped := 0
	err := l.commit(ctx, func(t *tx) error {
		skipped = 0
		for _, id := range ids {
			ok, err := step(t, id)
			if err != nil {
				return fmt.Errorf("invoice %d: %w", id, err)
			}
			if !ok {
				skipped++
			}
		}
		return nil
	})
	return skippedError(verb, skipped, len(ids), err)
}

// takeKey gives a held invoice its key, if nothing that may still count holds it.
func takeKey(t *tx, id int64) (free bool, err error) {
	if _, err := t.exec(`UPDATE invoice SET holds_key = 0 WHERE holds_key = 1 AND id <> ?1 AND state IN ('sent', 'rejected', 'refused')
		AND (state <> 'sent' OR platform_state = 'ERROR')
		AND (seller_siren, document_number, issue_year) = (SELECT seller_siren, document_number, issue_year FROM invoice WHERE id = ?1 AND state = 'held' AND holds_key = 0)`, id); err != nil {
		return false, err
	}
	n, err := t.exec("UPDATE OR IGNORE invoice SET holds_key = ("+fmt.Sprintf(wholeKey, "invoice")+") WHERE id = ? AND state = 'held'", id)
	return n == 1, err
}

// reopen lets the invoice's file be settled once more.
func reopen(t *tx, id int64) error {
	_, err := t.exec("UPDATE file SET settled_at = NULL WHERE id = (SELECT file_id FROM invoice WHERE id = ?)", id)
	return err
}

// Hold: queued or waiting -> held by a person, with event HELD and the note as
// its reason. Others are skipped: ErrState after the rest was done.
func (l *Ledger) Hold(ctx context.Context, ids []int64, note string) error {
	p := problem.Problem{Code: "E5014", Severity: problem.Hold, Value: note}
	return l.decide(ctx, "hold invoices", ids, func(t *tx, id int64) (bool, error) {
		ok, err := first(context.Background(), t, scanOne[bool], "SELECT EXISTS (SELECT 1 FROM invoice WHERE id = ? AND state IN ('queued', 'waiting'))", id)
		if err != nil || !ok {
			return false, err
		}
		return true, l.enterHeld(t, id, []problem.Problem{p}, note)
	})
}

// Retry lets a person hurry: queued invoices may go at once, uncertain ones are
// looked up at once, rejected ones that still hold their key are queued again,
// unless a sweep found them: then a restored backup had forgotten that they went.
// Others are skipped: ErrState after the rest was done.
func (l *Ledger) Retry(ctx context.Context, ids []int64) error {
	return l.decide(ctx, "retry invoices", ids, func(t *tx, id int64) (bool, error) {
		now := stamp(l.now())
		if n, err := t.exec("UPDATE doubt SET next_lookup_at = ? WHERE invoice_id = ?", now, id); err != nil || n == 1 {
			return n == 1, err
		}
		if n, err := t.exec("UPDATE invoice SET not_before = NULL WHERE id = ? AND state = 'queued'", id); err != nil || n == 1 {
			return n == 1, err
		}
		n, err := t.exec("UPDATE invoice SET state = 'queued', not_before = NULL WHERE id = ? AND state = 'rejected' AND holds_key = 1", id)
		if err != nil || n == 0 {
			return false, err
		}
		if err := reopen(t, id); err != nil {
			return true, err
		}
		_, err = l.settleSwept(t, false, "i.id = ?1 AND i.state = 'queued'", id)
		return true, err
	})
}

// ResolveHeld records what a person found out about a held invoice: Sent with
// the API's id, or Rejected (it counts no more, and another may take its key).
// Events RESOLVED and SENT or REFUSED. ErrState otherwise.
func (l *Ledger) ResolveHeld(ctx context.Context, o Outcome) error {
	return l.decide(ctx, "resolve held invoice", []int64{o.ID}, func(t *tx, id int64) (bool, error) {
		state, err := first(context.Background(), t, scanOne[string], "SELECT state FROM invoice WHERE id = ?", id)
		if err != nil {
			return false, err
		}
		if State(state) != Held || !(o.State == Rejected || (o.State == Sent && o.APIID != "")) {
			return false, nil
		}
		if _, err := takeKey(t, id); err != nil { // where nothing else counts under it
			return false, err
		}
		if err := l.tell(t, happening{invoice: id, kind: EventResolved, status: o.Status, note: o.Note}); err != nil {
			return false, err
		}
		if err := l.enter(t, &o, Held); err != nil {
			return false, err
		}
		return true, l.wakeAfter(t, &o)
	})
}

// Find lists invoices whose number, API id or ERP key is the text, newest first,
// of all companies.
func (l *Ledger) Find(ctx context.Context, text string) ([]Invoice, error) {
	return l.invoices(ctx, `WHERE i.id IN (SELECT id FROM invoice WHERE document_number = ?1 UNION SELECT id FROM invoice WHERE api_id = ?1
		UNION SELECT id FROM invoice WHERE erp_key = ?1) AND ?1 <> '' ORDER BY i.id DESC`, text)
}

// FindReceived lists supplier invoices whose number or API id is the text, newest first.
func (l *Ledger) FindReceived(ctx context.Context, text string) ([]Received, error) {
	return l.received(ctx, "WHERE r.document_number = ?1 OR r.api_id = ?1 ORDER BY r.id DESC", text)
}

// ReleaseReceived lets supplier invoices that were kept go into the ERP's
// delivery, and counts them as checked; when and the note are recorded. Those not
// kept are skipped: ErrState after the rest was done.
func (l *Ledger) ReleaseReceived(ctx context.Context, ids []int64, note string) error {
	return l.decide(ctx, "release supplier invoices", ids, func(t *tx, id int64) (bool, error) {
		n, err := t.exec("UPDATE received SET kept = 0, to_check = 0, released_at = ?, released_note = ? WHERE id = ? AND kept = 1", stamp(l.now()), note, id)
		return n == 1, err
	})
}

// InvoicesIn lists invoices in a state, of one company or of all (""), oldest first.
func (l *Ledger) InvoicesIn(ctx context.Context, s State, company string, n int) ([]Invoice, error) {
	return l.invoices(ctx, "WHERE i.state = ?1 AND i.company IN (SELECT id FROM company WHERE ?2 IN ('', id) UNION SELECT ?2) ORDER BY i.id LIMIT ?3", string(s), company, n)
}
