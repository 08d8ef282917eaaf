package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"einvoice/connector/setting"
)

// OAuth is [api.oauth]: tokens that we mint ourselves, by the account's e-mail
// and API key, instead of one that a person puts into a file.
type OAuth struct {
	URL         string           `toml:"url"`          // https://oauth.openapi.com; empty: the token of token_file
	Version     int              `toml:"version"`      // 2, or 1 for the older https://oauth.openapi.it
	Email       string           `toml:"email"`        // of the account
	KeyFile     string           `toml:"key_file"`     // file with the account's API key
	KeyEnv      string           `toml:"key_env"`      // environment variable with it, when there is no file
	TTL         setting.Duration `toml:"ttl"`          // how long a token shall live
	RenewBefore setting.Duration `toml:"renew_before"` // how long before its end another is asked for
	Scopes      []string         `toml:"scopes"`       // METHOD:host/path; empty: those that we need
	Proxy       string           `toml:"proxy"`        // as in [api], where the token host needs another
	CAFile      string           `toml:"ca_file"`      // as in [api], where the token host needs another
}

func oauthDefaults() OAuth {
	return OAuth{Version: 2, KeyEnv: "EINVOICE_API_KEY", TTL: setting.Duration(30 * 24 * time.Hour), RenewBefore: setting.Duration(time.Hour)}
}

func (o OAuth) validate(r setting.Report, tokenFile string) {
	if o.URL == "" {
		return
	}
	checkURL(r, "url", o.URL)
	if tokenFile != "" {
		r.Wrong("url", "and api.token_file are both set: remove one of them")
	}
	r.Required("email", o.Email)
	if o.KeyFile == "" && o.KeyEnv == "" {
		r.Wrong("key_file", "is missing: name the file that holds the account's API key, or an environment variable in key_env")
	}
	if o.Version != 1 && o.Version != 2 {
		r.Wrong("version", "is %d, but must be 1 or 2", o.Version)
	}
	day := setting.Duration(24 * time.Hour)
	r.Between("ttl", o.TTL, setting.Duration(time.Minute), 365*day)
	r.Between("renew_before", o.RenewBefore, 0, o.TTL/2)
	if o.Proxy != "" {
		checkURL(r, "proxy", o.Proxy)
	}
	r.Path("key_file", o.KeyFile)
	r.Path("ca_file", o.CAFile)
}

// The errors of minting that are told apart.
var (
	errKeyRefused    = errors.New("token host refuses the e-mail or the API key")
	errTokenHostAway = errors.New("token host cannot be reached")
)

// remintAfter is the least time between two tokens: many calls that were refused
// at once, each asking for another token, share one.
const remintAfter = 30 * time.Second

// answerLimit bounds an answer of the token host.
const answerLimit = 1 << 20

// minted is a token that we have, in memory only.
type minted struct {
	token, refresh setting.Secret
	at, expires    time.Time
}

// mint keeps a token of our own. Its methods may be called by several goroutines.
type mint struct {
	cfg  Config
	http *http.Client
	now  func() time.Time

	mu     sync.Mutex
	has    minted
	failed error     // of the last try
	tried  time.Time // when that was
}

// retryMint is how long a failure stands, so that calls which wait for a token
// do not each try in turn.
const retryMint = 5 * time.Second

