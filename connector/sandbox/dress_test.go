package sandbox

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestOddAnswers: each fault changes the answer in its own way, once.
func TestOddAnswers(t *testing.T) {
	for _, c := range []struct {
		kind  string
		look  []any
		want  any
		usual any
	}{
		{"null_data", []any{"data"}, "null", nil},
		{"text_success", []any{"success"}, "true", true},
		{"text_error", []any{"error"}, "", nil},
		{"float_error", []any{"error"}, 422.22, nil},
		{"other_time", []any{"data", "create_at"}, "2026-11-20 09:00:00 +00:00", "2026-11-20T09:00:00Z"},
		{"unknown_fields", []any{"data", "details", "x_new_in_2027", "anything", 0}, 1.0, nil},
		{"missing_fields", []any{"data", "type"}, nil, "380"},
	} {
		t.Run(c.kind, func(t *testing.T) {
			r := open(t, Options{Now: newHandClock().now}).registered()
			id := r.post("STUCK")
			r.must(200, "POST", "/sandbox/faults", `{"kind":"`+c.kind+`","on":"GET /FR-invoices/{id}","count":1}`)
			v := r.must(200, "GET", "/FR-invoices/"+id, "")
			if got := at(v, c.look...); got != c.want {
				t.Errorf("struck: %v, want %v", got, c.want)
			}
			v = r.must(200, "GET", "/FR-invoices/"+id, "")
			if got := at(v, c.look...); got != c.usual {
				if m, is := got.(map[string]any); !is || c.usual != nil || m["id"] != id {
					t.Errorf("afterwards: %v, want %v", got, c.usual)
				}
			}
		})
	}
}

// TestAnswersOfAGateway: no JSON at all.
func TestAnswersOfAGateway(t *testing.T) {
	r := open(t, Options{})
	for kind, want := range map[string][2]string{"xml": {"application/xml", "<error>"}, "expired": {"application/json", "Expired Token"}, "html": {"text/html; charset=utf-8", "Bad Gateway"}} {
		r.AddFault(Fault{Kind: kind, Count: 1})
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequest("GET", "/FR-invoices", nil))
		if w.Header().Get("Content-Type") != want[0] || !strings.Contains(w.Body.String(), want[1]) || w.Code == 200 {
			t.Errorf("%s: %d %s %s", kind, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
	}
}

// TestPoliciesByFault: what an option decides for all, a fault decides for one.
func TestPoliciesByFault(t *testing.T) {
	wrong := strings.Replace(invoiceTo("FA-W", buyer, "M"), "61.20", "99.99", 1)
	extra := strings.Replace(invoiceTo("FA-E", buyer, "M"), `"currency"`, `"type":"381","currency"`, 1)
	for _, c := range []struct {
		kind, body string
		before     bool
		want       int
	}{
		{"conflict", invoiceTo("FA-1", buyer, "M"), true, 409},
		{"conflict", invoiceTo("FA-1", buyer, "M"), false, 200},
		{"doublon", invoiceTo("FA-1", buyer, "M"), true, 422},
		{"strict", wrong, false, 422},
		{"reject_unverified", extra, false, 400},
		{"ignore_unverified", extra, false, 200},
	} {
		t.Run(c.kind, func(t *testing.T) {
			r := open(t, Options{}).registered()
			if c.before {
				r.must(200, "POST", "/FR-invoices", c.body)
			}
			r.AddFault(Fault{Kind: c.kind, Count: 1})
			v := r.must(c.want, "POST", "/FR-invoices", c.body)
			if c.kind == "ignore_unverified" && at(v, "data", "type") != "380" {
				t.Errorf("type %v", at(v, "data", "type"))
			}
			r.must(200, "POST", "/FR-invoices", c.body) // afterwards all is as before
		})
	}
}

func TestOddCallbacks(t *testing.T) {
	for _, c := range []struct {
		kind   string
		path   []any // to the number
		header string
		size   int
	}{
		{"callback_bare", []any{"document_number"}, "s3", 0},
		{"callback_wrapped", []any{"data", "data", "document_number"}, "s3", 0},
		{"callback_legacy", []any{"data", "invoice", "payload", "document_number"}, "s3", 0},
		{"callback_no_header", []any{"data", "document_number"}, "", 0},
		{"callback_huge", []any{"data", "document_number"}, "s3", 300_000},
	} {
		t.Run(c.kind, func(t *testing.T) {
			r := open(t, Options{}).registered()
			r.AddFault(Fault{Kind: c.kind, Bytes: c.size})
			r.post("STUCK")
			r.settle()
			requests, bodies := r.phone.calls()
			var v any
			if len(bodies) != 1 || json.Unmarshal([]byte(bodies[0]), &v) != nil || at(v, c.path...) != "STUCK" {
				t.Fatalf("%d bodies", len(bodies))
			}
			if got := requests[0].Header.Get("X-Secret"); got != c.header || len(bodies[0]) < c.size {
				t.Errorf("header %q, %d bytes", got, len(bodies[0]))
			}
		})
	}
}

// states are those that callbacks told, in their order.
func (r *rig) states() string {
	_, bodies := r.phone.calls()
	var list []string
	for _, b := range bodies {
		var v any
		_ = json.Unmarshal([]byte(b), &v)
		list = append(list, at(v, "data", "details", "external_status").(string))
	}
	return strings.Join(list, " ")
}

func TestCallbacksOutOfOrderForgedAndLate(t *testing.T) {
	r := open(t, Options{}).registered()
	r.AddFault(Fault{Kind: "callback_swapped", Count: 1})
	r.post("FA-1")
	r.settle()
	if got := r.states(); got != "made_available issued" {
		t.Errorf("swapped: %s", got)
	}

	r = open(t, Options{}).registered()
	r.AddFault(Fault{Kind: "callback_forged", Count: 1})
	r.post("STUCK")
	r.settle()
	requests, _ := r.phone.calls()
	if got := r.states(); got != "paid issued" || requests[0].Header.Get("X-Secret") != "wrong" || requests[1].Header.Get("X-Secret") != "s3" {
		t.Errorf("forged: %s", got)
	}

	clock := newHandClock()
	r = open(t, Options{Now: clock.now}).registered()
	r.AddFault(Fault{Kind: "callback_late", Count: 1, Delay: time.Minute})
	r.post("STUCK")
	r.catchUp()
	if n := r.Books().Tries; n != 0 {
		t.Errorf("%d callbacks before their time", n)
	}
	clock.turn(time.Minute)
	r.settle()
	if got := r.states(); got != "issued" {
		t.Errorf("late: %s", got)
	}
}
