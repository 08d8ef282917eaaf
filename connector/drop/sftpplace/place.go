package sftpplace

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"einvoice/connector/drop"
	"einvoice/connector/fault"
)

// What we write stands under a hidden name until it is whole.
const (
	tempPrefix  = ".einvoice-"
	tempSuffix  = ".tmp"
	leftoverAge = 24 * time.Hour // far above any transfer
)

// listing takes many round trips: its bound is a multiple of an operation's.
const listingFactor = 5

// Place is a directory of an SFTP server. Several goroutines may use it.
type Place struct {
	server  *server
	addr    Address
	archive string // path; "" for none
	clean   sync.Once

	mu    sync.Mutex
	sizes map[string]int64 // regular files of the last listing
	made  map[string]bool  // directories that stand
}

var _ drop.Place = (*Place)(nil)

// String is the address.
func (p *Place) String() string { return p.addr.String() }

// ReadsOnce tells a mailbox: a file there may vanish by being opened, cannot be
// renamed, and is removed when it was taken.
func (p *Place) ReadsOnce() bool { return p.server.cfg.Profile == Compat }

// Parallel is how many files may be fetched at once.
func (p *Place) Parallel() int {
	if p.ReadsOnce() {
		return 1
	}
	return p.server.cfg.Parallel
}

// Connect tells whether the server can be reached, shows the known host key,
// lets us in and has the directory.
func (p *Place) Connect(ctx context.Context) error {
	_, err := p.List(ctx)
	return err
}

// do runs calls on one connection.
func (p *Place) do(ctx context.Context, verb, name string, calls func(c calls) error) error {
	done, err := p.server.turn(ctx)
	if err != nil {
		return p.failed(verb, name, err)
	}
	defer done()
	s, err := p.server.session(ctx)
	if err != nil {
		return p.failed(verb, name, away(err))
	}
	return p.failed(verb, name, calls(p.on(ctx, s)))
}

func (p *Place) on(ctx context.Context, s *session) calls {
	return calls{session: s, ctx: ctx, limit: p.server.cfg.Timeout.Std()}
}

