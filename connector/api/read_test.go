package api

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"einvoice/connector"
)

// shelf serves n invoices by skip and limit, with a limit of its own.
type shelf struct {
	n, cap   int
	deaf     bool // ignores skip
	picky    bool // refuses filters
	halves   bool // leaves out the second half of each page
	grows    bool // gets a new first item with each call
	stirs    int  // the first calls, before each of which the last item moves to the front
	requests []string
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests = append(s.requests, r.URL.RawQuery)
	if s.picky && r.URL.Query().Has("document_number") {
		w.WriteHeader(400)
		w.Write([]byte(`{"success":false,"message":"unknown parameter","error":400}`))
		return
	}
	skip, _ := strconv.Atoi(r.URL.Query().Get("skip"))
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	if s.cap > 0 {
		limit = min(limit, s.cap)
	}
	if s.deaf {
		skip = 0
	}
	var items []string
	shift := 0
	if s.grows {
		shift = len(s.requests) - 1
	}
	end := min(skip+limit, s.n+shift)
	if s.halves {
		end = skip + (end-skip+1)/2
	}
	moved := min(len(s.requests)-1, s.stirs)
	for at := skip - shift; at < end-shift; at++ {
		i := at
		if s.stirs > 0 {
			i = (at - moved + s.n) % s.n
		}
		items = append(items, fmt.Sprintf(`{"id":"id-%03d","document_number":"FA-%03d","issue_date":"2026-11-%02d"}`, i, i, i%28+1))
	}
	fmt.Fprintf(w, `{"data":[%s],"success":true,"message":"","error":null}`, strings.Join(items, ","))
}

func TestAListIsReadToItsEnd(t *testing.T) {
	for _, c := range []struct {
		name  string
		shelf shelf
		query Query
		ids   int
		calls int
		err   error
	}{
		{"empty", shelf{n: 0}, Query{}, 0, 1, nil},
		{"a short page is followed by an empty one", shelf{n: 7}, Query{}, 7, 2, nil},
		{"exactly one page", shelf{n: 100}, Query{}, 100, 2, nil},
		{"several pages", shelf{n: 230}, Query{}, 230, 4, nil},
		{"a lower limit on the other side loses nothing", shelf{n: 47, cap: 20}, Query{}, 47, 4, nil},
		{"pages cut in halves lose nothing", shelf{n: 6, halves: true}, Query{}, 6, 4, nil},
		{"new invoices shift the pages", shelf{n: 230, grows: true}, Query{}, 230, 4, nil},
		{"what moves to the front is found by reading again", shelf{n: 230, stirs: 2}, Query{Again: true}, 230, 8, nil},
		{"it is missed otherwise", shelf{n: 230, stirs: 2}, Query{}, 228, 4, nil},
		{"a list that grows is not read for ever", shelf{n: 230, grows: true}, Query{Again: true}, 238, 12, nil},
		{"a list at rest is read once", shelf{n: 230}, Query{Again: true}, 230, 4, nil},
		{"skip is ignored", shelf{n: 300, deaf: true}, Query{}, 100, 2, ErrPaging},
		{"skip is ignored, but all fits in a page", shelf{n: 7, deaf: true}, Query{}, 7, 2, nil},
		{"cut short on request", shelf{n: 300}, Query{MaxPages: 1}, 100, 1, ErrTruncated},
		{"one short page on request", shelf{n: 9}, Query{MaxPages: 1}, 9, 1, nil},
		{"small pages", shelf{n: 23}, Query{Limit: 10}, 23, 4, nil},
		{"a number that the platform ignores", shelf{n: 130}, Query{Number: "FA-120"}, 1, 3, nil},
		{"filters that the platform refuses", shelf{n: 130, picky: true}, Query{Number: "FA-120"}, 1, 4, nil},
		{"days, both included", shelf{n: 28}, Query{IssuedFrom: "2026-11-03", IssuedTo: "2026-11-05"}, 3, 2, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			called := 0
			client := newTestClient(t, serve(t, c.shelf.ServeHTTP), Options{OnCall: func(method string) {
				if method == http.MethodGet {
					called++
				}
			}})
			ids, err := collect(client.List(t.Context(), c.query))
			if len(ids) != c.ids || !errors.Is(err, c.err) {
				t.Errorf("%d ids, %v", len(ids), err)
			}
			if called != c.calls || len(c.shelf.requests) != c.calls {
				t.Errorf("%d calls counted, %d made: %v", called, len(c.shelf.requests), c.shelf.requests)
			}
			seen := map[string]bool{}
			for _, id := range ids {
				if seen[id] {
					t.Errorf("%s came twice", id)
				}
				seen[id] = true
			}
		})
	}
}

