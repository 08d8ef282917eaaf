package sandbox

import (
	"bytes"
	"encoding/base64"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"einvoice/connector/cii"
)

// file downloads a document of an invoice.
func (r *rig) file(path string) []byte {
	r.t.Helper()
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	if w.Code != 200 {
		r.t.Fatalf("GET %s: %d %s", path, w.Code, w.Body)
	}
	return w.Body.Bytes()
}

func TestEveryInvoiceHasItsRegulatedDocument(t *testing.T) {
	r := open(t, Options{}).registered()
	id := r.post("FA-1")
	data := r.file("/sandbox/invoices/" + id + "/document.xml")
	f, err := cii.Read(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	want := cii.Facts{Number: "FA-1", Type: "380", Currency: "EUR", IssueDate: "2026-11-20",
		SellerName: "Atelier Témoin SARL", SellerID: "100000009", SellerVAT: "FR88100000009",
		BuyerName: "Menuiserie Exemple SAS", BuyerID: "200000008", BuyerVAT: "FR37200000008",
		Net: "51.00", Tax: "10.20", Gross: "61.20", Payable: "61.20"}
	if f != want {
		t.Errorf("facts\n%+v, want\n%+v", f, want)
	}
	for _, part := range []string{">PMT<", ">PMD<", ">AAB<", "<ram:ID>M1</ram:ID>", `<ram:URIID schemeID="0225">200000008<`} {
		if !strings.Contains(string(data), part) {
			t.Errorf("no %s in the CII", part)
		}
	}
	page := r.file("/sandbox/invoices/" + id + "/document.pdf")
	if !bytes.Equal(page, r.file("/sandbox/invoices/"+id+"/document.pdf")) {
		t.Error("the document differs from one reading to the next")
	}
	if bytes.Contains(data, page) || !bytes.HasPrefix(page, []byte("%PDF-1.7")) {
		t.Error("no PDF")
	}
}

// tool finds a program of Debian, or skips; in CI it must be there.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed", name)
	}
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return path
}

func TestOtherToolsAcceptTheFacturX(t *testing.T) {
	qpdf, totext := tool(t, "qpdf"), tool(t, "pdftotext")
	r := open(t, Options{}).registered()
	lines := make([]string, 120)
	for i := range lines {
		lines[i] = `{"description":"Désignation très longue, sur plusieurs lignes de la page, œuvre n° 5 ≠ 日本 «ß»","quantity":1,"unit_price":1000,"tax_rate":20}`
	}
	v := r.must(200, "POST", "/FR-invoices", `{"document_number":"FA-LONG","issue_date":"2026-11-20","currency":"EUR","total_amount_including_tax":144000,
		"sender":{"name":"Atelier Témoin SARL","fiscal_id":"10000000900017"},"recipient":{"name":"Menuiserie\u0001 Exemple","fiscal_id":"200000008"},
		"invoice_lines":[`+strings.Join(lines, ",")+`]}`)
	id := at(v, "data", "id").(string)
	name := filepath.Join(t.TempDir(), "facture.pdf")
	if err := os.WriteFile(name, r.file("/sandbox/invoices/"+id+"/document.pdf"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(qpdf, "--check", name).CombinedOutput(); err != nil {
		t.Errorf("qpdf: %v\n%s", err, out)
	}
	data, err := exec.Command(qpdf, "--show-attachment=factur-x.xml", name).Output()
	if err != nil || !bytes.Equal(data, r.file("/sandbox/invoices/"+id+"/document.xml")) {
		t.Errorf("the attachment is not the CII file: %v", err)
	}
	said, err := exec.Command(totext, "-layout", name, "-").CombinedOutput()
	if err != nil {
		t.Fatalf("pdftotext: %v\n%s", err, said)
	}
	for _, words := range []string{"Facture FA-LONG", "Menuiserie Exemple", "144 000,00 EUR", "œuvre n° 5", mark} {
		if !strings.Contains(strings.ReplaceAll(string(said), "\u00a0", " "), words) {
			t.Errorf("%q does not stand on the pages", words)
		}
	}
	if strings.Count(string(said), "page ") < 3 {
		t.Errorf("120 long lines fit on %d pages", strings.Count(string(said), "page "))
	}
}

func TestTheRecipientGetsTheFacturX(t *testing.T) {
	r := open(t, Options{}).registered()
	r.must(200, "POST", "/FR-configurations", `{"fiscal_id":"`+buyer+`","supplier_invoice":true}`)
	id := r.post("FA-1")
	r.settle()
	v := r.must(200, "GET", "/FR-invoices?direction=incoming", "")
	got, err := base64.StdEncoding.DecodeString(at(v, "data", 0, "attachments", 0, "document").(string))
	if err != nil {
		t.Fatal(err)
	}
	in, err := r.document(*r.store.byID[at(v, "data", 0, "id").(string)], "pdf", 0)
	if err != nil || !bytes.Equal(got, in) || len(got) > 100_000 {
		t.Errorf("attached are %d bytes: %v", len(got), err)
	}
	if sent := r.file("/sandbox/invoices/" + id + "/document.xml"); !bytes.Contains(sent, []byte("FA-1")) {
		t.Error("the sender's own has gone")
	}
}
