package inbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"einvoice/connector/durable"
)

// tree is where the supplier invoices of a company stand. All that delivering
// asks of it is here; names are relative, with slashes, and "." is the tree.
type tree struct {
	root string
	mode fs.FileMode // of files; folders get the execute bits that go with it
}

func (in *Inbox) tree(company string) tree { return tree{in.opt.Folder(company), in.mode} }

// at gives a name's path. Names were made safe before; this is the wall behind it.
func (t tree) at(name string) (string, error) {
	local, err := filepath.Localize(name)
	if err != nil {
		return "", fmt.Errorf("%q is not inside the inbox: %w", name, err)
	}
	return filepath.Join(t.root, local), nil
}

// path is at for messages.
func (t tree) path(name string) string { return filepath.Join(t.root, filepath.FromSlash(name)) }

// there tells why the tree cannot be reached, nil if it can.
func (t tree) there(context.Context) error {
	if _, err := os.Stat(t.root); err != nil {
		return fmt.Errorf("find inbox folder: %w", err)
	}
	return nil
}

// has tells whether anything stands under the name.
func (t tree) has(_ context.Context, name string) (bool, error) {
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

// list names what stands in a folder, in the order of names; an absent folder is empty.
func (t tree) list(_ context.Context, name string) (entries []fs.DirEntry, err error) {
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

func (t tree) open(_ context.Context, name string) (io.ReadCloser, error) {
	path, err := t.at(name)
	if err != nil {
		return nil, err
	}
	return os.Open(path)
}

// makeAll makes a folder and those above it.
func (t tree) makeAll(_ context.Context, name string) error {
	path, err := t.at(name)
	if err != nil {
		return err
	}
	return durable.MkdirAll(path, folderMode(t.mode))
}

// write makes a file appear whole, replacing one of that name. foreign marks it
// as come from outside, where programs ask for that.
func (t tree) write(_ context.Context, name string, foreign bool, content io.Reader) error {
	path, err := t.at(name)
	if err != nil {
		return err
	}
	if _, err = durable.WriteFrom(path, content, t.mode); err == nil && foreign {
		durable.MarkForeign(path)
	}
	return err
}

// fill is write for what is made while it is written.
func (t tree) fill(ctx context.Context, name string, give func(io.Writer) error) error {
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.CloseWithError(give(w))
	}()
	err := t.write(ctx, name, false, r)
	r.CloseWithError(errors.New("reader gone"))
	<-done
	return err
}

// move gives a file or folder its name; it never replaces (fs.ErrExist).
func (t tree) move(_ context.Context, from, to string) error {
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

// remove removes a file, or a folder with all that is in it.
func (t tree) remove(_ context.Context, name string) error {
	path, err := t.at(name)
	if err != nil {
		return err
	}
	return os.RemoveAll(path)
}
