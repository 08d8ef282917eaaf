package mappers

import (
	"errors"
	"io"

	"einvoice/mappers/seen"
)

// regrouped gives the rows of a table in groups of the same key, in the order in
// which keys first appear. Rows wait in a temporary file, and so do their places
// and the keys, when there are many.
type regrouped struct {
	rows   rowReader
	keys   *seen.Set // the number of each group
	order  *seen.Sorter
	spill  *spill
	at     int64
	filled bool
	key    func(*row) string
	down   bool // a row without key belongs to the one before
	groups int
	last   string // key
	temp   string
}

var _ rowReader = (*regrouped)(nil)

func newRegrouped(rows rowReader, key func(*row) string, fillDown bool, tempDir string) *regrouped {
	return &regrouped{rows: rows, key: key, down: fillDown, temp: tempDir, keys: seen.New(tempDir), order: seen.NewSorter(tempDir)}
}

func (r *regrouped) next() (*row, error) {
	if !r.filled {
		if err := r.fill(); err != nil {
			return nil, err
		}
		r.filled = true
	}
	if r.at == r.order.Len() {
		return nil, io.EOF
	}
	_, place, err := r.order.At(r.at)
	if err != nil {
		return nil, err
	}
	r.at++
	return r.spill.get(place)
}

// fill reads the whole table and sorts the places of its rows.
func (r *regrouped) fill() (err error) {
	if r.spill, err = newSpill(r.temp); err != nil {
		return err
	}
	group := 0
	for {
		one, err := r.rows.next()
		if err == io.EOF {
			return errors.Join(r.spill.flush(), r.order.Done())
		}
		if err != nil {
			return err
		}
		key := r.key(one)
		if group, err = r.group(key, group); err != nil {
			return err
		}
		one.Total = key == "" && isTotal(one)
		place, err := r.spill.put(one)
		if err != nil {
			return err
		}
		if err := r.order.Add(uint64(group), place); err != nil {
			return err
		}
	}
}

// group numbers the groups from 1; before is that of the row before, 0 for none.
func (r *regrouped) group(key string, before int) (int, error) {
	if before > 0 && (key == "" && r.down || key != "" && key == r.last) {
		return before, nil
	}
	r.last = key
	if key != "" {
		first, known, err := seenBefore(r.keys, []byte(key), firstSeen{ordinal: r.groups + 1})
		if known || err != nil {
			return first.ordinal, err
		}
	}
	r.groups++
	return r.groups, nil
}

// Close removes the temporary files.
func (r *regrouped) Close() error {
	if r.spill != nil {
		r.spill.close()
	}
	return errors.Join(r.keys.Close(), r.order.Close(), r.rows.Close())
}