func TestAListThatBreaksIsAnErrorAfterWhatCame(t *testing.T) {
	s := shelf{n: 150}
	client := newTestClient(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		if len(s.requests) == 1 {
			w.WriteHeader(502)
			return
		}
		s.ServeHTTP(w, r)
	}), Options{})
	ids, err := collect(client.List(t.Context(), Query{}))
	if e, ok := errors.AsType[*Error](err); len(ids) != 100 || !ok || e.Fate != Later {
		t.Errorf("%d ids, %v", len(ids), err)
	}
}

func TestAnswersThatHoldNoListAreErrors(t *testing.T) {
	for body, ok := range map[string]bool{
		`{"data":[],"success":true}`:         true,
		`{"data":[],"code":200}`:             true,
		`{"data":"null","success":true}`:     true,
		`{"data":null,"success":true}`:       true,
		`{"data":[{"document_number":"1"}]}`: false,
		`[]`:                                 false,
		`{"success":true}`:                   false,
		`{"data":{"id":"a"},"success":true}`: false,
		`<html></html>`:                      false,
		``:                                   false,
	} {
		client := newTestClient(t, serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(body)) }), Options{})
		if _, err := collect(client.List(t.Context(), Query{})); (err == nil) != ok {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestQueriesFilterByPartiesWhenTheDirectionIsNotSaid(t *testing.T) {
	ours, other := connector.Party{FiscalID: "10000000900017"}, connector.Party{FiscalID: "200000008"}
	issued := connector.Remote{Invoice: connector.Invoice{Seller: ours, Buyer: other}}
	received := connector.Remote{Invoice: connector.Invoice{Seller: other, Buyer: ours}}
	toSelf := connector.Remote{Invoice: connector.Invoice{Seller: ours, Buyer: ours}}
	strangers := connector.Remote{Invoice: connector.Invoice{Seller: other, Buyer: connector.Party{FiscalID: "732829320"}}}
	bare := connector.Remote{}
	out := Query{FiscalID: "100000009", Direction: connector.Outgoing}
	for name, c := range map[string]struct {
		remote connector.Remote
		want   bool
	}{"issued": {issued, true}, "received": {received, false}, "to self": {toSelf, true}, "strangers": {strangers, false}, "bare": {bare, true}} {
		if out.matches(c.remote) != c.want {
			t.Errorf("%s: %v", name, !c.want)
		}
	}
	received.Direction = connector.Outgoing // the platform's word goes before
	if !out.matches(received) {
		t.Error("the platform's own direction is ignored")
	}
}

func TestGetAnswersOnlyWithTheInvoiceAskedFor(t *testing.T) {
	body := `{"data":{"id":"other"},"success":true}`
	client := newTestClient(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.EscapedPath(), "/../") {
			t.Errorf("path %s", r.URL.EscapedPath())
		}
		w.Write([]byte(body))
	}), Options{})
	_, err := client.Get(t.Context(), "wanted", false)
	if e, ok := errors.AsType[*Error](err); !ok || e.Fate != Later || errors.Is(err, ErrNotFound) {
		t.Errorf("error %v", err)
	}
	for _, id := range []string{"", ".", ".."} {
		_, err := client.Get(t.Context(), id, false)
		wantNotFound(t, err)
	}
	if _, err := client.Get(t.Context(), "../x", false); err == nil {
		t.Error("an id with a slash read something")
	}
}

func TestReadsHaveFatesToo(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		fate   Fate
		scope  Scope
	}{
		{401, `{"message":"Wrong Token","error":125.22}`, Stopped, ScopeCredential},
		{402, ``, Stopped, ScopeCredential},
		{403, page, Stopped, ScopeCredential},
		{404, page, Stopped, ScopeCredential},
		{429, ``, Later, ScopeCredential},
		{500, ``, Later, ScopeCredential},
		{200, `{"success":false,"message":"?"}`, Refused, ScopeInvoice},
		{200, broken, Later, ScopeCredential},
	} {
		client := newTestClient(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			w.Write([]byte(c.body))
		}), Options{})
		_, err := client.Get(t.Context(), "a1", true)
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Fate != c.fate || e.Scope != c.scope || e.HTTP != c.status || e.Problem.Code == "" {
			t.Errorf("%d %s: %+v", c.status, c.body, e)
		}
	}
}
