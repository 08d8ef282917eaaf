package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"einvoice/connector/setting"
)

const (
	page   = "<html><body>Access denied by the web filter</body></html>"
	broken = `{"data":{"id":"6a10`
)

// verdictRows has a row for each line of what is known of the API's answers,
// and for what stands between it and us.
var verdictRows = []struct {
	name    string
	status  int
	headers string // "Name: value", one a line
	body    string
	fate    Fate
	scope   Scope
	code    string
	field   string
}{
	// 2xx: only an id is a proof.
	{"created", 200, "", `{"data":{"id":"a1","state":"NEW"},"success":true,"message":"","error":null}`, Sent, ScopeInvoice, "", ""},
	{"created, 201, array of one", 201, "", `{"data":[{"id":"a1"}],"success":true}`, Sent, ScopeInvoice, "", ""},
	{"created, success as text", 200, "", `{"data":{"id":"a1"},"success":"true","error":""}`, Sent, ScopeInvoice, "", ""},
	{"created, error as text null", 200, "", `{"data":{"id":"a1"},"success":true,"error":"null"}`, Sent, ScopeInvoice, "", ""},
	{"created, error zero", 200, "", `{"data":{"id":"a1"},"success":true,"error":0}`, Sent, ScopeInvoice, "", ""},
	{"created, bare object", 200, "", `{"id":"a1","state":"NEW"}`, Sent, ScopeInvoice, "", ""},
	{"created, data as text", 200, "", `{"data":"{\"id\":\"a1\"}"}`, Sent, ScopeInvoice, "", ""},
	{"created, byte order mark", 200, "", "\xef\xbb\xbf" + `{"data":{"id":"a1"}}`, Sent, ScopeInvoice, "", ""},
	{"a code beside data is no error", 200, "", `{"data":{"id":"a1"},"success":true,"message":"","error":null,"code":200}`, Sent, ScopeInvoice, "", ""},
	{"a code alone is one", 200, "", `{"success":true,"message":"Insufficient credit","code":611}`, Stopped, ScopeCredential, codeNoCredit, ""},
	{"accepted without id", 200, "", `{"data":{},"success":true,"message":"","error":null}`, Unsure, ScopeInvoice, codeUnclear, ""},
	{"data null", 200, "", `{"data":null,"success":true}`, Unsure, ScopeInvoice, codeUnclear, ""},
	{"data the text null", 200, "", `{"data":"null","success":true,"error":null}`, Unsure, ScopeInvoice, codeUnclear, ""},
	{"data absent", 200, "", `{"success":true}`, Unsure, ScopeInvoice, codeUnclear, ""},
	{"two invoices", 200, "", `{"data":[{"id":"a1"},{"id":"a2"}]}`, Unsure, ScopeInvoice, codeUnclear, ""},
	{"an id and an error", 200, "", `{"data":{"id":"a1"},"success":false,"error":500}`, Unsure, ScopeInvoice, codeUnclear, ""},
	{"empty body", 200, "", ``, Unsure, ScopeInvoice, codeUnclear, ""},
	{"no content", 204, "", ``, Unsure, ScopeInvoice, codeUnclear, ""},
	{"web page under 200", 200, "Content-Type: text/html", page, Unsure, ScopeInvoice, codeUnclear, ""},
	{"truncated JSON", 200, "", broken, Unsure, ScopeInvoice, codeUnclear, ""},
	{"refused under 200, number", 200, "", `{"data":null,"success":false,"message":"Invalid input data","error":400}`, Refused, ScopeInvoice, codeRefused, ""},
	{"refused under 200, text false", 200, "", `{"data":null,"success":"false","message":"Invalid input data"}`, Refused, ScopeInvoice, codeRefused, ""},
	{"refused under 200, no code, a field", 200, "", `{"data":{"violations":[{"propertyPath":"sender.vat_id","message":"not valid"}]},"success":false,"message":"","error":null}`, Refused, ScopeInvoice, codeFieldRefused, "sender.vat_id"},
	{"refused under 200, no code, a reason", 200, "", `{"data":{"reason":"MONTANTTOTAL_ERR"},"success":false,"message":"","error":null}`, Refused, ScopeInvoice, "E4102", ""},
	{"failed under 200, nobody says why", 200, "", `{"data":null,"success":false,"message":"","error":null}`, Unsure, ScopeInvoice, codeUnclear, ""},
	{"failed under 200, the server", 200, "", `{"data":null,"success":"false","message":"Service temporarily unavailable"}`, Unsure, ScopeInvoice, codeUnclear, ""},
	{"error inside 200 is the server's", 200, "", `{"success":false,"message":"service temporarily unavailable","error":631}`, Unsure, ScopeInvoice, codeUnclear, ""},
	{"rate limit inside 200", 200, "", `{"success":false,"message":"slow down","error":429}`, Later, ScopeCredential, codeRateLimited, ""},
	// 3xx are never followed.
	{"redirect", 302, "Location: /elsewhere", `{"state":"PENDING"}`, Unsure, ScopeInvoice, codeUnclear, ""},
	{"redirect that keeps the method", 307, "Location: /elsewhere", ``, Unsure, ScopeInvoice, codeUnclear, ""},
	// The document.
	{"invalid structure", 400, "", `{"data":"null","success":false,"message":"Invalid XML structure","error":400}`, Refused, ScopeInvoice, codeRefused, ""},
	{"blank field", 400, "", `{"success":false,"message":"recipient[name]: This value should not be blank.","error":230}`, Refused, ScopeInvoice, codeFieldMissing, "recipient.name"},
	{"missing field", 422, "", `{"success":false,"message":"Validation Error: Missing required field","error":422}`, Refused, ScopeInvoice, codeRefused, ""},
	{"field in front", 422, "", `{"success":false,"message":"Validation Error: invoice_lines[0].tax_rate: invalid value","error":422}`, Refused, ScopeInvoice, codeFieldRefused, "invoice_lines[0].tax_rate"},
	{"field quoted", 422, "", `{"success":false,"message":"The 'name' is required","error":334}`, Refused, ScopeInvoice, codeFieldMissing, "name"},
	{"list of complaints", 422, "", `{"success":false,"message":"invalid","error":422,"data":{"violations":[{"propertyPath":"sender.vat_id","message":"not valid"}]}}`, Refused, ScopeInvoice, codeFieldRefused, "sender.vat_id"},
	{"error as text", 422, "", `{"success":false,"message":"Parsing error: malformed XML","error":"802"}`, Refused, ScopeInvoice, codeRefused, ""},
	{"official reason", 422, "", `{"success":false,"message":"Rejected: MONTANTTOTAL_ERR","error":422}`, Refused, ScopeInvoice, "E4102", ""},
	{"company exists, not the document", 422, "", `{"success":false,"message":"This fiscal_id already exists","error":112}`, Refused, ScopeInvoice, codeRefused, ""},
	{"duplicate attachment is no duplicate invoice", 422, "", `{"success":false,"message":"duplicate attachment filename","error":422}`, Refused, ScopeInvoice, codeRefused, ""},
	{"invalid data", 400, "", `{"data":"null","success":false,"message":"Invalid input data","error":400}`, Refused, ScopeInvoice, codeRefused, ""},
	{"no fiscal id", 400, "", `{"data":"null","success":false,"message":"Missing fiscal_id","error":423}`, Refused, ScopeInvoice, codeRefused, ""},
	{"fields that cannot be changed", 400, "", `{"data":"null","success":true,"message":"Fields receipts are not editable","error":670}`, Refused, ScopeInvoice, codeRefused, ""},
	{"a company's registry exists, not the document", 400, "", `{"success":false,"message":"You already have a business registry with this fiscal id","error":230}`, Refused, ScopeInvoice, codeRefused, ""},
	{"a code of no list", 422, "", `{"success":false,"message":"No","error":9999}`, Refused, ScopeInvoice, codeRefused, ""},
	{"error as an object", 422, "", `{"error":{"code":"422","message":"Validation Error: Missing required field"}}`, Refused, ScopeInvoice, codeRefused, ""},
	{"too large", 413, "Content-Type: text/html", page, Refused, ScopeInvoice, codeTooLarge, ""},
	{"web page under 400", 400, "Content-Type: text/html", "<html>Bad Request</html>", Unsure, ScopeInvoice, codeUnclear, ""},
	{"web page under 422", 422, "Content-Type: text/html", page, Unsure, ScopeInvoice, codeUnclear, ""},
	// The platform has it.
	{"conflict", 409, "", `{"success":false,"message":"document exists","error":409}`, Exists, ScopeInvoice, codeExists, ""},
	{"conflict about something", 409, "", `{"success":false,"message":"This email already exists","error":612}`, Exists, ScopeInvoice, codeExists, ""},
	{"conflict without a body", 409, "", ``, Exists, ScopeInvoice, codeExists, ""},
	{"already exists", 422, "", `{"success":false,"message":"Invoice with this document_number and fiscal_id already exists","error":422}`, Exists, ScopeInvoice, codeExists, ""},
	{"already exists, at the field of the number", 422, "", `{"success":false,"message":"document_number: this number already exists","error":422}`, Exists, ScopeInvoice, codeExists, ""},
	{"already exists, at a field of the key", 422, "", `{"success":false,"message":"sender.fiscal_id: an invoice with this document_number already exists","error":422}`, Exists, ScopeInvoice, codeExists, ""},
	{"another number is a duplicate", 422, "", `{"success":false,"message":"Validation Error: payment_means[0].financial_account: duplicate account number","error":422}`, Refused, ScopeInvoice, codeFieldRefused, "payment_means[0].financial_account"},
	{"another number already exists", 400, "", `{"success":false,"message":"commitment_number: this number already exists","error":400}`, Refused, ScopeInvoice, codeFieldRefused, "commitment_number"},
	{"doublon", 400, "", `{"success":false,"message":"DOUBLON","error":400}`, Exists, ScopeInvoice, codeExists, ""},
	{"already exists under 200", 200, "", `{"success":false,"message":"Document number already exists","error":422}`, Exists, ScopeInvoice, codeExists, ""},
	// The company.
	{"not registered, success true", 404, "", `{"data":"null","success":true,"message":"Fiscal ID not found or not registered","error":111}`, Stopped, ScopeCompany, codeNotRegistered, ""},
	{"not registered, 424", 404, "", `{"success":false,"message":"Fiscal ID not found or not registered, use endpoint /FR_configurations to register it","error":424}`, Stopped, ScopeCompany, codeNotRegistered, ""},
	{"missing configuration", 422, "", `{"success":false,"message":"Missing configuration for fiscal Id","error":389}`, Stopped, ScopeCompany, codeNotRegistered, ""},
	{"service off", 400, "", `{"success":false,"message":"customer_invoice service is not enabled for the user","error":174}`, Stopped, ScopeCompany, codeServiceOff, ""},
	{"not yours", 403, "", `{"success":false,"message":"Unauthorized access","error":403}`, Stopped, ScopeCompany, codeForbidden, ""},
	{"404 without a word", 404, "", ``, Stopped, ScopeCompany, codeWrongAddress, ""},
	// The credential.
	{"wrong token, float", 401, "", `{"data":null,"success":false,"message":"Wrong Token","error":125.22}`, Stopped, ScopeCredential, codeTokenWrong, ""},
	{"wrong token under 402", 402, "", `{"success":false,"message":"Wrong Token","error":125}`, Stopped, ScopeCredential, codeTokenWrong, ""},
	{"expired token", 401, "", `{"success":false,"message":"Expired Token"}`, Stopped, ScopeCredential, codeTokenExpired, ""},
	{"401 as XML", 401, "Content-Type: application/xml", `<error>Unauthorized</error>`, Stopped, ScopeCredential, codeTokenWrong, ""},
	{"no credit", 402, "", `{"success":false,"message":"Billing error message: Insufficient Credit in Wallet: 0","error":611}`, Stopped, ScopeCredential, codeNoCredit, ""},
	{"no credit by its text", 400, "", `{"success":false,"message":"Error 810: Insufficient Credit","error":400}`, Stopped, ScopeCredential, codeNoCredit, ""},
	{"no credit by its number", 400, "", `{"success":false,"message":"Billing","error":"810"}`, Stopped, ScopeCredential, codeNoCredit, ""},
	{"no credit without a body", 402, "", ``, Stopped, ScopeCredential, codeNoCredit, ""},
	{"no credit under 200", 200, "", `{"success":false,"message":"Insufficient credit","error":"611"}`, Stopped, ScopeCredential, codeNoCredit, ""},
	{"401 as a web page", 401, "Content-Type: text/html", page, Stopped, ScopeCredential, codeTokenWrong, ""},
	{"proxy wants a user", 407, "Proxy-Authenticate: Basic", page, Stopped, ScopeCredential, codeProxyAuth, ""},
	{"block page", 403, "Content-Type: text/html", page, Stopped, ScopeCredential, codeProxyBlocked, ""},
	{"block page without a type", 403, "", "<!DOCTYPE html>blocked", Stopped, ScopeCredential, codeProxyBlocked, ""},
	{"captive portal", 511, "Content-Type: text/html", page, Stopped, ScopeCredential, codeProxyBlocked, ""},
	{"wrong address", 404, "Content-Type: text/html", page, Stopped, ScopeCredential, codeWrongAddress, ""},
	{"method not allowed", 405, "", ``, Stopped, ScopeCredential, codeWrongAddress, ""},
	// Not now.
	{"rate limited", 429, "Retry-After: 7", ``, Later, ScopeCredential, codeRateLimited, ""},
	{"rate limited, web page", 429, "Content-Type: text/html", page, Later, ScopeCredential, codeRateLimited, ""},
	{"rate limited by a date", 429, "Retry-After: Fri, 20 Nov 2026 08:00:40 GMT", `{"success":false}`, Later, ScopeCredential, codeRateLimited, ""},
	// Nobody knows.
	{"maintenance", 503, "Retry-After: 120", ``, Unsure, ScopeInvoice, codeUnavailable, ""},
	{"maintenance, web page", 503, "Content-Type: text/html\nRetry-After: 120", page, Unsure, ScopeInvoice, codeUnavailable, ""},
	{"unavailable without a date", 503, "Content-Type: text/html", page, Unsure, ScopeInvoice, codeUnclear, ""},
	{"server error", 500, "", `{"success":false,"message":"service temporarily unavailable","error":631}`, Unsure, ScopeInvoice, codeUnclear, ""},
	{"server error of the platform's own number", 500, "", `{"data":"null","success":false,"message":"Server error","error":500}`, Unsure, ScopeInvoice, codeUnclear, ""},
	{"bad gateway", 502, "Content-Type: text/html", page, Unsure, ScopeInvoice, codeUnclear, ""},
	{"gateway timeout", 504, "", ``, Unsure, ScopeInvoice, codeUnclear, ""},
	{"server error that names a duplicate", 500, "", `{"success":false,"message":"DOUBLON"}`, Unsure, ScopeInvoice, codeUnclear, ""},
	{"request timeout", 408, "", ``, Unsure, ScopeInvoice, codeUnclear, ""},
	{"request timeout, JSON", 408, "", `{"success":false}`, Unsure, ScopeInvoice, codeUnclear, ""},
	{"status of another world", 454, "", `{"success":false,"message":"?"}`, Unsure, ScopeInvoice, codeUnclear, ""},
}

