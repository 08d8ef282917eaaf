package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

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

// errConfig wraps every mistake of the configuration: exit code 4.
var errConfig = errors.New("configuration invalid")

// misconfigured are the mistakes of one file, told in its language.
type misconfigured struct {
	of     error // errConfig, or what wraps it
	faults setting.Faults
}

// Error heads the mistakes with what is wrong.
func (e misconfigured) Error() string {
	lang := problem.Lang(e.faults.Lang)
	return translated(lang, "%s:\n", translated(lang, e.of.Error())) + e.faults.Error()
}

// Unwrap gives both: what it is about, and the mistakes.
func (e misconfigured) Unwrap() []error { return []error{e.of, e.faults} }

// loadConfig reads and checks a configuration file. All mistakes come at once,
// as setting.Faults.
func loadConfig(path string) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: read %s: %w (name yours with -c FILE, or make one with: einvoice init --dir FOLDER)", errConfig, path, err)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errConfig, err)
	}
	c, faults := parseConfig(setting.Text(data))
	if len(faults) > 0 {
		all := setting.Faults{File: path, Lang: c.Language, List: faults}
		all.Sort()
		return nil, misconfigured{errConfig, all}
	}
	c.file, c.dir = abs, filepath.Dir(abs)
	c.resolvePaths()
	c.takeCredentials(os.Getenv)
	return c, nil
}

func parseConfig(data []byte) (*Config, []setting.Fault) {
	c := defaultConfig()
	c.Folders = Folders{}
	known := keysOf(reflect.TypeOf(c), "")
	data, faults := decodeAll(data, &c, known)
	if err := decodeItems(data, &c); err != nil && len(faults) == 0 {
		faults = append(faults, setting.Fault{Spot: setting.Spot{Line: 1, Column: 1}, Mistake: setting.MistakeOf("", setting.Syntax(err.Error()))})
	}
	c.complete()
	if syntax(faults) { // the rest was not read: what looks missing may be there
		return &c, faults
	}
	spots := setting.Positions(data)
	r := setting.NewReport()
	c.validate(r)
	for _, m := range r.Mistakes() {
		faults = append(faults, setting.Fault{Spot: setting.At(spots, m.Key), Mistake: m})
	}
	return &c, faults
}

// maxTypeFaults bounds how many values of a wrong type are told at once.
const maxTypeFaults = 50

// decodeAll decodes and, as the decoder stops at the first value of a wrong
// type, blanks that line and goes on, so that all mistakes come at once. It
// returns the text that could be read in the end.
func decodeAll(data []byte, c *Config, known []string) ([]byte, []setting.Fault) {
	var told []setting.Fault
	for range maxTypeFaults {
		faults := setting.Decode(data, c, known)
		wrong := slices.IndexFunc(faults, func(f setting.Fault) bool { return f.Key != "" && !strings.HasPrefix(f.Text, "unknown key") })
		if wrong < 0 {
			return data, append(told, faults...)
		}
		told = append(told, faults[wrong])
		lines := bytes.SplitAfter(data, []byte("\n"))
		lines[faults[wrong].Line-1] = []byte("\n")
		data = bytes.Join(lines, nil)
	}
	return data, told
}

// syntax tells whether decoding stopped early.
func syntax(faults []setting.Fault) bool {
	for _, f := range faults {
		if f.Key == "" {
			return true
		}
	}
	return false
}

// settleSFTP is the time between two listings of a server that find a file
// unchanged, where the drop does not say otherwise.
const settleSFTP = 10 * time.Second

// decodeItems reads each [[drop]] and [[sftp]] again over the defaults: the
// decoder starts every element of an array of tables empty.
func decodeItems(data []byte, c *Config) error {
	var raw struct {
		Drops []map[string]any `toml:"drop"`
		SFTP  []map[string]any `toml:"sftp"`

		Results struct {
			Place map[string]map[string]any `toml:"place"`
		} `toml:"results"`
	}
	if err := toml.Unmarshal(data, &raw); err != nil {
		return err
	}
	if err := overResults(raw.Results.Place, &c.Results); err != nil {
		return err
	}
	err := overDefaults(raw.Drops, c.Drops, func(m map[string]any) drop.Config {
		d := drop.Defaults()
		if at, _ := m["path"].(string); sftpplace.Is(at) {
			d.Settle = setting.Duration(settleSFTP)
		}
		return d
	})
	return errors.Join(err, overDefaults(raw.SFTP, c.SFTP, func(map[string]any) sftpplace.Config { return sftpplace.Defaults() }))
}

// overResults reads the settings of each results place over those of [results].
func overResults(raw map[string]map[string]any, c *results.Config) error {
	for name, m := range raw {
		one, err := toml.Marshal(m)
		if err != nil {
			return err
		}
		own := *c
		own.Places, own.Widths = nil, maps.Clone(c.Widths)
		if err := toml.Unmarshal(one, &own); err != nil {
			return err
		}
		c.Places[name] = own
	}
	return nil
}

func overDefaults[T any](raw []map[string]any, items []T, defaults func(map[string]any) T) error {
	for i, m := range raw {
		one, err := toml.Marshal(m)
		if err != nil {
			return err
		}
		item := defaults(m)
		if err := toml.Unmarshal(one, &item); err != nil {
			return err
		}
		if i < len(items) {
			items[i] = item
		}
	}
	return nil
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
