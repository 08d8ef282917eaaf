package ledger

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// TakenIn lists when the last n exports of a drop were taken, in order of time.
func (l *Ledger) TakenIn(ctx context.Context, drop string, n int) ([]time.Time, error) {
	taken, err := list(ctx, l.read, scanTime, "SELECT taken_at FROM file WHERE drop_name = ? ORDER BY take DESC LIMIT ?", drop, n)
	if err != nil {
		return nil, fmt.Errorf("read exports of drop %s: %w", drop, err)
	}
	slices.Reverse(taken)
	return taken, nil
}

// LastCallback is when the platform last called about a company, among its last
// thousand calls; zero for never.
func (l *Ledger) LastCallback(ctx context.Context, company string) (time.Time, error) {
	at, err := first(ctx, l.read, scanTime, "SELECT MAX(received_at) FROM (SELECT company, received_at FROM callback ORDER BY id DESC LIMIT 1000) WHERE company = ?", company)
	if err != nil {
		return at, fmt.Errorf("read last callback of %s: %w", company, err)
	}
	return at, nil
}

// StatusesSince counts statuses of a company's invoices that were recorded since,
// looking at the newest few only.
func (l *Ledger) StatusesSince(ctx context.Context, company string, since time.Time) (int, error) {
	n, err := first(ctx, l.read, scanOne[int], `SELECT COUNT(*) FROM (SELECT company, kind, recorded_at FROM event ORDER BY id DESC LIMIT 1000)
		WHERE company = ? AND kind = 'STATUS' AND recorded_at >= ?`, company, stamp(since))
	if err != nil {
		return 0, fmt.Errorf("count statuses of %s: %w", company, err)
	}
	return n, nil
}
