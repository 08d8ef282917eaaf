package ledger

import (
	"context"
	"fmt"
	"slices"

	"einvoice/connector/problem"
)

// Mapped is what Release records of the file.
type Mapped struct {
	Mapping, Version     string // of the mapping: its name, and which text of it
	Encoding             string
	Problems             []problem.Problem
	Controls             []Control
	AckName, SummaryName string
}

// rivalTables hold, within a release, which staged invoices meet another one of
// their number. They live in memory, on the writer's connection.
const rivalTables = `
CREATE TEMP TABLE twin (seller_siren TEXT, document_number TEXT, issue_year INTEGER, first_id INTEGER, contents INTEGER,
  PRIMARY KEY (seller_siren, document_number, issue_year)) WITHOUT ROWID;
CREATE TEMP TABLE rival (id INTEGER PRIMARY KEY, holder INTEGER NOT NULL, fate TEXT NOT NULL);
CREATE INDEX temp.rival_holder ON rival (holder);
CREATE INDEX temp.rival_fate ON rival (fate, id)`

// candidate are the staged invoices %[1]s of file ?1 that may go, and whose key is whole.
const candidate = `%[1]s.file_id = ?1 AND %[1]s.state = 'staged' AND %[1]s.verdict IN ('QUEUED', 'HELD', 'WAITING') AND ` + wholeKey

const wholeKey = "%[1]s.seller_siren <> '' AND %[1]s.document_number <> '' AND %[1]s.issue_year > 0"

// Release is the barrier: in one transaction it decides every verdict against
// the business keys, sets states, marks the file mapped, writes
// events (SUPERSEDED of older invoices, HELD), and makes the publications ack
// and summary with their seq range. The key is (seller SIREN, number, issue
// year); only invoices with a whole key take part.
//
//   - same number twice inside the file: same fingerprint: the second DUPLICATE; other fingerprint: both REFUSED
//   - holder refused or rejected at once, or in state ERROR with code 501 or 221: the new one takes the key
//   - holder in state ERROR with an unknown cause: HELD with the question
//   - same fingerprint: DUPLICATE
//   - other fingerprint, holder never attempted: the holder becomes superseded, the new one takes the key
//   - otherwise CONFLICT, naming the first field that differs
//   - same number and gross total of the same seller in another year: HELD with the question
//
// A key that a sweep found at the platform counts as sent. A credit note whose
// invoice is in the ledger: sent: QUEUED; refused or rejected: HELD; still open:
// WAITING for it; not known: QUEUED.
func (l *Ledger) Release(ctx context.Context, fileID int64, m Mapped) (Summary, error) {
	var s Summary
	err := l.commit(ctx, func(t *tx) (err error) {
		s, err = l.release(t, fileID, m)
		return err
	})
	if err != nil {
		return Summary{}, fmt.Errorf("release file %d: %w", fileID, err)
	}
	return s, nil
}

// Ready is an export of few invoices that is mapped whole: all of them, and what
// is recorded of the file.
type Ready struct {
	FileID   int64
	Invoices []StagedInvoice
	Mapped   Mapped
	// Hold sets those to HELD that a person should see first, beside what was let
	// go before; it may be called again on another copy. nil holds none.
	Hold func(h History, invoices []StagedInvoice) error
}

