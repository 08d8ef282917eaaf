package outbox

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"einvoice/connector"
	"einvoice/connector/api"
	"einvoice/connector/drop"
	"einvoice/connector/ledger"
)

// numbers are rows of n invoices of one file.
func numbers(prefix string, n int) string {
	var b strings.Builder
	b.WriteString(header)
	for i := range n {
		b.WriteString(row(fmt.Sprintf("%s-%04d", prefix, i), "10"))
	}
	return b.String()
}

// sentUntil runs the outbox until count invoices were posted, and gives their
// numbers in the order of the posts. between is called after each.
func (r *rig) sentUntil(count int, between func(posted int)) []string {
	r.t.Helper()
	var mu sync.Mutex
	var order []string
	ctx, cancel := context.WithTimeout(r.t.Context(), 2*time.Minute) // each batch is an fsync or two
	defer cancel()
	r.api.answer = func(inv connector.Invoice, _ int) api.Answer {
		mu.Lock()
		order = append(order, inv.Number)
		n := len(order)
		mu.Unlock()
		if between != nil {
			between(n)
		}
		if n >= count {
			cancel()
		}
		return api.Answer{Fate: api.Sent}
	}
	r.must(r.send(ctx))
	if len(order) < count {
		r.t.Fatalf("%d posts, want %d", len(order), count)
	}
	return order
}

// TestASmallFileDoesNotWaitForALargeOne drops it while the large one is being sent.
func TestASmallFileDoesNotWaitForALargeOne(t *testing.T) {
	r := newRig(t, nil)
	r.drop("large.csv", numbers("LARGE", 800))
	r.intake()
	const dropped, small = 300, 5
	order := r.sentUntil(600, func(posted int) {
		if posted == dropped {
			r.drop("small.csv", numbers("SMALL", small))
			r.intake()
			r.sendWake.set()
		}
	})
	last := -1
	for i, number := range order {
		if strings.HasPrefix(number, "SMALL") {
			last = i
		}
	}
	// What had its intent already goes first, nothing else.
	if sent := slices.IndexFunc(order, func(s string) bool { return strings.HasPrefix(s, "SMALL") }); sent < 0 || last > dropped+4*r.Config.Workers+small {
		t.Errorf("the small file dropped after %d posts was sent from %d to %d", dropped, sent, last)
	}
}

