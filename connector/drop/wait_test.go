package drop

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"einvoice/connector/setting"
)

func TestWaitSleepsUntilTheNextLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		hints := make(chan struct{}, 1)
		for _, c := range []struct {
			name string
			hint <-chan struct{}
			scan time.Duration
			want time.Duration
		}{
			{"with events", hints, 0, time.Minute},
			{"without events", nil, 0, 10 * time.Second},
			{"as set", hints, 3 * time.Second, 3 * time.Second},
		} {
			w := NewWatcher(s, Config{Settle: Defaults().Settle, Scan: setting.Duration(c.scan)}, WatcherOptions{Hint: c.hint})
			if err := w.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			look(t, w)
			if got := timeOf(t, w); got != c.want {
				t.Errorf("%s: waited %v, want %v", c.name, got, c.want)
			}
		}
	})
}

// timeOf measures one Wait.
func timeOf(t *testing.T, w *Watcher) time.Duration {
	t.Helper()
	start := time.Now()
	if err := w.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	return time.Since(start)
}

func TestHintWakesAtOnceAndABurstIsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		hints := make(chan struct{}, 1)
		w := NewWatcher(s, Defaults(), WatcherOptions{Hint: hints})
		look(t, w)
		time.Sleep(20 * time.Second)
		hints <- struct{}{}
		if got := timeOf(t, w); got != 0 {
			t.Errorf("an idle watcher waited %v", got)
		}
		look(t, w)
		hints <- struct{}{}
		if got := timeOf(t, w); got != time.Second {
			t.Errorf("a busy watcher waited %v, want 1s", got)
		}
	})
}

func TestFolderWhoseEventsNeverComeIsScannedMoreOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		hints := make(chan struct{}, 1)
		cfg := Defaults()
		cfg.Complete = OnAppearance
		w := NewWatcher(s, cfg, WatcherOptions{Hint: hints})
		look(t, w)
		if got := timeOf(t, w); got != time.Minute {
			t.Errorf("waited %v, want 1m", got)
		}
		s.write("a.csv", 10, 1) // and no event
		look(t, w)
		if got := timeOf(t, w); got != 10*time.Second {
			t.Errorf("deaf: waited %v, want 10s", got)
		}
		hints <- struct{}{}
		timeOf(t, w)
		look(t, w)
		if got := timeOf(t, w); got != time.Minute {
			t.Errorf("an event came: waited %v, want 1m", got)
		}
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		w := NewWatcher(newStage(t), Defaults(), WatcherOptions{})
		look(t, w)
		go cancel()
		if err := w.Wait(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
}

func TestClosedHintsDoNotSpin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hints := make(chan struct{})
		close(hints)
		w := NewWatcher(newStage(t), Defaults(), WatcherOptions{Hint: hints})
		look(t, w)
		if got := timeOf(t, w); got != 10*time.Second {
			t.Errorf("waited %v, want 10s", got)
		}
	})
}

func TestReasonsThatLastAskForNoEndlessScans(t *testing.T) {
	s := newStage(t)
	w := s.watcher(nil)
	for _, name := range []string{"~$open.xlsx", "open.xlsx", "empty.csv", "locked.csv", "bad\n.csv"} {
		s.write(name, 10, 1)
	}
	s.write("empty.csv", 0, 1)
	s.probe["locked.csv"] = ErrBusy
	for range 100 {
		look(t, w)
		if got := w.Next(); got < time.Second {
			t.Fatalf("next look in %v", got)
		}
		s.pass(w.Next())
	}
}