// doubted are the rows in which a page stops us that may have come after the
// invoice had passed.
var doubted = []string{"block page", "block page without a type", "wrong address"}

func TestEveryAnswerHasItsFate(t *testing.T) {
	for _, row := range verdictRows {
		t.Run(row.name, func(t *testing.T) {
			calls := 0
			c := newTestClient(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
				calls++
				w.Header().Set("Content-Type", "application/json")
				for line := range strings.Lines(row.headers) {
					name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
					w.Header().Set(name, value)
				}
				w.WriteHeader(row.status)
				w.Write([]byte(row.body))
			}), Options{Now: func() time.Time { return time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC) }})
			a := c.Submit(t.Context(), usualInvoice())
			if a.Fate != row.fate || a.Scope != row.scope || a.HTTP != row.status {
				t.Fatalf("answer %+v, want %s of %s", a, row.fate, row.scope)
			}
			if want := retryOf(row.headers); a.RetryAfter != want {
				t.Errorf("try again after %s, want %s", a.RetryAfter, want)
			}
			if want := slices.Contains(doubted, row.name); a.Doubt != want {
				t.Errorf("doubt is %v, want %v", a.Doubt, want)
			}
			if calls != 1 {
				t.Errorf("%d requests", calls)
			}
			_, err := c.Get(t.Context(), "0a1b", false)
			if got, want := RetryAfter(err), retryOf(row.headers); got != want {
				t.Errorf("a read tries again after %s, want %s", got, want)
			}
			if row.code == "" {
				return
			}
			if len(a.Problems) != 1 || a.Problems[0].Code != row.code || a.Problems[0].Field != row.field {
				t.Errorf("problems %+v, want %s at %q", a.Problems, row.code, row.field)
			}
		})
	}
}

