package mappers

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"
	"time"

	"einvoice/connector/problem"

	"github.com/xuri/excelize/v2"
)

// typedBook is a workbook of two sheets, with a title, numbers, dates, texts and
// a formula; its second invoice has no price.
func typedBook(t *testing.T) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(f.SetSheetName("Sheet1", "Factures"))
	_, err := f.NewSheet("Notes")
	check(err)
	check(f.SetCellStr("Notes", "A1", "à garder"))
	check(f.SetSheetRow("Factures", "A1", &[]any{"Export du 1er"}))
	check(f.SetSheetRow("Factures", "A2", &[]any{"N° facture", "Date", "Client", "SIRET client", "Désignation", "PU HT", "TVA"}))
	for i, price := range []any{10.5, "dix", 12.25} {
		row := i + 3
		check(f.SetSheetRow("Factures", cellName(t, 1, row), &[]any{"F" + string(rune('1'+i)), time.Date(2026, 2, 1+i, 0, 0, 0, 0, time.UTC), "Duval", "01234567800011", "Savon", price, 20}))
	}
	check(f.SetCellFormula("Factures", "F5", "12+0.25"))
	check(f.SetCellFormula("Factures", "F3", "10+0.5"))
	check(f.SetColWidth("Factures", "C", "C", 44))
	check(f.MergeCell("Factures", "A1", "C1"))
	var out bytes.Buffer
	check(f.Write(&out))
	return out.Bytes()
}

