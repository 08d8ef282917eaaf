package sftpplace

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/pkg/sftp"

	"einvoice/connector/drop"
)

// reader reads a file in parts, each within the timeout. A file that ends before
// the size it was listed with is an error: a connection that breaks may look
// like the end of a file.
type reader struct {
	place *Place
	calls calls
	file  *sftp.File
	name  string
	size  int64 // as listed; less than 0 where nobody said
	done  func()
	once  sync.Once

	buf  []byte // room for a part
	rest []byte // what of it was not given out
	read int64
	end  bool
}

func newReader(p *Place, c calls, f *sftp.File, name string, size int64, done func()) io.ReadCloser {
	room := int64(packet)
	if size > packet && !p.ReadsOnce() {
		room = min(size+1, part)
	}
	r := &reader{place: p, calls: c, file: f, name: name, size: size, done: done, buf: make([]byte, room)}
	if p.ReadsOnce() {
		return r
	}
	return seeker{r}
}

func (r *reader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 && !r.end {
		if err := r.next(); err != nil {
			return 0, r.place.failed("read", r.name, err)
		}
	}
	if len(r.rest) == 0 {
		if r.read < r.size {
			return 0, r.place.failed("read", r.name, fmt.Errorf("%w: it ended after %d of %d bytes", drop.ErrBusy, r.read, r.size))
		}
		return 0, io.EOF
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// next fetches a part: all requests for it are under way at once, except on a
// mailbox, where the part is one packet.
func (r *reader) next() error {
	n, end, err := r.at(r.buf, r.read)
	if err != nil {
		return err
	}
	r.rest, r.end = r.buf[:n], end
	r.read += int64(n)
	return nil
}

func (r *reader) at(p []byte, offset int64) (n int, end bool, err error) {
	err = r.calls.run(func(*sftp.Client) (err error) {
		n, err = r.file.ReadAt(p, offset)
		if end = errors.Is(err, io.EOF); end {
			return nil
		}
		return err
	})
	return n, end, err
}

// Close gives the file back. It may be called twice.
func (r *reader) Close() (err error) {
	r.once.Do(func() {
		err = r.calls.closeFile(r.file)
		r.done()
	})
	if err != nil {
		return r.place.failed("close", r.name, err)
	}
	return nil
}

// seeker also reads anywhere, which a mailbox does not bear: what looks for the
// end of a workbook need not fetch all of it.
type seeker struct{ *reader }

// ReadAt reads as io.ReaderAt says.
func (s seeker) ReadAt(p []byte, offset int64) (int, error) {
	n, end, err := s.at(p, offset)
	if err != nil {
		return n, s.place.failed("read", s.name, err)
	}
	if end {
		return n, io.EOF
	}
	return n, nil
}
