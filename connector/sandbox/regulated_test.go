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

	"github.com/govalues/decimal"

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

// kept copies an invoice as the sandbox keeps it.
func (r *rig) kept(id string) record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return *r.store.byID[id]
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
	in, err := r.document(r.kept(at(v, "data", 0, "id").(string)), "pdf", 0)
	if err != nil || !bytes.Equal(got, in) || len(got) > 100_000 {
		t.Errorf("attached are %d bytes: %v", len(got), err)
	}
	if sent := r.file("/sandbox/invoices/" + id + "/document.xml"); !bytes.Contains(sent, []byte("FA-1")) {
		t.Error("the sender's own has gone")
	}
}

// TestSumsOfTheDocument: where an invoice is right, the sums of EN 16931 are
// exact, whatever the platform had to mend.
func TestSumsOfTheDocument(t *testing.T) {
	for _, c := range []struct {
		story, lines, gross string
		net, tax, codes     string
	}{
		{"two rates", `{"description":"a","quantity":3,"unit_price":0.333,"tax_rate":20},{"description":"b","quantity":1,"unit_price":10,"tax_rate":5.5}`, "11.75", "11.00", "0.75", "S S"},
		{"rounded line by line", `{"description":"a","quantity":1,"unit_price":0.33,"tax_rate":20},{"description":"b","quantity":1,"unit_price":0.33,"tax_rate":20},{"description":"c","quantity":1,"unit_price":0.33,"tax_rate":20}`, "1.20", "0.99", "0.21", "S"},
		{"a discount with a negative price", `{"description":"a","quantity":1,"unit_price":10,"tax_rate":20},{"description":"Remise","quantity":1,"unit_price":-1,"tax_rate":20}`, "10.80", "9.00", "1.80", "S"},
		{"reverse charge", `{"description":"a","quantity":1,"unit_price":10,"tax_rate":0,"tax_category":"reverse_charge"}`, "10", "10.00", "0.00", "AE"},
		{"a word of the standard", `{"description":"a","quantity":1,"unit_price":10,"tax_rate":0,"tax_category":"E"}`, "10", "10.00", "0.00", "E"},
	} {
		t.Run(c.story, func(t *testing.T) {
			r := open(t, Options{}).registered()
			v := r.must(200, "POST", "/FR-invoices", `{"document_number":"FA","issue_date":"2026-11-20","currency":"EUR","total_amount_including_tax":`+c.gross+`,
				"sender":{"name":"A","fiscal_id":"`+seller+`"},"recipient":{"name":"B","fiscal_id":"`+buyer+`"},"invoice_lines":[`+c.lines+`]}`)
			d, err := r.regulated(r.kept(at(v, "data", "id").(string)))
			if err != nil {
				t.Fatal(err)
			}
			lines, basis, tax, codes := decimal.Zero, decimal.Zero, decimal.Zero, []string{}
			for _, l := range d.Lines {
				lines = added(lines, l.Net)
				if l.Price.IsNeg() {
					t.Error("a negative price")
				}
			}
			for _, x := range d.Taxes {
				basis, tax, codes = added(basis, x.Taxable), added(tax, x.Tax), append(codes, x.Category)
			}
			if !lines.Equal(d.LineTotal) || !basis.Equal(d.Net) || !tax.Equal(d.Tax) || !added(d.Net, d.Tax).Equal(d.Gross) || !d.Gross.Equal(d.Payable) {
				t.Errorf("lines %s %s, basis %s %s, tax %s %s, gross %s, payable %s", lines, d.LineTotal, basis, d.Net, tax, d.Tax, d.Gross, d.Payable)
			}
			if d.Net.Pad(2).String() != c.net || d.Tax.Pad(2).String() != c.tax || strings.Join(codes, " ") != c.codes {
				t.Errorf("net %s, tax %s, %v", d.Net, d.Tax, codes)
			}
		})
	}
}
