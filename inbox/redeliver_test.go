package inbox

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAnInvoiceThatStaffLostIsDeliveredAgain(t *testing.T) {
	w := newWorld(t)
	w.arrive(supplied("in1", "S-1"))
	w.rounds(1)
	before, calls := w.files(), w.platform.calls()
	if _, err := w.Redeliver(w.ctx, "S-1"); !errors.Is(err, ErrStillThere) {
		t.Errorf("with the folder still there: %v", err)
	}
	w.must(os.RemoveAll(filepath.Join(w.root, acme.ID, "2026-05")))
	folders, err := w.Redeliver(w.ctx, "in1")
	w.must(err)
	if len(folders) != 1 || !strings.HasSuffix(filepath.ToSlash(folders[0]), martin) {
		t.Errorf("delivered to %v", folders)
	}
	if after := w.files(); strings.Join(after, "\n") != strings.Join(before, "\n") {
		t.Errorf("before\n%v\nafter\n%v", before, after)
	}
	if w.platform.calls() != calls {
		t.Error("the platform was asked")
	}
	if _, err := w.Redeliver(w.ctx, "S-404"); err == nil {
		t.Error("an unknown number was delivered")
	}
}
