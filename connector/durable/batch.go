package durable

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

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
		if err := SyncDir(dir); err != nil {
			return err
		}
	}
	return nil
}

// Prepared is a file whose bytes are durable and whose name nobody sees yet.
type Prepared struct{ path, temp string }

// Prepare writes what r gives to a hidden file beside path and makes its bytes
// durable. The caller gives it its name, or drops it.
func Prepare(path string, r io.Reader, perm fs.FileMode) (Prepared, error) {
	temp, _, err := stage(path, r, perm)
	if err != nil {
		return Prepared{}, fmt.Errorf("write %s: %w", path, err)
	}
	return Prepared{path, temp}, nil
}

// Name lets the file appear under its name, replacing one that has it.
func (p Prepared) Name(n *Names) error {
	if err := n.Rename(p.temp, p.path); err != nil {
		p.Drop()
		return fmt.Errorf("write %s: %w", p.path, err)
	}
	return nil
}

// Drop removes it; the zero Prepared, and one that has its name, are left alone.
func (p Prepared) Drop() {
	if p.temp != "" {
		os.Remove(p.temp)
	}
}