// newMint prepares the way to the token host, and calls nobody.
func newMint(cfg Config, now func() time.Time) (*mint, error) {
	way := cfg
	way.Proxy = cmp.Or(cfg.OAuth.Proxy, cfg.Proxy)
	if cfg.OAuth.Proxy != "" {
		way.ProxyUser, way.ProxyPasswordFile = "", ""
	}
	way.CAFile = cmp.Or(cfg.OAuth.CAFile, cfg.CAFile)
	transport, err := newTransport(way)
	if err != nil {
		return nil, err
	}
	return &mint{cfg: cfg, now: now, http: &http.Client{
		Transport: transport,
		Timeout:   cmp.Or(cfg.Timeout.Std(), Defaults().Timeout.Std()),
		// A redirect followed would show the API key to an unknown host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// get gives the token. It asks for another one when the platform refused the
// last, and a while before its end; until then the old one stands, should the
// token host be away.
func (m *mint) get(ctx context.Context, renew bool) (setting.Secret, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	young := now.Sub(m.has.at) < remintAfter
	good := m.has.token != "" && now.Before(m.has.expires)
	// The host may grant less than was asked for: half its life a token is left alone.
	early := min(m.cfg.OAuth.RenewBefore.Std(), m.has.expires.Sub(m.has.at)/2)
	due := !now.Before(m.has.expires.Add(-early))
	if good && (young || !renew && !due) {
		return m.has.token, nil
	}
	if m.failed == nil || now.Sub(m.tried) >= retryMint {
		next, err := m.next(ctx, good && !renew)
		if m.failed, m.tried = err, now; err == nil {
			m.has = next
			return next.token, nil
		}
		if ctx.Err() != nil {
			m.failed = nil // the caller gave up; that says nothing
			return "", err
		}
	}
	if good && !renew {
		return m.has.token, nil
	}
	return "", m.failed
}

// next renews the token where that may work, else mints one.
func (m *mint) next(ctx context.Context, renewable bool) (minted, error) {
	if renewable && m.cfg.OAuth.Version == 2 && m.has.refresh != "" {
		if next, err := m.ask(ctx, http.MethodPatch, "/tokens/"+url.PathEscape(m.has.token.Reveal()), m.has.refresh, ""); err == nil {
			return next, nil
		}
	}
	key, err := readSecret(m.cfg.OAuth.KeyFile, m.cfg.OAuth.KeyEnv)
	if err != nil {
		return minted{}, err
	}
	path := "/tokens"
	if m.cfg.OAuth.Version == 1 {
		path = "/token"
	}
	return m.ask(ctx, http.MethodPost, path, key, m.cfg.OAuth.Email)
}

// ask makes one call of the token host: as bearer, or with a user by Basic.
func (m *mint) ask(ctx context.Context, method, path string, secret setting.Secret, user string) (minted, error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(m.cfg.OAuth.URL, "/")+path, bytes.NewReader(m.wish()))
	if err != nil {
		return minted{}, errors.New("make token request: the address is not a URL") // it may hold the token
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", userAgent)
	if user == "" {
		req.Header.Set("Authorization", "Bearer "+secret.Reveal())
	} else {
		req.SetBasicAuth(user, secret.Reveal())
	}
	res, err := m.http.Do(req)
	if err != nil {
		return minted{}, fmt.Errorf("%w: %w", errTokenHostAway, withoutURL(err))
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, answerLimit))
	if err != nil {
		return minted{}, fmt.Errorf("%w: %w", errTokenHostAway, err)
	}
	return m.read(res, body)
}

// withoutURL leaves out the address, in which renewal has the token.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// wish is the body of a request for a token.
func (m *mint) wish() []byte {
	scopes := m.cfg.OAuth.Scopes
	if len(scopes) == 0 {
		scopes = Scopes(m.cfg.BaseURL)
	}
	wish := map[string]any{"scopes": scopes, "name": "einvoice"}
	ttl := m.cfg.OAuth.TTL.Std()
	if m.cfg.OAuth.Version == 1 {
		wish["expire"] = m.now().Add(ttl).Unix()
	} else {
		wish["ttl"] = int64(ttl / time.Second)
	}
	b, _ := json.Marshal(wish) // texts and numbers
	return b
}

// Scopes are what the connector asks leave for at the API of a base URL.
func Scopes(baseURL string) []string {
	u, err := url.Parse(baseURL)
	if err != nil {
		return nil
	}
	host := u.Host + strings.TrimRight(u.Path, "/")
	return []string{
		"POST:" + host + "/FR-invoices", "GET:" + host + "/FR-invoices", "GET:" + host + "/FR-invoices/{id}",
		"POST:" + host + "/FR-configurations", "GET:" + host + "/FR-configurations",
		"GET:" + host + "/FR-configurations/{fiscal_id}", "PATCH:" + host + "/FR-configurations/{fiscal_id}",
	}
}

// read understands the answers of both versions, in an envelope or bare.
func (m *mint) read(res *http.Response, body []byte) (minted, error) {
	r := reply{status: res.StatusCode, header: res.Header, body: body, written: true}
	r.parse()
	switch {
	case res.StatusCode == http.StatusProxyAuthRequired || res.StatusCode == http.StatusNetworkAuthenticationRequired,
		r.fromProxy() && res.StatusCode/100 == 4:
		return minted{}, &proxyRefusal{status: res.StatusCode}
	case res.StatusCode == http.StatusUnauthorized, res.StatusCode == http.StatusForbidden:
		return minted{}, fmt.Errorf("%w (%s)", errKeyRefused, res.Status)
	case res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests || res.StatusCode/100 == 3:
		return minted{}, fmt.Errorf("%w: it answered %s", errTokenHostAway, res.Status)
	}
	answer := decodeObject(r.body)
	if inner := answer.object("data"); inner != nil {
		answer = inner
	}
	token := answer.text("token")
	if !printable(token) {
		return minted{}, fmt.Errorf("%w: the token host's answer (%s) has no token", errNoToken, res.Status)
	}
	now := m.now()
	next := minted{token: setting.Secret(token), refresh: setting.Secret(answer.text("refreshToken")),
		at: now, expires: answer.moment("expireAt", "expire")}
	if !next.expires.After(now) { // unsaid, or one of the two clocks is wrong
		next.expires = now.Add(m.cfg.OAuth.TTL.Std())
	}
	return next, nil
}
