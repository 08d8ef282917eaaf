package sftpplace_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pkg/sftp"

	"einvoice/connector/drop"
	"einvoice/connector/drop/sftpplace"
	"einvoice/connector/drop/sftpplace/sftptest"
)

func tree(t *testing.T, s reached) (*sftpplace.Tree, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "recues")
	hosts := sftpplace.NewHosts([]sftpplace.Config{s.Section()})
	t.Cleanup(hosts.Close)
	tree, err := hosts.Tree(s.URL(dir))
	if err != nil {
		t.Fatal(err)
	}
	return tree, dir
}

// TestTree is what delivering supplier invoices asks of each server.
func TestTree(t *testing.T) {
	for name, start := range map[string]func(t *testing.T) reached{
		"pkg/sftp":        func(t *testing.T) reached { return sftptest.Start(t, sftptest.Options{}) },
		"never replacing": func(t *testing.T) reached { return sftptest.Start(t, sftptest.Options{Serve: sftptest.Strict}) },
		"OpenSSH":         func(t *testing.T) reached { return sftptest.StartSshd(t) },
		"ProFTPD":         func(t *testing.T) reached { return sftptest.StartProFTPD(t) },
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			tree, dir := tree(t, s)
			deliverOne(t, tree, dir)
		})
	}
}

func deliverOne(t *testing.T, tree *sftpplace.Tree, dir string) {
	ctx := t.Context()
	wanted := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	wanted("reach", tree.There(ctx))
	has, err := tree.Has(ctx, "2026-11")
	if has || err != nil {
		t.Fatalf("an empty tree has a month: %v", err)
	}
	if moves, err := tree.MovesFolders(ctx, ".einvoice-build-try-"); !moves || err != nil {
		t.Fatalf("moves folders %v, %v", moves, err)
	}
	wanted("write", tree.Write(ctx, ".einvoice-build-1/attachments/a b é.pdf", strings.NewReader("pdf")))
	wanted("write", tree.Write(ctx, ".einvoice-build-1/invoice.json", strings.NewReader("{}")))
	wanted("make", tree.MakeAll(ctx, "2026-11"))
	wanted("move", tree.Move(ctx, ".einvoice-build-1", "2026-11/Fournisseur"))
	got, err := os.ReadFile(filepath.Join(dir, "2026-11", "Fournisseur", "attachments", "a b é.pdf"))
	if err != nil || string(got) != "pdf" {
		t.Errorf("delivered %q, %v", got, err)
	}
	if err := tree.Move(ctx, ".einvoice-build-1", "2026-11/other"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("moving what is gone: %v, want fs.ErrNotExist", err)
	}

	wanted("make", tree.MakeAll(ctx, ".einvoice-build-2"))
	if err := tree.Move(ctx, ".einvoice-build-2", "2026-11/Fournisseur"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("moving onto a folder: %v, want fs.ErrExist", err)
	}
	wanted("make", tree.MakeAll(ctx, "2026-11/empty"))
	if err := tree.Move(ctx, ".einvoice-build-2", "2026-11/empty"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("moving onto an empty folder: %v, want fs.ErrExist", err)
	}
	wanted("write", tree.Write(ctx, "one.csv", strings.NewReader("1")))
	wanted("replace", tree.Write(ctx, "one.csv", strings.NewReader("2")))
	if err := tree.Move(ctx, "one.csv", "2026-11/Fournisseur/invoice.json"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("moving onto a file: %v, want fs.ErrExist", err)
	}
	r, err := tree.Open(ctx, "one.csv")
	wanted("open", err)
	text, err := io.ReadAll(r)
	if r.Close(); string(text) != "2" || err != nil {
		t.Errorf("read %q, %v", text, err)
	}
	removesAll(t, tree, dir)
	for _, name := range []string{"../x", "/x", "", `a\b`, "a/../../x", "a\nb"} {
		if tree.Write(ctx, name, strings.NewReader("x")) == nil || tree.Move(ctx, "one.csv", name) == nil || tree.Remove(ctx, name) == nil {
			t.Errorf("%q was accepted", name)
		}
	}
	if tree.Remove(ctx, ".") == nil {
		t.Error("the tree removes itself")
	}
}

func removesAll(t *testing.T, tree *sftpplace.Tree, dir string) {
	t.Helper()
	outside := filepath.Join(filepath.Dir(dir), "outside")
	for _, err := range []error{
		os.Mkdir(outside, 0o755), os.WriteFile(filepath.Join(outside, "kept"), nil, 0o600),
		os.Symlink(outside, filepath.Join(dir, "2026-11", "link")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := tree.Remove(t.Context(), "2026-11"); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Join(outside, "kept")); err != nil {
		t.Errorf("a link was followed: %v", err)
	}
	entries, err := tree.List(t.Context(), ".")
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	slices.Sort(names)
	if err != nil || !slices.Equal(names, []string{".einvoice-build-2", "one.csv"}) {
		t.Errorf("left %q, %v", names, err)
	}
	if entries, err := tree.List(t.Context(), "2026-11"); len(entries) > 0 || err != nil {
		t.Errorf("an absent folder lists %v, %v", entries, err)
	}
}

// noFolders renames files only, as storage behind an object store does.
type noFolders struct{ sftptest.Real }

func (h noFolders) Filecmd(r *sftp.Request) error {
	if info, err := os.Lstat(r.Filepath); err == nil && info.IsDir() && strings.HasSuffix(r.Method, "Rename") {
		return sftp.ErrSSHFxOpUnsupported
	}
	return h.Real.Filecmd(r)
}

func TestServerThatRenamesNoFolders(t *testing.T) {
	s := sftptest.Start(t, sftptest.Options{Serve: sftptest.NewRequests(noFolders{}).Serve})
	tree, dir := tree(t, s)
	for range 2 {
		if moves, err := tree.MovesFolders(t.Context(), ".einvoice-build-try-"); moves || err != nil {
			t.Errorf("moves folders %v, %v", moves, err)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestTreeOfAServerThatIsAwayDecidesNothing(t *testing.T) {
	s := sftptest.Start(t, sftptest.Options{})
	tree, _ := tree(t, s)
	s.Stop()
	_, has := tree.Has(t.Context(), "x")
	_, list := tree.List(t.Context(), ".")
	_, moves := tree.MovesFolders(t.Context(), ".x-")
	for verb, err := range map[string]error{"has": has, "list": list, "moves": moves, "there": tree.There(t.Context())} {
		if !errors.Is(err, drop.ErrBusy) {
			t.Errorf("%s: %v, want drop.ErrBusy", verb, err)
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := tree.Write(ended, "x", strings.NewReader("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
}

func TestMailboxIsNoTree(t *testing.T) {
	s := sftptest.Start(t, sftptest.Options{})
	section := s.Section()
	section.Profile = sftpplace.Compat
	hosts := sftpplace.NewHosts([]sftpplace.Config{section})
	defer hosts.Close()
	if _, err := hosts.Tree(s.URL("/x")); err == nil {
		t.Error("a mailbox is a tree")
	}
}
