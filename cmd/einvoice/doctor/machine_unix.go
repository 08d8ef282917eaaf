//go:build unix

package doctor

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

func administrator() bool { return os.Geteuid() == 0 }

func owner(path string) (string, bool, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", false, err
	}
	st, known := info.Sys().(*syscall.Stat_t)
	if !known {
		return "", false, fmt.Errorf("owner of %s: not told by the system", path)
	}
	id := strconv.FormatUint(uint64(st.Uid), 10)
	if u, err := user.LookupId(id); err == nil {
		id = u.Username
	}
	return id, int(st.Uid) == os.Geteuid(), nil
}

func others(path string) (read, write bool, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return false, false, err
	}
	return info.Mode().Perm()&0o004 != 0, info.Mode().Perm()&0o002 != 0, nil
}

// processUmask can only be read by setting it.
func processUmask() int {
	mask := syscall.Umask(0o077)
	syscall.Umask(mask)
	return mask
}

func openFileLimit() uint64 {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return uint64(limit.Cur)
}
