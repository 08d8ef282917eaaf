package seen

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"os"
)

// entry says where a key with this hash stands.
type entry struct {
	hash uint64
	at   int64
}

const entryBytes = 16

// pageEntries are read at once when a run is searched.
const pageEntries = 256

// run is a file of entries in the order of their hashes.
type run struct {
	file  *os.File
	n     int64
	level int // how often it was merged
}

func writeRun(dir string, level int, entries iter.Seq[entry]) (run, error) {
	f, err := os.CreateTemp(dir, "seen-*.tmp")
	if err != nil {
		return run{}, fmt.Errorf("make temporary file: %w", err)
	}
	r, out := run{file: f, level: level}, bufio.NewWriterSize(f, 64<<10)
	var b [entryBytes]byte
	for e := range entries {
		binary.BigEndian.PutUint64(b[:8], e.hash)
		binary.BigEndian.PutUint64(b[8:], uint64(e.at))
		out.Write(b[:]) // the error comes up in Flush
		r.n++
	}
	if err := out.Flush(); err != nil {
		remove(f)
		return run{}, fmt.Errorf("put places of keys aside: %w", err)
	}
	return r, nil
}

// page reads up to pageEntries from the n-th on.
func (r run) page(n int64, into []byte) ([]byte, error) {
	into = into[:min(pageEntries, r.n-n)*entryBytes]
	if _, err := r.file.ReadAt(into, n*entryBytes); err != nil {
		return nil, fmt.Errorf("read places of keys: %w", err)
	}
	return into, nil
}

// find gives the places of a hash: one as a rule.
func (r run) find(hash uint64) (places []int64, err error) {
	var buffer [pageEntries * entryBytes]byte
	low, high := int64(0), (r.n-1)/pageEntries // the page where it may begin
	for low < high {
		middle := (low + high + 1) / 2
		page, err := r.page(middle*pageEntries, buffer[:])
		if err != nil {
			return nil, err
		}
		if binary.BigEndian.Uint64(page) < hash {
			low = middle
		} else {
			high = middle - 1
		}
	}
	for n := low * pageEntries; n < r.n; n += pageEntries {
		page, err := r.page(n, buffer[:])
		if err != nil {
			return nil, err
		}
		for ; len(page) > 0; page = page[entryBytes:] {
			switch at := binary.BigEndian.Uint64(page); {
			case at == hash:
				places = append(places, int64(binary.BigEndian.Uint64(page[8:])))
			case at > hash:
				return places, nil
			}
		}
	}
	return places, nil
}

// merge makes one run of every eight of a size, so that few have to be searched.
func merge(dir string, runs []run) ([]run, error) {
	for {
		n := len(runs)
		if n < fanIn || runs[n-fanIn].level != runs[n-1].level {
			return runs, nil
		}
		one, err := mergeAll(dir, runs[n-fanIn:])
		if err != nil {
			return runs, err
		}
		runs = append(runs[:n-fanIn], one)
	}
}

// mergeAll makes one run of several and removes them.
func mergeAll(dir string, parts []run) (run, error) {
	var failed error
	one, err := writeRun(dir, parts[0].level+1, merged(parts, &failed))
	if err == nil && failed != nil {
		err = failed
		remove(one.file)
	}
	if err != nil {
		return run{}, err
	}
	for _, p := range parts {
		if err := remove(p.file); err != nil {
			return one, fmt.Errorf("remove temporary file: %w", err)
		}
	}
	return one, nil
}

// merged gives the entries of several runs in order.
func merged(parts []run, failed *error) iter.Seq[entry] {
	return func(yield func(entry) bool) {
		var ins []*bufio.Reader
		var heads []entry
		next := func(in *bufio.Reader) (entry, bool) {
			var b [entryBytes]byte
			if _, err := io.ReadFull(in, b[:]); err != nil {
				if err != io.EOF {
					*failed = fmt.Errorf("read places of keys: %w", err)
				}
				return entry{}, false
			}
			return entry{binary.BigEndian.Uint64(b[:8]), int64(binary.BigEndian.Uint64(b[8:]))}, true
		}
		for _, p := range parts {
			in := bufio.NewReaderSize(io.NewSectionReader(p.file, 0, p.n*entryBytes), 16<<10)
			if head, ok := next(in); ok {
				ins, heads = append(ins, in), append(heads, head)
			}
		}
		for len(ins) > 0 {
			least := 0
			for i := range heads {
				if heads[i].hash < heads[least].hash {
					least = i
				}
			}
			if !yield(heads[least]) {
				return
			}
			var ok bool
			if heads[least], ok = next(ins[least]); !ok {
				ins = append(ins[:least], ins[least+1:]...)
				heads = append(heads[:least], heads[least+1:]...)
			}
		}
	}
}
