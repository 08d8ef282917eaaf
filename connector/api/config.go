package api

import (
	"net"
	"net/url"
	"strings"
	"time"

	"einvoice/connector/setting"
)

// Config is the [api] section.
type Config struct {
	BaseURL           string           `toml:"base_url"`            // https://invoice.openapi.com, without a path of an endpoint
	TokenFile         string           `toml:"token_file"`          // file that holds the bearer token; read again when it changes
	TokenEnv          string           `toml:"token_env"`           // environment variable with the token, when there is no file
	Timeout           setting.Duration `toml:"timeout"`             // of one request, connecting and reading included
	MaxConnections    int              `toml:"max_connections"`     // open at once to the API
	RequestsPerSecond float64          `toml:"requests_per_second"` // with one credential; 0: no bound
	Proxy             string           `toml:"proxy"`               // URL of an HTTP proxy; empty: HTTPS_PROXY and NO_PROXY of the environment
	ProxyUser         string           `toml:"proxy_user"`          // of the proxy
	ProxyPasswordFile string           `toml:"proxy_password_file"` // file with the proxy's password
	NoProxy           []string         `toml:"no_proxy"`            // hosts, .domains and networks that are reached directly
	CAFile            string           `toml:"ca_file"`             // PEM certificates trusted besides the system's, for an inspecting proxy
	OAuth             OAuth            `toml:"oauth"`
}

// Defaults are the settings of an [api] section that says nothing.
func Defaults() Config {
	return Config{
		BaseURL:        "https://invoice.openapi.com",
		TokenEnv:       "EINVOICE_TOKEN",
		Timeout:        setting.Duration(60 * time.Second),
		MaxConnections: 16,
		OAuth:          oauthDefaults(),
	}
}

// Validate reports wrong settings. It does not read files.
func (c Config) Validate(r setting.Report) {
	r.Required("base_url", c.BaseURL)
	if c.BaseURL != "" {
		checkURL(r, "base_url", c.BaseURL)
	}
	if c.Proxy != "" {
		checkURL(r, "proxy", c.Proxy)
	}
	r.Path("token_file", c.TokenFile)
	r.Path("ca_file", c.CAFile)
	r.Path("proxy_password_file", c.ProxyPasswordFile)
	if c.Proxy == "" && (c.ProxyUser != "" || len(c.NoProxy) > 0) {
		r.Wrong("proxy", "is missing, though proxy_user or no_proxy is set")
	}
	for _, host := range c.NoProxy {
		if !plausibleHost(host) {
			r.Wrong("no_proxy", "has %q, but must have hosts, .domains, addresses or networks such as 10.0.0.0/8", host)
		}
	}
	c.OAuth.validate(r.In("oauth"), c.TokenFile)
	if c.OAuth.URL == "" && c.TokenFile == "" && c.TokenEnv == "" {
		r.Wrong("token_file", "is missing: name the file that holds the bearer token, or an environment variable in token_env")
	}
	r.Between("timeout", c.Timeout, setting.Duration(time.Second), setting.Duration(10*time.Minute))
	if !(c.RequestsPerSecond >= 0 && c.RequestsPerSecond <= 10_000) {
		r.Wrong("requests_per_second", "is %v, but must be from 0 (no bound) to 10000", c.RequestsPerSecond)
	}
	if c.MaxConnections < 1 || c.MaxConnections > 256 {
		r.Wrong("max_connections", "is %d, but must be from 1 to 256", c.MaxConnections)
	}
}

// checkURL never repeats the value: a proxy's URL may hold a password.
func checkURL(r setting.Report, key, value string) {
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Host == "":
		r.Wrong(key, `is not a URL; write it whole, as in "https://host.example"`)
	case u.Scheme != "https" && u.Scheme != "http":
		r.Wrong(key, `must start with "https://" or "http://"`)
	case key == "base_url" && (u.RawQuery != "" || u.Fragment != "" || u.User != nil):
		r.Wrong(key, "must hold neither a user, a query nor a fragment")
	case key == "base_url" && u.Scheme == "http" && !loopback(u.Hostname()):
		r.Wrong(key, "must start with https://: the token would travel readable for all (http:// is for a sandbox on this machine)")
	case key == "base_url" && strings.Contains(u.Path, "FR-"):
		r.Wrong(key, "must end before /FR-invoices")
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
