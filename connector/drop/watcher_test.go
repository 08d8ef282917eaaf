package drop

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"
)

// stage is a place in memory under a clock of its own.
type stage struct {
	t       *testing.T
	now     time.Time
	files   map[string]Entry
	probe   map[string]error
	probes  int
	removed []string
	away    error
}

func newStage(t *testing.T) *stage {
	return &stage{t: t, now: time.Now(), files: map[string]Entry{}, probe: map[string]error{}}
}

// write sets a file's size; its time is that of a copy that kept an old one.
func (s *stage) write(name string, size int64, version int) {
	s.files[name] = Entry{Name: name, Size: size, Modified: time.Date(2019, 1, version, 0, 0, 0, 0, time.UTC)}
}

func (s *stage) pass(d time.Duration) { s.now = s.now.Add(d) }

func (s *stage) List(context.Context) ([]Entry, error) {
	var all []Entry
	for _, e := range s.files {
		all = append(all, e)
	}
	return all, s.away
}

func (s *stage) Probe(_ context.Context, name string) error {
	s.probes++
	return s.probe[name]
}

func (s *stage) Remove(_ context.Context, name string) error {
	s.removed = append(s.removed, name)
	delete(s.files, name)
	return nil
}

func (s *stage) OwnerOf(string) string                                 { return "erp" }
func (s *stage) Open(context.Context, string) (io.ReadCloser, error)   { return nil, fs.ErrNotExist }
func (s *stage) Publish(context.Context, string, io.Reader) error      { return nil }
func (s *stage) Retire(_ context.Context, name, archived string) error { return nil }
func (s *stage) String() string                                        { return "stage" }

func (s *stage) watcher(change func(*Config, *WatcherOptions)) *Watcher {
	cfg, opt := Defaults(), WatcherOptions{Now: func() time.Time { return s.now }}
	if change != nil {
		change(&cfg, &opt)
	}
	return NewWatcher(s, cfg, opt)
}

// look scans and returns the names that are ready, and the pending by name.
func look(t *testing.T, w *Watcher) ([]string, map[string]Pending) {
	t.Helper()
	ready, pending, err := w.Scan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range ready {
		names = append(names, e.Name)
	}
	byName := map[string]Pending{}
	for _, p := range pending {
		byName[p.Name] = p
	}
	return names, byName
}

func wantReady(t *testing.T, w *Watcher, want ...string) {
	t.Helper()
	if got, pending := look(t, w); !slices.Equal(got, want) {
		t.Errorf("ready %q, want %q (pending %v)", got, want, pending)
	}
}

// wantPending scans and expects one reason for name; isNew and soon are those flags.
func wantPending(t *testing.T, w *Watcher, name, code string, isNew, soon bool) {
	t.Helper()
	ready, pending := look(t, w)
	p, ok := pending[name]
	if !ok || p.Why.Code != code || p.New != isNew || p.Soon != soon {
		t.Errorf("%s: ready %q, pending %v code %s new %v soon %v; want %s new %v soon %v",
			name, ready, ok, p.Why.Code, p.New, p.Soon, code, isNew, soon)
	}
	if ok && p.Why.Position.File != name {
		t.Errorf("%s: the problem is about %q", name, p.Why.Position.File)
	}
}

func wantNothing(t *testing.T, w *Watcher) {
	t.Helper()
	if ready, pending := look(t, w); len(ready)+len(pending) > 0 {
		t.Errorf("ready %q, pending %v; want nothing", ready, pending)
	}
}

func TestFileIsReadyAfterTwoLooksOfOurOwn(t *testing.T) {
	s := newStage(t)
	s.write("a.csv", 10, 1) // its time is years old: that proves nothing
	w := s.watcher(nil)
	wantPending(t, w, "a.csv", codeSettling, false, true)
	if got := w.Next(); got != 5*time.Second {
		t.Errorf("next look in %v, want 5s", got)
	}
	s.pass(4999 * time.Millisecond)
	wantPending(t, w, "a.csv", codeSettling, false, true)
	s.pass(time.Millisecond)
	wantReady(t, w, "a.csv")
	wantReady(t, w, "a.csv") // until the caller takes it
}

