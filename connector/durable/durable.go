// Package durable is the one way in which einvoice writes local files: a file
// appears under its name whole and on disk, or not at all.
//
// The order of the system calls, and why none of them may be left out:
//
//	open   dir/.name.tmp-xxxx, O_EXCL   in the same folder: the rename stays atomic and rights are inherited
//	write  ...
//	fstat  the length is what was written: some network shares drop bytes without an error
//	fsync  the bytes are on disk before the name points at them
//	close  Windows renames no open file; network shares report late errors here
//	rename readers see the old file or the new one, nothing between
//	fsync  the folder: the name itself is on disk (Windows: MOVEFILE_WRITE_THROUGH does it)
package durable

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"einvoice/connector/fault"
)

// process marks the temporary files of this process, so that those of an
// earlier one can be told apart. A process id would not do: in a container it
// is 1 after every restart.
var process = randomPart()

// tempName is the shape of the temporary names that createTemp gives.
var tempName = regexp.MustCompile(`^\..*\.tmp-([a-z2-7]{8})-[a-z2-7]{8}$`)

// WriteFile writes data to path, replacing a file of that name. The process's
// umask applies to perm.
func WriteFile(path string, data []byte, perm fs.FileMode) error {
	_, err := WriteFrom(path, bytes.NewReader(data), perm)
	return err
}

// WriteFrom writes what r gives to path, replacing a file of that name, and
// returns the number of bytes. When r or the disk fails, path is as it was.
func WriteFrom(path string, r io.Reader, perm fs.FileMode) (int64, error) {
	temp, n, err := stage(path, r, perm)
	if err != nil {
		return 0, fmt.Errorf("write %s: %w", path, err)
	}
	if err := Rename(temp, path); err != nil {
		os.Remove(temp)
		return 0, fmt.Errorf("write %s: %w", path, err)
	}
	return n, nil
}

// stage writes r to a temporary file beside path and makes its bytes durable.
// The caller renames or removes it; after an error there is none.
func stage(path string, r io.Reader, perm fs.FileMode) (temp string, n int64, err error) {
	f, n, err := draft(path, r, perm)
	if err != nil {
		return "", 0, err
	}
	if err := finish(f); err != nil {
		return "", 0, err
	}
	return f.Name(), n, nil
}

// draft writes r to a temporary file beside path; its bytes are not durable yet.
// After an error there is none.
func draft(path string, r io.Reader, perm fs.FileMode) (*os.File, int64, error) {
	f, err := createTemp(path, perm)
	if err != nil {
		return nil, 0, err
	}
	n, err := fill(f, r)
	return f, n, err
}

// fill writes r to a new temporary file; after an error it is gone.
func fill(f *os.File, r io.Reader) (n int64, err error) {
	defer func() {
		if err != nil {
			discard(f)
		}
	}()
	fault.Written(f.Name())
	if err = fault.Hit(fault.FileMade); err != nil {
		return 0, err
	}
	if n, err = io.Copy(f, r); err != nil {
		return 0, err
	}
	if err = checkLength(f, n); err != nil {
		return 0, err
	}
	return n, fault.Hit(fault.FileWritten)
}

// finish makes the bytes of a draft durable and closes it; after an error it is gone.
func finish(f *os.File) (err error) {
	defer func() {
		if err != nil {
			discard(f)
		}
	}()
	if err = syncFile(f); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return fault.Hit(fault.FileClosed)
}

func discard(f *os.File) {
	f.Close()
	os.Remove(f.Name())
}

// syncFile makes a file's bytes durable.
func syncFile(f *os.File) error {
	if err := f.Sync(); err != nil {
		return err
	}
	fault.Synced(f.Name())
	return fault.Hit(fault.FileSynced)
}

// checkLength compares the file's length with what was written.
func checkLength(f *os.File, want int64) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() != want {
		return fmt.Errorf("%d bytes written, but the file has %d: %w", want, info.Size(), io.ErrShortWrite)
	}
	return nil
}

// createTemp makes .<name>.tmp-<process>-<random> beside path. It opens the file
// itself because os.CreateTemp has no perm and so ignores umask.
func createTemp(path string, perm fs.FileMode) (*os.File, error) {
	dir, name := filepath.Split(path)
	for try := 0; ; try++ {
		temp := dir + "." + shorten(name, 150) + ".tmp-" + process + "-" + randomPart()
		f, err := os.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
		if errors.Is(err, fs.ErrExist) && try < 100 {
			continue
		}
		return f, err
	}
}

// shorten keeps the temporary name of a very long name within 255 bytes.
func shorten(name string, limit int) string {
	if len(name) <= limit {
		return name
	}
	for limit > 0 && !utf8.RuneStart(name[limit]) {
		limit--
	}
	return name[:limit]
}

// RemoveLeftovers removes from a folder the temporary files that an earlier
// process left there when it was killed, if they are at least age old. Where
// another living process may write to the folder, age must be far above the
// time that one file takes.
func RemoveLeftovers(dir string, age time.Duration) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if m := tempName.FindStringSubmatch(e.Name()); m == nil || m[1] == process {
			continue
		}
		if info, err := e.Info(); err != nil || !info.Mode().IsRegular() || time.Since(info.ModTime()) < age {
			continue
		}
		errs = append(errs, Remove(filepath.Join(dir, e.Name())))
	}
	return errors.Join(errs...)
}

func randomPart() string { return strings.ToLower(rand.Text()[:8]) }
