package mappers

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// spill keeps rows in a temporary file, so that a table of any length takes
// little memory: only their places are kept.
type spill struct {
	file *os.File
	out  *countingWriter
	enc  *json.Encoder
}

func newSpill(dir string) (*spill, error) {
	f, err := os.CreateTemp(dir, "rows-*.tmp")
	if err != nil {
		return nil, fmt.Errorf("make temporary file: %w", err)
	}
	out := &countingWriter{w: bufio.NewWriterSize(f, 256<<10)}
	return &spill{file: f, out: out, enc: json.NewEncoder(out)}, nil
}

// put writes a row and gives its place.
func (s *spill) put(r *row) (int64, error) {
	at := s.out.n
	if err := s.enc.Encode(r); err != nil {
		return 0, fmt.Errorf("write row aside: %w", err)
	}
	return at, nil
}

// flush must come between the last put and the first get.
func (s *spill) flush() error { return s.out.w.Flush() }

func (s *spill) get(at int64) (*row, error) {
	r := &row{}
	in := json.NewDecoder(bufio.NewReader(io.NewSectionReader(s.file, at, 1<<62)))
	if err := in.Decode(r); err != nil {
		return nil, fmt.Errorf("read row again: %w", err)
	}
	r.size = int(in.InputOffset())
	return r, nil
}

// close removes the file.
func (s *spill) close() {
	s.file.Close()
	os.Remove(s.file.Name())
}

type countingWriter struct {
	w *bufio.Writer
	n int64
}

func (c *countingWriter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}
