package ledger

import (
	"context"
	"fmt"

	"einvoice/connector"
	"einvoice/connector/problem"
)

// SweepNeeded tells whether the company's outgoing invoices must be read in full
// before anything is sent. A company that the ledger does not know needs one.
func (l *Ledger) SweepNeeded(ctx context.Context, company string) (bool, error) {
	needed, err := first(ctx, l.read, scanOne[bool], "SELECT NOT EXISTS (SELECT 1 FROM company WHERE id = ? AND swept_at IS NOT NULL)", company)
	if err != nil {
		return true, fmt.Errorf("read sweep of %s: %w", company, err)
	}
	return needed, nil
}

// AddSwept records invoices found at the platform (idempotent by API id). One
// that does not say its seller is the company's. One that shows no number may be
// any unsent invoice of its total: a person is asked about those.
func (l *Ledger) AddSwept(ctx context.Context, company string, found []connector.Remote) error {
	err := l.commit(ctx, func(t *tx) error {
		siren, err := first(context.Background(), t, scanOne[string], "SELECT siren FROM company WHERE id = ?", company)
		if err != nil {
			return err
		}
		for i := range found {
			if err := l.addSwept(t, company, siren, &found[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("record swept invoices of %s: %w", company, err)
	}
	return nil
}

func (l *Ledger) addSwept(t *tx, company, siren string, r *connector.Remote) error {
	key := r.Invoice.Key()
	if key.SIREN == "" || key.Number == "" {
		key.SIREN = siren
	}
	gross := r.Invoice.Totals.Gross
	args := append([]any{r.ID, company, key.SIREN, key.Number, key.Year, gross.String(), plain(gross)}, statusArgs(r.Status)...)
	_, err := t.exec(`INSERT OR REPLACE INTO swept (api_id, company, seller_siren, document_number, issue_year, gross, gross_plain,
		platform_state, external_status, status_code, reason_code, reason, status_at, found_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		append(args, stamp(l.now()))...)
	return err
}

// SweepDone allows sending, and settles unsent invoices whose key was found: same
// gross: Sent with that id, which are returned; other gross, or two documents:
// Held. Release does the same for later exports.
func (l *Ledger) SweepDone(ctx context.Context, company string) (adopted []Adopted, err error) {
	err = l.commit(ctx, func(t *tx) (err error) {
		if err := must(t.exec("UPDATE company SET swept_at = ? WHERE id = ?", stamp(l.now()), company)); err != nil {
			return err
		}
		adopted, err = l.settleSwept(t, false, "i.company = ?1 AND i.state IN ('queued', 'waiting', 'held')", company)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("end sweep of %s: %w", company, err)
	}
	return adopted, nil
}

// Adopted is an invoice that was not sent because the platform has it.
type Adopted struct{ Company, Number, APIID string }

// RequireSweep makes the company sweep again (owner marker of a drop names
// another ledger, or a later generation of this one), and numbers leap, once a run.
func (l *Ledger) RequireSweep(ctx context.Context, company string) error {
	g := &l.generations
	g.mu.Lock()
	defer g.mu.Unlock()
	err := l.commit(ctx, func(t *tx) error {
		if err := must(t.exec("UPDATE company SET swept_at = NULL WHERE id = ?", company)); err != nil || g.leapt {
			return err
		}
		return l.leap(t)
	})
	if err != nil {
		return fmt.Errorf("require sweep of %s: %w", company, err)
	}
	g.leapt = true
	return nil
}

// decideSwept compares a file's invoices with what a finished sweep found.
func (l *Ledger) decideSwept(t *tx, fileID int64) ([]Adopted, error) {
	return l.settleSwept(t, true, `i.file_id = ?1 AND i.state IN ('queued', 'waiting', 'held')
		AND EXISTS (SELECT 1 FROM company c WHERE c.id = i.company AND c.swept_at IS NOT NULL)`, fileID)
}

// asked tells whether an invoice i was held with the question of that code.
const asked = `INSTR(i.problems || i.answer_problems, '"code":"%s"') > 0`

// find is an unsent invoice that a sweep may have found at the platform.
type find struct {
	id      int64
	company string
	number  string
	gross   connector.Amount
	file    string
	row     int
	named   bool // by its key; else by its total among those that show no number
	found   int  // documents at the platform that it may be, and that are not ours yet
	same    bool // the newest of them has the same total
	apiID   string
	total   connector.Amount
	status  connector.Status
}

// ours tells whether there is no doubt which document it is.
func (f *find) ours() bool { return f.named && f.found == 1 && f.same }

// settleSwept leaves out what the platform refused in a way that is mended under
// the same number, unless it is the very same total: then it may be this one.
// What is held already is looked at as well, or a person's release would send it
// a second time; but a question that was asked is not asked again. So is what was
// tried: a backup may have been made between a try that failed and one that did
// not. What the platform shows without a date (year 0) may be of any year. At
// release its outcome is the verdict as well.
func (l *Ledger) settleSwept(t *tx, release bool, where string, arg any) (adopted []Adopted, err error) {
	ctx := context.Background()
	found, err := first(ctx, t, scanOne[bool], "SELECT EXISTS (SELECT 1 FROM swept)")
	if err != nil || !found {
		return nil, err
	}
	mute, err := first(ctx, t, scanOne[bool], "SELECT EXISTS (SELECT 1 FROM company c JOIN swept s ON s.seller_siren = c.siren AND s.document_number = '')")
	if err != nil {
		return nil, err
	}
	taken := map[string]bool{} // ids; a second owner of one is held instead
	joins := []string{byKey}
	if mute { // after the key: what that settled is not asked about
		joins = append(joins, fmt.Sprintf(byTotal, fmt.Sprintf(hundredths, "s"), fmt.Sprintf(hundredths, "i")))
	}
	for _, join := range joins {
		finds, err := list(ctx, t, scanFind, `SELECT i.id, i.company, i.document_number, i.gross, f.name, i.source_row, s.document_number <> '', COUNT(*), MAX(s.gross_plain = i.gross_plain), s.api_id, s.gross, `+
			fmt.Sprintf(statusColumns, "s")+` FROM invoice i JOIN file f ON f.id = i.file_id `+join+` WHERE `+where+`
			AND NOT EXISTS (SELECT 1 FROM invoice o WHERE o.api_id = s.api_id)
			AND NOT (i.state = 'held' AND (`+fmt.Sprintf(asked, "E5008")+` OR `+fmt.Sprintf(asked, "E5009")+` OR `+fmt.Sprintf(asked, "E5015")+`))
			AND (s.gross_plain = i.gross_plain OR NOT (s.platform_state = 'ERROR' AND s.status_code IN (501, 221))) GROUP BY i.id ORDER BY i.id`, arg)
		if err != nil {
			return nil, err
		}
		for _, f := range finds {
			if err := l.settleFind(t, f, release); err != nil {
				return nil, err
			}
			if f.ours() && !taken[f.apiID] {
				taken[f.apiID] = true
				adopted = append(adopted, Adopted{f.company, f.number, f.apiID})
			}
		}
	}
	return adopted, nil
}

// How an unsent invoice i is found among what a sweep saw. By its total, within
// what a platform may normalise, where that shows no number, and was there
// before i was issued.
const (
	byKey   = "JOIN swept s ON s.seller_siren = i.seller_siren AND s.document_number = i.document_number AND s.issue_year IN (i.issue_year, 0)"
	byTotal = `JOIN swept s ON s.seller_siren = i.seller_siren AND s.document_number = '' AND (s.gross_plain = '' OR ABS(%s - %s) <= 1)
		AND DATE(i.issue_date) <= DATE(s.found_at, '+1 day')`
	// hundredths is the total of an alias as a whole number; what is smaller is cut off.
	hundredths = `CAST(REPLACE(SUBSTR(%[1]s.gross_plain || IIF(INSTR(%[1]s.gross_plain, '.'), '00', '.00'), 1,
		INSTR(%[1]s.gross_plain || '.', '.') + 2), '.', '') AS INTEGER)`
)

func scanFind(r row) (f find, err error) {
	dest := append([]any{&f.id, &f.company, &f.number, amountTo{&f.gross}, &f.file, &f.row, &f.named, &f.found, &f.same, textTo(&f.apiID), amountTo{&f.total}}, statusInto(&f.status)...)
	err = r.Scan(dest...)
	return f, err
}

func (l *Ledger) settleFind(t *tx, f find, release bool) error {
	if f.ours() {
		if err := l.enterSent(t, f.id, f.apiID, f.status, "found at the platform by the sweep"); err != nil {
			return err
		}
		if _, err := t.exec("UPDATE invoice SET verdict = 'QUEUED' WHERE ?1 AND id = ?2 AND state = 'sent'", release, f.id); err != nil {
			return err
		}
		return l.wake(t, f.id)
	}
	p := problem.Problem{
		Code: "E5008", Severity: problem.Hold, Invoice: f.number, Field: "totals.total_amount_including_tax", BT: "BT-112",
		Value: f.gross.String(), Expected: f.total.String(), Position: problem.Position{File: f.file, Row: f.row},
		Args: map[string]string{"api_id": f.apiID, "found": fmt.Sprint(f.found)},
	}
	switch {
	case !f.named:
		p.Code, p.Field, p.BT, p.Value, p.Expected = "E5015", "document_number", "BT-1", "", ""
	case f.found > 1:
		p.Code = "E5009"
	}
	text, err := problemText(p)
	if err != nil {
		return err
	}
	if release {
		_, err = t.exec("UPDATE invoice SET state = 'held', verdict = 'HELD', not_before = NULL, waits_for = NULL, problems = "+prepend("invoice.problems", "?1")+" WHERE id = ?2", text, f.id)
		return err // tellHeld writes the event
	}
	return l.enterHeld(t, f.id, []problem.Problem{p}, "sweep")
}
