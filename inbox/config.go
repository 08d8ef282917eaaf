package inbox

import (
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"einvoice/connector"
	"einvoice/connector/results"
	"einvoice/connector/setting"
)

// Config is the [inbox] section.
type Config struct {
	// Enabled turns the reception of supplier invoices on. Statuses of our own
	// invoices are followed either way.
	Enabled bool `toml:"enabled"`
	// Layout of delivered invoices: "folder" (one each) or "flat" (the files of a
	// month side by side, those of an invoice under one name).
	Layout string `toml:"layout"`
	// ReceivedSince (YYYY-MM-DD) starts the first synchronisation; empty: the
	// day of the first start. It is read once: the ledger keeps it.
	ReceivedSince string `toml:"received_since"`
	// FileMode is the octal mode of delivered files; folders get the execute
	// bits that go with it. Windows ignores it: rights inherit there.
	FileMode string `toml:"file_mode"`

	// XML adds invoice.xml, the data in a syntax of EN 16931: "cii", "ubl" or "".
	XML string `toml:"xml"`

	CSV    CSVConfig    `toml:"csv"`
	ERP    ERPConfig    `toml:"erp"`
	Digest DigestConfig `toml:"digest"`
	// Register brings the companies' registration in line at each start.
	Register bool `toml:"register"`

	Callback CallbackConfig `toml:"callback"`
	Poll     PollConfig     `toml:"poll"`
}

// CSVConfig is the [inbox.csv] table: how invoice.csv is written.
type CSVConfig struct {
	// Columns and their order; empty means all. Columns() has their names.
	Columns []string `toml:"columns"`
	// Header says whether the first row has the names.
	Header bool `toml:"header"`
	// Encoding is "utf-8", "utf-8-bom" or "windows-1252".
	Encoding string `toml:"encoding"`
	// Delimiter stands between columns: one character, such as ";" or "\t".
	Delimiter string `toml:"delimiter"`
	// Decimal is the decimal sign of amounts, "," or ".".
	Decimal string `toml:"decimal"`
}

func (c CSVConfig) dialect() results.Dialect {
	return results.Dialect{Encoding: c.Encoding, Delimiter: c.Delimiter, Decimal: c.Decimal}
}

// ERPConfig is the [inbox.erp] table: a second delivery, for the ERP.
type ERPConfig struct {
	// Path is a folder, or sftp://user@host/path; "" means no second delivery.
	// With several companies each has a folder of its own in it.
	Path string `toml:"path"`
	// Formats are the files of each invoice: "csv", "json", "xml" (see [inbox]
	// xml) and "pdf" (our readable copy).
	Formats []string `toml:"formats"`
	// OKFile adds one .ok file per invoice, last, with the hashes of its files.
	OKFile bool `toml:"ok_file"`
}

// CallbackConfig is the [inbox.callback] table: being called by the platform.
type CallbackConfig struct {
	Enabled bool `toml:"enabled"`
	// Listen is the local address. Without CertFile a reverse proxy with TLS must
	// stand before it.
	Listen string `toml:"listen"`
	// CertFile and KeyFile give the listener a certificate of its own (PEM).
	CertFile string `toml:"cert_file"`
	KeyFile  string `toml:"key_file"`
	// PublicURL is what the platform calls: https, without the secret path.
	PublicURL string `toml:"public_url"`
	// Header carries the secret of each call; "": the platform sends none, and the
	// path alone is secret.
	Header string `toml:"header"`
	// SecretFile or SecretEnv gives the secret that paths and header derive from.
	SecretFile string `toml:"secret_file"`
	SecretEnv  string `toml:"secret_env"`
	// PreviousSecretFile keeps the former secret valid while it is replaced.
	PreviousSecretFile string `toml:"previous_secret_file"`
	// Verify is "read" (read the invoice again before believing a call) or "trust".
	Verify string `toml:"verify"`
	// MaxBodyMiB bounds one call, in MiB; a larger one is answered 413.
	MaxBodyMiB int64 `toml:"max_body_mib"`
}

