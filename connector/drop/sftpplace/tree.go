package sftpplace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"
	"unicode"

	"github.com/pkg/sftp"

	"einvoice/connector/drop"
)

// Tree is a directory of an SFTP server with all that is below it: where
// supplier invoices are delivered. Names are relative, with slashes; "." is the
// directory itself. Several goroutines may use it.
type Tree struct {
	place *Place

	mu    sync.Mutex
	tried bool
	dirs  bool // directories can be renamed
}

// Tree opens the directory at address. A mailbox has none: it renames nothing.
func (h *Hosts) Tree(address string) (*Tree, error) {
	p, err := h.Place(address, "")
	if err != nil {
		return nil, err
	}
	if p.ReadsOnce() {
		return nil, fmt.Errorf("open tree %s: a mailbox (profile = %q) renames nothing", p, Compat)
	}
	return &Tree{place: p}, nil
}

// String is the address.
func (t *Tree) String() string { return t.place.String() }

// Path is the address of a name, for people.
func (t *Tree) Path(name string) string {
	return strings.TrimRight(t.place.String(), "/") + "/" + name
}

// at runs calls about a name. A name that leads outside is refused before
// anything is sent.
func (t *Tree) at(ctx context.Context, verb, name string, do func(c calls, full string) error) error {
	full, err := t.full(ctx, name)
	if err != nil {
		return t.place.failed(verb, name, err)
	}
	return t.place.do(ctx, verb, name, func(c calls) error { return do(c, full) })
}

func (t *Tree) full(ctx context.Context, name string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if !fs.ValidPath(name) || strings.Contains(name, `\`) || strings.ContainsFunc(name, unicode.IsControl) {
		return "", fmt.Errorf("%q is no path inside the directory", name)
	}
	return t.place.inside(name), nil
}

// There tells why the tree cannot be reached, nil if it can. It is made where it
// is missing.
func (t *Tree) There(ctx context.Context) error {
	return t.at(ctx, "reach", ".", func(c calls, full string) error {
		info, err := c.stat(full) // a link to a directory is one
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return c.makeAll(full)
		case err == nil && !info.IsDir():
			return errors.New("is no directory")
		}
		return err
	})
}

// Has tells whether anything stands under the name.
func (t *Tree) Has(ctx context.Context, name string) (has bool, err error) {
	err = t.at(ctx, "look for", name, func(c calls, full string) error {
		_, err := c.lstat(full)
		has = err == nil
		return absentIsFine(err)
	})
	return has, err
}

// List names what stands in a directory; an absent one is empty.
func (t *Tree) List(ctx context.Context, name string) (entries []fs.DirEntry, err error) {
	err = t.at(ctx, "list", name, func(c calls, full string) error {
		c.limit *= listingFactor
		infos, err := c.list(full)
		for _, i := range infos {
			if checkName(ctx, i.Name()) == nil { // what a server lists is not to be trusted
				entries = append(entries, fs.FileInfoToDirEntry(i))
			}
		}
		return absentIsFine(err)
	})
	return entries, err
}

// Open opens a regular file; an absent one is fs.ErrNotExist.
func (t *Tree) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	full, err := t.full(ctx, name)
	if err != nil {
		return nil, t.place.failed("open", name, err)
	}
	return t.place.open(ctx, name, full, 0, false)
}

// MakeAll makes a directory and those above it.
func (t *Tree) MakeAll(ctx context.Context, name string) error {
	return t.at(ctx, "make", name, func(c calls, full string) error { return c.makeAll(full) })
}

// Write makes a file appear whole, replacing one of that name.
func (t *Tree) Write(ctx context.Context, name string, content io.Reader) error {
	in := &drop.Source{Ctx: ctx, Content: content}
	err := t.at(ctx, "write", name, func(c calls, full string) error { return t.place.publish(c, full, in) })
	if in.Err != nil {
		return fmt.Errorf("write %s: read content: %w", name, in.Err)
	}
	return err
}

// Move gives a file or directory another name in the tree. It never replaces:
// the error is then fs.ErrExist.
func (t *Tree) Move(ctx context.Context, from, to string) error {
	target, err := t.full(ctx, to)
	if err != nil {
		return t.place.failed("move", from, err)
	}
	return t.at(ctx, "move", from, func(c calls, full string) error { return c.moveNew(full, target) })
}

// moveNew looks for the target first, as some servers replace silently, and asks
// for the plain rename, which the others refuse then.
func (c calls) moveNew(from, to string) error {
	if _, err := c.lstat(to); err == nil {
		return fmt.Errorf("%s: %w", to, fs.ErrExist)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err := c.run(func(s *sftp.Client) error { return s.Rename(from, to) })
	if !answered(err) {
		return err
	}
	// Servers answer "failure" for a target that came meanwhile and a source that went.
	if _, taken := c.lstat(to); taken == nil {
		return fmt.Errorf("%s: %w", to, fs.ErrExist)
	}
	if _, gone := c.lstat(from); gone != nil {
		return gone
	}
	return err
}

// Remove removes a file, or a directory with all that is in it. Links are
// removed, never followed.
func (t *Tree) Remove(ctx context.Context, name string) error {
	if name == "." {
		return t.place.failed("remove", name, errors.New("it is the tree itself"))
	}
	return t.at(ctx, "remove", name, func(c calls, full string) error {
		info, err := c.lstat(full)
		if err != nil {
			return absentIsFine(err)
		}
		return c.removeAll(full, info.IsDir())
	})
}

func (c calls) removeAll(full string, dir bool) error {
	if !dir {
		return absentIsFine(c.remove(full))
	}
	infos, err := c.list(full)
	if err != nil {
		return absentIsFine(err)
	}
	for _, i := range infos {
		if err := checkName(c.ctx, i.Name()); err != nil {
			return err
		}
		if err := c.removeAll(path.Join(full, i.Name()), i.IsDir()); err != nil {
			return err
		}
	}
	return absentIsFine(c.run(func(s *sftp.Client) error { return s.RemoveDirectory(full) }))
}

// MovesFolders tells whether the server renames directories that are not empty.
// It is tried once, below hidden: names of ours that nobody sees.
func (t *Tree) MovesFolders(ctx context.Context, hidden string) (bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.tried {
		return t.dirs, nil
	}
	from, to := hidden+"a", hidden+"b"
	for _, name := range []string{from, to} {
		if err := t.Remove(ctx, name); err != nil {
			return false, err
		}
	}
	if err := t.MakeAll(ctx, from); err != nil {
		return false, err
	}
	if err := t.Write(ctx, from+"/x", strings.NewReader("x")); err != nil {
		return false, err
	}
	moved := t.Move(ctx, from, to)
	if moved != nil && !answered(moved) {
		return false, moved // the connection broke: nothing was learnt
	}
	if moved == nil {
		from = to
	}
	t.tried, t.dirs = true, moved == nil
	return t.dirs, t.Remove(ctx, from)
}
