package outbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"einvoice/connector/drop"
	"einvoice/connector/drop/sftpplace"
	"einvoice/connector/drop/sftpplace/sftptest"
)

// cutsHere is how many cuts a plain test run makes; EINVOICE_SFTP_CUTS asks for
// more (.ci/nightly/sftp-cuts).
const cutsHere = 240

// TestCutConnectionsLoseNothingAndReadNothingTwice takes exports through a proxy
// that cuts the connection, each time a packet or a KiB later. Every attempt is
// a new connection and forgets what the watcher saw, as a restart does.
func TestCutConnectionsLoseNothingAndReadNothingTwice(t *testing.T) {
	cuts := cutsHere
	if n, err := strconv.Atoi(os.Getenv("EINVOICE_SFTP_CUTS")); err == nil {
		cuts = n
	}
	server := sftptest.Start(t, sftptest.Options{})
	cutter := sftptest.NewCutter(t, server.Addr)
	section := server.Section()
	section.Host = cutter.Addr
	r := newRig(t, nil)
	c := &cutting{rig: r, cutter: cutter, section: section, want: map[string]string{}}

	for c.cutter.Cuts.Load() < int64(cuts/2) { // after every packet of a small export's way
		c.add(200)
		for packets := int64(1); !c.attempt(0, packets); packets++ {
		}
	}
	c.big(cuts)
	c.verify()
	t.Logf("%d cuts, %d exports, each taken once and archived whole", cutter.Cuts.Load(), len(c.want))
}

type cutting struct {
	*rig
	cutter  *sftptest.Cutter
	section sftpplace.Config
	want    map[string]string // SHA-256 by name
}

// big cuts the way of larger exports after every further KiB, the steps being
// as wide as the number of cuts asks for.
func (c *cutting) big(cuts int) {
	size := min(1<<20, (cuts/2)<<10)
	for c.cutter.Cuts.Load() < int64(cuts) {
		c.add(size)
		for after := int64(1 << 10); !c.attempt(after, 0); after += 1 << 10 {
		}
	}
}

// add drops an export that no other one equals.
func (c *cutting) add(size int) {
	name := fmt.Sprintf("export%04d.csv", len(c.want))
	content := bytes.Repeat([]byte("x"), size)
	for i := range content {
		content[i] = byte('a' + rand.IntN(26))
	}
	sum := sha256.Sum256(content)
	c.want[name] = hex.EncodeToString(sum[:])
	c.drop(name, string(content))
}

// attempt scans once over a connection that is cut somewhere; done tells that
// nothing is left to do.
func (c *cutting) attempt(bytes, packets int64) (done bool) {
	c.t.Helper()
	c.cutter.After(bytes, packets)
	hosts := sftpplace.NewHosts([]sftpplace.Config{c.section})
	defer hosts.Close()
	url := "sftp://erp@" + c.cutter.Addr + filepath.ToSlash(c.dir)
	p, err := hosts.Place(url+"/drop", url+"/archive")
	c.must(err)
	d := c.Drops[0]
	d.Place, d.stuck = p, true
	d.Watcher = drop.NewWatcher(p, d.Config, drop.WatcherOptions{})
	c.must(c.scan(context.Background(), d))
	left, err := os.ReadDir(filepath.Join(c.dir, "drop"))
	c.must(err)
	open, err := c.Ledger.FilesToArchive(context.Background())
	c.must(err)
	return len(left) == 0 && len(open) == 0
}

// verify: one record for each export, its bytes in the spool and in the archive.
func (c *cutting) verify() {
	c.t.Helper()
	files, err := c.Ledger.Files(context.Background(), 1<<20)
	c.must(err)
	times := map[string]int{}
	for _, f := range files {
		times[f.Name]++
		if f.SHA256 != c.want[f.Name] || f.Archived == "" {
			c.t.Errorf("%s: recorded with other bytes, or not archived: %q", f.Name, f.Archived)
		}
		if _, err := os.Stat(c.Spool.Path(f.SHA256)); err != nil {
			c.t.Error(err)
		}
	}
	for name := range c.want {
		if times[name] != 1 {
			c.t.Errorf("%s was taken %d times", name, times[name])
		}
	}
	archived := 0
	c.must(filepath.WalkDir(filepath.Join(c.dir, "archive"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		archived++
		return nil
	}))
	if archived != len(c.want) {
		c.t.Errorf("%d files in the archive for %d exports", archived, len(c.want))
	}
}

// TestMailboxIsReadOnceAndEmptied: no move and no second look; what a crash left
// recorded and in place is known again.
func TestMailboxIsReadOnceAndEmptied(t *testing.T) {
	server := sftptest.Start(t, sftptest.Options{Serve: sftptest.Strict})
	section := server.Section()
	section.Profile = sftpplace.Compat
	hosts := sftpplace.NewHosts([]sftpplace.Config{section})
	defer hosts.Close()
	r := newRig(t, func(opt *Options, cfg *drop.Config) {
		cfg.After = drop.Delete
	})
	p, err := hosts.Place(server.URL(filepath.Join(r.dir, "drop")), "")
	r.must(err)
	d := r.Drops[0]
	d.Place, d.Watcher = p, drop.NewWatcher(p, d.Config, drop.WatcherOptions{})
	for i := range 3 {
		r.drop(fmt.Sprintf("v%d.csv", i), header+row(fmt.Sprintf("F%d", i), "10"))
	}
	r.must(r.scan(context.Background(), d))
	files, err := r.Ledger.Files(context.Background(), 10)
	r.must(err)
	for _, f := range files {
		if f.Archived != "spool:"+f.SHA256 {
			t.Errorf("%s: original at %q, want the spool", f.Name, f.Archived)
		}
	}
	if left, err := os.ReadDir(filepath.Join(r.dir, "drop")); err != nil || len(left) > 0 || len(files) != 3 {
		t.Errorf("%d taken, left %v, %v", len(files), left, err)
	}
}
