// Command packaging builds what is shipped: a Debian package, an archive for
// Linux and one for Windows for each architecture, each program's bill of
// materials, and their checksums.
//
//	go run ./cmd/einvoice/packaging -o dist
//
// The same commit gives the same bytes: paths are trimmed, every time is the
// commit's (or SOURCE_DATE_EPOCH, in seconds), every list is sorted. It needs Go,
// git and, for the Debian packages, dpkg-deb.
package main

import (
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	out := flag.String("o", "dist", "folder for the packages")
	version := flag.String("version", "", "version to stamp; empty: that of the build information")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := build(ctx, *out, *version); err != nil {
		fmt.Fprintln(os.Stderr, "packaging:", err)
		os.Exit(1)
	}
}

// release is what the packages of one run have in common.
type release struct {
	version string    // without the leading v
	stamp   bool      // whether version was given rather than found
	when    time.Time // of every file in every package
	root    string    // of the repository
	work    string    // scratch
	out     string
}

// target is one program.
type target struct{ os, arch string }

func targets() []target {
	return []target{{"linux", "amd64"}, {"linux", "arm64"}, {"windows", "amd64"}, {"windows", "arm64"}}
}

func build(ctx context.Context, out, version string) error {
	r, err := begin(ctx, out, version)
	if err != nil {
		return err
	}
	defer os.RemoveAll(r.work)
	extras, err := r.extras(ctx)
	if err != nil {
		return fmt.Errorf("generate manual pages and completions: %w", err)
	}
	for _, t := range targets() {
		if err := r.target(ctx, t, extras); err != nil {
			return fmt.Errorf("package %s/%s: %w", t.os, t.arch, err)
		}
	}
	return r.checksums()
}

// begin finds the repository, its time and its version.
func begin(ctx context.Context, out, version string) (*release, error) {
	root, err := run(ctx, "", nil, "go", "list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return nil, err
	}
	r := &release{root: root, version: strings.TrimPrefix(version, "v"), stamp: version != ""}
	if r.out, err = filepath.Abs(out); err != nil {
		return nil, err
	}
	if r.when, err = epoch(ctx, root); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return nil, err
	}
	r.work, err = os.MkdirTemp("", "einvoice-packaging-")
	return r, err
}

// epoch is the time that every file gets.
func epoch(ctx context.Context, root string) (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		var err error
		if text, err = run(ctx, root, nil, "git", "log", "-1", "--format=%ct"); err != nil {
			return time.Time{}, err
		}
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("read SOURCE_DATE_EPOCH: %w", err)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// target builds one program and packs it.
func (r *release) target(ctx context.Context, t target, extras []file) error {
	program, err := r.compile(ctx, t)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("einvoice_%s_%s_%s", r.version, t.os, t.arch)
	if err := r.billOfMaterials(program, name); err != nil {
		return fmt.Errorf("bill of materials: %w", err)
	}
	files, err := r.shipped(t, program, extras)
	if err != nil {
		return err
	}
	if t.os == "windows" {
		return r.zip(name, files)
	}
	if err := r.tarball(name, files); err != nil {
		return err
	}
	return r.deb(ctx, t, program, extras)
}

// compile builds the program of a target, and takes its version from it where
// none was given.
func (r *release) compile(ctx context.Context, t target) (string, error) {
	program := filepath.Join(r.work, t.os+"-"+t.arch, "einvoice")
	if t.os == "windows" {
		program += ".exe"
	}
	flags, vcs := "-s -w", "true"
	if r.stamp {
		flags, vcs = flags+" -X main.stamped="+r.version, "auto"
	}
	env := []string{"CGO_ENABLED=0", "GOFLAGS=", "GOOS=" + t.os, "GOARCH=" + t.arch}
	if _, err := run(ctx, r.root, env, "go", "build", "-trimpath", "-buildvcs="+vcs, "-ldflags", flags, "-o", program, "./cmd/einvoice"); err != nil {
		return "", err
	}
	if r.version != "" {
		return program, nil
	}
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return "", err
	}
	r.version = strings.TrimPrefix(info.Main.Version, "v")
	if r.version == "" || r.version == "(devel)" {
		return "", fmt.Errorf("%s has no version: build from a git checkout, or give -version", program)
	}
	return program, nil
}

// checksums lists the SHA-256 of all that was made, as sha256sum -c reads it.
func (r *release) checksums() error {
	entries, err := os.ReadDir(r.out)
	if err != nil {
		return err
	}
	var list strings.Builder
	for _, e := range entries {
		if e.Name() == "SHA256SUMS" || e.IsDir() {
			continue
		}
		data, err := os.ReadFile(filepath.Join(r.out, e.Name()))
		if err != nil {
			return err
		}
		sum := sha256.Sum256(data)
		fmt.Fprintf(&list, "%s  %s\n", hex.EncodeToString(sum[:]), e.Name())
	}
	fmt.Print(list.String())
	return os.WriteFile(filepath.Join(r.out, "SHA256SUMS"), []byte(list.String()), 0o644)
}

// run runs a program and returns what it said, without the last newline.
func run(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir, c.Stderr = dir, os.Stderr
	c.Env = append(os.Environ(), env...)
	said, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("run %s: %w", strings.Join(append([]string{name}, args...), " "), err)
	}
	return strings.TrimRight(string(said), "\n"), nil
}
