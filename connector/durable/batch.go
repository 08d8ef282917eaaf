package durable

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"einvoice/connector/fault"
)

// Names gives many files their names and makes the folders durable together: one
// fsync for each folder instead of one for each name. None of it holds before
// Sync: after a power cut any of the files may have its former name, or both.
// Several goroutines may use it.
type Names struct {
	mu       sync.Mutex
	to, from []string // folders to make durable, each once
}

// Rename is the package's Rename without the fsyncs.
func (n *Names) Rename(oldpath, newpath string) error {
	if err := giveName(oldpath, newpath); err != nil {
		return err
	}
	n.note(oldpath, newpath)
	return fault.Hit(fault.NameGiven)
}

// Move is the package's Move without the fsyncs; what goes to another volume is
// durable at once.
func (n *Names) Move(oldpath, newpath string) error {
	copied, err := move(oldpath, newpath)
	if err != nil || copied {
		return err
	}
	n.note(oldpath, newpath)
	return fault.Hit(fault.FileMoved)
}

func (n *Names) note(oldpath, newpath string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if to := filepath.Dir(newpath); !slices.Contains(n.to, to) {
		n.to = append(n.to, to)
	}
	if from := filepath.Dir(oldpath); !slices.Contains(n.from, from) {
		n.from = append(n.from, from)
	}
}

// Sync makes the names given so far durable, the new ones first: after a power
// cut in between, a file has two names rather than none.
func (n *Names) Sync() error {
	n.mu.Lock()
	to, from := n.to, n.from
	n.to, n.from = nil, nil
	n.mu.Unlock()
	from = slices.DeleteFunc(from, func(dir string) bool { return slices.Contains(to, dir) })
	for _, dir := range slices.Concat(to, from) {
		if err := syncNames(dir); err != nil {
			return err
		}
	}
	return nil
}

// syncedAtOnce is how many files are made durable at the same time: those that
// wait for the disk together share its work.
const syncedAtOnce = 8

// Prepared is a file whose name nobody sees yet.
type Prepared struct {
	path string
	file *os.File
}

// Prepare writes what r gives to a hidden file beside path. Several goroutines
// had better not do so in one folder: they would only wait for each other there.
func Prepare(path string, r io.Reader, perm fs.FileMode) (Prepared, error) {
	f, _, err := draft(path, r, perm)
	if err != nil {
		return Prepared{}, fmt.Errorf("write %s: %w", path, err)
	}
	return Prepared{path, f}, nil
}

// Sync makes the bytes durable, which must be before the file gets its name.
func (p Prepared) Sync() error {
	if err := finish(p.file); err != nil {
		return fmt.Errorf("write %s: %w", p.path, err)
	}
	return nil
}

// Name lets the file appear under its name, replacing one that has it.
func (p Prepared) Name(n *Names) error {
	if err := n.Rename(p.file.Name(), p.path); err != nil {
		p.Drop()
		return fmt.Errorf("write %s: %w", p.path, err)
	}
	return nil
}

// Drop removes it; the zero Prepared, and one that has its name, are left alone.
func (p Prepared) Drop() {
	if p.file != nil {
		discard(p.file)
	}
}

// SyncAll makes the bytes of several files durable and gives an error for each.
// The zero Prepared is none.
func SyncAll(all []Prepared) []error {
	failed := make([]error, len(all))
	var g errgroup.Group
	g.SetLimit(syncedAtOnce)
	for i, p := range all {
		if p.file == nil {
			continue
		}
		g.Go(func() error {
			failed[i] = p.Sync()
			return nil
		})
	}
	_ = g.Wait()
	return failed
}
