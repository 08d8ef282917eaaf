package api

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"einvoice/connector/sandbox"
)

func TestThePlatformsLogOfCallsIsReadWithTheAccount(t *testing.T) {
	down := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	defer down.Close()
	box, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	r := &tokenRig{t: t, box: box}
	r.url = serve(t, box.ServeHTTP)
	post := func(path, body string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer any")
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode/100 != 2 {
			t.Fatalf("%s: %s", path, res.Status)
		}
	}
	post("/FR-configurations", `{"fiscal_id":"100000009","name":"Acme","supplier_invoice":true,"api_configurations":[{"event":"supplier-invoice","callback":{"url":"`+down.URL+`/here"}}]}`)
	post("/sandbox/supplier-invoices", `{"fiscal_id":"100000009","supplier_name":"Dépôt du Nord","amount":125}`)

	cfg := newTokenRig(t, 2).cfg
	cfg.BaseURL, cfg.OAuth.URL = r.url, r.url
	var calls []Call
	for end := time.Now().Add(10 * time.Second); len(calls) == 0; time.Sleep(20 * time.Millisecond) {
		if calls, err = Calls(t.Context(), cfg, time.Now().Add(-time.Hour)); err != nil || time.Now().After(end) {
			t.Fatalf("no call in the log: %v", err)
		}
	}
	if c := calls[0]; c.Status != 503 || !strings.HasPrefix(c.URL, down.URL) || time.Since(c.At) > time.Minute {
		t.Errorf("%+v", c)
	}
	if later, err := Calls(t.Context(), cfg, time.Now().Add(time.Hour)); err != nil || len(later) != 0 {
		t.Errorf("calls from before: %v %v", later, err)
	}
	cfg.OAuth.URL = ""
	if _, err := Calls(t.Context(), cfg, time.Time{}); !errors.Is(err, ErrNoAccount) {
		t.Errorf("without an account: %v", err)
	}
}

func TestALongLogOfCallsIsReadInBoundedPages(t *testing.T) {
	asked := 0
	url := serve(t, func(w http.ResponseWriter, q *http.Request) {
		asked++
		if user, key, _ := q.BasicAuth(); user != "me@example.test" || key != "canary-key" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		row := `{"url":"https://erp.example/x","httpResponseCode":%s,"startedAt":"2026-11-20T09:00:00Z"}`
		rows := make([]string, callPage)
		for i := range rows {
			rows[i] = fmt.Sprintf(row, []string{`"200"`, `500`, `null`, `"none"`}[i%4])
		}
		fmt.Fprintf(w, `{"data":[%s]}`, strings.Join(rows, ","))
	})
	cfg := newTokenRig(t, 2).cfg
	cfg.OAuth.URL = url
	calls, err := Calls(t.Context(), cfg, time.Time{})
	if err != nil || len(calls) != callPage*callPages || asked != callPages {
		t.Fatalf("%d calls in %d pages: %v", len(calls), asked, err)
	}
	if calls[0].Status != 200 || calls[1].Status != 500 || calls[2].Status != 0 || calls[3].Status != 0 {
		t.Errorf("%+v", calls[:4])
	}
	cfg.OAuth.Email = "someone@else.test"
	if _, err := Calls(t.Context(), cfg, time.Time{}); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("refused: %v", err)
	}
}
