package alarm

import (
	"net/url"
	"strings"
	"time"

	"einvoice/connector/mail"
	"einvoice/connector/setting"
)

// Config is the [alarm] section.
type Config struct {
	// MailTo gets alarms by e-mail, through the [mail] section.
	MailTo []string `toml:"mail_to"`
	// Webhook gets alarms as JSON. The address may hold a secret.
	Webhook string `toml:"webhook"`
	// DiskFree is the room, in MiB, below which a disk is nearly full.
	DiskFree int `toml:"disk_free_mib"`
	// NoExport is how long a drop may be silent; 0: as its own rhythm says.
	NoExport setting.Duration `toml:"no_export"`
	// TokenExpires is the day on which the token ends, as the platform's console
	// says, where the token itself does not tell.
	TokenExpires string `toml:"token_expires"`
	// TokenDays is how many days before that the alarm comes.
	TokenDays int `toml:"token_days"`
	// CallbackSilence is how long no callback may come although statuses change.
	CallbackSilence setting.Duration `toml:"callback_silence"`
}

// Defaults of the [alarm] section.
func Defaults() Config {
	return Config{DiskFree: 1024, TokenDays: 14, CallbackSilence: setting.Duration(24 * time.Hour)}
}

// Validate reports what cannot be. hasMail tells whether there is a server.
func (c Config) Validate(r setting.Report, hasMail bool) {
	for _, to := range c.MailTo {
		if !mail.Address(to) {
			r.Wrong("mail_to", "%q is not an e-mail address", to)
		}
	}
	if len(c.MailTo) > 0 && !hasMail {
		r.Wrong("mail_to", "needs a server: set mail.host")
	}
	if u, err := url.Parse(c.Webhook); c.Webhook != "" && (err != nil || u.Host == "" || !strings.HasPrefix(u.Scheme, "http")) {
		r.Wrong("webhook", `is not a URL; write it whole, as in "https://host.example/path"`)
	}
	if _, err := time.Parse(time.DateOnly, c.TokenExpires); c.TokenExpires != "" && err != nil {
		r.Wrong("token_expires", "is %q, but must be written as 2027-01-31", c.TokenExpires)
	}
	if c.DiskFree < 0 {
		r.Wrong("disk_free_mib", "is %d, but must be at least %d", c.DiskFree, 0)
	}
	if c.TokenDays < 0 {
		r.Wrong("token_days", "is %d, but must be at least %d", c.TokenDays, 0)
	}
	year := setting.Duration(365 * 24 * time.Hour)
	if c.NoExport != 0 {
		r.Between("no_export", c.NoExport, setting.Duration(time.Minute), year)
	}
	r.Between("callback_silence", c.CallbackSilence, setting.Duration(time.Minute), year)
}
