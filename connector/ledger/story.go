package ledger

import (
	"context"
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"

	"einvoice/connector/problem"
)

// Step is one line of the story of an invoice or supplier invoice.
type Step struct {
	At   time.Time
	What string // one of: taken archived mapped released sending answered lookup event callback request published; of a supplier invoice: seen callback fetched alert delivered
	Text string // plain words; file names, ids and codes in full
}

// Story tells all that happened to an invoice, in order: file, row, hash,
// mapping, attempts, events, files written; in English where no language is
// given. ErrNotFound.
func (l *Ledger) Story(ctx context.Context, invoiceID int64, lang ...problem.Lang) ([]Step, error) {
	in := tongueOf(lang)
	inv, err := l.InvoiceByID(ctx, invoiceID)
	if err != nil {
		return nil, err
	}
	f, err := l.FileByID(ctx, inv.FileID)
	if err != nil {
		return nil, err
	}
	story := in.fileSteps(f, inv)
	for _, part := range []struct {
		tell  func(row) (Step, error)
		query string
		arg   any
	}{
		{in.step("archived", "original moved to %v", "original déplacé vers %v"), "SELECT archived_at, archived_path FROM file WHERE id = ? AND archived_at IS NOT NULL", f.ID},
		{in.step("sending", "attempt %v to send it began", "début de la tentative d'envoi %v"), "SELECT started_at, number FROM attempt WHERE invoice_id = ?", invoiceID},
		{in.step("sending", "attempt %v to send it began", "début de la tentative d'envoi %v"), "SELECT attempted_at, attempts FROM invoice WHERE id = ? AND state = 'sending'", invoiceID},
		{in.attemptStep, "SELECT ended_at, number, outcome, http, note, problems FROM attempt WHERE invoice_id = ? AND ended_at IS NOT NULL", invoiceID},
		{in.step("lookup", "looked up at the platform: %s", "recherchée sur la plateforme : %s"), "SELECT at, finding FROM lookup WHERE invoice_id = ? ORDER BY id", invoiceID},
		{in.eventStep, "SELECT recorded_at, kind, platform_state, external_status, status_code, reason_code, reason, problem, note FROM event WHERE invoice_id = ? ORDER BY id", invoiceID},
		{in.callback(), "SELECT c.received_at, c.event, c.body_sha256 FROM callback c JOIN invoice i ON i.api_id = c.api_id WHERE i.id = ? ORDER BY c.id", invoiceID},
		{in.step("request", "%v asked to %v%v", "%v a demandé : %v%v"), `SELECT q.done_at, q.who, q.verb, CASE q.failure WHEN '' THEN '' ELSE ': ' || q.failure END FROM request q
			WHERE q.done_at IS NOT NULL AND EXISTS (SELECT 1 FROM json_each(q.invoices) WHERE value = ?) ORDER BY q.id`, invoiceID},
		{in.step("published", "%s %v written to %s of %v", "%s : %v écrit dans le dossier %s de %v"), "SELECT published_at, kind, name, folder, place FROM publication WHERE file_id = ? AND published_at IS NOT NULL", f.ID},
		{in.step("published", "status file %v written with event %s, seq %v", "fichier de statuts %v écrit avec l'événement %s, seq %v"), `SELECT p.published_at, p.name, e.kind, e.seq FROM event e
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

// ReceivedStory tells all that happened to a supplier invoice, in order; in
// English where no language is given.
func (l *Ledger) ReceivedStory(ctx context.Context, r Received, lang ...problem.Lang) ([]Step, error) {
	in := tongueOf(lang)
	story := []Step{{r.SeenAt, "seen", in.say("the platform has supplier invoice %v", "la plateforme a la facture fournisseur %v", r.APIID)}}
	if !r.ReceivedAt.IsZero() {
		story = append(story, Step{r.ReceivedAt, "fetched", in.say("number %v of %v read, original SHA-256 %v", "numéro %v de %v lu, SHA-256 de l'original %v", r.Number, r.Supplier, r.RawSHA256)})
	}
	for _, p := range r.Alerts {
		story = append(story, Step{r.ReceivedAt, "alert", p.Code + " " + p.Message(in.lang)})
	}
	if !r.DeliveredAt.IsZero() {
		story = append(story, Step{r.DeliveredAt, "delivered", in.say("folder %v", "dossier %v", r.Folder)})
	}
	calls, err := list(ctx, l.read, in.callback(), "SELECT received_at, event, body_sha256 FROM callback WHERE api_id = ? ORDER BY id", r.APIID)
	if err != nil {
		return nil, fmt.Errorf("tell story of supplier invoice %s: %w", r.APIID, err)
	}
	story = append(story, calls...)
	sort.SliceStable(story, func(i, j int) bool { return story[i].At.Before(story[j].At) })
	return story, nil
}

// tongue is the language that a story is told in.
type tongue struct{ lang problem.Lang }

func tongueOf(lang []problem.Lang) tongue {
	if len(lang) == 0 {
		return tongue{problem.English}
	}
	return tongue{lang[0]}
}

func (in tongue) say(english, french string, args ...any) string {
	if in.lang == problem.French {
		return fmt.Sprintf(french, args...)
	}
	return fmt.Sprintf(english, args...)
}

func (in tongue) fileSteps(f File, inv Invoice) []Step {
	steps := []Step{{f.TakenAt, "taken", in.say("%s taken from drop %s as number %d: %d bytes, SHA-256 %s", "%s pris dans le dépôt %s sous le numéro %d : %d octets, SHA-256 %s", f.Name, f.Drop, f.Take, f.Size, f.SHA256)}}
	where := in.say("row %d", "ligne %d", inv.Row)
	if inv.Rows != "" && inv.Rows != strconv.Itoa(inv.Row) {
		where = in.say("rows %s", "lignes %s", inv.Rows)
	}
	steps = append(steps, Step{inv.CreatedAt, "mapped", in.say("document %s read from %s, mapping %s, version %s", "document %s lu, %s, modèle %s, version %s", inv.Key.Number, where, f.Mapping, f.MappingVersion)})
	if !f.MappedAt.IsZero() {
		steps = append(steps, Step{f.MappedAt, "released", in.verdict(inv)})
	}
	return steps
}

// verdict is what was decided about an invoice, and why it did not go. A hold has
// an event, which says the same.
func (in tongue) verdict(inv Invoice) string {
	text := in.say("verdict %s", "verdict : %s", in.word(string(inv.Verdict)))
	switch p := inv.Cause(); {
	case p.Code == "", inv.Verdict == VerdictQueued, inv.Verdict == VerdictHeld, inv.Verdict == VerdictWaiting:
	default:
		text += "; " + strings.TrimPrefix(p.Where(in.lang)+": ", ": ") + p.Code + " " + p.Message(in.lang)
	}
	return text
}

// step reads a row of a time and the values of the text: data for a %v, and for a
// %s one of our words.
func (in tongue) step(what, english, french string) func(row) (Step, error) {
	return func(r row) (Step, error) {
		s := Step{What: what}
		verbs := verb.FindAllString(english, -1)
		values := make([]any, len(verbs))
		dest := []any{instant{&s.At}}
		for i := range values {
			dest = append(dest, &values[i])
		}
		err := r.Scan(dest...)
		for i, v := range verbs {
			if v == "%s" {
				values[i] = in.word(fmt.Sprint(values[i]))
			}
		}
		s.Text = in.say(english, french, values...)
		return s, err
	}
}

var verb = regexp.MustCompile("%[vs]")

func (in tongue) callback() func(row) (Step, error) {
	return in.step("callback", "callback %v recorded, body %v", "rappel %v enregistré, corps %v")
}

func (in tongue) attemptStep(r row) (Step, error) {
	var number, http int
	var outcome, note string
	var ps []problem.Problem
	s := Step{What: "answered"}
	err := r.Scan(instant{&s.At}, &number, &outcome, &http, &note, jsonTo{&ps})
	parts := []string{in.say("attempt %d led to %s", "la tentative %d a donné : %s", number, in.word(outcome))}
	if status := fmt.Sprintf("HTTP %d", http); http != 0 && note != status { // it often says no more
		parts = append(parts, status)
	}
	if note != "" {
		parts = append(parts, in.word(note))
	}
	for _, p := range ps {
		parts = append(parts, p.Code+" "+p.Message(in.lang))
	}
	s.Text = strings.Join(parts, "; ")
	return s, err
}

func (in tongue) eventStep(r row) (Step, error) {
	var kind, state, external, reasonCode, reason, note string
	var code int
	var p problem.Problem
	s := Step{What: "event"}
	err := r.Scan(instant{&s.At}, &kind, &state, &external, &code, &reasonCode, &reason, jsonTo{&p}, &note)
	parts := []string{in.word(kind)}
	for _, part := range []string{state, external, reasonCode, reason, in.word(note)} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if code != 0 {
		parts = append(parts, in.say("status code %d", "code de statut %d", code))
	}
	if p.Code != "" {
		parts = append(parts, p.Code+" "+p.Message(in.lang))
	}
	s.Text = strings.Join(parts, "; ")
	return s, err
}
