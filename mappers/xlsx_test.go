package mappers

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"einvoice/connector/problem"

	"github.com/xuri/excelize/v2"
)

const sheetMapping = `[input]
format = "xlsx"
sheet = "Ventes"

[invoice]
key = "N° facture"

[invoice.fields]
document_number = "N° facture"
issue_date = "Date"
recipient.fiscal_id = "SIRET"

[lines.fields]
description = "Libellé"
quantity = "Qté"
unit_price = "PU"
tax_rate = "TVA"
`

// workbook makes a file with a sheet before the one that is meant.
func workbook(t *testing.T, rows ...[]any) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	if _, err := f.NewSheet("Ventes"); err != nil {
		t.Fatal(err)
	}
	for i, r := range rows {
		if err := f.SetSheetRow("Ventes", "A"+string(rune('1'+i)), &r); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestWorkbookGivesSerialsAsDatesAndExactNumbers(t *testing.T) {
	data := workbook(t,
		[]any{"Ventes de janvier"},
		[]any{"N° facture", "Date", "SIRET", "Libellé", "Qté", "PU", "TVA"},
		[]any{"F1", 46037, "73282932000074", "Sel", 2, 182.16579999999999, 20},
		[]any{"F2", "16/01/2026", 73282932000074, "Sel", "2,5", "1 000,50", 5.5},
		[]any{"F3", 46037.5, "73282932000074", "#REF!", 1, 0.00001, 20},
		[]any{"F4", "janvier", "73282932000074", "Sel", 1, 10, 20},
	)
	m := mustLoad(t, sheetMapping)
	e := exportOf("ventes.xlsx", data)
	e.TempDir = t.TempDir()
	results, report, err := readAll(t, m, e)
	if err != nil || len(report.Problems) != 0 || len(results) != 4 {
		t.Fatalf("%d results, %+v, %v", len(results), report, err)
	}
	one, two := results[0].Invoice, results[1].Invoice
	if one.IssueDate != "2026-01-15" || one.Lines[0].UnitPrice.String() != "182.1658" {
		t.Errorf("first: %+v", one)
	}
	if two.IssueDate != "2026-01-16" || two.Lines[0].Quantity.String() != "2.5" || two.Lines[0].UnitPrice.String() != "1000.50" || two.Buyer.FiscalID != "73282932000074" {
		t.Errorf("second: %+v", two)
	}
	if p := results[2].Problems; len(p) != 1 || p[0].Code != codeSheetError || p[0].Position.Sheet != "Ventes" || p[0].Position.Row != 5 || p[0].Position.Column != "Libellé" {
		t.Errorf("third: %+v", p)
	}
	if left, _ := os.ReadDir(e.TempDir); len(left) != 0 {
		t.Errorf("left in the temporary folder: %v", left)
	}
	copied := copyOf(t, m, e, CopyOptions{Lang: problem.French}, refusedOf(results))
	again, _, err := readAll(t, m, exportOf("copy.xlsx", copied))
	if err != nil || len(again) != 2 || len(refusedOf(again)) != 2 {
		t.Fatalf("copy: %d, %v", len(again), err)
	}
	if got := again[0].Invoice; got.IssueDate != "2026-01-15" || got.Lines[0].UnitPrice.String() != "0.00001" || got.Buyer.FiscalID != "73282932000074" {
		t.Errorf("from the copy: %+v", got)
	}
}

func TestWorkbookOfAnOldMacintoshCountsFrom1904(t *testing.T) {
	f := excelize.NewFile()
	defer f.Close()
	on := true
	if err := f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &on}); err != nil {
		t.Fatal(err)
	}
	f.SetSheetRow("Sheet1", "A1", &[]any{"N° facture", "Date", "SIRET", "Libellé", "Qté", "PU", "TVA"})
	f.SetSheetRow("Sheet1", "A2", &[]any{"F1", 46037 - 1462, "", "Sel", 1, 1, 20})
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	m := mustLoad(t, strings.Replace(sheetMapping, `sheet = "Ventes"`, "", 1))
	results, _, err := readAll(t, m, exportOf("x.xlsx", out.Bytes()))
	if err != nil || results[0].Invoice.IssueDate != "2026-01-15" {
		t.Errorf("%v %v", results, err)
	}
}

// TestCSVMappingReadsTheWorkbookMadeOfIt: accountants open a CSV in Excel and
// save a workbook.
func TestCSVMappingReadsTheWorkbookMadeOfIt(t *testing.T) {
	m := mustLoad(t, strings.NewReplacer(`"xlsx"`, `"csv"`, `sheet = "Ventes"`, "decimal = \",\"\ndate = \"dd/mm/yyyy\"").Replace(sheetMapping))
	f := excelize.NewFile()
	defer f.Close()
	f.SetSheetRow("Sheet1", "A1", &[]any{"N° facture", "Date", "SIRET", "Libellé", "Qté", "PU", "TVA", "_erreur"})
	f.SetSheetRow("Sheet1", "A2", &[]any{"F1", 46037, "73282932000074", "Sel", "2,5", 12.5, "20", "x"})
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	e := exportOf("x.xlsx", out.Bytes())
	if chosen, err := Choose(e, []*Mapping{preset(t, "ebp"), preset(t, "ubl"), m}); chosen != m {
		t.Errorf("chosen: %v, %v", chosen, err)
	}
	if ext, err := m.CopyExtOf(e); ext != ".xlsx" || err != nil {
		t.Errorf("extension of the copy: %s, %v", ext, err)
	}
	results, _, err := readAll(t, m, e)
	if err != nil || len(results) != 1 || results[0].Refused() {
		t.Fatalf("%+v %v", results, err)
	}
	if l := results[0].Invoice.Lines[0]; results[0].Invoice.IssueDate != "2026-01-15" || l.Quantity.String() != "2.5" || l.UnitPrice.String() != "12.5" {
		t.Errorf("%+v", results[0].Invoice)
	}
}

