package results

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"einvoice/connector"
	"einvoice/connector/drop"
	"einvoice/connector/ledger"
)

func TestStatusFilesAreCutEverySoOften(t *testing.T) {
	b := newBench(t)
	happen := func() {
		b.ledger.events = append(b.ledger.events, ledger.Event{Company: "acme", Kind: ledger.EventSent, Status: connector.Status{State: "NEW"}})
	}
	happen()
	b.round(1)
	happen()
	happen()
	b.clock = b.clock.Add(9 * time.Second)
	b.round(0)
	b.clock = b.clock.Add(time.Second)
	b.round(1)
	happen()
	if n, err := b.Flush(t.Context()); n != 1 || err != nil {
		t.Errorf("flush published %d: %v", n, err)
	}
	want := []string{"status_acme_20261123T090000_1.csv", "status_acme_20261123T090010_2.csv", "status_acme_20261123T090010_4.csv"}
	if got := b.main().written; !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
}

// TestOnlyFullStatusFilesAreCutOnTheWay: a run that sends for hours tells what
// fills a file; its last statuses are one file.
func TestOnlyFullStatusFilesAreCutOnTheWay(t *testing.T) {
	b := newBench(t)
	happen := func(n int) {
		for range n {
			b.ledger.events = append(b.ledger.events, ledger.Event{Company: "acme", Kind: ledger.EventSent, Status: connector.Status{State: "NEW"}})
		}
	}
	answers := func(want int) {
		t.Helper()
		if n, err := b.Answers(t.Context()); n != want || err != nil {
			t.Errorf("on the way %d files: %v, want %d", n, err, want)
		}
	}
	happen(eventsPerFile - 1)
	answers(0)
	happen(eventsPerFile + 2)
	answers(0) // counted a moment ago
	b.clock = b.clock.Add(10 * time.Second)
	answers(2)
	b.clock = b.clock.Add(10 * time.Second)
	answers(0)
	if n, err := b.Flush(t.Context()); n != 1 || err != nil {
		t.Errorf("at the end %d files: %v", n, err)
	}
	want := []string{"status_acme_20261123T090010_1.csv", "status_acme_20261123T090010_20001.csv", "status_acme_20261123T090020_40001.csv"}
	if got := b.main().written; !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
}

// TestStatusFilesOfTheirOwnTimeAreNotCutOnTheWay: neither those of times of day nor
// those of one line.
func TestStatusFilesOfTheirOwnTimeAreNotCutOnTheWay(t *testing.T) {
	for _, change := range []func(*Config){
		func(c *Config) { c.StatusAt = []string{"06:00"} },
		func(c *Config) { c.StatusPer = perEvent },
	} {
		b := newBench(t)
		change(&b.cfg)
		b.restart()
		b.ledger.events = slices.Repeat([]ledger.Event{{Company: "acme", Kind: ledger.EventSent, OccurredAt: b.clock}}, eventsPerFile)
		if n, err := b.Answers(t.Context()); n != 0 || err != nil {
			t.Errorf("%d files: %v", n, err)
		}
	}
}

func TestAStatusFilePerEventWhereAskedFor(t *testing.T) {
	b := newBench(t)
	b.cfg.StatusPer = perEvent
	b.restart()
	for range 3 {
		b.ledger.events = append(b.ledger.events, ledger.Event{Company: "acme", Kind: ledger.EventSent, Status: connector.Status{State: "NEW"}})
	}
	b.round(3)
	want := []string{"status_acme_20261123T090000_1.csv", "status_acme_20261123T090000_2.csv", "status_acme_20261123T090000_3.csv"}
	if got := b.main().written; !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
}

func TestPlaceThatIsAwayDelaysOnlyItself(t *testing.T) {
	b := newBench(t)
	b.at("dead", ledger.FolderResults).away = drop.ErrBusy
	for i := range 3 * batch {
		b.rendered("dead", ledger.FolderResults, fmt.Sprintf("d%04d", i), "x")
	}
	b.rendered("main", ledger.FolderResults, "m1", "x")
	b.rendered("dead", ledger.FolderRefused, "r1", "x")
	b.round(2)
	if got := b.Blocked(); len(got) != 1 || got[0].Place != "dead" || !errors.Is(got[0].Err, drop.ErrBusy) {
		t.Errorf("blocked: %+v", got)
	}
	if n := strings.Count(b.log.String(), "\n"); n != 1 {
		t.Errorf("%d log lines for one failure:\n%s", n, b.log.String())
	}
}

