package main

import (
	"bufio"
	"fmt"
	"hash/fnv"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"einvoice/connector/fault"
)

// modes in which a point fails: see package fault. A cut is a crash that also
// takes away what no fsync made durable.
var faultModes = []string{"crash", "cut", "eio", "enospc", "delay"}

// faultCase is one run.
type faultCase struct {
	work  int
	point fault.Point
	mode  string
	at    int // the passage
}

func (c faultCase) String() string { return fmt.Sprintf("%s=%s@%d", c.point, c.mode, c.at) }

// quickCases are those of an ordinary test run: the instants at which a naive
// program loses or repeats something.
func quickCases(c faultCase) bool {
	return slices.Contains([]string{
		"batch outbox.intent crash", "batch outbox.posted crash", "batch outbox.record-outcome enospc", "batch outbox.staged crash",
		"many outbox.recorded crash", "many results.put cut", "many ledger.commit eio", "callbacks inbox.callback-recorded crash",
		"callbacks inbox.filled crash", "callbacks inbox.built cut", "callbacks inbox.renamed crash",
	}, fmt.Sprintf("%s %s %s", workloads()[c.work].name, c.point, c.mode))
}

// TestWhateverFailsNothingIsLostOrSentTwice makes the real program, built with
// failpoints, fail at every point in every mode, under workloads that pass it;
// then it runs on without the fault until all is quiet. Folders must be those of
// a run in which nothing failed, and the platform's books right.
//
// EINVOICE_FAULTS=all runs all of it, or what EINVOICE_FAULT_MINUTES allow;
// EINVOICE_FAULT_TABLE names a file for the table.
func TestWhateverFailsNothingIsLostOrSentTwice(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	all := os.Getenv("EINVOICE_FAULTS") == "all"
	works := workloads()
	golden := make([]sights, len(works))
	passed := make([]map[fault.Point]int, len(works))
	binary, err := taggedBinary()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(filepath.Dir(binary)) })
	t.Run("undisturbed", func(t *testing.T) {
		for i, w := range works {
			if !all && w.name == "sftp" {
				continue
			}
			t.Run(w.name, func(t *testing.T) {
				t.Parallel()
				golden[i], passed[i] = undisturbed(t, w)
			})
		}
	})
	if t.Failed() {
		return
	}
	cases := faultCases(passed, all)
	t.Logf("%d runs", len(cases))
	score, start := newScore(), time.Now()
	limit := make(chan struct{}, fromEnv("EINVOICE_FAULT_PARALLEL", 8*runtime.NumCPU())) // most of a run is waiting for ticks
	t.Run("disturbed", func(t *testing.T) {
		for _, c := range cases {
			t.Run(works[c.work].name+"/"+c.String(), func(t *testing.T) {
				t.Parallel()
				limit <- struct{}{}
				defer func() { <-limit }()
				if minutes := fromEnv("EINVOICE_FAULT_MINUTES", 0); minutes > 0 && time.Since(start) > time.Duration(minutes)*time.Minute {
					t.Skip("no time left")
				}
				score.add(works[c.work].name, c, disturbed(t, works[c.work], c, golden[c.work]))
			})
		}
	})
	t.Log("\n" + score.String())
	if all && score.n == len(cases) {
		score.complete(t)
	}
	if path := os.Getenv("EINVOICE_FAULT_TABLE"); path != "" {
		if err := os.WriteFile(path, []byte(score.String()), 0o644); err != nil {
			t.Error(err)
		}
	}
}

// undisturbed is the run that others are compared with, and how often it passed each point.
func undisturbed(t *testing.T, w workload) (sights, map[fault.Point]int) {
	r := newFaultRig(t, w)
	trace := filepath.Join(t.TempDir(), "trace")
	d := r.start("", trace)
	r.flow()
	r.wait(d, 20*time.Second)
	d.stop()
	if err := r.settle(); err != nil {
		t.Fatalf("%v\n%s", err, d.said)
	}
	s, wrong := r.look()
	lost, twice, more := r.books()
	if lost+twice+len(wrong)+len(more) > 0 {
		t.Fatalf("%v %v", wrong, more)
	}
	return s, passages(t, trace)
}

// wait returns when all is quiet, the process ended, or time is up.
func (r *faultRig) wait(d *faultyDaemon, atMost time.Duration) {
	for end := time.Now().Add(atMost); time.Now().Before(end) && !d.ended(250*time.Millisecond); {
		if ok, _ := r.quiet(); ok {
			return
		}
	}
}

func passages(t *testing.T, trace string) map[fault.Point]int {
	f, err := os.Open(trace)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := map[fault.Point]int{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, _, _ := strings.Cut(lines.Text(), " ")
		n[fault.Point(name)]++
	}
	return n
}

