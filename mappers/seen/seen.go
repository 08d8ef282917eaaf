// Package seen remembers, for any number of keys, what was said of each first,
// and sorts any number of places. Its memory does not grow: a few thousand are
// held, all others lie on disk.
package seen

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"slices"
)

// Bounds of what is held in memory, in keys and in bytes.
const (
	maxHeld      = 16 << 10
	maxHeldBytes = 1 << 20
	fanIn        = 8 // runs of one size that are merged into one
)

// Set remembers values by key. The zero value is not usable; Close removes what
// it put on disk. It serves one goroutine.
type Set struct {
	dir  string
	seed maphash.Seed
	held held

	filter filter   // of the keys on disk
	texts  *os.File // keys and values, one after the other
	end    int64    // of texts
	runs   []run    // places in texts, the longest runs first
}

// New makes a set whose files lie in dir, "" being the system's.
func New(dir string) *Set {
	return &Set{dir: dir, seed: maphash.MakeSeed()}
}

// Put remembers the value of a key, unless it has one: then that is given, and
// holds until the next call. The bytes of both are copied.
func (s *Set) Put(key, value []byte) (before []byte, known bool, err error) {
	hash := maphash.Bytes(s.seed, key)
	if before, known = s.held.find(hash, key); known {
		return before, true, nil
	}
	if s.texts != nil {
		if before, known, err = s.onDisk(hash, key); known || err != nil {
			return before, known, err
		}
	}
	s.held.add(hash, key, value)
	if len(s.held.entries) >= maxHeld || len(s.held.texts) >= maxHeldBytes {
		err = s.flush()
	}
	return nil, false, err
}

// onDisk looks a key up. The filter spares the disk nearly every look that
// would find nothing; what a run finds by its hash is compared as text.
func (s *Set) onDisk(hash uint64, key []byte) ([]byte, bool, error) {
	if !s.filter.has(hash) {
		return nil, false, nil
	}
	for _, r := range s.runs {
		places, err := r.find(hash)
		if err != nil {
			return nil, false, err
		}
		for _, at := range places {
			text, value, err := s.text(at)
			if err != nil || bytes.Equal(text, key) {
				return value, err == nil, err
			}
		}
	}
	return nil, false, nil
}

// flush puts what is held on disk.
func (s *Set) flush() (err error) {
	if s.texts == nil {
		if s.texts, err = os.CreateTemp(s.dir, "seen-*.tmp"); err != nil {
			return fmt.Errorf("make temporary file: %w", err)
		}
		s.filter = newFilter()
	}
	entries := make([]entry, 0, len(s.held.entries))
	out := bufio.NewWriterSize(s.texts, 64<<10)
	var record []byte
	for i := range s.held.entries {
		e := &s.held.entries[i]
		s.filter.add(e.hash)
		entries = append(entries, entry{e.hash, s.end})
		key, value := s.held.key(e), s.held.value(e)
		record = append(binary.AppendUvarint(record[:0], uint64(len(key))), key...)
		record = append(binary.AppendUvarint(record, uint64(len(value))), value...)
		out.Write(record) // the error comes up in Flush
		s.end += int64(len(record))
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("put keys aside: %w", err)
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.hash, b.hash) })
	one, err := writeRun(s.dir, 0, slices.Values(entries))
	if err != nil {
		return err
	}
	s.runs = append(s.runs, one)
	s.held.clear()
	s.runs, err = merge(s.dir, s.runs)
	return err
}

// text reads the key and the value at an offset of texts.
func (s *Set) text(at int64) (key, value []byte, err error) {
	in := bufio.NewReaderSize(io.NewSectionReader(s.texts, at, s.end-at), 512)
	for _, part := range []*[]byte{&key, &value} {
		n, err := binary.ReadUvarint(in)
		if err == nil {
			*part = make([]byte, n)
			_, err = io.ReadFull(in, *part)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read keys put aside: %w", err)
		}
	}
	return key, value, nil
}

// Close removes the files.
func (s *Set) Close() error {
	var errs []error
	for _, r := range s.runs {
		errs = append(errs, remove(r.file))
	}
	if s.texts != nil {
		errs = append(errs, remove(s.texts))
	}
	s.runs, s.texts = nil, nil
	return errors.Join(errs...)
}

func remove(f *os.File) error {
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// filterBits is the size of the filter: with a million keys one look in five
// hundred is in vain, with ten million half of them are, and none is wrong.
const filterBits = 1 << 24

// filter is a Bloom filter of hashes.
type filter []uint64

func newFilter() filter { return make(filter, filterBits/64) }

// bits gives the four bits of a hash.
func (f filter) bits(hash uint64) [4]uint64 {
	step := hash>>32 | 1
	var all [4]uint64
	for i := range all {
		all[i] = (hash + uint64(i)*step) % filterBits
	}
	return all
}

func (f filter) add(hash uint64) {
	for _, b := range f.bits(hash) {
		f[b/64] |= 1 << (b % 64)
	}
}

func (f filter) has(hash uint64) bool {
	for _, b := range f.bits(hash) {
		if f[b/64]&(1<<(b%64)) == 0 {
			return false
		}
	}
	return true
}
