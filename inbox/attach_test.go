package inbox

import (
	"archive/zip"
	"bytes"
	"testing"

	"einvoice/connector"
)

func zipped(t *testing.T, parts ...[2]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, p := range parts {
		w, err := z.Create(p[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(p[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestContentDecidesWhatAnAttachmentIs(t *testing.T) {
	const ods = "application/vnd.oasis.opendocument.spreadsheet"
	tests := []struct {
		name, file string
		content    []byte
		want       string
	}{
		{"a PDF under a false name", "virus.exe", []byte("%PDF-1.7\n"), ".pdf"},
		{"a program called PDF", "facture.pdf", []byte("MZ\x90\x00"), ""},
		{"an image", "logo", []byte("\x89PNG\r\n\x1a\n...."), ".png"},
		{"a photo", "photo.jpeg", []byte("\xff\xd8\xff\xe0"), ".jpg"},
		{"a workbook", "a.xlsx", zipped(t, [2]string{"[Content_Types].xml", ""}, [2]string{"xl/workbook.xml", ""}), ".xlsx"},
		{"a workbook with macros", "a.xlsx", zipped(t, [2]string{"xl/workbook.xml", ""}, [2]string{"xl/vbaProject.bin", ""}), ""},
		{"a workbook with old macros", "a.xlsx", zipped(t, [2]string{"xl/workbook.xml", ""}, [2]string{"xl/macrosheets/sheet1.xml", ""}), ""},
		{"an ODS", "a.ods", zipped(t, [2]string{"mimetype", ods}, [2]string{"content.xml", ""}), ".ods"},
		{"an ODS with macros", "a.ods", zipped(t, [2]string{"mimetype", ods}, [2]string{"Basic/Standard/Module1.xml", ""}), ""},
		{"an archive", "a.zip", zipped(t, [2]string{"run.exe", ""}), ""},
		{"a broken archive", "a.xlsx", []byte("PK\x03\x04nothing"), ""},
		{"a CSV", "lignes.CSV", []byte("a;b\r\n1;2\r\n"), ".csv"},
		{"a note in Windows-1252", "note.txt", []byte("re\xe7u"), ".txt"},
		{"a script", "run.bat", []byte("@echo off\r\n"), ""},
		{"an XML invoice", "x.xml", []byte(`<?xml version="1.0"?><rsm:CrossIndustryInvoice xmlns:rsm="u"/>`), ".xml"},
		{"a page called XML", "x.xml", []byte(`<HTML><script>1</script></HTML>`), ""},
		{"a drawing", "x.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), ""},
		{"an XML that opens Word", "x.xml", []byte(`<?xml version="1.0"?><?mso-application progid="Word.Document"?><a/>`), ""},
		{"an XML with a DTD", "x.xml", []byte(`<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`), ""},
		{"an XML that breaks off", "x.xml", []byte(`<a><`), ""},
		{"bytes", "x.txt", []byte{1, 2, 3}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := kind(tt.content, tt.file); got != tt.want {
				t.Errorf("kind = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSortAttachments(t *testing.T) {
	pdf := []byte("%PDF-1.7")
	list := []connector.Attachment{
		{Filename: "conditions.pdf", Content: pdf},
		{Filename: "../../F-77.exe", Content: append([]byte("%PDF-1.7 "), "factur-x.xml"...)},
		{Filename: "macro.xlsm", Content: []byte("MZ\x00")},
		{Filename: "MACRO.xlsm", Content: []byte("MZ\x01")},
		{Filename: "vide.pdf"},
		{Filename: "invoice.json", Content: []byte("{}")},
	}
	got := sortAttachments(list, "F-77", names{fold(fileJSON): true}, 40)
	want := []attached{
		{name: "conditions.pdf"},
		{name: "-..-F-77.exe.pdf", main: true},
		{name: "macro.xlsm.bin", quarantine: true},
		{name: "MACRO.xlsm (2).bin", quarantine: true},
		{name: "invoice.json.bin", quarantine: true},
	}
	if len(got) != len(want) {
		t.Fatalf("got %d files, want %d", len(got), len(want))
	}
	for i, w := range want {
		if g := got[i]; g.name != w.name || g.main != w.main || g.quarantine != w.quarantine {
			t.Errorf("file %d: got %q main=%v quarantine=%v, want %q main=%v quarantine=%v", i, g.name, g.main, g.quarantine, w.name, w.main, w.quarantine)
		}
	}
}

func TestTheInvoiceItselfAmongSeveralPDFs(t *testing.T) {
	pdf := func(name, more string) connector.Attachment {
		return connector.Attachment{Filename: name, Content: []byte("%PDF-1.7 " + more)}
	}
	tests := []struct {
		name string
		list []connector.Attachment
		want int
	}{
		{"none", nil, -1},
		{"the only one", []connector.Attachment{pdf("x.pdf", "")}, 0},
		{"two alike", []connector.Attachment{pdf("x.pdf", ""), pdf("y.pdf", "")}, -1},
		{"named after it", []connector.Attachment{pdf("cgv.pdf", ""), pdf("F-77.pdf", "")}, 1},
		{"Factur-X before the name", []connector.Attachment{pdf("F-77 cgv.pdf", ""), pdf("x.pdf", "factur-x.xml")}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := ownPDF(tt.list, "F-77"); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}
