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

	parts []chan part // asked for and not come yet, in order
	asked int64       // offset behind them
	rest  []byte      // what of the last part was not given out
	read  int64
	end   bool
}

// part is a piece of the file, or why there is none.
type part struct {
	data []byte
	end  bool
	err  error
}

func newReader(p *Place, c calls, f *sftp.File, name string, size int64, done func()) io.ReadCloser {
	r := &reader{place: p, calls: c, file: f, name: name, size: size, done: done}
	if p.ReadsOnce() {
		return r
	}
	return seeker{r}
}

func (r *reader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 && !r.end {
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

// next takes the next part. Of a large file the two after it are under way
// then, each as many requests at once as it has packets; a small file, and any
// of a mailbox, is read packet by packet.
func (r *reader) next() error {
	if len(r.parts) == 0 && (r.size <= packet || r.asked > r.size || r.place.ReadsOnce()) {
		room := int64(packet)
		if r.size >= r.read {
			room = min(room, r.size+1-r.read)
		}
		return r.took(r.fetch(make([]byte, room), r.read))
	}
	for len(r.parts) < 3 && r.asked <= r.size {
		come := make(chan part, 1)
		offset, buf := r.asked, make([]byte, min(r.size+1-r.asked, partSize))
		go func() { come <- r.fetch(buf, offset) }() // ends within the timeout; Close waits for it
		r.parts = append(r.parts, come)
		r.asked += int64(len(buf))
	}
	first := r.parts[0]
	r.parts = r.parts[1:]
	return r.took(<-first)
}

func (r *reader) took(p part) error {
	if p.err != nil {
		return p.err
	}
	r.rest, r.end = p.data, p.end
	r.read += int64(len(p.data))
	r.asked = max(r.asked, r.read)
	return nil
}

func (r *reader) fetch(buf []byte, offset int64) part {
	n, end, err := r.at(buf, offset)
	return part{buf[:n], end, err}
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
		for _, p := range r.parts {
			<-p
		}
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
