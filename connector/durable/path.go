package durable

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"einvoice/connector/fault"
)

// MkdirAll makes a folder and the missing ones above it, each durable in its
// parent.
func MkdirAll(path string, perm fs.FileMode) error {
	path = filepath.Clean(path)
	if info, err := os.Stat(path); err == nil {
		if !info.IsDir() {
			return fmt.Errorf("make folder %s: %w", path, &fs.PathError{Op: "mkdir", Path: path, Err: fs.ErrExist})
		}
		return nil
	}
	parent := filepath.Dir(path)
	if parent != path {
		if err := MkdirAll(parent, perm); err != nil {
			return err
		}
	}
	if err := os.Mkdir(path, perm); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make folder %s: %w", path, err)
	}
	fault.Named(path, "")
	if err := fault.Hit(fault.FolderMade); err != nil {
		return fmt.Errorf("make folder %s: %w", path, err)
	}
	return syncNames(parent)
}

// Rename gives a file or folder another name on the same volume, replacing a
// file of that name (and, on Linux, an empty folder), and makes both folders
// durable. On Windows it waits up to two seconds for a program that holds one
// of them, such as an antivirus.
func Rename(oldpath, newpath string) error {
	if err := giveName(oldpath, newpath); err != nil {
		return err
	}
	if err := fault.Hit(fault.NameGiven); err != nil {
		return err
	}
	return syncParents(oldpath, newpath)
}

func giveName(oldpath, newpath string) error {
	fault.Unlinking(newpath)
	fault.Unlinking(oldpath)
	if err := rename(oldpath, newpath); err != nil {
		return err
	}
	fault.Named(newpath, oldpath)
	return nil
}

// Move is Rename that never replaces (the error wraps fs.ErrExist) and that
// also moves a file to another volume: copy, fsync, verify by hash, remove. A
// file that has both names, as a power cut may leave it, loses the old one.
// When the file changes during such a copy, it stays and the error wraps
// ErrChanged; a change in the instant between the last look and the removal
// cannot be seen. Folders are moved within their volume only.
func Move(oldpath, newpath string) error {
	copied, err := move(oldpath, newpath)
	if err == nil && !copied {
		if err := fault.Hit(fault.FileMoved); err != nil {
			return err
		}
		return syncParents(oldpath, newpath)
	}
	return err
}

// move leaves the folders to the caller, unless the file had to be copied.
func move(oldpath, newpath string) (copied bool, err error) {
	fault.Unlinking(oldpath)
	err = renameNew(oldpath, newpath)
	switch {
	case err == nil:
		fault.Named(newpath, oldpath)
	case otherVolume(err):
		return true, moveByCopy(oldpath, newpath)
	case errors.Is(err, fs.ErrExist) && sameBytes(oldpath, newpath): // a power cut left it both names
		if err := syncNames(filepath.Dir(newpath)); err != nil {
			return true, err
		}
		return true, Remove(oldpath)
	}
	return false, err
}

// ErrChanged says that a file was written to while it was moved.
var ErrChanged = errors.New("file changed while it was moved")

func moveByCopy(oldpath, newpath string) error {
	err := copyTo(oldpath, newpath)
	if errors.Is(err, fs.ErrExist) && sameBytes(oldpath, newpath) {
		err = syncNames(filepath.Dir(newpath)) // a move that broke off between copy and removal
	}
	if err != nil {
		return fmt.Errorf("move %s to %s: %w", oldpath, newpath, err)
	}
	if err := fault.Hit(fault.FileCopied); err != nil {
		return err
	}
	return Remove(oldpath)
}

// sameBytes tells whether two names hold the same bytes. One name written in two
// ways does not count: to remove one of them would remove the file.
func sameBytes(a, b string) bool {
	if oneName(a, b) {
		return false
	}
	f, err := os.Open(a)
	if err != nil {
		return false
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	return err == nil && verify(b, sum, n) == nil
}

// oneName tells whether two paths may lead to one entry of one folder, be it by a
// link, another mount, or other letters where case does not count.
func oneName(a, b string) bool {
	if !strings.EqualFold(filepath.Base(a), filepath.Base(b)) {
		return false
	}
	x, errX := os.Stat(filepath.Dir(a))
	y, errY := os.Stat(filepath.Dir(b))
	return errX != nil || errY != nil || os.SameFile(x, y)
}

// copyTo makes newpath a verified copy of oldpath. On an error there is no newpath of ours.
func copyTo(oldpath, newpath string) error {
	before, err := os.Lstat(oldpath)
	if err != nil {
		return err
	}
	if !before.Mode().IsRegular() {
		return errors.New("not a regular file, and the target is on another volume")
	}
	src, err := os.Open(oldpath)
	if err != nil {
		return err
	}
	defer src.Close()
	sum := sha256.New()
	temp, n, err := stage(newpath, io.TeeReader(src, sum), before.Mode().Perm())
	if err != nil {
		return err
	}
	defer os.Remove(temp)
	if err := verify(temp, sum, n); err != nil {
		return err
	}
	if after, err := os.Lstat(oldpath); err != nil || !unchanged(before, after, n) {
		return errors.Join(ErrChanged, err)
	}
	os.Chtimes(temp, time.Time{}, before.ModTime()) // a courtesy to whoever reads the archive
	fault.Unlinking(temp)
	if err := renameNew(temp, newpath); err != nil {
		return err
	}
	fault.Named(newpath, temp)
	return syncNames(filepath.Dir(newpath))
}

func unchanged(before, after fs.FileInfo, copied int64) bool {
	return os.SameFile(before, after) && after.Size() == copied &&
		before.Size() == after.Size() && before.ModTime().Equal(after.ModTime())
}

// verify reads the copy back and compares it with what was read from the source.
func verify(path string, sum hash.Hash, size int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	again := sha256.New()
	n, err := io.Copy(again, f)
	if err != nil {
		return err
	}
	if n != size || string(again.Sum(nil)) != string(sum.Sum(nil)) {
		return errors.New("the copy differs from the file")
	}
	return nil
}

// Remove removes a file or an empty folder durably; that it is absent is no error.
func Remove(path string) error {
	fault.Unlinking(path)
	err := remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := fault.Hit(fault.FileRemoved); err != nil {
		return err
	}
	return syncNames(filepath.Dir(path))
}

// syncNames makes the names in a folder durable. Shares that know no fsync of a
// folder (CIFS, some FUSE) and folders that we may write to but not read are
// passed over: nothing more can be done there. Windows has no such call: there
// the renames are written through instead.
func syncNames(path string) error {
	if err := syncDir(path); err != nil {
		return err
	}
	fault.SyncedFolder(path)
	return fault.Hit(fault.FolderSynced)
}

// syncParents makes a rename durable, the new name first: after a power cut in
// between, the file has two names rather than none.
func syncParents(oldpath, newpath string) error {
	to, from := filepath.Dir(newpath), filepath.Dir(oldpath)
	if err := syncNames(to); err != nil {
		return err
	}
	if to == from {
		return nil
	}
	return syncNames(from)
}

// pauses are the waits between tries of an operation that another program
// blocks for a moment: 1.6 s in all.
var pauses = [...]time.Duration{10e6, 20e6, 40e6, 80e6, 160e6, 320e6, 320e6, 320e6, 320e6}

// patiently repeats do while its error is one that passes.
func patiently(do func() error, passes func(error) bool, sleep func(time.Duration)) error {
	for _, pause := range pauses {
		err := do()
		if err == nil || !passes(err) {
			return err
		}
		sleep(pause)
	}
	return do()
}
