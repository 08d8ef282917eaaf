package api

import (
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"einvoice/connector/sandbox"
	"einvoice/connector/setting"
)

// tokenRig is a platform that takes only tokens which its token host gave.
type tokenRig struct {
	t     *testing.T
	mu    sync.Mutex
	clock time.Time
	asked []string // calls of the token host
	down  int      // status that the token host answers with; 0: it works
	box   http.Handler
	url   string
	cfg   Config
}

func (r *tokenRig) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.clock
}

func (r *tokenRig) turn(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clock = r.clock.Add(d)
}

func newTokenRig(t *testing.T, version int) *tokenRig {
	r := &tokenRig{t: t, clock: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)}
	box, err := sandbox.New(sandbox.Options{Now: r.now, OnlyMinted: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { box.Close() })
	r.box = box
	r.url = serve(t, r.answer)
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("canary-key\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.cfg = Defaults()
	r.cfg.BaseURL = r.url
	r.cfg.OAuth.URL, r.cfg.OAuth.Version, r.cfg.OAuth.Email, r.cfg.OAuth.KeyFile = r.url, version, "me@example.test", key
	return r
}

func (r *tokenRig) answer(w http.ResponseWriter, req *http.Request) {
	if strings.HasPrefix(req.URL.Path, "/token") {
		path := req.URL.Path
		if len(path) > 8 {
			path = "/tokens/{token}"
		}
		r.mu.Lock()
		r.asked = append(r.asked, req.Method+" "+path)
		down := r.down
		r.mu.Unlock()
		if _, key, basic := req.BasicAuth(); basic && key != "canary-key" {
			r.t.Errorf("the key came as %q", key)
		}
		if down != 0 {
			w.WriteHeader(down)
			return
		}
	}
	r.box.ServeHTTP(w, req)
}

func (r *tokenRig) calls() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.asked, ", ")
}

func (r *tokenRig) client() (*Client, *mint) {
	r.t.Helper()
	m, err := newMint(r.cfg, r.now)
	if err != nil {
		r.t.Fatal(err)
	}
	return clientOf(r.t, r.cfg, Options{Token: m.get}), m
}

// works reads the list of invoices: it takes a good token.
func works(t *testing.T, c *Client) error {
	t.Helper()
	for _, err := range c.List(t.Context(), Query{FiscalID: "100000009"}) {
		return err
	}
	return nil
}

func TestTokensAreMintedAndRenewed(t *testing.T) {
	for _, c := range []struct {
		version     int
		mint, renew string
	}{{2, "POST /tokens", "PATCH /tokens/{token}"}, {1, "POST /token", "POST /token"}} {
		t.Run(fmt.Sprint("version ", c.version), func(t *testing.T) {
			r := newTokenRig(t, c.version)
			client, m := r.client()
			for range 3 {
				if err := works(t, client); err != nil {
					t.Fatal(err)
				}
			}
			if got := r.calls(); got != c.mint {
				t.Errorf("asked for tokens: %s", got)
			}
			if left := m.has.expires.Sub(r.now()); left != r.cfg.OAuth.TTL.Std() {
				t.Errorf("it lives %s", left)
			}
			r.turn(r.cfg.OAuth.TTL.Std() - r.cfg.OAuth.RenewBefore.Std())
			r.down = http.StatusServiceUnavailable // the old one stands until its end
			if err := works(t, client); err != nil {
				t.Errorf("before the end of the token: %v", err)
			}
			r.down = 0
			r.asked = nil
			r.turn(time.Minute)
			if err := works(t, client); err != nil {
				t.Fatal(err)
			}
			if got := r.calls(); got != c.renew {
				t.Errorf("renewed by: %s", got)
			}
		})
	}
}

func TestARefusedTokenIsMintedAnewOnceForAllThatWait(t *testing.T) {
	r := newTokenRig(t, 2)
	client, m := r.client()
	if err := works(t, client); err != nil {
		t.Fatal(err)
	}
	r.turn(time.Hour)
	m.mu.Lock()
	m.has.token = "0123456789abcdef01234567" // revoked at the platform
	m.mu.Unlock()
	r.asked = nil
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := works(t, client); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := r.calls(); got != "POST /tokens" {
		t.Errorf("asked for tokens: %s", got)
	}
}

