package sandbox

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestTheSisterAPI follows its OpenAPI file: paths, codes, keys.
func TestTheSisterAPI(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	r := open(t, Options{Data: data})
	body := `{"fiscal_id":"12485671007","name":"Esempio S.r.l.","email":"ufficio@esempio.test","customer_invoice":true,"receipts":true,
		"receipts_authentication":{"taxCode":"FHHWMF96L52D111B","password":"geheim","pin":"1"},
		"api_configurations":[{"event":"receipt","callback":{"url":"http://erp.test/r"}},{"event":"customer-invoice","callback":{"url":"http://erp.test/c"}}]}`
	for _, c := range []struct {
		story, method, path, body string
		status                    int
		code                      any
	}{
		{"no id", "POST", "/IT-configurations", `{}`, 400, 423.0},
		{"no name", "POST", "/IT-configurations", `{"fiscal_id":"1","email":"a"}`, 422, 334.0},
		{"no callbacks", "POST", "/IT-configurations", `{"fiscal_id":"1","name":"a","email":"a"}`, 422, 422.0},
		{"registered", "POST", "/IT-configurations", body, 200, nil},
		{"twice", "POST", "/IT-configurations", body, 422, 112.0},
		{"shown", "GET", "/IT-configurations/12485671007", "", 200, nil},
		{"unknown", "GET", "/IT-configurations/1", "", 404, 111.0},
		{"changed", "PATCH", "/IT-configurations/12485671007", `{"receipts":false,"api_configurations":[{"event":"receipt","callback":null}]}`, 200, nil},
		{"fixed", "PATCH", "/IT-configurations/12485671007", `{"name":"Altro"}`, 400, 670.0},
		{"an event that PATCH does not know", "PATCH", "/IT-configurations/12485671007", `{"api_configurations":[{"event":"customer-invoice","callback":{"url":"http://x/"}}]}`, 422, 422.0},
		{"not there", "PATCH", "/IT-configurations/1", `{}`, 404, 111.0},
		{"no invoice", "GET", "/IT-invoices/1", "", 404, 404.0},
	} {
		status, v := r.call(c.method, c.path, c.body)
		if status != c.status || at(v, "error") != c.code {
			t.Errorf("%s: %d %v, want %d %v", c.story, status, at(v, "error"), c.status, c.code)
		}
	}
	for _, inv := range []string{`{"fiscal_id":"12485671007","document_number":"1/A","total_gross_amount":122.00}`,
		`{"fiscal_id":"12485671007","document_number":"2/A","direction":"incoming","state":"RECEIVED"}`, `{"fiscal_id":"9","document_number":"3/A"}`} {
		r.must(200, "POST", "/sandbox/it-invoices", inv)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r = open(t, Options{Data: data})
	v := r.must(200, "GET", "/IT-configurations", "")
	if events := at(v, "data", 0, "api_configurations").([]any); len(events) != 1 || at(events, 0, "event") != "customer-invoice" ||
		at(v, "data", 0, "receipts") != false || at(v, "data", 0, "receipts_authentication", "password") != nil {
		t.Errorf("kept: %v", v)
	}
	for query, want := range map[string]int{"": 3, "?fiscal_id=12485671007": 2, "?direction=incoming": 1, "?document_number=1/A": 1, "?state=DONE,NEW": 2, "?limit=1": 1, "?skip=2": 1} {
		if got := len(r.must(200, "GET", "/IT-invoices"+query, "")["data"].([]any)); got != want {
			t.Errorf("%s: %d invoices, want %d", query, got, want)
		}
	}
	v = r.must(200, "GET", "/IT-invoices?document_number=1/A", "")
	one := r.must(200, "GET", "/IT-invoices/"+at(v, "data", 0, "id").(string), "")
	keysOfTheFile(t, one["data"].(map[string]any))
}

// keysOfTheFile compares an invoice's keys with the vendor's OpenAPI file.
func keysOfTheFile(t *testing.T, inv map[string]any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "reference", "oas", "invoice.openapi.json"))
	if err != nil && os.Getenv("CI") != "" {
		t.Fatalf("the vendor's file is missing: %v", err)
	}
	if err != nil {
		t.Skipf("the vendor's file is not here: %v", err)
	}
	var file any
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	schema := at(file, "components", "schemas", "InvoiceResponse")
	properties, _ := at(schema, "properties").(map[string]any)
	if data, wrapped := at(properties, "data", "properties").(map[string]any); wrapped {
		properties = data
	}
	if want, got := slices.Sorted(maps.Keys(properties)), slices.Sorted(maps.Keys(inv)); !slices.Equal(want, got) {
		t.Errorf("keys %v, want %v", got, want)
	}
}
