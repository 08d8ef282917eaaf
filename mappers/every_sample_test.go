package mappers

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"einvoice/connector/problem"
)

const metasfreshXMLMapping = `
[input]
format = "xml"
date   = "yyyy-mm-dd"
[invoice]
each = "/EDI_cctop_invoic_v"
[invoice.fields]
document_number            = "invoice_documentno"
issue_date                 = "DateInvoiced"
type                       = "eancom_doctype"
currency                   = "ISO_Code"
commitment_number          = "POReference"
recipient.name             = "EDI_cctop_119_v[eancom_locationtype='IV']/Name"
recipient.vat_id           = "EDI_cctop_119_v[eancom_locationtype='IV']/VATaxID"
total_amount_excluding_tax = "TotalLines"
total_amount_including_tax = "GrandTotal"
[lines]
each = "EDI_cctop_invoic_500_v"
[lines.fields]
description      = { from = ["ProductDescription", "Name"] }
quantity         = "QtyInvoiced"
unit_of_measure  = "EanCom_UOM"
unit_price       = "PriceActual"
total_net_amount = "LineNetAmt"
tax_rate         = "Rate"
[check]
`

const facturaeMapping = `
[input]
format = "xml"
[invoice]
each = "/Facturae/Invoices/Invoice"
[invoice.fields]
document_number            = "InvoiceHeader/InvoiceNumber"
issue_date                 = "InvoiceIssueData/IssueDate"
type                       = { from = "InvoiceHeader/InvoiceClass", map = "class" }
currency                   = "InvoiceIssueData/InvoiceCurrencyCode"
sender.name                = "../../Parties/SellerParty/LegalEntity/CorporateName"
recipient.name             = "../../Parties/BuyerParty/LegalEntity/CorporateName"
total_amount_excluding_tax = "InvoiceTotals/TotalGrossAmountBeforeTaxes"
total_amount_including_tax = "InvoiceTotals/InvoiceTotal"
[lines]
each = "Items/InvoiceLine"
[lines.fields]
description      = "ItemDescription"
item_code        = "ArticleCode"
quantity         = "Quantity"
unit_price       = "UnitPriceWithoutTax"
total_net_amount = "GrossAmount"
tax_rate         = "TaxesOutputs/Tax/TaxRate"
[check]
[map.class]
OO = "380"
OR = "384"
`

// A file with the heads of invoices alone gives each one line.
const winmotorHeadsMapping = `
[input]
format    = "csv"
delimiter = ";"
decimal   = ","
date      = "dd/mm/yyyy"
[invoice]
key   = "N° facture"
where = 'num("Total TTC") != 0'
[invoice.fields]
document_number            = "N° facture"
issue_date                 = "Date facture"
currency                   = { value = "EUR" }
type                       = { value = "380" }
recipient.name             = "Nom client"
total_amount_including_tax = "Total TTC"
[lines.fields]
description = { expr = '"Ordre de réparation " + col("Numero OR")' }
quantity    = { value = "1" }
unit_price  = "Total HT"
tax_rate    = { expr = 'round(num("Total TVA") * dec("100") / num("Total HT"), 2)' }
[check]
`

// sampled says what a sample file gives: its invoices by a mapping, the problem
// that it is refused with, or why it is no sales invoice.
type sampled struct {
	mapping string // a preset's name, or the mapping itself
	with    []string
	want    string // in the words of shown; totals are those of the file
	entries bool
	not     string
}

const gestimumTotals = "380 FAC17-00009 2018-10-10 21.00\n... ignored\n380 FAC17-00010 2018-10-25 21.53\n380 FAC17-00011 2018-10-30 63.00"

const ebpTotals = `380 FA00000001 2018-04-18 194.40
380 FA00000002 2018-04-18 44.12
380 FA00000003 2018-04-18 445.24
380 FA00000004 2018-04-18 251.56
380 FA00000005 2025-03-10 88.16
380 FA0900000001 2017-07-08 1024.97
380 FA0900000002 2017-07-08 152.72
380 FA0900000003 2017-07-08 843.72`

var gestimumFiles = []string{"gestimum/Lignes_20200108-175657.csv", "gestimum/Echeances_20200108-175657.csv", "gestimum/Reglements_20200108-175657.csv"}

