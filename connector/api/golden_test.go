package api

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"einvoice/connector"
)

// exchange is one golden file; the sandbox is pinned to the same ones.
type exchange struct {
	Name    string `json:"name"`
	Request struct {
		Method string          `json:"method"`
		Path   string          `json:"path"`
		Body   json.RawMessage `json:"body"`
	} `json:"request"`
	Response struct {
		Status int             `json:"status"`
		Body   json.RawMessage `json:"body"`
	} `json:"response"`
	Event    string          `json:"event"`
	Callback json.RawMessage `json:"callback"`
}

func golden(t *testing.T) map[string]exchange {
	t.Helper()
	names, err := filepath.Glob("../sandbox/testdata/golden/*.json")
	if err != nil || len(names) < 20 {
		t.Fatalf("golden exchanges: %d files, %v", len(names), err)
	}
	all := map[string]exchange{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var e exchange
		if err := json.Unmarshal(b, &e); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[e.Name] = e
	}
	return all
}

// exactly decodes JSON with numbers as they are written.
func exactly(t *testing.T, b []byte) any {
	t.Helper()
	if len(b) == 0 {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return v
}

// replay serves exchanges in order and fails on any other request.
func replay(t *testing.T, exchanges ...exchange) *Client {
	t.Helper()
	done := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if done == len(exchanges) {
			t.Errorf("%s %s after the last exchange", r.Method, r.URL)
			return
		}
		e := exchanges[done]
		done++
		want, err := url.Parse(e.Request.Path)
		if err != nil {
			t.Error(err)
		}
		body, _ := io.ReadAll(r.Body)
		if r.Method != e.Request.Method || r.URL.Path != want.Path || !reflect.DeepEqual(r.URL.Query(), want.Query()) {
			t.Errorf("sent %s %s, want %s %s", r.Method, r.URL, e.Request.Method, e.Request.Path)
		}
		if got, want := exactly(t, body), exactly(t, e.Request.Body); !reflect.DeepEqual(got, want) {
			t.Errorf("sent\n%s\nwant\n%s", body, e.Request.Body)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(e.Response.Status)
		w.Write(e.Response.Body)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() {
		if done != len(exchanges) {
			t.Errorf("%d of %d exchanges took place", done, len(exchanges))
		}
	})
	return newTestClient(t, server.URL, Options{})
}

func TestGoldenInvoicesAreSentToTheLetter(t *testing.T) {
	all := golden(t)
	for name, want := range map[string]struct {
		fate  Fate
		scope Scope
		code  string
		id    string
	}{
		"post invoice":                     {Sent, ScopeInvoice, "", "6a1000000000000000000001"},
		"post invoice inconsistent totals": {Sent, ScopeInvoice, "", "6a1000000000000000000002"},
		"post invoice unverified fields":   {Sent, ScopeInvoice, "", "6a1000000000000000000003"},
		"post unregistered sender":         {Stopped, ScopeCompany, codeNotRegistered, ""},
		"post wrong token":                 {Stopped, ScopeCredential, codeTokenWrong, ""},
		"post no credit":                   {Stopped, ScopeCredential, codeNoCredit, ""},
		"post validation error":            {Refused, ScopeInvoice, codeFieldMissing, ""},
	} {
		t.Run(name, func(t *testing.T) {
			e := all[name]
			inv := remoteOf(e.Request.Body).Invoice
			a := replay(t, e).Submit(t.Context(), inv)
			if a.Fate != want.fate || a.Scope != want.scope || a.Remote.ID != want.id || a.HTTP != e.Response.Status {
				t.Errorf("answer %+v", a)
			}
			if want.code != "" && (len(a.Problems) != 1 || a.Problems[0].Code != want.code || a.Problems[0].Invoice != inv.Number) {
				t.Errorf("problems %+v", a.Problems)
			}
		})
	}
}

func TestGoldenInvoiceIsReadBackWhole(t *testing.T) {
	e := golden(t)["get invoice"]
	r, err := replay(t, e).Get(t.Context(), "6a1000000000000000000003", false)
	if err != nil {
		t.Fatal(err)
	}
	inv := r.Invoice
	for _, c := range []struct{ what, got, want string }{
		{"state", string(r.Status.State), "NEW"},
		{"external status", r.Status.External, "submitted"},
		{"network", r.Network, "fr-dgfip"},
		{"created", r.Created.Format("2006-01-02T15:04:05Z07:00"), "2026-11-20T09:30:12+01:00"},
		{"gross", inv.Totals.Gross.String(), "61.2"},
		{"net", inv.Totals.Net.String(), "51"},
		{"tax", inv.Totals.Tax.String(), "10.2"},
		{"due", string(inv.DueDate), "2026-12-20"},
		{"iban", inv.IBAN, "FR7630001007941234567890185"},
		{"service", inv.ServiceCode, "SERVICE-12"},
		{"commitment", inv.CommitmentNumber, "ENG-2026-77"},
		{"seller", inv.Seller.FiscalID, "10000000900017"},
		{"buyer city", inv.Buyer.Address.City, "Lyon"},
		{"category", inv.Lines[0].Category, "S"},
		{"rate", inv.Taxes[0].Rate.String(), "20"},
		{"attachment", string(inv.Attached[0].Content), "Inventé pour l'essai.\n"},
	} {
		if c.got != c.want {
			t.Errorf("%s is %q, want %q", c.what, c.got, c.want)
		}
	}
	if r.Status.Code != 200 {
		t.Errorf("status code %d", r.Status.Code)
	}
	var envelope struct{ Data json.RawMessage }
	if json.Unmarshal(e.Response.Body, &envelope) != nil || !bytes.Equal(r.Raw, envelope.Data) {
		t.Error("Raw is not the object as received")
	}
}

func TestGoldenReads(t *testing.T) {
	all := golden(t)
	r, err := replay(t, all["get invoice refreshed"]).Get(t.Context(), "6a1000000000000000000003", true)
	if err != nil || r.Status.State != connector.StateDone || r.Status.Code != 205 {
		t.Errorf("refreshed: %+v, %v", r.Status, err)
	}
	_, err = replay(t, all["get invoice unknown"]).Get(t.Context(), "6a1000000000000000000fff", false)
	wantNotFound(t, err)
	for name, want := range map[string]struct {
		query Query
		ids   string
	}{
		"list empty":                 {Query{MaxPages: 1}, ""},
		"list incoming and outgoing": {Query{MaxPages: 1}, "6a1000000000000000000003 6a1000000000000000000004"},
		"list by number": {Query{FiscalID: "10000000900017", Number: "FA-2026-0003", Direction: connector.Outgoing, MaxPages: 1},
			"6a1000000000000000000003"},
	} {
		ids, err := collect(replay(t, all[name]).List(t.Context(), want.query))
		if strings.Join(ids, " ") != want.ids || err != nil {
			t.Errorf("%s: %v, %v", name, ids, err)
		}
	}
}

func TestGoldenRegistrations(t *testing.T) {
	all := golden(t)
	for _, name := range []string{"register with callbacks", "register siren alone", "register with secret and retries"} {
		e := all[name]
		if err := replay(t, e).Register(t.Context(), registrationOf(decodeObject(e.Request.Body))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	known, ok, err := replay(t, all["get configuration"]).Registered(t.Context(), "10000000900017")
	if err != nil || !ok || !known.CustomerInvoice || len(known.Callbacks) != 2 || known.Company.Address.City != "Paris" {
		t.Errorf("registered: %+v, %v, %v", known, ok, err)
	}
	if _, ok, err := replay(t, all["get configuration unknown"]).Registered(t.Context(), "200000008"); ok || err != nil {
		t.Errorf("unknown company: %v, %v", ok, err)
	}
}

func TestRegisteringAgainUpdates(t *testing.T) {
	all := golden(t)
	update := all["update configuration"]
	reg := registrationOf(decodeObject(update.Request.Body))
	reg.Company.FiscalID = "10000000900017"
	post := all["register again already exists"]
	var body map[string]any
	if err := json.Unmarshal(update.Request.Body, &body); err != nil {
		t.Fatal(err)
	}
	body["fiscal_id"] = reg.Company.FiscalID
	post.Request.Body, _ = json.Marshal(body)
	if err := replay(t, post, update).Register(t.Context(), reg); err != nil {
		t.Error(err)
	}
}

func TestGoldenCallbacks(t *testing.T) {
	for name, want := range map[string]struct {
		id        string
		direction connector.Direction
		custom    string
	}{
		"callback customer invoice": {"6a1000000000000000000003", "", ""},
		"callback supplier invoice": {"6a1000000000000000000004", "", `{"company":"main"}`},
	} {
		n, err := ParseCallback("application/json; charset=utf-8", golden(t)[name].Callback)
		custom := new(bytes.Buffer)
		json.Compact(custom, n.Custom)
		if err != nil || n.APIID != want.id || n.Direction != want.direction || custom.String() != want.custom || n.Remote == nil {
			t.Errorf("%s: %+v, %v", name, n, err)
		}
	}
}