// List takes sizes and times from the listing itself: no file is asked for
// twice. Links are listed as links by servers, and left out.
func (p *Place) List(ctx context.Context) ([]drop.Entry, error) {
	var all []drop.Entry
	err := p.do(ctx, "list", "", func(c calls) error {
		c.limit *= listingFactor
		infos, err := c.list(p.addr.Path)
		for _, i := range infos {
			if i.Mode().IsRegular() {
				all = append(all, drop.Entry{Name: i.Name(), Size: i.Size(), Modified: i.ModTime()})
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	sizes := make(map[string]int64, len(all))
	for _, e := range all {
		sizes[e.Name] = e.Size
	}
	p.mu.Lock()
	p.sizes = sizes
	p.mu.Unlock()
	return all, nil
}

// size is that of the last listing; known is false for a name it did not have.
func (p *Place) size(name string) (size int64, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	size, known = p.sizes[name]
	return size, known
}

// Open opens a regular file. A name that the last listing had is not asked for
// again.
func (p *Place) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	if err := checkName(ctx, name); err != nil {
		return nil, p.failed("open", name, err)
	}
	size, known := p.size(name)
	if !known {
		size = -1
	}
	return p.open(ctx, name, p.inside(name), size, known || p.ReadsOnce())
}

// OpenArchived opens what Retire moved. A mailbox has no archive.
func (p *Place) OpenArchived(ctx context.Context, archived string) (io.ReadCloser, error) {
	if p.ReadsOnce() {
		return nil, p.failed("open archived", archived, fs.ErrNotExist)
	}
	full, err := p.archived(ctx, archived)
	if err != nil {
		return nil, p.failed("open archived", archived, err)
	}
	return p.open(ctx, archived, full, 0, false)
}

func (p *Place) open(ctx context.Context, name, full string, size int64, trusted bool) (io.ReadCloser, error) {
	done, err := p.server.turn(ctx)
	if err != nil {
		return nil, p.failed("open", name, err)
	}
	fail := func(err error) (io.ReadCloser, error) {
		done()
		return nil, p.failed("open", name, err)
	}
	s, err := p.server.session(ctx)
	if err != nil {
		return fail(away(err))
	}
	c := p.on(ctx, s)
	if !trusted {
		info, err := c.lstat(full)
		if err != nil {
			return fail(err)
		}
		if !info.Mode().IsRegular() {
			return fail(errors.New("not a regular file"))
		}
		size = info.Size()
	}
	f, err := c.open(full, os.O_RDONLY)
	if err != nil {
		return fail(err)
	}
	return newReader(p, c, f, name, size, done), nil
}

// Retire moves a file to the archive by a rename. What stands in the archive is
// never replaced: the target is looked for first, as some servers replace it
// silently, and its name is ours alone.
func (p *Place) Retire(ctx context.Context, name, archived string) error {
	if err := checkName(ctx, name); err != nil {
		return p.failed("retire", name, err)
	}
	if p.ReadsOnce() {
		return p.failed("retire", name, errors.New("a mailbox moves nothing"))
	}
	to, err := p.archived(ctx, archived)
	if err != nil {
		return p.failed("retire", name, err)
	}
	return p.do(ctx, "retire", name, func(c calls) error {
		from, dir := p.inside(name), path.Dir(to)
		if _, known := p.size(name); !known {
			if info, err := c.lstat(from); err != nil {
				return err
			} else if !info.Mode().IsRegular() {
				return errors.New("not a regular file")
			}
		}
		if err := p.makeOnce(c, dir); err != nil {
			return err
		}
		if _, err := c.lstat(to); err == nil {
			return p.taken(c, from, to)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := fault.Hit(fault.SFTPRetire); err != nil {
			return full(err)
		}
		err := c.rename(from, to)
		if err == nil {
			return full(fault.Hit(fault.SFTPRetired))
		}
		if errors.Is(err, fs.ErrNotExist) {
			p.forget(dir) // somebody may have removed the archive's folder
		}
		return p.explainMove(c, from, err)
	})
}

// taken tells a file that is gone from one that may not be moved there.
func (p *Place) taken(c calls, from, to string) error {
	if _, err := c.lstat(from); err != nil {
		return err
	}
	return fmt.Errorf("%s: %w", to, fs.ErrExist)
}

// explainMove: servers answer "failure" for a file that vanished, for an archive
// on another file system, and for a full disk.
func (p *Place) explainMove(c calls, from string, err error) error {
	if status(err) != statusFailure {
		return err
	}
	if _, gone := c.lstat(from); gone != nil {
		return gone
	}
	return fmt.Errorf("the server refuses the move: the archive %s must be on the same file system, and writable: %w", p.archive, err)
}

// Remove removes a regular file.
func (p *Place) Remove(ctx context.Context, name string) error {
	if err := checkName(ctx, name); err != nil {
		return p.failed("remove", name, err)
	}
	return p.do(ctx, "remove", name, func(c calls) error {
		if !p.ReadsOnce() { // a mailbox has no directories, and asking may be reading
			info, err := c.lstat(p.inside(name))
			if err == nil && info.IsDir() {
				err = errors.New("is a directory")
			}
			if err != nil {
				return absentIsFine(err)
			}
		}
		return absentIsFine(c.remove(p.inside(name)))
	})
}

// RemoveArchived removes what Retire moved.
func (p *Place) RemoveArchived(ctx context.Context, archived string) error {
	to, err := p.archived(ctx, archived)
	if err != nil {
		return p.failed("remove archived", archived, err)
	}
	return p.do(ctx, "remove archived", archived, func(c calls) error { return absentIsFine(c.remove(to)) })
}

// removeLeftovers removes what an interrupted transfer of ours left. They are
// hidden: it is no harm if they stay. Their age is told by the server's clock,
// which may be years off ours.
func (p *Place) removeLeftovers(c calls, now time.Time) {
	infos, err := c.list(p.addr.Path)
	if err != nil {
		return
	}
	for _, i := range infos {
		if isTemp(i.Name()) && i.Mode().IsRegular() && now.Sub(i.ModTime()) > leftoverAge {
			_ = c.remove(p.inside(i.Name()))
		}
	}
}

func (p *Place) makeOnce(c calls, dir string) error {
	p.mu.Lock()
	stands := p.made[dir]
	p.mu.Unlock()
	if stands {
		return nil
	}
	if err := c.makeAll(dir); err != nil {
		return err
	}
	p.mu.Lock()
	p.made[dir] = true
	p.mu.Unlock()
	return nil
}

func (p *Place) forget(dir string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.made, dir)
}

func (p *Place) inside(name string) string { return path.Join(p.addr.Path, name) }

// besides is a hidden name in the directory of a file.
func besides(file string) string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return path.Join(path.Dir(file), tempPrefix+hex.EncodeToString(b[:])+tempSuffix)
}

func isTemp(name string) bool {
	return strings.HasPrefix(name, tempPrefix) && strings.HasSuffix(name, tempSuffix)
}

func (p *Place) archived(ctx context.Context, archived string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if p.archive == "" {
		return "", errors.New("the place has no archive")
	}
	if archived == "." || !fs.ValidPath(archived) || strings.Contains(archived, `\`) {
		return "", fmt.Errorf("%q is no path inside the archive", archived)
	}
	return path.Join(p.archive, archived), nil
}
