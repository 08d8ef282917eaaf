package seen

import (
	"fmt"
	"hash/maphash"
	"os"
	"runtime"
	"testing"
)

func TestEveryKeyIsKnownAndNoOther(t *testing.T) {
	dir := t.TempDir()
	s := New(dir)
	const n = 300_000 // enough for two merges
	for i := range n {
		before, known, err := s.Put(fmt.Appendf(nil, "FA%07d", i), fmt.Append(nil, i))
		if err != nil || known {
			t.Fatal(i, before, known, err)
		}
	}
	for i := 0; i < n; i += 997 {
		before, known, err := s.Put(fmt.Appendf(nil, "FA%07d", i), []byte("again"))
		if err != nil || !known || string(before) != fmt.Sprint(i) {
			t.Fatal(i, before, known, err)
		}
	}
	if len(s.runs) >= 3*fanIn {
		t.Errorf("%d runs to search", len(s.runs))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Error(left, err)
	}
}

// Two keys with one hash are two keys: no invoice is refused for a coincidence.
func TestAHashIsNoProof(t *testing.T) {
	s := New(t.TempDir())
	defer s.Close()
	for i := range maxHeld {
		if _, _, err := s.Put(fmt.Append(nil, "a", i), nil); err != nil {
			t.Fatal(err)
		}
	}
	// Every place of the run gets the hash of a key that is not in the set.
	for i := range s.filter {
		s.filter[i] = ^uint64(0)
	}
	var all []entry
	places := map[int64]bool{}
	for e := range merged(s.runs, new(error)) {
		places[e.at] = true
		all = append(all, entry{hashOf(s, "b"), e.at})
	}
	one, err := writeRun(s.dir, 0, func(yield func(entry) bool) {
		for _, e := range all {
			if !yield(e) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	s.runs = append(s.runs, one)
	if _, known, err := s.Put([]byte("b"), nil); known || err != nil {
		t.Fatal("taken for another key", err)
	}
}

func TestMemoryStaysFlat(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	s := New(t.TempDir())
	defer s.Close()
	var early uint64
	for i := range 400_000 {
		if i == 50_000 {
			early = heap()
		}
		if _, _, err := s.Put(fmt.Appendf(nil, "732829320 FA%09d 2026", i), []byte("12 345")); err != nil {
			t.Fatal(err)
		}
	}
	if late := heap(); late > early+1<<20 {
		t.Errorf("%d KiB more after eight times as many keys", (late-early)>>10)
	}
}

func BenchmarkPut(b *testing.B) {
	s := New(b.TempDir())
	defer s.Close()
	i := 0
	for b.Loop() {
		i++
		if _, known, err := s.Put(fmt.Appendf(nil, "FA%09d", i), []byte("1 2")); known || err != nil {
			b.Fatal(err)
		}
	}
}

func hashOf(s *Set, key string) uint64 { return maphash.String(s.seed, key) }

func TestHeldKeysWithOneHashAreTwo(t *testing.T) {
	var h held
	for i := range 1000 {
		h.add(7, fmt.Append(nil, i), fmt.Append(nil, -i))
	}
	for i := range 1000 {
		if at, known := h.find(7, fmt.Append(nil, i)); !known || string(at) != fmt.Sprint(-i) {
			t.Fatal(i, at, known)
		}
	}
	if at, known := h.find(7, []byte("x")); known {
		t.Error("taken for", at)
	}
}

func TestPlacesComeInTheOrderOfTheirNumbers(t *testing.T) {
	for _, n := range []int{0, 1, 1000, 200_000} {
		dir := t.TempDir()
		s := NewSorter(dir)
		for i := range n {
			if err := s.Add(uint64(i*7919%(n/3+1)), int64(i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Done(); err != nil || s.Len() != int64(n) {
			t.Fatal(s.Len(), err)
		}
		lastNumber, lastPlace := uint64(0), int64(-1)
		for i := range s.Len() {
			number, place, err := s.At(i)
			if err != nil || number < lastNumber || number == lastNumber && place <= lastPlace || number != uint64(int(place)*7919%(n/3+1)) {
				t.Fatal(n, i, number, place, err)
			}
			if first, err := s.Find(number); number > lastNumber && i%97 == 0 && (first != i || err != nil) {
				t.Fatal(first, i, err)
			}
			lastNumber, lastPlace = number, place
		}
		if at, err := s.Find(lastNumber + 1); at != s.Len() || err != nil {
			t.Error(at, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Error(left, err)
		}
	}
}
