package outbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"einvoice/connector/ledger"
)

// TestAFullDiskIsSaidOnceAndItsEndAsWell: many kinds of work fail at once, again
// and again, and the person reads two lines.
func TestAFullDiskIsSaidOnceAndItsEndAsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var said []string
		o := New(Options{Config: Defaults(), Endure: true, Log: zerolog.Nop(), Journal: func(event string, _ map[string]string) {
			mu.Lock()
			defer mu.Unlock()
			said = append(said, event)
		}})
		full := errors.New("no space left on device")
		var work sync.WaitGroup
		for _, subject := range []string{"map", "settle", "record"} {
			work.Go(func() {
				for n := range 5 {
					if !o.endure(t.Context(), subject, fmt.Errorf("write temp%d: %w", n, full)) {
						t.Error("gave up")
					}
				}
				o.well(subject)
			})
		}
		start := time.Now()
		work.Wait()
		if took := time.Since(start); took < 4*time.Second || took > 5*hardshipMost {
			t.Errorf("waited %v", took)
		}
		o.well("map") // nothing to end
		if got := strings.Join(said, " "); got != "hardship relief" {
			t.Errorf("said %q", got)
		}
	})
}

func TestOnlyADaemonEnduresAndOnlyWhatMayPass(t *testing.T) {
	o := New(Options{Config: Defaults(), Log: zerolog.Nop()})
	if o.endure(t.Context(), "map", errors.New("disk full")) {
		t.Error("a run that ends waits for a disk")
	}
	o.Endure = true
	if o.endure(t.Context(), "map", fmt.Errorf("map: %w", ledger.ErrClosed)) {
		t.Error("waits for a ledger that was closed")
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if o.endure(stopped, "map", errors.New("disk full")) || cause(stopped, errors.New("disk full")) != nil {
		t.Error("a stop is taken for a failure")
	}
}

// TestADropThatCannotBeReadIsSaidOnceAndCounted: a mailbox or a read-only share
// has no marker of ours whose renewal would fail first.
func TestADropThatCannotBeReadIsSaidOnceAndCounted(t *testing.T) {
	r := newRig(t, nil)
	r.sweep()
	path := filepath.Join(r.dir, "drop")
	r.must(os.Rename(path, path+".was"))
	for range 3 {
		r.must(r.scan(t.Context(), r.Drops[0]))
	}
	if got := r.Unserved(); len(got) != 1 || got[0] != "main" {
		t.Errorf("not served: %v", got)
	}
	if n := strings.Count(strings.Join(r.said, "\n"), "unserved"); n != 1 {
		t.Errorf("said %d times: %v", n, r.said)
	}
	r.must(os.Rename(path+".was", path))
	r.must(r.scan(t.Context(), r.Drops[0]))
	if got := r.Unserved(); len(got) != 0 {
		t.Errorf("mended, but not served: %v", got)
	}
}