func TestATokenThatNobodyTakesStopsAfterOneMore(t *testing.T) {
	posts := 0
	base := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		posts++
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		io.WriteString(w, `{"success":false,"message":"Wrong Token","error":125.22}`)
	})
	r := newTokenRig(t, 2)
	r.cfg.BaseURL = base
	client, m := r.client()
	if _, err := m.get(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	r.turn(time.Hour)
	a := client.Submit(t.Context(), usualInvoice())
	if a.Fate != Stopped || a.Scope != ScopeCredential || posts != 2 {
		t.Errorf("%d posts, %+v", posts, a)
	}
	if got := r.calls(); got != "POST /tokens, POST /tokens" {
		t.Errorf("asked for tokens: %s", got)
	}
}

func TestWhatTheTokenHostAnswersDecidesTheFate(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		fate   Fate
		code   string
	}{
		{"wrong key", status(401, "application/json", `{"success":false}`), Stopped, codeKeyRefused},
		{"forbidden", status(403, "application/json", `{"success":false}`), Stopped, codeKeyRefused},
		{"away", status(503, "text/plain", "busy"), Later, codeTokenHostAway},
		{"too many", status(429, "application/json", `{}`), Later, codeTokenHostAway},
		{"moved", status(302, "text/plain", ""), Later, codeTokenHostAway},
		{"nonsense", status(200, "application/json", `{"data":"null"}`), Stopped, codeTokenMissing},
		{"proxy wants a login", status(407, "text/html", "<html>"), Stopped, codeProxyAuth},
		{"proxy's block page", status(403, "text/html", "<html>blocked"), Stopped, codeProxyBlocked},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newTokenRig(t, 2)
			r.cfg.OAuth.URL = serve(t, c.answer)
			client, _ := r.client()
			a := client.Submit(t.Context(), usualInvoice())
			if a.Fate != c.fate || a.Problems[0].Code != c.code {
				t.Errorf("answer %+v", a)
			}
			if text := fmt.Sprintf("%+v", a); strings.Contains(text, "canary-key") {
				t.Errorf("the key is shown: %s", text)
			}
		})
	}
	r := newTokenRig(t, 2)
	r.cfg.OAuth.URL = "http://127.0.0.1:1"
	client, m := r.client()
	if a := client.Submit(t.Context(), usualInvoice()); a.Fate != Later || a.Problems[0].Code != codeTokenHostAway {
		t.Errorf("nobody there: %+v", a)
	}
	if m.failed == nil || strings.Contains(fmt.Sprintf("%v %+v", m.failed, m.cfg), "canary-key") {
		t.Errorf("the key is shown: %v", m.failed)
	}
}

func status(code int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(code)
		io.WriteString(w, body)
	}
}

// The token host has a private certificate, the API is reached without TLS here.
func TestTheTokenHostHasItsOwnCertificateAndProxy(t *testing.T) {
	r := newTokenRig(t, 2)
	host := httptest.NewTLSServer(http.HandlerFunc(r.answer))
	defer host.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: host.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	r.cfg.OAuth.URL = host.URL
	client, _ := r.client()
	if a := client.Submit(t.Context(), usualInvoice()); a.Problems == nil || a.Problems[0].Code != codeCertificate {
		t.Errorf("an unknown certificate: %+v", a)
	}
	r.cfg.OAuth.CAFile = ca
	client, _ = r.client()
	if err := works(t, client); err != nil {
		t.Errorf("with its certificate: %v", err)
	}
	proxied := 0
	r.cfg.OAuth.CAFile, r.cfg.OAuth.URL = "", "http://token.invalid"
	r.cfg.OAuth.Proxy = serve(t, func(w http.ResponseWriter, req *http.Request) {
		proxied++
		req.URL.Host, req.Host = "", "token.invalid"
		r.answer(w, req)
	})
	client, _ = r.client()
	if err := works(t, client); err != nil || proxied != 1 {
		t.Errorf("through its proxy %d times: %v", proxied, err)
	}
}

