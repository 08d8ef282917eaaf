package outbox

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"einvoice/connector"
	"einvoice/connector/api"
	"einvoice/connector/drop"
	"einvoice/connector/durable"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
	"einvoice/connector/rules"
	"einvoice/connector/setting"
	"einvoice/mappers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const mapping = `
[match]
name = ["*.csv"]
[input]
format = "csv"
encoding = "utf-8"
delimiter = ";"
decimal = "."
date = "yyyy-mm-dd"
[invoice]
key = "number"
[invoice.fields]
document_number = "number"
issue_date = "date"
currency = { value = "EUR" }
recipient.name = "client"
recipient.fiscal_id = "siret"
recipient.address.country = { value = "FR" }
[lines.fields]
description = "item"
quantity = "qty"
unit_price = "price"
tax_rate = "vat"
tax_category = { value = "S" }
`

const header = "number;date;client;siret;item;qty;price;vat\n"

// row is one invoice of one line.
func row(number, price string) string {
	return number + ";2026-11-02;Client;20000000800017;Vis;1;" + price + ";20\n"
}

var seller = connector.Company{ID: "acme", FiscalID: "10000000900017", Name: "Acme", VATID: "FR88100000009",
	Address: connector.Address{Street: "1 rue A", ZIP: "75001", City: "Paris", Country: "FR"}}

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// platform is a scripted API.
type platform struct {
	mu       sync.Mutex
	answer   func(inv connector.Invoice, post int) api.Answer // nil: sent
	hidden   map[string]bool                                  // numbers that lists do not show
	invoices []connector.Remote
	posts    map[string]int
	lists    int
	failing  bool
}

func (p *platform) Submit(_ context.Context, inv connector.Invoice) api.Answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.posts == nil {
		p.posts = map[string]int{}
	}
	p.posts[inv.Number]++
	if p.answer != nil {
		if a := p.answer(inv, p.posts[inv.Number]); a.Fate != api.Sent {
			return a
		}
	}
	return api.Answer{Fate: api.Sent, Remote: p.take(inv)}
}

func (p *platform) take(inv connector.Invoice) connector.Remote {
	r := connector.Remote{ID: fmt.Sprintf("id-%d", len(p.invoices)+1), Direction: connector.Outgoing,
		Status: connector.Status{State: connector.StateNew}, Invoice: inv}
	p.invoices = append(p.invoices, r)
	return r
}

func (p *platform) List(_ context.Context, q api.Query) iter.Seq2[connector.Remote, error] {
	return func(yield func(connector.Remote, error) bool) {
		p.mu.Lock()
		all := append([]connector.Remote(nil), p.invoices...)
		failing := p.failing
		p.lists++
		p.mu.Unlock()
		if failing {
			yield(connector.Remote{}, io.ErrUnexpectedEOF)
			return
		}
		for _, r := range all {
			if p.hidden[r.Invoice.Number] || q.Number != "" && q.Number != r.Invoice.Number {
				continue
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (p *platform) Get(_ context.Context, id string, _ bool) (connector.Remote, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.invoices {
		if r.ID == id {
			return r, nil
		}
	}
	return connector.Remote{}, &api.Error{Op: "get invoice", Fate: api.Refused, Scope: api.ScopeInvoice, HTTP: 404}
}

// rig is an outbox over real folders and a real ledger.
type rig struct {
	*Outbox
	t     *testing.T
	dir   string
	clock *clock
	api   *platform
	said  []string
	mu    sync.Mutex
}

func newRig(t *testing.T, change func(*Options, *drop.Config)) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), api: &platform{}, clock: &clock{t: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)}}
	r.open(change)
	return r
}

// open opens the outbox over the rig's folders; called again, it is a restart.
func (r *rig) open(change func(*Options, *drop.Config)) {
	t := r.t
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []string{"drop", "archive"} {
		check(os.MkdirAll(filepath.Join(r.dir, d), 0o755))
	}
	l, err := ledger.Open(context.Background(), ledger.Config{Path: filepath.Join(r.dir, "data")}, ledger.Options{
		Identity: ledger.Identity{BaseURL: "http://127.0.0.1", Companies: []connector.Company{seller}}, Now: r.clock.now})
	check(err)
	t.Cleanup(func() { l.Close() })
	spool, err := durable.OpenStore(filepath.Join(r.dir, "spool"))
	check(err)
	blobs, err := durable.OpenStore(filepath.Join(r.dir, "blobs"))
	check(err)
	place, err := drop.NewFolder(filepath.Join(r.dir, "drop"), filepath.Join(r.dir, "archive"))
	check(err)
	m, err := mappers.Load("test", []byte(mapping))
	check(err)
	cfg := drop.Defaults()
	cfg.Name, cfg.Company, cfg.Path, cfg.Complete = "main", "acme", filepath.Join(r.dir, "drop"), drop.OnAppearance
	opt := Options{Config: Defaults(), Ledger: l, Spool: spool, Blobs: blobs, TempDir: t.TempDir(), Platform: r.api,
		Companies: []connector.Company{seller}, Rules: rules.Defaults(), Lang: problem.English, Location: time.UTC,
		Now: r.clock.now, Log: zerolog.Nop(), Drain: time.Second, Journal: r.journal}
	opt.Config.Workers = 2
	d := &Drop{Config: cfg, Place: place, Mappings: [][]*mappers.Mapping{{m}}, Companies: opt.Companies, Results: "acme"}
	opt.Drops = []*Drop{d}
	if change != nil {
		change(&opt, &d.Config)
	}
	d.Watcher = drop.NewWatcher(d.Place, d.Config, drop.WatcherOptions{Now: r.clock.now, Beside: d.IsBeside})
	r.Outbox = New(opt)
}

func (r *rig) journal(event string, args map[string]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = append(r.said, event+" "+args["number"])
}

// drop puts a file in place as an ERP should.
func (r *rig) drop(name, content string) {
	r.t.Helper()
	path := filepath.Join(r.dir, "drop", name)
	if err := os.WriteFile(path+".tmp", []byte(content), 0o644); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		r.t.Fatal(err)
	}
}

// intake scans and maps once.
func (r *rig) intake() {
	r.t.Helper()
	r.must(r.scan(context.Background(), r.Drops[0]))
	r.must(r.mapFiles(context.Background()))
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// sendAll runs the sender until nothing can be sent, then stops it.
func (r *rig) sendAll() {
	r.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.send(ctx) }()
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		idle, err := r.quiet(ctx, r.nothingToSend)
		r.must(err)
		if idle {
			break
		}
		if time.Now().After(end) {
			pending, err := r.Ledger.Pending(ctx)
			r.t.Fatalf("not quiet after a minute: %v, %v", pending, err)
		}
	}
	stop()
	r.must(<-done)
}

// nothingToSend is nothingLeft without look-ups, which sendAll does not make.
func (r *rig) nothingToSend(ctx context.Context) (bool, error) {
	var open []string
	for _, c := range r.Companies {
		if n, _ := r.lanes.open(c.ID, 1, r.Now()); n > 0 && r.entitled(c.ID) {
			open = append(open, c.ID)
		}
	}
	left, err := r.Ledger.Left(ctx)
	if err != nil || left.Sending {
		return false, err
	}
	return !slices.ContainsFunc(open, func(company string) bool { return !left.Nothing[company] }), nil
}

// state is where an invoice stands.
func (r *rig) state(number string) ledger.State {
	r.t.Helper()
	found, err := r.Ledger.Find(context.Background(), number)
	r.must(err)
	if len(found) == 0 {
		return ""
	}
	return found[0].State
}

func (r *rig) want(number string, s ledger.State) {
	r.t.Helper()
	if got := r.state(number); got != s {
		r.t.Errorf("invoice %s is %s, want %s (said: %s)", number, got, s, strings.Join(r.said, "; "))
	}
}

func (r *rig) posts(number string, n int) {
	r.t.Helper()
	if got := r.api.posts[number]; got != n {
		r.t.Errorf("invoice %s was posted %d times, want %d", number, got, n)
	}
}

func TestAnExportIsTakenMappedAndSentOnce(t *testing.T) {
	r := newRig(t, nil)
	r.drop("a.csv", header+row("F1", "10.00")+row("F2", "20.00"))
	r.intake()
	r.sendAll()
	r.want("F1", ledger.Sent)
	r.want("F2", ledger.Sent)
	r.drop("b.csv", header+row("F1", "10.00"))
	r.intake()
	r.sendAll()
	r.want("F1", ledger.Duplicate)
	r.posts("F1", 1)
	if left, _ := os.ReadDir(filepath.Join(r.dir, "drop")); len(left) != 0 {
		t.Errorf("left in the drop: %v", left)
	}
	if kept, _ := filepath.Glob(filepath.Join(r.dir, "archive", "2026-11", "*.csv")); len(kept) != 2 {
		t.Errorf("in the archive: %v", kept)
	}
}

// rewriter is a place whose ERP writes the export again just before we move it.
type rewriter struct {
	Place
	before func()
}

func (p *rewriter) Retire(ctx context.Context, name, archived string) error {
	if p.before != nil {
		p.before()
		p.before = nil
	}
	return p.Place.Retire(ctx, name, archived)
}

func TestTheERPRewritesTheExportBetweenOurCopyAndTheMove(t *testing.T) {
	r := newRig(t, nil)
	r.Drops[0].Place = &rewriter{Place: r.Drops[0].Place, before: func() {
		r.drop("a.csv", header+row("F1", "10.00")+row("F2", "20.00"))
	}}
	r.drop("a.csv", header+row("F1", "10.00"))
	r.intake()
	r.sendAll()
	r.want("F2", ledger.Sent)
	r.posts("F1", 1)
	files, err := r.Ledger.Files(context.Background(), 10)
	r.must(err)
	if len(files) != 2 || files[0].SHA256 == files[1].SHA256 {
		t.Fatalf("takes: %+v", files)
	}
	for _, f := range files {
		if f.Archived == "" {
			t.Errorf("take %d has no whole copy named", f.Take)
		}
	}
}

func TestRestartAfterTakeBeforeTheMoveReadsTheFileOnce(t *testing.T) {
	r := newRig(t, nil)
	r.Drops[0].Config.After = drop.Archive
	stuck := &failing{Place: r.Drops[0].Place}
	r.Drops[0].Place = stuck
	r.drop("a.csv", header+row("F1", "10.00"))
	r.intake() // recorded and mapped, but the original could not be moved
	r.sendAll()
	r.Ledger.Close()
	r.open(nil)
	r.must(r.recoverDrop(context.Background(), r.Drops[0]))
	r.intake()
	r.sendAll()
	r.posts("F1", 1)
	files, err := r.Ledger.Files(context.Background(), 10)
	r.must(err)
	if len(files) != 1 || files[0].Archived != "2026-11/a.000001.csv" {
		t.Errorf("takes: %+v", files)
	}
}

type failing struct{ Place }

func (failing) Retire(context.Context, string, string) error { return drop.ErrBusy }

func TestUncertainInvoiceIsLookedForAndNeverRepeated(t *testing.T) {
	r := newRig(t, nil)
	r.api.answer = func(inv connector.Invoice, post int) api.Answer {
		if inv.Number == "F1" {
			r.api.take(inv) // taken in charge, and the answer lost
			return api.Answer{Fate: api.Unsure, Note: "reset"}
		}
		return api.Answer{Fate: api.Sent}
	}
	r.drop("a.csv", header+row("F1", "10.00"))
	r.intake()
	r.sendAll()
	r.want("F1", ledger.Uncertain)
	r.clock.add(time.Minute)
	_, err := r.resolveDue(context.Background())
	r.must(err)
	r.want("F1", ledger.Sent)
	r.sendAll()
	r.posts("F1", 1)
}

func TestAbsenceNeedsThreeProofsWithAWitnessOverFifteenMinutes(t *testing.T) {
	r := newRig(t, nil)
	lost := true
	r.api.answer = func(inv connector.Invoice, post int) api.Answer {
		if inv.Number == "F1" && lost {
			return api.Answer{Fate: api.Unsure, Note: "reset"}
		}
		return api.Answer{Fate: api.Sent}
	}
	r.drop("a.csv", header+row("F1", "10.00"))
	r.intake()
	r.sendAll()
	for range 4 { // nothing else was sent: nothing proves that the list is fresh
		r.clock.add(time.Hour)
		_, err := r.resolveDue(context.Background())
		r.must(err)
	}
	r.want("F1", ledger.Uncertain)
	r.drop("b.csv", header+row("F2", "10.00"))
	r.intake()
	r.sendAll()
	lost = false
	for i, wait := range []time.Duration{time.Hour, time.Hour, time.Hour} {
		r.want("F1", ledger.Uncertain)
		r.clock.add(wait)
		_, err := r.resolveDue(context.Background())
		r.must(err)
		r.posts("F1", 1)
		_ = i
	}
	r.sendAll()
	r.want("F1", ledger.Sent)
	r.posts("F1", 2)
}

// TestAnEarlierInvoiceIsNoWitness: that the list shows what was sent before the
// doubt says nothing about how fresh it is.
func TestAnEarlierInvoiceIsNoWitness(t *testing.T) {
	r := newRig(t, nil)
	r.api.answer = func(inv connector.Invoice, _ int) api.Answer {
		if inv.Number == "F2" {
			return api.Answer{Fate: api.Unsure, Note: "reset"}
		}
		return api.Answer{Fate: api.Sent}
	}
	for _, number := range []string{"F1", "F2"} {
		r.drop(number+".csv", header+row(number, "10.00"))
		r.intake()
		r.sendAll()
		r.clock.add(time.Minute)
	}
	for range 6 {
		r.clock.add(time.Hour)
		_, err := r.resolveDue(context.Background())
		r.must(err)
		r.sendAll()
	}
	r.want("F2", ledger.Uncertain)
	r.posts("F2", 1)
}

// TestThreeProofsInAHurryAreNotEnough: a platform that takes an invoice in late
// hides it from look-ups that follow each other closely.
func TestThreeProofsInAHurryAreNotEnough(t *testing.T) {
	r := newRig(t, func(o *Options, _ *drop.Config) {
		o.Config.Lookups = []setting.Duration{setting.Duration(time.Minute)}
	})
	r.api.answer = func(inv connector.Invoice, post int) api.Answer {
		if inv.Number == "F1" && post == 1 {
			return api.Answer{Fate: api.Unsure, Note: "reset"}
		}
		return api.Answer{Fate: api.Sent}
	}
	r.drop("a.csv", header+row("F1", "10.00"))
	r.intake()
	r.sendAll()
	r.clock.add(30 * time.Second)
	r.drop("b.csv", header+row("F2", "10.00"))
	r.intake()
	r.sendAll()
	for range 15 {
		r.clock.add(time.Minute)
		_, err := r.resolveDue(context.Background())
		r.must(err)
		r.sendAll()
		r.posts("F1", 1)
	}
	r.clock.add(2 * time.Minute)
	_, err := r.resolveDue(context.Background())
	r.must(err)
	r.sendAll()
	r.posts("F1", 2)
}

func TestDoubtWithoutAWitnessIsHeldAfterADay(t *testing.T) {
	r := newRig(t, nil)
	r.api.answer = func(connector.Invoice, int) api.Answer { return api.Answer{Fate: api.Unsure} }
	r.drop("a.csv", header+row("F1", "10.00"))
	r.intake()
	r.sendAll()
	for range 30 {
		r.clock.add(time.Hour)
		_, err := r.resolveDue(context.Background())
		r.must(err)
	}
	r.want("F1", ledger.Held)
	r.posts("F1", 1)
}

func TestOtherTotalsAndTwoHitsAreHeld(t *testing.T) {
	for name, extra := range map[string]string{"other total": "99.00", "two hits": "10.00"} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			r.api.answer = func(inv connector.Invoice, post int) api.Answer {
				other := inv
				if name == "two hits" {
					r.api.take(inv)
				} else {
					other.Totals.Gross = connector.MustAmount(extra)
				}
				r.api.take(other)
				return api.Answer{Fate: api.Unsure}
			}
			r.drop("a.csv", header+row("F1", "10.00"))
			r.intake()
			r.sendAll()
			r.clock.add(time.Minute)
			_, err := r.resolveDue(context.Background())
			r.must(err)
			r.want("F1", ledger.Held)
			r.posts("F1", 1)
		})
	}
}

func TestStoppedLaneKeepsEveryInvoiceAndResumesByItself(t *testing.T) {
	r := newRig(t, nil)
	broke := true
	r.api.answer = func(connector.Invoice, int) api.Answer {
		if broke {
			return api.Answer{Fate: api.Stopped, Scope: api.ScopeCredential, HTTP: 402}
		}
		return api.Answer{Fate: api.Sent}
	}
	r.drop("a.csv", header+row("F1", "10.00")+row("F2", "10.00")+row("F3", "10.00"))
	r.intake()
	r.sendAll()
	stops := 0
	for _, s := range r.said {
		if strings.HasPrefix(s, "stopped") {
			stops++
		}
	}
	if stops != 1 {
		t.Errorf("said stopped %d times: %v", stops, r.said)
	}
	broke = false
	r.clock.add(2 * time.Minute)
	r.sendAll()
	for _, n := range []string{"F1", "F2", "F3"} {
		r.want(n, ledger.Sent)
	}
}

func TestRefusedByThePlatformTouchesNoOtherInvoice(t *testing.T) {
	r := newRig(t, nil)
	r.api.answer = func(inv connector.Invoice, _ int) api.Answer {
		if inv.Number == "F2" {
			return api.Answer{Fate: api.Refused, HTTP: 422, Problems: []problem.Problem{{Code: "E4001", Severity: problem.Refuse}}}
		}
		return api.Answer{Fate: api.Sent}
	}
	r.drop("a.csv", header+row("F1", "10.00")+row("F2", "10.00")+row("F3", "10.00"))
	r.intake()
	r.sendAll()
	r.want("F1", ledger.Sent)
	r.want("F2", ledger.Rejected)
	r.want("F3", ledger.Sent)
	r.must(r.settleFiles(context.Background()))
	pubs, err := r.Ledger.PublicationsDue(context.Background(), 100)
	r.must(err)
	copies := 0
	for _, p := range pubs {
		if p.Kind == ledger.KindCopy {
			copies++
		}
	}
	if copies != 1 {
		t.Errorf("%d correctable copies, want 1", copies)
	}
}

func TestANewLedgerSendsNothingBeforeItReadWhatWasSent(t *testing.T) {
	r := newRig(t, nil)
	r.api.failing = true
	r.drop("a.csv", header+row("F1", "10.00"))
	r.intake()
	ctx := context.Background()
	if ready, err := r.swept(ctx, "acme"); err != nil || ready {
		t.Fatalf("ready %v, %v", ready, err)
	}
	r.posts("F1", 0)
	r.api.failing = false
	r.clock.add(2 * time.Minute)
	r.api.invoices = append(r.api.invoices, connector.Remote{ID: "old-1", Direction: connector.Outgoing,
		Status: connector.Status{State: connector.StateDone}, Invoice: connector.Invoice{Number: "F1", IssueDate: "2026-11-02",
			Seller: connector.Party{FiscalID: seller.FiscalID}, Totals: connector.Totals{Gross: connector.MustAmount("12.00")}}})
	r.sendAll()
	r.want("F1", ledger.Sent)
	r.posts("F1", 0)
}

func TestCrashWhileSendingIsUncertainAfterTheRestart(t *testing.T) {
	r := newRig(t, nil)
	r.drop("a.csv", header+row("F1", "10.00"))
	r.intake()
	ctx := context.Background()
	_, err := r.swept(ctx, "acme")
	r.must(err)
	next, err := r.Ledger.NextToSend(ctx, "acme", 1)
	r.must(err)
	_, err = r.Ledger.MarkSending(ctx, []int64{next[0].ID})
	r.must(err)
	r.api.Submit(ctx, next[0].Invoice) // and the process dies here
	r.Ledger.Close()
	r.open(nil)
	r.want("F1", ledger.Uncertain)
	r.sendAll()
	_, err = r.resolveDue(ctx)
	r.must(err)
	r.want("F1", ledger.Sent)
	r.posts("F1", 1)
}

func TestCleanStopTakesBackWhatNoWorkerStarted(t *testing.T) {
	r := newRig(t, nil)
	release := make(chan struct{})
	r.api.answer = func(connector.Invoice, int) api.Answer { <-release; return api.Answer{Fate: api.Sent} }
	var rows strings.Builder
	for i := range 10 {
		rows.WriteString(row(fmt.Sprintf("F%d", i), "10.00"))
	}
	r.drop("a.csv", header+rows.String())
	r.intake()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.send(ctx) }()
	for {
		pending, err := r.Ledger.Pending(context.Background())
		r.must(err)
		if pending[ledger.Sending] == 4 { // 2N intents for 2 workers
			break
		}
		time.Sleep(time.Millisecond)
	}
	stop()
	time.AfterFunc(50*time.Millisecond, func() { close(release) })
	r.must(<-done)
	pending, err := r.Ledger.Pending(context.Background())
	r.must(err)
	if pending[ledger.Sending] != 0 || pending[ledger.Sent]+pending[ledger.Queued] != 10 {
		t.Errorf("after a clean stop: %v", pending)
	}
}

func TestLastInvoiceOfAnUnprovenExportWaits(t *testing.T) {
	r := newRig(t, func(_ *Options, d *drop.Config) {
		d.Complete = drop.Settle
		d.Settle = setting.Duration(time.Second)
	})
	r.drop("a.csv", header+row("F1", "10.00")+row("F2", "20.00"))
	r.intake()
	r.clock.add(2 * time.Second)
	r.intake()
	r.sendAll()
	r.want("F1", ledger.Sent)
	r.want("F2", ledger.Waiting)
	r.clock.add(11 * time.Minute)
	r.sendAll()
	r.want("F2", ledger.Sent)
}

func TestBackoffDoublesWithinItsBounds(t *testing.T) {
	c := Defaults()
	for n, want := range map[int]time.Duration{1: 2 * time.Second, 2: 4 * time.Second, 5: 32 * time.Second, 50: 15 * time.Minute} {
		if got := c.backoff(n, 1); got != want {
			t.Errorf("backoff(%d) = %s, want %s", n, got, want)
		}
	}
	if got := c.backoff(3, 0.5); got != 4*time.Second {
		t.Errorf("jitter: %s", got)
	}
}

func TestANumberThatComesBackLaterSpoilsBothParts(t *testing.T) {
	r := newRig(t, nil)
	r.drop("a.csv", header+row("F1", "10.00")+row("F2", "10.00")+row("F1", "5.00"))
	r.intake()
	r.sendAll()
	found, err := r.Ledger.Find(context.Background(), "F1")
	r.must(err)
	if len(found) != 2 || found[0].State != ledger.Refused || found[1].State != ledger.Refused {
		t.Errorf("both parts must be refused: %+v", found)
	}
	r.want("F2", ledger.Sent)
	r.posts("F1", 0)
}

func TestOnErrorFileRefusesTheWholeFile(t *testing.T) {
	r := newRig(t, func(_ *Options, d *drop.Config) { d.OnError = drop.RefuseFile })
	r.drop("a.csv", header+row("F1", "10.00")+row("F2", "1O.00"))
	r.drop("b.csv", header+row("F3", "10.00"))
	r.intake()
	r.sendAll()
	r.want("F1", ledger.Refused)
	r.want("F2", ledger.Refused)
	r.want("F3", ledger.Sent)
	found, err := r.Ledger.Find(context.Background(), "F1")
	r.must(err)
	if p := found[0].Problems; len(p) == 0 || p[len(p)-1].Code != "E5201" {
		t.Errorf("F1 is not told why: %+v", p)
	}
}

func TestAnInvoiceThatCannotLeaveForDaysIsHeld(t *testing.T) {
	r := newRig(t, func(o *Options, _ *drop.Config) { o.Config.MaxAge = setting.Duration(72 * time.Hour) })
	r.api.answer = func(connector.Invoice, int) api.Answer { return api.Answer{Fate: api.Later, Note: "no route"} }
	r.drop("a.csv", header+row("F1", "10.00"))
	r.intake()
	r.sendAll()
	r.want("F1", ledger.Queued)
	r.clock.add(73 * time.Hour)
	r.sendAll()
	r.want("F1", ledger.Held)
}

func TestACallbackQuickerThanTheAnswerDoesNotStopTheDaemon(t *testing.T) {
	r := newRig(t, nil)
	r.api.answer = func(inv connector.Invoice, _ int) api.Answer {
		found, err := r.Ledger.Find(context.Background(), inv.Number)
		if err != nil {
			t.Error(err)
		}
		err = r.Ledger.Settle(context.Background(), []ledger.Outcome{{ID: found[0].ID, State: ledger.Sent, APIID: "by-callback-" + inv.Number}})
		if err != nil {
			t.Error(err)
		}
		return api.Answer{Fate: api.Sent}
	}
	r.drop("a.csv", header+row("F1", "10.00")+row("F2", "10.00"))
	r.intake()
	r.sendAll()
	r.want("F1", ledger.Sent)
	r.want("F2", ledger.Sent)
}

func TestAStatedTotalThatItsLinesReachProvesTheLastInvoice(t *testing.T) {
	m, err := mappers.Load("stated", []byte(strings.Replace(mapping, "[lines.fields]", "total_amount_including_tax = \"total\"\n[lines.fields]", 1)))
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, func(_ *Options, d *drop.Config) { d.Complete, d.Settle = drop.Settle, setting.Duration(time.Second) })
	r.Drops[0].Mappings = [][]*mappers.Mapping{{m}}
	r.drop("a.csv", "number;date;client;siret;item;qty;price;vat;total\nF1;2026-11-02;Client;20000000800017;Vis;1;10.00;20;12.00\n")
	r.intake()
	r.clock.add(2 * time.Second)
	r.intake()
	r.sendAll()
	r.want("F1", ledger.Sent)
}

// TestWhatTheTrailerStatesStandsBesideOurFigures, for the summary and the slip.
func TestWhatTheTrailerStatesStandsBesideOurFigures(t *testing.T) {
	m, err := mappers.Load("trailer", []byte(mapping+`
