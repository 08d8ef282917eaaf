package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"einvoice/cmd/einvoice/admin"
	"einvoice/cmd/einvoice/service"
	"einvoice/connector"
	"einvoice/connector/alarm"
	"einvoice/connector/api"
	"einvoice/connector/drop"
	"einvoice/connector/drop/sftpplace"
	"einvoice/connector/ledger"
	"einvoice/connector/mail"
	"einvoice/connector/problem"
	"einvoice/connector/results"
	"einvoice/connector/rules"
	"einvoice/connector/setting"
	"einvoice/connector/slip"
	"einvoice/inbox"
	"einvoice/outbox"
)

// Config is the whole configuration file: each package owns its section.
type Config struct {
	// Language of messages, folders and files: "fr" or "en".
	Language string `toml:"language"`
	// Timezone of file names and of the day, an IANA name; "" is the system's.
	Timezone string `toml:"timezone"`
	// Environment must agree with api.base_url: "sandbox" or "production".
	Environment string `toml:"environment"`
	// ShutdownTimeout is how long a stop waits for what is under way.
	ShutdownTimeout setting.Duration `toml:"shutdown_timeout"`

	API       api.Config         `toml:"api"`
	Companies []Company          `toml:"company"`
	Folders   Folders            `toml:"folders"`
	Drops     []drop.Config      `toml:"drop"`
	SFTP      []sftpplace.Config `toml:"sftp"`
	Shares    []ShareConfig      `toml:"share"`
	Mappings  MappingsConfig     `toml:"mappings"`
	Rules     rules.Config       `toml:"rules"`
	Safety    outbox.Safety      `toml:"safety"`
	Retention Retention          `toml:"retention"`
	Ledger    ledger.Config      `toml:"ledger"`
	Outbox    outbox.Config      `toml:"outbox"`
	Results   results.Config     `toml:"results"`
	Inbox     inbox.Config       `toml:"inbox"`
	Slip      slip.Config        `toml:"slip"`
	Mail      mail.Config        `toml:"mail"`
	Alarm     alarm.Config       `toml:"alarm"`
	Admin     admin.Config       `toml:"admin"`
	Log       LogConfig          `toml:"log"`

	file string // where it was read
	dir  string // relative paths start here
}

// Company is one [[company]]: a SIREN or SIRET registered with the API.
type Company struct {
	ID       string  `toml:"id"`
	FiscalID string  `toml:"fiscal_id"`
	Name     string  `toml:"name"`
	VATID    string  `toml:"vat_id"`
	Email    string  `toml:"email"`
	Address  Address `toml:"address"`
	// TokenFile or TokenEnv gives the token of the account that the company is
	// registered under, where it is not that of [api].
	TokenFile string `toml:"token_file"`
	TokenEnv  string `toml:"token_env"`
}

// Address of a company.
type Address struct {
	Street  string `toml:"street_address"`
	ZIP     string `toml:"zip_code"`
	City    string `toml:"city"`
	Country string `toml:"country"`
}

// Folders are the trees that people see. With several companies each has its
// own tree, <root>/<company id>/...
type Folders struct {
	Root    string `toml:"root"`
	Drop    string `toml:"drop"`
	Results string `toml:"results"`
	Refused string `toml:"refused"`
	ToCheck string `toml:"to_check"`
	Archive string `toml:"archive"`
	Inbox   string `toml:"inbox"`
}

// MappingsConfig says where mapping files are.
type MappingsConfig struct {
	Folder string `toml:"folder"`
}

// folderNames are the built-in names of the people's folders, by language.
func folderNames(lang string) Folders {
	if lang == "en" {
		return Folders{Root: ".", Drop: "drop", Results: "results", Refused: "refused", ToCheck: "to-check", Archive: "archive", Inbox: "inbox"}
	}
	return Folders{Root: ".", Drop: "a_envoyer", Results: "retours", Refused: "refusees", ToCheck: "a_verifier", Archive: "archives", Inbox: "recues"}
}

func defaultConfig() Config {
	return Config{
		Language:        systemLanguage(os.Getenv),
		Environment:     "sandbox",
		ShutdownTimeout: setting.Duration(20 * time.Second),
		API:             api.Defaults(),
		Mappings:        MappingsConfig{Folder: "mappings"},
		Rules:           rules.Defaults(),
		Safety:          outbox.SafetyDefaults(),
		Retention:       retentionDefaults(),
		Ledger:          ledger.Config{Path: "data"},
		Outbox:          outbox.Defaults(),
		Results:         results.Defaults(),
		Inbox:           inbox.Defaults(),
		Slip:            slip.Defaults(),
		Mail:            mail.Defaults(),
		Alarm:           alarm.Defaults(),
		Admin:           admin.Defaults(),
		Log:             defaultLog(),
	}
}

// systemLanguage is that of the locale, French where it says nothing.
func systemLanguage(getenv func(string) string) string {
	for _, v := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if s := getenv(v); s != "" {
			if strings.HasPrefix(strings.ToLower(s), "en") {
				return "en"
			}
			return "fr"
		}
	}
	return "fr"
}

