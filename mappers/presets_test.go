package mappers

import (
	"errors"
	"path"
	"testing"

	"einvoice/connector/problem"
)

func presetsAll(t *testing.T) []*Mapping {
	t.Helper()
	var ms []*Mapping
	for _, name := range Presets() {
		ms = append(ms, preset(t, name))
	}
	return ms
}

// TestEveryPresetIsChosenForItsFile gives a file to all presets at once.
func TestEveryPresetIsChosenForItsFile(t *testing.T) {
	for _, c := range []struct{ preset, file, want string }{
		{"xero", "*ContactName,EmailAddress,POCity,POCountry,*InvoiceNumber,Reference,*InvoiceDate,*DueDate,Total,InventoryItemCode,*Description,*Quantity,*UnitAmount,Discount,*AccountCode,*TaxType,TaxAmount,Currency\n" +
			"Hotel du Lac,h@l.fr,Annecy,France,INV-1,PO9,15/01/2026,14/02/2026,43.20,S1,Soap,4,10.00,10,200,20% (VAT on Income),7.20,EUR\n",
			"380 INV-1 2026-01-15 43.20"},
		{"odoo", "name,invoice_date,move_type,partner_id,state,amount_total,invoice_line_ids/name,invoice_line_ids/quantity,invoice_line_ids/price_unit,invoice_line_ids/tax_ids\n" +
			"FAC/2026/1,2026-01-15,out_invoice,Hotel du Lac,posted,23.10,Savon,1,10.00,TVA 20 %\n,,,,,,Pain,2,5.26,\"TVA 5,5 %\"\n" +
			"RFAC/2026/1,2026-01-16,out_refund,Hotel du Lac,posted,12.00,Savon,1,10.00,TVA 20 %\n/,2026-01-16,out_invoice,Hotel,draft,12.00,Savon,1,10.00,TVA 20 %\n",
			"380 FAC/2026/1 2026-01-15 23.10\n381 RFAC/2026/1 2026-01-16 12.00\n/ ignored"},
		{"dolibarr", "Raison sociale;SIRET;Réf. facture;Date facturation;Type facture;Total TTC facture;Description ligne;Quantité ligne;Prix unitaire ligne;Taux TVA ligne;Total HT ligne\n" +
			"Hôtel du Lac;73282932000074;FA2601-0001;15/01/2026;0;24.00;Savon;2;10.00;20.000;20.00\nHôtel du Lac;73282932000074;AV2601-0001;16/01/2026;2;-12.00;Savon;-1;10.00;20.000;-10.00\n",
			"380 FA2601-0001 2026-01-15 24.00\n381 AV2601-0001 2026-01-16 12.00"},
		{"generic-en", "Invoice number,Invoice date,Customer name,Description,Quantity,Unit price,VAT rate,Invoice total\nI1,2026-01-15,Hotel,Soap,2,10.00,20%,24.00\n",
			"380 I1 2026-01-15 24.00"},
		{"generic-fr", "N° facture;Date facture;Nom client;Désignation;Quantité;PU HT;TVA\nF1;15/01/2026;Hôtel;Savon;2;10,00;20 %\n",
			"380 F1 2026-01-15 24.00"},
	} {
		t.Run(c.preset, func(t *testing.T) {
			e := exportOf("export.csv", []byte(c.file))
			m, err := Choose(e, presetsAll(t))
			if err != nil || m.Name != c.preset {
				t.Fatalf("chosen %v, %v", m, err)
			}
			results, report, err := readAll(t, m, e)
			if err != nil || report.Refused() {
				t.Fatal(err, report.Problems)
			}
			if got := all(t, results); got != c.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, c.want)
				for _, r := range results {
					t.Log(r.Problems)
				}
			}
		})
	}
}

func TestEveryPresetIsChosenForItsSample(t *testing.T) {
	for name, file := range map[string]string{
		"ebp/factures.csv": "ebp", "gestimum/chorus-ubl21-facture.xml": "ubl", "en16931/CII_example1.xml": "cii",
		"business-central/facturx-invoice-0.xml": "cii", "en16931/ubl-tc434-creditnote1.xml": "ubl",
	} {
		m, err := Choose(exportOf(path.Base(name), sample(t, name)), presetsAll(t))
		if err != nil || m.Name != file {
			t.Errorf("%s: chosen %v, %v", name, m, err)
		}
	}
}

func TestAccountingEntriesAreNamedAsSuch(t *testing.T) {
	for _, name := range []string{"datev/EXTF_Buchungsstapel.csv", "quickbooks-iif/commas-in-amounts.iif", "quickbooks-iif/dos-carriage-returns.iif",
		"quickbooks-iif/quoted-amounts.iif", "quickbooks-iif/spaces.iif", "quickbooks-iif/tab-delim-all-quoted.iif", "quickbooks-iif/windows-1252.iif"} {
		_, err := Choose(exportOf(path.Base(name), sample(t, name)), presetsAll(t))
		if p, ok := errors.AsType[problem.Problem](err); !ok || p.Code != codeEntries {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{
		"JournalCode|JournalLib|EcritureNum|EcritureDate|CompteNum\nVE|Ventes|1|20260101|411000\n",
		"##Fichier\tRImport\n##Section\tMvt\n",
	} {
		_, err := Choose(exportOf("x.txt", []byte(text)), presetsAll(t))
		if p, ok := errors.AsType[problem.Problem](err); !ok || p.Code != codeEntries {
			t.Errorf("%s: %v", text, err)
		}
	}
}
