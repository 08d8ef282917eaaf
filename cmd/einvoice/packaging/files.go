package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	_ "embed"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"einvoice/cmd/einvoice/service"
)

//go:embed INSTALL-windows.txt
var installWindows string

//go:embed INSTALL-linux.txt
var installLinux string

// file is one file of a package.
type file struct {
	name string // slash-separated
	data []byte
	mode os.FileMode
}

// extras are manual pages and completions, made by a program built for this
// machine.
func (r *release) extras(ctx context.Context) ([]file, error) {
	here, err := r.compile(ctx, target{runtime.GOOS, runtime.GOARCH})
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(r.work, "extras")
	env := []string{"SOURCE_DATE_EPOCH=" + strconv.FormatInt(r.when.Unix(), 10)}
	if _, err := run(ctx, r.root, env, here, "generate", dir); err != nil {
		return nil, err
	}
	var files []file
	for _, sub := range []string{"man", "completions"} {
		entries, err := os.ReadDir(filepath.Join(dir, sub))
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			data, err := os.ReadFile(filepath.Join(dir, sub, e.Name()))
			if err != nil {
				return nil, err
			}
			files = append(files, file{path.Join(sub, e.Name()), data, 0o644})
		}
	}
	return files, nil
}

// unit is the one that packages bring: a configuration in /etc, the ledger in
// /var/lib, the folders of people in /srv. `einvoice service install` writes one
// for any other set-up, which goes before it.
func unit() string {
	return service.Unit(service.Options{Exe: "/usr/bin/einvoice", Config: "/etc/einvoice/einvoice.toml",
		Ledger: "/var/lib/einvoice", Folders: []string{"/srv/einvoice"}})
}

// shipped are the files of an archive.
func (r *release) shipped(t target, program string, extras []file) ([]file, error) {
	binary, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	example, err := os.ReadFile(filepath.Join(r.root, "config.example.toml"))
	if err != nil {
		return nil, err
	}
	if t.os == "windows" {
		files := []file{{"einvoice.exe", binary, 0o755}, {"config.example.toml", crlf(example), 0o644}, {"INSTALL.txt", crlf([]byte(installWindows)), 0o644}}
		for _, f := range extras {
			if strings.HasSuffix(f.name, ".ps1") {
				files = append(files, f)
			}
		}
		return files, nil
	}
	files := []file{{"einvoice", binary, 0o755}, {"config.example.toml", example, 0o644}, {"INSTALL.txt", []byte(installLinux), 0o644},
		{"einvoice.service", []byte(unit()), 0o644}}
	return append(files, extras...), nil
}

// crlf gives a text the line ends that every editor of Windows shows.
func crlf(text []byte) []byte { return bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")) }

func sorted(files []file) []file {
	return slices.SortedFunc(slices.Values(files), func(a, b file) int { return cmp.Compare(a.name, b.name) })
}

func (r *release) zip(name string, files []file) error {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, f := range sorted(files) {
		h := &zip.FileHeader{Name: path.Join(name, f.name), Method: zip.Deflate, Modified: r.when}
		h.SetMode(f.mode)
		entry, err := w.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := entry.Write(f.data); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.out, name+".zip"), buf.Bytes(), 0o644)
}

func (r *release) tarball(name string, files []file) error {
	var buf bytes.Buffer
	z, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil {
		return err
	}
	w := tar.NewWriter(z)
	for _, f := range sorted(files) {
		h := &tar.Header{Name: path.Join(name, f.name), Mode: int64(f.mode), Size: int64(len(f.data)), ModTime: r.when, Format: tar.FormatPAX}
		if err := w.WriteHeader(h); err != nil {
			return err
		}
		if _, err := w.Write(f.data); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.out, name+".tar.gz"), buf.Bytes(), 0o644)
}
