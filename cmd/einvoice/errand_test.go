package main

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"einvoice/connector/ledger"
)

// TestNobodyWaitsForADaemonThatEndedAtTheErrand: it took the request and was
// killed; the next may start in a week.
func TestNobodyWaitsForADaemonThatEndedAtTheErrand(t *testing.T) {
	cfg := appConfig(t, "http://127.0.0.1:1")
	l, err := ledger.Open(t.Context(), cfg.Ledger, ledger.Options{Identity: ledger.Identity{BaseURL: cfg.API.BaseURL, Companies: cfg.companies()}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan error, 1)
	go func() {
		done <- carryOut(t.Context(), cfg.file, "replay-results", nil, streams{out: &bytes.Buffer{}, err: &bytes.Buffer{}})
	}()
	until(t, "the request is taken", func() bool {
		_, err := l.TakeRequest(t.Context())
		if err != nil && !errors.Is(err, ledger.ErrNotFound) {
			t.Fatal(err)
		}
		return err == nil
	})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		if err == nil {
			t.Error("what nobody answered is told to be done")
		}
	case <-time.After(5 * time.Second):
		t.Error("it still waits for an answer that nobody will give")
	}
}
