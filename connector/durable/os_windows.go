package durable

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

func syncDir(string) error { return nil }

func rename(oldpath, newpath string) error {
	return moveFile(oldpath, newpath, windows.MOVEFILE_REPLACE_EXISTING|windows.MOVEFILE_WRITE_THROUGH)
}

// renameNew renames and never replaces: without the flag the target must not exist.
func renameNew(oldpath, newpath string) error {
	return moveFile(oldpath, newpath, windows.MOVEFILE_WRITE_THROUGH)
}

// moveFile calls MoveFileEx itself because os.Rename does not write through.
// Paths over 260 characters work: the Go runtime makes the process aware of them.
func moveFile(oldpath, newpath string, flags uint32) error {
	from, err := windows.UTF16PtrFromString(oldpath)
	if err != nil {
		return &os.LinkError{Op: "rename", Old: oldpath, New: newpath, Err: err}
	}
	to, err := windows.UTF16PtrFromString(newpath)
	if err != nil {
		return &os.LinkError{Op: "rename", Old: oldpath, New: newpath, Err: err}
	}
	err = patiently(func() error { return windows.MoveFileEx(from, to, flags) }, heldForAMoment, time.Sleep)
	if err != nil {
		return &os.LinkError{Op: "rename", Old: oldpath, New: newpath, Err: err}
	}
	return nil
}

func remove(path string) error {
	return patiently(func() error { return os.Remove(path) }, heldForAMoment, time.Sleep)
}

// heldForAMoment tells the errors that antivirus, indexer and Excel cause:
// 5 access denied, 32 sharing violation, 33 lock violation.
func heldForAMoment(err error) bool {
	return errors.Is(err, windows.ERROR_ACCESS_DENIED) ||
		errors.Is(err, windows.ERROR_SHARING_VIOLATION) ||
		errors.Is(err, windows.ERROR_LOCK_VIOLATION)
}

func otherVolume(err error) bool { return errors.Is(err, windows.ERROR_NOT_SAME_DEVICE) }
