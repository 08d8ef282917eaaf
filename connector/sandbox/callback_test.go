package sandbox

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestCallbacksCarryHeadersCustomAndTheInvoice(t *testing.T) {
	r := open(t, Options{}).registered()
	id := r.post("FA-1")
	r.settle()
	requests, bodies := r.phone.calls()
	if len(requests) != 2 {
		t.Fatalf("%d callbacks, want one per step", len(requests))
	}
	seen := map[any]bool{}
	for i, q := range requests {
		if q.Method != "POST" || q.URL.String() != "http://erp.test/customer" || q.Header.Get("X-Secret") != "s3" || q.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s %v", q.Method, q.URL, q.Header)
		}
		var v any
		if err := json.Unmarshal([]byte(bodies[i]), &v); err != nil {
			t.Fatal(err)
		}
		if at(v, "data", "id") != id || at(v, "custom", "company") != "main" {
			t.Errorf("body %s", bodies[i])
		}
		seen[at(v, "data", "state")] = true
	}
	if !seen["SENT"] || !seen["DONE"] {
		t.Errorf("states called: %v", seen)
	}
	b := r.Books()
	if b.Tries != 2 || b.Callbacks[0].Status != 200 || b.Callbacks[0].Number != "FA-1" {
		t.Errorf("books: %+v", b.Callbacks)
	}
}

func TestCallbackAsAForm(t *testing.T) {
	r := open(t, Options{})
	r.must(200, "POST", "/FR-configurations", `{"fiscal_id":"10000000900017","api_configurations":[
		{"event":"customer-invoice","callback":{"url":"http://erp.test/c","method":"POST","field":"payload"}}]}`)
	r.post("STUCK")
	r.settle()
	requests, bodies := r.phone.calls()
	if len(requests) != 1 || requests[0].Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		t.Fatalf("%d calls", len(requests))
	}
	form, err := url.ParseQuery(bodies[0])
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal([]byte(form.Get("payload")), &v); err != nil || at(v, "data", "document_number") != "STUCK" {
		t.Errorf("%v: %s", err, bodies[0])
	}
}

// TestCallbackRetries: without retries a call that fails is lost; with them it
// is made until exactly 200, ever more slowly, as long as it is the network that fails.
func TestCallbackRetries(t *testing.T) {
	for _, c := range []struct {
		story  string
		retry  string
		answer func(n int) (int, error)
		want   []time.Duration // after the state changed
	}{
		{"none asked", `0`, func(int) (int, error) { return 503, nil }, []time.Duration{0}},
		{"202 is no 200", `0`, func(int) (int, error) { return 202, nil }, []time.Duration{0}},
		{"until it works", `5`, func(n int) (int, error) { return map[bool]int{true: 200, false: 503}[n == 3], nil }, []time.Duration{0, 60, 180}},
		{"a bad gateway is tried again", `5`, func(n int) (int, error) { return map[bool]int{true: 200, false: 502}[n == 2], nil }, []time.Duration{0, 60}},
		{"an error of the receiver's own is not", `5`, func(int) (int, error) { return 500, nil }, []time.Duration{0}},
		{"nor is its refusal", `5`, func(int) (int, error) { return 401, nil }, []time.Duration{0}},
		{"202 is no 200, and no failure to try again", `5`, func(int) (int, error) { return 202, nil }, []time.Duration{0}},
		{"in vain", `5`, func(int) (int, error) { return 0, errors.New("refused") }, []time.Duration{0, 60, 180, 420, 900, 1860}},
	} {
		t.Run(c.story, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := open(t, Options{Scale: 1})
				r.phone.answer = c.answer
				r.must(200, "POST", "/FR-configurations", `{"fiscal_id":"10000000900017","api_configurations":[
					{"event":"customer-invoice","callback":{"url":"http://erp.test/c","retry":`+c.retry+`}}]}`)
				r.post("STUCK")
				start := time.Now()
				time.Sleep(2 * time.Hour)
				tries := r.Books().Callbacks
				if len(tries) != len(c.want) {
					t.Fatalf("%d tries, want %d: %+v", len(tries), len(c.want), tries)
				}
				for i, try := range tries {
					if got := try.At.Sub(start) - time.Minute; got != c.want[i]*time.Second || try.Attempt != i+1 {
						t.Errorf("attempt %d came after %s, want %ds", try.Attempt, got, c.want[i])
					}
				}
			})
		})
	}
}

func TestACallbackThatHangsIsGivenUpAfter30Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, Options{Scale: 1}).registered()
		r.phone.hanging = true
		r.post("STUCK")
		time.Sleep(89 * time.Second)
		if n := r.Books().Tries; n != 0 {
			t.Fatalf("%d tries ended early", n)
		}
		time.Sleep(2 * time.Second)
		if b := r.Books(); b.Tries != 1 || b.Callbacks[0].Error == "" {
			t.Errorf("books: %+v", b.Callbacks)
		}
	})
}

func TestCloseDoesNotWaitForAHangingCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, Options{}).registered()
		r.phone.hanging = true
		r.post("FA-1")
		synctest.Wait()
		start := time.Now()
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("close took %s", took)
		}
	})
}

func TestCallbackFaults(t *testing.T) {
	for _, c := range []struct {
		kind    string
		heard   int
		secret  string
		tries   int
		comment string
	}{
		{"callback_lost", 0, "", 1, "lost by fault"},
		{"callback_twice", 2, "s3", 2, ""},
		{"callback_wrong_header", 1, "wrong", 1, ""},
	} {
		t.Run(c.kind, func(t *testing.T) {
			r := open(t, Options{}).registered()
			r.AddFault(Fault{Kind: c.kind, On: "supplier-invoice"}) // not this event
			r.AddFault(Fault{Kind: c.kind, Number: "STUCK"})
			r.post("STUCK")
			r.settle()
			requests, _ := r.phone.calls()
			if len(requests) != c.heard || r.Books().Tries != c.tries {
				t.Fatalf("%d heard, %d tried", len(requests), r.Books().Tries)
			}
			if c.heard > 0 && requests[0].Header.Get("X-Secret") != c.secret {
				t.Errorf("secret %q", requests[0].Header.Get("X-Secret"))
			}
			if got := r.Books().Callbacks[0].Error; !strings.Contains(got, c.comment) {
				t.Errorf("books say %q", got)
			}
		})
	}
}
