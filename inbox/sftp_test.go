package inbox

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pkg/sftp"

	"einvoice/connector/drop/sftpplace"
	"einvoice/connector/drop/sftpplace/sftptest"
	"einvoice/connector/ledger"
)

var _ Tree = (*sftpplace.Tree)(nil)

// server is what a test starts.
type server interface {
	Section() sftpplace.Config
	URL(dir string) string
}

// over lets the world deliver through a server, which has its folders. Each
// restart connects anew, as a daemon does.
func (w *world) over(s server) {
	w.t.Helper()
	w.overAt(func(dir string) string { return s.URL(dir) }, s.Section())
}

func (w *world) overAt(url func(dir string) string, section sftpplace.Config) {
	w.t.Helper()
	hosts := sftpplace.NewHosts([]sftpplace.Config{section})
	w.t.Cleanup(hosts.Close)
	w.opt.Tree = func(company string) Tree {
		t, err := hosts.Tree(url(filepath.Join(w.root, company)))
		w.must(err)
		return t
	}
	w.opt.Folder = func(string) string { w.t.Error("asked for a folder of this machine"); return "" }
	w.restart()
}

// filesOnly renames no folders, as storage behind an object store does.
type filesOnly struct{ sftptest.Real }

func (h filesOnly) Filecmd(r *sftp.Request) error {
	if info, err := os.Lstat(r.Filepath); err == nil && info.IsDir() && r.Method == "Rename" {
		return sftp.ErrSSHFxOpUnsupported
	}
	return h.Real.Filecmd(r)
}

// servers are those over which deliveries are tried.
func servers(t *testing.T) map[string]func() server {
	return map[string]func() server{
		"pkg/sftp": func() server { return sftptest.Start(t, sftptest.Options{}) },
		"moves no folders": func() server {
			return sftptest.Start(t, sftptest.Options{Serve: sftptest.NewRequests(filesOnly{}).Serve})
		},
		"OpenSSH": func() server { return sftptest.StartSshd(t) },
		"ProFTPD": func() server { return sftptest.StartProFTPD(t) },
	}
}

// TestDeliveriesToAServerAreThoseToAFolder: the same files with the same bytes,
// registers too, in both layouts; flat as well where folders cannot be moved.
func TestDeliveriesToAServerAreThoseToAFolder(t *testing.T) {
	content := func(w *world) (all []string) {
		w.arrive(laden("in1", "S-1"))
		w.arrive(laden("in2", "S-1"))
		w.rounds(2)
		for _, name := range w.files() {
			if strings.HasSuffix(name, ".xlsx") {
				all = append(all, name) // its parts carry times
				continue
			}
			all = append(all, fmt.Sprintf("%s %x", name, sha256.Sum256([]byte(w.read(name)))))
		}
		if n := len(w.received(ledger.ReceivedDelivered)); n != 2 {
			t.Errorf("%d delivered, want 2", n)
		}
		return all
	}
	want := map[string][]string{}
	for _, layout := range []string{layoutFolder, layoutFlat} {
		want[layout] = content(newWorld(t, func(c *Config) { c.Layout = layout }))
	}
	for name, start := range servers(t) {
		for layout, files := range want {
			t.Run(name+" "+layout, func(t *testing.T) {
				w := newWorld(t, func(c *Config) { c.Layout = layout })
				w.over(start())
				if name == "moves no folders" {
					files = want[layoutFlat]
				}
				if got := content(w); !slices.Equal(got, files) {
					t.Errorf("delivered\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(files, "\n"))
				}
				if folders, err := w.Redeliver(w.ctx, "in1"); err == nil {
					t.Errorf("delivered again beside itself: %s", folders)
				}
			})
		}
	}
}

// TestCutDeliveriesAreWholeAndOnce cuts the connection after ever more bytes of
// a delivery: what can be seen is whole at every moment, and each invoice
// arrives once.
func TestCutDeliveriesAreWholeAndOnce(t *testing.T) {
	s := sftptest.Start(t, sftptest.Options{})
	cutter := sftptest.NewCutter(t, s.Addr)
	section := s.Section()
	section.Host = cutter.Addr
	w := newWorld(t, func(c *Config) { c.Poll.Budget = 1_000_000 })
	reach := func(bytes int64) {
		cutter.After(bytes, 0)
		w.overAt(func(dir string) string { return "sftp://erp@" + cutter.Addr + filepath.ToSlash(dir) }, section)
	}
	deliveries := int64(24)
	if n, err := strconv.ParseInt(os.Getenv("EINVOICE_SFTP_CUTS"), 10, 64); err == nil {
		deliveries = n
	}
	cut, n := int64(0), int64(0)
	for ; n < deliveries; n++ {
		bytes := 3000 + n*80_000/deliveries
		w.arrive(laden(fmt.Sprintf("in%d", n), fmt.Sprintf("S-%d", n)))
		w.must(w.fetchSeen(w.ctx))
		reach(bytes)
		if err := w.Round(w.ctx); err != nil {
			cut++
		}
		w.wantWhole(t)
		reach(0)
		w.rounds(1)
	}
	w.clock = w.clock.Add(time.Hour)
	w.rounds(1)
	if got := int64(len(w.wantWhole(t))); got != n {
		t.Errorf("%d folders of %d invoices", got, n)
	}
	if left, _ := filepath.Glob(filepath.Join(w.root, acme.ID, buildPrefix+"*")); len(left) > 0 {
		t.Errorf("left behind: %s", left)
	}
	if cut < n/2 {
		t.Errorf("%d of %d deliveries were cut", cut, n)
	}
	t.Logf("%d deliveries, %d cut", n, cut)
}

// wantWhole looks at every folder that people see.
func (w *world) wantWhole(t *testing.T) (folders []string) {
	t.Helper()
	folders, err := filepath.Glob(filepath.Join(w.root, acme.ID, "2026-05", "*"))
	w.must(err)
	for _, dir := range folders {
		number := 0
		w.must(filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				number++
			}
			return err
		}))
		if number != 8 {
			t.Fatalf("%s has %d of 8 files", dir, number)
		}
	}
	return folders
}
