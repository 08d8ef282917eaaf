package main

import (
	"fmt"
	"os"
	"strings"

	"einvoice/connector/setting"
)

// ShareConfig is one [[share]]: the credentials of a share of another machine
// that knows nothing of this machine's accounts, as a NAS in a workgroup.
type ShareConfig struct {
	Path         string `toml:"path"`
	User         string `toml:"user"`
	PasswordFile string `toml:"password_file"`
}

// Validate reports what Windows could not connect.
func (s ShareConfig) Validate(r setting.Report) {
	r.Path("path", s.Path)
	r.Path("password_file", s.PasswordFile)
	switch parts := strings.Split(strings.TrimPrefix(s.Path, `\\`), `\`); {
	case !strings.HasPrefix(s.Path, `\\`) || len(parts) != 2 || parts[0] == "" || parts[1] == "":
		r.Wrong("path", `is %q, but must be \\server\share: no folder of it, and no drive letter, which a service does not have`, s.Path)
	}
	r.Required("user", s.User)
	r.Required("password_file", s.PasswordFile)
}

// connectShares connects each share with its own credentials. One that is away
// is told, and tried again at the next reload or start: its drop waits.
func (a *app) connectShares() {
	for _, s := range a.cfg.Shares {
		password, err := os.ReadFile(s.PasswordFile)
		if err == nil {
			err = connectShare(s.Path, s.User, setting.Secret(strings.TrimRight(string(password), "\r\n")))
		}
		if err != nil {
			err = fmt.Errorf("connect %s: %w", s.Path, err)
		}
		a.said.say(a.log, "share "+s.Path, err, "share not connected")
	}
}
