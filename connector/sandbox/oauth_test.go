package sandbox

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/govalues/decimal"
)

// account asks the token service, by e-mail and API key.
func (r *rig) account(method, path, body string) map[string]any {
	r.t.Helper()
	old := r.header
	req, _ := http.NewRequest(method, path, nil)
	req.SetBasicAuth("me@exemple.test", "key")
	r.header = req.Header
	defer func() { r.header = old }()
	return r.must(200, method, path, body)
}

func (r *rig) with(token any) *rig {
	copied := *r
	copied.header = http.Header{"Authorization": {"Bearer " + token.(string)}}
	return &copied
}

func TestATokenIsGoodForItsScopesAndItsTime(t *testing.T) {
	clock := newHandClock()
	r := open(t, Options{Now: clock.now, OnlyMinted: true, TokenTTL: time.Hour})
	if status, v := r.call("GET", "/FR-invoices", ""); status != 401 || at(v, "error") != 125.22 {
		t.Errorf("a token of nobody: %d %v", status, v)
	}
	v := r.account("POST", "/tokens", `{"scopes":["GET:test.invoice.openapi.com/FR-invoices","POST:example.com/FR-configurations"],"name":"erp","ttl":86400}`)
	mine := r.with(at(v, "data", "token"))
	for _, c := range []struct {
		method, path, body string
		want               int
	}{
		{"GET", "/FR-invoices", "", 200},
		{"GET", "/FR-invoices/123", "", 404}, // what is below a path belongs to it
		{"POST", "/FR-configurations", `{"fiscal_id":"100000009"}`, 200},
		{"GET", "/FR-configurations", "", 401},
		{"POST", "/FR-invoices", "{}", 401},
	} {
		if got, _ := mine.call(c.method, c.path, c.body); got != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, got, c.want)
		}
	}
	clock.turn(time.Hour)
	if status, v := mine.call("GET", "/FR-invoices", ""); status != 401 || at(v, "message") != "Expired Token" {
		t.Errorf("after its time: %d %v", status, v)
	}
	renewed := r.with(at(v, "data", "refreshToken")).must(200, "PATCH", "/tokens/"+at(v, "data", "token").(string), `{"ttl":60}`)
	if status, _ := r.with(at(renewed, "data", "token")).call("GET", "/FR-invoices", ""); status != 200 {
		t.Errorf("the renewed token: %d", status)
	}
	if status, _ := r.with(at(v, "data", "refreshToken")).call("PATCH", "/tokens/"+at(v, "data", "token").(string), `{}`); status != 401 {
		t.Errorf("a refresh token was good twice: %d", status)
	}
	if list := r.account("GET", "/tokens", "")["data"].([]any); len(list) != 1 {
		t.Errorf("%d tokens are left", len(list))
	}
}

func TestVersion1OfTheTokenServiceHasNoEnvelope(t *testing.T) {
	clock := newHandClock()
	r := open(t, Options{Now: clock.now, OnlyMinted: true})
	v := r.account("POST", "/token", `{"scopes":["GET:example.com/FR-invoices/{id}"]}`)
	if at(v, "success") != true || at(v, "expire") != float64(clock.now().Add(usualTTL).Unix()) {
		t.Errorf("%v", v)
	}
	if status, _ := r.with(v["token"]).call("GET", "/FR-invoices/1", ""); status != 404 {
		t.Errorf("its token: %d", status)
	}
	if status, _ := r.call("POST", "/token", `{"scopes":["GET:x/y"]}`); status != 401 {
		t.Errorf("a bearer at the token service: %d", status)
	}
}

func TestALimitedTokenRunsOut(t *testing.T) {
	r := open(t, Options{})
	v := r.account("POST", "/tokens", `{"scopes":["*:*/FR-invoices"],"limits":{"totalRequests":2}}`)
	mine := r.with(at(v, "data", "token"))
	for i, want := range []int{200, 200, 401} {
		if got, _ := mine.call("GET", "/FR-invoices", ""); got != want {
			t.Errorf("request %d: %d, want %d", i+1, got, want)
		}
	}
}

// Three times 0.1 is 0.3 here, as in a wallet.
func TestTheWalletRunsDry(t *testing.T) {
	r := open(t, Options{Credit: decimal.MustParse("0.3"), Price: decimal.MustParse("0.1")}).registered()
	for _, number := range []string{"FA-1", "FA-2", "FA-3"} {
		r.post(number)
	}
	body := invoiceTo("FA-4", buyer, "Menuiserie Exemple SAS")
	if status, v := r.call("POST", "/FR-invoices", body); status != 402 || at(v, "error") != 611.0 {
		t.Fatalf("%d %v", status, v)
	}
	credit := func(want float64) {
		t.Helper()
		if got := at(r.account("GET", "/wallet", ""), "data", "credit"); got != want {
			t.Errorf("credit %v, want %v", got, want)
		}
	}
	credit(0)
	r.must(200, "POST", "/sandbox/wallet", `{"credit":10}`)
	r.must(200, "POST", "/FR-invoices", body)
	credit(9.9)
	list := r.account("GET", "/wallet/transactions", "")["data"].([]any)
	if len(list) != 2 || at(list, 0, "amount") != 10.3 || at(list, 1, "amount") != -0.4 {
		t.Errorf("transactions %v", list)
	}
}

func TestTheCallbackLogTellsWhatWasMissed(t *testing.T) {
	r := open(t, Options{}).registered()
	r.phone.answer = func(int) (int, error) { return 503, nil }
	id := r.post("FA-1")
	r.settle()
	list := r.account("GET", "/callbacks?limit=1", "")["data"].([]any)
	if len(list) != 1 || at(list, 0, "httpResponseCode") != "503" {
		t.Fatalf("%v", list)
	}
	v := r.account("GET", "/callbacks/"+at(list, 0, "id").(string), "")
	if at(v, "data", "data", "id") != id || at(v, "data", "data", "state") == "NEW" || at(v, "data", "custom", "company") != "main" ||
		at(v, "data", "headers", "X-Secret") != "s3" || at(v, "data", "attempt") != 1.0 {
		t.Errorf("%v", v)
	}
	if !strings.Contains(at(list, 0, "scope").(string), "FR-invoices") {
		t.Error("no scope")
	}
}
