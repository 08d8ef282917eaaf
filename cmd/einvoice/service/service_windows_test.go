package service

import (
	"context"
	"errors"
	"testing"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
)

// TestExecuteTellsEachState to the service manager in its order, and gives an
// exit code, for which Windows starts a service again, only where nobody asked it
// to stop.
func TestExecuteTellsEachState(t *testing.T) {
	broken := errors.New("the ledger is gone")
	for name, c := range map[string]struct {
		stop bool
		ends error // nil: with the context's
		code uint32
	}{
		"stopped":                    {stop: true},
		"stopped, and it goes wrong": {stop: true, ends: broken},
		"ended by itself":            {ends: broken, code: 1},
	} {
		t.Run(name, func(t *testing.T) {
			fail := make(chan struct{})
			h := &handler{ctx: t.Context(), work: func(ctx context.Context, ready func(), reload <-chan struct{}) error {
				ready()
				select {
				case <-ctx.Done():
				case <-fail:
				}
				if c.ends != nil {
					return c.ends
				}
				return ctx.Err()
			}}
			requests, states := make(chan svc.ChangeRequest), make(chan svc.Status)
			type end struct {
				specific bool
				code     uint32
			}
			ended := make(chan end, 1)
			go func() { specific, code := h.Execute(nil, requests, states); ended <- end{specific, code} }()
			next := func(want svc.State) {
				t.Helper()
				if s := <-states; s.State != want {
					t.Fatalf("state %v, want %v", s.State, want)
				}
			}
			next(svc.StartPending)
			next(svc.Running)
			requests <- svc.ChangeRequest{Cmd: svc.Interrogate}
			next(svc.Running)
			if c.stop {
				requests <- svc.ChangeRequest{Cmd: svc.Stop}
				next(svc.StopPending)
			} else {
				close(fail)
			}
			if got := <-ended; got != (end{c.code != 0, c.code}) {
				t.Errorf("ended with %v, want code %d", got, c.code)
			}
		})
	}
}

// TestStatesThatAreWaitedFor: a service that ends while it starts is not waited
// for, and one that we may not ask about does not count as stopped.
func TestStatesThatAreWaitedFor(t *testing.T) {
	if there, err := reached(svc.Status{State: svc.StartPending}, svc.Running); there || err != nil {
		t.Errorf("starting: %v, %v", there, err)
	}
	if there, err := reached(svc.Status{State: svc.Running}, svc.Running); !there || err != nil {
		t.Errorf("running: %v, %v", there, err)
	}
	if _, err := reached(svc.Status{State: svc.Stopped, Win32ExitCode: 1066, ServiceSpecificExitCode: 1}, svc.Running); err == nil {
		t.Error("ended while it started: no error")
	}
	if there, err := reached(svc.Status{State: svc.Stopped}, svc.Stopped); !there || err != nil {
		t.Errorf("stopped: %v, %v", there, err)
	}
	for err, want := range map[error]bool{nil: false, windows.ERROR_ACCESS_DENIED: false, windows.ERROR_SERVICE_DOES_NOT_EXIST: true} {
		if got := still(svc.Status{State: svc.Running}, err); got != want {
			t.Errorf("error %v: stopped %v, want %v", err, got, want)
		}
	}
}
