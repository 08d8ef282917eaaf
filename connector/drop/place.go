// Package drop reaches the places where an ERP leaves exports and reads
// results, and tells when a file that appears there is whole.
//
// A place never takes anything by itself: the caller copies, records, and then
// retires what it took.
package drop

import (
	"context"
	"errors"
	"io"
	"time"
)

// ErrBusy says that nothing is wrong with the file but that it cannot be
// reached now: another program holds it, or the place is away or full. Callers
// try again later and lose nothing.
var ErrBusy = errors.New("locked by another program, away or full: tried again later")

// Entry is one file of a place.
type Entry struct {
	Name     string
	Size     int64     // bytes
	Modified time.Time // by the clock of the place: to compare with itself, never with now
	Owner    string    // account that owns the file; set by Watcher.Scan on entries that are ready, "" where unknown
}

// same tells whether two sightings of a name show the same file unchanged.
func (e Entry) same(o Entry) bool { return e.Size == o.Size && e.Modified.Equal(o.Modified) }

// Place is a folder or an SFTP directory. Names are single names of its own
// level, never paths.
type Place interface {
	// List lists the regular files of the place itself: no sub-folders, links or
	// special files. Junk is not filtered.
	List(ctx context.Context) ([]Entry, error)
	// Open opens a file for reading; an absent one is fs.ErrNotExist.
	Open(ctx context.Context, name string) (io.ReadCloser, error)
	// Publish makes content appear under name whole or not at all, replacing a
	// file of that name.
	Publish(ctx context.Context, name string, content io.Reader) error
	// Retire moves name to the place's archive under archived, a relative path
	// with slashes whose folders are made. It never replaces: the error is then
	// fs.ErrExist and the file stays.
	Retire(ctx context.Context, name, archived string) error
	// Remove removes a file; that it is absent is no error.
	Remove(ctx context.Context, name string) error
	// String is the path, for people.
	String() string
}
