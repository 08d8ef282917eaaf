//go:build unix

package service

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Run runs the daemon under the service manager, if there is one. work calls
// ready once it can take exports; reload delivers a wish to read the
// configuration again.
func Run(ctx context.Context, work func(ctx context.Context, ready func(), reload <-chan struct{}) error) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	ctx, cancel := context.WithCancel(ctx)
	reload, done := make(chan struct{}, 1), make(chan struct{})
	defer func() { cancel(); <-done }()
	go func() {
		defer close(done)
		for {
			select {
			case <-ctx.Done():
				tell(daemon.SdNotifyStopping)
				return
			case <-hup:
				wake(reload)
			}
		}
	}()
	return work(ctx, func() { tell(daemon.SdNotifyReady) }, reload)
}

// tell reports a state to systemd; elsewhere nobody listens.
func tell(state string) { _, _ = daemon.SdNotify(false, state) }

func wake(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // one is pending already
	}
}

// Watch tells the service manager that the daemon lives for as long as alive
// says so, until ctx ends. Without a watchdog it returns at once.
func Watch(ctx context.Context, alive func(context.Context) error) {
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil || every == 0 {
		return
	}
	ticker := time.NewTicker(every / 3)
	defer ticker.Stop()
	for {
		if alive(ctx) == nil {
			tell(daemon.SdNotifyWatchdog)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