func TestUnfitWorkbooksAreRefusedWithTheirReason(t *testing.T) {
	m := mustLoad(t, sheetMapping)
	encrypted := append(bytes.Clone(oleMagic), "....E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00"...)
	for name, c := range map[string]struct {
		data []byte
		code string
	}{
		"text":           {[]byte("N° facture;Date"), codeNotXLSX},
		"empty":          {nil, codeNotXLSX},
		"cut":            {workbook(t, []any{"x"})[:500], codeNotXLSX},
		"old":            {append(bytes.Clone(oleMagic), "Workbook"...), codeOldXLS},
		"password":       {encrypted, codeEncrypted},
		"other zip":      {zipped(t, "word/document.xml", 10), codeNotXLSX},
		"bomb":           {zipped(t, "xl/worksheets/sheet1.xml", freeUnzipBytes+1), codeHugeWorkbook},
		"other sheet":    {workbookNamed(t, "Achats"), codeNoSheet},
		"without a head": {workbook(t), codeNoHeader},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := readAll(t, m, exportOf("x.xlsx", c.data))
			p, ok := errors.AsType[problem.Problem](err)
			if !ok || p.Code != c.code || p.Message(problem.French) == "" {
				t.Errorf("got %v, want %s", err, c.code)
			}
		})
	}
}

func workbookNamed(t *testing.T, sheet string) []byte {
	f := excelize.NewFile()
	defer f.Close()
	f.SetSheetName("Sheet1", sheet)
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// zipped is an archive with one member of zeros, which packs well.
func zipped(t *testing.T, name string, size int) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	w, err := z.Create(name)
	if err == nil {
		_, err = w.Write(make([]byte, size))
	}
	if err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// excelize ends a sheet where its XML breaks, and says nothing.
func TestASheetThatBreaksOffIsRefused(t *testing.T) {
	row := func(n int, cells ...string) string {
		text := fmt.Sprintf(`<row r="%d">`, n)
		for i, c := range cells {
			text += inline(fmt.Sprintf("%s%d", columnLetter(i+1), n), c)
		}
		return text + "</row>"
	}
	sheet := sheetBegin + row(1, "Facture", "Date", "Texte", "PU") + row(2, "F1", "01/01/2026", "x", "1")
	for name, end := range map[string]string{"cut": "", "crossed": row(3, "F2", "01/01/2026", "x", "1") + "</worksheet></sheetData>"} {
		results, report, err := readAll(t, mustLoad(t, small), handmade(t, sheet+end))
		if p, ok := errors.AsType[problem.Problem](err); !ok || p.Code != codeNotXLSX {
			t.Errorf("%s: %v %v %v", name, results, report.Problems, err)
		}
	}
	if results, _, err := readAll(t, mustLoad(t, small), handmade(t, sheet+sheetEnd)); err != nil || len(results) != 1 {
		t.Error(results, err)
	}
}

// excelize takes cells and rows that are out of order for others.
func TestASheetOutOfOrderIsRefused(t *testing.T) {
	const head = `<row r="1"><c r="A1" t="inlineStr"><is><t>Facture</t></is></c><c r="B1" t="inlineStr"><is><t>Date</t></is></c>` +
		`<c r="C1" t="inlineStr"><is><t>Texte</t></is></c><c r="D1" t="inlineStr"><is><t>PU</t></is></c></row>`
	cells := func(refs ...string) string {
		text := ""
		for _, ref := range refs {
			text += inline(ref, "1")
		}
		return text
	}
	for _, bad := range []string{
		`<row r="2">` + cells("B2", "A2") + `</row>`,
		`<row r="2">` + cells("A2", "A2") + `</row>`,
		`<row r="2">` + cells("A2", strings.Repeat("F", 32)+"2") + `</row>`,
		`<row r="2">` + cells("2") + `</row>`,
		`<row r="3">` + cells("A3") + `</row><row r="2">` + cells("A2") + `</row>`,
		`<row r="2"/><row r="2"/>`,
		`<row r="deux"/>`,
	} {
		results, report, err := readAll(t, mustLoad(t, small), handmade(t, sheetBegin+head+bad+sheetEnd))
		if p, ok := errors.AsType[problem.Problem](err); !ok || p.Code != codeNotXLSX {
			t.Errorf("%s: %v %v %v", bad, results, report.Problems, err)
		}
	}
	sound := `<row>` + cells("A2") + inline("B2", "01/01/2026") + `<c/>` + cells("D2") + `</row><row r="4" spans="1:4"/>`
	if results, _, err := readAll(t, mustLoad(t, small), handmade(t, sheetBegin+head+sound+sheetEnd)); err != nil || len(results) != 1 || results[0].Refused() {
		t.Error(results, err)
	}
}