func TestGrowingFileStartsAgain(t *testing.T) {
	s := newStage(t)
	w := s.watcher(nil)
	for i := range 5 {
		s.write("a.csv", int64(10+i), 1)
		wantPending(t, w, "a.csv", codeSettling, false, true)
		s.pass(4 * time.Second)
	}
	s.write("a.csv", 14, 2) // the same size, another time
	s.pass(2 * time.Second)
	wantPending(t, w, "a.csv", codeSettling, false, true)
	s.pass(5 * time.Second)
	wantReady(t, w, "a.csv")
}

func TestFileThatNeverSettlesIsReportedOnce(t *testing.T) {
	s := newStage(t)
	w := s.watcher(nil)
	told := 0
	for i := range 400 {
		s.write("log.csv", int64(i+1), 1)
		_, pending := look(t, w)
		if p := pending["log.csv"]; p.New {
			told++
			if p.Why.Code != codeGrowing || i*3 < 600 {
				t.Errorf("told %s after %d s", p.Why.Code, i*3)
			}
		}
		s.pass(3 * time.Second)
	}
	if told != 1 {
		t.Errorf("told %d times, want once", told)
	}
	s.pass(5 * time.Second)
	wantReady(t, w, "log.csv")
}

func TestFileRewrittenEveryDayIsNotGrowingForDays(t *testing.T) {
	s := newStage(t)
	s.write("EXPORT.CSV", 10, 1)
	w := s.watcher(nil)
	look(t, w)
	s.pass(6 * time.Second)
	ready, _, _ := w.Scan(t.Context())
	w.Leave(ready[0])
	s.pass(24 * time.Hour)
	wantNothing(t, w)
	s.write("EXPORT.CSV", 12, 2)
	wantPending(t, w, "EXPORT.CSV", codeSettling, false, true)
	s.pass(5 * time.Second)
	wantReady(t, w, "EXPORT.CSV")
}

func TestEmptyFileIsNeverReady(t *testing.T) {
	for _, complete := range []string{Settle, OnAppearance, Trigger} {
		s := newStage(t)
		s.write("a.csv", 0, 1)
		s.write("a.csv.done", 0, 1)
		w := s.watcher(func(c *Config, _ *WatcherOptions) { c.Complete, c.Include = complete, []string{"a.csv"} })
		wantPending(t, w, "a.csv", codeSettling, false, true)
		s.pass(6 * time.Second)
		wantPending(t, w, "a.csv", codeEmpty, true, false)
		s.pass(time.Hour)
		wantPending(t, w, "a.csv", codeEmpty, false, false)
	}
}

func TestOnAppearanceIsReadyAtOnce(t *testing.T) {
	s := newStage(t)
	s.write("a.csv", 10, 1)
	wantReady(t, s.watcher(func(c *Config, _ *WatcherOptions) { c.Complete = OnAppearance }), "a.csv")
}

func TestReadyFilesComeInTheOrderThatPeopleCount(t *testing.T) {
	s := newStage(t)
	for _, name := range []string{"x10.csv", "x9.csv", "x1.csv", ".hidden", "x2.csv.tmp"} {
		s.write(name, 10, 1)
	}
	w := s.watcher(func(c *Config, _ *WatcherOptions) { c.Complete = OnAppearance })
	wantReady(t, w, "x1.csv", "x9.csv", "x10.csv")
	ready, _, _ := w.Scan(t.Context())
	if ready[0].Owner != "erp" {
		t.Errorf("owner %q", ready[0].Owner)
	}
}

func withTrigger(c *Config, _ *WatcherOptions) { c.Complete = Trigger }

