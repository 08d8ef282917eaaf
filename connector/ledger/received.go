package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"
)

const receivedColumns = `r.id, r.api_id, r.company, r.state, r.seen_at, r.received_at, r.raw_sha256, r.supplier, r.supplier_id, r.document_number, r.document_type,
	r.issue_date, r.gross, r.currency, r.iban, r.head, r.to_check, r.alerts, r.build_name, r.folder, r.delivered_at,
	r.kept, r.erp, r.released_at`

func scanReceived(s row) (r Received, err error) {
	err = s.Scan(&r.ID, &r.APIID, &r.Company, textTo(&r.State), instant{&r.SeenAt}, instant{&r.ReceivedAt}, &r.RawSHA256, &r.Supplier, &r.SupplierID, &r.Number, &r.Type,
		textTo(&r.IssueDate), amountTo{&r.Gross}, &r.Currency, &r.IBAN, jsonTo{&r.Head}, &r.ToCheck, jsonTo{&r.Alerts}, &r.BuildName, &r.Folder, instant{&r.DeliveredAt},
		&r.Kept, textTo(&r.ERP), instant{&r.ReleasedAt})
	return r, err
}

// received reads supplier invoices by what follows FROM received r.
func (l *Ledger) received(ctx context.Context, where string, args ...any) ([]Received, error) {
	all, err := list(ctx, l.read, scanReceived, "SELECT "+receivedColumns+" FROM received r "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read supplier invoices: %w", err)
	}
	return all, nil
}

