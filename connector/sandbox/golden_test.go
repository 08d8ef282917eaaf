package sandbox

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// golden is one exchange that the client is pinned to as well.
type golden struct {
	Name    string `json:"name"`
	Request *struct {
		Method string          `json:"method"`
		Path   string          `json:"path"`
		Body   json.RawMessage `json:"body"`
	} `json:"request"`
	Response struct {
		Status int `json:"status"`
		Body   any `json:"body"`
	} `json:"response"`
	Event    string `json:"event"`
	Callback any    `json:"callback"`
}

func readGolden(t *testing.T, name string) golden {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "golden", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return g
}

const (
	goldenOut = "6a1000000000000000000003"
	goldenIn  = "6a1000000000000000000004"
)

// prepare brings a fresh sandbox to where the exchange begins.
func prepare(t *testing.T, name string, r *rig) {
	t.Helper()
	if !strings.HasPrefix(name, "register-") || name == "register-again-already-exists" {
		r.must(200, "POST", "/FR-configurations", string(readGolden(t, "register-with-callbacks").Request.Body))
	}
	switch {
	case name == "register-again-already-exists":
		r.must(200, "POST", "/FR-configurations", `{"fiscal_id":"100000009"}`)
	case name == "post-no-credit":
		r.AddFault(Fault{Kind: "status", Status: 402})
	case name == "post-wrong-token":
		r.opt.Tokens = []string{"another"}
	case strings.HasPrefix(name, "get-invoice"), strings.HasPrefix(name, "list-") && name != "list-empty":
		r.hold(t, goldenOut, "post-invoice-unverified-fields", name)
	}
	if strings.Contains(name, "incoming") {
		in := at(readGolden(t, "callback-supplier-invoice").Callback, "data")
		raw, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		r.keep(&record{ID: goldenIn, Incoming: true, Owner: seller, Number: "2026/A-118", IssueDate: "2026-11-18", State: "RECEIVED",
			External: "made_available", Created: time.Date(2026, 11, 18, 7, 2, 43, 0, time.UTC), Raw: raw})
		// Newest first: the older one must come second.
		slices.SortFunc(r.store.all, func(a, b *record) int { return a.Created.Compare(b.Created) })
	}
}

// hold keeps an invoice under the id that the exchange asks for.
func (r *rig) hold(t *testing.T, id, exchange, name string) {
	rec := &record{ID: id, Owner: seller, Number: "FA-2026-0003", IssueDate: "2026-11-20", State: "NEW", External: "submitted",
		Created: r.opt.Now(), Raw: readGolden(t, exchange).Request.Body, Phases: -1}
	if name == "get-invoice-refreshed" {
		rec.State, rec.External = "DONE", "approved"
	}
	r.keep(rec)
}

// TestGoldenExchanges pins the sandbox to the exchanges that the client is
// pinned to: same status, same keys, same values but for ids and times. Where
// the exchange has null, the sandbox may know more.
func TestGoldenExchanges(t *testing.T) {
	files, err := filepath.Glob("testdata/golden/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden exchanges: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		g := readGolden(t, name)
		if g.Request == nil {
			continue // a callback: see TestGoldenCallbacks
		}
		t.Run(name, func(t *testing.T) {
			now := time.Date(2026, 11, 20, 9, 30, 12, 0, time.FixedZone("CET", 3600))
			r := open(t, Options{Now: func() time.Time { return now }})
			prepare(t, name, r)
			status, got := r.call(g.Request.Method, g.Request.Path, string(g.Request.Body))
			if status != g.Response.Status {
				t.Errorf("status %d, want %d", status, g.Response.Status)
			}
			for _, d := range differences("", g.Response.Body, got) {
				t.Error(d)
			}
		})
	}
}

// TestGoldenCallbacks compares what is sent with what the client is pinned to read.
func TestGoldenCallbacks(t *testing.T) {
	for _, name := range []string{"callback-customer-invoice", "callback-supplier-invoice"} {
		t.Run(name, func(t *testing.T) {
			g := readGolden(t, name)
			raw, err := json.Marshal(at(g.Callback, "data"))
			if err != nil {
				t.Fatal(err)
			}
			p, err := parse(raw)
			if err != nil {
				t.Fatal(err)
			}
			state, _ := at(g.Callback, "data", "state").(string)
			custom, err := json.Marshal(at(g.Callback, "custom"))
			if err != nil {
				t.Fatal(err)
			}
			day, err := time.Parse(time.DateOnly, p.IssueDate)
			if err != nil {
				t.Fatal(err)
			}
			c := &call{to: callback{URL: "http://erp.test/", Custom: custom}, invoice: record{ID: "1", Incoming: state == "RECEIVED",
				State: state, External: "made_available", Created: day, Raw: raw}}
			req, err := open(t, Options{}).callRequest(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			var got any
			if err := json.NewDecoder(req.Body).Decode(&got); err != nil {
				t.Fatal(err)
			}
			for _, d := range differences("", g.Callback, got) {
				t.Error(d)
			}
			if req.Method != http.MethodPost {
				t.Errorf("method %s", req.Method)
			}
		})
	}
}

// differences lists where got is not what want says.
func differences(path string, want, got any) []string {
	switch w := want.(type) {
	case nil:
		return nil
	case map[string]any:
		g, isObject := got.(map[string]any)
		if !isObject {
			return []string{fmt.Sprintf("%s: %v, want an object", path, got)}
		}
		var list []string
		for _, key := range slices.Sorted(maps.Keys(w)) {
			if _, there := g[key]; !there {
				list = append(list, fmt.Sprintf("%s.%s: missing", path, key))
			} else if key != "id" && key != "create_at" && key != "create_timestamp" {
				list = append(list, differences(path+"."+key, w[key], g[key])...)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(g)) {
			if _, there := w[key]; !there {
				list = append(list, fmt.Sprintf("%s.%s: not in the exchange", path, key))
			}
		}
		return list
	case []any:
		g, isList := got.([]any)
		if !isList || len(g) != len(w) {
			return []string{fmt.Sprintf("%s: %v, want a list of %d", path, got, len(w))}
		}
		var list []string
		for i := range w {
			list = append(list, differences(fmt.Sprintf("%s[%d]", path, i), w[i], g[i])...)
		}
		return list
	}
	if want != got {
		return []string{fmt.Sprintf("%s: %v, want %v", path, got, want)}
	}
	return nil
}
