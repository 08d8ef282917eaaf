package sandbox

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestSupplierInvoicesToOrder(t *testing.T) {
	r := open(t, Options{}).registered()
	v := r.must(200, "POST", "/sandbox/supplier-invoices", `{"fiscal_id":"10000000900017","supplier_name":"Dépôt (Nord)","document_number":"2026/A-118",
		"amount":100.10,"iban":"FR7630006000011234567890189","with_pdf":true,"pdf_bytes":5000,"due_date":"2026-12-24"}`)
	id := at(v, "data", "id").(string)
	v = r.must(200, "GET", "/FR-invoices/"+id, "")
	for _, c := range []struct {
		want any
		path []any
	}{
		{"RECEIVED", []any{"state"}},
		{"Dépôt (Nord)", []any{"sender", "name"}},
		{"100000009", []any{"recipient", "siren"}},
		{120.12, []any{"total_amount_including_tax"}},
		{"FR7630006000011234567890189", []any{"payment_means", 0, "financial_account"}},
		{"2026-12-24", []any{"payment_means", 0, "due_date"}},
		{"application/pdf", []any{"attachments", 0, "mime_type"}},
	} {
		if got := at(at(v, "data"), c.path...); got != c.want {
			t.Errorf("%v = %v, want %v", c.path, got, c.want)
		}
	}
	doc, err := base64.StdEncoding.DecodeString(at(v, "data", "attachments", 0, "document").(string))
	if err != nil {
		t.Fatal(err)
	}
	checkPDF(t, doc)
	r.settle()
	requests, bodies := r.phone.calls()
	if len(requests) != 1 || requests[0].URL.Path != "/supplier" || !strings.Contains(bodies[0], id) {
		t.Errorf("callbacks: %d", len(requests))
	}
}

// checkPDF follows the cross-reference table.
func checkPDF(t *testing.T, doc []byte) {
	t.Helper()
	if len(doc) < 5000 || !bytes.HasPrefix(doc, []byte("%PDF-1.7\n")) || !bytes.HasSuffix(doc, []byte("%%EOF\n")) {
		t.Fatalf("no PDF: %d bytes", len(doc))
	}
	var start, offset int
	tail := doc[bytes.LastIndex(doc, []byte("startxref")):]
	if _, err := fmt.Sscanf(string(tail), "startxref\n%d", &start); err != nil || !bytes.HasPrefix(doc[start:], []byte("xref\n")) {
		t.Fatalf("startxref %d: %v", start, err)
	}
	for i, row := range strings.Split(string(doc[start:]), "\n")[3:8] {
		if _, err := fmt.Sscanf(row, "%d 00000 n", &offset); err != nil || !bytes.HasPrefix(doc[offset:], fmt.Appendf(nil, "%d 0 obj", i+1)) {
			t.Errorf("object %d is not at %q", i+1, row)
		}
	}
	if !bytes.Contains(doc, []byte("/AFRelationship")) {
		t.Error("no data inside")
	}
}

func TestOddSupplierInvoices(t *testing.T) {
	r := open(t, Options{}).registered()
	v := r.must(200, "POST", "/sandbox/supplier-invoices", `{"fiscal_id":"100000009","count":3,"document_number":"F","total_amount_including_tax":1,
		"recipient_fiscal_id":"200000008","recipient_name":"Another","supplier_fiscal_id":"300000007","type":"381",
		"attachments":[{"document":"QQ==","filename":"../../etc/passwd","mime_type":"text/plain"}]}`)
	if at(v, "data", "document_number") != "F-3" || at(v, "data", "total_amount_including_tax") != 1.0 || at(v, "data", "total_amount_excluding_tax") != 125.0 ||
		at(v, "data", "recipient", "siren") != "200000008" || at(v, "data", "sender", "name") != "Refuse Tout SAS" || at(v, "data", "attachments", 0, "filename") != "../../etc/passwd" {
		t.Errorf("%v", v["data"])
	}
	if got := numbers(r.must(200, "GET", "/FR-invoices?direction=incoming&type=381", "")); got != "F-3 F-2 F-1" {
		t.Errorf("arrived: %s", got)
	}
	r.must(404, "POST", "/sandbox/supplier-invoices", `{"fiscal_id":"200000008"}`)
	r.must(404, "POST", "/sandbox/supplier-invoices", `{}`)
	r.must(400, "POST", "/sandbox/supplier-invoices", `{"fiscal_id":"100000009","invoice_lines":{}}`)
	r.must(400, "POST", "/sandbox/supplier-invoices", `[`)
}

func TestAdvanceByHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, Options{Scale: 1}).registered()
		id := r.post("FA-1")
		v := r.must(200, "POST", "/sandbox/invoices/"+id+"/advance", `{"state":"SENT","external_status":"a_new_word","reason_code":"AUTRE","reason":"because"}`)
		if at(v, "data", "details", "external_status") != "a_new_word" || at(v, "data", "details", "reason") != "because" {
			t.Errorf("%v", v["data"])
		}
		time.Sleep(time.Hour)
		v = r.must(200, "GET", "/FR-invoices/"+id, "")
		if at(v, "data", "state") != "SENT" {
			t.Error("it went on by itself")
		}
		if n := r.Books().Tries; n != 1 {
			t.Errorf("%d callbacks", n)
		}
		r.must(404, "POST", "/sandbox/invoices/none/advance", `{}`)
		r.must(400, "POST", "/sandbox/invoices/"+id+"/advance", `{`)
	})
}

func TestTheLifeHasThePlatformsRhythm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, Options{Scale: 0.5}).registered()
		id := r.post("PAYE-1")
		for _, want := range []string{"submitted", "issued", "made_available", "approved", "paid", "paid"} {
			time.Sleep(29 * time.Second)
			v := r.must(200, "GET", "/FR-invoices/"+id, "")
			if got := at(v, "data", "details", "external_status"); got != want {
				t.Errorf("%v, want %s", got, want)
			}
			time.Sleep(time.Second)
		}
		if n := r.Books().Tries; n != 4 {
			t.Errorf("%d callbacks, want 4", n)
		}
	})
}

// TestAnInjectedClock moves lives without any real time.
func TestAnInjectedClock(t *testing.T) {
	clock := newHandClock()
	r := open(t, Options{Scale: 1, Now: clock.now}).registered()
	id := r.post("FA-1")
	r.must(200, "GET", "/FR-invoices/"+id, "")
	clock.turn(time.Minute)
	if v := r.must(200, "GET", "/FR-invoices/"+id, ""); at(v, "data", "details", "external_status") != "issued" {
		t.Errorf("%v", at(v, "data", "details"))
	}
}

func TestAPageForPeople(t *testing.T) {
	r := open(t, Options{}).registered()
	r.post("FA-<b>")
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 200 || !strings.Contains(w.Body.String(), "FA-&lt;b&gt;") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	r.must(404, "GET", "/sandbox/none", "")
	r.must(404, "GET", "/sandbox/invoices/none", "")
	v := r.must(200, "GET", "/sandbox/books", "")
	if at(v, "documents", 0, "number") != "FA-<b>" || at(v, "requests", "POST /FR-invoices") != 1.0 {
		t.Errorf("books %v", v)
	}
}

func TestWhatWasPostedIsKeptByteForByte(t *testing.T) {
	r := open(t, Options{}).registered()
	id := r.post("FA-1")
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest("GET", "/sandbox/invoices/"+id, nil))
	if w.Body.String() != invoiceTo("FA-1", buyer, "Menuiserie Exemple SAS") {
		t.Errorf("%s", w.Body)
	}
}

func TestTooLargeABody(t *testing.T) {
	r := open(t, Options{})
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest("POST", "/FR-invoices", http.NoBody))
	req := httptest.NewRequest("POST", "/FR-invoices", bytes.NewReader(make([]byte, maxBody+1)))
	w = httptest.NewRecorder()
	r.ServeHTTP(w, req)
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d", w.Code)
	}
}

