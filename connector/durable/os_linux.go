package durable

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// renameNew renames and never replaces. NFS, older SMB and some FUSE file
// systems answer EINVAL to the flag.
func renameNew(oldpath, newpath string) error {
	err := unix.Renameat2(unix.AT_FDCWD, oldpath, unix.AT_FDCWD, newpath, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.ENOTSUP) {
		return checkedRename(oldpath, newpath)
	}
	if err != nil {
		return &os.LinkError{Op: "rename", Old: oldpath, New: newpath, Err: err}
	}
	return nil
}
