package api

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"einvoice/connector"
	"einvoice/connector/problem"
	"einvoice/connector/setting"
)

func TestSettingsAreCheckedBeforeTheyAreUsed(t *testing.T) {
	for key, change := range map[string]func(*Config){
		"":                func(*Config) {},
		"base_url":        func(c *Config) { c.BaseURL = "http://invoice.openapi.com" },
		"base_url ":       func(c *Config) { c.BaseURL = "" },
		"base_url  ":      func(c *Config) { c.BaseURL = "https://invoice.openapi.com/FR-invoices" },
		"base_url   ":     func(c *Config) { c.BaseURL = "https://user:pw@invoice.openapi.com" },
		"proxy":           func(c *Config) { c.Proxy = "proxy.example:3128" },
		"proxy ":          func(c *Config) { c.Proxy = "socks4://user:hunter2@host" },
		"token_file":      func(c *Config) { c.TokenEnv = "" },
		"token_file ":     func(c *Config) { c.TokenFile = "C:\temp\token" },
		"timeout":         func(c *Config) { c.Timeout = 0 },
		"max_connections": func(c *Config) { c.MaxConnections = 0 },
	} {
		c := Defaults()
		change(&c)
		r := setting.NewReport()
		c.Validate(r)
		got := r.Mistakes()
		if key == "" && len(got) == 0 {
			continue
		}
		if len(got) != 1 || got[0].Key != strings.TrimSpace(key) || strings.Contains(got[0].Text, "hunter2") {
			t.Errorf("%q: %v", key, got)
		}
	}
	local := Defaults()
	local.BaseURL = "http://127.0.0.1:8490"
	r := setting.NewReport()
	if local.Validate(r); len(r.Mistakes()) != 0 {
		t.Errorf("sandbox on this machine: %v", r.Mistakes())
	}
}

func TestATokenFileIsReadAgainWhenItChanges(t *testing.T) {
	cfg := Defaults()
	cfg.TokenFile = filepath.Join(t.TempDir(), "token")
	write := func(s string) {
		if err := os.WriteFile(cfg.TokenFile, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	token := ConfiguredToken(cfg)
	if _, err := token(t.Context(), false); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	for written, want := range map[string]string{
		testToken + "\r\n":                       testToken,
		"\ufeff " + testToken + "\n":             testToken,
		`"` + testToken + `"`:                    testToken,
		"Bearer " + testToken:                    testToken,
		"\xff\xfea\x00b\x00\r\x00\n\x00":         "ab",
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x",
	} {
		write(written)
		if got, err := token(t.Context(), false); got.Reveal() != want || err != nil {
			t.Errorf("%q: %q, %v", written, got.Reveal(), err)
		}
	}
	for _, bad := range []string{"", " \n", strings.Repeat("x", maxToken+1), "two words", "line\nfeed"} {
		write(bad)
		if got, err := token(t.Context(), true); err == nil || strings.Contains(err.Error(), "two words") {
			t.Errorf("%.20q: %q, %v", bad, got.Reveal(), err)
		}
	}
	if got, err := token(t.Context(), false); got == "" || err != nil {
		t.Errorf("while the file is being replaced the last token stands: %v", err)
	}
}

func TestARefusedTokenIsReadAgainWhateverTheDateOfItsFile(t *testing.T) {
	cfg := Defaults()
	cfg.TokenFile = filepath.Join(t.TempDir(), "token")
	then := time.Now().Add(-time.Hour)
	token := ConfiguredToken(cfg)
	for i, want := range []string{"first", "first", "third"} {
		if err := os.WriteFile(cfg.TokenFile, []byte([]string{"first", "other", "third"}[i]), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(cfg.TokenFile, then, then); err != nil {
			t.Fatal(err)
		}
		if got, err := token(t.Context(), i == 2); got.Reveal() != want || err != nil {
			t.Errorf("read %d: %q, %v", i+1, got.Reveal(), err)
		}
	}
}

func TestATokenComesFromTheEnvironment(t *testing.T) {
	t.Setenv("EINVOICE_TOKEN", testToken)
	if got, err := ConfiguredToken(Defaults())(t.Context(), false); got != testToken || err != nil {
		t.Errorf("%q, %v", got.Reveal(), err)
	}
	t.Setenv("EINVOICE_TOKEN", "")
	cfg := Defaults()
	cfg.BaseURL = serve(t, func(http.ResponseWriter, *http.Request) { t.Error("called without a token") })
	c, err := New(cfg, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if a := c.Submit(t.Context(), usualInvoice()); a.Fate != Stopped || a.Scope != ScopeCredential || a.Problems[0].Code != codeTokenMissing {
		t.Errorf("answer %+v", a)
	}
}

func TestTheShapeOfATokenIsAHint(t *testing.T) {
	for s, want := range map[setting.Secret]bool{testToken: true, "": false, "me@example.test": false, "0123456789ABCDEF01234567": false, "0123456789abcdef0123456789abcdef": false} {
		if LooksLikeToken(s) != want {
			t.Errorf("%q: %v", s.Reveal(), !want)
		}
	}
}

func TestEveryCodeHasItsTexts(t *testing.T) {
	known := map[string]bool{}
	for _, e := range problem.Catalogue() {
		known[e.Code] = true
	}
	for _, row := range verdictRows {
		if row.code != "" && !known[row.code] {
			t.Errorf("%s has no entry", row.code)
		}
	}
	for _, code := range []string{codeTokenLikelyKey, codeTokenMissing, codeUnreachable, codeCertificate, codeNoAnswer, codeBrokenAnswer, codeNotEncoded, codeNotCarried, codeUnknownInvoice, codeReadFailed} {
		if !known[code] {
			t.Errorf("%s has no entry", code)
		}
	}
}

func TestRegistrationsAreTriedPlainer(t *testing.T) {
	reg := Registration{Company: connector.Company{FiscalID: "100000009"}, CustomerInvoice: true,
		Callbacks: []Callback{{Event: "customer-invoice", URL: "https://x.test/h", Method: "JSON", Headers: map[string]string{"X-Secret": "s"}, Retry: 5, Custom: 1}}}
	for refused, calls := range map[string]int{`"custom"`: 2, `"retry"`: 2, `"headers"`: 3, `"url"`: 3, `"nothing"`: 1} {
		n := 0
		c := newTestClient(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
			n++
			b := make([]byte, r.ContentLength)
			r.Body.Read(b)
			if strings.Contains(string(b), refused) {
				w.WriteHeader(422)
				fmt.Fprint(w, `{"success":false,"message":"unknown field","error":422}`)
				return
			}
			fmt.Fprint(w, `{"data":{"fiscal_id":"100000009"},"success":true}`)
		}), Options{})
		err := c.Register(t.Context(), reg)
		if n != calls || (err != nil) != (refused == `"url"`) {
			t.Errorf("%s refused: %d calls, %v", refused, n, err)
		}
	}
}

func TestARegistrationThatIsNotThereAfterAllKeepsItsFirstAnswer(t *testing.T) {
	c := newTestClient(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(404)
		if r.Method == http.MethodPost {
			fmt.Fprint(w, `{"data":"null","success":true,"message":"Fiscal ID not found or not registered","error":111}`)
		}
	}), Options{})
	err := c.Register(t.Context(), Registration{Company: connector.Company{FiscalID: "100000009"}})
	if e, ok := errors.AsType[*Error](err); !ok || e.Code != "111" || e.Scope != ScopeCompany {
		t.Errorf("error %v", err)
	}
}
