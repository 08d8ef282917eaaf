package sftpplace

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/pkg/sftp"
)

// calls are single operations of a session, each within its limit.
type calls struct {
	session *session
	ctx     context.Context
	limit   time.Duration
}

func (c calls) run(call func(s *sftp.Client) error) error {
	return c.session.guard(c.ctx, c.limit, func() error { return call(c.session.sftp) })
}

// ending are calls that tidy up after a context that ended.
func (c calls) ending() calls {
	c.ctx, c.limit = context.WithoutCancel(c.ctx), min(c.limit, probeWithin)
	return c
}

// posix tells a server that renames onto a name that is taken, at once.
func (c calls) posix() bool {
	_, has := c.session.sftp.HasExtension("posix-rename@openssh.com")
	return has
}

func (c calls) rename(from, to string) error {
	return c.run(func(s *sftp.Client) error {
		if c.posix() {
			err := s.PosixRename(from, to)
			if status(err) != statusUnsupported {
				return err
			}
		}
		return s.Rename(from, to)
	})
}

func (c calls) list(dir string) (infos []os.FileInfo, err error) {
	err = c.run(func(s *sftp.Client) (err error) {
		infos, err = s.ReadDirContext(c.ctx, dir)
		return err
	})
	return infos, err
}

func (c calls) lstat(name string) (info os.FileInfo, err error) {
	err = c.run(func(s *sftp.Client) (err error) {
		info, err = s.Lstat(name)
		return err
	})
	return info, err
}

func (c calls) stat(name string) (info os.FileInfo, err error) {
	err = c.run(func(s *sftp.Client) (err error) {
		info, err = s.Stat(name)
		return err
	})
	return info, err
}

func (c calls) open(name string, flags int) (f *sftp.File, err error) {
	err = c.run(func(s *sftp.Client) (err error) {
		f, err = s.OpenFile(name, flags)
		return err
	})
	return f, err
}

func (c calls) closeFile(f *sftp.File) error {
	return c.ending().run(func(*sftp.Client) error { return f.Close() })
}

// finish closes a written file and describes it, in one round trip where the
// length is right. Only a length after the close counts against a file.
func (c calls) finish(f *sftp.File, name string, want int64) (info os.FileInfo, err error) {
	closed := make(chan error, 1)
	go func() { closed <- c.closeFile(f) }()
	info, err = c.lstat(name)
	if err := errors.Join(<-closed, err); err != nil {
		return nil, err
	}
	if info.Size() != want {
		return c.lstat(name)
	}
	return info, nil
}

// remove removes a file; name is known to be no directory, which pkg/sftp would
// remove as well.
func (c calls) remove(name string) error {
	return c.run(func(s *sftp.Client) error { return s.Remove(name) })
}

func (c calls) makeAll(dir string) error {
	return c.run(func(s *sftp.Client) error { return s.MkdirAll(dir) })
}

// partSize is how much of a file goes into one guarded call: that much must pass
// within the timeout. pkg/sftp has all packets of a part under way at once.
const (
	partSize = 1 << 20
	packet   = 32 << 10
)

// fill sends one part after another; what a part holds goes at once.
func (c calls) fill(f *sftp.File, in io.Reader) (n int64, err error) {
	buf := make([]byte, packet)
	for {
		m, err := io.ReadFull(in, buf)
		end := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !end {
			return n, err
		}
		if m > 0 {
			err := c.run(func(*sftp.Client) error {
				_, err := f.WriteAt(buf[:m], n)
				return err
			})
			if err != nil {
				return n, err
			}
			n += int64(m)
		}
		if end {
			return n, nil
		}
		if len(buf) < partSize {
			buf = make([]byte, partSize) // no small file, then
		}
	}
}
