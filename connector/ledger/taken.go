package ledger

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// TakenIn lists when exports of a drop were taken, in order of time: the last one
// and, from there back, one of every so many takes; n at most. CROSS JOIN has SQLite look
// each of these up, and not read all exports for each.
func (l *Ledger) TakenIn(ctx context.Context, drop string, n, every int) ([]time.Time, error) {
	taken, err := list(ctx, l.read, scanTime, `WITH RECURSIVE chosen(take) AS (SELECT MAX(take) FROM file WHERE drop_name = ?1
		UNION ALL SELECT (SELECT MAX(g.take) FROM file g WHERE g.drop_name = ?1 AND g.take <= p.take - ?3) FROM chosen p WHERE p.take > 0 LIMIT ?2)
		SELECT f.taken_at FROM chosen c CROSS JOIN file f ON f.drop_name = ?1 AND f.take = c.take ORDER BY c.take DESC`, drop, n, every)
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
