package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"einvoice/inbox"
)

const reloadInvoices = 1000

// reloadable is a configuration with an export of 1,000 invoices, its company
// registered with the platform.
func reloadable(t *testing.T, url string) *Config {
	t.Helper()
	cfg := appConfig(t, url)
	var export bytes.Buffer
	if err := (benchExport{0, reloadInvoices, 3}).write(&export); err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(export.Bytes(), []byte("\n"))
	for name, data := range map[string][]byte{
		"mappings/bench.toml": []byte(benchMapping), "drop/bench.csv": bytes.Join(lines[:1+3*reloadInvoices], nil),
	} {
		if err := os.WriteFile(filepath.Join(cfg.dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(cfg.dir, "drop/lot.xml")); err != nil {
		t.Fatal(err)
	}
	client, err := newClient(cfg, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	in, err := inbox.New(cfg.Inbox, inbox.Options{Companies: cfg.companies(), Platform: client})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Register(t.Context(), client, cfg.Companies[0].ID, true); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// TestReloadInTheMiddleOfAThousandInvoices reloads while invoices are on their
// way; a configuration that is wrong is refused before. Each invoice is sent, and
// none twice.
func TestReloadInTheMiddleOfAThousandInvoices(t *testing.T) {
	box, url := playPlatform(t)
	cfg := reloadable(t, url)
	good, err := os.ReadFile(cfg.file)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	reload, done, starts := make(chan struct{}), make(chan error, 1), 0
	go func() { done <- daemon(ctx, cfg.file, io.Discard, func() { starts++ }, reload) }()

	sent := func() int { return len(box.Books().Documents) }
	until(t, "a hundred are sent", func() bool { return sent() >= 100 })
	write(t, cfg.file, strings.Replace(string(good), "[api]", "[api]\nno_such_key = 1", 1))
	if reread(cfg, zerolog.Nop()) != nil {
		t.Error("a configuration with an unknown key was taken")
	}
	write(t, cfg.file, string(good))
	reload <- struct{}{}
	at := sent()
	until(t, "all are sent", func() bool { return sent() >= reloadInvoices })
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if starts != 2 {
		t.Errorf("started %d times, want 2: at first, and for the right configuration", starts)
	}
	if at >= reloadInvoices {
		t.Errorf("the reload came after all %d were sent", at)
	}
	for _, d := range box.Books().Twice() {
		t.Errorf("sent twice: %+v", d)
	}
	if n := sent(); n != reloadInvoices {
		t.Errorf("the platform has %d invoices, want %d", n, reloadInvoices)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in time: %s", what)
		}
	}
}
