//go:build unix

package service

import (
	"fmt"
	"syscall"
)

// Reload asks the daemon with that process id to read its configuration again.
func Reload(pid int) error {
	if err := syscall.Kill(pid, syscall.SIGHUP); err != nil {
		return fmt.Errorf("signal process %d: %w", pid, err)
	}
	return nil
}
