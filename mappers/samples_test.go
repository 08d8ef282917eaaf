package mappers

import (
	"os"
	"path/filepath"
	"testing"

	"einvoice/connector"
)

// sample reads a file of the shared material, which is not part of this tree.
func sample(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "shared", "erp-samples", name))
	if err != nil && os.Getenv("CI") != "" {
		t.Fatalf("the shared samples are missing: %v", err)
	}
	if err != nil {
		t.Skipf("the shared samples are not here: %v", err)
	}
	return data
}

func preset(t testing.TB, name string) *Mapping {
	t.Helper()
	data, ok := Preset(name)
	if !ok {
		t.Fatalf("no preset %s", name)
	}
	m, err := Load(name, data)
	if err != nil {
		t.Fatalf("load preset %s:\n%v", name, err)
	}
	return m
}

// derived is the total that the lines come to, whatever the file states.
func derived(t *testing.T, inv connector.Invoice) connector.Totals {
	t.Helper()
	inv.Totals = connector.Totals{Prepaid: inv.Totals.Prepaid}
	inv.Lines = append([]connector.Line(nil), inv.Lines...)
	if err := inv.Complete(); err != nil {
		t.Fatal(err)
	}
	return inv.Totals
}

func TestEBPSampleComesToItsOwnTotals(t *testing.T) {
	data := sample(t, "ebp/factures.csv")
	results, report, err := readAll(t, preset(t, "ebp"), exportOf("factures.csv", data))
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != 8 || report.Encoding != windows1252 || report.Rows != 26 || len(report.Problems) != 0 {
		t.Errorf("%d invoices, report %+v", len(results), report)
	}
	for _, r := range results {
		stated, got := r.Invoice.Totals.Gross, derived(t, r.Invoice).Gross
		if !stated.Equal(got) || len(r.Problems) != 0 {
			t.Errorf("%s: stated %s, lines come to %s, problems %v", r.Invoice.Number, stated, got, r.Problems)
		}
		if r.Invoice.Number == "FA00000005" && !got.Equal(connector.MustAmount("88.16")) {
			t.Errorf("FA00000005 comes to %s", got)
		}
	}
	first := results[0]
	if o := first.Origins.Find("totals.total_amount_including_tax"); o.Position.Column != "Document - Total TTC" || o.Position.Row != 2 || o.Value != "194,40000000" {
		t.Errorf("origin of the total: %+v", o)
	}
	if o := first.Origins.Find("invoice_lines[0].tax_category"); o.Position.Row != 2 {
		t.Errorf("origin of a field that was not read: %+v", o)
	}
}

func TestUBLSamplesComeToTheirOwnTotals(t *testing.T) {
	m := preset(t, "ubl")
	for _, c := range []struct {
		file, kind, gross string
		lines             int
	}{
		{"gestimum/chorus-ubl21-facture.xml", "380", "465.76", 6},
		{"en16931/ubl-tc434-example1.xml", "380", "250.33", 20},
		{"en16931/ubl-tc434-example5.xml", "380", "4675.00", 5},
		{"en16931/ubl-tc434-creditnote1.xml", "381", "100.11", 1},
		{"en16931/BIS3_Invoice_negativ.XML", "380", "-782179.43", 1},
		{"business-central/peppol-bis-fr-invoice-0.xml", "380", "432.00", 1},
		{"business-central/peppol-invoice-allowance.xml", "380", "7125.00", 5},
	} {
		t.Run(filepath.Base(c.file), func(t *testing.T) {
			results, _, err := readAll(t, m, exportOf(c.file, sample(t, c.file)))
			if err != nil || len(results) != 1 {
				t.Fatal(len(results), err)
			}
			inv := results[0].Invoice
			got := derived(t, inv)
			if want := connector.MustAmount(c.gross); !got.Gross.Equal(want) || !inv.Totals.Gross.Equal(want) {
				t.Errorf("stated %s, lines come to %s, want %s", inv.Totals.Gross, got.Gross, want)
			}
			if inv.Type != c.kind || len(inv.Lines) != c.lines || len(results[0].Problems) != 0 {
				t.Errorf("type %s, %d lines, problems %v", inv.Type, len(inv.Lines), results[0].Problems)
			}
		})
	}
}

func TestGestimumServiceCodeAndPartiesAreFound(t *testing.T) {
	results, _, err := readAll(t, preset(t, "ubl"), exportOf("x.xml", sample(t, "gestimum/chorus-ubl21-facture.xml")))
	if err != nil {
		t.Fatal(err)
	}
	inv := results[0].Invoice
	if inv.Buying.ServiceCode != "SERVICE_DESTINATAIRE25889910" || inv.Buying.CommitmentNumber != "1234894" ||
		inv.Seller.FiscalID != "00000000033834" || inv.Buyer.Name != "Destinataire Partenaire" {
		t.Errorf("%+v %+v %+v", inv.Buying, inv.Seller, inv.Buyer)
	}
}