// ReleaseAll stages and releases exports in their order, all in one transaction:
// each meets those before it as if they had been released one by one. What an
// interrupted mapping staged is deleted first.
func (l *Ledger) ReleaseAll(ctx context.Context, files []Ready) (sums []Summary, err error) {
	encoded := make([][]staged, len(files))
	for i, f := range files {
		if encoded[i], err = encodeAll(f.FileID, f.Invoices); err != nil {
			return nil, err
		}
	}
	err = l.commit(ctx, func(t *tx) error {
		sums = make([]Summary, len(files))
		for i, f := range files {
			err := l.stageReady(t, f, encoded[i])
			if err == nil {
				sums[i], err = l.release(t, f.FileID, f.Mapped)
			}
			if err != nil {
				return fmt.Errorf("file %d: %w", f.FileID, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("release %d files: %w", len(files), err)
	}
	return sums, nil
}

// stageReady stages a whole export, with what its look back says now.
func (l *Ledger) stageReady(t *tx, f Ready, encoded []staged) error {
	if err := requireTaken(t, f.FileID); err != nil {
		return err
	}
	if err := unstage(t, f.FileID); err != nil {
		return err
	}
	held, err := f.held(t, encoded)
	if err != nil {
		return err
	}
	return insertStaged(t, f.FileID, held, l.now())
}

// held asks Hold, on a copy: a transaction that fails runs again.
func (f Ready) held(t *tx, encoded []staged) ([]staged, error) {
	if f.Hold == nil {
		return encoded, nil
	}
	invoices := make([]StagedInvoice, len(encoded))
	for i, e := range encoded {
		invoices[i] = e.StagedInvoice
		invoices[i].Problems = slices.Clip(invoices[i].Problems)
	}
	if err := f.Hold(History{t}, invoices); err != nil {
		return nil, err
	}
	held := slices.Clone(encoded)
	for i := range held {
		if len(invoices[i].Problems) == len(held[i].Problems) {
			continue
		}
		var err error
		held[i].StagedInvoice = invoices[i]
		if held[i].problems, err = problemList(invoices[i].Problems); err != nil {
			return nil, err
		}
	}
	return held, nil
}

func (l *Ledger) release(t *tx, fileID int64, m Mapped) (Summary, error) {
	if err := requireTaken(t, fileID); err != nil {
		return Summary{}, err
	}
	met, err := l.decideKeys(t, fileID)
	if err != nil {
		return Summary{}, err
	}
	if err := enterStates(t, fileID); err != nil {
		return Summary{}, err
	}
	adopted, err := l.decideSwept(t, fileID)
	if err == nil {
		err = l.decideCredits(t, fileID)
	}
	if err != nil {
		return Summary{}, err
	}
	s, err := summaryOf(context.Background(), t, fileID)
	s.Adopted = adopted
	if err == nil && met {
		err = clearRivals(t)
	}
	if err == nil && s.Counts[VerdictHeld] > 0 {
		err = l.tellHeld(t, fileID)
	}
	if err == nil && s.Counts[VerdictQueued]+s.Counts[VerdictWaiting] > 0 {
		err = l.noteHistory(t, "i.file_id = ?1 AND i.state IN ('queued', 'waiting')", fileID, m.Mapping)
	}
	if err != nil {
		return s, err
	}
	owed := s.Counts[VerdictRefused]+s.Counts[VerdictConflict]+s.Counts[VerdictHeld] > 0
	if err := finishFile(t, fileID, FileMapped, m, owed, l.now); err != nil {
		return s, err
	}
	return s, l.publishAnswer(t, fileID, m, int64(s.Invoices+len(m.Problems)))
}

// decideKeys decides what the business keys say, and tells whether any of them met
// another one: most exports bring new numbers only, and are spared the rest.
func (l *Ledger) decideKeys(t *tx, fileID int64) (met bool, err error) {
	known, err := first(context.Background(), t, scanOne[bool], "SELECT EXISTS (SELECT 1 FROM invoice i WHERE "+fmt.Sprintf(candidate, "i")+
		" AND EXISTS (SELECT 1 FROM invoice o WHERE o.document_number = i.document_number AND o.seller_siren = i.seller_siren AND o.id <> i.id))", fileID)
	if err != nil || !known {
		return false, err
	}
	twins, err := decideTwins(t, fileID)
	if err != nil {
		return false, err
	}
	rivals, err := findRivals(t, fileID)
	if err != nil {
		return false, err
	}
	if rivals > 0 {
		for _, step := range []func(*tx, int64) error{l.supersede, decideDuplicates, l.decideQuestions, decideConflicts} {
			if err := step(t, fileID); err != nil {
				return false, err
			}
		}
	}
	years, err := decideOtherYear(t, fileID)
	return twins+rivals+years > 0, err
}

// FailFile deletes what was staged, marks the file failed and makes its
// publication ack, whose one line is the first of the problems. Its copy, or a
// report in its stead, is owed (FilesWithoutCopy).
func (l *Ledger) FailFile(ctx context.Context, fileID int64, m Mapped) error {
	err := l.commit(ctx, func(t *tx) error {
		if err := requireTaken(t, fileID); err != nil {
			return err
		}
		if err := unstage(t, fileID); err != nil {
			return err
		}
		if err := finishFile(t, fileID, FileFailed, m, true, l.now); err != nil {
			return err
		}
		return l.publishAnswer(t, fileID, m, int64(len(ackProblems(FileFailed, m.Problems))))
	})
	if err != nil {
		return fmt.Errorf("fail file %d: %w", fileID, err)
	}
	return nil
}

func clearRivals(t *tx) error {
	if _, err := t.exec("DELETE FROM temp.twin"); err != nil {
		return err
	}
	_, err := t.exec("DELETE FROM temp.rival")
	return err
}

// sqlProblem is the SQL of a problem's JSON about invoice alias; args are further
// pairs of SQL for its texts.
func sqlProblem(code string, severity problem.Severity, alias, args string) string {
	return fmt.Sprintf(`json_object('code', '%s', 'severity', '%s', 'invoice', %[3]s.document_number, 'field', 'document_number', 'bt', 'BT-1',
		'position', json_object('file', (SELECT name FROM file WHERE id = %[3]s.file_id), 'row', %[3]s.source_row),
		'value', %[3]s.document_number, 'args', json_object(%[4]s))`, code, severity, alias, args)
}

// sameKey compares the keys of two aliases.
const sameKey = "%[1]s.seller_siren = %[2]s.seller_siren AND %[1]s.document_number = %[2]s.document_number AND %[1]s.issue_year = %[2]s.issue_year"

// decideTwins finds numbers that stand twice in the file, and counts them.
func decideTwins(t *tx, fileID int64) (int64, error) {
	// The look-up by number comes before the grouping, which would otherwise sort
	// every invoice of the file in memory.
	other := "SELECT 1 FROM invoice o WHERE " + fmt.Sprintf(sameKey, "o", "i") + " AND o.id <> i.id AND " + fmt.Sprintf(candidate, "o")
	n, err := t.exec(`INSERT INTO temp.twin SELECT seller_siren, document_number, issue_year, first_id, contents FROM (
		SELECT seller_siren, document_number, issue_year, id AS first_id, MIN(ordinal), COUNT(DISTINCT fingerprint) AS contents
		FROM invoice i WHERE `+fmt.Sprintf(candidate, "i")+" AND EXISTS ("+other+") GROUP BY 1, 2, 3)", fileID)
	if err != nil || n == 0 {
		return n, err
	}
	match := fmt.Sprintf(candidate, "invoice") + " AND " + fmt.Sprintf(sameKey, "invoice", "w")
	rows := `'rows', (SELECT GROUP_CONCAT(source_row, ', ') FROM (SELECT o.source_row FROM invoice o WHERE o.file_id = ?1 AND ` +
		fmt.Sprintf(sameKey, "o", "w") + " ORDER BY o.ordinal LIMIT 20))"
	if _, err := t.exec("UPDATE invoice SET verdict = 'REFUSED', problems = "+
		prepend("invoice.problems", sqlProblem("E5003", problem.Refuse, "invoice", rows))+
		" FROM temp.twin w WHERE w.contents > 1 AND "+match, fileID); err != nil {
		return n, err
	}
	_, err = t.exec("UPDATE invoice SET verdict = 'DUPLICATE', first_id = w.first_id, problems = "+
		prepend("invoice.problems", sqlProblem("E5002", problem.Warn, "invoice", rows))+
		" FROM temp.twin w WHERE w.contents = 1 AND invoice.id <> w.first_id AND "+match, fileID)
	return n, err
}

// mendable says that alias was refused in a way that French practice mends under
// the same number: at once, as inadmissible (501), or for its routing (221).
const mendable = "(%[1]s.state IN ('refused', 'rejected') OR (%[1]s.platform_state = 'ERROR' AND %[1]s.status_code IN (501, 221)))"

// findRivals looks up who holds the key of each invoice, and decides its fate; it
// counts those that somebody holds.
func findRivals(t *tx, fileID int64) (int64, error) {
	return t.exec(`INSERT INTO temp.rival SELECT n.id, h.id, CASE
		WHEN `+fmt.Sprintf(mendable, "h")+` THEN 'replace'
		WHEN h.platform_state = 'ERROR' AND h.status_code = 0 THEN 'ask'
		WHEN h.fingerprint = n.fingerprint THEN 'duplicate'
		WHEN h.state IN ('queued', 'waiting', 'held') AND h.attempts = 0 THEN 'supersede'
		ELSE 'conflict' END
		FROM invoice n JOIN invoice h ON h.holds_key = 1 AND `+fmt.Sprintf(sameKey, "h", "n")+" WHERE "+fmt.Sprintf(candidate, "n"), fileID)
}

// supersede lets the new invoices take the place of those they replace; credit
// notes that waited for the old one wait for the new one.
func (l *Ledger) supersede(t *tx, _ int64) error {
	for _, update := range []string{
		`INSERT INTO event (place, company, invoice_id, kind, problem, occurred_at, recorded_at)
			SELECT f.place, h.company, h.id, 'SUPERSEDED', ` + sqlProblem("E5011", problem.Warn, "h", "'by_file', nf.name, 'by_row', CAST(n.source_row AS TEXT)") + `, ?1, ?1
			FROM temp.rival r JOIN invoice h ON h.id = r.holder JOIN file f ON f.id = h.file_id JOIN invoice n ON n.id = r.id JOIN file nf ON nf.id = n.file_id
			WHERE r.fate = 'supersede' ORDER BY h.id`,
		`UPDATE invoice SET waits_for = r.id FROM temp.rival r WHERE ?1 <> '' AND r.fate = 'supersede' AND invoice.waits_for = r.holder`,
		`UPDATE invoice SET state = 'superseded', superseded_by = r.id, not_before = NULL, waits_for = NULL
			FROM temp.rival r WHERE ?1 <> '' AND r.fate = 'supersede' AND invoice.id = r.holder`,
		`UPDATE invoice SET holds_key = 0 WHERE ?1 <> '' AND id IN (SELECT holder FROM temp.rival WHERE fate IN ('replace', 'supersede'))`,
	} {
		if _, err := t.exec(update, stamp(l.now())); err != nil {
			return err
		}
	}
	return nil
}

// firstArgs are the words about the first invoice h, brought by file hf.
const firstArgs = `'first_file', hf.name, 'first_row', CAST(h.source_row AS TEXT), 'state', h.state, 'platform_state', h.platform_state,
	'external_status', h.external_status, 'api_id', COALESCE(h.api_id, ''),
	'state_fr', CASE h.state WHEN 'queued' THEN 'en attente d''envoi' WHEN 'waiting' THEN 'en attente' WHEN 'held' THEN 'à vérifier'
		WHEN 'sending' THEN 'en cours d''envoi' WHEN 'uncertain' THEN 'envoi à confirmer' WHEN 'sent' THEN 'transmise' ELSE h.state END,
	'state_en', CASE h.state WHEN 'queued' THEN 'queued' WHEN 'waiting' THEN 'waiting' WHEN 'held' THEN 'to be checked'
		WHEN 'sending' THEN 'being sent' WHEN 'uncertain' THEN 'sent, to be confirmed' WHEN 'sent' THEN 'sent' ELSE h.state END`

// decideDuplicates marks what went before; the second twin of a duplicate points
// to the same first invoice.
func decideDuplicates(t *tx, fileID int64) error {
	if _, err := t.exec("UPDATE invoice SET verdict = 'DUPLICATE', first_id = r.holder, problems = " +
		prepend("invoice.problems", sqlProblem("E5001", problem.Warn, "invoice", firstArgs)) +
		` FROM temp.rival r, invoice h, file hf WHERE r.fate = 'duplicate' AND invoice.id = r.id AND h.id = r.holder AND hf.id = h.file_id`); err != nil {
		return err
	}
	_, err := t.exec(`UPDATE invoice SET first_id = r.holder FROM temp.rival r
		WHERE invoice.file_id = ?1 AND invoice.verdict = 'DUPLICATE' AND invoice.first_id = r.id AND r.fate = 'duplicate'
		AND EXISTS (SELECT 1 FROM temp.twin)`, fileID)
	return err
}

// decideOtherYear holds a number that another year has with the same total: more
// often a wrong date than a numbering that starts again each year. A number
// that its own year knows already was asked about then.
func decideOtherYear(t *tx, fileID int64) (int64, error) {
	n, err := t.exec(`INSERT INTO temp.rival SELECT n.id, MAX(o.id), 'year' FROM invoice n
		JOIN invoice o ON o.document_number = n.document_number AND o.seller_siren = n.seller_siren AND o.issue_year <> n.issue_year AND o.gross_plain = n.gross_plain
		WHERE `+fmt.Sprintf(candidate, "n")+` AND n.verdict IN ('QUEUED', 'WAITING') AND NOT EXISTS (SELECT 1 FROM temp.rival r WHERE r.id = n.id)
		AND ((o.holds_key = 1 AND o.state NOT IN ('refused', 'rejected'))
		  OR (o.file_id = n.file_id AND o.ordinal < n.ordinal AND o.state = 'staged' AND o.verdict IN ('QUEUED', 'WAITING', 'HELD')))
		GROUP BY n.id`, fileID)
	if err != nil || n == 0 {
		return n, err
	}
	_, err = t.exec("UPDATE invoice SET verdict = 'HELD', first_id = r.holder, problems = " +
		prepend("invoice.problems", sqlProblem("E5005", problem.Hold, "invoice", firstArgs+", 'first_year', CAST(h.issue_year AS TEXT), 'year', CAST(invoice.issue_year AS TEXT), 'gross', invoice.gross")) +
		` FROM temp.rival r, invoice h, file hf WHERE r.fate = 'year' AND invoice.id = r.id AND h.id = r.holder AND hf.id = h.file_id`)
	return n, err
}

// enterStates turns verdicts into states, and gives the keys. An invoice held
// with a question about its key does not take it yet.
func enterStates(t *tx, fileID int64) error {
	_, err := t.exec(`UPDATE invoice SET state = LOWER(verdict),
		holds_key = (verdict IN ('QUEUED', 'WAITING', 'HELD') AND `+fmt.Sprintf(wholeKey, "invoice")+`
			AND NOT EXISTS (SELECT 1 FROM temp.rival r WHERE r.id = invoice.id AND r.fate = 'ask')),
		not_before = CASE WHEN verdict IN ('QUEUED', 'WAITING') THEN not_before END
		WHERE file_id = ? AND state = 'staged'`, fileID)
	return err
}

// tellHeld writes the event of each invoice of the file that the release held.
func (l *Ledger) tellHeld(t *tx, fileID int64) error {
	_, err := t.exec(`INSERT INTO event (place, company, invoice_id, kind, problem, occurred_at, recorded_at)
		SELECT f.place, i.company, i.id, 'HELD',
		  (SELECT value FROM json_each(i.problems) ORDER BY json_extract(value, '$.severity') = 'hold' DESC, key LIMIT 1), ?2, ?2
		FROM invoice i JOIN file f ON f.id = i.file_id WHERE i.file_id = ?1 AND i.state = 'held' ORDER BY i.ordinal`, fileID, stamp(l.now()))
	return err
}
