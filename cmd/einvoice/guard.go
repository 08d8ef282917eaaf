package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"einvoice/cmd/einvoice/doctor"
	"einvoice/connector/setting"
)

// guards reports what the configuration may say and the machine must not have:
// a folder with two uses, a ledger on a network file system, secrets that everybody may read, a token of
// the other environment, places that a service cannot reach.
func (c *Config) guards(m doctor.Machine, r setting.Report) {
	c.overlaps(r)
	if d, err := m.Disk(existing(c.Ledger.Path)); err == nil && d.Network {
		r.Wrong("ledger.path", "is on a network file system (%s), whose locks and fsync cannot be trusted: invoices could be sent twice; use a folder on a local disk", d.Kind)
	}
	for _, s := range c.secretKeys() {
		if read, write, err := m.Others(s.path); err == nil && (read || write) {
			r.Wrong(s.key, "is %s, which everybody on this machine can use; chmod 600 '%s'", s.path, s.path)
		}
	}
	if other := doctor.OtherEnvironment(c.API.TokenFile, c.Environment); other != (setting.Phrase{}) {
		r.Wrong("api.token_file", "is named for %s, but environment is %q: use the token of this environment", other, c.Environment)
	}
	for _, f := range []struct{ key, path string }{
		{"folders.root", c.Folders.Root}, {"folders.results", c.Folders.Results}, {"folders.refused", c.Folders.Refused},
		{"folders.to_check", c.Folders.ToCheck}, {"folders.archive", c.Folders.Archive}, {"folders.inbox", c.Folders.Inbox},
		{"inbox.erp.path", c.Inbox.ERP.Path}, {"mappings.folder", c.Mappings.Folder}, {"ledger.path", c.Ledger.Path},
	} {
		if !filepath.IsAbs(f.path) {
			continue // it stands below the root, or on a server
		}
		if disk, err := m.Disk(existing(f.path)); err == nil && disk.Letter != "" {
			r.Wrong(f.key, `is on the mapped drive %s, which a Windows service does not have; write \\server\share\folder, and a local disk for the ledger`, disk.Letter)
		}
	}
	if len(c.Shares) > 0 && runtime.GOOS != "windows" {
		r.Wrong("share[0]", "is for Windows; on this system mount the share, with its credentials in /etc/fstab")
	}
	for i, d := range c.Drops {
		if disk, err := m.Disk(existing(d.Path)); err == nil && disk.Letter != "" {
			r.InItem("drop", i).Wrong("path", `is on the mapped drive %s, which a Windows service does not have; write \\server\share\folder`, disk.Letter)
		}
	}
}

// loadGuarded is loadConfig for what is going to run: the guard rails hold although
// nobody gave check.
func loadGuarded(path string) (*Config, error) {
	cfg, err := loadConfig(path)
	if err != nil {
		return nil, err
	}
	r := setting.NewReport()
	cfg.guards(doctor.Local(), r)
	if len(r.Mistakes()) == 0 {
		return cfg, nil
	}
	faults, err := placed(path, cfg, r)
	if err != nil {
		return nil, err
	}
	return nil, misconfigured{errConfig, faults}
}

// placed are mistakes that were found after the file was read, at their lines.
func placed(path string, cfg *Config, r setting.Report) (setting.Faults, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return setting.Faults{}, err
	}
	spots := setting.Positions(setting.Text(data))
	faults := setting.Faults{File: path, Lang: cfg.Language}
	for _, m := range r.Mistakes() {
		faults.List = append(faults.List, setting.Fault{Spot: setting.At(spots, m.Key), Mistake: m})
	}
	faults.Sort()
	return faults, nil
}

// secretKey is a file with a secret, and where the configuration names it.
type secretKey struct{ key, path string }

func (c *Config) secretKeys() []secretKey {
	all := []secretKey{{"api.token_file", c.API.TokenFile}, {"api.oauth.key_file", c.API.OAuth.KeyFile}, {"api.proxy_password_file", c.API.ProxyPasswordFile}}
	for i, co := range c.Companies {
		all = append(all, secretKey{fmt.Sprintf("company[%d].token_file", i), co.TokenFile})
	}
	if c.Inbox.Callback.Enabled {
		all = append(all, secretKey{"inbox.callback.key_file", c.Inbox.Callback.KeyFile}, secretKey{"inbox.callback.secret_file", c.Inbox.Callback.SecretFile},
			secretKey{"inbox.callback.previous_secret_file", c.Inbox.Callback.PreviousSecretFile})
	}
	all = append(all, secretKey{"mail.password_file", c.Mail.PasswordFile})
	for i, s := range c.Shares {
		all = append(all, secretKey{fmt.Sprintf("share[%d].password_file", i), s.PasswordFile})
	}
	for i, s := range c.SFTP {
		at := fmt.Sprintf("sftp[%d].", i)
		all = append(all, secretKey{at + "key_file", s.KeyFile}, secretKey{at + "passphrase_file", s.PassphraseFile}, secretKey{at + "password_file", s.PasswordFile})
	}
	var set []secretKey
	for _, s := range all {
		if s.path != "" {
			set = append(set, s)
		}
	}
	return set
}

// existing is the nearest folder above a path that is there.
func existing(path string) string {
	for {
		if _, err := os.Stat(path); err == nil || filepath.Dir(path) == path || strings.TrimSpace(path) == "" {
			return path
		}
		path = filepath.Dir(path)
	}
}