// reopened is a ledger for other companies.
func reopened(t *testing.T, l *ledger.Ledger, companies []connector.Company) *ledger.Ledger {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(), ledger.Config{Path: t.TempDir()}, ledger.Options{
		Identity: ledger.Identity{BaseURL: "http://127.0.0.1", Companies: companies}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// stage stages invoices of an export that was taken.
func (r *rig) stage(f ledger.File, invoices ...ledger.StagedInvoice) {
	r.t.Helper()
	batch, err := ledger.Encode(f.ID, invoices)
	r.must(err)
	r.must(r.Ledger.Stage(r.t.Context(), batch))
}

// queue has n invoices of a company wait to be sent: <company>-000 and so on.
func (r *rig) queue(c connector.Company, n int) {
	r.t.Helper()
	ctx := r.t.Context()
	f, err := r.Ledger.TakeFile(ctx, ledger.NewFile{Drop: "main", Place: c.ID, Name: c.ID, SHA256: c.ID})
	r.must(err)
	var all []ledger.StagedInvoice
	for i := range n {
		inv := connector.Invoice{Number: fmt.Sprintf("%s-%03d", c.ID, i), Type: "380", IssueDate: "2026-11-02", Seller: connector.Party{FiscalID: c.FiscalID}}
		all = append(all, ledger.StagedInvoice{Ordinal: i + 1, Row: i + 2, Company: c.ID, Invoice: inv, Verdict: ledger.VerdictQueued})
	}
	r.stage(f, all...)
	_, err = r.Ledger.Release(ctx, f.ID, ledger.Mapped{Mapping: "test"})
	r.must(err)
}

// newFour has n invoices wait for each of four companies, and one worker.
func newFour(t *testing.T, n int) *rig {
	t.Helper()
	var companies []connector.Company
	for i, siret := range []string{"10000000900017", "20000000800017", "73282932000074", "55208131766522"} {
		companies = append(companies, connector.Company{ID: fmt.Sprint("c", i), FiscalID: siret, Name: fmt.Sprint("Company ", i)})
	}
	r := newRig(t, func(opt *Options, _ *drop.Config) {
		opt.Config.Workers, opt.Companies = 1, companies
		opt.Drops[0].Companies = companies
		opt.Ledger = reopened(t, opt.Ledger, companies)
	})
	for _, c := range companies {
		r.queue(c, n)
	}
	return r
}

// TestNoCompanyWaitsForAnother gives four companies many invoices and fewer
// places than companies.
func TestNoCompanyWaitsForAnother(t *testing.T) {
	r := newFour(t, 100)
	counts := map[string]int{}
	for _, number := range r.sentUntil(80, nil)[:80] {
		counts[number[:2]]++
	}
	for _, c := range r.Companies {
		if n := counts[c.ID]; n < 18 || n > 22 {
			t.Errorf("of 80 posts %d were for %s, of four equal companies: %v", n, c.ID, counts)
		}
	}
}

// TestTurnsAreEqualWhateverRoomThereIs: how many places are free when feed looks
// depends on who is quicker, the platform or the disk.
func TestTurnsAreEqualWhateverRoomThereIs(t *testing.T) {
	for _, rooms := range [][]int{{1}, {2}, {2, 1}, {1, 2}, {3, 1}, {3, 2, 1}, {5, 3}} {
		t.Run(fmt.Sprint(rooms), func(t *testing.T) {
			r := newFour(t, 40)
			r.Config.Workers = 3
			for _, c := range r.Companies {
				_, err := r.swept(t.Context(), c.ID)
				r.must(err)
			}
			s := &sender{o: r.Outbox, work: make(chan ledger.ToSend, 200), shelf: newShelf()}
			for i := range 24 {
				s.pending = 2*r.Config.Workers - rooms[i%len(rooms)]
				_, _, err := s.round(t.Context())
				r.must(err)
			}
			close(s.work)
			counts := map[string]int{}
			for given := range s.work {
				counts[given.Company]++
			}
			for _, c := range r.Companies { // the last round may be a part of a turn
				if n := counts[c.ID] - counts["c0"]; n < -1 || n > 1 {
					t.Errorf("four equal companies were given %v", counts)
					break
				}
			}
		})
	}
}

// TestIntentsAreBounded counts, at each post, what is committed as "sending": all
// of that must be looked up after a crash.
func TestIntentsAreBounded(t *testing.T) {
	r := newRig(t, nil)
	r.drop("large.csv", numbers("LARGE", 500))
	r.intake()
	most := 0
	r.sentUntil(200, func(int) {
		pending, err := r.Ledger.Pending(context.Background())
		r.must(err)
		most = max(most, pending[ledger.Sending])
	})
	if most == 0 || most > 2*r.Config.Workers {
		t.Errorf("%d intents were pending with %d workers", most, r.Config.Workers)
	}
}

// TestOutcomesShareACommit: they wait for each other as long as others are under
// way, never long, and never alone.
func TestOutcomesShareACommit(t *testing.T) {
	for name, c := range map[string]struct {
		underWay, come int
		apart          time.Duration
		batch          int
		waited         time.Duration
	}{
		"the only one":       {1, 0, 0, 1, 0},
		"a steady flow":      {32, 15, time.Millisecond, 8, 7 * time.Millisecond},
		"slow answers":       {32, 15, 4 * time.Millisecond, 3, linger},
		"none comes":         {32, 0, 0, 1, linger},
		"the last ones":      {3, 2, time.Millisecond, 3, 2 * time.Millisecond},
		"all are there":      {32, 15, 0, 16, 0},
		"more than a commit": {32, 31, 0, 16, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &Outbox{Options: Options{Config: Config{Workers: 16}}}
				s := &sender{o: o, outcomes: make(chan ledger.Outcome, 16), pending: c.underWay}
				ctx, stop := context.WithCancel(t.Context())
				go func() {
					for range c.come {
						time.Sleep(c.apart)
						select {
						case s.outcomes <- ledger.Outcome{}:
						case <-ctx.Done():
							return
						}
					}
				}()
				synctest.Wait()
				start := time.Now()
				batch := s.gather(ledger.Outcome{})
				if len(batch) != c.batch || time.Since(start) != c.waited {
					t.Errorf("%d outcomes after %v, want %d after %v", len(batch), time.Since(start), c.batch, c.waited)
				}
				stop()
				time.Sleep(time.Second) // of this bubble's clock: the others end
			})
		})
	}
}
