package sandbox

import (
	"net/http/httptest"
	"testing"
)

// TestSwitches turns each switch over HTTP and looks at what it changes.
func TestSwitches(t *testing.T) {
	refused := func(r *rig) map[string]any {
		id := r.post("REFUSE-1")
		r.settle()
		return at(r.must(200, "GET", "/FR-invoices/"+id, ""), "data", "details").(map[string]any)
	}
	for _, c := range []struct {
		story, body string
		look        func(r *rig) any
		usual, want any
	}{
		{"answer with the id alone", `{"reply":"id"}`, func(r *rig) any {
			return at(r.must(200, "POST", "/FR-invoices", invoiceTo("FA-1", buyer, "X")), "data", "document_number")
		}, "FA-1", nil},
		{"answer 201", `{"reply":"created"}`, func(r *rig) any {
			status, _ := r.call("POST", "/FR-invoices", invoiceTo("FA-1", buyer, "X"))
			return status
		}, 200, 201},
		{"oldest first", `{"order":"oldest"}`, func(r *rig) any {
			r.post("FA-1")
			r.post("FA-2")
			return at(r.must(200, "GET", "/FR-invoices", ""), "data", 0, "document_number")
		}, "FA-2", "FA-1"},
		{"short pages", `{"limit":1}`, func(r *rig) any {
			r.post("FA-1")
			r.post("FA-2")
			return len(r.must(200, "GET", "/FR-invoices", "")["data"].([]any))
		}, 2, 1},
		{"codes for words", `{"vocabulary":"codes"}`, func(r *rig) any { return refused(r)["external_status"] }, "refused", "210"},
		{"reasons in a message", `{"reason":"message"}`, func(r *rig) any { return refused(r)["message"] }, nil, "TX_TVA_ERR Taux de TVA erroné"},
		{"no reasons", `{"reason":"none"}`, func(r *rig) any { return refused(r)["reason_code"] }, "TX_TVA_ERR", nil},
		{"callbacks without headers", `{"callbacks":"plain"}`, func(r *rig) any {
			r.post("STUCK")
			r.settle()
			requests, _ := r.phone.calls()
			return requests[0].Header.Get("X-Secret")
		}, "s3", ""},
		{"PATCH merges", `{"patch":"merge"}`, func(r *rig) any {
			v := r.must(200, "PATCH", "/FR-configurations/"+seller, `{"api_configurations":[{"event":"customer-invoice","callback":{"url":"http://erp.test/new"}}]}`)
			return len(at(v, "data", "api_configurations").([]any))
		}, 1, 2},
		{"a company under its SIREN", `{"key":"siren"}`, func(r *rig) any {
			status, _ := r.call("GET", "/FR-configurations/100000009", "")
			return status
		}, 404, 200},
		{"DONE at approval", `{"done":"approval"}`, func(r *rig) any {
			id := r.post("FA-1")
			r.settle()
			return at(r.must(200, "GET", "/FR-invoices/"+id, ""), "data", "state")
		}, "DONE", "SENT"},
		{"errors without oddities", `{"errors":"plain"}`, func(r *rig) any {
			return r.must(404, "GET", "/FR-configurations/999999998", "")["success"]
		}, true, false},
		{"small bodies", `{"max_body":100}`, func(r *rig) any {
			status, _ := r.call("POST", "/FR-invoices", invoiceTo("FA-1", buyer, "X"))
			return status
		}, 200, 413},
	} {
		t.Run(c.story, func(t *testing.T) {
			if got := c.look(open(t, Options{}).registered()); got != c.usual {
				t.Errorf("as usual: %v, want %v", got, c.usual)
			}
			r := open(t, Options{}).registered()
			r.must(200, "PATCH", "/sandbox/switches", c.body)
			if got := c.look(r); got != c.want {
				t.Errorf("switched: %v, want %v", got, c.want)
			}
		})
	}
	r := open(t, Options{})
	if status, _ := r.call("PATCH", "/sandbox/switches", `{"order":"random"}`); status != 400 {
		t.Errorf("an unknown word: %d", status)
	}
}

func TestSwitchesByName(t *testing.T) {
	var w Switches
	if err := w.Set(map[string]string{"order": "oldest", "limit": "7"}); err != nil || w.Order != "oldest" || w.Limit != 7 {
		t.Errorf("%+v %v", w, err)
	}
	for name, value := range map[string]string{"order": "random", "colour": "red", "limit": "many"} {
		if err := w.Set(map[string]string{name: value}); err == nil {
			t.Errorf("%s=%s was taken", name, value)
		}
	}
}

func TestAControlCallChoosesALife(t *testing.T) {
	r := open(t, Options{}).registered()
	id := r.post("FA-1")
	r.settle()
	r.must(200, "POST", "/sandbox/invoices/"+id+"/advance", `{"scenario":"paid"}`)
	r.settle()
	if v := r.must(200, "GET", "/FR-invoices/"+id, ""); at(v, "data", "details", "external_status") != "paid" {
		t.Errorf("%v", at(v, "data", "details"))
	}
	if status, _ := r.call("POST", "/sandbox/invoices/"+id+"/advance", `{"scenario":"eaten"}`); status != 400 {
		t.Errorf("an unknown scenario: %d", status)
	}
}

// TestTheDocumentByItsContentType: the sister API gives the file to who accepts
// XML.
func TestTheDocumentByItsContentType(t *testing.T) {
	r := open(t, Options{}).registered()
	id := r.post("FA-1")
	for accept, want := range map[string]string{"application/xml": "<?xml", "application/pdf": "%PDF", "application/json": `{"dat`, "": `{"dat`} {
		w := httptest.NewRecorder()
		req := httptest.NewRequest("GET", "/FR-invoices/"+id, nil)
		req.Header = r.header.Clone()
		req.Header.Set("Accept", accept)
		r.ServeHTTP(w, req)
		if got := w.Body.String()[:5]; w.Code != 200 || got[:4] != want[:4] {
			t.Errorf("%s: %d %s", accept, w.Code, got)
		}
	}
}
