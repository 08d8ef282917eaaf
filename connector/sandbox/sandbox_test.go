package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	seller = "10000000900017"
	buyer  = "20000000800017"
)

// rig is a sandbox under test, called without a network.
type rig struct {
	*Sandbox
	t      testing.TB
	phone  *phone
	header http.Header
}

// open makes a sandbox whose callbacks end at a phone, with the seller registered.
func open(t testing.TB, opt Options) *rig {
	t.Helper()
	r := &rig{t: t, phone: &phone{}, header: http.Header{"Authorization": {"Bearer test-token"}}}
	if opt.Client == nil {
		opt.Client = &http.Client{Transport: r.phone}
	}
	s, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	r.Sandbox = s
	return r
}

func (r *rig) registered() *rig {
	r.t.Helper()
	r.must(200, "POST", "/FR-configurations", fmt.Sprintf(`{"fiscal_id":%q,"customer_invoice":true,"supplier_invoice":true,
		"api_configurations":[
		{"event":"customer-invoice","callback":{"url":"http://erp.test/customer","headers":{"X-Secret":"s3"},"custom":{"company":"main"}}},
		{"event":"supplier-invoice","callback":{"url":"http://erp.test/supplier","headers":{"X-Secret":"s3"}}}]}`, seller))
	return r
}

// call makes one request; body is JSON text or "".
func (r *rig) call(method, path, body string) (int, map[string]any) {
	r.t.Helper()
	w := httptest.NewRecorder()
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Header = r.header.Clone()
	r.ServeHTTP(w, req)
	var v map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil && w.Code == 200 && strings.HasPrefix(path, "/FR-") {
		r.t.Fatalf("%s %s: %v in %s", method, path, err, w.Body)
	}
	return w.Code, v
}

func (r *rig) must(status int, method, path, body string) map[string]any {
	r.t.Helper()
	got, v := r.call(method, path, body)
	if got != status {
		r.t.Fatalf("%s %s: status %d, want %d: %v", method, path, got, status, v)
	}
	return v
}

// invoiceTo is a body of POST /FR-invoices.
func invoiceTo(number, fiscalID, name string) string {
	return fmt.Sprintf(`{"document_number":%q,"issue_date":"2026-11-20","currency":"EUR","total_amount_including_tax":61.20,
		"sender":{"name":"Atelier Témoin SARL","fiscal_id":%q,"vat_id":"FR88100000009"},
		"recipient":{"name":%q,"fiscal_id":%q,"email":"compta@exemple.test"},
		"invoice_lines":[{"description":"Réglage","quantity":2,"unit_price":25.50,"tax_rate":20}]}`, number, seller, name, fiscalID)
}

// post sends an invoice to the ordinary buyer and returns its id.
func (r *rig) post(number string) string {
	r.t.Helper()
	v := r.must(200, "POST", "/FR-invoices", invoiceTo(number, buyer, "Menuiserie Exemple SAS"))
	return at(v, "data", "id").(string)
}

func (r *rig) settle() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 30*time.Second)
	defer cancel()
	if err := r.Settle(ctx); err != nil {
		r.t.Fatal(err)
	}
}

// handClock is a clock that a test turns by hand.
type handClock struct {
	mu   sync.Mutex
	time time.Time
}

func newHandClock() *handClock {
	return &handClock{time: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)}
}

func (c *handClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.time
}

func (c *handClock) turn(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.time = c.time.Add(d)
}

// at walks into decoded JSON.
func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			a, _ := v.([]any)
			if p >= len(a) {
				return nil
			}
			v = a[p]
		}
	}
	return v
}

// phone answers callbacks and remembers them.
type phone struct {
	mu      sync.Mutex
	answer  func(n int) (int, error) // nil: 200
	heard   []*http.Request
	bodies  []string
	hanging bool
}

func (p *phone) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	p.mu.Lock()
	p.heard = append(p.heard, r)
	p.bodies = append(p.bodies, string(body))
	n, answer, hanging := len(p.heard), p.answer, p.hanging
	p.mu.Unlock()
	if hanging {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	status := 200
	if answer != nil {
		var err error
		if status, err = answer(n); err != nil {
			return nil, err
		}
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(bytes.NewReader(nil)), Request: r}, nil
}

func (p *phone) calls() (requests []*http.Request, bodies []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*http.Request{}, p.heard...), append([]string{}, p.bodies...)
}