func TestAProxyWithUserPasswordAndExceptions(t *testing.T) {
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("p@ss: wörd \r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	direct := serve(t, status(200, "application/json", `{"data":{"id":"a1"}}`))
	var user, pass string
	cfg := Defaults()
	cfg.Proxy = serve(t, func(w http.ResponseWriter, req *http.Request) {
		login := http.Request{Header: http.Header{"Authorization": req.Header["Proxy-Authorization"]}}
		user, pass, _ = login.BasicAuth()
		status(200, "application/json", `{"data":{"id":"a1"}}`)(w, req)
	})
	cfg.ProxyUser, cfg.ProxyPasswordFile = "acme", password
	cfg.BaseURL = "http://einvoice.invalid"
	if a := clientOf(t, cfg, Options{}).Submit(t.Context(), usualInvoice()); a.Fate != Sent || user != "acme" || pass != "p@ss: wörd " {
		t.Errorf("login %q %q, %+v", user, pass, a)
	}
	user = ""
	cfg.BaseURL, cfg.NoProxy = direct, []string{"127.0.0.0/8"}
	if a := clientOf(t, cfg, Options{}).Submit(t.Context(), usualInvoice()); a.Fate != Sent || user != "" {
		t.Errorf("an exception went through the proxy: %+v", a)
	}
	cfg.ProxyPasswordFile += ".missing"
	if _, err := New(cfg, Options{}); err == nil {
		t.Error("a missing password file must be an error")
	}
}

func TestWhatIsReachedWithoutTheProxy(t *testing.T) {
	for _, c := range []struct {
		list string
		host string
		want bool
	}{
		{"api.example", "api.example", true}, {"example", "api.example", true}, {".example", "API.example.", true},
		{"*.example", "api.example", true}, {"ample", "api.example", false}, {"10.0.0.0/8", "10.1.2.3", true},
		{"10.0.0.0/8", "11.1.2.3", false}, {"10.1.2.3", "10.1.2.3", true}, {"2.3", "10.1.2.3", false}, {"*", "anything", true}, {"", "", true},
	} {
		if got := direct([]string{c.list}, c.host); got != c.want {
			t.Errorf("%q for %q: %t", c.list, c.host, got)
		}
	}
}

func TestOAuthSettingsOutOfBounds(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"oauth.url":          func(c *Config) { c.TokenFile = "token.txt" },
		"oauth.email":        func(c *Config) { c.OAuth.Email = "" },
		"oauth.key_file":     func(c *Config) { c.OAuth.KeyFile, c.OAuth.KeyEnv = "", "" },
		"oauth.version":      func(c *Config) { c.OAuth.Version = 3 },
		"oauth.ttl":          func(c *Config) { c.OAuth.TTL, c.OAuth.RenewBefore = setting.Duration(time.Second), 0 },
		"oauth.renew_before": func(c *Config) { c.OAuth.RenewBefore = c.OAuth.TTL },
		"proxy":              func(c *Config) { c.ProxyUser = "acme" },
		"no_proxy":           func(c *Config) { c.Proxy, c.NoProxy = "http://proxy.example:3128", []string{"https://x/"} },
	} {
		c := Defaults()
		c.OAuth.URL, c.OAuth.Email = "https://oauth.example", "me@example.test"
		change(&c)
		r := setting.NewReport()
		c.Validate(r)
		if ms := r.Mistakes(); len(ms) != 1 || ms[0].Key != name {
			t.Errorf("%s: %+v", name, ms)
		}
	}
}

// granted is a token host whose tokens live as its answer says.
func granted(t *testing.T, expiry func(now time.Time) string) (asked *int, m *mint, turn func(time.Duration)) {
	r := newTokenRig(t, 2)
	asked = new(int)
	r.cfg.OAuth.URL = serve(t, func(w http.ResponseWriter, _ *http.Request) {
		*asked++
		fmt.Fprintf(w, `{"data":{"token":"%024x","refreshToken":"r"%s},"success":true}`, *asked, expiry(r.now()))
	})
	_, m = r.client()
	return asked, m, r.turn
}

func TestAHostThatGrantsLittleIsNotAskedAllTheTime(t *testing.T) {
	for name, c := range map[string]struct {
		expiry func(time.Time) string
		most   int // tokens of an hour
	}{
		"half an hour": {func(now time.Time) string {
			return `,"expireAt":"` + now.Add(30*time.Minute).Format(time.RFC3339) + `"`
		}, 5},
		"a clock that is behind": {func(now time.Time) string { return `,"expireAt":"` + now.Add(-time.Minute).Format(time.RFC3339) + `"` }, 1},
		"the platform's other layout": {func(now time.Time) string {
			return `,"expireAt":"` + now.AddDate(0, 1, 0).Format("2006-01-02 15:04:05 -07:00") + `"`
		}, 1},
		"seconds": {func(now time.Time) string { return fmt.Sprintf(`,"expire":"%d"`, now.AddDate(0, 1, 0).Unix()) }, 1},
		"no end":  {func(time.Time) string { return "" }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			asked, m, turn := granted(t, c.expiry)
			for range 60 {
				if _, err := m.get(t.Context(), false); err != nil {
					t.Fatal(err)
				}
				turn(time.Minute)
			}
			if *asked > c.most {
				t.Errorf("asked for %d tokens in an hour", *asked)
			}
		})
	}
}
