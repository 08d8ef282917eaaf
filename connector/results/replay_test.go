package results

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"einvoice/connector"
	"einvoice/connector/drop"
	"einvoice/connector/durable"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
)

// TestAReplayOfWhatIsTrimmedBlocksNothing: replay-results asks for days whose
// bytes are not kept any more.
func TestAReplayOfWhatIsTrimmedBlocksNothing(t *testing.T) {
	ctx := t.Context()
	clock := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	now := func() time.Time { return clock }
	l, err := ledger.Open(ctx, ledger.Config{Path: t.TempDir()}, ledger.Options{
		Identity: ledger.Identity{BaseURL: "http://127.0.0.1:1", Companies: []connector.Company{{ID: "acme", FiscalID: "100000009", Name: "Acme"}}}, Now: now,
	})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(err)
	defer l.Close()
	_, err = l.SweepDone(ctx, "acme")
	must(err)
	store, err := durable.OpenStore(t.TempDir())
	must(err)
	dir := filepath.Join(t.TempDir(), "retours")
	must(durable.MkdirAll(dir, 0o755))
	folder, err := drop.NewFolder(dir, "")
	must(err)
	p := New(Defaults(), Options{Ledger: l, Blobs: store, Lang: problem.French, Now: now, Log: zerolog.Nop(),
		Place: func(string, ledger.Folder) (drop.Place, error) { return folder, nil }})
	id := released(t, l)
	if n, err := p.Publish(ctx); n != 2 || err != nil {
		t.Fatalf("published %d: %v", n, err)
	}
	clock = clock.Add(401 * 24 * time.Hour)
	n, err := l.TrimAnswers(ctx, clock.Add(-400*24*time.Hour)) // as tidy does
	must(err)
	if n == 0 {
		t.Fatal("nothing trimmed")
	}
	settle(t, l, id)
	_, _, err = l.Republish(ctx, clock.Add(-500*24*time.Hour), store.Has)
	must(err)
	for range 100 {
		clock = clock.Add(time.Hour)
		_, err = p.Flush(ctx)
	}
	owed, oerr := l.Owed(ctx)
	must(oerr)
	if found, _ := filepath.Glob(filepath.Join(dir, "status_acme_*")); len(found) == 0 {
		t.Errorf("today's status file is not written in 100 hours: %v; %d files owed", err, owed)
	}
}
