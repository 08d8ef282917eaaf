//go:build faults

package fault

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
)

// disk remembers what a power cut would take away: bytes that no fsync of their
// file, and names that no fsync of their folder, made durable. It knows what
// durable tells it; the ledger's files are SQLite's own affair.
type disk struct {
	mu      sync.Mutex
	dir     string          // keeps what an unlinked name stood for
	kept    int             // files there
	dirty   map[string]bool // files whose bytes are not durable
	changes []change        // names that are not durable, oldest first
}

// change is one name that was given or taken away.
type change struct {
	path   string
	given  bool
	folder bool
	from   string // the former name of a folder
	kept   string // for a name taken away: another link to its file
}

func newDisk() (*disk, error) {
	// Beside the data, since a link does not leave its file system.
	root := os.Getenv("EINVOICE_FAULT_DISK")
	if root == "" {
		root = os.TempDir()
	}
	dir, err := os.MkdirTemp(root, ".cut-")
	if err != nil {
		return nil, fmt.Errorf("prepare power cut: %w", err)
	}
	return &disk{dir: dir, dirty: map[string]bool{}}, nil
}

// Written tells that a file was made whose bytes no fsync made durable yet.
func Written(path string) {
	on(func(d *disk) {
		d.dirty[path] = true
		d.changes = append(d.changes, change{path: path, given: true})
	})
}

// Synced tells that the bytes of a file are durable.
func Synced(path string) { on(func(d *disk) { delete(d.dirty, path) }) }

// Unlinking tells that a name is about to go, or to point at another file.
func Unlinking(path string) {
	on(func(d *disk) {
		info, err := os.Lstat(path)
		if err != nil || !info.Mode().IsRegular() {
			return
		}
		d.kept++
		kept := filepath.Join(d.dir, strconv.Itoa(d.kept))
		if err := os.Link(path, kept); err != nil {
			kept = "" // another volume: what was there is lost at a cut
		}
		d.changes = append(d.changes, change{path: path, kept: kept})
	})
}

// Named tells that a file or folder has a new name; from is its former one, ""
// for a new folder.
func Named(path, from string) {
	on(func(d *disk) {
		info, err := os.Lstat(path)
		if err != nil {
			return
		}
		if d.dirty[from] {
			delete(d.dirty, from)
			d.dirty[path] = true
		}
		d.changes = append(d.changes, change{path: path, given: true, folder: info.IsDir(), from: from})
	})
}

// SyncedFolder tells that the names in a folder are durable.
func SyncedFolder(dir string) {
	on(func(d *disk) {
		dir = filepath.Clean(dir)
		left := d.changes[:0]
		for _, c := range d.changes {
			if filepath.Dir(c.path) != dir {
				left = append(left, c)
			}
		}
		d.changes = left
	})
}

// on runs do if something is to be cut. What waits for the lock while a cut
// takes place never goes on: the process ends.
func on(do func(*disk)) {
	d := current().disk
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	do(d)
}

// cut takes back all that was not durable and ends the process.
func (d *disk) cut() {
	d.mu.Lock() // for good
	for path := range d.dirty {
		_ = os.Truncate(path, 0)
	}
	for i := len(d.changes) - 1; i >= 0; i-- {
		d.changes[i].undo()
	}
	os.RemoveAll(d.dir)
	os.Exit(exitCode)
}

func (c change) undo() {
	_, err := os.Lstat(c.path)
	absent := os.IsNotExist(err)
	switch {
	case c.given && c.folder && c.from != "":
		_ = os.Rename(c.path, c.from)
	case c.given:
		_ = os.RemoveAll(c.path)
	case absent && c.kept != "":
		_ = os.Rename(c.kept, c.path)
	}
}
