package seen

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
	"sort"
)

// Sorter puts numbered places into the order of their numbers, however many:
// some thousand are held, all others lie on disk. The places of one number come
// in the order of places. It serves one goroutine; Close removes its files.
type Sorter struct {
	dir  string
	held []entry
	runs []run // until Done, then one or none
	n    int64

	page []byte // the entries that At read last, and the number of the first
	from int64
}

// NewSorter makes a sorter whose files lie in dir, "" being the system's.
func NewSorter(dir string) *Sorter { return &Sorter{dir: dir} }

// Add is for use before Done.
func (s *Sorter) Add(number uint64, place int64) (err error) {
	s.held = append(s.held, entry{number, place})
	s.n++
	if len(s.held) < maxHeld {
		return nil
	}
	if err = s.flush(); err == nil {
		s.runs, err = merge(s.dir, s.runs)
	}
	return err
}

func (s *Sorter) flush() error {
	s.sort()
	one, err := writeRun(s.dir, 0, slices.Values(s.held))
	if err == nil {
		s.runs, s.held = append(s.runs, one), s.held[:0]
	}
	return err
}

func (s *Sorter) sort() {
	slices.SortFunc(s.held, func(a, b entry) int { return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.at, b.at)) })
}

// Done comes between the last Add and the first At.
func (s *Sorter) Done() error {
	if len(s.runs) == 0 {
		s.sort()
		return nil
	}
	if err := s.flush(); err != nil {
		return err
	}
	one, err := mergeAll(s.dir, s.runs)
	if err != nil {
		return err
	}
	s.runs, s.held = []run{one}, nil
	return nil
}

// Len is how many places there are.
func (s *Sorter) Len() int64 { return s.n }

// At gives the i-th place, from 0, and its number.
func (s *Sorter) At(i int64) (number uint64, place int64, err error) {
	if len(s.runs) == 0 {
		return s.held[i].hash, s.held[i].at, nil
	}
	if i < s.from || i >= s.from+int64(len(s.page)/entryBytes) {
		s.from = i - i%pageEntries
		if s.page == nil {
			s.page = make([]byte, pageEntries*entryBytes)
		}
		if s.page, err = s.runs[0].page(s.from, s.page[:cap(s.page)]); err != nil {
			return 0, 0, err
		}
	}
	b := s.page[(i-s.from)*entryBytes:]
	return binary.BigEndian.Uint64(b), int64(binary.BigEndian.Uint64(b[8:])), nil
}

// Find gives the first i whose number is not below number, Len if there is none.
func (s *Sorter) Find(number uint64) (i int64, err error) {
	found := sort.Search(int(s.n), func(i int) bool {
		n, _, failed := s.At(int64(i))
		err = errors.Join(err, failed)
		return n >= number
	})
	return int64(found), err
}

// Close removes the files.
func (s *Sorter) Close() error {
	var errs []error
	for _, r := range s.runs {
		errs = append(errs, remove(r.file))
	}
	s.runs = nil
	return errors.Join(errs...)
}