// PollConfig is the [inbox.poll] table: asking the platform.
type PollConfig struct {
	Young setting.Duration `toml:"young"` // between looks at invoices younger than 1 hour
	Day   setting.Duration `toml:"day"`   // up to 1 day
	Month setting.Duration `toml:"month"` // up to 30 days
	Old   setting.Duration `toml:"old"`   // up to 90 days; never after
	// List is the time between looks at a company's newest invoices, for what
	// nobody announced: supplier invoices above all.
	List setting.Duration `toml:"list"`
	// SweepEvery is the time between full sweeps of a company's list.
	SweepEvery setting.Duration `toml:"sweep_every"`
	// Budget is the number of GETs a day, list pages included. Polling leaves a
	// quarter of it to callbacks and to supplier invoices.
	Budget int `toml:"budget"`
}

// Defaults are the settings of an empty section.
func Defaults() Config {
	return Config{
		Enabled: true, Layout: layoutFolder, FileMode: "0640",
		CSV:    CSVConfig{Columns: []string{}, Header: true, Encoding: results.UTF8, Delimiter: ";", Decimal: "."},
		Digest: DigestConfig{To: []string{}, At: "08:00"},
		ERP:    ERPConfig{Formats: []string{"csv"}},
		Callback: CallbackConfig{
			Listen: "127.0.0.1:8480", Header: "X-Einvoice-Secret", Verify: verifyRead, MaxBodyMiB: 64,
		},
		Poll: PollConfig{
			Young: minutes(1), Day: minutes(15), Month: minutes(6 * 60), Old: minutes(24 * 60),
			List: minutes(5), SweepEvery: minutes(24 * 60), Budget: 900,
		},
	}
}

const (
	verifyRead  = "read"
	verifyTrust = "trust"
)

func minutes(n int) setting.Duration { return setting.Duration(time.Duration(n) * time.Minute) }

// Validate reports the section's mistakes.
func (c Config) Validate(r setting.Report) {
	r.OneOf("layout", c.Layout, layoutFolder, layoutFlat)
	if _, err := c.mode(); err != nil {
		r.Wrong("file_mode", "%v", err)
	}
	if c.ReceivedSince != "" {
		if _, err := connector.ParseDate(c.ReceivedSince); err != nil {
			r.Wrong("received_since", "is %q, but must be written as 2026-09-01", c.ReceivedSince)
		}
	}
	r.OneOf("xml", c.XML, xmlNone, xmlCII, xmlUBL)
	c.CSV.dialect().Validate(r.In("csv"), c.CSV.Columns, Columns())
	c.Digest.validate(r.In("digest"))
	c.ERP.validate(r.In("erp"), c.XML)
	if c.Callback.Enabled {
		c.Callback.validate(r.In("callback"))
	}
	c.Poll.validate(r.In("poll"))
}

func (c ERPConfig) validate(r setting.Report, syntax string) {
	r.Path("path", c.Path)
	for _, f := range c.Formats {
		r.OneOf("formats", f, erpFormats...)
		if f == "xml" && syntax == xmlNone && c.Path != "" {
			r.Wrong("formats", `names "xml", but inbox.xml does not say which syntax: set it to "cii" or "ubl"`)
		}
	}
	if c.Path != "" && len(c.Formats) == 0 {
		r.Wrong("formats", "is empty, although path gives the ERP a delivery")
	}
}

