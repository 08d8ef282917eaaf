package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"einvoice/connector/drop"
	"einvoice/connector/ledger"
)

// block is the unit in which the room on the disk is changed.
const block = 4096

// starved is a place whose disk gets full, and how many steps make it big enough
// for one export with everything that follows from it.
type starved struct {
	place string // folder of the installation
	steps int
	size  string // of the disk
}

func starvedPlaces() []starved {
	return []starved{
		{"data/spool", 12, "8m"}, {"data", 160, "64m"}, {"results", 24, "8m"}, {"inbox", 48, "8m"},
	}
}

// TestAFullDiskStopsNothing fills the disk of each place up to a few blocks,
// another number of them at each step, drops an export, has a supplier write, and
// makes room again. The daemon must stay up all the time, say what it waits for
// and when that is over, and in the end have lost and repeated nothing.
//
// It mounts in a name space of its own, for which it must be root.
// EINVOICE_FULL_DISK=all takes every step, EINVOICE_FULL_DISK_TABLE names a file
// for the table.
func TestAFullDiskStopsNothing(t *testing.T) {
	if os.Getenv("EINVOICE_NAMESPACE") == "" {
		inNamespace(t)
		return
	}
	all := os.Getenv("EINVOICE_FULL_DISK") == "all"
	var table strings.Builder
	host, _ := os.Hostname()
	fmt.Fprintf(&table, "%s, %s, %d CPUs\n%-12s %6s %8s %10s %6s %6s\n", time.Now().Format("2006-01-02 15:04"), host, runtime.NumCPU(),
		"place", "steps", "starved", "invoices", "lost", "twice")
	for _, s := range starvedPlaces() {
		t.Run(s.place, func(t *testing.T) {
			steps := []int{0, 1, 3, s.steps / 4}
			if all {
				steps = slices.Collect(func(yield func(int) bool) {
					for k := 0; k <= s.steps && yield(k); k++ {
					}
				})
			}
			table.WriteString(sweepDisk(t, s, steps))
		})
	}
	t.Run("read-only results", testReadOnlyResults)
	t.Log("\n" + table.String())
	if path := os.Getenv("EINVOICE_FULL_DISK_TABLE"); path != "" {
		if err := os.WriteFile(path, []byte(table.String()), 0o644); err != nil {
			t.Error(err)
		}
	}
}

// inNamespace runs the test again where it may mount.
func inNamespace(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^TestAFullDiskStopsNothing$", "-test.v", "-test.timeout=60m")
	cmd.Env = append(os.Environ(), "EINVOICE_NAMESPACE=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil { // could not even be started
		if os.Getenv("CI") != "" {
			t.Fatalf("cannot mount: %v", err)
		}
		t.Skipf("needs root to mount a small disk: %v", err)
	}
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
}

// hungry is an installation with one small disk.
type hungry struct {
	*faultRig
	disk  string
	said  *voice
	cmd   *exec.Cmd
	ended chan struct{}
	want  map[string]bool // numbers to be sent
	files int
}

// voice is what the daemon says, readable while it runs.
type voice struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (v *voice) Write(p []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.all.Write(p)
}

func (v *voice) from(at int) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return string(v.all.Bytes()[at:])
}

func newHungry(t *testing.T, s starved) *hungry {
	r := newFaultRig(t, workload{name: "full disk", suppliers: 0})
	h := &hungry{faultRig: r, disk: filepath.Join(r.dir, s.place), said: &voice{}, ended: make(chan struct{}), want: map[string]bool{}}
	r.must(os.MkdirAll(h.disk, 0o755))
	aside := h.disk + ".aside"
	r.must(os.Rename(h.disk, aside))
	r.must(os.Mkdir(h.disk, 0o755))
	if err := syscall.Mount("tmpfs", h.disk, "tmpfs", 0, "size="+s.size); err != nil {
		t.Fatalf("mount: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(h.disk, syscall.MNT_DETACH) })
	r.must(os.CopyFS(h.disk, os.DirFS(aside)))
	r.must(os.RemoveAll(aside))
	h.cmd = exec.Command("einvoice", "run", "-c", r.config())
	h.cmd.Stdout, h.cmd.Stderr = h.said, h.said
	r.must(h.cmd.Start())
	go func() { defer close(h.ended); _ = h.cmd.Wait() }()
	t.Cleanup(func() { _ = h.cmd.Process.Kill(); <-h.ended })
	h.started()
	return h
}

// started waits until the daemon serves its drop: until then a full disk is an
// error, after that something to endure.
func (h *hungry) started() {
	h.t.Helper()
	marker := filepath.Join(h.dir, "drop", drop.OwnerMarker)
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		_, err := os.Stat(marker)
		if err == nil {
			return
		}
		h.alive()
		if time.Now().After(end) {
			h.t.Fatalf("not started: %v\n%s", err, h.said.from(0))
		}
	}
}

func (h *hungry) alive() {
	h.t.Helper()
	select {
	case <-h.ended:
		h.t.Fatalf("the daemon ended:\n%s", h.said.from(0))
	default:
	}
}

// work drops an export of three invoices, one of them wrong, and a supplier writes.
func (h *hungry) work() {
	text := faultHead
	for i := range 3 {
		number := fmt.Sprintf("FD-%d-%d", h.files, i)
		text += faultRow(number, i == 1)
		if i != 1 {
			h.want[number] = true
		}
	}
	h.supply(h.files, false)
	h.drop(fmt.Sprintf("bench%03d.csv", h.files), text)
	h.files++
}

// leave fills the disk but for some blocks.
func (h *hungry) leave(blocks int) {
	h.t.Helper()
	f, err := os.Create(filepath.Join(h.disk, ".filler"))
	h.must(err)
	defer f.Close()
	chunk := make([]byte, block)
	for {
		var s syscall.Statfs_t
		h.must(syscall.Statfs(h.disk, &s))
		if int64(s.Bavail)*s.Bsize <= int64(blocks)*block {
			return
		}
		if _, err := f.Write(chunk); err != nil {
			return // the daemon took the rest
		}
	}
}

func (h *hungry) makeRoom() { h.must(os.Remove(filepath.Join(h.disk, ".filler"))) }

// finished tells whether all that was dropped has come to its end.
func (h *hungry) finished() (bool, string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	l, err := ledger.OpenReader(ctx, ledger.Config{Path: filepath.Join(h.dir, "data")})
	if err != nil {
		return false, err.Error()
	}
	defer l.Close()
	states, err := l.Pending(ctx)
	if err != nil || states[ledger.Sent] != len(h.want) {
		return false, fmt.Sprintf("%d to be sent, %v, %v", len(h.want), states, err)
	}
	delivered, err := l.ReceivedIn(ctx, ledger.ReceivedDelivered, 10_000)
	if err != nil || len(delivered) != h.files {
		return false, fmt.Sprintf("%d of %d supplier invoices delivered, %v", len(delivered), h.files, err)
	}
	open, err := l.FilesToSettle(ctx)
	if err != nil || len(open) > 0 {
		return false, fmt.Sprintf("%d files not settled, %v", len(open), err)
	}
	owed, err := l.Owed(ctx)
	return err == nil && owed == 0, fmt.Sprintf("%d answers owed, %v", owed, err)
}

// await waits until all is finished, or until the daemon complains.
func (h *hungry) await(atMost time.Duration, complaint func() bool) (finished bool, why string) {
	h.t.Helper()
	for end := time.Now().Add(atMost); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		h.alive()
		if finished, why = h.finished(); finished || complaint() {
			return finished, why
		}
	}
	return false, why
}

