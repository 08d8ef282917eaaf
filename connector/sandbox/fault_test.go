package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// serve puts a sandbox on a real listener: connections can only be cut there.
func (r *rig) serve() *httptest.Server {
	srv := httptest.NewServer(r)
	r.t.Cleanup(srv.Close)
	return srv
}

// try posts an invoice over the network; a nil response means the connection broke.
func (r *rig) try(ctx context.Context, srv *httptest.Server, number string) (int, []byte, error) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(ctx, "POST", srv.URL+"/FR-invoices", strings.NewReader(invoiceTo(number, buyer, "M")))
	if err != nil {
		r.t.Fatal(err)
	}
	req.GetBody = nil // as the connector does it: net/http must not post twice
	req.Header.Set("Authorization", "Bearer x")
	resp, err := srv.Client().Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}

// TestFaultsOfAPost: what the client sees, and whether the invoice was taken.
func TestFaultsOfAPost(t *testing.T) {
	for _, c := range []struct {
		story  string
		fault  Fault
		broken bool // the connection
		status int
		body   string // a part of it
		taken  int
	}{
		{"reset before", Fault{Kind: "reset_before"}, true, 0, "", 0},
		{"reset after", Fault{Kind: "reset_after"}, true, 0, "", 1},
		{"no credit", Fault{Kind: "status", Status: 402}, false, 402, `"error":611`, 0},
		{"throttled", Fault{Kind: "status", Status: 429, Delay: 1500 * time.Millisecond}, false, 429, `"error":429`, 0},
		{"forbidden", Fault{Kind: "status", Status: 403}, false, 403, `"error":403`, 0},
		{"invalid", Fault{Kind: "status", Status: 422}, false, 422, `"error":422`, 0},
		{"own body", Fault{Kind: "status", Status: 409, Body: `{"x":1}`}, false, 409, `{"x":1}`, 0},
		{"error without a status", Fault{Kind: "status"}, false, 500, `"error":631`, 0},
		{"error after all", Fault{Kind: "status_after", Status: 504, Body: "timeout"}, false, 504, "timeout", 1},
		{"gateway page", Fault{Kind: "html"}, false, 502, "<html>", 0},
		{"proxy's block page", Fault{Kind: "html", Status: 200, Body: "<html>blocked"}, false, 200, "blocked", 0},
		{"without an id", Fault{Kind: "no_id"}, false, 200, `"document_number":"FA-1"`, 1},
		{"half of it", Fault{Kind: "truncate"}, false, 200, `{"data":{`, 1},
		{"slow", Fault{Kind: "slow", Delay: time.Millisecond}, false, 200, `"id"`, 1},
		{"held for a while", Fault{Kind: "hold", Delay: time.Millisecond}, false, 200, `"id"`, 1},
		{"another route", Fault{Kind: "reset_before", On: "GET /FR-invoices"}, false, 200, `"id"`, 1},
		{"another number", Fault{Kind: "reset_before", Number: "FA-2"}, false, 200, `"id"`, 1},
		{"this number", Fault{Kind: "reset_before", Number: "FA-1", On: "POST /FR-invoices"}, true, 0, "", 0},
		{"almost never", Fault{Kind: "reset_before", Rate: 1e-12}, false, 200, `"id"`, 1},
	} {
		t.Run(c.story, func(t *testing.T) {
			r := open(t, Options{}).registered()
			r.AddFault(c.fault)
			status, body, err := r.try(t.Context(), r.serve(), "FA-1")
			if (err != nil) != c.broken || status != c.status {
				t.Errorf("status %d, error %v", status, err)
			}
			if !bytes.Contains(body, []byte(c.body)) {
				t.Errorf("body %s", body)
			}
			var v map[string]any
			if whole := json.Unmarshal(body, &v) == nil; whole && c.fault.Kind == "truncate" {
				t.Error("the answer is whole")
			}
			if c.fault.Kind == "no_id" && at(v, "data", "id") != nil {
				t.Error("there is an id")
			}
			d := r.Books().Documents[0]
			if len(d.IDs) != c.taken || d.Posts != 1 {
				t.Errorf("taken %d, posts %d", len(d.IDs), d.Posts)
			}
		})
	}
}

func TestHoldLastsUntilTheClientIsGone(t *testing.T) {
	r := open(t, Options{}).registered()
	srv := r.serve()
	r.AddFault(Fault{Kind: "hold", Count: 1})
	ctx, cancel := context.WithCancel(t.Context())
	// The life cycle of a held invoice goes on: its callback is the sign to leave.
	r.phone.answer = func(int) (int, error) { cancel(); return 200, nil }
	if _, _, err := r.try(ctx, srv, "FA-1"); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	if n := len(r.Books().Documents[0].IDs); n != 1 {
		t.Errorf("%d taken", n)
	}
	if status, _, err := r.try(t.Context(), srv, "FA-2"); status != 200 {
		t.Errorf("the fault struck twice: %d %v", status, err)
	}
}

