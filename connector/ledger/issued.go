package ledger

import (
	"context"
	"fmt"
	"iter"
	"time"

	"einvoice/connector"
	"einvoice/connector/problem"
)

// Issued is an outgoing invoice as accounting looks at it.
type Issued struct {
	Invoice
	SourceFile string
	Document   connector.Invoice // without attachments; zero where it was trimmed
}

// IssuedIn streams the invoices of a company whose exports were taken in the
// time from (included) to to (not included), in the order of the exports.
func (l *Ledger) IssuedIn(ctx context.Context, company string, from, to time.Time) iter.Seq2[Issued, error] {
	return pages(func(last *Issued) ([]Issued, error) {
		file, ordinal := int64(0), 0
		if last != nil {
			file, ordinal = last.FileID, last.Ordinal
		}
		// The small table of files leads: no index by time is kept for invoices.
		all, err := list(ctx, l.read, scanIssued, "SELECT "+invoiceColumns+`, f.name, json_remove(d.json, '$.attachments')
			FROM file f JOIN invoice i ON i.file_id = f.id LEFT JOIN document d ON d.invoice_id = i.id
			WHERE f.taken_at >= ? AND f.taken_at < ? AND i.company = ? AND i.state <> 'staged' AND (i.file_id, i.ordinal) > (?, ?)
			ORDER BY i.file_id, i.ordinal LIMIT ?`, stamp(from), stamp(to), company, file, ordinal, pageSize)
		if err != nil {
			return nil, fmt.Errorf("read invoices issued by %s: %w", company, err)
		}
		return all, nil
	})
}

// IssuedLine is an outgoing invoice as a list of them shows it.
type IssuedLine struct {
	Invoice
	SourceFile string
	Credit     bool
	BuyerSIREN string
	Buyer      string // its name; "" where the document was trimmed
}

// IssuedLines is IssuedIn for lists: of each document it reads the buyer's name only.
func (l *Ledger) IssuedLines(ctx context.Context, company string, from, to time.Time) iter.Seq2[IssuedLine, error] {
	return pages(func(last *IssuedLine) ([]IssuedLine, error) {
		file, ordinal := int64(0), 0
		if last != nil {
			file, ordinal = last.FileID, last.Ordinal
		}
		all, err := list(ctx, l.read, scanIssuedLine, "SELECT "+invoiceColumns+`, f.name, i.is_credit, i.buyer_siren, d.json
			FROM file f JOIN invoice i ON i.file_id = f.id LEFT JOIN document d ON d.invoice_id = i.id
			WHERE f.taken_at >= ? AND f.taken_at < ? AND i.company = ? AND i.state <> 'staged' AND (i.file_id, i.ordinal) > (?, ?)
			ORDER BY i.file_id, i.ordinal LIMIT ?`, stamp(from), stamp(to), company, file, ordinal, pageSize)
		if err != nil {
			return nil, fmt.Errorf("list invoices issued by %s: %w", company, err)
		}
		return all, nil
	})
}

func scanIssuedLine(r row) (i IssuedLine, err error) {
	var later []problem.Problem
	err = r.Scan(append(invoiceDest(&i.Invoice, &later), &i.SourceFile, &i.Credit, &i.BuyerSIREN, buyerTo{&i.Buyer})...)
	i.Problems = append(later, i.Problems...)
	return i, err
}

func scanIssued(r row) (i Issued, err error) {
	var later []problem.Problem
	err = r.Scan(append(invoiceDest(&i.Invoice, &later), &i.SourceFile, documentTo{&i.Document})...)
	i.Problems = append(later, i.Problems...)
	return i, err
}

// FilesIn lists the exports taken from from (included) to to (not included).
func (l *Ledger) FilesIn(ctx context.Context, from, to time.Time) ([]File, error) {
	all, err := l.files(ctx, "WHERE f.taken_at >= ? AND f.taken_at < ? ORDER BY f.id", stamp(from), stamp(to))
	if err != nil {
		return nil, fmt.Errorf("read exports by time: %w", err)
	}
	return all, nil
}

// IssuedMonths lists the months (YYYY-MM, in loc) in which exports were taken.
func (l *Ledger) IssuedMonths(ctx context.Context, loc *time.Location) ([]string, error) {
	span, err := list(ctx, l.read, func(r row) (s [2]time.Time, err error) {
		err = r.Scan(instant{&s[0]}, instant{&s[1]})
		return s, err
	}, "SELECT MIN(taken_at), MAX(taken_at) FROM file")
	if err != nil {
		return nil, fmt.Errorf("list months of exports: %w", err)
	}
	return months(span, loc), nil
}

// months are those from the first to the last time of a span.
func months(span [][2]time.Time, loc *time.Location) (all []string) {
	if len(span) == 0 || span[0][0].IsZero() {
		return nil
	}
	at, end := span[0][0].In(loc), span[0][1].In(loc)
	for at = time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, loc); !at.After(end); at = at.AddDate(0, 1, 0) {
		all = append(all, at.Format("2006-01"))
	}
	return all
}

// Activity changes with every new invoice and every event.
func (l *Ledger) Activity(ctx context.Context) (string, error) {
	text, err := first(ctx, l.read, scanOne[string],
		"SELECT COALESCE((SELECT MAX(id) FROM event), 0) || '-' || COALESCE((SELECT MAX(id) FROM invoice), 0)")
	if err != nil {
		return "", fmt.Errorf("read activity: %w", err)
	}
	return text, nil
}
