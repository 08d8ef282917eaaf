package durable

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestWriteFileReplacesWhole(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "état.csv")
	for _, content := range []string{"a long first version", "second", ""} {
		if err := WriteFile(path, []byte(content), 0o640); err != nil {
			t.Fatal(err)
		}
		wantFile(t, path, content)
	}
	wantNames(t, dir, "état.csv")
}

func TestFailingSourceLeavesTheOldFileAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.csv")
	if err := WriteFile(path, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("source broke")
	for _, target := range []string{path, filepath.Join(dir, "new.csv")} {
		if _, err := WriteFrom(target, io.MultiReader(strings.NewReader("half"), failing{broken}), 0o644); !errors.Is(err, broken) {
			t.Errorf("error %v, want that of the source", err)
		}
	}
	wantFile(t, path, "old")
	wantNames(t, dir, "a.csv")
}

func TestNothingIsSeenBeforeItIsWhole(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.csv")
	watched := readerFunc(func(p []byte) (int, error) {
		names := list(t, dir)
		if len(names) != 1 || !tempName.MatchString(names[0]) {
			t.Errorf("while writing the folder shows %q, want one hidden temporary file", names)
		}
		return copy(p, "x"), io.EOF
	})
	if n, err := WriteFrom(path, watched, 0o644); err != nil || n != 1 {
		t.Errorf("%d bytes, %v", n, err)
	}
	wantFile(t, path, "x")
}

func TestBytesThatAShareDropsInSilenceAreMissed(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.csv")
	content := strings.NewReader("12345")
	dropping := readerFunc(func(p []byte) (int, error) {
		n, err := content.Read(p)
		if err == io.EOF {
			if err := os.Truncate(filepath.Join(dir, list(t, dir)[0]), 3); err != nil {
				t.Error(err)
			}
		}
		return n, err
	})
	if _, err := WriteFrom(path, dropping, 0o644); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("error %v, want io.ErrShortWrite", err)
	}
	wantNames(t, dir)
}

func TestVeryLongNameCanBeWritten(t *testing.T) {
	dir := t.TempDir()
	name := strings.Repeat("é", 120) + ".csv"
	if err := WriteFile(filepath.Join(dir, name), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	wantNames(t, dir, name)
}

func TestOnlyLeftoversOfEarlierProcessesAreRemoved(t *testing.T) {
	dir := t.TempDir()
	own, err := createTemp(filepath.Join(dir, "a.csv"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	own.Close()
	for _, name := range []string{".a.csv.tmp-abcdefgh-abcdefgh", "a.csv", ".a.csv.tmp-1", ".hidden"} {
		put(t, filepath.Join(dir, name), "x")
	}
	if err := RemoveLeftovers(dir, time.Hour); err != nil {
		t.Fatal(err)
	}
	if n := len(list(t, dir)); n != 5 {
		t.Errorf("%d files left, want all 5: they are too young", n)
	}
	if err := RemoveLeftovers(dir, 0); err != nil {
		t.Fatal(err)
	}
	wantNames(t, dir, filepath.Base(own.Name()), "a.csv", ".a.csv.tmp-1", ".hidden")
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func wantFile(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s holds %q, %v; want %q", filepath.Base(path), got, err, want)
	}
}

func wantAbsent(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is there: %v", filepath.Base(path), err)
	}
}

func list(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func wantNames(t *testing.T, dir string, want ...string) {
	t.Helper()
	got := map[string]bool{}
	for _, name := range list(t, dir) {
		got[name] = true
	}
	for _, name := range want {
		if !got[name] {
			t.Errorf("%s is missing", name)
		}
		delete(got, name)
	}
	for name := range got {
		t.Errorf("%s was left behind", name)
	}
}
