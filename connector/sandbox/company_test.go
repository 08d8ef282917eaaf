package sandbox

import (
	"strings"
	"testing"
)

func TestASIRENAloneRegistersACompany(t *testing.T) {
	r := open(t, Options{})
	v := r.must(200, "POST", "/FR-configurations", `{"fiscal_id":"100000009"}`)
	for _, c := range []struct {
		key  string
		want any
	}{
		{"name", "Atelier Témoin SARL"}, {"vat_id", "FR88100000009"}, {"customer_invoice", true}, {"supplier_invoice", true}, {"active", true},
	} {
		if got := at(v, "data", c.key); got != c.want {
			t.Errorf("%s = %v, want %v", c.key, got, c.want)
		}
	}
	stranger := r.must(200, "POST", "/FR-configurations", `{"fiscal_id":"732829320"}`)
	if name, _ := at(stranger, "data", "name").(string); name == "" {
		t.Error("a company outside the directory got no name")
	}
	// Both the SIREN's own SIRETs and the SIREN itself may now send.
	r.must(200, "POST", "/FR-invoices", invoiceTo("A", buyer, "Menuiserie"))
}

func TestRegistrationRefusals(t *testing.T) {
	for _, c := range []struct {
		story, body string
		strict      bool
		status      int
		code        any
	}{
		{"no fiscal id", `{}`, false, 400, 423.0},
		{"not JSON", `{`, false, 400, 400.0},
		{"a name for an id", `{"fiscal_id":"ACME"}`, false, 422, 422.0},
		{"wrong check digit, strict", `{"fiscal_id":"100000001"}`, true, 422, 422.0},
		{"unknown event", `{"fiscal_id":"100000009","api_configurations":[{"event":"receipt","callback":{"url":"http://a.test/"}}]}`, false, 422, 422.0},
		{"callback to nowhere", `{"fiscal_id":"100000009","api_configurations":[{"event":"customer-invoice","callback":{"url":"erp"}}]}`, false, 422, 422.0},
		{"three retries, strict", `{"fiscal_id":"100000009","api_configurations":[{"event":"customer-invoice","callback":{"url":"http://a.test/","retry":3}}]}`, true, 422, 422.0},
		{"unknown method", `{"fiscal_id":"100000009","api_configurations":[{"event":"customer-invoice","callback":{"url":"http://a.test/","method":"GET"}}]}`, false, 422, 422.0},
	} {
		t.Run(c.story, func(t *testing.T) {
			r := open(t, Options{Strict: c.strict})
			v := r.must(c.status, "POST", "/FR-configurations", c.body)
			if v["error"] != c.code {
				t.Errorf("error %v, want %v", v["error"], c.code)
			}
		})
	}
}

func TestPatchReplacesCallbacksAndRefusesFixedFields(t *testing.T) {
	r := open(t, Options{}).registered()
	path := "/FR-configurations/" + seller
	v := r.must(400, "PATCH", path, `{"email":"x@y.test"}`)
	if v["error"] != 670.0 || v["success"] != true {
		t.Errorf("fixed field: %v", v)
	}
	v = r.must(200, "PATCH", path, `{"supplier_invoice":false,"api_configurations":[
		{"event":"customer-invoice","callback":{"url":"http://new.test/"}},{"event":"supplier-invoice","callback":null}]}`)
	if got := at(v, "data", "api_configurations", 0, "callback", "url"); got != "http://new.test/" {
		t.Errorf("callback %v", got)
	}
	if at(v, "data", "api_configurations", 1) != nil {
		t.Error("a null callback did not switch its event off")
	}
	if at(v, "data", "supplier_invoice") != false || at(v, "data", "customer_invoice") != true {
		t.Errorf("services: %v", v["data"])
	}
	r.must(404, "PATCH", "/FR-configurations/200000008", `{}`)
}

func TestDeleteOnlyBeforeTheFirstInvoice(t *testing.T) {
	r := open(t, Options{}).registered()
	r.must(200, "POST", "/FR-configurations", `{"fiscal_id":"200000008"}`)
	if v := r.must(200, "DELETE", "/FR-configurations/200000008", ""); v["data"] != "null" {
		t.Errorf("data %v", v["data"])
	}
	r.must(404, "GET", "/FR-configurations/200000008", "")
	r.must(404, "DELETE", "/FR-configurations/200000008", "")
	r.post("A")
	r.must(400, "DELETE", "/FR-configurations/"+seller, "")
	v := r.must(200, "GET", "/FR-configurations", "")
	if list, _ := v["data"].([]any); len(list) != 1 {
		t.Errorf("%d configurations, want 1", len(list))
	}
}

func TestTokens(t *testing.T) {
	for _, c := range []struct {
		story, header string
		tokens        []string
		status        int
	}{
		{"any token will do", "Bearer x", nil, 200},
		{"none", "", nil, 401},
		{"an empty one", "Bearer ", nil, 401},
		{"the API key instead", "Basic eDp5", nil, 401},
		{"the right one", "Bearer good", []string{"good"}, 200},
		{"a wrong one", "Bearer bad", []string{"good"}, 401},
	} {
		t.Run(c.story, func(t *testing.T) {
			r := open(t, Options{Tokens: c.tokens})
			r.header.Set("Authorization", c.header)
			v := r.must(c.status, "GET", "/FR-invoices", "")
			if c.status == 401 && v["error"] != 125.22 {
				t.Errorf("error %v", v["error"])
			}
		})
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, opt := range []Options{{Scale: -1}, {Duplicates: "maybe"}, {Unverified: "perhaps"}, {Data: "/nowhere/at/all"}} {
		if s, err := New(opt); err == nil {
			t.Errorf("%+v: accepted", opt)
			_ = s.Close()
		}
	}
	r := open(t, Options{})
	r.must(404, "GET", "/elsewhere", "")
	r.must(404, "PUT", "/FR-invoices", "")
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if err := r.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
	if !strings.HasPrefix(newID(r.opt.Now()), "6") && len(newID(r.opt.Now())) != 24 {
		t.Error("an id is not 24 hex digits")
	}
}