func (c CallbackConfig) validate(r setting.Report) {
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		r.Wrong("listen", "is %q, but must be an address and a port, such as 127.0.0.1:8480", c.Listen)
	}
	checkPublicURL(r, c.PublicURL)
	r.OneOf("verify", c.Verify, verifyRead, verifyTrust)
	if c.Header != "" && !validHeader(c.Header) {
		r.Wrong("header", "is %q, but must be the name of an HTTP header, such as X-Einvoice-Secret", c.Header)
	}
	if (c.SecretFile == "") == (c.SecretEnv == "") {
		r.Wrong("secret_file", "exactly one of secret_file and secret_env must be given when callbacks are enabled")
	}
	if (c.CertFile == "") != (c.KeyFile == "") {
		r.Wrong("cert_file", "and key_file go together: give both, or neither behind a proxy")
	}
	r.Path("cert_file", c.CertFile)
	r.Path("key_file", c.KeyFile)
	r.Path("secret_file", c.SecretFile)
	r.Path("previous_secret_file", c.PreviousSecretFile)
	if c.MaxBodyMiB < 1 || c.MaxBodyMiB > 1024 {
		r.Wrong("max_body_mib", "is %d, but must be from 1 to 1024", c.MaxBodyMiB)
	}
}

// checkPublicURL allows plain http only to this machine: the secret header
// would travel in clear.
func checkPublicURL(r setting.Report, value string) {
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Host == "":
		r.Wrong("public_url", "must be the address that the platform calls, such as https://einvoice.example.fr")
	case u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		r.Wrong("public_url", "must have no user, query or fragment")
	case u.Scheme == "https":
	case u.Scheme == "http" && loopback(u.Hostname()):
	default:
		r.Wrong("public_url", "must begin with https://: the calls carry a secret")
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func validHeader(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "", "Host", "Content-Length", "Content-Type", "Transfer-Encoding", "Connection":
		return false
	}
	return strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

func (c PollConfig) validate(r setting.Report) {
	low, day := setting.Duration(time.Second), minutes(24*60)
	r.Between("young", c.Young, low, day)
	r.Between("day", c.Day, low, day)
	r.Between("month", c.Month, low, 7*day)
	r.Between("old", c.Old, low, 30*day)
	r.Between("list", c.List, low, day)
	r.Between("sweep_every", c.SweepEvery, minutes(1), 30*day)
	if c.Budget < 1 {
		r.Wrong("budget", "is %d, but must be at least 1: without a GET nothing is ever received", c.Budget)
	}
}

// mode reads FileMode.
func (c Config) mode() (fs.FileMode, error) {
	n, err := strconv.ParseUint(c.FileMode, 8, 32)
	if err != nil || n > 0o777 || n&0o600 != 0o600 {
		return 0, setting.Say(`is %q, but must be an octal mode that lets the owner read and write, such as "0640"`, c.FileMode)
	}
	return fs.FileMode(n), nil
}

// folderMode adds to a file's mode the right to enter wherever it may be read.
func folderMode(m fs.FileMode) fs.FileMode { return m | (m&0o444)>>2 }

// minSecret is what a secret must have at least, in bytes: 128 bits in hex.
const minSecret = 32

// secrets reads the current and the previous callback secret.
func (c CallbackConfig) secrets() (list []setting.Secret, err error) {
	current := os.Getenv(c.SecretEnv)
	if c.SecretFile != "" {
		if current, err = readSecret(c.SecretFile); err != nil {
			return nil, err
		}
	}
	if len(current) < minSecret {
		return nil, fmt.Errorf("read callback secret: it has %d characters, but must have at least %d; make one with: openssl rand -hex 32", len(current), minSecret)
	}
	list = append(list, setting.Secret(current))
	if c.PreviousSecretFile == "" {
		return list, nil
	}
	previous, err := readSecret(c.PreviousSecretFile)
	if err != nil {
		return nil, err
	}
	if len(previous) < minSecret {
		return nil, fmt.Errorf("read previous callback secret: it has %d characters, but must have at least %d", len(previous), minSecret)
	}
	return append(list, setting.Secret(previous)), nil
}

func readSecret(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read callback secret: %w", err)
	}
	return strings.TrimSpace(string(setting.Text(b))), nil
}
