package mappers

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"

	"einvoice/connector/problem"

	"github.com/xuri/excelize/v2"
)

// parts are the unzipped parts of a workbook.
func parts(t *testing.T, data []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all[f.Name] = string(text)
	}
	return all
}

// repack writes a workbook with other parts.
func repack(t *testing.T, all map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, text := range all {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// gossip is a workbook that repeats what stands in its rows, as Excel does: in
// the shared texts, in a comment, and in the cache of a pivot table.
func gossip(t *testing.T) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := f.NewSheet("Notes")
	check(err)
	check(f.SetCellStr("Notes", "A1", "à garder"))
	check(f.SetSheetRow("Sheet1", "A1", &[]any{"N° facture", "Date", "Client", "Désignation", "PU HT", "TVA"}))
	check(f.SetSheetRow("Sheet1", "A2", &[]any{"F1", "01/02/2026", "Hôtel Discret", "Savon", "10,50", "20"}))
	check(f.SetSheetRow("Sheet1", "A3", &[]any{"F2", "02/02/2026", "Duval", "Nappe", "dix", "20"}))
	check(f.SetCellRichText("Sheet1", "C2", []excelize.RichTextRun{{Text: "Hôtel "}, {Text: "Discret", Font: &excelize.Font{Bold: true}}}))
	check(f.AddComment("Sheet1", excelize.Comment{Cell: "C2", Author: "Compta", Text: "Hôtel Discret : relancer"}))
	check(f.AddPivotTable(&excelize.PivotTableOptions{DataRange: "Sheet1!A1:F3", PivotTableRange: "Notes!D1:F9",
		Rows: []excelize.PivotTableField{{Data: "Client"}}, Data: []excelize.PivotTableField{{Data: "TVA"}}}))
	var out bytes.Buffer
	check(f.Write(&out))
	all := parts(t, out.Bytes())
	const cache = "xl/pivotCache/pivotCacheDefinition1.xml"
	if all[cache] == "" || !strings.Contains(all["xl/workbook.xml"], "pivotCaches") {
		t.Fatal("there is no pivot table")
	}
	all[cache] = strings.Replace(all[cache], "</cacheFields>", `</cacheFields><!-- <s v="Hôtel Discret"/> -->`, 1)
	return repack(t, all)
}

func TestTheCopyOfAWorkbookSaysNothingOfOtherInvoices(t *testing.T) {
	m := preset(t, "generic-fr")
	e := exportOf("x.xlsx", gossip(t))
	for _, text := range []string{"Discret", "Savon"} {
		if told := strings.Join(tellers(parts(t, gossip(t)), text), " "); told == "" {
			t.Fatalf("nothing of the workbook says %s", text)
		}
	}
	data := copyOf(t, m, e, CopyOptions{Lang: problem.French}, map[int][]problem.Problem{2: nil})
	all := parts(t, data)
	for _, text := range []string{"Discret", "Savon", "pivotCache", "comments"} {
		if told := tellers(all, text); len(told) > 0 {
			t.Errorf("%s is told by %v", text, told)
		}
	}
	book, err := excelize.OpenReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	for cell, want := range map[string]string{"A2": "F2", "C2": "Duval", "D2": "Nappe"} {
		if got, _ := book.GetCellValue("Sheet1", cell); got != want {
			t.Errorf("%s is %q, want %q", cell, got, want)
		}
	}
	if got, _ := book.GetCellValue("Notes", "A1"); got != "à garder" {
		t.Errorf("the other sheet says %q", got)
	}
}

// tellers are the parts that name a text, or are named by it.
func tellers(all map[string]string, text string) (told []string) {
	for name, content := range all {
		if strings.Contains(name, text) || strings.Contains(content, text) {
			told = append(told, name)
		}
	}
	return told
}

// TestACopyOfSheetsSaysNothingOfTheOtherSheets: each sheet is an invoice.
func TestACopyOfSheetsSaysNothingOfTheOtherSheets(t *testing.T) {
	m := mustLoad(t, `
[input]
format = "xlsx"
[invoice]
each = "sheet"
[invoice.fields]
document_number = "A1"
issue_date      = "A2"
recipient.name  = "A3"
[lines]
first_row = 4
[lines.fields]
description = "A"
unit_price  = "B"
`)
	f := excelize.NewFile()
	defer f.Close()
	for sheet, client := range map[string]string{"Sheet1": "Hôtel Discret", "Deux": "Duval"} {
		if _, err := f.NewSheet(sheet); err != nil {
			t.Fatal(err)
		}
		for cell, text := range map[string]string{"A1": "F-" + sheet, "A2": "2026-02-01", "A3": client, "A4": "Savon"} {
			if err := f.SetCellStr(sheet, cell, text); err != nil {
				t.Fatal(err)
			}
		}
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	data := copyOf(t, m, exportOf("x.xlsx", out.Bytes()), CopyOptions{}, map[int][]problem.Problem{2: nil})
	if told := tellers(parts(t, data), "Discret"); len(told) > 0 {
		t.Errorf("the other invoice is told by %v", told)
	}
	again, _, err := readAll(t, m, exportOf("c.xlsx", data))
	if err != nil || len(again) != 1 || again[0].Invoice.Buyer.Name != "Duval" {
		t.Errorf("read again: %+v %v", again, err)
	}
}

func TestUnusedTextsAreEmptiedAndTheOthersKeepTheirBytes(t *testing.T) {
	const texts = `<?xml version="1.0"?><x:sst xmlns:x="u" count="4"><x:si><x:t>gone</x:t></x:si>` +
		`<x:si><x:r><x:t xml:space="preserve"> a &amp; b</x:t></x:r></x:si><x:si/><x:si ><x:r><x:t>also</x:t></x:r></x:si></x:sst>`
	const want = `<?xml version="1.0"?><x:sst xmlns:x="u" count="4"><x:si><x:t/></x:si>` +
		`<x:si><x:r><x:t xml:space="preserve"> a &amp; b</x:t></x:r></x:si><x:si/><x:si ><x:t/></x:si></x:sst>`
	b := bookParts{}
	b.shared.set(1)
	b.shared.set(-1)
	b.shared.set(1 << 60)
	var out strings.Builder
	if err := b.texts(strings.NewReader(texts), &out); err != nil || out.String() != want {
		t.Errorf("%v\n%s\n%s", err, out.String(), want)
	}
}
