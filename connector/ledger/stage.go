package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"einvoice/connector"
	"einvoice/connector/problem"
	"einvoice/connector/quickjson"
)

// Unstage deletes what an interrupted mapping of the file left in state staged.
func (l *Ledger) Unstage(ctx context.Context, fileID int64) error {
	left, err := first(ctx, l.read, scanOne[bool], "SELECT EXISTS (SELECT 1 FROM invoice WHERE file_id = ? AND state = 'staged')", fileID)
	if err == nil && left {
		err = l.commit(ctx, func(t *tx) error { return unstage(t, fileID) })
	}
	if err != nil {
		return fmt.Errorf("unstage file %d: %w", fileID, err)
	}
	return nil
}

func unstage(t *tx, fileID int64) error {
	_, err := t.exec("DELETE FROM invoice WHERE file_id = ? AND state = 'staged'", fileID)
	return err
}

// staged is an invoice ready for its columns: encoded outside the transaction,
// where the writer need not wait for it.
type staged struct {
	StagedInvoice
	key                             connector.Key
	fingerprint, document, problems string
}

// Batch is a part of a file, ready to be staged.
type Batch struct {
	fileID int64
	ready  []staged
}

// Encode does what needs no ledger, so that a caller can do it while the batch
// before is being written.
func Encode(fileID int64, invoices []StagedInvoice) (Batch, error) {
	ready, err := encodeAll(fileID, invoices)
	return Batch{fileID, ready}, err
}

// Stage adds invoices of a file in state taken, in one transaction a call.
func (l *Ledger) Stage(ctx context.Context, b Batch) error {
	err := l.commit(ctx, func(t *tx) error {
		if err := requireTaken(t, b.fileID); err != nil {
			return err
		}
		return insertStaged(t, b.fileID, b.ready, l.now())
	})
	if err != nil {
		return fmt.Errorf("stage file %d: %w", b.fileID, err)
	}
	return nil
}

// Spoil refuses an invoice that was staged already: a later part of the file
// proved that it was not whole.
func (l *Ledger) Spoil(ctx context.Context, fileID int64, ordinal int, p problem.Problem) error {
	err := l.commit(ctx, func(t *tx) error {
		text, err := json.Marshal(p)
		if err != nil {
			return err
		}
		_, err = t.exec("UPDATE invoice SET verdict = 'REFUSED', problems = json_insert(problems, '$[#]', json(?3)) WHERE file_id = ?1 AND ordinal = ?2 AND state = 'staged'",
			fileID, ordinal, string(text))
		return err
	})
	if err != nil {
		return fmt.Errorf("spoil invoice %d of file %d: %w", ordinal, fileID, err)
	}
	return nil
}

func encodeAll(fileID int64, invoices []StagedInvoice) ([]staged, error) {
	ready := make([]staged, 0, len(invoices))
	for _, s := range invoices {
		e, err := encode(s)
		if err != nil {
			return nil, fmt.Errorf("stage invoice %d of file %d: %w", s.Ordinal, fileID, err)
		}
		ready = append(ready, e)
	}
	return ready, nil
}

func encode(s StagedInvoice) (staged, error) {
	switch s.Verdict {
	case VerdictQueued, VerdictRefused, VerdictIgnored, VerdictHeld, VerdictWaiting:
	default:
		return staged{}, fmt.Errorf("verdict %q cannot be staged: %w", s.Verdict, ErrState)
	}
	if s.Verdict == VerdictWaiting && s.NotBefore.IsZero() {
		return staged{}, fmt.Errorf("verdict WAITING without a time would wait for ever: %w", ErrState)
	}
	document := quickjson.AppendInvoice(make([]byte, 0, 1024), &s.Invoice)
	problems, err := problemList(s.Problems)
	return staged{StagedInvoice: s, key: s.Invoice.Key(), fingerprint: s.Invoice.Fingerprint(), document: string(document), problems: problems}, err
}

// requireTaken lets only a file that waits for its mapping be written to.
func requireTaken(t *tx, fileID int64) error {
	state, err := first(context.Background(), t, scanOne[string], "SELECT state FROM file WHERE id = ?", fileID)
	if err == nil && state != string(FileTaken) {
		err = fmt.Errorf("file is %s: %w", state, ErrState)
	}
	return err
}

// insertedAtOnce is the number of rows of one statement: each statement opens and
// closes all of the table's indexes, which costs as much as some rows do.
const insertedAtOnce = 8

func insertStaged(t *tx, fileID int64, all []staged, now time.Time) error {
	for some := range slices.Chunk(all, insertedAtOnce) {
		last, err := t.insert(`INSERT INTO invoice
			(file_id, ordinal, source_rows, source_row, company, erp_key, seller_siren, document_number, issue_year, issue_date, is_credit,
			 buyer_siren, gross, gross_plain, currency, fingerprint, verdict, state, not_before, problems, created_at)
			VALUES `+rowsOf(len(some), "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'staged', ?, ?, ?)"), invoiceArgs(fileID, some, now)...)
		if err == nil {
			// Ids of one statement follow one another: nobody else writes.
			err = insertBelow(t, last-int64(len(some))+1, some)
		}
		if err != nil {
			return fmt.Errorf("invoices %d to %d: %w", some[0].Ordinal, some[len(some)-1].Ordinal, err)
		}
	}
	return nil
}

// rowsOf writes the rows of an INSERT.
func rowsOf(n int, row string) string { return strings.Repeat(row+", ", n-1) + row }

