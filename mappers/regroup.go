package mappers

import "io"

// regrouped gives the rows of a table in groups of the same key, in the order in
// which keys first appear. Rows wait in a temporary file; only their places are
// kept in memory.
type regrouped struct {
	rows   rowReader
	spill  *spill
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
	out, err := r.spill.get(r.order[r.at])
	if err != nil {
		return nil, err
	}
	r.at++
	return out, nil
}

// fill reads the whole table and sorts the places of its rows.
func (r *regrouped) fill() (err error) {
	if r.spill, err = newSpill(r.temp); err != nil {
		return err
	}
	groups, index, last := [][]int64{}, map[string]int{}, -1
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
		place, err := r.spill.put(one)
		if err != nil {
			return err
		}
		groups[at] = append(groups[at], place)
	}
	for _, g := range groups {
		r.order = append(r.order, g...)
	}
	return r.spill.flush()
}

// Close removes the temporary file.
func (r *regrouped) Close() error {
	if r.spill != nil {
		r.spill.close()
	}
	return r.rows.Close()
}