func TestCloseLetsHeldRequestsGo(t *testing.T) {
	r := open(t, Options{}).registered()
	srv := r.serve()
	r.AddFault(Fault{Kind: "hold"})
	closed := make(chan error, 1)
	// The first callback tells that the request is held.
	r.phone.answer = func(n int) (int, error) {
		if n == 1 {
			go func() { closed <- r.Close() }()
		}
		return 200, nil
	}
	if _, _, err := r.try(t.Context(), srv, "FA-1"); err == nil {
		t.Error("an answer came")
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestRetryAfterIsRoundedUp(t *testing.T) {
	r := open(t, Options{})
	r.AddFault(Fault{Kind: "status", Status: 429, Delay: 1500 * time.Millisecond})
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest("GET", "/FR-invoices", nil))
	if got := w.Header().Get("Retry-After"); got != "2" {
		t.Errorf("Retry-After %q", got)
	}
}

func TestSlowProcessesNothingForAClientThatLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, Options{}).registered()
		r.AddFault(Fault{Kind: "slow", Delay: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		req := httptest.NewRequestWithContext(ctx, "POST", "/FR-invoices", strings.NewReader(invoiceTo("FA-1", buyer, "M")))
		func() {
			defer func() {
				if recover() != http.ErrAbortHandler {
					t.Error("the connection was not cut")
				}
			}()
			r.ServeHTTP(httptest.NewRecorder(), req)
		}()
		if n := len(r.Books().Documents[0].IDs); n != 0 {
			t.Errorf("%d taken", n)
		}
	})
}

func TestANewInvoiceCanStayInvisible(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, Options{Scale: 1}).registered()
		r.AddFault(Fault{Kind: "visibility_delay", Delay: 5 * time.Minute, Count: 1})
		id := r.post("FA-1")
		r.post("FA-2")
		if got := numbers(r.must(200, "GET", "/FR-invoices", "")); got != "FA-2" {
			t.Errorf("visible at once: %s", got)
		}
		r.must(404, "GET", "/FR-invoices/"+id, "")
		time.Sleep(5 * time.Minute)
		if got := numbers(r.must(200, "GET", "/FR-invoices?document_number=FA-1", "")); got != "FA-1" {
			t.Errorf("visible later: %s", got)
		}
		r.must(200, "GET", "/FR-invoices/"+id, "")
	})
}

func TestListsCanLie(t *testing.T) {
	r := open(t, Options{}).registered()
	for _, n := range []string{"FA-1", "FA-2", "FA-3", "FA-4"} {
		r.post(n)
	}
	r.AddFault(Fault{Kind: "ignore_filters", Count: 1})
	r.AddFault(Fault{Kind: "truncate_list", Count: 2})
	if got := numbers(r.must(200, "GET", "/FR-invoices?document_number=FA-9&limit=4", "")); got != "FA-4 FA-3" {
		t.Errorf("both faults: %s", got)
	}
	if got := numbers(r.must(200, "GET", "/FR-invoices?document_number=FA-1", "")); got != "" {
		t.Errorf("truncated: %s", got)
	}
	if got := numbers(r.must(200, "GET", "/FR-invoices?document_number=FA-1", "")); got != "FA-1" {
		t.Errorf("honest again: %s", got)
	}
}

func TestACentMore(t *testing.T) {
	r := open(t, Options{}).registered()
	r.AddFault(Fault{Kind: "normalise_cent", Count: 1})
	id := r.post("FA-1")
	v := r.must(200, "GET", "/FR-invoices/"+id, "")
	if at(v, "data", "total_amount_including_tax") != 61.21 || at(v, "data", "total_tax_amount") != 10.21 {
		t.Errorf("totals %v", v["data"])
	}
}

func TestACallbackCanOvertakeTheAnswer(t *testing.T) {
	r := open(t, Options{Scale: 1000}).registered()
	r.AddFault(Fault{Kind: "callback_before_reply"})
	id := r.post("FA-1")
	requests, bodies := r.phone.calls()
	if len(requests) != 1 || !strings.Contains(bodies[0], id) || !strings.Contains(bodies[0], `"state":"NEW"`) {
		t.Errorf("before the answer: %s", bodies)
	}
}

func TestFaultsOverHTTP(t *testing.T) {
	r := open(t, Options{})
	armed := func() []Fault {
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequest("GET", "/sandbox/faults", nil))
		var list []Fault
		if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil {
			t.Fatal(err)
		}
		return list
	}
	r.must(200, "POST", "/sandbox/faults", `{"on":"GET /FR-invoices","kind":"status","status":503,"delay":"1m30s","count":2}`)
	r.must(400, "POST", "/sandbox/faults", `{"kind":"earthquake"}`)
	r.must(400, "POST", "/sandbox/faults", `{"kind":"slow","delay":"soon"}`)
	r.must(503, "GET", "/FR-invoices", "")
	if list := armed(); len(list) != 1 || list[0].Delay != 90*time.Second || list[0].Count != 1 {
		t.Errorf("armed: %+v", list)
	}
	r.must(503, "GET", "/FR-invoices", "")
	r.must(200, "GET", "/FR-invoices", "")
	r.must(200, "POST", "/sandbox/faults", `{"kind":"html"}`)
	r.must(200, "DELETE", "/sandbox/faults", "")
	r.must(200, "GET", "/FR-invoices", "")
	if len(armed()) != 0 {
		t.Error("faults are left")
	}
	r.AddFault(Fault{Kind: "earthquake"})
	r.must(200, "GET", "/FR-invoices", "")
}
