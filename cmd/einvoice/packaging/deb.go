package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"embed"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// scripts are what dpkg runs; see deb-postinst(5) and its neighbours.
//
//go:embed debian
var scripts embed.FS

// deb builds the Debian package with dpkg-deb.
func (r *release) deb(ctx context.Context, t target, program string, extras []file) error {
	files, err := r.debFiles(program, extras)
	if err != nil {
		return err
	}
	size := 0
	for _, f := range files {
		size += len(f.data)
	}
	files = append(files, file{"DEBIAN/control", []byte(r.control(t, size)), 0o644})
	for _, name := range []string{"postinst", "prerm", "postrm"} {
		data, err := scripts.ReadFile("debian/" + name)
		if err != nil {
			return err
		}
		files = append(files, file{"DEBIAN/" + name, data, 0o755})
	}
	tree := filepath.Join(r.work, "deb-"+t.arch)
	if err := lay(tree, files); err != nil {
		return err
	}
	name := fmt.Sprintf("einvoice_%s_%s.deb", debVersion(r.version), t.arch)
	// The times of files newer than SOURCE_DATE_EPOCH become it; all are, having just been made.
	env := []string{"SOURCE_DATE_EPOCH=" + strconv.FormatInt(r.when.Unix(), 10)}
	_, err = run(ctx, r.root, env, "dpkg-deb", "--root-owner-group", "-Zxz", "--build", tree, filepath.Join(r.out, name))
	return err
}

// debFiles are where Debian has such things.
func (r *release) debFiles(program string, extras []file) ([]file, error) {
	binary, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	example, err := os.ReadFile(filepath.Join(r.root, "config.example.toml"))
	if err != nil {
		return nil, err
	}
	files := []file{{"usr/bin/einvoice", binary, 0o755}, {"usr/lib/systemd/system/einvoice.service", []byte(unit()), 0o644},
		{"usr/share/doc/einvoice/config.example.toml", example, 0o644}, {"usr/share/doc/einvoice/INSTALL.txt", []byte(installLinux), 0o644}}
	places := map[string]string{"einvoice.bash": "usr/share/bash-completion/completions/einvoice",
		"_einvoice": "usr/share/zsh/vendor-completions/_einvoice", "einvoice.fish": "usr/share/fish/vendor_completions.d/einvoice.fish"}
	for _, f := range extras {
		base := path.Base(f.name)
		switch place, ok := places[base]; {
		case strings.HasPrefix(f.name, "man/"):
			packed, err := pack(f.data)
			if err != nil {
				return nil, err
			}
			files = append(files, file{"usr/share/man/man1/" + base + ".gz", packed, 0o644})
		case ok:
			files = append(files, file{place, f.data, 0o644})
		}
	}
	return files, nil
}

// control describes the package; size is in bytes.
func (r *release) control(t target, size int) string {
	return fmt.Sprintf(`Package: einvoice
Version: %s
Architecture: %s
Maintainer: einvoice <einvoice@localhost>
Installed-Size: %d
Depends: passwd, ca-certificates
Section: net
Priority: optional
Description: connects an ERP that can only write and read files to e-invoicing
 Watches folders and SFTP drops for the exports of an ERP, sends each invoice
 once through the E-Invoicing API France, and writes what became of it, and the
 invoices of suppliers, back as files.
`, debVersion(r.version), t.arch, (size+1023)/1024)
}

// debVersion is a version as dpkg orders it: a pre-release, and the date and
// commit of an unreleased state, go before the release, for which it has "~".
func debVersion(version string) string { return strings.ReplaceAll(version, "-", "~") }

// pack is gzip -9n.
func pack(data []byte) ([]byte, error) {
	var buf bytes.Buffer
	z, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(data); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// lay writes files below a folder, with modes that no umask changes.
func lay(root string, files []file) error {
	for _, f := range files {
		p := filepath.Join(root, filepath.FromSlash(f.name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(p, f.data, f.mode); err != nil {
			return err
		}
		if err := os.Chmod(p, f.mode); err != nil {
			return err
		}
		for d := filepath.Dir(p); len(d) >= len(root); d = filepath.Dir(d) {
			if err := os.Chmod(d, 0o755); err != nil {
				return err
			}
		}
	}
	return nil
}
