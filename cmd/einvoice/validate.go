package main

import (
	"net"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"einvoice/connector/setting"
)

var companyID = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,30}$`)

// device matches the names that no folder of Windows can have.
var device = regexp.MustCompile(`^(con|prn|aux|nul|com[0-9]|lpt[0-9])$`)

// validate reports everything wrong with the configuration, sections in the
// order of the file.
func (c *Config) validate(r setting.Report) {
	r.OneOf("language", c.Language, "fr", "en")
	r.OneOf("environment", c.Environment, "sandbox", "production")
	if _, err := time.LoadLocation(c.Timezone); err != nil {
		r.Wrong("timezone", `is not a known time zone; write an IANA name such as "Europe/Paris"`)
	}
	r.Between("shutdown_timeout", c.ShutdownTimeout, 0, setting.Duration(10*time.Minute))
	c.API.Validate(r.In("api"))
	c.validateEnvironment(r)
	c.validateCompanies(r)
	c.validateFolders(r.In("folders"))
	c.validateDrops(r)
	c.validateSFTP(r)
	r.In("mappings").Path("folder", c.Mappings.Folder)
	c.Rules.Validate(r.In("rules"))
	c.Safety.Validate(r.In("safety"), c.ids())
	c.Ledger.Validate(r.In("ledger"))
	c.Retention.validate(r.In("retention"))
	c.Outbox.Validate(r.In("outbox"))
	c.Results.Validate(r.In("results"), c.ids())
	c.Inbox.Validate(r.In("inbox"))
	if len(c.Inbox.Digest.To) > 0 && !c.Mail.Enabled() {
		r.In("inbox").In("digest").Wrong("to", "asks for e-mails, but [mail] has no host to send them through")
	}
	c.Slip.Validate(r.In("slip"))
	for i, s := range c.Shares {
		s.Validate(r.InItem("share", i))
	}
	c.Mail.Validate(r.In("mail"))
	c.Admin.Validate(r.In("admin"))
	c.Alarm.Validate(r.In("alarm"), c.Mail.Enabled())
	c.Log.Validate(r.In("log"))
}

// validateEnvironment keeps a test set-up from sending legal invoices, and the
// other way round.
func (c *Config) validateEnvironment(r setting.Report) {
	u, err := url.Parse(c.API.BaseURL)
	if err != nil || c.API.BaseURL == "" {
		return // said by the [api] section
	}
	test := strings.HasPrefix(u.Hostname(), "test.") || loopback(u.Hostname())
	switch {
	case c.Environment == "production" && test:
		r.Wrong("environment", `is "production", but api.base_url is a sandbox (%s)`, u.Host)
	case c.Environment == "sandbox" && !test:
		r.Wrong("environment", `is "sandbox", but api.base_url (%s) is not a test host; set environment = "production" to send legal invoices`, u.Host)
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (c *Config) validateCompanies(r setting.Report) {
	if len(c.Companies) == 0 {
		r.Wrong("company", `is missing; write at least one [[company]] with id and fiscal_id`)
	}
	seen := map[string]bool{}
	for i, co := range c.Companies {
		at := r.InItem("company", i)
		if !companyID.MatchString(co.ID) {
			at.Wrong("id", `is %q, but must be 1 to 31 of a-z, 0-9, _ and -, as it names folders and files`, co.ID)
		}
		if device.MatchString(co.ID) {
			at.Wrong("id", "is %q, a name that Windows keeps for a device: no folder can have it, choose another", co.ID)
		}
		if seen["id "+co.ID] {
			at.Wrong("id", "is %q, which another company has already", co.ID)
		}
		if !digits(co.FiscalID, 9) && !digits(co.FiscalID, 14) {
			at.Wrong("fiscal_id", "is %q, but must be a SIREN (9 digits) or a SIRET (14 digits), without spaces", co.FiscalID)
		} else if seen["siren "+co.FiscalID[:9]] {
			at.Wrong("fiscal_id", "has the SIREN of another company")
		} else {
			seen["siren "+co.FiscalID[:9]] = true
		}
		seen["id "+co.ID] = true
		at.Path("token_file", co.TokenFile)
	}
}

func digits(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789") == ""
}

func (c *Config) validateFolders(r setting.Report) {
	for _, f := range []struct{ key, path string }{
		{"root", c.Folders.Root}, {"drop", c.Folders.Drop}, {"results", c.Folders.Results}, {"refused", c.Folders.Refused},
		{"to_check", c.Folders.ToCheck}, {"archive", c.Folders.Archive}, {"inbox", c.Folders.Inbox},
	} {
		r.Path(f.key, f.path)
	}
	names := map[string]string{}
	for _, f := range []struct{ key, path string }{
		{"drop", c.Folders.Drop}, {"results", c.Folders.Results}, {"refused", c.Folders.Refused},
		{"to_check", c.Folders.ToCheck}, {"archive", c.Folders.Archive}, {"inbox", c.Folders.Inbox},
	} {
		if other, taken := names[filepath.Clean(f.path)]; taken {
			r.Wrong(f.key, "is the same folder as %s: what we write would be read as an export, or mixed up", other)
		}
		names[filepath.Clean(f.path)] = f.key
	}
}

func (c *Config) validateDrops(r setting.Report) {
	ids := map[string]bool{"": true}
	for _, co := range c.Companies {
		ids[co.ID] = true
	}
	names, paths := map[string]bool{}, map[string]string{}
	for i, d := range c.Drops {
		at := r.InItem("drop", i)
		d.Validate(at)
		if !ids[d.Company] {
			at.Wrong("company", "is %q, which no [[company]] has as its id", d.Company)
		}
		if names[d.Name] {
			at.Wrong("name", "is %q, which another drop has already", d.Name)
		}
		names[d.Name] = true
		path := filepath.Clean(d.Path)
		if other, taken := paths[path]; taken {
			at.Wrong("path", "is the folder of drop %q as well: each export would be read twice", other)
		}
		for p, other := range paths {
			if strings.HasPrefix(path, p+string(filepath.Separator)) || strings.HasPrefix(p, path+string(filepath.Separator)) {
				at.Wrong("path", "overlaps the folder of drop %q", other)
			}
		}
		paths[path] = d.Name
	}
}

// ids are those of the configured companies.
func (c *Config) ids() []string {
	ids := make([]string, len(c.Companies))
	for i, co := range c.Companies {
		ids[i] = co.ID
	}
	return ids
}
