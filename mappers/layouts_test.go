package mappers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"einvoice/connector/problem"

	"github.com/xuri/excelize/v2"
)

// partsOf is an export of several sample files.
func partsOf(t *testing.T, files ...string) Export {
	t.Helper()
	e := Export{Name: "export", TempDir: t.TempDir()}
	for _, f := range files {
		e.Parts = append(e.Parts, exportOf(path.Base(f), sample(t, f)))
	}
	return e
}

// shown is an invoice in one line: type, number, date, total of its lines, how many.
func shown(t *testing.T, r Result) string {
	t.Helper()
	if r.Ignored != "" {
		return r.Invoice.Number + " ignored"
	}
	if r.Refused() {
		var codes []string
		for _, p := range r.Problems {
			codes = append(codes, p.Code)
		}
		return r.Invoice.Number + " refused " + strings.Join(codes, " ")
	}
	got, stated := derived(t, r.Invoice).Gross, r.Invoice.Totals.Gross
	text := strings.Join([]string{r.Invoice.Type, r.Invoice.Number, string(r.Invoice.IssueDate), got.String()}, " ")
	if stated.Present() && !stated.Equal(got) {
		text += " but states " + stated.String()
	}
	return text
}

func all(t *testing.T, results []Result) string {
	t.Helper()
	var lines []string
	for _, r := range results {
		lines = append(lines, shown(t, r))
	}
	return strings.Join(lines, "\n")
}

const metasfreshMapping = `
[input]
format   = "fixed"
encoding = "utf-8"
type     = "1+4"
decimal  = "."
date     = "yyyymmdd"
[invoice]
start = "H100"
[invoice.fields]
document_number            = "H100.77+35"
type                       = "H100.74+3"
issue_date                 = { from = "H100.112+14", match = '^(\d{8})' }
currency                   = "H100.1021+3"
commitment_number          = "H100.156+35"
sender.name                = "H100.299+35"
recipient.name             = "H100.667+35"
total_amount_including_tax = "T100.54+15"
[lines]
each = "P100"
[lines.fields]
description      = "P100.165+70"
quantity         = "P100.235+15"
unit_of_measure  = "P100.250+3"
total_net_amount = "P100.289+15"
unit_price       = "P100.304+15"
tax_rate         = "P100.352+5"
[check]
`

const akauntingMapping = `
[input]
format = "xlsx"
header = 1
date   = "excel"
[input.tables]
invoices       = { key = "invoice_number" }
invoice_items  = { key = "invoice_number" }
invoice_totals = { key = "invoice_number" }
[invoice]
each  = "invoices"
where = 'col("invoices.status") != "draft"'
[invoice.fields]
document_number            = "invoices.invoice_number"
issue_date                 = "invoices.invoiced_at"
due_date                   = "invoices.due_at"
currency                   = "invoices.currency_code"
type                       = { value = "380" }
recipient.name             = "invoices.contact_name"
recipient.email            = "invoices.contact_email"
total_amount_including_tax = "invoice_totals[code=total].amount"
[lines]
each = "invoice_items"
[lines.fields]
description = { from = ["item_description", "item_name"] }
quantity    = "quantity"
unit_price  = "price"
tax_rate    = { from = "tax", match = '(\d+(?:[.,]\d+)?)', default = "0" }
[[charge]]
when        = 'col("discount_type") == "percentage" && num("discount_rate") != 0'
description = "Discount"
percent     = '-num("discount_rate")'
[check]
`

const gestimumXMLMapping = `
[input]
format = "xml"
[invoice]
each  = "/DocumentsVente/DocumentVente"
where = 'col("NumeroPiece") matches "^(FA|AV)"'
[invoice.fields]
document_number            = "NumeroPiece"
issue_date                 = "Date"
due_date                   = "Echeances/Echeance/Date"
currency                   = "Devise"
type                       = { value = "380" }
recipient.name             = "CodeTiers"
total_amount_excluding_tax = "MontantHT"
total_amount_including_tax = "MontantTTC"
[lines]
each = "Lignes/Ligne"
[lines.fields]
description      = "Designation"
quantity         = "Quantite"
unit_price       = "PrixUnitaireHT"
total_net_amount = "PrixTotalHT"
tax_rate         = "TauxTVA"
[check]
tolerance = "0.02"
`

