package ledger

import (
	"context"
	"fmt"
	"sort"
	"time"

	"einvoice/connector"
)

// Figures are the counts that status shows, per company.
type Figures struct {
	Company   string                  `json:"company"`
	States    map[State]int           `json:"states"`
	Platform  map[connector.State]int `json:"platform"` // of sent invoices
	Received  map[ReceivedState]int   `json:"received"`
	ToCheck   int                     `json:"to_check"`             // supplier invoices kept to check
	LastFile  time.Time               `json:"last_export,omitzero"` // when the newest export with an invoice of it was taken
	OldestDue time.Time               `json:"oldest_due,omitzero"`  // when the oldest invoice that may be sent now was read
}

// counted is one group of invoices.
type counted struct {
	company  string
	state    State
	platform connector.State
	n        int
	newest   int64
}

// Status counts everything, per company.
func (l *Ledger) Status(ctx context.Context) ([]Figures, error) {
	all := map[string]*Figures{}
	for _, add := range []func(context.Context, map[string]*Figures) error{l.addCompanies, l.addInvoices, l.addDue, l.addReceived} {
		if err := add(ctx, all); err != nil {
			return nil, fmt.Errorf("count per company: %w", err)
		}
	}
	sorted := make([]Figures, 0, len(all))
	for _, f := range all {
		sorted = append(sorted, *f)
	}
	sort.Slice(sorted, func(i, j int) bool { return sorted[i].Company < sorted[j].Company })
	return sorted, nil
}

func figuresOf(all map[string]*Figures, company string) *Figures {
	if all[company] == nil {
		all[company] = &Figures{Company: company, States: map[State]int{}, Platform: map[connector.State]int{}, Received: map[ReceivedState]int{}}
	}
	return all[company]
}

func (l *Ledger) addCompanies(ctx context.Context, all map[string]*Figures) error {
	ids, err := list(ctx, l.read, scanOne[string], "SELECT id FROM company WHERE active = 1")
	for _, id := range ids {
		figuresOf(all, id)
	}
	return err
}

// addInvoices reads the tally: a million invoices must not make status slow.
func (l *Ledger) addInvoices(ctx context.Context, all map[string]*Figures) error {
	groups, err := list(ctx, l.read, func(r row) (c counted, err error) {
		err = r.Scan(&c.company, textTo(&c.state), textTo(&c.platform), &c.n, &c.newest)
		return c, err
	}, "SELECT company, state, platform_state, invoices, newest FROM tally")
	if err != nil {
		return err
	}
	newest := map[string]int64{}
	for _, g := range groups {
		f := figuresOf(all, g.company)
		if g.n > 0 {
			f.States[g.state] += g.n
		}
		if g.n > 0 && g.state == Sent {
			f.Platform[g.platform] += g.n
		}
		newest[g.company] = max(newest[g.company], g.newest)
	}
	for company, id := range newest {
		at, err := first(ctx, l.read, scanTime, "SELECT f.taken_at FROM invoice i JOIN file f ON f.id = i.file_id WHERE i.id = ?", id)
		if err != nil {
			return err
		}
		all[company].LastFile = at
	}
	return nil
}

func (l *Ledger) addDue(ctx context.Context, all map[string]*Figures) error {
	_, err := list(ctx, l.read, func(r row) (struct{}, error) {
		var company string
		var at time.Time
		err := r.Scan(&company, instant{&at})
		figuresOf(all, company).OldestDue = at
		return struct{}{}, err
	}, `SELECT c.company, i.created_at FROM (SELECT DISTINCT company FROM tally WHERE state = 'queued' AND invoices > 0) c
		JOIN invoice i ON i.id = (SELECT MIN(q.id) FROM invoice q WHERE q.company = c.company AND q.state = 'queued' AND q.not_before IS NULL)`)
	return err
}

func (l *Ledger) addReceived(ctx context.Context, all map[string]*Figures) error {
	_, err := list(ctx, l.read, func(r row) (struct{}, error) {
		var company string
		var state ReceivedState
		var n, check int
		err := r.Scan(&company, textTo(&state), &n, &check)
		f := figuresOf(all, company)
		f.Received[state] += n
		f.ToCheck += check
		return struct{}{}, err
	}, "SELECT company, state, COUNT(*), SUM(to_check) FROM received GROUP BY company, state")
	return err
}
