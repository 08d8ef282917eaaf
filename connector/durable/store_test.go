package durable

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const helloSHA = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

func openStore(t *testing.T) (*Store, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "spool")
	s, err := OpenStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s, dir
}

func TestStoreKeepsBytesUnderTheirHash(t *testing.T) {
	s, dir := openStore(t)
	b, err := s.Put(t.Context(), strings.NewReader("hello"))
	if err != nil || b != (Blob{SHA256: helloSHA, Size: 5}) {
		t.Fatalf("%+v, %v", b, err)
	}
	if want := filepath.Join(dir, "2c", helloSHA); s.Path(helloSHA) != want {
		t.Errorf("path %s, want %s", s.Path(helloSHA), want)
	}
	f, err := s.Open(helloSHA)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, _ := io.ReadAll(f); string(got) != "hello" {
		t.Errorf("read %q", got)
	}
}

func TestKnownBytesAreNotKeptTwice(t *testing.T) {
	s, dir := openStore(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := s.Put(t.Context(), strings.NewReader("hello")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	wantNames(t, dir, "2c")
	wantNames(t, filepath.Join(dir, "2c"), helloSHA)
}

func TestBlobThatIsNotWholeIsMended(t *testing.T) {
	s, dir := openStore(t)
	if err := os.MkdirAll(filepath.Join(dir, "2c"), 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, s.Path(helloSHA), "hel") // a restored backup, a lying disk
	if _, err := s.Put(t.Context(), strings.NewReader("hello")); err != nil {
		t.Fatal(err)
	}
	wantFile(t, s.Path(helloSHA), "hello")
}

func TestInterruptedPutLeavesNothing(t *testing.T) {
	s, dir := openStore(t)
	broken := errors.New("source broke")
	if _, err := s.Put(t.Context(), io.MultiReader(strings.NewReader("hel"), failing{broken})); !errors.Is(err, broken) {
		t.Errorf("error %v, want that of the source", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	endless := readerFunc(func(p []byte) (int, error) { cancel(); return copy(p, "x"), nil })
	if _, err := s.Put(ctx, endless); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	wantNames(t, dir)
}

func TestWriterRemovesWhatAKilledProcessLeftAndAReaderDoesNot(t *testing.T) {
	s, dir := openStore(t)
	leftover := ".put.tmp-abcdefgh-abcdefgh"
	put(t, filepath.Join(dir, leftover), "half")
	if _, err := OpenStore(dir); err != nil {
		t.Fatal(err)
	}
	wantNames(t, dir, leftover)
	if _, err := s.Put(t.Context(), strings.NewReader("hello")); err != nil {
		t.Fatal(err)
	}
	wantNames(t, dir, "2c")
}

func TestWalkShowsBlobsAndNothingElse(t *testing.T) {
	s, dir := openStore(t)
	for _, content := range []string{"hello", "", "world"} {
		if _, err := s.Put(t.Context(), strings.NewReader(content)); err != nil {
			t.Fatal(err)
		}
	}
	put(t, filepath.Join(dir, "2c", "notes.txt"), "a person's")
	put(t, filepath.Join(dir, "notes.txt"), "a person's")
	var total int64
	var before string
	err := s.Walk(func(sha string, size int64, modified time.Time) error {
		if sha <= before || modified.IsZero() {
			t.Errorf("%s of %v after %s", sha, modified, before)
		}
		total, before = total+size, sha
		return s.Remove(sha)
	})
	if err != nil || total != 10 {
		t.Errorf("walked over %d bytes, %v; want 10", total, err)
	}
	if err := s.Remove(helloSHA); err != nil {
		t.Errorf("removing an absent blob: %v", err)
	}
	stop := errors.New("stop")
	if _, err := s.Put(t.Context(), strings.NewReader("hello")); err != nil {
		t.Fatal(err)
	}
	if err := s.Walk(func(string, int64, time.Time) error { return stop }); err != stop {
		t.Errorf("error %v, want that of the function", err)
	}
}

func TestNothingButAHashIsLookedUp(t *testing.T) {
	s, dir := openStore(t)
	secret := filepath.Join(filepath.Dir(dir), "secret")
	put(t, secret, "x")
	for _, sha := range []string{"", "2c", "../secret", strings.ToUpper(helloSHA), helloSHA + "/..", helloSHA} {
		if f, err := s.Open(sha); !errors.Is(err, fs.ErrNotExist) {
			f.Close()
			t.Errorf("open %q: error %v, want fs.ErrNotExist", sha, err)
		}
		if err := s.Remove(sha); err != nil {
			t.Errorf("remove %q: %v", sha, err)
		}
	}
	wantFile(t, secret, "x")
}

func TestPutStreams(t *testing.T) {
	s, _ := openStore(t)
	part := bytes.Repeat([]byte("0123456789abcdef"), 4096)
	left := 256 // parts: 16 MiB in all
	r := readerFunc(func(p []byte) (int, error) {
		if left == 0 {
			return 0, io.EOF
		}
		left--
		return copy(p, part), nil
	})
	allocated := testing.AllocsPerRun(1, func() {
		left = 256
		if _, err := s.Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	})
	if allocated > 2000 {
		t.Errorf("%v allocations for 256 reads: memory grows with the file", allocated)
	}
}