func TestTriggerMakesItsFileReadyAndIsNoExport(t *testing.T) {
	for _, trigger := range []string{"orders.csv.done", "orders.done", "ORDERS.CSV.DONE"} {
		s := newStage(t)
		w := s.watcher(withTrigger)
		s.write("orders.csv", 10, 1)
		wantPending(t, w, "orders.csv", codeNoTrigger, false, false)
		s.pass(6 * time.Second)
		wantPending(t, w, "orders.csv", codeNoTrigger, true, false)
		s.write(trigger, 1, 1)
		wantReady(t, w, "orders.csv")
		if err := w.Taken(t.Context(), s.files["orders.csv"]); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(s.removed, []string{trigger}) {
			t.Errorf("removed %q, want %q", s.removed, trigger)
		}
		wantNothing(t, w) // taken, not retired yet
	}
}

func TestTriggerOfTwoFilesStaysUntilBothAreTaken(t *testing.T) {
	s := newStage(t)
	w := s.watcher(withTrigger)
	for _, name := range []string{"day.csv", "day.xml", "day.done"} {
		s.write(name, 1, 1)
	}
	wantReady(t, w, "day.csv", "day.xml")
	for i, name := range []string{"day.csv", "day.xml"} {
		if err := w.Taken(t.Context(), s.files[name]); err != nil {
			t.Fatal(err)
		}
		if len(s.removed) != i {
			t.Errorf("after %s: removed %q", name, s.removed)
		}
	}
}

func TestOrphanTriggerIsReported(t *testing.T) {
	s := newStage(t)
	w := s.watcher(withTrigger)
	s.write("orders.csv.done", 0, 1)
	wantNothing(t, w) // the ERP may write it first
	s.pass(5 * time.Minute)
	wantPending(t, w, "orders.csv.done", codeOrphan, true, false)
	wantPending(t, w, "orders.csv.done", codeOrphan, false, false)
	s.write("orders.csv", 10, 1)
	wantReady(t, w, "orders.csv")
}

func TestFileOpenInExcelWaits(t *testing.T) {
	for guard, code := range map[string]string{
		"~$Orders.xlsx": codePerson, ".~lock.Orders.xlsx#": codePerson, "Orders.xlsx.lock": codeLockFile, "ORDERS.LOCK": codeLockFile,
	} {
		s := newStage(t)
		w := s.watcher(nil)
		s.write("Orders.xlsx", 10, 1)
		s.write(guard, 165, 1)
		look(t, w)
		s.pass(6 * time.Second)
		wantPending(t, w, "Orders.xlsx", code, true, false)
		delete(s.files, guard)
		wantReady(t, w, "Orders.xlsx")
	}
}

func TestForgottenLockOfAProgramIsPassedOver(t *testing.T) {
	s := newStage(t)
	w := s.watcher(nil)
	s.write("a.csv", 10, 1)
	s.write("a.csv.lock", 0, 1)
	look(t, w)
	s.pass(59 * time.Minute)
	wantPending(t, w, "a.csv", codeLockFile, true, false)
	s.pass(time.Minute)
	wantReady(t, w, "a.csv")
}

func TestLockedFileIsReportedWhenItLasts(t *testing.T) {
	s := newStage(t)
	w := s.watcher(func(c *Config, _ *WatcherOptions) { c.Complete = OnAppearance })
	s.write("a.csv", 10, 1)
	s.probe["a.csv"] = ErrBusy
	wantPending(t, w, "a.csv", codeLocked, false, false)
	s.pass(10 * time.Second)
	wantPending(t, w, "a.csv", codeLocked, false, false) // an antivirus
	s.pass(20 * time.Second)
	wantPending(t, w, "a.csv", codeLocked, true, false)
	delete(s.probe, "a.csv")
	if got := w.Next(); got != 10*time.Second {
		t.Errorf("next look in %v, want 10s", got)
	}
	s.pass(10 * time.Second)
	wantReady(t, w, "a.csv")
}

func TestUnreadableFileSaysWhy(t *testing.T) {
	s := newStage(t)
	w := s.watcher(nil)
	s.write("a.csv", 10, 1)
	s.probe["a.csv"] = fs.ErrPermission
	look(t, w)
	s.pass(5 * time.Second)
	wantPending(t, w, "a.csv", codeUnreadable, true, false)
	_, pending := look(t, w)
	if why := pending["a.csv"].Why; !strings.Contains(why.Error(), "permission") {
		t.Errorf("text %q", why.Error())
	}
}

