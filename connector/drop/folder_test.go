package drop_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"einvoice/connector/drop"
	"einvoice/connector/drop/droptest"
)

func TestFolderIsAPlace(t *testing.T) {
	droptest.Run(t, func(t *testing.T) drop.Place {
		place, _ := newFolder(t)
		return place
	})
}

// newFolder is a folder with an archive that is not made yet.
func newFolder(t *testing.T) (*drop.Folder, string) {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "à envoyer")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := drop.NewFolder(dir, filepath.Join(root, "archives"))
	if err != nil {
		t.Fatal(err)
	}
	return f, dir
}

func put(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFolderOffersOnlyRegularFilesOfItsOwn(t *testing.T) {
	f, dir := newFolder(t)
	secret := filepath.Join(filepath.Dir(dir), "secret.csv")
	put(t, filepath.Dir(dir), "secret.csv", "secret")
	put(t, dir, "a.csv", "a")
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	links := map[string]string{"out.csv": secret, "in.csv": filepath.Join(dir, "a.csv"), "rel.csv": "a.csv"}
	for name, target := range links {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
	}
	all, err := f.List(t.Context())
	if err != nil || len(all) != 1 || all[0].Name != "a.csv" {
		t.Errorf("list: %v, %v; want a.csv alone", all, err)
	}
	for _, name := range []string{"out.csv", "in.csv", "rel.csv", "sub"} {
		if r, err := f.Open(t.Context(), name); err == nil {
			r.Close()
			t.Errorf("%s was opened, though it is no file of the folder", name)
		}
		if err := f.Retire(t.Context(), name, name); err == nil {
			t.Errorf("%s was retired, though it is no file of the folder", name)
		}
	}
	if err := f.Remove(t.Context(), "sub"); err == nil {
		t.Error("a sub-folder was removed")
	}
	if err := f.Publish(t.Context(), "out.csv", strings.NewReader("answer")); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(secret); string(b) != "secret" {
		t.Errorf("publishing through a link wrote %q outside the folder", b)
	}
}

func TestFolderThatIsAwayIsBusyAndNotMade(t *testing.T) {
	root := t.TempDir()
	f, err := drop.NewFolder(filepath.Join(root, "mount", "drop"), filepath.Join(root, "mount", "archive"))
	if err != nil {
		t.Fatal(err)
	}
	_, listErr := f.List(t.Context())
	_, openErr := f.Open(t.Context(), "a.csv")
	for verb, err := range map[string]error{
		"list": listErr, "open": openErr,
		"publish": f.Publish(t.Context(), "a.csv", strings.NewReader("a")),
		"retire":  f.Retire(t.Context(), "a.csv", "a.csv"),
	} {
		if !errors.Is(err, drop.ErrBusy) {
			t.Errorf("%s: error %v, want ErrBusy", verb, err)
		}
	}
	if _, err := os.Stat(filepath.Join(root, "mount")); err == nil {
		t.Error("the folder was made under the mount point of an absent share")
	}
}

func TestArchiveOnAnAbsentShareKeepsTheOriginal(t *testing.T) {
	f, dir := newFolder(t)
	put(t, dir, "a.csv", "a")
	away, err := drop.NewFolder(dir, filepath.Join(t.TempDir(), "not", "mounted", "archive"))
	if err != nil {
		t.Fatal(err)
	}
	if err := away.Retire(t.Context(), "a.csv", "a.csv"); !errors.Is(err, drop.ErrBusy) {
		t.Errorf("error %v, want ErrBusy", err)
	}
	if r, err := f.Open(t.Context(), "a.csv"); err != nil {
		t.Errorf("the original is gone: %v", err)
	} else {
		r.Close()
	}
}

func TestFolderWithoutArchiveRetiresNothing(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "a.csv", "a")
	f, err := drop.NewFolder(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Retire(t.Context(), "a.csv", "a.csv"); err == nil || errors.Is(err, drop.ErrBusy) {
		t.Errorf("error %v, want one that is not ErrBusy", err)
	}
}

func TestArchiveMustBeAnotherFolder(t *testing.T) {
	dir := t.TempDir()
	if _, err := drop.NewFolder(dir, filepath.Join(dir, "x", "..")); err == nil {
		t.Error("a folder that is its own archive was accepted")
	}
	if _, err := drop.NewFolder("", ""); err == nil {
		t.Error("an empty path was accepted: it would be the working folder")
	}
}

func TestPublishLeavesNothingBehindWhenItFails(t *testing.T) {
	f, dir := newFolder(t)
	broken := io.MultiReader(strings.NewReader("half"), failing{})
	if err := f.Publish(t.Context(), "a.csv", broken); err == nil {
		t.Fatal("no error")
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("source broke") }

func TestProbeTellsWhatCannotBeRead(t *testing.T) {
	if runtime.GOOS == "windows" || os.Getuid() == 0 {
		t.Skip("rights do not bind this account")
	}
	f, dir := newFolder(t)
	put(t, dir, "a.csv", "a")
	if err := os.Chmod(filepath.Join(dir, "a.csv"), 0); err != nil {
		t.Fatal(err)
	}
	if err := f.Probe(t.Context(), "a.csv"); !errors.Is(err, fs.ErrPermission) || errors.Is(err, drop.ErrBusy) {
		t.Errorf("error %v, want fs.ErrPermission", err)
	}
}

func TestOwnerIsNamed(t *testing.T) {
	f, dir := newFolder(t)
	put(t, dir, "a.csv", "a")
	if f.OwnerOf("a.csv") == "" {
		t.Error("no owner")
	}
	if got := f.OwnerOf("absent.csv"); got != "" {
		t.Errorf("owner %q of an absent file", got)
	}
}

func TestSeveralFilesAppearUpToTheFirstThatFails(t *testing.T) {
	f, dir := newFolder(t)
	files := []drop.File{{"a.csv", strings.NewReader("a")}, {"b.csv", strings.NewReader("b")}, {"c.csv", failing{}}, {"d.csv", strings.NewReader("d")}}
	n, err := f.PublishAll(t.Context(), files)
	if n != 2 || err == nil {
		t.Errorf("%d published, %v", n, err)
	}
	var names []string
	all, _ := os.ReadDir(dir)
	for _, e := range all {
		names = append(names, e.Name())
	}
	if strings.Join(names, " ") != "a.csv b.csv" {
		t.Errorf("in the folder: %v; a later file must not overtake, and nothing hidden may stay", names)
	}
	if n, err := f.PublishAll(t.Context(), nil); n != 0 || err != nil {
		t.Errorf("nothing to do: %d, %v", n, err)
	}
}

func TestSeveralFilesAreRetiredEachOnItsOwn(t *testing.T) {
	f, dir := newFolder(t)
	for _, name := range []string{"a.csv", "b.csv", "c.csv"} {
		put(t, dir, name, name)
	}
	if err := f.Retire(t.Context(), "a.csv", "2026-11/a.csv"); err != nil {
		t.Fatal(err)
	}
	put(t, dir, "a.csv", "again")
	errs := f.RetireAll(t.Context(), []drop.Moved{{"a.csv", "2026-11/a.csv"}, {"b.csv", "2026-11/b.csv"}, {"x.csv", "2026-11/x.csv"}, {"c.csv", "2026-12/c.csv"}})
	if !errors.Is(errs[0], fs.ErrExist) || errs[1] != nil || !errors.Is(errs[2], fs.ErrNotExist) || errs[3] != nil {
		t.Errorf("errors %v", errs)
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "a.csv")); string(b) != "again" {
		t.Errorf("what could not be retired is %q", b)
	}
}