func cellName(t *testing.T, column, row int) string {
	t.Helper()
	name, err := excelize.CoordinatesToCellName(column, row)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func TestTheCopyOfAWorkbookKeepsItsSheetsHeaderAndTypes(t *testing.T) {
	m := preset(t, "generic-fr")
	e := exportOf("x.xlsx", typedBook(t))
	results, report, err := readAll(t, m, e)
	if err != nil || len(refusedOf(results)) != 1 {
		t.Fatal(err, report.Problems, len(results))
	}
	data := copyOf(t, m, e, CopyOptions{Lang: problem.French}, refusedOf(results))
	book, err := excelize.OpenReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	if got := strings.Join(book.GetSheetList(), " "); got != "Factures Notes" {
		t.Errorf("sheets %s", got)
	}
	for cell, want := range map[string]string{
		"A1": "Export du 1er", "A2": "N° facture", "A3": "F2", "D3": "01234567800011", "F3": "dix", "H2": "_erreur", "I3": "PU HT", "A4": "",
	} {
		if got, err := book.GetCellValue("Factures", cell); err != nil || got != want {
			t.Errorf("%s is %q, want %q (%v)", cell, got, want, err)
		}
	}
	if kind, err := book.GetCellType("Factures", "G3"); err != nil || kind == excelize.CellTypeSharedString || kind == excelize.CellTypeInlineString {
		t.Errorf("the rate became a text: %v %v", kind, err)
	}
	was, err := excelize.OpenReader(bytes.NewReader(typedBook(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer was.Close()
	for _, cells := range [][2]string{{"B4", "B3"}, {"D4", "D3"}} { // the date looks as it did
		before, _ := was.GetCellValue("Factures", cells[0])
		after, _ := book.GetCellValue("Factures", cells[1])
		if before != after || before == "" {
			t.Errorf("%s was shown as %q, now %q", cells[0], before, after)
		}
	}
	if width, _ := book.GetColWidth("Factures", "C"); width != 44 {
		t.Errorf("column C is %v wide", width)
	}
	if text, _ := book.GetCellValue("Notes", "A1"); text != "à garder" {
		t.Errorf("the other sheet says %q", text)
	}

	again, _, err := readAll(t, m, exportOf("x.000001.refused.1.xlsx", data))
	if err != nil || len(again) != 1 || !again[0].Refused() || again[0].Problems[0].Value != "dix" {
		t.Fatalf("read again: %+v %v", again, err)
	}
	if err := book.SetCellValue("Factures", "F3", 11.5); err != nil {
		t.Fatal(err)
	}
	var edited bytes.Buffer
	if err := book.Write(&edited); err != nil {
		t.Fatal(err)
	}
	mended, _, err := readAll(t, m, exportOf("x.000001.refused.1.xlsx", edited.Bytes()))
	if err != nil || len(mended) != 1 || mended[0].Refused() || mended[0].Invoice.Lines[0].UnitPrice.String() != "11.5" || mended[0].Invoice.IssueDate != "2026-02-02" {
		t.Errorf("mended: %+v %v", mended, err)
	}
	twice := copyOf(t, m, exportOf("c.xlsx", data), CopyOptions{Lang: problem.French}, refusedOf(again))
	second, err := excelize.OpenReader(bytes.NewReader(twice))
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	rows, err := second.GetRows("Factures")
	if err != nil || len(rows) != 3 || len(rows[1]) != 10 || rows[2][5] != "dix" {
		t.Errorf("a copy of a copy: %q %v", rows, err)
	}
}

// TestTheCopyOfAWorkbookLeavesNoTraceOfFormulas: Excel would find the workbook
// damaged if the order of its formulas named cells that have none.
func TestTheCopyOfAWorkbookLeavesNoTraceOfFormulas(t *testing.T) {
	var in bytes.Buffer
	w := zip.NewWriter(&in)
	old, err := zip.NewReader(bytes.NewReader(typedBook(t)), int64(len(typedBook(t))))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range old.File {
		if part.Name != "[Content_Types].xml" {
			if err := w.Copy(part); err != nil {
				t.Fatal(err)
			}
			continue
		}
		r, err := part.Open()
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		text.ReadFrom(r)
		out, _ := w.Create(part.Name)
		out.Write(bytes.Replace(text.Bytes(), []byte("</Types>"), []byte(`<Override PartName="/xl/calcChain.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.calcChain+xml"/></Types>`), 1))
	}
	chainPart, _ := w.Create("xl/calcChain.xml")
	chainPart.Write([]byte(`<calcChain xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><c r="F5" i="1"/></calcChain>`))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	m := preset(t, "generic-fr")
	e := exportOf("x.xlsx", in.Bytes())
	data := copyOf(t, m, e, CopyOptions{}, map[int][]problem.Problem{2: nil})
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range z.File {
		r, err := part.Open()
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		text.ReadFrom(r)
		if strings.Contains(part.Name+text.String(), "calcChain") || part.Name == "xl/worksheets/sheet1.xml" && strings.Contains(text.String(), "<f>") {
			t.Errorf("%s speaks of formulas", part.Name)
		}
	}
}

func TestTheCopyOfJoinedSheetsKeepsTheOthersAndTheirTypes(t *testing.T) {
	m := mustLoad(t, akauntingMapping)
	e := exportOf("invoices.xlsx", sample(t, "akaunting/invoices.xlsx"))
	results, _, err := readAll(t, m, e)
	if err != nil || len(results) == 0 {
		t.Fatal(err)
	}
	was, err := excelize.OpenReader(bytes.NewReader(sample(t, "akaunting/invoices.xlsx")))
	if err != nil {
		t.Fatal(err)
	}
	defer was.Close()
	data := copyOf(t, m, e, CopyOptions{Lang: problem.English}, map[int][]problem.Problem{1: nil})
	book, err := excelize.OpenReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	if a, b := strings.Join(was.GetSheetList(), ","), strings.Join(book.GetSheetList(), ","); a != b {
		t.Errorf("sheets %s, were %s", b, a)
	}
	again, report, err := readAll(t, m, exportOf("c.xlsx", data))
	if err != nil || report.Refused() || len(again) != 1 || shown(t, again[0]) != shown(t, results[0]) {
		t.Errorf("read again: %s %v", all(t, again), err)
	}
}
