package ledger

import (
	"context"
	"fmt"
	"time"
)

// ReceivedFrom counts a company's supplier invoices that arrived since.
func (l *Ledger) ReceivedFrom(ctx context.Context, company string, since time.Time) (int, error) {
	n, err := first(ctx, l.read, scanOne[int], "SELECT COUNT(*) FROM received WHERE company = ? AND received_at >= ?", company, stamp(since))
	if err != nil {
		return 0, fmt.Errorf("count supplier invoices of %s: %w", company, err)
	}
	return n, nil
}
