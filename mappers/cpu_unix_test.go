//go:build unix

package mappers

import (
	"syscall"
	"time"
)

// processorTime is what this process has used so far, all its goroutines together:
// what other processes do beside it does not count.
func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
