package sftpplace

import (
	"net"
	"net/url"
	"regexp"
	"strings"
	"time"

	"einvoice/connector/setting"
)

// Profiles of servers (Config.Profile).
const (
	Standard = "standard" // a file system behind SFTP: OpenSSH, SFTPGo, ProFTPD, Windows
	Compat   = "compat"   // a mailbox behind SFTP: reading once, one session, no stat, no rename
)

// Config is one [[sftp]] section: how to reach one server.
type Config struct {
	// Host is the server's name, as in sftp://user@host:port/path; "host:port" binds it to one port.
	Host string `toml:"host"`
	// User is the account where the address names none.
	User string `toml:"user"`
	// KeyFile is a private key: ed25519, RSA or ECDSA.
	KeyFile string `toml:"key_file"`
	// PassphraseFile holds the passphrase of KeyFile.
	PassphraseFile string `toml:"passphrase_file"`
	// PassphraseEnv names the environment variable that holds it.
	PassphraseEnv string `toml:"passphrase_env"`
	// PasswordFile holds the account's password.
	PasswordFile string `toml:"password_file"`
	// PasswordEnv names the environment variable that holds it.
	PasswordEnv string `toml:"password_env"`
	// KnownHosts is a file of host keys in OpenSSH's format.
	KnownHosts string `toml:"known_hosts"`
	// HostKeys are pinned fingerprints: "SHA256:..." or "ssh-ed25519 SHA256:...".
	HostKeys []string `toml:"host_keys"`
	// Profile is Standard or Compat.
	Profile string `toml:"profile"`
	// Proxy is the URL of an outbound proxy: http:// (CONNECT) or socks5://.
	Proxy string `toml:"proxy"`
	// ConnectTimeout bounds connecting and logging in.
	ConnectTimeout setting.Duration `toml:"connect_timeout"`
	// Timeout bounds each operation, and the time between two parts of a file.
	Timeout setting.Duration `toml:"timeout"`
	// KeepAlive is the time between signs of life on an idle connection.
	KeepAlive setting.Duration `toml:"keep_alive"`
	// Idle is when an unused connection is closed.
	Idle setting.Duration `toml:"idle"`
	// Connections open at once.
	Connections int `toml:"connections"`
	// Parallel is how many files are fetched at once.
	Parallel int `toml:"parallel"`
	// LegacyAlgorithms allows algorithms that are broken but all that an old server has.
	LegacyAlgorithms bool `toml:"legacy_algorithms"`
}

// Defaults is a section whose host, account and host keys are still to be set.
func Defaults() Config {
	return Config{
		Profile:        Standard,
		ConnectTimeout: setting.Duration(30 * time.Second),
		Timeout:        setting.Duration(time.Minute),
		KeepAlive:      setting.Duration(30 * time.Second),
		Idle:           setting.Duration(5 * time.Minute),
		Connections:    2,
		Parallel:       8,
	}
}

// pinned matches a fingerprint, with or without the type of its key before it.
var pinned = regexp.MustCompile(`^(?:([a-z0-9@.-]+) )?(SHA256:[A-Za-z0-9+/]{43}=?)$`)

// Validate reports every mistake of the section. It opens no file.
func (c Config) Validate(r setting.Report) {
	r.Required("host", c.Host)
	if strings.Contains(c.Host, "/") || strings.Contains(c.Host, "@") {
		r.Wrong("host", "is %q, but must be a name alone, such as \"sftp.example.com\" or \"sftp.example.com:2222\"", c.Host)
	}
	for _, f := range []struct{ key, path string }{
		{"key_file", c.KeyFile}, {"passphrase_file", c.PassphraseFile}, {"password_file", c.PasswordFile}, {"known_hosts", c.KnownHosts},
	} {
		r.Path(f.key, f.path)
	}
	if c.KeyFile == "" && c.PasswordFile == "" && c.PasswordEnv == "" {
		r.Wrong("key_file", "is missing: give a private key, or a password by password_file or password_env")
	}
	c.validateHostKeys(r)
	c.validateProxy(r)
	r.OneOf("profile", c.Profile, Standard, Compat)
	r.Between("connect_timeout", c.ConnectTimeout, setting.Duration(100*time.Millisecond), setting.Duration(10*time.Minute))
	r.Between("timeout", c.Timeout, setting.Duration(100*time.Millisecond), setting.Duration(time.Hour))
	r.Between("keep_alive", c.KeepAlive, setting.Duration(100*time.Millisecond), setting.Duration(time.Hour))
	r.Between("idle", c.Idle, setting.Duration(100*time.Millisecond), setting.Duration(24*time.Hour))
	for _, n := range []struct {
		key         string
		value, most int
	}{{"connections", c.Connections, 8}, {"parallel", c.Parallel, 64}} {
		if n.value < 1 || n.value > n.most {
			r.Wrong(n.key, "is %d, but must be from 1 to %d", n.value, n.most)
		}
	}
}

func (c Config) validateHostKeys(r setting.Report) {
	if c.KnownHosts == "" && len(c.HostKeys) == 0 {
		r.Wrong("host_keys", "is missing: no server is trusted at first sight; print its fingerprint with: einvoice sftp-key %s, compare it with what the server's admin says, and paste it here", c.Host)
	}
	if c.KnownHosts != "" && len(c.HostKeys) > 0 {
		r.Wrong("host_keys", "is set beside known_hosts: keep one of them, so that it is clear which key counts")
	}
	for _, k := range c.HostKeys {
		if m := pinned.FindStringSubmatch(k); m == nil || m[1] != "" && len(algorithmsOf(m[1])) == 0 {
			r.Wrong("host_keys", "has %q, which is no fingerprint: paste what einvoice sftp-key %s prints, such as \"ssh-ed25519 SHA256:...\"", k, c.Host)
		}
	}
}

func (c Config) validateProxy(r setting.Report) {
	if c.Proxy == "" {
		return
	}
	u, err := url.Parse(c.Proxy)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "socks5" {
		r.Wrong("proxy", `must be the URL of a proxy: "http://host:port" or "socks5://host:port"`) // never its text: it may hold a password
	}
}

// matches tells whether the section is about an address; exact is that it names the port too.
func (c Config) matches(a Address) (ok, exact bool) {
	if host, port, err := net.SplitHostPort(c.Host); err == nil {
		return strings.EqualFold(host, a.Host) && port == a.Port, true
	}
	return strings.EqualFold(strings.Trim(c.Host, "[]"), a.Host), false
}

// Find returns the section of an address; one that names the port goes first.
func Find(sections []Config, a Address) (Config, bool) {
	found, has := Config{}, false
	for _, c := range sections {
		ok, exact := c.matches(a)
		if ok && exact {
			return c, true
		}
		if ok && !has {
			found, has = c, true
		}
	}
	return found, has
}
