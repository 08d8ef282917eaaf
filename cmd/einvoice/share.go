package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

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
	r.Printable("path", s.Path)
	r.Path("password_file", s.PasswordFile)
	switch parts := strings.Split(strings.TrimPrefix(s.Path, `\\`), `\`); {
	case !strings.HasPrefix(s.Path, `\\`) || len(parts) != 2 || parts[0] == "" || parts[1] == "":
		r.Wrong("path", `is %q, but must be \\server\share: no folder of it, and no drive letter, which a service does not have`, s.Path)
	}
	r.Required("user", s.User)
	r.Required("password_file", s.PasswordFile)
}

// connectShares connects each share with its own credentials and returns those
// that are away: their drops wait. Each is told once.
func (a *app) connectShares(shares []ShareConfig) (away []ShareConfig) {
	for _, s := range shares {
		password, err := os.ReadFile(s.PasswordFile)
		if err == nil {
			err = a.connect(s.Path, s.User, setting.Secret(strings.TrimRight(string(setting.Text(password)), "\r\n")))
		}
		if err != nil {
			err = fmt.Errorf("connect %s: %w", s.Path, err)
			away = append(away, s)
		}
		a.said.say(a.log, "share "+s.Path, err, "share not connected; trying again")
	}
	return away
}

// connectAgain is the time between two tries.
const connectAgain = time.Minute

// shareLoop tries those again that were away at the start, until ctx ends: after
// a power cut a server is up before its NAS. One that was connected is kept by
// Windows itself.
func (a *app) shareLoop(ctx context.Context) error {
	ticker := time.NewTicker(connectAgain)
	defer ticker.Stop()
	for len(a.sharesAway) > 0 {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			a.sharesAway = a.connectShares(a.sharesAway)
		}
	}
	return nil
}
