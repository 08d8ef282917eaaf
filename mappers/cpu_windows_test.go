package mappers

import (
	"syscall"
	"time"
)

// processorTime is what this process has used so far, all its goroutines together:
// what other processes do beside it does not count.
func processorTime() time.Duration {
	var created, ended, kernel, user syscall.Filetime
	self, err := syscall.GetCurrentProcess()
	if err != nil || syscall.GetProcessTimes(self, &created, &ended, &kernel, &user) != nil {
		return 0
	}
	spent := func(t syscall.Filetime) time.Duration { // in steps of 100 ns
		return time.Duration(int64(t.HighDateTime)<<32|int64(t.LowDateTime)) * 100
	}
	return spent(kernel) + spent(user)
}
