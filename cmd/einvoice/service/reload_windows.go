package service

import (
	"fmt"

	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"
)

// Reload asks the service to read its configuration again; a daemon that was
// started by hand cannot be asked.
func Reload(int) error {
	err := with(func(s *mgr.Service) error { _, err := s.Control(svc.Cmd(svc.ParamChange)); return err })
	if err != nil {
		return fmt.Errorf("ask service %s: %w", Name, err)
	}
	return nil
}
