package mappers

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// regrouped gives the rows of a table in groups of the same key, in the order in
// which keys first appear. Rows wait in a temporary file; only their places are
// kept in memory.
type regrouped struct {
	rows   rowReader
	spill  *os.File
	order  []int64 // offsets of the rows, group by group
	at     int
	filled bool
	key    func(*row) string
	down   bool // a row without key belongs to the one before
	temp   string
}

var _ rowReader = (*regrouped)(nil)

func newRegrouped(rows rowReader, key func(*row) string, fillDown bool, tempDir string) *regrouped {
	return &regrouped{rows: rows, key: key, down: fillDown, temp: tempDir}
}

func (r *regrouped) next() (*row, error) {
	if !r.filled {
		if err := r.fill(); err != nil {
			return nil, err
		}
		r.filled = true
	}
	if r.at == len(r.order) {
		return nil, io.EOF
	}
	out := &row{}
	section := io.NewSectionReader(r.spill, r.order[r.at], 1<<62)
	if err := json.NewDecoder(bufio.NewReader(section)).Decode(out); err != nil {
		return nil, fmt.Errorf("read regrouped row: %w", err)
	}
	r.at++
	return out, nil
}

// fill reads the whole table and sorts the places of its rows.
func (r *regrouped) fill() (err error) {
	r.spill, err = os.CreateTemp(r.temp, "regroup-*.tmp")
	if err != nil {
		return fmt.Errorf("make temporary file: %w", err)
	}
	groups, index, last := [][]int64{}, map[string]int{}, -1
	out := &countingWriter{w: bufio.NewWriterSize(r.spill, 256<<10)}
	encode := json.NewEncoder(out)
	for {
		one, err := r.rows.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		key := r.key(one)
		at, known := index[key]
		switch {
		case key == "" && r.down && last >= 0:
			at = last
		case key == "" || !known:
			at = len(groups)
			groups = append(groups, nil)
			index[key] = at
		}
		last = at
		one.Total = key == "" && isTotal(one)
		groups[at] = append(groups[at], out.n)
		if err := encode.Encode(one); err != nil {
			return fmt.Errorf("write regrouped row: %w", err)
		}
	}
	for _, g := range groups {
		r.order = append(r.order, g...)
	}
	return out.w.Flush()
}

// Close removes the temporary file.
func (r *regrouped) Close() error {
	if r.spill != nil {
		r.spill.Close()
		os.Remove(r.spill.Name())
	}
	return r.rows.Close()
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
