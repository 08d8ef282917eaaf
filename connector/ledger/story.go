package ledger

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"time"

	"einvoice/connector/problem"
)

// Step is one line of the story of an invoice or supplier invoice.
type Step struct {
	At   time.Time
	What string // one of: taken archived mapped released sending answered lookup event callback request published; of a supplier invoice: seen callback fetched alert delivered
	Text string // plain words, English; file names, ids and codes in full
}

// Story tells all that happened to an invoice, in order: file, row, hash,
// mapping, attempts, events, files written. ErrNotFound.
func (l *Ledger) Story(ctx context.Context, invoiceID int64) ([]Step, error) {
	inv, err := l.InvoiceByID(ctx, invoiceID)
	if err != nil {
		return nil, err
	}
	f, err := l.FileByID(ctx, inv.FileID)
	if err != nil {
		return nil, err
	}
	story := fileSteps(f, inv)
	for _, part := range []struct {
		tell  func(row) (Step, error)
		query string
		arg   any
	}{
		{stepIn("archived"), "SELECT archived_at, 'original moved to ' || archived_path FROM file WHERE id = ? AND archived_at IS NOT NULL", f.ID},
		{stepIn("sending"), "SELECT started_at, 'attempt ' || number || ' to send it began' FROM attempt WHERE invoice_id = ?", invoiceID},
		{stepIn("sending"), "SELECT attempted_at, 'attempt ' || attempts || ' to send it began' FROM invoice WHERE id = ? AND state = 'sending'", invoiceID},
		{attemptStep, "SELECT ended_at, number, outcome, http, note, problems FROM attempt WHERE invoice_id = ? AND ended_at IS NOT NULL", invoiceID},
		{stepIn("lookup"), "SELECT at, 'looked up at the platform: ' || finding FROM lookup WHERE invoice_id = ? ORDER BY id", invoiceID},
		{eventStep, "SELECT recorded_at, kind, platform_state, external_status, status_code, reason_code, reason, problem, note FROM event WHERE invoice_id = ? ORDER BY id", invoiceID},
		{stepIn("callback"), "SELECT c.received_at, 'callback ' || c.event || ' recorded, body ' || c.body_sha256 FROM callback c JOIN invoice i ON i.api_id = c.api_id WHERE i.id = ? ORDER BY c.id", invoiceID},
		{stepIn("request"), `SELECT q.done_at, q.who || ' asked to ' || q.verb || CASE q.failure WHEN '' THEN '' ELSE ': ' || q.failure END FROM request q
			WHERE q.done_at IS NOT NULL AND EXISTS (SELECT 1 FROM json_each(q.invoices) WHERE value = ?) ORDER BY q.id`, invoiceID},
		{stepIn("published"), "SELECT published_at, kind || ' ' || name || ' written to ' || folder || ' of ' || place FROM publication WHERE file_id = ? AND published_at IS NOT NULL", f.ID},
		{stepIn("published"), `SELECT p.published_at, 'status file ' || p.name || ' written with event ' || e.kind || ', seq ' || e.seq FROM event e
			JOIN publication p ON p.place = e.place AND p.kind = 'status' AND e.seq BETWEEN p.seq_from AND p.seq_to
			WHERE e.invoice_id = ? AND p.published_at IS NOT NULL`, invoiceID},
	} {
		steps, err := list(ctx, l.read, part.tell, part.query, part.arg)
		if err != nil {
			return nil, fmt.Errorf("tell story of invoice %d: %w", invoiceID, err)
		}
		story = append(story, steps...)
	}
	sort.SliceStable(story, func(i, j int) bool { return story[i].At.Before(story[j].At) })
	return story, nil
}

// ReceivedStory tells all that happened to a supplier invoice, in order.
func (l *Ledger) ReceivedStory(ctx context.Context, r Received) ([]Step, error) {
	story := []Step{{r.SeenAt, "seen", "the platform has supplier invoice " + r.APIID}}
	if !r.ReceivedAt.IsZero() {
		story = append(story, Step{r.ReceivedAt, "fetched", fmt.Sprintf("number %s of %s read, original SHA-256 %s", r.Number, r.Supplier, r.RawSHA256)})
	}
	for _, p := range r.Alerts {
		story = append(story, Step{r.ReceivedAt, "alert", p.Code + " " + p.Message(problem.English)})
	}
	if !r.DeliveredAt.IsZero() {
		story = append(story, Step{r.DeliveredAt, "delivered", "folder " + r.Folder})
	}
	calls, err := list(ctx, l.read, stepIn("callback"), "SELECT received_at, 'callback ' || event || ' recorded, body ' || body_sha256 FROM callback WHERE api_id = ? ORDER BY id", r.APIID)
	if err != nil {
		return nil, fmt.Errorf("tell story of supplier invoice %s: %w", r.APIID, err)
	}
	story = append(story, calls...)
	sort.SliceStable(story, func(i, j int) bool { return story[i].At.Before(story[j].At) })
	return story, nil
}

func fileSteps(f File, inv Invoice) []Step {
	steps := []Step{{f.TakenAt, "taken", fmt.Sprintf("%s taken from drop %s as number %d: %d bytes, SHA-256 %s", f.Name, f.Drop, f.Take, f.Size, f.SHA256)}}
	where := fmt.Sprintf("row %d", inv.Row)
	if inv.Rows != "" {
		where = "rows " + inv.Rows
	}
	steps = append(steps, Step{inv.CreatedAt, "mapped", fmt.Sprintf("document %s read from %s, mapping %s, version %s", inv.Key.Number, where, f.Mapping, f.MappingVersion)})
	if !f.MappedAt.IsZero() {
		steps = append(steps, Step{f.MappedAt, "released", "verdict " + string(inv.Verdict)})
	}
	return steps
}

func stepIn(what string) func(row) (Step, error) {
	return func(r row) (Step, error) {
		s := Step{What: what}
		err := r.Scan(instant{&s.At}, textTo(&s.Text))
		return s, err
	}
}

func attemptStep(r row) (Step, error) {
	var number, http int
	var outcome, note string
	var ps []problem.Problem
	s := Step{What: "answered"}
	err := r.Scan(instant{&s.At}, &number, &outcome, &http, &note, jsonTo{&ps})
	parts := []string{fmt.Sprintf("attempt %d led to %s", number, outcome)}
	if http != 0 {
		parts = append(parts, fmt.Sprintf("HTTP %d", http))
	}
	if note != "" {
		parts = append(parts, note)
	}
	for _, p := range ps {
		parts = append(parts, p.Code+" "+p.Message(problem.English))
	}
	s.Text = strings.Join(parts, "; ")
	return s, err
}

func eventStep(r row) (Step, error) {
	var kind, state, external, reasonCode, reason, note string
	var code int
	var p problem.Problem
	s := Step{What: "event"}
	err := r.Scan(instant{&s.At}, &kind, &state, &external, &code, &reasonCode, &reason, jsonTo{&p}, &note)
	parts := []string{kind}
	for _, part := range []string{state, external, reasonCode, reason, note} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if code != 0 {
		parts = append(parts, fmt.Sprintf("status code %d", code))
	}
	if p.Code != "" {
		parts = append(parts, p.Code+" "+p.Message(problem.English))
	}
	s.Text = strings.Join(parts, "; ")
	return s, err
}