func TestFilesOfAFolderNeverOvertakeEachOther(t *testing.T) {
	b := newBench(t)
	b.rendered("main", ledger.FolderResults, "unnumbered", "x")
	b.numbered("1", 1)
	b.numbered("2", 2)
	b.main().away = drop.ErrBusy
	b.round(0)
	b.main().away = nil
	b.numbered("3", 3)
	b.clock = b.clock.Add(time.Second)
	b.round(0) // 3 is due, but 1 and 2 are not
	b.numbered("4", 4)
	b.restart()
	b.round(0) // nor may 4 go because the process forgot
	b.clock = b.clock.Add(time.Second)
	b.round(5)
	if got := b.main().written; !slices.Equal(got, []string{"unnumbered", "1", "2", "3", "4"}) {
		t.Errorf("order %v", got)
	}
	if len(b.Blocked()) > 0 {
		t.Error("still called blocked")
	}
}

func TestPauseDoublesFromTwoSecondsToAQuarterOfAnHour(t *testing.T) {
	b := newBench(t)
	b.rendered("main", ledger.FolderResults, "1", "x")
	b.main().away = drop.ErrBusy
	want := 2 * time.Second
	for range 14 {
		b.round(0)
		pause := b.Blocked()[0].Until.Sub(b.clock)
		if pause != want {
			t.Fatalf("pause %s, want %s", pause, want)
		}
		want = min(2*want, 15*time.Minute)
		b.clock = b.clock.Add(pause)
	}
	b.main().away = nil
	b.round(1)
	b.main().away = drop.ErrBusy
	b.rendered("main", ledger.FolderResults, "2", "x")
	b.round(0)
	if pause := b.Blocked()[0].Until.Sub(b.clock); pause != 2*time.Second {
		t.Errorf("after a success the pause starts at %s", pause)
	}
}

func TestOKFileComesLastAndOnlyForTheERP(t *testing.T) {
	b := newBench(t)
	b.cfg.OKFile = true
	b.restart()
	b.rendered("main", ledger.FolderResults, "a.csv", "x")
	b.rendered("main", ledger.FolderRefused, "b.csv", "x")
	b.round(2)
	if got := b.main().written; !slices.Equal(got, []string{"a.csv", "a.csv.ok"}) {
		t.Errorf("results: %v", got)
	}
	if want := b.ledger.pubs[0].SHA256 + "  a.csv\r\n"; b.main().files["a.csv.ok"] != want {
		t.Errorf("ok file: %q", b.main().files["a.csv.ok"])
	}
	if got := b.at("main", ledger.FolderRefused).written; !slices.Equal(got, []string{"b.csv"}) {
		t.Errorf("refused: %v", got)
	}
}

// A crash may come before or after each thing that lasts. Name and bytes must be
// the same afterwards: fakePlace refuses a name that comes with other bytes.
func TestCrashAtAnyPointGivesTheSameNameAndBytes(t *testing.T) {
	points := []string{
		"NumberEvents:before", "NumberEvents:after", "FixPublication:before", "FixPublication:after",
		"place:before", "place:after", "MarkPublished:before", "MarkPublished:after",
	}
	for i, point := range append(points, points...) {
		t.Run(point, func(t *testing.T) {
			b := newBench(t)
			b.several = i >= len(points)
			b.restart()
			ack := b.acknowledged(orders(), ledger.AckLine{Seq: 1, Invoice: ledger.Invoice{ID: 1}, FirstAPI: "a1"})
			b.ledger.events = []ledger.Event{{Company: "acme", Kind: ledger.EventSent}}
			if at, ok := strings.CutPrefix(point, "place:"); ok {
				b.main().crash = at
			} else {
				b.ledger.crashAt = point
			}
			b.Publish(t.Context())

			b.ledger.crashAt, b.main().crash = "", ""
			b.restart()
			b.clock = b.clock.Add(time.Hour)
			if _, err := b.Publish(t.Context()); err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(b.main().files[ack], ";a1\r\n") {
				t.Errorf("acknowledgement: %q", b.main().files[ack])
			}
			for _, p := range b.ledger.pubs {
				if !b.ledger.published[p.ID] {
					t.Errorf("%s was never published", p.Name)
				}
			}
			if len(b.ledger.numbered) != 1 || len(b.main().files) != 2 {
				t.Errorf("files %v of %d numbered events", b.main().written, len(b.ledger.numbered))
			}
		})
	}
}

