package inbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"einvoice/connector"
	"einvoice/connector/api"
	"einvoice/connector/durable"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var _ Platform = (*api.Client)(nil)
var _ Registrar = (*api.Client)(nil)

var (
	acme  = connector.Company{ID: "acme", FiscalID: "732829320", Name: "ACME", VATID: "FR44732829320"}
	other = connector.Company{ID: "other", FiscalID: "200000008", Name: "Autre"}
)

// platform is a fake that counts its calls.
type platform struct {
	mu    sync.Mutex
	shelf []connector.Remote // newest first
	gets  []string
	lists int
	fail  map[string]error // by id; "list" for lists
}

func (p *platform) Get(_ context.Context, id string, _ bool) (connector.Remote, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gets = append(p.gets, id)
	if err := p.fail[id]; err != nil {
		return connector.Remote{}, err
	}
	for _, r := range p.shelf {
		if r.ID == id {
			return r, nil
		}
	}
	return connector.Remote{}, fmt.Errorf("get invoice: %w", api.ErrNotFound)
}

func (p *platform) List(_ context.Context, q api.Query) iter.Seq2[connector.Remote, error] {
	return func(yield func(connector.Remote, error) bool) {
		p.mu.Lock()
		p.lists++
		shelf, err := append([]connector.Remote(nil), p.shelf...), p.fail["list"]
		p.mu.Unlock()
		if err != nil {
			yield(connector.Remote{}, err)
			return
		}
		for i, r := range shelf {
			if i > 0 && i%q.Limit == 0 && i/q.Limit == q.MaxPages {
				yield(connector.Remote{}, api.ErrTruncated)
				return
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (p *platform) put(r connector.Remote) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.shelf {
		if p.shelf[i].ID == r.ID {
			p.shelf[i] = r
			return
		}
	}
	p.shelf = append([]connector.Remote{r}, p.shelf...)
}

func (p *platform) calls() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.gets) + p.lists
}

// world is an inbox with everything around it.
type world struct {
	*Inbox
	t        *testing.T
	ctx      context.Context
	platform *platform
	ledger   *ledger.Ledger
	root     string
	state    string
	clock    time.Time
	cfg      Config
	opt      Options
	journal  []string
}

const testSecret = "0123456789abcdef0123456789abcdef"

func newWorld(t *testing.T, change ...func(*Config)) *world {
	t.Helper()
	w := &world{t: t, ctx: t.Context(), platform: &platform{fail: map[string]error{}}, root: t.TempDir(), state: t.TempDir(),
		clock: time.Date(2026, 5, 14, 9, 0, 0, 0, time.UTC)}
	w.cfg = Defaults()
	w.cfg.Callback.Enabled = true
	w.cfg.Callback.PublicURL = "https://erp.example"
	w.cfg.Callback.SecretEnv = "TEST_EINVOICE_CALLBACK"
	t.Setenv("TEST_EINVOICE_CALLBACK", testSecret)
	for _, c := range change {
		c(&w.cfg)
	}
	companies := []connector.Company{acme, other}
	l, err := ledger.Open(w.ctx, ledger.Config{Path: filepath.Join(w.state, "ledger")}, ledger.Options{
		Identity: ledger.Identity{BaseURL: "https://sandbox.example", Companies: companies},
		Now:      w.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	blobs, err := durable.OpenStore(filepath.Join(w.state, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range companies {
		if err := os.MkdirAll(filepath.Join(w.root, c.ID), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	w.ledger = l
	w.opt = Options{Ledger: l, Blobs: blobs, Platform: w.platform, Companies: companies,
		Folder: func(id string) string { return filepath.Join(w.root, id) },
		Lang:   problem.French, Location: time.UTC, Now: w.now, Log: zerolog.Nop(),
		Journal: func(event string, args map[string]string) {
			w.journal = append(w.journal, strings.TrimSpace(event+" "+args["number"]+" "+args["state"]))
		}}
	w.restart()
	return w
}

// now is the world's clock; it only runs when told to.
func (w *world) now() time.Time { return w.clock }

func (w *world) pass(d time.Duration) { w.clock = w.clock.Add(d) }

// restart makes the inbox anew over the same ledger and folders.
func (w *world) restart() {
	w.t.Helper()
	in, err := New(w.cfg, w.opt)
	if err != nil {
		w.t.Fatal(err)
	}
	w.Inbox = in
}

func (w *world) rounds(n int) {
	w.t.Helper()
	for range n {
		if err := w.Round(w.ctx); err != nil {
			w.t.Fatal(err)
		}
	}
}

// outgoing puts an invoice of acme into the ledger, up to an uncertain or sent attempt.
func (w *world) outgoing(number string, state ledger.State, apiID string) int64 {
	w.t.Helper()
	inv := invoice(number)
	inv.Seller, inv.Buyer = party(acme), party(other)
	file, err := w.ledger.TakeFile(w.ctx, ledger.NewFile{Drop: "d", Place: "d", Name: number + ".csv", SHA256: fmt.Sprintf("%064x", []byte(number)), Size: 1})
	w.must(err)
	batch, err := ledger.Encode(file.ID, []ledger.StagedInvoice{{Ordinal: 1, Rows: "2", Row: 2, Company: acme.ID, Invoice: inv, Verdict: ledger.VerdictQueued}})
	w.must(err)
	w.must(w.ledger.Stage(w.ctx, batch))
	_, err = w.ledger.Release(w.ctx, file.ID, ledger.Mapped{Mapping: "m", AckName: number + ".ack", SummaryName: number + ".sum"})
	w.must(err)
	_, err = w.ledger.SweepDone(w.ctx, acme.ID)
	w.must(err)
	next, err := w.ledger.NextToSend(w.ctx, acme.ID, 100)
	w.must(err)
	for _, n := range next {
		if n.Invoice.Number != number {
			continue
		}
		_, err = w.ledger.MarkSending(w.ctx, []int64{n.ID})
		w.must(err)
		if state != ledger.Sending {
			w.must(w.ledger.Settle(w.ctx, []ledger.Outcome{{ID: n.ID, State: state, APIID: apiID,
				Status: connector.Status{State: connector.StateNew}, Retry: w.clock.Add(time.Hour)}}))
		}
		return n.ID
	}
	w.t.Fatalf("invoice %s is not queued", number)
	return 0
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// platformState is what the ledger knows of our invoice.
func (w *world) found(number string) ledger.Invoice {
	w.t.Helper()
	list, err := w.ledger.Find(w.ctx, number)
	w.must(err)
	if len(list) != 1 {
		w.t.Fatalf("%d invoices %s in the ledger", len(list), number)
	}
	return list[0]
}

// tree lists everything below acme's inbox, hidden files too, and fails on a
// build folder that is left.
func (w *world) files() (names []string) {
	w.t.Helper()
	root := filepath.Join(w.root, acme.ID)
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == root {
			return err
		}
		rel, _ := filepath.Rel(root, p)
		if strings.HasPrefix(d.Name(), ".") {
			w.t.Errorf("left over: %s", rel)
		}
		if !d.IsDir() {
			names = append(names, filepath.ToSlash(rel))
		}
		return nil
	})
	w.must(err)
	sort.Strings(names)
	return names
}

func (w *world) received(s ledger.ReceivedState) []ledger.Received {
	w.t.Helper()
	list, err := w.ledger.ReceivedIn(w.ctx, s, 100)
	w.must(err)
	return list
}

func party(c connector.Company) connector.Party {
	return connector.Party{Name: c.Name, FiscalID: c.FiscalID, VATID: c.VATID}
}

func invoice(number string) connector.Invoice {
	a := connector.MustAmount
	return connector.Invoice{
		Number: number, Type: "380", IssueDate: "2026-05-12", Currency: "EUR",
		Lines:  []connector.Line{{Description: "Conseil", Quantity: a("2"), UnitPrice: a("25.50"), Net: a("51.00"), Rate: a("20"), Category: "S"}},
		Taxes:  []connector.Tax{{Category: "S", Rate: a("20"), Taxable: a("51.00"), Tax: a("10.20")}},
		Totals: connector.Totals{Net: a("51.00"), Tax: a("10.20"), Gross: a("61.20"), Payable: a("61.20")},
	}
}

// supplied is a supplier's invoice to acme as the platform shows it.
func supplied(id, number string, change ...func(*connector.Invoice)) connector.Remote {
	inv := invoice(number)
	inv.Seller = connector.Party{Name: "Fournitures Martin SARL", FiscalID: "100000009"}
	inv.Buyer = party(acme)
	inv.IBAN = "FR7630006000011234567890189"
	for _, c := range change {
		c(&inv)
	}
	return connector.Remote{ID: id, Direction: connector.Incoming, Status: connector.Status{State: connector.StateReceived},
		Invoice: inv, Created: time.Date(2026, 5, 14, 8, 0, 0, 0, time.UTC), Raw: wire(id, inv)}
}

// issued is our own invoice as the platform shows it.
func issued(id, number string, s connector.Status) connector.Remote {
	inv := invoice(number)
	inv.Seller, inv.Buyer = party(acme), connector.Party{Name: "Client", FiscalID: "100000009"}
	return connector.Remote{ID: id, Direction: connector.Outgoing, Status: s, Invoice: inv,
		Created: time.Date(2026, 5, 14, 8, 0, 0, 0, time.UTC), Raw: wire(id, inv)}
}

var errAway = errors.New("connection refused")