// retryOf is how long the headers of a row ask to wait, on the clock of the test.
func retryOf(headers string) time.Duration {
	switch {
	case strings.Contains(headers, "Retry-After: 7"):
		return 7 * time.Second
	case strings.Contains(headers, "Retry-After: 120"):
		return 2 * time.Minute
	case strings.Contains(headers, "Retry-After: Fri"):
		return 40 * time.Second
	}
	return 0
}

func TestAnUnknownRefusalShowsThePlatformsOwnText(t *testing.T) {
	const text = "Le cachet de l'émetteur est illisible"
	c := newTestClient(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(422)
		w.Write([]byte(`{"success":false,"message":"` + text + `","error":9999}`))
	}), Options{})
	a := c.Submit(t.Context(), usualInvoice())
	for _, lang := range []string{"fr", "en"} {
		if !strings.Contains(a.Problems[0].Message(problemLang(lang)), text) {
			t.Errorf("%s: %s", lang, a.Problems[0].Message(problemLang(lang)))
		}
	}
}

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	now := time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                              0,
		"30":                            30 * time.Second,
		"-5":                            0,
		"soon":                          0,
		"999999999":                     maxWait,
		"Fri, 20 Nov 2026 08:01:00 GMT": time.Minute,
		"Fri, 20 Nov 2026 07:00:00 GMT": 0,
	} {
		if got := retryAfter(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("%q: %s, want %s", value, got, want)
		}
	}
}