// SeeReceived records the id of an incoming invoice. first is false when it is known already.
func (l *Ledger) SeeReceived(ctx context.Context, company, apiID string) (first bool, err error) {
	err = l.commit(ctx, func(t *tx) error {
		n, err := t.exec("INSERT INTO received (api_id, company, state, seen_at) VALUES (?, ?, 'seen', ?) ON CONFLICT (api_id) DO NOTHING", apiID, company, stamp(l.now()))
		first = n == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("record supplier invoice %s: %w", apiID, err)
	}
	return first, nil
}

// ReceivedIn lists supplier invoices in a state, oldest first: n at most of each
// company, as one whose folder or credential is away must not fill the list.
func (l *Ledger) ReceivedIn(ctx context.Context, s ReceivedState, n int) ([]Received, error) {
	if s == ReceivedDelivered {
		return l.received(ctx, "WHERE r.state = 'delivered' ORDER BY r.id LIMIT ?", n)
	}
	return l.received(ctx, `WHERE r.id IN (SELECT id FROM (
			SELECT x.id, ROW_NUMBER() OVER (PARTITION BY x.company ORDER BY x.id) AS nth FROM received x WHERE x.state = ? AND x.state <> 'delivered'
		) WHERE nth <= ?) ORDER BY r.id`, string(s), n)
}

// Fetched: seen -> fetched, with all fields of r but BuildName and Folder.
func (l *Ledger) Fetched(ctx context.Context, r Received) error {
	alerts, err := problemList(r.Alerts)
	head := r.Head
	head.Lines, head.Notes, head.Attached = nil, nil, nil
	headJSON, jsonErr := json.Marshal(head)
	if err := errors.Join(err, jsonErr); err != nil {
		return fmt.Errorf("record supplier invoice %s as fetched: %w", r.APIID, err)
	}
	return l.moveReceived(ctx, "fetched", r.ID, func(t *tx) (int64, error) {
		at := r.ReceivedAt
		if at.IsZero() {
			at = l.now()
		}
		return t.exec(`UPDATE received SET state = 'fetched', company = ?, received_at = ?, raw_sha256 = ?, supplier = ?, supplier_id = ?, document_number = ?, document_type = ?,
			issue_date = ?, gross = ?, currency = ?, iban = ?, head = ?, to_check = ?, alerts = ?, kept = ?, erp = ? WHERE id = ? AND state = 'seen'`,
			r.Company, stamp(at), r.RawSHA256, r.Supplier, r.SupplierID, r.Number, r.Type,
			string(r.IssueDate), r.Gross.String(), r.Currency, r.IBAN, string(headJSON), r.ToCheck, alerts, r.Kept, string(r.ERP), r.ID)
	})
}

// Built: fetched -> built, committed before the folder is renamed into place.
func (l *Ledger) Built(ctx context.Context, id int64, buildName, folder string) error {
	return l.moveReceived(ctx, "built", id, func(t *tx) (int64, error) {
		return t.exec("UPDATE received SET state = 'built', build_name = ?, folder = ? WHERE id = ? AND state = 'fetched'", buildName, folder, id)
	})
}

// Delivered: built -> delivered. folder is where it stands: the name that it was
// built for may have been taken meanwhile.
func (l *Ledger) Delivered(ctx context.Context, id int64, folder string) error {
	return l.moveReceived(ctx, "delivered", id, func(t *tx) (int64, error) {
		return t.exec("UPDATE received SET state = 'delivered', delivered_at = ?, folder = ? WHERE id = ? AND state = 'built'", stamp(l.now()), folder, id)
	})
}

// ReceivedForERP lists supplier invoices of a company whose files the ERP's own
// delivery lacks, oldest first; those kept are not among them.
func (l *Ledger) ReceivedForERP(ctx context.Context, company string, n int) ([]Received, error) {
	return l.received(ctx, "WHERE r.erp = 'due' AND r.kept = 0 AND r.company = ? AND r.state <> 'seen' ORDER BY r.id LIMIT ?", company, n)
}

// DeliveredToERP: due -> done.
func (l *Ledger) DeliveredToERP(ctx context.Context, id int64) error {
	return l.moveReceived(ctx, "delivered to the ERP", id, func(t *tx) (int64, error) {
		return t.exec("UPDATE received SET erp = 'done', erp_at = ? WHERE id = ? AND erp = 'due'", stamp(l.now()), id)
	})
}

// OfferToERP has supplier invoices delivered to the ERP, again or for the first
// time; one that is kept waits for its release.
func (l *Ledger) OfferToERP(ctx context.Context, ids []int64) error {
	return l.decide(ctx, "offer supplier invoices to the ERP", ids, func(t *tx, id int64) (bool, error) {
		n, err := t.exec("UPDATE received SET erp = 'due' WHERE id = ? AND state <> 'seen'", id)
		return n == 1, err
	})
}

func (l *Ledger) moveReceived(ctx context.Context, to string, id int64, update func(*tx) (int64, error)) error {
	err := l.commit(ctx, func(t *tx) error { return must(update(t)) })
	if err != nil {
		return fmt.Errorf("record supplier invoice %d as %s: %w", id, to, err)
	}
	return nil
}

// PriorReceived lists earlier supplier invoices of a company and supplier, newest
// first: for the duplicate and IBAN checks.
func (l *Ledger) PriorReceived(ctx context.Context, company, supplierID string, limit int) ([]Received, error) {
	return l.received(ctx, "WHERE r.company = ? AND r.supplier_id = ? AND r.state <> 'seen' ORDER BY r.id DESC LIMIT ?", company, supplierID, limit)
}

// ReceivedOfMonth streams supplier invoices delivered for a company in a month
// (YYYY-MM of ReceivedAt, in loc), for the register.
func (l *Ledger) ReceivedOfMonth(ctx context.Context, company, month string, loc *time.Location) iter.Seq2[Received, error] {
	return pages(func(last *Received) ([]Received, error) {
		from, err := time.ParseInLocation("2006-01", month, loc)
		if err != nil {
			return nil, fmt.Errorf("read supplier invoices of month %q: %w", month, err)
		}
		at, id := stamp(from), int64(0)
		if last != nil {
			at, id = stamp(last.ReceivedAt), last.ID
		}
		return l.received(ctx, `WHERE r.company = ? AND r.state = 'delivered' AND (r.received_at, r.id) > (?, ?) AND r.received_at < ?
			ORDER BY r.received_at, r.id LIMIT ?`, company, at, id, stamp(from.AddDate(0, 1, 0)), pageSize)
	})
}

// ReceivedMonths lists the months (YYYY-MM, in loc) in which supplier invoices
// were delivered for a company, for rebuilding its registers.
func (l *Ledger) ReceivedMonths(ctx context.Context, company string, loc *time.Location) ([]string, error) {
	span, err := list(ctx, l.read, func(r row) (s [2]time.Time, err error) {
		err = r.Scan(instant{&s[0]}, instant{&s[1]})
		return s, err
	}, "SELECT MIN(received_at), MAX(received_at) FROM received WHERE company = ? AND state = 'delivered'", company)
	if err != nil {
		return nil, fmt.Errorf("list months of supplier invoices: %w", err)
	}
	return months(span, loc), nil
}