// TestDataSurvivesAKill reopens the file of a sandbox that never closed, with
// a torn last line.
func TestDataSurvivesAKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sandbox.jsonl")
	clock := newHandClock()
	killed := open(t, Options{Data: path, Scale: 1, Now: clock.now}).registered()
	killed.must(200, "POST", "/FR-configurations", `{"fiscal_id":"200000008"}`)
	killed.must(200, "POST", "/FR-configurations", `{"fiscal_id":"300000007"}`)
	killed.must(200, "DELETE", "/FR-configurations/300000007", "")
	id, moved := killed.post("FA-1"), killed.post("FA-2")
	killed.must(200, "POST", "/sandbox/invoices/"+moved+"/advance", `{"state":"ERROR","external_status":"refused"}`)
	clock.turn(time.Minute)
	killed.must(200, "GET", "/FR-invoices", "")

	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	again := filepath.Join(t.TempDir(), "again.jsonl")
	if err := os.WriteFile(again, append(whole, `{"invoice":{"id":"to`...), 0o600); err != nil {
		t.Fatal(err)
	}
	r := open(t, Options{Data: again, Scale: 1, Now: clock.now})
	if v := r.must(200, "GET", "/FR-invoices/"+id, ""); at(v, "data", "details", "external_status") != "issued" || at(v, "data", "total_tax_amount") != 10.2 {
		t.Errorf("%v", v["data"])
	}
	if v := r.must(200, "GET", "/FR-invoices/"+moved, ""); at(v, "data", "details", "external_status") != "refused" {
		t.Errorf("%v", v["data"])
	}
	v := r.must(200, "GET", "/FR-configurations/"+seller, "")
	if at(v, "data", "api_configurations", 0, "callback", "headers", "X-Secret") != "s3" {
		t.Errorf("%v", v["data"])
	}
	r.must(404, "GET", "/FR-configurations/300000007", "")
	if d := r.Books().Documents; len(d) != 2 || len(d[0].IDs) != 1 {
		t.Errorf("books %+v", d)
	}
	clock.turn(time.Minute)
	if got := numbers(r.must(200, "GET", "/FR-invoices?state=DONE", "")); got != "FA-1" {
		t.Errorf("its life did not go on: %q", got)
	}
	r.post("FA-3")
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	third := open(t, Options{Data: again, Now: clock.now})
	if got := numbers(third.must(200, "GET", "/FR-invoices?direction=outgoing&document_number=FA-3", "")); got != "FA-3" {
		t.Errorf("after the torn line: %q", got)
	}
}

func TestDamagedDataIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sandbox.jsonl")
	if err := os.WriteFile(path, []byte("not JSON\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{Data: path}); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("error %v", err)
	}
}

// TestManyAtOnce is for the race detector.
func TestManyAtOnce(t *testing.T) {
	r := open(t, Options{}).registered()
	r.AddFault(Fault{Kind: "callback_twice", Rate: 0.5})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 25 {
				w := httptest.NewRecorder()
				req := httptest.NewRequest("POST", "/FR-invoices", strings.NewReader(invoiceTo(fmt.Sprintf("FA-%d-%d", i, j), buyer, "M")))
				req.Header.Set("Authorization", "Bearer x")
				r.ServeHTTP(w, req)
				req = httptest.NewRequest("GET", "/FR-invoices?limit=10", nil)
				req.Header.Set("Authorization", "Bearer x")
				r.ServeHTTP(httptest.NewRecorder(), req)
				r.Books()
			}
		})
	}
	wg.Wait()
	r.settle()
	b := r.Books()
	if len(b.Documents) != 200 || len(b.Twice()) != 0 || b.Tries < 400 {
		t.Errorf("%d documents, %d twice, %d callbacks", len(b.Documents), len(b.Twice()), b.Tries)
	}
}

// TestBooksShowEveryRequest: in order, with what became of each.
func TestBooksShowEveryRequest(t *testing.T) {
	r := open(t, Options{}).registered()
	r.post("FA-1")
	r.AddFault(Fault{Kind: "status", Status: 503, Count: 1})
	r.must(503, "GET", "/FR-invoices?document_number=FA-1", "")
	v := r.must(200, "GET", "/sandbox/books", "")
	for i, want := range []struct {
		method, path, number string
		status               float64
	}{{"POST", "/FR-configurations", "", 200}, {"POST", "/FR-invoices", "FA-1", 200}, {"GET", "/FR-invoices?document_number=FA-1", "FA-1", 503}} {
		got := at(v, "latest", i)
		number, _ := at(got, "number").(string)
		if at(got, "method") != want.method || at(got, "path") != want.path || number != want.number || at(got, "status") != want.status {
			t.Errorf("request %d: %v, want %v", i+1, got, want)
		}
	}
	if at(v, "latest", 2, "faults", 0) != "status" {
		t.Error("its fault is not booked")
	}
}

func TestSupplierInvoicesComeOverEveryChannel(t *testing.T) {
	r := open(t, Options{}).registered()
	for _, network := range []string{"fr-dgfip", "peppol", "chorus-pro", "email"} {
		v := r.must(200, "POST", "/sandbox/supplier-invoices", `{"fiscal_id":"100000009","network":"`+network+`"}`)
		files, _ := at(v, "data", "attachments").([]any)
		if at(v, "data", "details", "network") != network || at(v, "data", "state") != "RECEIVED" || (len(files) == 1) != (network == "email") {
			t.Errorf("%s: %v, %d files", network, at(v, "data", "details"), len(files))
		}
	}
}