func TestA401GetsOneMoreTryWithAnotherToken(t *testing.T) {
	var seen []string
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Authorization"))
		if r.Header.Get("Authorization") != "Bearer second" {
			w.WriteHeader(401)
			w.Write([]byte(`{"success":false,"message":"Wrong Token","error":125.22}`))
			return
		}
		w.Write([]byte(`{"data":{"id":"a1"},"success":true}`))
	})
	renewing := func(after setting.Secret) func(context.Context, bool) (setting.Secret, error) {
		return func(_ context.Context, renew bool) (setting.Secret, error) {
			if renew {
				return after, nil
			}
			return "first", nil
		}
	}
	for after, want := range map[setting.Secret]struct {
		fate  Fate
		calls int
	}{"second": {Sent, 2}, "third": {Stopped, 2}, "first": {Stopped, 1}} {
		seen = nil
		a := newTestClient(t, url, Options{Token: renewing(after)}).Submit(t.Context(), usualInvoice())
		if a.Fate != want.fate || len(seen) != want.calls {
			t.Errorf("renewed to %s: %s after %v", after.Reveal(), a.Fate, seen)
		}
	}
}

func TestAKeyThatIsNoTokenIsNamedAsTheLikelyCause(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) })
	token := func(context.Context, bool) (setting.Secret, error) { return "ak_live_51HxYzAbCd", nil }
	a := newTestClient(t, url, Options{Token: token}).Submit(t.Context(), usualInvoice())
	if a.Fate != Stopped || a.Problems[0].Code != codeTokenLikelyKey {
		t.Errorf("answer %+v", a)
	}
}

func TestAnEchoedTokenIsHidden(t *testing.T) {
	c := newTestClient(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(422)
		w.Write([]byte(`{"success":false,"message":"bad header ` + r.Header.Get("Authorization") + `"}`))
	}), Options{})
	a := c.Submit(t.Context(), usualInvoice())
	if text := a.Note + a.Problems[0].Value; strings.Contains(text, testToken) || !strings.Contains(text, hiddenToken) {
		t.Error(text)
	}
}

func TestARecipientWhoIsNotRegisteredIsAboutOneInvoice(t *testing.T) {
	for text, want := range map[string]Fate{
		"recipient.fiscal_id: not registered in the directory":  Refused,
		"The buyer is not registered":                           Refused,
		"Fiscal ID not found or not registered":                 Stopped,
		"Sender not registered, recipients cannot be looked up": Stopped,
		"Missing configuration for fiscal Id of the invoice":    Stopped,
	} {
		r := reply{status: 422, body: []byte(`{"success":false,"message":"` + text + `","error":422}`), written: true}
		r.parse()
		if v := r.verdict(); v.fate != want {
			t.Errorf("%s: %s of %s", text, v.fate, v.scope)
		}
	}
}
