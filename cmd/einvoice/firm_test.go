package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/govalues/decimal"
	"github.com/rs/zerolog"

	"einvoice/connector/sandbox"
)

// TestAnAccountingFirm has three companies under two credentials: each has its
// own tree, one drop serves them all by a seller column, two of them invoice
// each other, and an invoice of a company that is not theirs goes nowhere. When
// one credential's credit ends, the other goes on.
func TestAnAccountingFirm(t *testing.T) {
	f := newFirm(t)
	f.drop("jour1.csv",
		"A-1;100000009;200000008;Beta;100.00", // between two of the firm's, under one credential
		"B-1;200000008;552100554;Client;50.00",
		"G-1;732829320;552100554;Client;70.00",
		"D-1;404833048;552100554;Client;80.00") // of a company that is not ours
	f.until(func() bool { return f.sent("one") == "A-1 B-1" && f.sent("two") == "G-1" })
	f.until(func() bool { return f.has("beta/inbox/20*/* A-1 120.00 EUR/invoice.csv") })
	f.until(func() bool { return f.says("results/jour1.csv.000001.ack.csv", ";D-1;REFUSED;") })
	ack := f.read("results/jour1.csv.000001.ack.csv")
	for _, want := range []string{";A-1;QUEUED;", ";B-1;QUEUED;", ";G-1;QUEUED;", "404833048"} {
		if !strings.Contains(ack, want) {
			t.Errorf("no %q in the acknowledgement:\n%s", want, ack)
		}
	}
	f.until(func() bool { return f.says("refused/jour1.000001.refused.1.csv", "D-1") })
	for _, company := range []string{"alpha", "beta", "gamma"} {
		f.until(func() bool { return f.has("results/status_" + company + "_*.csv") })
		for other, number := range map[string]string{"alpha": "A-1", "beta": "B-1", "gamma": "G-1"} {
			if got := f.says("results/status_"+company+"_*.csv", ";"+number+";"); got != (other == company) {
				t.Errorf("status files of %s tell of %s: %v", company, number, got)
			}
		}
	}
	for _, other := range []string{"alpha", "gamma"} {
		if f.has(other + "/inbox/20*/*") {
			t.Errorf("%s received what is beta's", other)
		}
	}
	if n := f.strange.Load(); n > 0 {
		t.Errorf("%d calls went out with a token of no account", n)
	}

	// The second account had credit for one invoice.
	f.drop("jour2.csv", "G-2;732829320;552100554;Client;70.00", "A-2;100000009;552100554;Client;10.00", "B-2;200000008;552100554;Client;10.00")
	f.until(func() bool { return f.sent("one") == "A-1 A-2 B-1 B-2" })
	f.until(func() bool { return f.stopped("gamma") != "" })
	if f.sent("two") != "G-1" || f.stopped("alpha")+f.stopped("beta") != "" {
		t.Errorf("account two sent %s; stopped: alpha %q, beta %q", f.sent("two"), f.stopped("alpha"), f.stopped("beta"))
	}
	f.recharge("two")
	f.until(func() bool { return f.sent("two") == "G-1 G-2" && f.stopped("gamma") == "" })
}

// firm is the whole daemon beside a platform with two accounts.
type firm struct {
	t        *testing.T
	dir      string
	app      *app
	accounts map[string]*sandbox.Sandbox
	strange  atomic.Int32 // calls with a token of no account
}

const firmMapping = `
[match]
name = ["*.csv"]
[input]
format = "csv"
delimiter = ";"
decimal = "."
date = "yyyy-mm-dd"
[invoice]
key = "number"
[invoice.fields]
document_number = "number"
issue_date = { value = "2026-11-02" }
currency = { value = "EUR" }
sender.fiscal_id = "seller"
recipient.fiscal_id = "siren"
recipient.name = "client"
[lines.fields]
description = { value = "Prestation" }
quantity = { value = "1" }
unit_price = "net"
tax_rate = { value = "20" }
`

