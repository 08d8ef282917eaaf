//go:build !windows

package ledger

import (
	"errors"
	"os"
	"syscall"
)

// tryLock takes the file for this process; false when another one has it. The
// system gives the lock up with the process, however it ends.
func tryLock(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