func invoiceArgs(fileID int64, some []staged, now time.Time) (args []any) {
	for i := range some {
		s := &some[i]
		inv := &s.Invoice
		args = append(args, fileID, s.Ordinal, s.Rows, s.Row, s.Company, orNull(inv.ERPKey), s.key.SIREN, s.key.Number, s.key.Year, string(inv.IssueDate), inv.IsCredit(),
			inv.Buyer.SIREN(), inv.Totals.Gross.String(), plain(inv.Totals.Gross), inv.Currency, s.fingerprint, string(s.Verdict), stamp(s.NotBefore), s.problems, stamp(now))
	}
	return args
}

// insertBelow adds what belongs to invoices whose ids begin with id.
func insertBelow(t *tx, id int64, some []staged) error {
	var documents []any
	for i := range some {
		documents = append(documents, id+int64(i), some[i].document)
	}
	if _, err := t.exec("INSERT INTO document (invoice_id, json) VALUES "+rowsOf(len(some), "(?, ?)"), documents...); err != nil {
		return err
	}
	for i := range some {
		if err := insertCorrections(t, id+int64(i), &some[i].Invoice); err != nil {
			return err
		}
	}
	return nil
}

func insertCorrections(t *tx, id int64, inv *connector.Invoice) error {
	if !inv.IsCredit() {
		return nil
	}
	for _, ref := range inv.Preceding {
		if _, err := t.exec("INSERT OR IGNORE INTO correction (invoice_id, document_number, issue_year) VALUES (?, ?, ?)", id, ref.Number, ref.Date.Year()); err != nil {
			return err
		}
	}
	return nil
}

const invoiceColumns = `i.id, i.file_id, i.ordinal, i.source_row, i.source_rows, i.company, i.erp_key, i.seller_siren, i.document_number, i.issue_year,
	i.gross, i.currency, i.issue_date, i.verdict, i.state, i.not_before, i.waits_for, i.first_id, i.attempts, i.api_id,
	i.platform_state, i.external_status, i.status_code, i.reason_code, i.reason, i.status_at, i.problems, i.answer_problems, i.created_at, i.sent_at`

// invoiceDest are the destinations of invoiceColumns. Problems of the release
// and later ones come apart.
func invoiceDest(inv *Invoice, later *[]problem.Problem) []any {
	return append(append([]any{&inv.ID, &inv.FileID, &inv.Ordinal, &inv.Row, &inv.Rows, &inv.Company, textTo(&inv.ERPKey), &inv.Key.SIREN, &inv.Key.Number, &inv.Key.Year,
		amountTo{&inv.Gross}, &inv.Currency, textTo(&inv.IssueDate), textTo(&inv.Verdict), textTo(&inv.State), instant{&inv.NotBefore},
		numberTo(&inv.WaitsFor), numberTo(&inv.FirstID), &inv.Attempts, textTo(&inv.APIID)}, statusInto(&inv.Status)...),
		jsonTo{&inv.Problems}, jsonTo{later}, instant{&inv.CreatedAt}, instant{&inv.SentAt})
}

// scanInvoice puts what happened last in front: it is what a person asks for.
func scanInvoice(r row) (Invoice, error) {
	var inv Invoice
	var later []problem.Problem
	err := r.Scan(invoiceDest(&inv, &later)...)
	inv.Problems = append(later, inv.Problems...)
	return inv, err
}

// invoices reads invoices by what follows FROM invoice i.
func (l *Ledger) invoices(ctx context.Context, where string, args ...any) ([]Invoice, error) {
	all, err := list(ctx, l.read, scanInvoice, "SELECT "+invoiceColumns+" FROM invoice i "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read invoices: %w", err)
	}
	return all, nil
}

// InvoicesOf streams a file's invoices in the order of the file.
func (l *Ledger) InvoicesOf(ctx context.Context, fileID int64) iter.Seq2[Invoice, error] {
	return pages(func(last *Invoice) ([]Invoice, error) {
		after := 0
		if last != nil {
			after = last.Ordinal
		}
		return l.invoices(ctx, "WHERE i.file_id = ? AND i.ordinal > ? ORDER BY i.ordinal LIMIT ?", fileID, after, pageSize)
	})
}

// ExceptionsOf streams, in the order of the file, its invoices that were not merely
// queued, and those that were rejected or came to be held on their way.
func (l *Ledger) ExceptionsOf(ctx context.Context, fileID int64) iter.Seq2[Invoice, error] {
	return pages(func(last *Invoice) ([]Invoice, error) {
		after := 0
		if last != nil {
			after = last.Ordinal
		}
		return l.invoices(ctx, "WHERE i.file_id = ? AND i.ordinal > ? AND (i.verdict <> 'QUEUED' OR i.state IN ('rejected', 'held')) ORDER BY i.ordinal LIMIT ?", fileID, after, pageSize)
	})
}

// InvoiceByID reads one invoice; ErrNotFound.
func (l *Ledger) InvoiceByID(ctx context.Context, id int64) (Invoice, error) {
	inv, err := first(ctx, l.read, scanInvoice, "SELECT "+invoiceColumns+" FROM invoice i WHERE i.id = ?", id)
	if err != nil {
		return Invoice{}, fmt.Errorf("read invoice %d: %w", id, err)
	}
	return inv, nil
}

// Document reads an invoice's content as it was mapped; ErrNotFound also when it was trimmed.
func (l *Ledger) Document(ctx context.Context, invoiceID int64) (connector.Invoice, error) {
	inv, err := first(ctx, l.read, scanDocument, "SELECT json FROM document WHERE invoice_id = ?", invoiceID)
	if err != nil {
		return connector.Invoice{}, fmt.Errorf("read document of invoice %d: %w", invoiceID, err)
	}
	return inv, nil
}

func scanDocument(r row) (inv connector.Invoice, err error) {
	err = r.Scan(documentTo{&inv})
	return inv, err
}
