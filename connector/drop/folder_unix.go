//go:build !windows

package drop

import (
	"errors"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// noBlock keeps a pipe that took the file's place from blocking the open.
const noBlock = syscall.O_NONBLOCK

// busy tells errors that pass: the disk is full, the share or its server is
// away, something is mounted or executed there.
func busy(err error) bool {
	for _, e := range []error{
		syscall.ENOSPC, syscall.EDQUOT, syscall.EBUSY, syscall.ETXTBSY, syscall.EAGAIN, syscall.EIO, syscall.ESTALE,
		syscall.ENOTCONN, syscall.EHOSTDOWN, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ETIMEDOUT,
		syscall.ECONNRESET, syscall.EMFILE, syscall.ENFILE,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// held is for Windows, where an open file can be neither renamed nor removed.
func held(error) bool { return false }

// alone cannot be told on Unix, where programs share files without asking.
func alone(string) error { return nil }

// ownerOf returns the id of a file's owner and how to find the account's name.
func ownerOf(path string) (id string, lookup func() string) {
	info, err := os.Lstat(path)
	if err != nil {
		return "", nil
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", nil
	}
	id = strconv.FormatUint(uint64(st.Uid), 10)
	return id, func() string {
		if u, err := user.LookupId(id); err == nil {
			return u.Username
		}
		return "uid " + id
	}
}

// readOnly tells a file system mounted for reading only, which Go does not
// count as a lack of permission.
func readOnly(err error) bool { return errors.Is(err, syscall.EROFS) }
