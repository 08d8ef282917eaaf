package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"einvoice/connector"
)

// RecordCallback stores a callback durably; the platform gets its 200 after this
// returned nil. The same body twice for one company and event is one row; if that was processed already it
// is due again, since a state may come back and reading again does no harm.
func (l *Ledger) RecordCallback(ctx context.Context, c Callback) error {
	err := l.commit(ctx, func(t *tx) error {
		at := c.ReceivedAt
		if at.IsZero() {
			at = l.now()
		}
		_, err := t.exec(`INSERT INTO callback (company, event, api_id, body_sha256, received_at, due_at) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (company, event, body_sha256) DO UPDATE SET received_at = excluded.received_at, due_at = excluded.due_at, done_at = NULL WHERE done_at IS NOT NULL`,
			c.Company, c.Event, c.APIID, c.BodySHA256, stamp(at), stamp(at))
		return err
	})
	if err != nil {
		return fmt.Errorf("record callback: %w", err)
	}
	return nil
}

// CallbacksDue are callbacks not processed yet, oldest first.
func (l *Ledger) CallbacksDue(ctx context.Context, n int) ([]Callback, error) {
	due, err := list(ctx, l.read, func(r row) (c Callback, err error) {
		err = r.Scan(&c.ID, &c.Company, &c.Event, &c.APIID, &c.BodySHA256, instant{&c.ReceivedAt})
		return c, err
	}, "SELECT id, company, event, api_id, body_sha256, received_at FROM callback WHERE done_at IS NULL AND due_at <= ? ORDER BY id LIMIT ?", stamp(l.now()), n)
	if err != nil {
		return nil, fmt.Errorf("read callbacks: %w", err)
	}
	return due, nil
}

// CallbacksDone marks callbacks processed.
func (l *Ledger) CallbacksDone(ctx context.Context, ids []int64) error {
	return l.each(ctx, "end callbacks", ids, "UPDATE callback SET done_at = COALESCE(done_at, ?) WHERE id = ?", l.now())
}

// PostponeCallbacks tries them again later.
func (l *Ledger) PostponeCallbacks(ctx context.Context, ids []int64, due time.Time) error {
	return l.each(ctx, "postpone callbacks", ids, "UPDATE callback SET due_at = ? WHERE id = ? AND done_at IS NULL", due)
}

