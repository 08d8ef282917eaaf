package main

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"einvoice/connector/ledger"
	"einvoice/connector/sandbox"
)

// TestNoGoroutineOutlivesRun runs the whole daemon over one export, stops it,
// and looks for what is left; then again, as a restart.
func TestNoGoroutineOutlivesRun(t *testing.T) {
	before := goleak.IgnoreCurrent()
	box, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	platform := httptest.NewServer(box)
	cfg := appConfig(t, platform.URL)
	for range 2 {
		runOnce(t, cfg)
	}
	platform.Close()
	if err := box.Close(); err != nil {
		t.Error(err)
	}
	goleak.VerifyNone(t, before)
	for _, d := range box.Books().Twice() {
		t.Errorf("sent twice: %+v", d)
	}
	if n := len(box.Books().Documents); n != 2 {
		t.Errorf("the platform has %d invoices, want 2", n)
	}
}

// playPlatform serves a sandbox until the test ends, and tells its address.
func playPlatform(t *testing.T) (box *sandbox.Sandbox, url string) {
	t.Helper()
	box, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(box)
	t.Cleanup(func() {
		server.Close()
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	return box, server.URL
}

// appConfig is a configuration in a folder of its own, with one export dropped.
func appConfig(t *testing.T, url string) *Config {
	t.Helper()
	dir := t.TempDir()
	_, err := initialise(dir, "en", frenchStarter, func(config string) string {
		for _, s := range [][3]string{{"api", "base_url", `"` + url + `"`}, {"drop", "complete", `"on-appearance"`}, {"results", "status_every", `"1s"`}, {"admin", "enabled", "false"},
			{"safety", "other_year", `"send"`}} { // the examples grow old
			config = setKey(config, s[0], s[1], s[2])
		}
		return config
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"lot.toml": "mappings/lot.toml", "lot_2026-11.xml": "drop/lot.xml"} {
		data, err := starter.ReadFile("starter/" + name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, to), data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := loadConfig(filepath.Join(dir, "einvoice.toml"))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// runOnce runs the daemon until both invoices are sent, then stops it.
func runOnce(t *testing.T, cfg *Config) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	a, err := newApp(ctx, cfg, zerolog.Nop(), func(string, map[string]string) {})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if _, err := a.inbox.Register(ctx, a.client, cfg.Companies[0].ID, true); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		pending, err := a.ledger.Pending(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if pending[ledger.Sent] == 2 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("not sent: %v", pending)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
