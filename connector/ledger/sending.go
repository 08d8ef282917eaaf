package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"einvoice/connector/problem"
)

// NextToSend returns up to n queued invoices of a company whose NotBefore has
// come, in an order that is fair between files (by position within the file,
// then by file), and promotes what was waiting for time. It changes no state
// beyond that promotion. None before the company's sweep is done.
func (l *Ledger) NextToSend(ctx context.Context, company string, n int) ([]ToSend, error) {
	if err := l.promote(ctx); err != nil {
		return nil, fmt.Errorf("promote invoices whose time has come: %w", err)
	}
	next, err := list(ctx, l.read, func(r row) (s ToSend, err error) {
		err = r.Scan(&s.ID, &s.Company, &s.Attempt, documentTo{&s.Invoice})
		return s, err
	}, `SELECT i.id, i.company, i.attempts + 1, d.json FROM invoice i JOIN document d ON d.invoice_id = i.id
		WHERE i.company = ?1 AND i.state = 'queued' AND i.not_before IS NULL
		AND EXISTS (SELECT 1 FROM company c WHERE c.id = ?1 AND c.swept_at IS NOT NULL)
		ORDER BY i.ordinal, i.file_id LIMIT ?2`, company, n)
	if err != nil {
		return nil, fmt.Errorf("read invoices to send of %s: %w", company, err)
	}
	return next, nil
}

// longestWait is more than any wait before another try or look-up: a longer one was
// planned by a clock that ran ahead and has been set right since.
const longestWait = 25 * time.Hour

