package inbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"einvoice/connector/drop"
	"einvoice/connector/durable"
)

// Tree is where the supplier invoices of a company stand: a folder of this
// machine or a directory of a server. All that delivering asks of it is here;
// names are relative, with slashes, and "." is the tree itself.
type Tree interface {
	// Path is a name's whole path, for people.
	Path(name string) string
	// There tells why the tree cannot be reached, nil if it can. Here and below an
	// error of a tree that is away or full wraps drop.ErrBusy where that is known.
	There(ctx context.Context) error
	// Has tells whether anything stands under the name.
	Has(ctx context.Context, name string) (bool, error)
	// List names what stands in a folder; an absent one is empty.
	List(ctx context.Context, name string) ([]fs.DirEntry, error)
	// Open opens a file; an absent one is fs.ErrNotExist.
	Open(ctx context.Context, name string) (io.ReadCloser, error)
	// MakeAll makes a folder and those above it.
	MakeAll(ctx context.Context, name string) error
	// Write makes a file appear whole, replacing one of that name.
	Write(ctx context.Context, name string, content io.Reader) error
	// Move gives a file or folder its name; it never replaces (fs.ErrExist).
	Move(ctx context.Context, from, to string) error
	// Remove removes a file, or a folder with all that is in it.
	Remove(ctx context.Context, name string) error
	// MovesFolders tells whether Move can move folders. It may try with names
	// that begin with hidden.
	MovesFolders(ctx context.Context, hidden string) (bool, error)
}

// tree is a Tree with the layout in which invoices are delivered there.
type tree struct {
	Tree
	flat bool
}

func (in *Inbox) tree(company string) tree {
	t := tree{flat: in.cfg.Layout == layoutFlat}
	if in.opt.Tree != nil {
		t.Tree = in.opt.Tree(company)
	}
	if t.Tree == nil {
		t.Tree = folder{in.opt.Folder(company), in.mode}
	}
	return t
}

// chosen is the tree with the layout of what is built now: flat as well where a
// server moves no folders.
func (t tree) chosen(ctx context.Context) (tree, error) {
	if t.flat {
		return t, nil
	}
	moves, err := t.MovesFolders(ctx, buildPrefix+"try-")
	if err != nil {
		return t, fmt.Errorf("try to move a folder: %w", err)
	}
	t.flat = !moves
	return t, nil
}

// fill is Write for what is made while it is written.
func (t tree) fill(ctx context.Context, name string, give func(io.Writer) error) error {
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.CloseWithError(give(w))
	}()
	err := t.Write(ctx, name, r)
	r.CloseWithError(errors.New("reader gone"))
	<-done
	return err
}

// copiedTo is what people's own folder is taken to need, in characters, where
// they copy a server's files to: the server's address says nothing of it.
const copiedTo = 60

// length is that of a name's whole path as Windows will count it.
func (t tree) length(name string) int {
	if f, ok := t.Tree.(folder); ok {
		return length(f.Path(name))
	}
	return copiedTo + len("/") + length(name)
}

// markForeign marks a file as come from outside, where programs ask for that.
func (t tree) markForeign(name string) {
	if f, ok := t.Tree.(folder); ok {
		if path, err := f.at(name); err == nil {
			durable.MarkForeign(path)
		}
	}
}

// folder is the Tree of this machine.
type folder struct {
	root string
	mode fs.FileMode // of files; folders get the execute bits that go with it
}

var _ Tree = folder{}

// at gives a name's path. Names were made safe before; this is the wall behind it.
func (t folder) at(name string) (string, error) {
	local, err := filepath.Localize(name)
	if err != nil {
		return "", fmt.Errorf("%q is not inside the inbox: %w", name, err)
	}
	return filepath.Join(t.root, local), nil
}

// Path joins a name to the root.
func (t folder) Path(name string) string { return filepath.Join(t.root, filepath.FromSlash(name)) }

// There looks for the root: a share that is away must not be made anew.
func (t folder) There(context.Context) error {
	if _, err := os.Stat(t.root); err != nil {
		return fmt.Errorf("find inbox folder: %w: %w", drop.ErrBusy, err)
	}
	return nil
}

// Has looks without following links.
func (t folder) Has(_ context.Context, name string) (bool, error) {
	path, err := t.at(name)
	if err != nil {
		return false, err
	}
	_, err = os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// List is in the order of names.
func (t folder) List(_ context.Context, name string) (entries []fs.DirEntry, err error) {
	path, err := t.at(name)
	if err != nil {
		return nil, err
	}
	entries, err = os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return entries, err
}

// Open opens a file for reading.
func (t folder) Open(_ context.Context, name string) (io.ReadCloser, error) {
	path, err := t.at(name)
	if err != nil {
		return nil, err
	}
	return os.Open(path)
}

// MakeAll is durable.
func (t folder) MakeAll(_ context.Context, name string) error {
	path, err := t.at(name)
	if err != nil {
		return err
	}
	return durable.MkdirAll(path, folderMode(t.mode))
}

// Write is durable.
func (t folder) Write(_ context.Context, name string, content io.Reader) error {
	path, err := t.at(name)
	if err != nil {
		return err
	}
	_, err = durable.WriteFrom(path, content, t.mode)
	return err
}

// Move is durable.
func (t folder) Move(_ context.Context, from, to string) error {
	old, err := t.at(from)
	if err != nil {
		return err
	}
	path, err := t.at(to)
	if err != nil {
		return err
	}
	return durable.Move(old, path)
}

// Remove is no error where nothing stands.
func (t folder) Remove(_ context.Context, name string) error {
	path, err := t.at(name)
	if err != nil {
		return err
	}
	return os.RemoveAll(path)
}

// MovesFolders is true of every file system.
func (t folder) MovesFolders(context.Context, string) (bool, error) { return true, nil }