func TestFileTakenAwayDuringTheScanIsNoAlarm(t *testing.T) {
	s := newStage(t)
	w := s.watcher(func(c *Config, _ *WatcherOptions) { c.Complete = OnAppearance })
	s.write("a.csv", 10, 1)
	s.probe["a.csv"] = fs.ErrNotExist
	wantNothing(t, w)
}

func TestStructuralEndIsAskedLessAndLessOften(t *testing.T) {
	s := newStage(t)
	asked, whole := 0, false
	w := s.watcher(func(_ *Config, o *WatcherOptions) {
		o.Whole = func(_ context.Context, p Place, e Entry) (bool, string, error) {
			asked++
			return whole, "the root element is not closed", nil
		}
	})
	s.write("a.xml", 10, 1)
	look(t, w)
	if asked != 0 {
		t.Error("asked before the size was stable")
	}
	s.pass(5 * time.Second)
	wantPending(t, w, "a.xml", codeNoEnd, true, false)
	for range 3600 {
		s.pass(time.Second)
		look(t, w)
	}
	if asked < 5 || asked > 15 {
		t.Errorf("asked %d times within an hour", asked)
	}
	whole = true
	s.write("a.xml", 20, 2) // a change is asked about as soon as it settles
	look(t, w)
	s.pass(5 * time.Second)
	wantReady(t, w, "a.xml")
}

func TestNamesThatAreNotExpectedAreToldNotPassedOver(t *testing.T) {
	s := newStage(t)
	w := s.watcher(func(c *Config, _ *WatcherOptions) { c.Include = []string{"fac*.csv"} })
	for _, name := range []string{"FAC1.CSV", "other.csv", "fac\n2.csv", "LISEZMOI.txt"} {
		s.write(name, 10, 1)
	}
	look(t, w)
	s.pass(5 * time.Second)
	ready, pending := look(t, w)
	if !slices.Equal(ready, []string{"FAC1.CSV"}) || len(pending) != 2 {
		t.Errorf("ready %q, pending %v", ready, pending)
	}
	if p := pending["other.csv"]; p.Why.Code != codeNotIncluded || !p.New {
		t.Errorf("other.csv: %+v", p)
	}
	if p := pending["fac\n2.csv"]; p.Why.Code != codeName || !p.New {
		t.Errorf("name with a line break: %+v", p)
	}
}

func TestFileLeftInPlaceIsOfferedAgainWhenItChanges(t *testing.T) {
	s := newStage(t)
	w := s.watcher(func(c *Config, _ *WatcherOptions) { c.Complete = OnAppearance })
	s.write("a.csv", 10, 1)
	wantReady(t, w, "a.csv")
	w.Leave(s.files["a.csv"])
	wantNothing(t, w)
	s.write("a.csv", 10, 2)
	wantReady(t, w, "a.csv")
	delete(s.files, "a.csv")
	wantNothing(t, w)
	if len(w.seen) != 0 {
		t.Errorf("remembers %d files that are gone", len(w.seen))
	}
}

func TestLeavingAnOlderVersionLeavesNothing(t *testing.T) {
	s := newStage(t)
	w := s.watcher(func(c *Config, _ *WatcherOptions) { c.Complete = OnAppearance })
	s.write("a.csv", 10, 1)
	old := s.files["a.csv"]
	s.write("a.csv", 20, 2)
	wantReady(t, w, "a.csv")
	w.Leave(old)
	wantReady(t, w, "a.csv")
}

func TestPlaceThatIsAwayForgetsNothing(t *testing.T) {
	s := newStage(t)
	w := s.watcher(nil)
	s.write("a.csv", 10, 1)
	look(t, w)
	s.pass(3 * time.Second)
	s.away = ErrBusy
	if _, _, err := w.Scan(t.Context()); !errors.Is(err, ErrBusy) {
		t.Errorf("error %v", err)
	}
	s.away = nil
	s.pass(2 * time.Second)
	wantReady(t, w, "a.csv")
}