// each runs an update with a time for each id, in one transaction.
func (l *Ledger) each(ctx context.Context, verb string, ids []int64, update string, at time.Time) error {
	err := l.commit(ctx, func(t *tx) error {
		for _, id := range ids {
			if _, err := t.exec(update, stamp(at), id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", verb, err)
	}
	return nil
}

// OutgoingByAPIID finds our invoice of an API id; ErrNotFound.
func (l *Ledger) OutgoingByAPIID(ctx context.Context, apiID string) (Invoice, error) {
	inv, err := first(ctx, l.read, scanInvoice, "SELECT "+invoiceColumns+" FROM invoice i WHERE i.api_id = ?", apiID)
	if err != nil {
		return Invoice{}, fmt.Errorf("find invoice of API id %q: %w", apiID, err)
	}
	return inv, nil
}

// OpenByKey finds an invoice that is not known to be at the platform, queued or
// further, by its key; ErrNotFound.
func (l *Ledger) OpenByKey(ctx context.Context, k connector.Key) (Invoice, error) {
	inv, err := first(ctx, l.read, scanInvoice, "SELECT "+invoiceColumns+` FROM invoice i
		WHERE i.holds_key = 1 AND i.seller_siren = ? AND i.document_number = ? AND i.issue_year = ? AND i.state IN `+openStates, k.SIREN, k.Number, k.Year)
	if err != nil {
		return Invoice{}, fmt.Errorf("find open invoice %q: %w", k.Number, err)
	}
	return inv, nil
}

// Adopt takes for an open invoice the id under which the platform shows it, with
// the events RESOLVED, when it was in doubt or held, and SENT. Its answer may not
// have come yet, or may have been a lie. ErrState when it is not open any more.
func (l *Ledger) Adopt(ctx context.Context, id int64, found connector.Remote, note string) error {
	o := Outcome{ID: id, State: Sent, APIID: found.ID, Status: found.Status, Note: note}
	return l.decide(ctx, "adopt what the platform shows", []int64{id}, func(t *tx, id int64) (bool, error) {
		at, err := standingOf(t, []Outcome{o})
		if err != nil || o.APIID == "" {
			return false, err
		}
		switch from := at[id]; from.state {
		case Sending, Uncertain:
			err = l.settle(t, &o, from)
		case Held:
			if err = l.tell(t, happening{invoice: id, kind: EventResolved, status: o.Status, note: note}); err == nil {
				err = l.enter(t, &o, Held)
			}
		case Queued, Waiting:
			err = l.enter(t, &o, from.state)
		default:
			return false, nil
		}
		if err != nil {
			return false, err
		}
		return true, l.wakeAfter(t, &o)
	})
}

// Watch returns up to n invoices at the platform to poll next: next_poll_at has come.
func (l *Ledger) Watch(ctx context.Context, n int) ([]Watched, error) {
	due, err := list(ctx, l.read, func(r row) (w Watched, err error) {
		dest := append([]any{&w.InvoiceID, &w.Company, textTo(&w.APIID)}, statusInto(&w.Status)...)
		err = r.Scan(append(dest, instant{&w.SentAt}, instant{&w.PolledAt})...)
		return w, err
	}, "SELECT i.id, i.company, i.api_id, "+fmt.Sprintf(statusColumns, "i")+`, i.sent_at, i.polled_at FROM invoice i
		WHERE i.next_poll_at <= ? AND i.state = 'sent' ORDER BY i.next_poll_at, i.id LIMIT ?`, stamp(l.now()), n)
	if err != nil {
		return nil, fmt.Errorf("read invoices to poll: %w", err)
	}
	return due, nil
}

// Polled sets when an invoice is polled next; zero: never again.
func (l *Ledger) Polled(ctx context.Context, invoiceIDs []int64, next time.Time) error {
	err := l.commit(ctx, func(t *tx) error {
		now := stamp(l.now())
		for _, id := range invoiceIDs {
			if _, err := t.exec("UPDATE invoice SET polled_at = ?, next_poll_at = ? WHERE id = ? AND state = 'sent'", now, stamp(next), id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("plan next poll: %w", err)
	}
	return nil
}

// Spend counts n GETs of the day (YYYY-MM-DD) and returns the day's total; n may be 0.
func (l *Ledger) Spend(ctx context.Context, day string, n int) (total int, err error) {
	if n == 0 {
		total, err = first(ctx, l.read, scanOne[int], "SELECT COALESCE((SELECT gets FROM get_budget WHERE day = ?), 0)", day)
	} else {
		err = l.commit(ctx, func(t *tx) (err error) {
			total, err = first(context.Background(), t, scanOne[int], `INSERT INTO get_budget (day, gets) VALUES (?1, ?2)
				ON CONFLICT (day) DO UPDATE SET gets = gets + ?2 RETURNING gets`, day, n)
			return err
		})
	}
	if err != nil {
		return 0, fmt.Errorf("count calls of %s: %w", day, err)
	}
	return total, nil
}

// ReceivedSince is the start of the first synchronisation of a company: set once by the first call.
func (l *Ledger) ReceivedSince(ctx context.Context, company string, initial connector.Date) (connector.Date, error) {
	var since connector.Date
	err := l.commit(ctx, func(t *tx) (err error) {
		since, err = first(context.Background(), t, scanOne[connector.Date],
			"UPDATE company SET received_since = COALESCE(received_since, ?) WHERE id = ? RETURNING received_since", string(initial), company)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read start of supplier invoices of %s: %w", company, err)
	}
	return since, nil
}

// Get and Put keep small facts of a component over restarts (last full sweep,
// ...). Get gives "" for none.
func (l *Ledger) Get(ctx context.Context, key string) (string, error) {
	v, err := first(ctx, l.read, scanOne[string], "SELECT value FROM fact WHERE name = ?", key)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read fact %s: %w", key, err)
	}
	return v, nil
}

// Put remembers a fact; "" forgets it.
func (l *Ledger) Put(ctx context.Context, key, value string) error {
	err := l.commit(ctx, func(t *tx) error {
		if value == "" {
			_, err := t.exec("DELETE FROM fact WHERE name = ?", key)
			return err
		}
		_, err := t.exec("INSERT INTO fact (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2", key, value)
		return err
	})
	if err != nil {
		return fmt.Errorf("remember fact %s: %w", key, err)
	}
	return nil
}