// promote lets go what waited for time; it writes only when something did.
func (l *Ledger) promote(ctx context.Context) error {
	const come = "(not_before <= ?1 AND state IN ('queued', 'waiting') OR not_before > ?2 AND state = 'queued')"
	now, never := stamp(l.now()), stamp(l.now().Add(longestWait))
	due, err := first(ctx, l.read, scanOne[bool], "SELECT EXISTS (SELECT 1 FROM invoice WHERE not_before IS NOT NULL AND "+come+")", now, never)
	if err != nil || !due {
		return err
	}
	return l.commit(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE invoice SET not_before = NULL, state = CASE WHEN waits_for IS NULL THEN 'queued' ELSE state END
			WHERE not_before IS NOT NULL AND `+come, now, never)
		return err
	})
}

// MarkSending commits the intent of each attempt before its POST may start:
// Queued -> Sending, Attempts+1. Returns those that were still queued, of
// companies that need no sweep. The attempt gets its own row when it ends.
func (l *Ledger) MarkSending(ctx context.Context, ids []int64) ([]int64, error) {
	if err := l.advance(ctx); err != nil {
		return nil, fmt.Errorf("record intent to send: %w", err)
	}
	which, err := json.Marshal(ids)
	if err != nil {
		return nil, fmt.Errorf("record intent to send: %w", err)
	}
	var marked []int64
	err = l.commit(ctx, func(t *tx) (err error) {
		marked, err = list(context.Background(), t, scanOne[int64], `UPDATE invoice SET state = 'sending', attempts = attempts + 1, attempted_at = ?1
			WHERE id IN (SELECT value FROM json_each(?2)) AND state = 'queued' AND not_before IS NULL
			AND company IN (SELECT id FROM company WHERE swept_at IS NOT NULL) RETURNING id`, stamp(l.now()), string(which))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("record intent to send: %w", err)
	}
	return marked, nil
}

// Unsend takes back intents whose POST surely never started (a clean stop, a
// stopped lane): Sending -> Queued, Attempts-1.
func (l *Ledger) Unsend(ctx context.Context, ids []int64) error {
	skipped := 0
	err := l.commit(ctx, func(t *tx) error {
		skipped = 0
		for _, id := range ids {
			n, err := t.exec("UPDATE invoice SET state = 'queued', attempts = attempts - 1 WHERE id = ? AND state = 'sending'", id)
			if err != nil {
				return err
			}
			skipped += 1 - int(n)
		}
		return nil
	})
	return skippedError("take back intents", skipped, len(ids), err)
}

// skippedError tells that a verb did what it could.
func skippedError(verb string, skipped, all int, err error) error {
	if err == nil && skipped > 0 {
		err = fmt.Errorf("%d of %d: %w", skipped, all, ErrState)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", verb, err)
	}
	return nil
}

// doubtIntents makes Uncertain of what an interrupted process left in Sending:
// nobody knows whether those POSTs were made. They are looked up at once.
func (l *Ledger) doubtIntents(t *tx) error {
	p, err := problemText(problem.Problem{Code: "E5013", Severity: problem.Warn})
	if err != nil {
		return err
	}
	const sending = "FROM invoice i WHERE i.state = 'sending'"
	now := stamp(l.now())
	for _, update := range []string{
		`INSERT INTO event (place, company, invoice_id, kind, problem, occurred_at, recorded_at)
			SELECT (SELECT place FROM file f WHERE f.id = i.file_id), i.company, i.id, 'UNCERTAIN', ?2, ?1, ?1 ` + sending + " ORDER BY i.id",
		"INSERT INTO doubt (invoice_id, next_lookup_at) SELECT i.id, ?1 " + sending + " AND ?2 <> ''",
		`INSERT INTO attempt (invoice_id, number, started_at, ended_at, outcome, note)
			SELECT i.id, i.attempts, i.attempted_at, ?1, 'uncertain', 'the program stopped before the answer was recorded' ` + sending + " AND ?2 <> ''",
		"UPDATE invoice SET state = 'uncertain', answer_problems = '[' || ?2 || ']' WHERE ?1 <> '' AND state = 'sending'",
	} {
		if _, err := t.exec(update, now, p); err != nil {
			return fmt.Errorf("doubt interrupted attempts: %w", err)
		}
	}
	return nil
}

// exists is the code of the answer that the platform has the invoice already.
const exists = "E4019"

// Doubts returns up to n uncertain invoices whose next look-up is due.
func (l *Ledger) Doubts(ctx context.Context, n int) ([]Doubt, error) {
	due, err := list(ctx, l.read, func(r row) (d Doubt, err error) {
		err = r.Scan(&d.ID, &d.Company, &d.Key.SIREN, &d.Key.Number, &d.Key.Year, textTo(&d.IssueDate), amountTo{&d.Gross}, &d.BuyerSIREN,
			instant{&d.AttemptedAt}, &d.Lookups, &d.Proofs, instant{&d.FirstProof}, &d.Exists, &d.Said)
		return d, err
	}, `SELECT i.id, i.company, i.seller_siren, i.document_number, i.issue_year, i.issue_date, i.gross, i.buyer_siren,
		i.attempted_at, d.lookups, d.proofs, d.first_proof_at, `+fmt.Sprintf(asked, exists)+`,
		COALESCE((SELECT json_extract(p.value, '$.value') FROM json_each(i.answer_problems) p WHERE json_extract(p.value, '$.code') = '`+exists+`'), '')
		FROM doubt d JOIN invoice i ON i.id = d.invoice_id WHERE d.next_lookup_at <= ?1 OR d.next_lookup_at > ?2 ORDER BY d.next_lookup_at, d.invoice_id LIMIT ?3`, stamp(l.now()), stamp(l.now().Add(longestWait)), n)
	if err != nil {
		return nil, fmt.Errorf("read uncertain invoices: %w", err)
	}
	return due, nil
}

// Look is a look-up that found nothing.
type Look struct {
	ID    int64
	Proof bool      // a witness was visible
	Next  time.Time // when to look again
}

// LookedUp records look-ups that found nothing, all in one transaction. An invoice
// that is in doubt no more, because a callback was quicker, is passed over.
func (l *Ledger) LookedUp(ctx context.Context, looks []Look) error {
	err := l.commit(ctx, func(t *tx) error {
		now := stamp(l.now())
		for _, k := range looks {
			if err := lookedUp(t, k, now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("record look-ups of %d invoices: %w", len(looks), err)
	}
	return nil
}

func lookedUp(t *tx, k Look, now any) error {
	finding := "not found; no later invoice was visible either, so this proves nothing"
	if k.Proof {
		finding = "not found, although a later invoice was visible"
	}
	n, err := t.exec(`UPDATE doubt SET lookups = lookups + 1, proofs = proofs + ?1, next_lookup_at = ?2,
		first_proof_at = CASE WHEN ?1 THEN COALESCE(first_proof_at, ?3) ELSE first_proof_at END WHERE invoice_id = ?4`, k.Proof, stamp(k.Next), now, k.ID)
	if err != nil || n == 0 {
		return err
	}
	_, err = t.exec("INSERT INTO lookup (invoice_id, at, finding) VALUES (?, ?, ?)", k.ID, now, finding)
	return err
}

// LastSent is when the last attempt began that took one of the given API ids, an
// invoice of the company, in charge; zero for none of them. Whatever was in doubt
// before that has a witness in it. Only attempts that were answered 2xx count: an
// adopted invoice may have arrived long before.
func (l *Ledger) LastSent(ctx context.Context, company string, apiIDs []string) (time.Time, error) {
	which, err := json.Marshal(append([]string{}, apiIDs...))
	if err != nil {
		return time.Time{}, fmt.Errorf("look for witnesses: %w", err)
	}
	last, err := first(ctx, l.read, scanTime, `SELECT MAX(a.started_at) FROM json_each(?2) x CROSS JOIN invoice i ON i.api_id = x.value
		JOIN attempt a ON a.invoice_id = i.id AND a.outcome = 'sent' AND (a.http = 0 OR a.http BETWEEN 200 AND 299)
		WHERE i.company = ?1`, company, string(which))
	if err != nil {
		return time.Time{}, fmt.Errorf("look for witnesses: %w", err)
	}
	return last, nil
}

// Known tells which of the given API ids are those of our invoices.
func (l *Ledger) Known(ctx context.Context, apiIDs []string) (map[string]bool, error) {
	known := map[string]bool{}
	if len(apiIDs) == 0 {
		return known, nil
	}
	which, err := json.Marshal(apiIDs)
	if err != nil {
		return nil, fmt.Errorf("look for known ids: %w", err)
	}
	ids, err := list(ctx, l.read, scanOne[string], "SELECT i.api_id FROM json_each(?) x CROSS JOIN invoice i ON i.api_id = x.value", string(which))
	if err != nil {
		return nil, fmt.Errorf("look for known ids: %w", err)
	}
	for _, id := range ids {
		known[id] = true
	}
	return known, nil
}

// TriedSince is when the first attempt of an invoice began that has ended, since a
// person last released it, or the platform refused it and a person tried again;
// zero for none.
func (l *Ledger) TriedSince(ctx context.Context, id int64) (time.Time, error) {
	since, err := first(ctx, l.read, scanTime, `SELECT MIN(started_at) FROM attempt WHERE invoice_id = ?1
		AND started_at >= COALESCE((SELECT MAX(recorded_at) FROM event WHERE invoice_id = ?1 AND kind = 'RELEASED'), '')
		AND number > COALESCE((SELECT MAX(number) FROM attempt WHERE invoice_id = ?1 AND outcome = 'rejected'), 0)`, id)
	if err != nil {
		return since, fmt.Errorf("read attempts of invoice %d: %w", id, err)
	}
	return since, nil
}

// Left is what there is to do, all of it seen at one moment.
type Left struct {
	Sending  bool            // a POST is under way
	UnderWay bool            // or a look-up is due
	Nothing  map[string]bool // companies that were swept and have no invoice that may go now
}

// Left tells what there is to do.
func (l *Ledger) Left(ctx context.Context) (left Left, err error) {
	left.Nothing = map[string]bool{}
	now, never := stamp(l.now()), stamp(l.now().Add(longestWait))
	// One statement reads one state of the database.
	_, err = list(ctx, l.read, func(r row) (struct{}, error) {
		var company string
		var nothing, doubt bool
		err := r.Scan(&company, &nothing, &left.Sending, &doubt)
		left.UnderWay = left.Sending || doubt
		left.Nothing[company] = nothing
		return struct{}{}, err
	}, `SELECT c.id, c.swept_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM invoice i JOIN document d ON d.invoice_id = i.id WHERE i.company = c.id AND i.state = 'queued' AND i.not_before IS NULL)
			AND NOT EXISTS (SELECT 1 FROM invoice i JOIN document d ON d.invoice_id = i.id WHERE i.not_before IS NOT NULL AND i.company = c.id
				AND (i.not_before <= ?1 AND (i.state = 'queued' OR i.state = 'waiting' AND i.waits_for IS NULL) OR i.not_before > ?2 AND i.state = 'queued')),
			EXISTS (SELECT 1 FROM invoice i WHERE i.state = 'sending'),
			EXISTS (SELECT 1 FROM doubt d WHERE d.next_lookup_at <= ?1 OR d.next_lookup_at > ?2)
		FROM company c`, now, never)
	if err != nil {
		return Left{}, fmt.Errorf("look for what is left to do: %w", err)
	}
	return left, nil
}

// Pending counts invoices by state, all companies; for "is everything settled?"
// and for status.
func (l *Ledger) Pending(ctx context.Context) (map[State]int, error) {
	counts := map[State]int{}
	_, err := list(ctx, l.read, func(r row) (struct{}, error) {
		var s State
		var n int
		err := r.Scan(textTo(&s), &n)
		counts[s] = n
		return struct{}{}, err
	}, "SELECT state, SUM(invoices) FROM tally GROUP BY state HAVING SUM(invoices) > 0")
	if err != nil {
		return nil, fmt.Errorf("count invoices: %w", err)
	}
	return counts, nil
}

// NextWake is the earliest NotBefore, tail hold or next look-up in the future;
// zero when there is none.
func (l *Ledger) NextWake(ctx context.Context) (time.Time, error) {
	wake, err := first(ctx, l.read, scanTime, `SELECT MIN(at) FROM (
		SELECT MIN(not_before) AS at FROM invoice WHERE not_before > ?1 UNION ALL SELECT MIN(next_lookup_at) FROM doubt WHERE next_lookup_at > ?1)`, stamp(l.now()))
	if err != nil {
		return time.Time{}, fmt.Errorf("read next wake: %w", err)
	}
	return wake, nil
}