// TestManyFilesShareWhatTheyCost: one commit fixes them, one call brings them, and
// the order stays, also where one of them is stuck.
func TestManyFilesShareWhatTheyCost(t *testing.T) {
	b := newBench(t)
	b.several = true
	b.restart()
	var want []string
	for i := range 150 {
		want = append(want, b.acknowledged(ledger.File{NewFile: ledger.NewFile{Name: fmt.Sprint(i, ".csv")}, Take: int64(i)}, ledger.AckLine{Seq: int64(i + 1)}))
	}
	stuck := b.ledger.pubs[99]
	b.ledger.lines[stuck.ID][0].Problem.Value = strings.Repeat("long ", fewBytes) // which goes to the blob store
	b.round(150)
	if got := b.main().written; !slices.Equal(got, want) {
		t.Errorf("order %v", got)
	}
	if got := b.main().batches; !slices.Equal(got, []int{64, 64, 22}) {
		t.Errorf("batches %v", got)
	}
	if len(b.ledger.bodies) != 149 || b.ledger.bodies[stuck.ID] != nil {
		t.Errorf("%d answers in the ledger", len(b.ledger.bodies))
	}
	if text := b.main().files[want[99]]; !strings.Contains(text, strings.Repeat("long ", fewBytes)) {
		t.Errorf("the long one has %d bytes", len(text))
	}
}

// TestAFileThatCannotBeReadStopsThoseAfterIt and none before it.
func TestAFileThatCannotBeReadStopsThoseAfterIt(t *testing.T) {
	b := newBench(t)
	b.several = true
	b.restart()
	for i := range 4 {
		b.rendered("main", ledger.FolderResults, fmt.Sprint(i), fmt.Sprint("content ", i))
	}
	if err := b.blobs.Remove(b.ledger.pubs[2].SHA256); err != nil {
		t.Fatal(err)
	}
	n, err := b.Publish(t.Context())
	if n != 2 || err == nil || !slices.Equal(b.main().written, []string{"0", "1"}) {
		t.Errorf("published %d, %v: %v", n, b.main().written, err)
	}
	if b.ledger.published[3] || b.ledger.published[4] || !b.ledger.published[2] {
		t.Errorf("recorded: %v", b.ledger.published)
	}
}

func TestBytesAreFixedBeforeAnybodySeesThem(t *testing.T) {
	b := newBench(t)
	ack := b.acknowledged(orders(), ledger.AckLine{Seq: 1, Invoice: ledger.Invoice{ID: 1}})
	b.main().crash = "after"
	b.round(0)
	b.ledger.lines[1][0].Invoice.APIID = "sent meanwhile"
	b.main().crash = ""
	b.clock = b.clock.Add(time.Hour)
	b.round(1)
	if strings.Contains(b.main().files[ack], "meanwhile") {
		t.Error("the second try brought other bytes")
	}
}

func TestLostBlobIsAnErrorOfOursAndKeepsTheOrder(t *testing.T) {
	b := newBench(t)
	b.rendered("main", ledger.FolderResults, "1", "lost")
	b.rendered("main", ledger.FolderResults, "2", "x")
	if err := b.blobs.Remove(b.ledger.pubs[0].SHA256); err != nil {
		t.Fatal(err)
	}
	n, err := b.Publish(t.Context())
	if n != 0 || err == nil || !strings.Contains(err.Error(), "open rendered 1") {
		t.Errorf("published %d, error %v", n, err)
	}
}

// deafPlace accepts the call and then nothing.
type deafPlace struct{ drop.Place }

func (deafPlace) String() string { return "deaf" }
func (deafPlace) Publish(ctx context.Context, _ string, content io.Reader) error {
	content.Read(make([]byte, 1))
	<-ctx.Done()
	return ctx.Err()
}

func TestPlaceThatHangsIsGivenUp(t *testing.T) {
	b := newBench(t)
	b.rendered("deaf", ledger.FolderResults, "1", "x")
	blobs := b.blobs
	synctest.Test(t, func(t *testing.T) {
		p := New(b.cfg, Options{Ledger: b.ledger, Blobs: blobs, Now: b.now, Log: b.Publisher.log,
			Place: func(string, ledger.Folder) (drop.Place, error) { return deafPlace{}, nil }})
		start := time.Now()
		if n, err := p.Publish(t.Context()); n != 0 || err != nil {
			t.Errorf("published %d: %v", n, err)
		}
		if took := time.Since(start); took != stall {
			t.Errorf("given up after %s", took)
		}
		if got := p.Blocked(); len(got) != 1 || !errors.Is(got[0].Err, errStalled) {
			t.Errorf("blocked: %+v", got)
		}
	})
}

func TestStopLeavesFilesDue(t *testing.T) {
	b := newBench(t)
	b.rendered("main", ledger.FolderResults, "1", "x")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b.main().away = context.Canceled
	if _, err := b.Publish(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if p := b.ledger.pubs[0]; p.Tries != 0 {
		t.Error("a stop was counted as a failure of the place")
	}
}
