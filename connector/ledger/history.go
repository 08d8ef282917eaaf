package ledger

import (
	"context"
	"encoding/json"
	"fmt"

	"einvoice/connector"
)

// History is what is known of the invoices that were let go: as of now, or, to a
// release that looks back, as the releases before it in its transaction leave it.
type History struct{ from source }

// History is that of all that was committed.
func (l *Ledger) History() History { return History{l.read} }

// Largest is the largest total of a company's invoices in a currency that were
// let go since a day, and how many there were. Credit notes do not count.
func (h History) Largest(ctx context.Context, company, currency string, since connector.Date) (largest connector.Amount, n int, err error) {
	type total struct {
		amount connector.Amount
		n      int
	}
	days, err := list(ctx, h.from, func(r row) (t total, err error) {
		err = r.Scan(amountTo{&t.amount}, &t.n)
		return t, err
	}, "SELECT largest, invoices FROM day_total WHERE company = ? AND currency = ? AND day >= ?", company, currency, string(since))
	if err != nil {
		return largest, 0, fmt.Errorf("read totals of %s: %w", company, err)
	}
	for _, d := range days {
		n += d.n
		if !largest.Present() || d.amount.Or0().Cmp(largest.Or0()) > 0 {
			largest = d.amount
		}
	}
	return largest, n, nil
}

// Dealing is a company's business with one buyer in one currency.
type Dealing struct{ Company, Buyer, Currency string } // Buyer is the SIREN

// LastTotals gives, for those known, the total of the last invoice that was let go.
func (h History) LastTotals(ctx context.Context, asked []Dealing) (map[Dealing]connector.Amount, error) {
	keys := make([][3]string, len(asked))
	for i, d := range asked {
		keys[i] = [3]string{d.Company, d.Buyer, d.Currency}
	}
	which, err := json.Marshal(keys)
	if err != nil {
		return nil, fmt.Errorf("read last totals: %w", err)
	}
	totals := map[Dealing]connector.Amount{}
	_, err = list(ctx, h.from, func(r row) (struct{}, error) {
		var d Dealing
		var a connector.Amount
		err := r.Scan(&d.Company, &d.Buyer, &d.Currency, amountTo{&a})
		totals[d] = a
		return struct{}{}, err
	}, `SELECT b.company, b.buyer_siren, b.currency, b.gross FROM json_each(?) k JOIN buyer_total b
		ON b.company = k.value ->> 0 AND b.buyer_siren = k.value ->> 1 AND b.currency = k.value ->> 2`, string(which))
	if err != nil {
		return nil, fmt.Errorf("read last totals: %w", err)
	}
	return totals, nil
}

// Proven tells whether an invoice of the company, and one that the mapping read,
// was ever let go.
func (h History) Proven(ctx context.Context, company, mapping string) (companyToo, mappingToo bool, err error) {
	known, err := first(ctx, h.from, func(r row) (k [2]bool, err error) {
		err = r.Scan(&k[0], &k[1])
		return k, err
	}, `SELECT EXISTS (SELECT 1 FROM proven WHERE kind = 'company' AND name = ?), EXISTS (SELECT 1 FROM proven WHERE kind = 'mapping' AND name = ?)`,
		company, mapping)
	if err != nil {
		return false, false, fmt.Errorf("read whether %s was proven: %w", company, err)
	}
	return known[0], known[1], nil
}

// noteHistory remembers what the invoices i of that condition say about later
// ones: they were let go, by the checks or by a person.
func (l *Ledger) noteHistory(t *tx, where string, arg any, mapping string) error {
	day := string(connector.DateOf(l.now().UTC()))
	for _, note := range []struct {
		insert string
		args   []any
	}{
		{`INSERT OR IGNORE INTO proven (kind, name) SELECT DISTINCT 'company', i.company FROM invoice i WHERE ` + where + `
			UNION SELECT 'mapping', ?2 WHERE EXISTS (SELECT 1 FROM invoice i WHERE ` + where + ")", []any{arg, mapping}},
		// As a number only to choose one: what is kept is the text.
		{`INSERT INTO day_total (company, currency, day, largest, invoices) SELECT company, currency, ?2, gross_plain, n FROM
			(SELECT i.company, i.currency, i.gross_plain, MAX(CAST(i.gross_plain AS REAL)), COUNT(*) AS n FROM invoice i
			 WHERE ` + where + ` AND i.is_credit = 0 GROUP BY i.company, i.currency) WHERE TRUE
			ON CONFLICT DO UPDATE SET invoices = invoices + excluded.invoices,
			largest = CASE WHEN CAST(excluded.largest AS REAL) > CAST(largest AS REAL) THEN excluded.largest ELSE largest END`, []any{arg, day}},
		{`INSERT INTO buyer_total (company, buyer_siren, currency, gross) SELECT i.company, i.buyer_siren, i.currency, i.gross_plain FROM invoice i
			WHERE ` + where + ` AND i.is_credit = 0 AND i.buyer_siren <> '' ORDER BY i.file_id, i.ordinal
			ON CONFLICT DO UPDATE SET gross = excluded.gross`, []any{arg}},
	} {
		if _, err := t.exec(note.insert, note.args...); err != nil {
			return fmt.Errorf("note history: %w", err)
		}
	}
	return nil
}

// noteReleased is noteHistory for an invoice that a person let go.
func (l *Ledger) noteReleased(t *tx, id int64) error {
	mapping, err := first(context.Background(), t, scanOne[string], "SELECT f.mapping FROM file f JOIN invoice i ON i.file_id = f.id WHERE i.id = ?", id)
	if err != nil {
		return err
	}
	return l.noteHistory(t, "i.id = ?1", id, mapping)
}
