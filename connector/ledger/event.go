package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"einvoice/connector"
	"einvoice/connector/problem"
)

// happening is an event about to be written.
type happening struct {
	invoice int64
	kind    EventKind
	status  connector.Status
	problem problem.Problem
	note    string
	at      time.Time // zero: now
}

// tell writes an event. It belongs to the place of the invoice's own file.
func (l *Ledger) tell(t *tx, h happening) error {
	p, err := problemText(h.problem)
	if err != nil {
		return err
	}
	now := l.now()
	if h.at.IsZero() {
		h.at = now
	}
	args := append([]any{string(h.kind)}, statusArgs(h.status)...)
	_, err = t.exec(`INSERT INTO event (place, company, invoice_id, kind, platform_state, external_status, status_code, reason_code, reason, status_at, problem, note, occurred_at, recorded_at)
		SELECT f.place, i.company, i.id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM invoice i JOIN file f ON f.id = i.file_id WHERE i.id = ?`,
		append(args, p, h.note, stamp(h.at), stamp(now), h.invoice)...)
	return err
}

var eventColumns = "e.seq, e.invoice_id, e.company, i.document_number, i.erp_key, i.api_id, e.kind, " + fmt.Sprintf(statusColumns, "e") +
	", e.problem, e.occurred_at, f.name, i.source_row"

const eventTables = " FROM event e JOIN invoice i ON i.id = e.invoice_id JOIN file f ON f.id = i.file_id "

func scanEvent(r row) (e Event, err error) {
	dest := append([]any{numberTo(&e.Seq), &e.InvoiceID, &e.Company, &e.Number, textTo(&e.ERPKey), textTo(&e.APIID), textTo(&e.Kind)}, statusInto(&e.Status)...)
	err = r.Scan(append(dest, jsonTo{&e.Problem}, instant{&e.OccurredAt}, &e.SourceFile, &e.SourceRow)...)
	return e, err
}

// PlacesWithEvents lists (place, company) pairs that have events without a number.
// It hops from pair to pair: DISTINCT would read every event.
func (l *Ledger) PlacesWithEvents(ctx context.Context) ([][2]string, error) {
	pairs, err := list(ctx, l.read, func(r row) (p [2]string, err error) {
		err = r.Scan(&p[0], &p[1])
		return p, err
	}, `WITH RECURSIVE head (id) AS (
		SELECT (SELECT id FROM event WHERE seq IS NULL ORDER BY place, company LIMIT 1)
		UNION ALL SELECT (SELECT n.id FROM event n WHERE n.seq IS NULL AND (n.place, n.company) > (e.place, e.company)
			ORDER BY n.place, n.company LIMIT 1) FROM head h JOIN event e ON e.id = h.id)
		SELECT e.place, e.company FROM head h JOIN event e ON e.id = h.id`)
	if err != nil {
		return nil, fmt.Errorf("list places with events: %w", err)
	}
	return pairs, nil
}

// OldestEvent is when the oldest event without a number of a place and company
// was recorded; zero when there is none.
func (l *Ledger) OldestEvent(ctx context.Context, place, company string) (time.Time, error) {
	at, err := first(ctx, l.read, scanTime, "SELECT recorded_at FROM event WHERE place = ? AND company = ? AND seq IS NULL ORDER BY id LIMIT 1", place, company)
	if errors.Is(err, ErrNotFound) {
		return time.Time{}, nil
	}
	if err != nil {
		return at, fmt.Errorf("read oldest event of %s: %w", company, err)
	}
	return at, nil
}

// EventsWaiting counts the events without a number of a place and company, up to most.
func (l *Ledger) EventsWaiting(ctx context.Context, place, company string, most int) (int, error) {
	n, err := first(ctx, l.read, scanOne[int], countWaiting, place, company, most)
	if err != nil {
		return 0, fmt.Errorf("count events of %s: %w", company, err)
	}
	return n, nil
}

const countWaiting = "SELECT COUNT(*) FROM (SELECT 1 FROM event WHERE place = ? AND company = ? AND seq IS NULL LIMIT ?)"

// NumberEvents gives the oldest events without a number of one place and company
// consecutive seqs, at most limit of them, and makes their publication; name gets
// the first seq. ok is false when there was none.
func (l *Ledger) NumberEvents(ctx context.Context, place string, company string, limit int, name func(first int64) string) (pub Publication, ok bool, err error) {
	err = l.commit(ctx, func(t *tx) error {
		ok = false
		n, err := first(context.Background(), t, scanOne[int64], countWaiting, place, company, limit)
		if err != nil || n == 0 {
			return err
		}
		from, err := takeSeqs(t, place, n)
		if err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE event SET seq = ? + x.n FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY id) - 1 AS n FROM event
			WHERE place = ? AND company = ? AND seq IS NULL ORDER BY id LIMIT ?) x WHERE event.id = x.id`, from, place, company, n); err != nil {
			return err
		}
		ok = true
		pub, err = l.publish(t, Publication{Place: place, Folder: FolderResults, Kind: KindStatus, Name: name(from), SeqFrom: from, SeqTo: from + n - 1})
		return err
	})
	if err != nil {
		return Publication{}, false, fmt.Errorf("number events of %s: %w", place, err)
	}
	return pub, ok, nil
}

// takeSeqs takes n consecutive numbers of the place, in the transaction that
// uses them: so there is never a gap but where an older state was put back (leap).
func takeSeqs(t *tx, place string, n int64) (from int64, err error) {
	return first(context.Background(), t, scanOne[int64], `INSERT INTO place (name, next_seq) VALUES (?1, 1 + `+numbersAfter+` + ?2)
		ON CONFLICT (name) DO UPDATE SET next_seq = next_seq + ?2 RETURNING next_seq - ?2`, place, n)
}

// EventsOf streams the events of a publication of kind status.
func (l *Ledger) EventsOf(ctx context.Context, p Publication) iter.Seq2[Event, error] {
	return pages(func(last *Event) ([]Event, error) {
		after := p.SeqFrom - 1
		if last != nil {
			after = last.Seq
		}
		events, err := list(ctx, l.read, scanEvent, "SELECT "+eventColumns+eventTables+
			"WHERE e.place = ? AND e.seq > ? AND e.seq <= ? ORDER BY e.seq LIMIT ?", p.Place, after, p.SeqTo, pageSize)
		if err != nil {
			return nil, fmt.Errorf("read events of %s: %w", p.Name, err)
		}
		return events, nil
	})
}