func never() bool { return false }

// complaints are how the daemon says that it has no room: drops, our own disk,
// results, supplier invoices.
var complaints = []string{"drop not read; trying again", "our own disk or ledger fails", "cannot publish results", "inbox cannot go on",
	"cannot store callback", "cannot record callback", "results cannot be published", "not sent; trying again"}

func complains(text string) bool {
	return slices.ContainsFunc(complaints, func(c string) bool { return strings.Contains(text, c) })
}

// sweepDisk takes the steps on one place and returns its line of the table.
func sweepDisk(t *testing.T, s starved, steps []int) string {
	h := newHungry(t, s)
	if ok, why := h.await(30*time.Second, never); !ok {
		t.Fatalf("not started: %s\n%s", why, h.said.from(0))
	}
	hungrySteps := 0
	for _, k := range steps {
		before := len(h.said.from(0))
		h.leave(k)
		h.work()
		finished, _ := h.await(20*time.Second, func() bool { return complains(h.said.from(before)) })
		if !finished {
			hungrySteps++
			if !complains(h.said.from(before)) {
				t.Errorf("%d blocks: nothing is said of the full disk:\n%s", k, h.said.from(before))
			}
		}
		h.makeRoom()
		if ok, why := h.await(60*time.Second, never); !ok {
			t.Fatalf("%d blocks: not resumed: %s\n%s", k, why, h.said.from(before))
		}
		if n := strings.Count(h.said.from(before), "\n"); n > 60 {
			t.Errorf("%d blocks: %d lines of log:\n%s", k, n, h.said.from(before))
		}
	}
	if hungrySteps == 0 || hungrySteps == len(steps) && len(steps) > 10 {
		t.Errorf("%d of %d steps had too little room: the sweep misses the edge", hungrySteps, len(steps))
	}
	h.w.exports = map[string]string{}
	lost, twice := h.count()
	if _, wrong := h.look(); len(wrong) > 0 {
		t.Errorf("%v", wrong)
	}
	return fmt.Sprintf("%-12s %6d %8d %10d %6d %6d\n", s.place, len(steps), hungrySteps, len(h.want), lost, twice)
}

func (h *hungry) count() (lost, twice int) {
	left := len(h.want)
	for _, d := range h.box.Books().Documents {
		if len(d.IDs) > 1 {
			twice++
			h.t.Errorf("%s was sent %d times", d.Number, len(d.IDs))
		}
		if len(d.IDs) > 0 && h.want[d.Number] {
			left--
		}
	}
	if left > 0 {
		h.t.Errorf("%d invoices were lost", left)
	}
	return left, twice
}

// testReadOnlyResults: the results place can be read only for a while.
func testReadOnlyResults(t *testing.T) {
	h := newHungry(t, starved{place: "results", size: "8m"})
	h.must(syscall.Mount("tmpfs", h.disk, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	h.work()
	if ok, _ := h.await(20*time.Second, func() bool { return complains(h.said.from(0)) }); ok || !complains(h.said.from(0)) {
		t.Errorf("nothing is said:\n%s", h.said.from(0))
	}
	h.must(syscall.Mount("tmpfs", h.disk, "tmpfs", syscall.MS_REMOUNT, ""))
	if ok, why := h.await(60*time.Second, never); !ok {
		t.Fatalf("not resumed: %s\n%s", why, h.said.from(0))
	}
	h.count()
	if _, wrong := h.look(); len(wrong) > 0 {
		t.Errorf("%v", wrong)
	}
}
