package connector_test

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	module  = "einvoice"
	zerolog = "github.com/rs/zerolog"
)

// layer says what the packages at or below a path may import. Patterns are
// relative to the module; "x/..." is x and all below it. A package is bound by
// the first layer that it matches.
type layer struct {
	packages string
	ours     []string // patterns of our own packages that may be imported
	silent   bool     // may not log
}

// layers point one way, from cmd inward; outbox and inbox share only what is
// below them, and the sandbox shares nothing with the client that it tests: the
// files of the regulated document, which the client does not read, stand apart.
var layers = []layer{
	{packages: "connector", silent: true},
	{packages: "connector/problem", silent: true},
	{packages: "connector/setting", silent: true},
	{packages: "connector/cii"},
	{packages: "connector/sandbox/...", ours: []string{"connector/cii", "connector/sandbox/..."}},
	{packages: "connector/...", ours: []string{"connector/..."}},
	{packages: "mappers/...", ours: []string{"connector", "connector/problem", "connector/setting", "mappers/..."}, silent: true},
	{packages: "outbox/...", ours: []string{"connector/...", "mappers/...", "outbox/..."}},
	{packages: "inbox/...", ours: []string{"connector/...", "inbox/..."}},
	{packages: "cmd/...", ours: []string{"connector/...", "mappers/...", "outbox/...", "inbox/...", "cmd/..."}},
}

// pairs are the imports that no layer forbids and that are wrong all the same.
var pairs = []struct{ from, to string }{
	{"connector/api", "connector/sandbox/..."},
	{"connector/api", "connector/ledger"},
	{"connector/ledger", "connector/api"},
}

// pkg is what `go list -json` says of a package; imports of its tests apart.
type pkg struct {
	ImportPath string
	Name       string
	Dir        string
	Imports    []string
	GoFiles    []string
}

func TestImportsPointOneWay(t *testing.T) {
	for _, p := range list(t) {
		name := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		l, ok := layerOf(name)
		if !ok {
			t.Errorf("%s is in no layer", p.ImportPath)
			continue
		}
		for _, imported := range p.Imports {
			if l.silent && (imported == zerolog || strings.HasPrefix(imported, zerolog+"/")) {
				t.Errorf("%s logs; it should return problems and errors", name)
			}
			ours, is := strings.CutPrefix(imported, module+"/")
			if is && !slices.ContainsFunc(l.ours, func(pattern string) bool { return matches(pattern, ours) }) {
				t.Errorf("%s imports %s; it may import %v of ours", name, ours, l.ours)
			}
			if is && forbidden(name, ours) {
				t.Errorf("%s imports %s", name, ours)
			}
		}
	}
}

func layerOf(name string) (layer, bool) {
	for _, l := range layers {
		if matches(l.packages, name) {
			return l, true
		}
	}
	return layer{}, false
}

func forbidden(from, to string) bool {
	for _, p := range pairs {
		if matches(p.from, from) && matches(p.to, to) {
			return true
		}
	}
	return false
}

func matches(pattern, name string) bool {
	if below, ok := strings.CutSuffix(pattern, "/..."); ok {
		return name == below || strings.HasPrefix(name, below+"/")
	}
	return pattern == name
}

// list reads all packages for both systems, since files differ by system.
func list(t *testing.T) []pkg {
	t.Helper()
	// `go test` keeps a result until a file changes that this process itself
	// looked at; what `go list` reads does not count.
	if err := filepath.WalkDir("..", func(string, fs.DirEntry, error) error { return nil }); err != nil {
		t.Fatal(err)
	}
	var all []pkg
	for _, system := range []string{"linux", "windows"} {
		cmd := exec.Command("go", "list", "-json=ImportPath,Name,Dir,Imports,GoFiles", "./...")
		cmd.Dir = ".."
		cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH=amd64", "CGO_ENABLED=0")
		var said strings.Builder
		cmd.Stderr = &said
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list for %s: %v\n%s", system, err, said.String())
		}
		packages := json.NewDecoder(strings.NewReader(string(out)))
		for {
			var p pkg
			if err := packages.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			all = append(all, p)
		}
	}
	if len(all) < 10 {
		t.Fatalf("go list found only %d packages", len(all))
	}
	return all
}

// TestTheTopLevelIsComplete keeps documents and data beside the package that
// they belong to.
func TestTheTopLevelIsComplete(t *testing.T) {
	allowed := []string{"cmd", "connector", "mappers", "outbox", "inbox",
		"config.example.toml", "go.mod", "go.sum", "README.md"}
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || slices.Contains(allowed, e.Name()) || ignored(t, e.Name()) {
			continue
		}
		t.Errorf("%s does not belong on the top level; allowed are %v and dot-files", e.Name(), allowed)
	}
}

// ignored tells whether git leaves a file out, as it does with built binaries.
func ignored(t *testing.T, name string) bool {
	t.Helper()
	cmd := exec.Command("git", "check-ignore", "--quiet", name)
	cmd.Dir = ".."
	return cmd.Run() == nil
}

// TestEveryPackageSaysItsJob wants a package comment in one of its files.
func TestEveryPackageSaysItsJob(t *testing.T) {
	done := map[string]bool{}
	for _, p := range list(t) {
		if done[p.ImportPath] {
			continue
		}
		done[p.ImportPath] = true
		comment := "// Package " + path.Base(p.ImportPath) + " "
		if p.Name == "main" {
			comment = "// Command " + path.Base(p.ImportPath) + " "
		}
		if !slices.ContainsFunc(p.GoFiles, func(name string) bool {
			text, err := os.ReadFile(filepath.Join(p.Dir, name))
			return err == nil && (strings.HasPrefix(string(text), comment) || strings.Contains(string(text), "\n"+comment))
		}) {
			t.Errorf("%s has no comment that begins with %q", p.ImportPath, comment)
		}
	}
}