var samples = map[string]sampled{
	"INDEX.md": {not: "says where the samples come from"},

	"akaunting/invoices.xlsx": {mapping: akauntingMapping, want: "380 INV-00001 2020-01-01 90.00"},
	"akaunting/bills.xlsx":    {not: "bills of suppliers"},

	"business-central/eDocPEPPOLInvoiceImportV2.xml":           {not: "a mapping definition of Business Central"},
	"business-central/facturx-invoice-0.xml":                   {mapping: "cii", want: "380 FX-INV-3001 2024-03-01 432.00"},
	"business-central/facturx-creditmemo-0.xml":                {mapping: "cii", want: "381 FX-AVR-4001 2024-03-05 144.00"},
	"business-central/oioubl-creditnote-0.xml":                 {mapping: "ubl", want: "381 CN-5001 2026-02-15 2500.00"},
	"business-central/peppol-bis-fr-invoice-0.xml":             {mapping: "ubl", want: "380 PBIS-FR-6001 2026-03-02 432.00"},
	"business-central/peppol-invoice-allowance.xml":            {mapping: "ubl", want: "380 Snippet1 2017-11-13 7125.00"},
	"business-central/peppol-invoice-description-fallback.xml": {mapping: "ubl", want: "380 INV-DESC-001 2026-03-01 375.00"},
	"business-central/peppol-invoice-hierarchical-lineids.xml": {mapping: "ubl", want: "380 103033 2026-01-22 17500.00 but states 14140.00"},
	// As the one before it says 25 % of 14000 and states 14140; here a [check] refuses it.
	"business-central/facturae-invoice-0.xml": {mapping: facturaeMapping, want: "103033 refused E2214"},

	"datev/EXTF_Buchungsstapel.csv":           {entries: true},
	"quickbooks-iif/commas-in-amounts.iif":    {entries: true},
	"quickbooks-iif/dos-carriage-returns.iif": {entries: true},
	"quickbooks-iif/quoted-amounts.iif":       {entries: true},
	"quickbooks-iif/spaces.iif":               {entries: true},
	"quickbooks-iif/tab-delim-all-quoted.iif": {entries: true},
	"quickbooks-iif/windows-1252.iif":         {entries: true},

	"ebp/factures.csv": {mapping: "ebp", want: ebpTotals},

	"en16931/BIS3_Invoice_negativ.XML":        {mapping: "ubl", want: "380 12345 2019-01-25 -782179.43"},
	"en16931/CII_example1.xml":                {mapping: "cii", want: "380 12115118 2015-01-09 250.33"},
	"en16931/CII_example5.xml":                {mapping: "cii", want: "380 TOSL110 2013-04-10 4675.00"},
	"en16931/ubl-tc434-creditnote1.xml":       {mapping: "ubl", want: "381 018304 / 28865 2019-09-23 100.11"},
	"en16931/ubl-tc434-example1.xml":          {mapping: "ubl", want: "380 12115118 2015-01-09 250.33"},
	"en16931/ubl-tc434-example5.xml":          {mapping: "ubl", want: "380 TOSL110 2013-04-10 4675.00"},
	"gestimum/chorus-ubl21-facture.xml":       {mapping: "ubl", want: "380 12549810 2019-11-27 465.76"},
	"gestimum/DocumentsVente.xml":             {mapping: gestimumXMLMapping, want: gestimumTotals},
	"gestimum/Documents_20200108-175657.csv":  {mapping: "gestimum", with: gestimumFiles, want: gestimumTotals},
	"gestimum/Lignes_20200108-175657.csv":     {not: "read with Documents"},
	"gestimum/Echeances_20200108-175657.csv":  {not: "read with Documents"},
	"gestimum/Reglements_20200108-175657.csv": {not: "read with Documents"},

	"homemade-xml/Facture3.xml": {mapping: homemadeMapping, want: "12 ignored\n380 23 2012-09-04 74.63\n380 11 2012-07-05 24.88\n08 ignored\n380 05 2012-06-21 103.91"},
	"homemade-xml/clients.xml":  {not: "a look-up file"},

	"metasfresh/compudata_INVOIC_as_ordered.xml":                      {mapping: metasfreshXMLMapping, want: "380 353226 2021-02-05 120.70"},
	"metasfresh/metasfreshinhousev2_INVOIC_expected_output.xml":       {mapping: metasfreshXMLMapping, want: "380 353226 2021-02-05 120.70"},
	"metasfresh/compudata_INVOIC_as_ordered_expected_output.txt":      {mapping: metasfreshMapping, want: "380 353226 2021-02-05 120.70"},
	"metasfresh/compudata_INVOIC_differing_qties_expected_output.txt": {mapping: metasfreshMapping, want: "380 353225 2021-02-19 177.57"},

	"winmotor/details.csv": {mapping: winmotorMapping, want: "380 F1 2026-09-02 170.40\nF2 refused E2201 E2208\nF3 refused E2101\n381 F4 2026-09-07 6.00"},
	"winmotor/entetes.csv": {mapping: winmotorHeadsMapping, want: "380 F1 2026-09-02 120.00\nF0 ignored"},
}

// TestEverySampleGivesItsInvoicesOrIsNamed fails when a file of the samples is in
// no list.
func TestEverySampleGivesItsInvoicesOrIsNamed(t *testing.T) {
	sample(t, "INDEX.md") // or skip
	root := filepath.Join("..", "..", "shared", "erp-samples")
	err := filepath.WalkDir(root, func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, file)
		name := filepath.ToSlash(rel)
		if _, known := samples[name]; !known {
			t.Errorf("%s is not in the list", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range samples {
		if s.not == "" {
			t.Run(name, func(t *testing.T) { s.run(t, name) })
		}
	}
}

func (s sampled) run(t *testing.T, name string) {
	e := one(name)(t)
	if s.entries {
		_, err := Choose(e, presetsAll(t))
		if p, ok := errors.AsType[problem.Problem](err); !ok || p.Code != codeEntries {
			t.Errorf("it is taken for something else than accounting entries: %v", err)
		}
		return
	}
	if len(s.with) > 0 {
		e = partsOf(t, append([]string{name}, s.with...)...)
	}
	results, report, err := readAll(t, s.load(t), e)
	if err != nil || report.Refused() {
		t.Fatal(err, report.Problems)
	}
	if got := all(t, results); got != s.want {
		t.Errorf("got:\n%s\nwant:\n%s", got, s.want)
		for _, r := range results {
			t.Log(r.Problems)
		}
	}
}

func (s sampled) load(t *testing.T) *Mapping {
	t.Helper()
	if slices.Contains(Presets(), s.mapping) {
		return preset(t, s.mapping)
	}
	dir := t.TempDir()
	if strings.Contains(s.mapping, "clients.xml") {
		writeFile(t, filepath.Join(dir, "clients.xml"), string(sample(t, "homemade-xml/clients.xml")), time.Now())
	}
	m, err := LoadIn(dir, "sample", []byte(s.mapping))
	if err != nil {
		t.Fatalf("load mapping:\n%v", err)
	}
	return m
}
