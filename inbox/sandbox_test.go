package inbox

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"einvoice/connector"
	"einvoice/connector/api"
	"einvoice/connector/ledger"
	"einvoice/connector/sandbox"
	"einvoice/connector/setting"
)

// live is a world whose platform is the sandbox, reached through the real client.
type live struct {
	*world
	sandbox *sandbox.Sandbox
	client  *api.Client
	events  chan string
}

func newLive(t *testing.T, callbacks bool) *live {
	t.Helper()
	l := &live{world: newWorld(t, func(c *Config) { c.Callback.Enabled = callbacks }), events: make(chan string, 100)}
	s, err := sandbox.New(sandbox.Options{Now: l.now})
	l.must(err)
	l.sandbox = s
	platform := httptest.NewServer(s)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { l.Handler().ServeHTTP(w, r) }))
	l.client, err = api.New(api.Config{BaseURL: platform.URL, Timeout: setting.Duration(10 * time.Second), MaxConnections: 4},
		api.Options{Token: func(context.Context, bool) (setting.Secret, error) { return "test-token", nil }, Now: l.now})
	l.must(err)
	t.Cleanup(func() {
		l.must(s.Close())
		l.client.Close()
		platform.Close()
		hook.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	l.cfg.Callback.PublicURL = hook.URL
	l.opt.Platform = l.client
	l.opt.Journal = func(event string, args map[string]string) { l.events <- event + " " + args["number"] + args["state"] }
	l.restart()
	return l
}

// order has the sandbox make a supplier invoice.
func (l *live) order(body string) {
	l.t.Helper()
	r := httptest.NewRequest("POST", "/sandbox/supplier-invoices", strings.NewReader(body))
	rec := httptest.NewRecorder()
	l.sandbox.ServeHTTP(rec, r)
	if rec.Code != http.StatusOK {
		l.t.Fatalf("order: %d %s", rec.Code, rec.Body)
	}
}

func (l *live) wait(event string) {
	l.t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		select {
		case got := <-l.events:
			if strings.TrimSpace(got) == event {
				return
			}
		case <-timeout:
			l.t.Fatalf("no %q within 20 seconds", event)
		}
	}
}

// register brings acme in line, and checks that a second look finds nothing to do.
func (l *live) register() {
	l.t.Helper()
	diff, err := l.Register(l.ctx, l.client, acme.ID, true)
	l.must(err)
	if !strings.Contains(diff, "pas encore enregistrée") {
		l.t.Errorf("difference before: %q", diff)
	}
	diff, err = l.Register(l.ctx, l.client, acme.ID, false)
	l.must(err)
	if diff != "" {
		l.t.Errorf("difference after registering:\n%s", diff)
	}
}

const oneOrder = `{"fiscal_id":"732829320","supplier_name":"Fournitures Martin SARL","supplier_fiscal_id":"100000009",
	"document_number":"S-1","issue_date":"2026-05-12","amount":51,"tax_rate":20,"with_pdf":true}`

func TestOverTheSandboxACallIsAnsweredAndTheFolderComes(t *testing.T) {
	l := newLive(t, true)
	l.register()
	ctx, cancel := context.WithCancel(l.ctx)
	done := make(chan error)
	go func() { done <- l.Run(ctx) }()
	l.order(oneOrder)
	l.wait("received S-1")
	id := l.sendUncertain(ctx, "F-1")
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run ended with %v", err)
	}
	if got := l.found("F-1"); got.APIID != id || got.State != ledger.Sent {
		t.Errorf("our invoice is %s under %q, want sent under %q", got.State, got.APIID, id)
	}
	if !slices.ContainsFunc(l.files(), func(s string) bool { return strings.HasSuffix(s, "/invoice.json") }) {
		t.Errorf("tree %v", l.files())
	}
}

func TestOverTheSandboxPollingBringsTheSameFolders(t *testing.T) {
	trees := map[bool][]string{}
	for _, callbacks := range []bool{true, false} {
		l := newLive(t, callbacks)
		l.register()
		l.order(oneOrder)
		l.must(l.sandbox.Settle(l.ctx))
		l.rounds(3)
		trees[callbacks] = l.files()
	}
	if !slices.Equal(trees[true], trees[false]) || len(trees[true]) == 0 {
		t.Errorf("with callbacks\n%s\nwithout\n%s", strings.Join(trees[true], "\n"), strings.Join(trees[false], "\n"))
	}
}

// sendUncertain sends an invoice of acme, as the outbox does, and has its
// answer lost: only a callback tells its id.
func (l *live) sendUncertain(ctx context.Context, number string) string {
	l.t.Helper()
	inv := invoice(number)
	inv.Seller, inv.Buyer = party(acme), connector.Party{Name: "Client", FiscalID: "100000009", Email: "client@example.fr"}
	l.outgoing(number, ledger.Uncertain, "")
	answer := l.client.Submit(ctx, inv)
	if answer.Fate != api.Sent {
		l.t.Fatalf("submit: %+v", answer)
	}
	l.must(l.sandbox.Settle(ctx))
	l.wait("adopted " + number)
	return answer.Remote.ID
}