// complete fills in what depends on other settings: the folder names of the
// language, and one drop per company where the file names none.
func (c *Config) complete() {
	names := folderNames(c.Language)
	for _, f := range []struct{ set, def *string }{
		{&c.Folders.Root, &names.Root}, {&c.Folders.Drop, &names.Drop}, {&c.Folders.Results, &names.Results},
		{&c.Folders.Refused, &names.Refused}, {&c.Folders.ToCheck, &names.ToCheck},
		{&c.Folders.Archive, &names.Archive}, {&c.Folders.Inbox, &names.Inbox},
	} {
		if *f.set == "" {
			*f.set = *f.def
		}
	}
	if len(c.Drops) == 0 {
		for _, co := range c.Companies {
			d := drop.Defaults()
			d.Name, d.Company = co.ID, co.ID
			c.Drops = append(c.Drops, d)
		}
	}
	for i := range c.Drops {
		d := &c.Drops[i]
		if d.Company == "" && len(c.Companies) == 1 {
			d.Company = c.Companies[0].ID
		}
		if d.Name == "" {
			d.Name = d.Company
		}
		if d.Path == "" {
			d.Path = c.tree(d.Company, c.Folders.Drop)
			if sftpplace.Is(d.Path) && d.Settle == drop.Defaults().Settle {
				d.Settle = setting.Duration(settleSFTP)
			}
		}
	}
}

// resolvePaths makes every path absolute, starting at the configuration file.
func (c *Config) resolvePaths() {
	at := func(p *string) {
		if *p != "" && !filepath.IsAbs(*p) && !sftpplace.Is(*p) {
			*p = filepath.Join(c.dir, *p)
		}
	}
	at(&c.Folders.Root)
	for i := range c.SFTP {
		s := &c.SFTP[i]
		for _, p := range []*string{&s.KeyFile, &s.PassphraseFile, &s.PasswordFile, &s.KnownHosts} {
			at(p)
		}
	}
	for i := range c.Shares {
		at(&c.Shares[i].PasswordFile)
	}
	at(&c.Mappings.Folder)
	at(&c.Ledger.Path)
	at(&c.Mail.PasswordFile)
	at(&c.Log.File)
	at(&c.Log.JournalFile)
	at(&c.API.TokenFile)
	for i := range c.Companies {
		at(&c.Companies[i].TokenFile)
	}
	for _, p := range []*string{&c.API.CAFile, &c.API.ProxyPasswordFile, &c.API.OAuth.KeyFile, &c.API.OAuth.CAFile} {
		at(p)
	}
	at(&c.Inbox.ERP.Path)
	at(&c.Inbox.Callback.CertFile)
	at(&c.Inbox.Callback.KeyFile)
	at(&c.Inbox.Callback.SecretFile)
	at(&c.Inbox.Callback.PreviousSecretFile)
	for i := range c.Drops {
		at(&c.Drops[i].Path)
	}
}

// takeCredentials reads secrets where systemd handed them over, instead of in
// files that the service may not be able to read.
func (c *Config) takeCredentials(getenv func(string) string) {
	files := []*string{&c.API.TokenFile, &c.API.OAuth.KeyFile, &c.API.ProxyPasswordFile,
		&c.Inbox.Callback.KeyFile, &c.Inbox.Callback.SecretFile, &c.Inbox.Callback.PreviousSecretFile, &c.Mail.PasswordFile}
	for i := range c.Companies {
		files = append(files, &c.Companies[i].TokenFile)
	}
	for i := range c.SFTP {
		files = append(files, &c.SFTP[i].KeyFile, &c.SFTP[i].PassphraseFile, &c.SFTP[i].PasswordFile)
	}
	for _, f := range files {
		*f = service.Secret(*f, getenv)
	}
}

// tree is a people's folder of a company; company "" is the shared tree.
func (c *Config) tree(company, name string) string {
	many := len(c.Companies) > 1 && company != ""
	switch {
	case sftpplace.Is(name) && many:
		return below(name, company)
	case sftpplace.Is(name), filepath.IsAbs(name) && len(c.Companies) <= 1:
		return name
	case many:
		return below(c.Folders.Root, company, name)
	}
	return below(c.Folders.Root, name)
}

// lang is the language of problems and files.
func (c *Config) lang() problem.Lang { return problem.Lang(c.Language) }

// location is the zone of file names and of the day.
func (c *Config) location() *time.Location {
	if loc, err := time.LoadLocation(c.Timezone); err == nil && c.Timezone != "" {
		return loc
	}
	return time.Local
}

// companies are the configured companies in the product's words.
func (c *Config) companies() []connector.Company {
	out := make([]connector.Company, len(c.Companies))
	for i, co := range c.Companies {
		out[i] = connector.Company{ID: co.ID, FiscalID: co.FiscalID, Name: co.Name, VATID: co.VATID, Email: co.Email,
			Address: connector.Address(co.Address)}
	}
	return out
}

// keysOf lists the dotted keys of a configuration struct, without indexes.
func keysOf(t reflect.Type, prefix string) []string {
	var keys []string
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("toml"), ",")
		if name == "" || name == "-" {
			continue
		}
		keys = append(keys, prefix+name)
		ft := f.Type
		if ft.Kind() == reflect.Slice {
			ft = ft.Elem()
		}
		if ft.Kind() == reflect.Struct {
			keys = append(keys, keysOf(ft, prefix+name+".")...)
		}
	}
	return keys
}
