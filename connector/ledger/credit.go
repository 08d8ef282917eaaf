package ledger

import (
	"context"
	"errors"
	"fmt"

	"einvoice/connector/problem"
)

// credit is a credit note that has not gone yet.
type credit struct {
	id     int64
	siren  string
	number string
	file   string
	row    int
}

// original is an invoice that a credit note corrects.
type original struct {
	id     int64
	number string
	state  State
}

// decideCredits makes the credit notes of a file wait for their invoices.
func (l *Ledger) decideCredits(t *tx, fileID int64) error {
	after := int64(0)
	for {
		page, err := credits(t, "i.file_id = ? AND i.is_credit = 1 AND i.state IN ('queued', 'waiting') AND i.id > ? ORDER BY i.id LIMIT ?", fileID, after, pageSize)
		if err != nil {
			return err
		}
		for _, c := range page {
			if err := l.decideCredit(t, c, true); err != nil {
				return err
			}
			after = c.id
		}
		if len(page) < pageSize {
			return nil
		}
	}
}

// wake looks again at the credit notes that waited for an invoice.
func (l *Ledger) wake(t *tx, invoiceID int64) error {
	waiting, err := credits(t, "i.waits_for = ? AND i.state = 'waiting'", invoiceID)
	if err != nil {
		return err
	}
	for _, c := range waiting {
		if err := l.decideCredit(t, c, false); err != nil {
			return err
		}
	}
	return nil
}

// wakeAfter wakes them when the outcome decides their invoice's fate.
func (l *Ledger) wakeAfter(t *tx, o *Outcome) error {
	if o.State != Sent && o.State != Rejected {
		return nil
	}
	return l.wake(t, o.ID)
}

func credits(t *tx, where string, args ...any) ([]credit, error) {
	return list(context.Background(), t, func(r row) (c credit, err error) {
		err = r.Scan(&c.id, &c.siren, &c.number, &c.file, &c.row)
		return c, err
	}, "SELECT i.id, i.seller_siren, i.document_number, f.name, i.source_row FROM invoice i JOIN file f ON f.id = i.file_id WHERE "+where, args...)
}

// decideCredit holds, lets wait or lets go one credit note, by what became of all
// the invoices it corrects. At release that is its verdict as well.
func (l *Ledger) decideCredit(t *tx, c credit, release bool) error {
	originals, err := originalsOf(t, c)
	if err != nil {
		return err
	}
	var open *original
	for i, o := range originals {
		switch o.state {
		case Refused, Rejected:
			return l.holdCredit(t, c, o, release)
		case Queued, Waiting, Held, Sending, Uncertain:
			circle, err := waitsBehind(t, o.id, c.id)
			if err != nil {
				return err
			}
			if !circle {
				open = &originals[i]
			}
		}
	}
	if open == nil {
		_, err := t.exec("UPDATE invoice SET waits_for = NULL, state = CASE WHEN state = 'waiting' AND not_before IS NULL THEN 'queued' ELSE state END WHERE id = ?", c.id)
		return err
	}
	_, err = t.exec("UPDATE invoice SET state = 'waiting', waits_for = ?, verdict = CASE WHEN ? THEN 'WAITING' ELSE verdict END WHERE id = ?", open.id, release, c.id)
	return err
}

// waitsBehind tells whether one waits for the other, be it through others: credit
// notes that name each other would wait for ever.
func waitsBehind(t *tx, one, other int64) (bool, error) {
	return first(context.Background(), t, scanOne[bool], `WITH RECURSIVE ahead (id) AS (SELECT ?1
		UNION SELECT i.waits_for FROM ahead JOIN invoice i ON i.id = ahead.id WHERE i.waits_for IS NOT NULL)
		SELECT EXISTS (SELECT 1 FROM ahead WHERE id = ?2)`, one, other)
}

// originalsOf finds the invoices that a credit note names, of its own seller: the
// one that holds the key, else the newest that was refused. Without a date in
// the reference it is the newest of that number.
func originalsOf(t *tx, c credit) ([]original, error) {
	refs, err := list(context.Background(), t, func(r row) (o original, err error) {
		err = r.Scan(&o.number, &o.id)
		return o, err
	}, "SELECT document_number, issue_year FROM correction WHERE invoice_id = ?", c.id)
	if err != nil {
		return nil, err
	}
	var found []original
	for _, ref := range refs {
		o, err := first(context.Background(), t, func(r row) (o original, err error) {
			err = r.Scan(&o.id, &o.number, textTo(&o.state))
			return o, err
		}, `SELECT id, document_number, state FROM invoice
			WHERE document_number = ?1 AND seller_siren = ?2 AND (?3 = 0 OR issue_year = ?3) AND id <> ?4
			  AND state IN ('queued', 'waiting', 'held', 'sending', 'uncertain', 'sent', 'rejected', 'refused')
			ORDER BY holds_key DESC, issue_year DESC, id DESC LIMIT 1`, ref.number, c.siren, ref.id, c.id)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, o)
	}
	return found, nil
}

func (l *Ledger) holdCredit(t *tx, c credit, o original, release bool) error {
	p := problem.Problem{
		Code: "E5007", Severity: problem.Hold, Invoice: c.number, Field: "preceding", BT: "BT-25", Value: o.number,
		Position: problem.Position{File: c.file, Row: c.row}, Args: map[string]string{"original": o.number},
	}
	text, err := problemText(p)
	if err != nil {
		return err
	}
	if release {
		_, err = t.exec("UPDATE invoice SET state = 'held', verdict = 'HELD', not_before = NULL, waits_for = NULL, first_id = ?, problems = "+
			prepend("invoice.problems", "?2")+" WHERE id = ?3", o.id, text, c.id)
		return err // tellHeld writes the event
	}
	if _, err = t.exec("UPDATE invoice SET state = 'held', not_before = NULL, waits_for = NULL, answer_problems = ? WHERE id = ?", fmt.Sprintf("[%s]", text), c.id); err != nil {
		return err
	}
	return l.tell(t, happening{invoice: c.id, kind: EventHeld, problem: p})
}
