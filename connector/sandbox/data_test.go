package sandbox

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/govalues/decimal"
)

// basic calls the token service.
func (r *rig) basic(method, path, body string) map[string]any {
	r.t.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.SetBasicAuth("me@exemple.test", "apikey")
	w := httptest.NewRecorder()
	r.ServeHTTP(w, req)
	var v map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != http.StatusOK {
		r.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	return v
}

// as sends with one token.
func (r *rig) as(token, path string) int {
	req := httptest.NewRequest("GET", path, nil)
	req.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	r.ServeHTTP(w, req)
	return w.Code
}

// TestDataKeepsTheAccount: tokens with what is left of them, the wallet, the
// switches and the log of callbacks outlive a kill.
func TestDataKeepsTheAccount(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sandbox.jsonl")
	opt := Options{Data: path, OnlyMinted: true, Credit: decimal.MustParse("1"), Price: decimal.MustParse("0.25"), Switches: Switches{Order: "oldest"}}
	killed := open(t, opt)
	mint := func(scopes, limits string) string {
		return at(killed.basic("POST", "/tokens", `{"scopes":[`+scopes+`],"limits":`+limits+`}`), "data", "token").(string)
	}
	all := mint(`"*:*/FR-invoices","*:*/FR-configurations"`, `null`)
	limited, gone, old := mint(`"GET:*/FR-invoices"`, `{"totalRequests":2}`), mint(`"GET:*/FR-invoices"`, `null`), mint(`"GET:*/FR-invoices"`, `null`)
	killed.basic("DELETE", "/tokens/"+gone, "")
	refresh := at(killed.basic("GET", "/tokens/"+old, ""), "data", "refreshToken").(string)
	killed.header.Set("Authorization", "Bearer "+refresh)
	renewed := at(killed.must(200, "PATCH", "/tokens/"+old, `{}`), "data", "token").(string)
	if killed.as(limited, "/FR-invoices") != 200 {
		t.Fatal("a limited token is good once")
	}
	killed.header.Set("Authorization", "Bearer "+all)
	killed.must(200, "POST", "/FR-configurations", `{"fiscal_id":"`+seller+`","api_configurations":[{"event":"customer-invoice","callback":{"url":"http://erp.test/hook","headers":{"X-Secret":"s3"},"custom":{"a":1}}}]}`)
	killed.post("FA-1")
	killed.settle()
	killed.must(200, "POST", "/sandbox/wallet", `{"credit":10}`)
	killed.must(200, "PATCH", "/sandbox/switches", `{"reason":"message"}`)

	opt.Switches.Order = "none"
	r := open(t, opt)
	for token, want := range map[string]int{all: 200, renewed: 200, gone: 401, old: 401} {
		if got := r.as(token, "/FR-invoices"); got != want {
			t.Errorf("a token is answered %d, want %d", got, want)
		}
	}
	if first, second := r.as(limited, "/FR-invoices"), r.as(limited, "/FR-invoices"); first != 200 || second == 200 {
		t.Errorf("a token of which one call was left: %d, %d", first, second)
	}
	if credit := at(r.basic("GET", "/wallet", ""), "data", "credit"); credit != 10.75 {
		t.Errorf("credit %v, want 10.75", credit)
	}
	if w := r.switches.Load(); w.Reason != "message" || w.Order != "none" {
		t.Errorf("reason %q, as turned; order %q, as this start has it", w.Reason, w.Order)
	}
	log := at(r.basic("GET", "/callbacks", ""), "data").([]any)
	if want := len(killed.Books().Callbacks); len(log) != want || want == 0 {
		t.Fatalf("%d callbacks in the log, want %d", len(log), want)
	}
	entry := r.basic("GET", "/callbacks/"+at(log[0], "id").(string), "")
	if at(entry, "data", "headers", "X-Secret") != "s3" || at(entry, "data", "custom", "a") != 1.0 || at(entry, "data", "data", "document_number") != "FA-1" {
		t.Errorf("%v", entry["data"])
	}
}
