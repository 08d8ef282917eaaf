package outbox

import (
	"io"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pkg/sftp"

	"einvoice/connector/drop"
	"einvoice/connector/drop/sftpplace"
	"einvoice/connector/drop/sftpplace/sftptest"
)

// guarded is a server that lists a file and does not let it be read.
type guarded struct {
	sftptest.Real
	closed *atomic.Bool
	asked  *atomic.Int64
}

func (g guarded) Fileread(r *sftp.Request) (io.ReaderAt, error) {
	if strings.Contains(r.Filepath, "closed") && g.closed.Load() {
		g.asked.Add(1)
		return nil, sftp.ErrSSHFxPermissionDenied
	}
	return g.Real.Fileread(r)
}

// TestAnExportThatMayNotBeRead on a server is told once and answered after the
// deadline, asked for ever less often, and taken once its rights are put right.
func TestAnExportThatMayNotBeRead(t *testing.T) {
	var asked atomic.Int64
	var closed atomic.Bool
	closed.Store(true)
	server := sftptest.Start(t, sftptest.Options{Serve: sftptest.NewRequests(guarded{closed: &closed, asked: &asked}).Serve})
	hosts := sftpplace.NewHosts([]sftpplace.Config{server.Section()})
	defer hosts.Close()
	r := newRig(t, nil)
	d := r.Drops[0]
	var err error
	d.Place, err = hosts.Place(server.URL(filepath.Join(r.dir, "drop")), server.URL(filepath.Join(r.dir, "archive")))
	r.must(err)
	d.Watcher = drop.NewWatcher(d.Place, d.Config, drop.WatcherOptions{Now: r.clock.now})
	r.drop("closed.csv", header+row("F1", "10"))
	r.drop("open.csv", header+row("F2", "10"))
	for range 360 { // an hour
		r.must(r.scan(t.Context(), d))
		r.clock.add(10 * time.Second)
	}
	if files := r.files(); len(files) != 1 || files[0].Name != "open.csv" {
		t.Errorf("taken: %v, want open.csv alone", files)
	}
	if n := r.saidOf("pending"); n != 1 {
		t.Errorf("told %d times that it cannot be read, want once", n)
	}
	if n := r.saidOf("unready"); n != 1 {
		t.Errorf("answered %d times, want once", n)
	}
	if n := asked.Load(); n < 3 || n > 30 {
		t.Errorf("asked for %d times in an hour, want now and then", n)
	}
	closed.Store(false)
	r.clock.add(10 * time.Minute)
	r.must(r.scan(t.Context(), d))
	if files := r.files(); len(files) != 2 {
		t.Errorf("taken: %v, want both", files)
	}
}
