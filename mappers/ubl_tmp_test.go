package mappers

import (
	"context"
	"einvoice/connector"
	"os"
	"testing"
)

func TestY(t *testing.T) {
	data, _ := os.ReadFile("presets/ubl.toml")
	m, err := Load("ubl", data)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"gestimum/chorus-ubl21-facture.xml", "en16931/ubl-tc434-example1.xml", "en16931/ubl-tc434-example5.xml", "en16931/ubl-tc434-creditnote1.xml", "en16931/BIS3_Invoice_negativ.XML", "business-central/peppol-bis-fr-invoice-0.xml", "business-central/peppol-invoice-allowance.xml", "business-central/peppol-invoice-description-fallback.xml", "business-central/peppol-invoice-hierarchical-lineids.xml"} {
		x, _ := os.ReadFile("/work/shared/erp-samples/" + f)
		rep, err := m.Read(context.Background(), exportOf(f, x), func(r Result) error {
			stated := r.Invoice.Totals
			inv := r.Invoice
			inv.Totals = connector.Totals{Prepaid: stated.Prepaid}
			if err := inv.Complete(); err != nil {
				t.Error(err)
			}
			t.Logf("%s %s %s net %v=%v tax %v=%v gross %v=%v lines %d %v", f, r.Rows, inv.Number, stated.Net, inv.Totals.Net, stated.Tax, inv.Totals.Tax, stated.Gross, inv.Totals.Gross, len(inv.Lines), r.Problems)
			return nil
		})
		t.Log(rep, err)
	}
}
