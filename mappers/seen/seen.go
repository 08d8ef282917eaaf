// Package seen remembers, for any number of keys, what was said of each first.
// Its memory does not grow: a few thousand keys are held, all others lie on disk.
package seen

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"slices"
	"strings"
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
	dir   string
	seed  maphash.Seed
	held  map[string]string
	bytes int

	filter filter   // of the keys on disk
	texts  *os.File // keys and values, one after the other
	end    int64    // of texts
	runs   []run    // places in texts, the longest runs first
}

// New makes a set whose files lie in dir, "" being the system's.
func New(dir string) *Set {
	return &Set{dir: dir, seed: maphash.MakeSeed(), held: map[string]string{}}
}

// Put remembers a value, unless the key has one: then that is given.
func (s *Set) Put(key, value string) (before string, known bool, err error) {
	if before, known = s.held[key]; known {
		return before, true, nil
	}
	if s.texts != nil {
		if before, known, err = s.onDisk(key); known || err != nil {
			return before, known, err
		}
	}
	s.held[strings.Clone(key)] = value
	s.bytes += len(key) + len(value)
	if len(s.held) >= maxHeld || s.bytes >= maxHeldBytes {
		err = s.flush()
	}
	return "", false, err
}

// onDisk looks a key up. The filter spares the disk nearly every look that
// would find nothing; what a run finds by its hash is compared as text.
func (s *Set) onDisk(key string) (string, bool, error) {
	hash := maphash.String(s.seed, key)
	if !s.filter.has(hash) {
		return "", false, nil
	}
	for _, r := range s.runs {
		places, err := r.find(hash)
		if err != nil {
			return "", false, err
		}
		for _, at := range places {
			text, value, err := s.text(at)
			if err != nil || text == key {
				return value, err == nil, err
			}
		}
	}
	return "", false, nil
}

// flush puts what is held on disk.
func (s *Set) flush() (err error) {
	if s.texts == nil {
		if s.texts, err = os.CreateTemp(s.dir, "seen-*.tmp"); err != nil {
			return fmt.Errorf("make temporary file: %w", err)
		}
		s.filter = newFilter()
	}
	entries := make([]entry, 0, len(s.held))
	out := bufio.NewWriterSize(s.texts, 64<<10)
	for key, value := range s.held {
		hash := maphash.String(s.seed, key)
		s.filter.add(hash)
		entries = append(entries, entry{hash, s.end})
		record := binary.AppendUvarint(nil, uint64(len(key)))
		record = append(binary.AppendUvarint(append(record, key...), uint64(len(value))), value...)
		out.Write(record) // the error comes up in Flush
		s.end += int64(len(record))
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("put keys aside: %w", err)
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.hash, b.hash) })
	one, err := s.writeRun(0, slices.Values(entries))
	if err != nil {
		return err
	}
	s.runs = append(s.runs, one)
	clear(s.held)
	s.bytes = 0
	return s.merge()
}

// text reads the key and the value at a place.
func (s *Set) text(at int64) (key, value string, err error) {
	in := bufio.NewReaderSize(io.NewSectionReader(s.texts, at, s.end-at), 512)
	var parts [2]string
	for i := range parts {
		n, err := binary.ReadUvarint(in)
		if err != nil {
			return "", "", fmt.Errorf("read keys put aside: %w", err)
		}
		b := make([]byte, n)
		if _, err := io.ReadFull(in, b); err != nil {
			return "", "", fmt.Errorf("read keys put aside: %w", err)
		}
		parts[i] = string(b)
	}
	return parts[0], parts[1], nil
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
