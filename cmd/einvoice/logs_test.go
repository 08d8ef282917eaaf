package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"einvoice/connector/sandbox"
	"einvoice/connector/setting"
)

// lines is a log that tests read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// bothLogs are the two logs of an app under test, technical at a level.
func bothLogs(level string) (l *logs, technical, journal *lines) {
	technical, journal = &lines{}, &lines{}
	l = &logs{level: &gate{next: technical}, journal: journal, dated: true}
	l.level.set(level)
	l.log = zerolog.New(l.level)
	return l, technical, journal
}

func TestLogFilesAreRotatedAndCompressed(t *testing.T) {
	cfg := defaultLog()
	cfg.File, cfg.JournalFile = filepath.Join(t.TempDir(), "einvoice.log"), filepath.Join(t.TempDir(), "journal.log")
	cfg.MaxSizeMiB, cfg.MaxFiles = 1, 2
	l, err := openLogs(cfg, io.Discard, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	c := defaultConfig()
	c.Language = "en"
	tell := l.tell(&c)
	for i := range 12_000 { // about 3 MB
		tell("sent", map[string]string{"company": "acme", "number": fmt.Sprint("F-", i), "id": strings.Repeat("x", 200), "gross": "1.00", "currency": "EUR"})
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{cfg.File, cfg.JournalFile} {
		old, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*.gz"))
		if err != nil || len(old) < 1 || len(old) > cfg.MaxFiles {
			t.Errorf("old files of %s: %v %v, want 1 to %d compressed", path, old, err, cfg.MaxFiles)
		}
		if info, err := os.Stat(path); err != nil || info.Size() > 1<<20 {
			t.Errorf("%s: %v %v, want at most 1 MiB", path, info, err)
		}
	}
	data, err := os.ReadFile(cfg.JournalFile)
	if line := regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  SENT +invoice F-11999,`); err != nil || !line.Match(data) {
		t.Errorf("the journal's lines carry no day: %.300s %v", data, err)
	}
}

func TestLogFileThatCannotBeOpenedIsToldAtTheStart(t *testing.T) {
	cfg := defaultLog()
	folder := filepath.Join(t.TempDir(), "logs")
	if err := os.WriteFile(folder, nil, 0o600); err != nil { // a file where the folder should be
		t.Fatal(err)
	}
	cfg.File = filepath.Join(folder, "einvoice.log")
	l, err := openLogs(cfg, io.Discard, os.Stderr)
	if err == nil {
		l.Close()
		t.Error("nothing was told")
	}
}

// fact is one line of the technical log.
type fact struct{ Level, Message, Company, Number, ID, File, Subject, Drop string }

func factsOf(t *testing.T, log string) (all []fact) {
	t.Helper()
	for line := range strings.Lines(log) {
		var f fact
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatalf("not a line of JSON: %s %v", line, err)
		}
		all = append(all, f)
	}
	return all
}

// impatient makes a daemon try again many times a second.
func impatient(cfg *Config) {
	quick := setting.Duration(20 * time.Millisecond)
	cfg.Outbox.RetryMin, cfg.Outbox.RetryMax, cfg.Outbox.Probe = quick, quick, quick
	cfg.Inbox.Poll.Young, cfg.Inbox.Poll.List = setting.Duration(time.Second), setting.Duration(time.Second)
	for i := range cfg.Drops {
		cfg.Drops[i].Scan = quick
	}
}

// runLogged runs the daemon until done, and stops it; opened is called before it runs.
func runLogged(t *testing.T, cfg *Config, l *logs, opened func(*app), done func() bool) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	a, err := newApp(ctx, cfg, l.log, l.tell(cfg))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	opened(a)
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	defer func() { // however the test ends: nothing writes into its folders any more
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	until(t, "what the test waits for", done)
}

// TestOutageIsToldOnce: the platform is away for hundreds of tries, and so is
// the folder of answers; each is one line, and so is its end.
func TestOutageIsToldOnce(t *testing.T) {
	box, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	platform := httptest.NewServer(box)
	cfg := appConfig(t, platform.URL)
	impatient(cfg)
	platform.Close() // nobody listens there any more
	results := filepath.Join(cfg.dir, "results")
	l, technical, journal := bothLogs("info")
	var start time.Time
	opened := func(*app) { // a file in its place keeps the daemon from making the folder again
		if err := errors.Join(os.RemoveAll(results), os.WriteFile(results, nil, 0o644)); err != nil {
			t.Fatal(err)
		}
		start = time.Now()
	}
	away := true
	runLogged(t, cfg, l, opened, func() bool {
		if away && time.Since(start) > 4*time.Second && strings.Contains(technical.String(), "cannot publish results") {
			if err := errors.Join(os.Remove(results), os.Mkdir(results, 0o755)); err != nil {
				t.Fatal(err)
			}
			away = false
		}
		acks, _ := filepath.Glob(filepath.Join(results, "*.ack.csv"))
		return len(acks) > 0 && strings.Contains(technical.String(), "results are published again")
	})
	seen, kinds := map[string]int{}, map[string]int{}
	for _, f := range factsOf(t, technical.String()) {
		seen[strings.Join([]string{f.Message, f.Company, f.Number, f.File, f.Subject, f.Drop}, " ")]++
		kinds[f.Message]++
	}
	for line, n := range seen {
		if n > 2 { // an outage, and perhaps another reason of it
			t.Errorf("%d times in the log: %s", n, line)
		}
	}
	if len(seen) < 3 || len(seen) > 20 {
		t.Errorf("%d kinds of lines, want a few: %v", len(seen), seen)
	}
	if kinds["results are published again"] != 1 {
		t.Errorf("the end of the outage: %v", kinds)
	}
	if n := strings.Count(journal.String(), "\n"); n > 15 {
		t.Errorf("%d lines in the journal:\n%s", n, journal.String())
	}
}

// TestLogsHoldNoSecretAndNobodysData sends what must not be in any log, and
// reads both afterwards, the technical one at its most talkative.
func TestLogsHoldNoSecretAndNobodysData(t *testing.T) {
	_, url := playPlatform(t)
	cfg := appConfig(t, url)
	export := filepath.Join(cfg.dir, "drop", "lot.xml")
	data, err := os.ReadFile(export)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("Imprimerie des Quais", "Canary Jeanne", "Nantes", "Canaryville", "Maintenance trimestrielle", "Canary massage",
		"<siret>52669372600014</siret>", "<siret>canary@example.com</siret>").Replace(string(data))
	write(t, export, text)
	token, err := os.ReadFile(cfg.API.TokenFile)
	if err != nil {
		t.Fatal(err)
	}
	l, technical, journal := bothLogs("debug")
	opened := func(a *app) {
		if _, err := a.inbox.Register(t.Context(), a.client, cfg.Companies[0].ID, true); err != nil {
			t.Fatal(err)
		}
		supplierInvoice(t, url, cfg.Companies[0].FiscalID)
	}
	runLogged(t, cfg, l, opened, func() bool {
		return strings.Contains(journal.String(), "SENT") && strings.Contains(journal.String(), "REFUSED") && strings.Contains(journal.String(), "RECEIVED")
	})
	both := technical.String() + journal.String()
	for _, canary := range []string{"Canary", "CANARY@EXAMPLECOM", "FR7630006000011234567890189", strings.TrimSpace(string(token))} {
		if strings.Contains(strings.ToLower(both), strings.ToLower(canary)) {
			t.Errorf("the logs hold %q:\n%s", canary, both)
		}
	}
	for _, f := range factsOf(t, technical.String()) {
		if f.Message == "sent" && (f.Number != "LOT-0501" || f.Company != "demo" || f.ID == "") {
			t.Errorf("a fact without its names: %+v", f)
		}
	}
}

// supplierInvoice has the platform deliver an invoice of a supplier.
func supplierInvoice(t *testing.T, platform, fiscalID string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, platform+"/sandbox/supplier-invoices", strings.NewReader(`{"fiscal_id":"`+fiscalID+`","supplier_name":"Canary Robert","iban":"FR7630006000011234567890189"}`))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		t.Fatal(resp.Status)
	}
}