const winmotorMapping = `
[input]
format    = "csv"
delimiter = ";"
decimal   = ","
date      = "dd/mm/yyyy"
[invoice]
key = "N° facture"
[invoice.fields]
document_number = "N° facture"
issue_date      = "Date facture"
currency        = { value = "EUR" }
type            = { value = "380" }
recipient.name  = "Nom client facture"
[lines]
where = 'not (col("Type de ligne") matches "^En-t")'   # a package's head repeats the sum of its rows
[lines.fields]
description      = "Libelle"
item_code        = "Reference"
quantity         = "Quantite"
unit_price       = "Prix unitaire HT"
total_net_amount = "Total net HT"
tax_rate         = { from = "Code TVA", map = "vat" }
[credit]
negative_total = true
[map.vat]
0 = "0"
2 = "20"
8 = "20"
`

func one(file string) func(t *testing.T) Export {
	return func(t *testing.T) Export {
		e := exportOf(path.Base(file), sample(t, file))
		e.TempDir = t.TempDir()
		return e
	}
}

// sageBook is a workbook as Sage 100 makes them, in its cells but of our invention.
func sageBook(t *testing.T, sheets int) Export {
	t.Helper()
	book := excelize.NewFile()
	for i := range sheets {
		name := fmt.Sprintf("Facture %d", 1001+i)
		if _, err := book.NewSheet(name); err != nil {
			t.Fatal(err)
		}
		quantity := 3.0
		if i == 1 {
			quantity = -3
		}
		for cell, v := range map[string]any{
			"A3": fmt.Sprintf("Facture N° FA%d", 1001+i), "A5": 411, "A6": "FR40303265045", "A8": 45717, "A11": "Hôtel du Lac",
			"B20": "R1", "C20": "Savon", "D20": 12.5, "E20": quantity, "F20": "Litre", "G20": 20, "H20": 12.5 * quantity,
			"C22": "Nappe", "D22": 4.182, "E22": quantity, "F22": "Carton", "G22": 5.5, "H22": 4.182 * quantity,
			"C24": "Merci de votre confiance",
		} {
			if err := book.SetCellValue(name, cell, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	book.DeleteSheet("Sheet1")
	var out bytes.Buffer
	if err := book.Write(&out); err != nil {
		t.Fatal(err)
	}
	return exportOf("ventes.xlsx", out.Bytes())
}

func TestASheetPerInvoice(t *testing.T) {
	m, e := preset(t, "sage100-sheet"), sageBook(t, 129)
	results, _, err := readAll(t, m, e)
	if err != nil || len(results) != 129 {
		t.Fatal(len(results), err)
	}
	if got, want := all(t, results[:2]), "380 FA1001 2025-03-01 58.24\n381 FA1002 2025-03-01 58.24"; got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	first := results[0]
	if len(first.Invoice.Lines) != 2 || first.Invoice.Lines[1].Unit != "C62" {
		t.Errorf("lines %+v", first.Invoice.Lines)
	}
	if at := first.Origins.Find("invoice_lines[1].unit_price").Position; at.Sheet != "Facture 1001" || at.Row != 22 || at.Column != "D" {
		t.Errorf("the price comes from %+v", at)
	}
	chosen, err := Choose(e, []*Mapping{preset(t, "ubl"), preset(t, "ebp"), preset(t, "generic-fr"), m})
	if err != nil || chosen != m {
		t.Errorf("chosen %v, %v", chosen, err)
	}
	copied := copyOfThese(t, m, e, 2, 5)
	again, _, err := readAll(t, m, exportOf("ventes.refused.1.xlsx", copied))
	if err != nil || len(again) != 2 || again[0].Invoice.Number != "FA1002" || again[1].Invoice.Number != "FA1005" {
		t.Errorf("the copy has %d invoices, %v", len(again), err)
	}
}

// copyOfThese is the correctable copy of some documents.
func copyOfThese(t *testing.T, m *Mapping, e Export, ordinals ...int) []byte {
	t.Helper()
	var out bytes.Buffer
	failing := func(n int) ([]problem.Problem, bool) { return nil, slices.Contains(ordinals, n) }
	if err := m.WriteCopy(context.Background(), e, failing, &out, CopyOptions{Lang: problem.French}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestTheCopyOfSeveralFilesIsAWorkbookThatTheSameMappingReads(t *testing.T) {
	m := preset(t, "gestimum")
	e := partsOf(t, "gestimum/Documents_20200108-175657.csv", "gestimum/Lignes_20200108-175657.csv", "gestimum/Echeances_20200108-175657.csv")
	again, report, err := readAll(t, m, exportOf("20200108-175657.1.refused.1.xlsx", copyOfThese(t, m, e, 3)))
	if err != nil || report.Refused() {
		t.Fatal(err, report.Problems)
	}
	if got, want := all(t, again), "380 FAC17-00010 2018-10-25 21.53"; got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestAnExportOfSeveralFilesIsWaitedForAndChosen(t *testing.T) {
	m := preset(t, "gestimum")
	group, ok := m.PartOf("Lignes_20200108-175657.csv")
	if !ok || group != "20200108-175657" {
		t.Errorf("group %q, %v", group, ok)
	}
	if _, ok := m.PartOf("Relances_20200108-175657.csv"); ok {
		t.Error("reminders are none of the tables")
	}
	if got := m.Lacks([]string{"Documents_1.csv"}); !slices.Equal(got, []string{"Lignes_*.csv"}) {
		t.Errorf("lacks %q", got)
	}
	if got := m.Lacks([]string{"documents_1.CSV", "Lignes_1.csv"}); got != nil {
		t.Errorf("lacks %q, although Echeances is optional", got)
	}
	e := Export{Name: "1", Parts: []Export{exportOf("Documents_1.csv", []byte("NumeroPiece;Date;MontantTTC\nFA1;01/02/2026;12\n"))}}
	_, _, err := readAll(t, m, e)
	if p, ok := errors.AsType[problem.Problem](err); !ok || p.Code != codeNoPart || p.Value != "Lignes_*.csv" {
		t.Errorf("a missing file gives %v", err)
	}
	e.Parts = append(e.Parts, exportOf("Lignes_1.csv", []byte("NumeroPiece;Libelle;Quantite;PrixUnitaire;TotalHT;TauxTVA\nFA1;Savon;1;10;10;20\nFA2;Perdu;1;10;10;20\n")))
	chosen, err := Choose(e, []*Mapping{preset(t, "generic-fr"), m})
	if err != nil || chosen != m {
		t.Fatal(chosen, err)
	}
	results, _, err := readAll(t, m, e)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := all(t, results), "380 FA1 2026-02-01 12.00\nFA2 refused E2108"; !strings.HasPrefix(got, "380 FA1 2026-02-01 12.00\n") || !strings.Contains(got, codeNoHead) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

const gpFile = "@GP;WEB@EDI;INVOIC;STANDARD\r\n" +
	"ENT;ENG12;01/02/2026;;;;;;;;;;FA1;15/02/2026 10:30;17/03/2026;Facture;EUR\r\n" +
	"PAD;3020000000001;Savonnerie Duval;SU;1 rue du Port;;;13001;Marseille;FR;73282932000074;FR40303265045;;;;;;;;;FR7612345678901234567890123;\r\n" +
	"PAD;3020000000002;Hotel du Lac;IV;2 quai;;;74000;Annecy;FR;10000000900017;;;;;;;;SRV1;\r\n" +
	"LIG;1;3760000000001;SAV;;;KGM;3;10.50;;;;20.00;;;Savon;31.50\r\nFTX;AAI;texte\r\n" +
	"LIG;2;;NAP;;;PCE;2;4.00;;;;5.50;;;Nappe;8.00\r\n" +
	"PID;1;A;R;Remise;;EUR;;20.00;1.50\r\n" +
	"PIE;38.00;6.44;44.44\r\nTVA;20.00;30.00;6.00\r\nEND\r\n" +
	"ENT;;;;;;;;;;;;AV1;16/02/2026 10:30;;Avoir;EUR;;;FA1;15/02/2026\r\n" +
	"PAD;3020000000002;Hotel du Lac;IV;2 quai;;;74000;Annecy;FR;10000000900017;\r\n" +
	"LIG;1;;SAV;;;KGM;1;10.50;;;;20.00;;;Savon;10.50\r\nPIE;10.50;2.10;12.60\r\nEND\r\n@ND\r\n"

func TestTypedRecordsAreRead(t *testing.T) {
	m, e := preset(t, "gp"), exportOf("x.txt", []byte(gpFile))
	chosen, err := Choose(e, []*Mapping{preset(t, "generic-fr"), preset(t, "ebp"), m})
	if err != nil || chosen != m {
		t.Fatal(chosen, err)
	}
	results, report, err := readAll(t, m, e)
	if err != nil || len(report.Problems) > 0 {
		t.Fatal(err, report.Problems)
	}
	if got, want := all(t, results), "380 FA1 2026-02-15 44.44\n381 AV1 2026-02-16 12.60"; got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	first := results[0].Invoice
	if first.Seller.FiscalID != "73282932000074" || first.Buyer.FiscalID != "10000000900017" || first.Buying.ServiceCode != "SRV1" ||
		first.Buying.CommitmentNumber != "ENG12" || results[1].Invoice.Preceding[0].Number != "FA1" {
		t.Errorf("%+v", first)
	}
	copied := string(copyOfThese(t, m, e, 2))
	if !strings.HasPrefix(copied, "@GP;WEB@EDI;INVOIC;STANDARD\r\nENT;;;;;;;;;;;;AV1;") || !strings.HasSuffix(copied, "END\r\n@ND\r\n") {
		t.Errorf("the copy is %q", copied)
	}
	cut := gpFile[:strings.Index(gpFile, "@ND")]
	if _, report, _ = readAll(t, m, exportOf("x.txt", []byte(cut))); len(report.Problems) != 1 || report.Problems[0].Code != codeNoTrailer {
		t.Errorf("a cut file: %v", report.Problems)
	}
}

const idocFile = `<ZINV_EXT><IDOC BEGIN="1"><EDI_DC40><MESTYP>INVOIC</MESTYP></EDI_DC40>
<E1EDK01><CURCY>EUR</CURCY><BSART>INVO</BSART><BELNR>9001</BELNR><EIGENUINR>FR40303265045</EIGENUINR></E1EDK01>
<E1EDKA1><PARVW>RS</PARVW><NAME1>Duval</NAME1></E1EDKA1><E1EDKA1><PARVW>RE</PARVW><NAME1>Hotel du Lac</NAME1><LAND1>FR</LAND1></E1EDKA1>
<E1EDK02><QUALF>009</QUALF><BELNR>9001</BELNR><DATUM>20260215</DATUM></E1EDK02>
<E1EDP01><MENGE>3</MENGE><MENEE>TU</MENEE><E1EDP19><QUALF>002</QUALF><IDTNR>R1</IDTNR><KTEXT>Farine</KTEXT></E1EDP19>
<E1EDP26><QUALF>003</QUALF><BETRG>1890.00</BETRG></E1EDP26><E1EDP04><MSATZ>5.50</MSATZ></E1EDP04>
<E1EDP05><KOTXT>Gross Value</KOTXT><KRATE>630.00</KRATE><UPRBS>1000</UPRBS><MEAUN>KGM</MEAUN><KOBAS>3000</KOBAS></E1EDP05></E1EDP01>
<E1EDS01><SUMID>010</SUMID><SUMME>1890.00</SUMME></E1EDS01><E1EDS01><SUMID>011</SUMID><SUMME>1993.95</SUMME></E1EDS01></IDOC></ZINV_EXT>`

func TestIDocPricesPerThousandComeToThePriceOfOne(t *testing.T) {
	results, _, err := readAll(t, preset(t, "idoc"), exportOf("x.xml", []byte(idocFile)))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := all(t, results), "380 9001 2026-02-15 1993.95"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if l := results[0].Invoice.Lines[0]; l.UnitPrice.String() != "0.630000" && l.UnitPrice.String() != "0.63" || l.Unit != "KGM" {
		t.Errorf("line %+v", l)
	}
}

// TestAMissingColumnIsSoughtInItsOwnTable: of two sheets the one that lacks the
// column is named, with its own headers; a table without its key has no rows.
func TestAMissingColumnIsSoughtInItsOwnTable(t *testing.T) {
	const heads, lines = "No;Date\nF1;15/01/2026\n", "Facture;Libellé;Prix\nF1;Savon;10,00\n"
	for _, c := range []struct{ old, new, column, near string }{
		{`description = "Libellé"`, `description = "Libelé"`, "Libelé", "Libellé"},
		{`key = "Facture"`, `key = "Factur"`, "Factur", "Facture"},
	} {
		m := mustLoad(t, strings.Replace(`
[input]
format = "csv"
delimiter = ";"
decimal = ","
[input.tables]
heads = { file = "Heads_*.csv", key = "No" }
lines = { file = "Lines_*.csv", key = "Facture" }
[invoice]
each = "heads"
[invoice.fields]
document_number = "No"
issue_date = "Date"
[lines]
each = "lines"
[lines.fields]
description = "Libellé"
unit_price = "Prix"
`, c.old, c.new, 1))
		_, report, err := readAll(t, m, Export{Name: "1", Parts: []Export{exportOf("Heads_1.csv", []byte(heads)), exportOf("Lines_1.csv", []byte(lines))}})
		if err != nil || len(report.Problems) != 1 {
			t.Fatal(err, report.Problems)
		}
		if p := report.Problems[0]; p.Value != c.column || p.Expected != c.near || p.Position.File != "Lines_1.csv" {
			t.Errorf("%+v", p)
		}
	}
}