[complete]
trailer = 'col("number") == "END"'
count = "qty"
total = "price"
`))
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, nil)
	r.Drops[0].Mappings = [][]*mappers.Mapping{{m}}
	r.drop("a.csv", header+row("F1", "10.00")+row("F2", "10.00")+"END;;;;;2;24.0;\n")
	r.intake()
	files, err := r.Ledger.Files(t.Context(), 1)
	r.must(err)
	want := []ledger.Control{{Name: "documents", Computed: "2"}, {Name: "ignored", Computed: "0"}, {Name: "lines", Computed: "2"},
		{Name: "count", Stated: "2", Computed: "2"}, {Name: "total", Stated: "24.0", Computed: "24.0"}}
	if len(files) != 1 || !slices.Equal(files[0].Controls, want) {
		t.Errorf("%+v, want %+v", files, want)
	}
}

func TestAHeldInvoiceGoesWhenItsCopyComesBackReleased(t *testing.T) {
	r := newRig(t, nil)
	r.drop("a.csv", header+row("F1", "10.00"))
	r.intake()
	r.sendAll()
	last := strings.Replace(header+row("F1", "10.00"), "2026-11-02", "2025-11-02", 1) // the same number and total, another year
	r.drop("b.csv", last)
	r.intake()
	r.sendAll()
	r.posts("F1", 1)
	r.want("F1", ledger.Held)
	released := strings.ReplaceAll(strings.TrimSuffix(last, "\n"), "\n", ";_release\n") + ";yes\n"
	r.drop("b.000002.held.csv", released)
	r.intake()
	r.sendAll()
	r.posts("F1", 2)
	pending, err := r.Ledger.Pending(context.Background())
	r.must(err)
	if pending[ledger.Held] != 0 || pending[ledger.Sent] != 2 {
		t.Errorf("states: %v", pending)
	}
}

func TestManyDoubtsOfADayAreSettledByOneWalk(t *testing.T) {
	r := newRig(t, nil)
	r.api.answer = func(inv connector.Invoice, _ int) api.Answer {
		if inv.Number[3]%2 == 0 { // else the lane would wait as a whole
			return api.Answer{Fate: api.Sent}
		}
		r.api.take(inv)
		return api.Answer{Fate: api.Unsure}
	}
	var rows strings.Builder
	for i := range 200 {
		rows.WriteString(row(fmt.Sprintf("F%03d", i), "10.00"))
	}
	r.drop("a.csv", header+rows.String())
	r.intake()
	r.sendAll()
	before := r.api.lists
	pending, err := r.Ledger.Pending(context.Background())
	r.must(err)
	if pending[ledger.Uncertain] != 100 {
		t.Fatalf("%v, want 100 doubts", pending)
	}
	r.clock.add(time.Minute)
	_, err = r.resolveDue(context.Background())
	r.must(err)
	pending, err = r.Ledger.Pending(context.Background())
	r.must(err)
	if pending[ledger.Sent] != 200 || r.api.lists-before != 1 {
		t.Errorf("%v after %d walks", pending, r.api.lists-before)
	}
}

func TestALookUpThatComesTooLateStopsNothing(t *testing.T) {
	r := newRig(t, nil)
	r.api.answer = func(connector.Invoice, int) api.Answer { return api.Answer{Fate: api.Unsure} }
	r.drop("a.csv", header+row("F1", "10.00"))
	r.intake()
	r.sendAll()
	r.clock.add(time.Minute)
	ctx := context.Background()
	doubts, err := r.Ledger.Doubts(ctx, 10)
	r.must(err)
	r.must(r.Ledger.Settle(ctx, []ledger.Outcome{{ID: doubts[0].ID, State: ledger.Sent, APIID: "by-callback"}}))
	r.must(r.lookUp(ctx, doubts)) // absent: there is nothing to note any more
	r.api.invoices = append(r.api.invoices, connector.Remote{ID: "by-callback", Invoice: connector.Invoice{Number: "F1", IssueDate: "2026-11-02",
		Totals: connector.Totals{Gross: connector.MustAmount("12.00")}}})
	r.must(r.lookUp(ctx, doubts)) // found: it is settled already
	r.want("F1", ledger.Sent)
}

func TestAReadOnlyDropIsSaidOnceAndScannedAtItsPace(t *testing.T) {
	r := newRig(t, nil)
	asked := 0
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), time.Minute) // of this bubble's clock
		defer stop()
		r.Drops[0].Beat = func(context.Context) error {
			if asked++; asked == 100 { // without a pause the minute would never end
				stop()
			}
			return fmt.Errorf("write .einvoice-owner.tmp-%d: permission denied", asked)
		}
		if err := r.watch(ctx, r.Drops[0]); err != nil {
			t.Error(err)
		}
	})
	if asked < 2 || asked > 7 || len(r.said) != 1 {
		t.Errorf("asked %d times in a minute, said %v", asked, r.said)
	}
}

// TestEachRunReadsTheDropsBeforeItsEnd: what an earlier one found says nothing of
// the export that came since.
func TestEachRunReadsTheDropsBeforeItsEnd(t *testing.T) {
	r := newRig(t, nil)
	idle := func() bool {
		ok, err := r.Idle(t.Context())
		r.must(err)
		return ok
	}
	for range 2 {
		if idle() {
			t.Error("idle, and no drop was read")
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		for end := time.Now().Add(time.Minute); !idle() && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		if !idle() {
			t.Error("not idle after a minute")
		}
		stop()
		r.must(<-done)
	}
}
