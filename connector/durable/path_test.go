package durable

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

func TestMkdirAllMakesWhatIsMissing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b", "c")
	for range 2 {
		if err := MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "file")
	put(t, file, "x")
	if err := MkdirAll(file, 0o755); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file: error %v, want fs.ErrExist", err)
	}
	if err := MkdirAll(filepath.Join(file, "sub"), 0o755); err == nil {
		t.Error("a folder was made below a file")
	}
}

func TestRenameMovesFoldersToo(t *testing.T) {
	root := t.TempDir()
	build, final := filepath.Join(root, ".build", "1"), filepath.Join(root, "invoice")
	if err := MkdirAll(build, 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(build, "invoice.json"), "{}")
	if err := Rename(build, final); err != nil {
		t.Fatal(err)
	}
	wantFile(t, filepath.Join(final, "invoice.json"), "{}")
	wantAbsent(t, build)
}

func TestMoveNeverReplaces(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	put(t, from, "new")
	put(t, to, "old")
	for name, move := range map[string]func(string, string) error{
		"by rename": Move, "by copy": moveByCopy, "checked": renameNew,
	} {
		if err := move(from, to); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: error %v, want fs.ErrExist", name, err)
		}
	}
	wantFile(t, from, "new")
	wantFile(t, to, "old")
	wantNames(t, dir, "a", "b")
	if err := Move(from, filepath.Join(dir, "c")); err != nil {
		t.Fatal(err)
	}
	wantNames(t, dir, "b", "c")
}

func TestMoveToAnotherVolumeCopiesAndVerifies(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "a"), filepath.Join(dir, "archive")
	put(t, from, "content")
	old := time.Date(2020, 5, 1, 0, 0, 0, 0, time.UTC)
	if err := os.Chtimes(from, old, old); err != nil {
		t.Fatal(err)
	}
	if err := moveByCopy(from, to); err != nil {
		t.Fatal(err)
	}
	wantNames(t, dir, "archive")
	wantFile(t, to, "content")
	if info, _ := os.Stat(to); !info.ModTime().Equal(old) {
		t.Errorf("the archive shows %v as the file's time, want %v", info.ModTime(), old)
	}
}

func TestCopyThatDiffersIsFound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "copy")
	put(t, path, "content")
	for content, same := range map[string]bool{"content": true, "Content": false, "longer content": false} {
		sum := sha256.New()
		sum.Write([]byte(content))
		if err := verify(path, sum, int64(len(content))); (err == nil) != same {
			t.Errorf("copy of %q: %v", content, err)
		}
	}
}

func TestMoveBetweenRealVolumes(t *testing.T) {
	shm, err := os.MkdirTemp("/dev/shm", "durable")
	if err != nil {
		t.Skipf("no second volume: %v", err)
	}
	defer os.RemoveAll(shm)
	from, to := filepath.Join(t.TempDir(), "a"), filepath.Join(shm, "b")
	put(t, from, "content")
	if err := Move(from, to); err != nil {
		t.Fatal(err)
	}
	wantFile(t, to, "content")
	wantAbsent(t, from)
}

func TestFileThatChangesWhileItIsCopiedStays(t *testing.T) {
	dir := t.TempDir()
	from := filepath.Join(dir, "a")
	put(t, from, "one")
	before, err := os.Lstat(from)
	if err != nil {
		t.Fatal(err)
	}
	if !unchanged(before, before, 3) {
		t.Error("an unchanged file counts as changed")
	}
	put(t, from, "longer")
	grown, _ := os.Lstat(from)
	if unchanged(before, grown, 3) {
		t.Error("a file that grew counts as unchanged: it would be removed")
	}
	other := filepath.Join(dir, "b")
	put(t, other, "new")
	if err := os.Chtimes(other, before.ModTime(), before.ModTime()); err != nil {
		t.Fatal(err)
	}
	swapped, _ := os.Lstat(other)
	if unchanged(before, swapped, 3) {
		t.Error("another file of the same size and time counts as unchanged")
	}
}

