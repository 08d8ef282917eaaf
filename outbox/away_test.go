package outbox

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"einvoice/connector/drop"
)

// flickering is a share that goes away once, as originals are about to be moved.
type flickering struct {
	*drop.Folder
	away func() (back func())
}

func (f *flickering) RetireAll(ctx context.Context, all []drop.Moved) []error {
	if f.away != nil {
		defer f.away()()
		f.away = nil
	}
	return f.Folder.RetireAll(ctx, all)
}

// TestAShareThatGoesAwayBeforeTheMove: the original is there when the share is
// back. It did not vanish, and is no second export.
func TestAShareThatGoesAwayBeforeTheMove(t *testing.T) {
	r := newRig(t, nil)
	d := r.Drops[0]
	place, _ := d.Place.(*drop.Folder)
	share := filepath.Join(r.dir, "drop")
	d.Place = &flickering{place, func() func() {
		r.must(os.Rename(share, share+".away"))
		return func() { r.must(os.Rename(share+".away", share)) }
	}}
	r.drop("a.csv", header+row("F1", "10"))
	for range 3 {
		r.must(r.scan(t.Context(), d))
	}
	files := r.files()
	if len(files) != 1 || files[0].Archived == "" || strings.HasPrefix(files[0].Archived, "spool:") {
		t.Errorf("taken: %+v; want a.csv once, and in the archive", files)
	}
}

// TestAnArchiveThatIsAway: originals wait in the drop, and are moved once it is back.
func TestAnArchiveThatIsAway(t *testing.T) {
	r := newRig(t, nil)
	d := r.Drops[0]
	mount := filepath.Join(r.dir, "mount")
	place, err := drop.NewFolder(filepath.Join(r.dir, "drop"), filepath.Join(mount, "archive"))
	r.must(err)
	d.Place = place
	d.Watcher = drop.NewWatcher(place, d.Config, drop.WatcherOptions{Now: r.clock.now})
	r.drop("a.csv", header+row("F1", "10"))
	r.must(r.scan(t.Context(), d))
	if files := r.files(); len(files) != 1 || files[0].Archived != "" {
		t.Errorf("taken: %+v; want a.csv, not yet archived", files)
	}
	r.must(os.Mkdir(mount, 0o755))
	r.must(r.scan(t.Context(), d))
	if files := r.files(); len(files) != 1 || files[0].Archived == "" || strings.HasPrefix(files[0].Archived, "spool:") {
		t.Errorf("taken: %+v; want a.csv once, and in the archive", files)
	}
}
