package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"einvoice/connector"
	"einvoice/connector/durable"
	"einvoice/connector/ledger"
)

// staged calls do once a restore has begun to copy.
type staged struct {
	context.Context
	folder string
	once   *sync.Once
	do     func()
}

func (s staged) Done() <-chan struct{} {
	if _, err := os.Stat(s.folder); err == nil {
		s.once.Do(s.do)
	}
	return s.Context.Done()
}

// TestNothingIsRestoredUnderADaemon: a service manager starts the daemon again
// while the copy is being made, or it holds the ledger and does not say who it is.
func TestNothingIsRestoredUnderADaemon(t *testing.T) {
	for name, mute := range map[string]bool{"started meanwhile": false, "without its number": true} {
		t.Run(name, func(t *testing.T) {
			cfg := &Config{Ledger: ledger.Config{Path: filepath.Join(t.TempDir(), "ledger")}}
			open := func() *ledger.Ledger {
				l, err := ledger.Open(t.Context(), cfg.Ledger, ledger.Options{Identity: ledger.Identity{
					BaseURL: "http://127.0.0.1", Companies: []connector.Company{{ID: "acme", FiscalID: "100000009"}}}})
				if err != nil {
					t.Fatal(err)
				}
				return l
			}
			l := open()
			for _, store := range stores() {
				if _, err := durable.OpenStore(filepath.Join(cfg.Ledger.Path, store)); err != nil {
					t.Fatal(err)
				}
			}
			made, _, err := backup(t.Context(), cfg, l, t.TempDir(), time.Now())
			if err = errors.Join(err, l.Close()); err != nil {
				t.Fatal(err)
			}
			daemon := func() {
				l = open()
				if mute {
					err = os.Truncate(filepath.Join(cfg.Ledger.Path, "ledger.lock"), 0)
				}
			}
			ctx := staged{t.Context(), cfg.Ledger.Path + ".restoring", new(sync.Once), daemon}
			if mute {
				ctx.once.Do(daemon)
			}
			kept, _, failed := restore(ctx, cfg, made, true, time.Now())
			if err := errors.Join(err, l.Close()); err != nil {
				t.Fatal(err)
			}
			if failed == nil || kept != "" {
				t.Errorf("restored under a daemon, whose ledger is now %s", kept)
			}
			if _, err := os.Stat(ctx.folder); err == nil {
				t.Error("left what it had copied")
			}
		})
	}
}
