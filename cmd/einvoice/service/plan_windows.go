package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"
	"golang.org/x/sys/windows/svc/mgr"
)

// patience bounds the wait for a state of the service.
const patience = time.Minute

// plan lists the steps of a verb for the service manager of Windows.
func plan(verb string, opt Options) ([]step, error) {
	switch verb {
	case "install":
		return install(opt), nil
	case "uninstall":
		return []step{
			{"stop service " + Name, stopped, func(ctx context.Context) error { return control(ctx, svc.Stop, svc.Stopped) }},
			{"delete service " + Name, absent, func(context.Context) error { return with(func(s *mgr.Service) error { return s.Delete() }) }},
			{"remove Event Log source " + Name, nil, func(context.Context) error { return removeSource() }},
		}, nil
	case "start":
		return []step{start()}, nil
	case "stop":
		return []step{stop()}, nil
	case "restart":
		return []step{stop(), start()}, nil
	case "status":
		return []step{{"service " + Name + ":", nil, func(context.Context) error { return status(opt) }}}, nil
	}
	return nil, fmt.Errorf("%w %q", ErrUnknown, verb)
}

// account is a virtual one by default: it has rights on this machine only, and
// no password. Shares of other machines need a domain account or a gMSA.
func windowsAccount(opt Options) string {
	if opt.User != "" {
		return opt.User
	}
	return `NT SERVICE\` + Name
}

func install(opt Options) []step {
	who := windowsAccount(opt)
	binary := windows.ComposeCommandLine([]string{opt.Exe, "run", "-c", opt.Config})
	steps := []step{
		{"create service " + Name + " as " + who + ", delayed automatic start: " + binary, nil, func(context.Context) error { return create(opt) }},
		{"restart after failures: 5s, 30s, 5min", nil, func(context.Context) error { return with(recover3) }},
		{"register Event Log source " + Name, sourceKnown, func(context.Context) error {
			return eventlog.InstallAsEventCreate(Name, eventlog.Error|eventlog.Warning|eventlog.Info)
		}},
	}
	if opt.User != "" { // a virtual account has the right by itself
		steps = append([]step{{"let " + who + " log on as a service", nil, func(context.Context) error { return grantLogOn(who) }}}, steps...)
	}
	for _, dir := range append([]string{opt.Ledger}, opt.Folders...) {
		steps = append(steps, shell(opt, nil, "icacls", dir, "/grant", who+":(OI)(CI)M"))
	}
	for _, file := range append([]string{opt.Config}, opt.Secrets...) {
		steps = append(steps, shell(opt, nil, "icacls", file, "/grant", who+":R"))
	}
	return steps
}

// create makes the service, or brings it in line.
func create(opt Options) error {
	return connected(func(m *mgr.Mgr) error {
		cfg := mgr.Config{
			DisplayName: "einvoice", Description: "Sends an ERP's exports as e-invoices and brings the answers back",
			StartType: mgr.StartAutomatic, DelayedAutoStart: true, ServiceStartName: windowsAccount(opt), Password: opt.Password.Reveal(),
			ServiceType: windows.SERVICE_WIN32_OWN_PROCESS, ErrorControl: mgr.ErrorNormal, SidType: windows.SERVICE_SID_TYPE_UNRESTRICTED,
		}
		s, err := m.OpenService(Name)
		if errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) {
			s, err = m.CreateService(Name, opt.Exe, cfg, "run", "-c", opt.Config)
			if err != nil {
				return err
			}
			return s.Close()
		}
		if err != nil {
			return err
		}
		defer s.Close()
		cfg.BinaryPathName = windows.ComposeCommandLine([]string{opt.Exe, "run", "-c", opt.Config})
		return s.UpdateConfig(cfg)
	})
}

func recover3(s *mgr.Service) error {
	actions := []mgr.RecoveryAction{
		{Type: mgr.ServiceRestart, Delay: 5 * time.Second}, {Type: mgr.ServiceRestart, Delay: 30 * time.Second},
		{Type: mgr.ServiceRestart, Delay: 5 * time.Minute},
	}
	if err := s.SetRecoveryActions(actions, uint32((24 * time.Hour).Seconds())); err != nil {
		return err
	}
	return s.SetRecoveryActionsOnNonCrashFailures(true)
}

func start() step {
	return step{"start service " + Name, running, func(ctx context.Context) error {
		if err := with(func(s *mgr.Service) error { return s.Start() }); err != nil {
			return err
		}
		return await(ctx, svc.Running)
	}}
}

func stop() step {
	return step{"stop service " + Name, stopped, func(ctx context.Context) error { return control(ctx, svc.Stop, svc.Stopped) }}
}

func control(ctx context.Context, c svc.Cmd, want svc.State) error {
	err := with(func(s *mgr.Service) error { _, err := s.Control(c); return err })
	if err != nil {
		return err
	}
	return await(ctx, want)
}

// await asks until the service has the state.
func await(ctx context.Context, want svc.State) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ticker := time.NewTicker(300 * time.Millisecond)
	defer ticker.Stop()
	for {
		now, err := state()
		if err != nil {
			return err
		}
		if there, err := reached(now, want); there || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it is still %s after %s; look again with: einvoice service status", words[now.State], patience)
		case <-ticker.C:
		}
	}
}

// reached tells whether the service has the state that is waited for. One that
// ended while it started will not have it.
func reached(now svc.Status, want svc.State) (bool, error) {
	if want == svc.Running && now.State == svc.Stopped {
		return false, fmt.Errorf("it ended while it started (code %d, %d); the Event Log says why: Application, source %s", now.Win32ExitCode, now.ServiceSpecificExitCode, Name)
	}
	return now.State == want, nil
}

func state() (now svc.Status, err error) {
	err = with(func(s *mgr.Service) error {
		now, err = s.Query()
		return err
	})
	return now, err
}

func running() bool { s, err := state(); return err == nil && s.State == svc.Running }
func stopped() bool { return still(state()) }
func absent() bool {
	_, err := state()
	return errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST)
}

// still tells that a service does not run; of one that we may not ask about
// nothing is known.
func still(now svc.Status, err error) bool {
	return errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) || err == nil && now.State == svc.Stopped
}

var words = map[svc.State]string{svc.Stopped: "stopped", svc.StartPending: "starting", svc.StopPending: "stopping", svc.Running: "running"}

func status(opt Options) error {
	now, err := state()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(opt.Out, words[now.State])
	return err
}

func connected(use func(*mgr.Mgr) error) error {
	m, err := mgr.Connect()
	if err != nil {
		return fmt.Errorf("connect to the service manager (as administrator?): %w", err)
	}
	defer func() { _ = m.Disconnect() }() // nothing was promised by it
	return use(m)
}

func with(use func(*mgr.Service) error) error {
	return connected(func(m *mgr.Mgr) error {
		s, err := m.OpenService(Name)
		if err != nil {
			return err
		}
		defer s.Close()
		return use(s)
	})
}

// sourceKnown looks where Event Log sources are registered.
func sourceKnown() bool {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, `SYSTEM\CurrentControlSet\Services\EventLog\Application\`+Name, registry.QUERY_VALUE)
	if err != nil {
		return false
	}
	return k.Close() == nil
}

func removeSource() error {
	if !sourceKnown() {
		return nil
	}
	return eventlog.Remove(Name)
}