func newFirm(t *testing.T) *firm {
	t.Helper()
	f := &firm{t: t, accounts: map[string]*sandbox.Sandbox{}}
	for name, opt := range map[string]sandbox.Options{"one": {}, "two": {Price: decimal.MustParse("1"), Credit: decimal.MustParse("1")}} {
		box, err := sandbox.New(opt)
		if err != nil {
			t.Fatal(err)
		}
		f.accounts[name] = box
		t.Cleanup(func() { box.Close() })
	}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer token-")
		if f.accounts[name] == nil {
			f.strange.Add(1)
			http.Error(w, "{}", http.StatusUnauthorized)
			return
		}
		f.accounts[name].ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	f.dir = f.configure(front.URL)
	cfg, err := loadConfig(filepath.Join(f.dir, "einvoice.toml"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	if f.app, err = newApp(ctx, cfg, zerolog.Nop(), func(string, map[string]string) {}); err != nil {
		t.Fatal(err)
	}
	for _, c := range cfg.Companies {
		if _, err := f.app.inbox.Register(ctx, f.app.client, c.ID, true); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan error, 1)
	go func() { done <- f.app.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		f.app.Close()
	})
	return f
}

// configure writes the configuration of the firm.
func (f *firm) configure(url string) string {
	dir := f.t.TempDir()
	for name, content := range map[string]string{
		"one.txt": "token-one", "two.txt": "token-two", "mappings/depot.toml": firmMapping, "depot/.keep": "",
		"einvoice.toml": `language = "en"
environment = "sandbox"
[api]
base_url = "` + url + `"
token_file = 'one.txt'
[[company]]
id = "alpha"
fiscal_id = "100000009"
name = "Alpha"
email = "a@example.fr"
[[company]]
id = "beta"
fiscal_id = "200000008"
name = "Beta"
email = "b@example.fr"
[[company]]
id = "gamma"
fiscal_id = "732829320"
name = "Gamma"
email = "g@example.fr"
token_file = 'two.txt'
[[drop]]
name = "depot"
path = 'depot'
complete = "on-appearance"
scan = "100ms"
[results]
status_every = "1s"
[outbox]
probe = "1s"
[inbox.poll]
young = "1s"
list = "1s"
budget = 100000
[safety]
first_run = "send"
other_year = "send"
`} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			f.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			f.t.Fatal(err)
		}
	}
	return dir
}

func (f *firm) drop(name string, rows ...string) {
	f.t.Helper()
	path := filepath.Join(f.dir, "depot", name)
	text := "number;seller;siren;client;net\n" + strings.Join(rows, "\n") + "\n"
	if err := os.WriteFile(path+".tmp", []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		f.t.Fatal(err)
	}
}

func (f *firm) until(done func() bool) {
	f.t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			var all []string
			_ = filepath.WalkDir(f.dir, func(p string, d os.DirEntry, _ error) error { all = append(all, p); return nil })
			f.t.Fatalf("waited %s; sent one %q, two %q\n%s", patience, f.sent("one"), f.sent("two"), strings.Join(all, "\n"))
		}
	}
}

// sent lists the numbers that an account has taken, in order.
func (f *firm) sent(account string) string {
	var numbers []string
	for _, d := range f.accounts[account].Books().Documents {
		if len(d.IDs) > 0 {
			numbers = append(numbers, d.Number)
		}
	}
	slices.Sort(numbers)
	return strings.Join(numbers, " ")
}

func (f *firm) stopped(company string) string {
	text, err := f.app.ledger.Get(context.Background(), "outbox.stopped."+company)
	if err != nil {
		f.t.Fatal(err)
	}
	return text
}

func (f *firm) recharge(account string) {
	r := httptest.NewRequest("POST", "/sandbox/wallet", strings.NewReader(`{"credit": 10}`))
	f.accounts[account].ServeHTTP(httptest.NewRecorder(), r)
}

func (f *firm) has(pattern string) bool {
	found, err := filepath.Glob(filepath.Join(f.dir, filepath.FromSlash(pattern)))
	if err != nil {
		f.t.Fatal(err)
	}
	return len(found) > 0
}

func (f *firm) says(pattern, text string) bool { return strings.Contains(f.read(pattern), text) }

func (f *firm) read(pattern string) (all string) {
	found, err := filepath.Glob(filepath.Join(f.dir, filepath.FromSlash(pattern)))
	if err != nil {
		f.t.Fatal(err)
	}
	for _, p := range found {
		b, err := os.ReadFile(p)
		if err != nil {
			f.t.Fatal(err)
		}
		all += string(b)
	}
	return all
}
