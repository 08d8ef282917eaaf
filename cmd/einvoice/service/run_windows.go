package service

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"
)

// Run runs the daemon under the service manager, if it was started by it. work
// calls ready once it can take exports; reload delivers a wish to read the
// configuration again.
func Run(ctx context.Context, work func(ctx context.Context, ready func(), reload <-chan struct{}) error) error {
	under, err := svc.IsWindowsService()
	if err != nil {
		return fmt.Errorf("ask whether this is a service: %w", err)
	}
	if !under {
		return work(ctx, func() {}, make(chan struct{}))
	}
	h := &handler{ctx: ctx, work: work}
	if err := svc.Run(Name, h); err != nil {
		return fmt.Errorf("run as a service: %w", err)
	}
	return h.err
}

// Watch is systemd's; Windows restarts what ended, not what hangs.
func Watch(context.Context, func(context.Context) error) {}

type handler struct {
	ctx  context.Context // of the process: svc calls Execute without one
	work func(ctx context.Context, ready func(), reload <-chan struct{}) error
	err  error
}

// accepted are the controls; ParamChange asks to read the configuration again.
const accepted = svc.AcceptStop | svc.AcceptShutdown | svc.AcceptParamChange

// Execute tells StartPending, Running only when the daemon is ready, and
// StopPending before it drains.
func (h *handler) Execute(_ []string, requests <-chan svc.ChangeRequest, states chan<- svc.Status) (bool, uint32) {
	states <- svc.Status{State: svc.StartPending, WaitHint: 60_000}
	ctx, stop := context.WithCancel(h.ctx)
	defer stop()
	ready, reload, done := make(chan struct{}, 1), make(chan struct{}, 1), make(chan error, 1)
	go func() { done <- h.work(ctx, func() { wake(ready) }, reload) }()
	now := svc.Status{State: svc.StartPending, WaitHint: 60_000}
	asked := false // to stop
	for {
		select {
		case <-ready:
			now = svc.Status{State: svc.Running, Accepts: accepted}
			states <- now
		case h.err = <-done:
			return h.end(asked)
		case r := <-requests:
			switch r.Cmd {
			case svc.Interrogate:
				states <- now
			case svc.ParamChange:
				wake(reload)
				states <- now
			case svc.Stop, svc.Shutdown:
				now = svc.Status{State: svc.StopPending, WaitHint: 60_000}
				states <- now
				asked = true
				stop()
			}
		}
	}
}

// end tells the Event Log why the daemon ended by itself; its exit code makes
// the recovery actions work. One that was asked to stop must have none, or
// Windows would start it again.
func (h *handler) end(asked bool) (bool, uint32) {
	if h.err == nil || asked && errors.Is(h.err, context.Canceled) {
		return false, 0
	}
	if log, err := eventlog.Open(Name); err == nil {
		_ = log.Error(1, h.err.Error()) // there is nobody else to tell
		_ = log.Close()
	}
	if asked {
		return false, 0
	}
	return true, 1
}

func wake(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // one is pending already
	}
}
