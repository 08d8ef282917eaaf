package drop_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"einvoice/connector/drop"
)

func TestNotifyHintsAndEnds(t *testing.T) {
	_, dir := newFolder(t)
	ctx, cancel := context.WithCancel(t.Context())
	hints, err := drop.Notify(ctx, dir, zerolog.Nop())
	if err != nil {
		t.Skipf("no events here: %v", err)
	}
	put(t, dir, "a.csv", "a")
	select {
	case <-hints:
	case <-time.After(10 * time.Second):
		t.Fatal("no hint of a new file")
	}
	cancel()
	for {
		select {
		case _, open := <-hints:
			if !open {
				return
			}
		case <-time.After(10 * time.Second):
			t.Fatal("the watch outlives its context")
		}
	}
}

func TestOwnHeartbeatWakesNobody(t *testing.T) {
	f, dir := newFolder(t)
	hints, err := drop.Notify(t.Context(), dir, zerolog.Nop())
	if err != nil {
		t.Skipf("no events here: %v", err)
	}
	if _, _, err := drop.ClaimOwner(t.Context(), f, drop.Owner{ID: "ledger-1"}, nil); err != nil {
		t.Fatal(err)
	}
	select {
	case <-hints:
		t.Error("the owner marker woke a scan, which writes the owner marker")
	case <-time.After(200 * time.Millisecond):
	}
}

func TestNotifyOfAnAbsentFolderIsAnError(t *testing.T) {
	if _, err := drop.Notify(t.Context(), filepath.Join(t.TempDir(), "absent"), zerolog.Nop()); err == nil {
		t.Error("no error: the caller would trust events that never come")
	}
}
