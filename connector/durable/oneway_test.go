package durable

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// free may write files by themselves: this package, what makes it fail in
// tests, the sandbox, which is no part of what is promised, what builds
// packages, and the servers that tests start.
var free = []string{"connector/durable/", "connector/fault/", "connector/sandbox/", "cmd/einvoice/packaging/", "connector/drop/sftpplace/sftptest/"}

// lockers may open a lock file, which holds nothing.
var lockers = []string{"connector/ledger/"}

func TestThereIsOneWayToWriteAFile(t *testing.T) {
	root := filepath.Join("..", "..")
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Skipf("not in the repository: %v", err)
	}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		rel = filepath.ToSlash(rel)
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && rel != "." && d.Name() != ".." || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(rel, ".go") || strings.HasSuffix(rel, "_test.go") || below(rel, free) {
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if strings.HasPrefix(string(src), "//go:build ignore\n") {
			return nil // a generator that is run by hand
		}
		for _, found := range writes(t, rel, src) {
			if !(found.lock && below(rel, lockers)) {
				t.Errorf("%s: %s: write files through connector/durable", found.at, found.what)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheGuardSeesEveryOtherWay(t *testing.T) {
	src := `package x
import sys "os"
func f(r *sys.Root) {
	sys.Create("a")
	sys.WriteFile("a", nil, 0)
	sys.OpenFile("a", sys.O_RDWR|sys.O_CREATE, 0)
	r.OpenFile("a", sys.O_CREATE, 0)
	sys.Open("a")
	sys.OpenFile("a", sys.O_RDONLY, 0)
	sys.CreateTemp("", "scratch")
}`
	if got := writes(t, "x.go", []byte(src)); len(got) != 4 {
		t.Errorf("found %v, want 4", got)
	}
}

func below(path string, folders []string) bool {
	for _, f := range folders {
		if strings.HasPrefix(path, f) {
			return true
		}
	}
	return false
}

type write struct {
	at   token.Position
	what string
	lock bool // an OpenFile, such as lock files need
}

// writes finds os.Create, os.WriteFile and any OpenFile with O_CREATE.
// os.CreateTemp is for scratch that nobody else reads.
func writes(t *testing.T, name string, src []byte) []write {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, 0)
	if err != nil {
		t.Logf("%s: not looked at: %v", name, err) // its own package's tests say so
		return nil
	}
	pkg := nameOfOS(file)
	var found []write
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		sel, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, _ := sel.X.(*ast.Ident)
		isOS := x != nil && x.Name == pkg
		switch {
		case isOS && (sel.Sel.Name == "Create" || sel.Sel.Name == "WriteFile"):
			found = append(found, write{fset.Position(n.Pos()), "os." + sel.Sel.Name, false})
		case sel.Sel.Name == "OpenFile" && mentions(call, "O_CREATE"):
			found = append(found, write{fset.Position(n.Pos()), "OpenFile with O_CREATE", true})
		}
		return true
	})
	return found
}

func nameOfOS(file *ast.File) string {
	for _, i := range file.Imports {
		if i.Path.Value == `"os"` {
			if i.Name != nil {
				return i.Name.Name
			}
			return "os"
		}
	}
	return ""
}

func mentions(n ast.Node, name string) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		found = found || ok && id.Name == name
		return !found
	})
	return found
}
