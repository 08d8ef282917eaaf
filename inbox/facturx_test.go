package inbox

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/govalues/decimal"

	"einvoice/connector"
	"einvoice/connector/cii"
	"einvoice/connector/ledger"
	"einvoice/connector/sandbox/facturx"
)

// hybrid is a supplier's Factur-X of the invoice that supplied makes, after a change.
func hybrid(t *testing.T, change func(*cii.Document)) []byte {
	t.Helper()
	d := decimal.MustParse
	doc := cii.Document{
		Frame: "B1", Number: "S-1", Type: "380", IssueDate: time.Date(2026, 5, 12, 0, 0, 0, 0, time.UTC), Currency: "EUR",
		Seller: cii.Party{Name: "Fournitures Martin SARL", SIREN: "100000009", Country: "FR"},
		Buyer:  cii.Party{Name: "ACME", SIREN: acme.FiscalID, Country: "FR"},
		Lines:  []cii.Line{{Name: "Conseil", Quantity: d("2"), Unit: "C62", Price: d("25.50"), Net: d("51.00"), Category: "S", Rate: d("20")}},
		Taxes:  []cii.Tax{{Category: "S", Rate: d("20"), Taxable: d("51.00"), Tax: d("10.20")}},
		Means:  "30", IBAN: "FR7630006000011234567890189", LineTotal: d("51.00"), Net: d("51.00"), Tax: d("10.20"), Gross: d("61.20"), Payable: d("61.20"),
	}
	change(&doc)
	var b bytes.Buffer
	if err := facturx.Write(&b, doc, facturx.Options{Made: time.Date(2026, 5, 12, 0, 0, 0, 0, time.UTC)}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestDataThatDisagreeWithTheSuppliersPDFAreKeptToCheck(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*cii.Document)
		field  string // "" for agreement
	}{
		{"the same invoice", func(*cii.Document) {}, ""},
		{"a cent of rounding", func(d *cii.Document) { d.Gross = decimal.MustParse("61.21") }, ""},
		{"another total", func(d *cii.Document) { d.Gross = decimal.MustParse("612.00") }, "totals.total_amount_including_tax"},
		{"another number", func(d *cii.Document) { d.Number = "S-2" }, "document_number"},
		{"another supplier", func(d *cii.Document) { d.Seller.SIREN = "200000008" }, "sender.fiscal_id"},
		{"another account", func(d *cii.Document) { d.IBAN = "DE89370400440532013000" }, "payment.financial_account"},
		{"another date", func(d *cii.Document) { d.IssueDate = d.IssueDate.AddDate(0, 0, 1) }, "issue_date"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			pdf := hybrid(t, tt.change)
			w.arrive(supplied("in1", "S-1", func(inv *connector.Invoice) {
				inv.Attached = []connector.Attachment{{Filename: "facture.pdf", Content: pdf, MIME: "application/pdf"}}
			}))
			w.rounds(1)
			r := w.received(ledger.ReceivedDelivered)[0]
			if r.ToCheck != (tt.field != "") {
				t.Fatalf("to check %v: %v", r.ToCheck, r.Alerts)
			}
			theirs, err := os.ReadFile(filepath.Join(w.root, acme.ID, filepath.FromSlash(r.Folder), "facture.pdf"))
			w.must(err)
			if !bytes.Equal(theirs, pdf) {
				t.Error("the supplier's PDF was touched")
			}
			if tt.field != "" && (len(r.Alerts) != 1 || r.Alerts[0].Field != tt.field || !strings.Contains(w.read(r.Folder+"/alertes.txt"), codePDF)) {
				t.Errorf("alerts %+v", r.Alerts)
			}
		})
	}
}

func TestAPDFThatUnpacksToTooMuchIsLeft(t *testing.T) {
	var bomb bytes.Buffer
	z := zlib.NewWriter(&bomb)
	zeros := make([]byte, 1<<20)
	for range 40 {
		if _, err := z.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	z.Close()
	one := fmt.Sprintf("1 0 obj<<>>stream\n%s\nendstream endobj\n", bomb.Bytes())
	if got := embedded([]byte("%PDF-1.7\n" + strings.Repeat(one, 10))); got != nil {
		t.Errorf("found %d bytes", len(got))
	}
	for _, odd := range []string{"", "%PDF-", "%PDF-stream", "stream\n", "stream\r\n\x78\x9c", strings.Repeat("stream\n", 1000)} {
		if embedded([]byte(odd)) != nil {
			t.Errorf("found something in %.20q", odd)
		}
	}
}