func TestRemoveOfAnAbsentFileIsFine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	put(t, path, "x")
	for range 2 {
		if err := Remove(path); err != nil {
			t.Error(err)
		}
	}
	wantAbsent(t, path)
}

func TestFolderWithoutReadingRightsCanBeWrittenTo(t *testing.T) {
	if runtime.GOOS == "windows" || os.Getuid() == 0 {
		t.Skip("rights do not bind this account")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o300); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o700)
	if err := WriteFile(filepath.Join(dir, "a"), []byte("x"), 0o644); err != nil {
		t.Error(err)
	}
}

func TestPatienceHasAnEnd(t *testing.T) {
	held, other := errors.New("sharing violation"), errors.New("no such file")
	passes := func(err error) bool { return err == held }
	for name, c := range map[string]struct {
		errs  []error
		want  error
		tries int
	}{
		"free at once":         {[]error{nil}, nil, 1},
		"free at the third":    {[]error{held, held, nil}, nil, 3},
		"wrong for good":       {[]error{held, other}, other, 2},
		"held for ever":        {nil, held, len(pauses) + 1},
		"free in the very end": {append(repeat(held, len(pauses)), nil), nil, len(pauses) + 1},
	} {
		tries, slept := 0, time.Duration(0)
		err := patiently(func() error {
			tries++
			if len(c.errs) == 0 {
				return held
			}
			return c.errs[tries-1]
		}, passes, func(d time.Duration) { slept += d })
		if err != c.want || tries != c.tries || slept > 2*time.Second {
			t.Errorf("%s: %v after %d tries and %v; want %v after %d", name, err, tries, slept, c.want, c.tries)
		}
	}
}

func repeat(err error, n int) []error {
	all := make([]error, n)
	for i := range all {
		all[i] = err
	}
	return all
}

// TestAMoveThatBrokeOffIsFinished: the copy on another volume stands and the
// original was not removed yet, or a power cut left the file under both names.
// Other bytes under that name stay what they are.
func TestAMoveThatBrokeOffIsFinished(t *testing.T) {
	t.Run("by copy", func(t *testing.T) { testMoveIsFinished(t, moveByCopy) })
	t.Run("by rename", func(t *testing.T) { testMoveIsFinished(t, Move) })
	t.Run("of many", func(t *testing.T) {
		testMoveIsFinished(t, func(from, to string) error {
			var names Names
			return errors.Join(names.Move(from, to), names.Sync())
		})
	})
}

func testMoveIsFinished(t *testing.T, move func(from, to string) error) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for _, c := range []struct {
		there string
		want  error
	}{{"same", nil}, {"other", fs.ErrExist}} {
		for path, text := range map[string]string{from: "same", to: c.there} {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := move(from, to); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.there, err)
		}
		if _, err := os.Stat(from); errors.Is(err, fs.ErrNotExist) != (c.want == nil) {
			t.Errorf("%s: the original: %v", c.there, err)
		}
		if got, err := os.ReadFile(to); err != nil || string(got) != c.there {
			t.Errorf("%s: the target has %q, %v", c.there, got, err)
		}
	}
}

// TestAFileThatIsMovedOntoItselfStays, by whatever path: it has one name, and the
// bytes that stand under the new one are its only ones.
func TestAFileThatIsMovedOntoItselfStays(t *testing.T) {
	dir, link := t.TempDir(), filepath.Join(t.TempDir(), "link")
	from := filepath.Join(dir, "a")
	if err := os.WriteFile(from, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	to := []string{from}
	if os.Symlink(dir, link) == nil { // Windows asks for a right
		to = append(to, filepath.Join(link, "a"))
	}
	for _, move := range []func(from, to string) error{Move, moveByCopy} {
		for _, to := range to {
			err := move(from, to)
			if _, gone := os.Stat(from); gone != nil {
				t.Fatalf("moved to %s, %v: it is gone", to, err)
			}
		}
	}
}