// faultCases are all points that a workload passes, in all modes, each at one of
// its passages. What all workloads pass is run in half of them, in turn.
func faultCases(passed []map[fault.Point]int, all bool) (list []faultCase) {
	for i, n := range passed {
		for k, p := range fault.Points() {
			for m, mode := range faultModes {
				everywhere := !slices.ContainsFunc(passed, func(n map[fault.Point]int) bool { return n[p] == 0 })
				if n[p] == 0 || everywhere && (k+m+i)%len(passed) < len(passed)/2 {
					continue
				}
				h := fnv.New32()
				fmt.Fprint(h, i, p, mode)
				// Of late passages a disturbed run may have fewer.
				c := faultCase{i, p, mode, 1 + int(h.Sum32())%max(1, n[p]*2/3)}
				if all || quickCases(c) {
					list = append(list, c)
				}
			}
		}
	}
	return list
}

// verdict of one run.
type faultVerdict struct {
	lost, twice, wrong int
	stayed             bool // the process outlived the fault
}

func disturbed(t *testing.T, w workload, c faultCase, golden sights) (v faultVerdict) {
	r := newFaultRig(t, w)
	trace := filepath.Join(t.TempDir(), "trace")
	d := r.start(c.String(), trace)
	r.flow()
	patience := 6 * time.Second
	if c.mode == "crash" || c.mode == "cut" {
		patience = 20 * time.Second
	}
	r.wait(d, patience)
	v.stayed = !d.ended(0)
	d.stop()
	if n := passages(t, trace)[c.point]; n < c.at {
		t.Logf("passed %d times only", n)
	}
	if err := r.settle(); err != nil {
		t.Errorf("%v\nfirst run:\n%s", err, d.said)
		v.wrong++
	}
	s, wrong := r.look()
	wrong = append(wrong, s.differences(golden)...)
	lost, twice, more := r.books()
	v.lost, v.twice, v.wrong = lost, twice, v.wrong+len(wrong)
	for _, text := range append(more, wrong...) {
		t.Error(text)
	}
	if (c.mode == "eio" || c.mode == "enospc" || c.mode == "delay") && !v.stayed && !startsWithIt(c.point) {
		t.Errorf("the daemon ended:\n%s", d.said)
	}
	return v
}

// startsWithIt tells points that are passed while the daemon is being opened:
// there an error is told to whoever starts it.
func startsWithIt(p fault.Point) bool {
	return strings.HasPrefix(string(p), "ledger.") || strings.HasPrefix(string(p), "durable.") || strings.HasPrefix(string(p), "owner.") ||
		p == fault.FolderPublish || p == fault.FolderPublished || p == fault.SFTPUploaded || p == fault.SFTPPublished
}

// score is the table of all runs.
type faultScore struct {
	mu    sync.Mutex
	runs  map[string]int // by "point mode" and by "workload mode"
	total faultVerdict
	n     int
}

func newScore() *faultScore { return &faultScore{runs: map[string]int{}} }

func (s *faultScore) add(work string, c faultCase, v faultVerdict) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	s.runs[fmt.Sprintf("%s %s", c.point, c.mode)]++
	s.runs[fmt.Sprintf("workload %s %s", work, c.mode)]++
	s.total.lost += v.lost
	s.total.twice += v.twice
	s.total.wrong += v.wrong
}

// complete wants every point in every mode.
func (s *faultScore) complete(t *testing.T) {
	for _, p := range fault.Points() {
		for _, mode := range faultModes {
			if s.runs[fmt.Sprintf("%s %s", p, mode)] == 0 {
				t.Errorf("%s was never run with %s", p, mode)
			}
		}
	}
}

func (s *faultScore) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	host, _ := os.Hostname()
	fmt.Fprintf(&b, "%s, %s, %s/%s, %d CPUs\n", time.Now().Format("2006-01-02 15:04"), host, runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	fmt.Fprintf(&b, "%d runs: %d invoices lost, %d sent twice, %d other differences from the undisturbed run\n\n", s.n, s.total.lost, s.total.twice, s.total.wrong)
	rows := map[string]bool{}
	for key := range s.runs {
		rows[key[:strings.LastIndex(key, " ")]] = true
	}
	fmt.Fprintf(&b, "%-28s", "runs")
	for _, mode := range faultModes {
		fmt.Fprintf(&b, " %7s", mode)
	}
	b.WriteByte('\n')
	for _, row := range slices.Sorted(maps.Keys(rows)) {
		fmt.Fprintf(&b, "%-28s", row)
		for _, mode := range faultModes {
			fmt.Fprintf(&b, " %7d", s.runs[row+" "+mode])
		}
		b.WriteByte('\n')
	}
	return b.String()
}
