package fault_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"einvoice/connector/fault"
)

const root = "../.."

// TestEachPointIsListedOnceAndHitInOnePlaceAtLeast keeps the list and the code in step.
func TestEachPointIsListedOnceAndHitInOnePlaceAtLeast(t *testing.T) {
	names := constants(t)
	listed := map[fault.Point]bool{}
	for _, p := range fault.Points() {
		if listed[p] {
			t.Errorf("%s is listed twice", p)
		}
		listed[p] = true
	}
	if len(listed) < 40 {
		t.Errorf("%d points", len(listed))
	}
	hit := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		src, err := os.ReadFile(path)
		for name := range names {
			hit[name] = hit[name] || bytes.Contains(src, []byte("fault.Hit(fault."+name+")"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, point := range names {
		if !listed[point] {
			t.Errorf("%s is not listed", name)
		}
		if !hit[name] {
			t.Errorf("%s is hit nowhere", name)
		}
	}
}

// constants reads the names of the points from their source.
func constants(t *testing.T) map[string]fault.Point {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "fault.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]fault.Point{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if ok && len(spec.Values) == 1 {
			if lit, ok := spec.Values[0].(*ast.BasicLit); ok {
				names[spec.Names[0].Name] = fault.Point(strings.Trim(lit.Value, `"`))
			}
		}
		return true
	})
	return names
}

// TestAReleaseBinaryHasNothingOfIt builds the program with and without the tag
// and looks for the names of points and for symbols of this package.
func TestAReleaseBinaryHasNothingOfIt(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program twice")
	}
	release, tagged := build(t), build(t, "-tags", "faults")
	found := 0
	for _, p := range fault.Points() {
		if bytes.Contains(release, []byte(p)) {
			t.Errorf("the release binary knows the point %s", p)
		}
		if bytes.Contains(tagged, []byte(p)) {
			found++
		}
	}
	for _, trace := range []string{"EINVOICE_FAULT", "einvoice/connector/fault.", "connector/fault/"} {
		if bytes.Contains(release, []byte(trace)) {
			t.Errorf("the release binary has %q in it", trace)
		}
		if !bytes.Contains(tagged, []byte(trace)) {
			t.Errorf("the search is blind: the tagged binary has no %q", trace)
		}
	}
	if found != len(fault.Points()) {
		t.Errorf("the search is blind: the tagged binary has %d points", found)
	}
}

func build(t *testing.T, args ...string) []byte {
	t.Helper()
	name := filepath.Join(t.TempDir(), "einvoice")
	cmd := exec.Command("go", append(append([]string{"build", "-trimpath", "-o", name}, args...), "./cmd/einvoice")...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	binary, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return binary
}
