//go:build !windows

package sandbox

import (
	"syscall"
	"time"
)

// worked is the processor time of this process.
func worked() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
