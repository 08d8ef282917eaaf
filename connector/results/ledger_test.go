package results

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"einvoice/connector"
	"einvoice/connector/drop"
	"einvoice/connector/durable"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
)

var _ Ledger = (*ledger.Ledger)(nil)

// TestAnExportIsAnsweredOnDisk goes the whole way with the real ledger, the real
// store and a real folder.
func TestAnExportIsAnsweredOnDisk(t *testing.T) {
	ctx := t.Context()
	clock := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	now := func() time.Time { return clock }
	l, err := ledger.Open(ctx, ledger.Config{Path: t.TempDir()}, ledger.Options{
		Identity: ledger.Identity{BaseURL: "http://127.0.0.1:1", Companies: []connector.Company{{ID: "acme", FiscalID: "100000009", Name: "Acme"}}}, Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := l.SweepDone(ctx, "acme"); err != nil {
		t.Fatal(err)
	}
	store, err := durable.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "retours")
	if err := durable.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	folder, err := drop.NewFolder(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	p := New(Defaults(), Options{
		Ledger: l, Blobs: store, Lang: problem.French, Now: now, Log: zerolog.Nop(),
		Place: func(string, ledger.Folder) (drop.Place, error) { return folder, nil },
	})

	sent := released(t, l)
	if n, err := p.Publish(ctx); n != 2 || err != nil {
		t.Fatalf("published %d: %v", n, err)
	}
	sameText(t, read(t, dir, "orders.csv.000001.ack.csv"), ackHead+
		"1;orders.csv;2;K1;F1;QUEUED;;;;;;;;\r\n"+
		"2;orders.csv;4;;F2;REFUSED;E9999;;TVA;2O;E9999;;;\r\n")
	summary := read(t, dir, "orders.csv.000001.summary.csv")
	for _, want := range []string{"\r\ninvoices;2\r\nQUEUED;1\r\nREFUSED;1\r\n", "\r\nmapping;sage\r\n"} {
		if !strings.Contains(summary, want) {
			t.Errorf("the summary lacks %q:\n%s", want, summary)
		}
	}

	settle(t, l, sent)
	clock = clock.Add(time.Minute)
	if n, err := p.Publish(ctx); n != 1 || err != nil {
		t.Fatalf("published %d: %v", n, err)
	}
	line := regexp.MustCompile(`\r\n3;acme;F1;K1;api-1;SENT;NEW;submitted;200;Déposée;;;;2026-11-23T08:00:00Z;orders.csv;2\r\n$`)
	if got := read(t, dir, "status_acme_20261123T080100_3.csv"); !line.MatchString(got) {
		t.Errorf("status file:\n%s", got)
	}
	if n, err := p.Publish(ctx); n != 0 || err != nil {
		t.Errorf("published %d files again: %v", n, err)
	}
}

// released takes an export of two invoices and returns the id of the one that
// may be sent.
func released(t *testing.T, l *ledger.Ledger) int64 {
	t.Helper()
	ctx := t.Context()
	f, err := l.TakeFile(ctx, ledger.NewFile{Drop: "main", Place: "main", Name: "orders.csv", SHA256: strings.Repeat("ab", 32), Size: 10})
	if err != nil {
		t.Fatal(err)
	}
	good := connector.Invoice{
		Number: "F1", Type: "380", IssueDate: "2026-11-20", Currency: "EUR", ERPKey: "K1",
		Seller: connector.Party{Name: "Acme", FiscalID: "100000009"}, Buyer: connector.Party{Name: "B", FiscalID: "200000008"},
	}
	bad := good
	bad.Number, bad.ERPKey = "F2", ""
	batch, err := ledger.Encode(f.ID, []ledger.StagedInvoice{
		{Ordinal: 1, Row: 2, Rows: "2", Company: "acme", Invoice: good, Verdict: ledger.VerdictQueued},
		{Ordinal: 2, Row: 3, Rows: "3-4", Company: "acme", Invoice: bad, Verdict: ledger.VerdictRefused, Problems: []problem.Problem{{
			Code: unknownCode, Severity: problem.Refuse, Value: "2O", Position: problem.Position{File: "orders.csv", Row: 4, Column: "TVA"},
		}}},
	})
	if err == nil {
		err = l.Stage(ctx, batch)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Release(ctx, f.ID, ledger.Mapped{Mapping: "sage", Encoding: "utf-8", AckName: AckName(f.Name, f.Take, CSV), SummaryName: SummaryName(f.Name, f.Take, CSV)}); err != nil {
		t.Fatal(err)
	}
	todo, err := l.NextToSend(ctx, "acme", 10)
	if err != nil || len(todo) != 1 {
		t.Fatalf("%d to send: %v", len(todo), err)
	}
	return todo[0].ID
}

func settle(t *testing.T, l *ledger.Ledger, id int64) {
	t.Helper()
	if _, err := l.MarkSending(t.Context(), []int64{id}); err != nil {
		t.Fatal(err)
	}
	err := l.Settle(t.Context(), []ledger.Outcome{{
		ID: id, State: ledger.Sent, APIID: "api-1", HTTP: 201,
		Status: connector.Status{State: connector.StateNew, External: "submitted", Code: 200},
	}})
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
