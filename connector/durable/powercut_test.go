//go:build faults

package durable

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"einvoice/connector/fault"
)

// TestMain lets the test cut the power of a process of its own.
func TestMain(m *testing.M) {
	if dir := os.Getenv("EINVOICE_POWERCUT"); dir != "" {
		if err := promises(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// promises does what this package offers. It says after each call what must from
// then on survive a power cut, a path and the hash of its bytes ("" for an absent
// one), and before each call what may be there as well until it returns.
func promises(dir string) error {
	tell := func(word, name, content string) {
		fmt.Println(word, name, hashOf(content))
	}
	say := func(name, content string) { tell("is", name, content) }
	may := func(name, content string) { tell("may", name, content) }
	at := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	store, err := OpenStore(at("store"))
	if err != nil {
		return err
	}
	for _, step := range []struct {
		do   func() error
		ends [][2]string // path and content when it is done
	}{
		{func() error { return WriteFile(at("a"), []byte("first"), 0o600) }, [][2]string{{"a", "first"}}},
		{func() error { return WriteFile(at("a"), []byte("second"), 0o600) }, [][2]string{{"a", "second"}}},
		{func() error { return MkdirAll(at("x/y"), 0o700) }, nil},
		{func() error { return WriteFile(at("x/y/b"), []byte("deep"), 0o600) }, [][2]string{{"x/y/b", "deep"}}},
		{func() error { return WriteFile(at("x/y/e"), []byte("beside"), 0o600) }, [][2]string{{"x/y/e", "beside"}}},
		{func() error { return Move(at("x/y/b"), at("x/c")) }, [][2]string{{"x/y/b", ""}, {"x/c", "deep"}}},
		{func() error { return Rename(at("x"), at("z")) }, [][2]string{{"x/c", ""}, {"z/c", "deep"}, {"x/y/e", ""}, {"z/y/e", "beside"}}},
		{func() error { return Remove(at("a")) }, [][2]string{{"a", ""}}},
		{func() error { return WriteFile(at("z/d"), []byte("late"), 0o600) }, [][2]string{{"z/d", "late"}}},
		{func() error { return together(at) }, [][2]string{{"z/d", ""}, {"z/y/d", "late"}, {"z/f", "one of two"}, {"z/g", "other of two"}}},
	} {
		for _, end := range step.ends {
			may(end[0], end[1])
		}
		if err := step.do(); err != nil {
			return err
		}
		for _, end := range step.ends {
			say(end[0], end[1])
		}
	}
	for _, content := range []string{"blob one", "blob two", "blob one"} {
		b, err := store.Put(context.Background(), strings.NewReader(content))
		if err != nil {
			return err
		}
		say("store/"+b.SHA256[:2]+"/"+b.SHA256, content)
	}
	batch, blobs := store.Batch(), []Blob{}
	for _, content := range []string{"blob three", "blob four"} {
		b, err := batch.Put(context.Background(), strings.NewReader(content))
		if err != nil {
			return err
		}
		blobs = append(blobs, b)
	}
	if err := batch.Sync(); err != nil {
		return err
	}
	for i, content := range []string{"blob three", "blob four"} {
		say("store/"+blobs[i].SHA256[:2]+"/"+blobs[i].SHA256, content)
	}
	return nil
}

// together gives several names with one fsync a folder.
func together(at func(string) string) error {
	var names Names
	if err := names.Move(at("z/d"), at("z/y/d")); err != nil {
		return err
	}
	var files []Prepared
	for name, content := range map[string]string{"z/f": "one of two", "z/g": "other of two"} {
		p, err := Prepare(at(name), strings.NewReader(content), 0o600)
		if err != nil {
			return err
		}
		files = append(files, p)
	}
	for i, err := range SyncAll(files) {
		if err == nil {
			err = files[i].Name(&names)
		}
		if err != nil {
			return err
		}
	}
	return names.Sync()
}

// TestWhatWasPromisedSurvivesAPowerCut cuts the power at every passage of every
// point of this package: what a call had returned for is there, whole, and what
// it had removed stays away. Without an fsync of the file or of its folder, the
// cut takes it back.
func TestWhatWasPromisedSurvivesAPowerCut(t *testing.T) {
	cuts := 0
	for _, p := range fault.Points() {
		if !strings.HasPrefix(string(p), "durable.") && !strings.HasPrefix(string(p), "store.") {
			continue
		}
		for n := 1; ; n++ {
			dir := t.TempDir()
			said, ended := cutAt(t, dir, p, n)
			if ended {
				break
			}
			cuts++
			for name, want := range said {
				if got := sumOf(filepath.Join(dir, filepath.FromSlash(name))); !slices.Contains(want, got) {
					t.Errorf("%s at passage %d: %s is %s, promised was %s", p, n, name, got, want)
				}
			}
		}
	}
	if cuts < 50 {
		t.Errorf("only %d cuts", cuts)
	}
}

// cutAt runs promises until the cut and returns what may be there of each path
// of which anything was promised; ended when that point has fewer passages.
func cutAt(t *testing.T, dir string, p fault.Point, n int) (said map[string][]string, ended bool) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "EINVOICE_POWERCUT="+dir, fmt.Sprintf("EINVOICE_FAULT=%s=cut@%d", p, n), "EINVOICE_FAULT_DISK="+t.TempDir())
	var out, trouble bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &trouble
	err = cmd.Run()
	if err != nil && cmd.ProcessState.ExitCode() != 86 {
		t.Fatalf("%s at passage %d: %v\n%s", p, n, err, trouble.String())
	}
	said = map[string][]string{}
	for lines := bufio.NewScanner(&out); lines.Scan(); {
		word := strings.Fields(lines.Text())
		switch name, sum := word[1], word[2]; {
		case word[0] == "is":
			said[name] = []string{sum}
		case said[name] != nil: // nothing was promised before of the others
			said[name] = append(said[name], sum)
		}
	}
	return said, err == nil
}

func sumOf(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return hashOf("")
	}
	if len(data) == 0 {
		return "empty"
	}
	return hashOf(string(data))
}

func hashOf(content string) string {
	if content == "" {
		return "absent"
	}
	return fmt.Sprintf("%x", sha256.Sum256([]byte(content)))[:12]
}
