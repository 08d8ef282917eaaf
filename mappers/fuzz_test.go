package mappers

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"einvoice/connector/problem"

	"github.com/rogpeppe/go-internal/txtar"
)

// seeds adds the sections of all stories of this name.
func seeds(f *testing.F, name string) {
	for i, data := range sections(f, name) {
		f.Add(data, uint8(i))
	}
}

func sections(f *testing.F, name string) (all [][]byte) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range txtar.Parse(data).Files {
			if part.Name == name {
				all = append(all, part.Data)
			}
		}
	}
	return all
}

// survive reads an export whatever it is: ordinals count up, problems have
// texts, nothing panics or grows without end. Then it writes the copy of some of
// its documents and reads that.
func survive(t *testing.T, m *Mapping, e Export, every uint8, back string) {
	var results []Result
	report, err := m.Read(context.Background(), e, func(r Result) error {
		results = append(results, r)
		if r.Ordinal != len(results) || r.Spoils >= r.Ordinal {
			t.Fatalf("ordinal %d after %d, spoils %d", r.Ordinal, len(results)-1, r.Spoils)
		}
		for _, p := range r.Problems {
			if p.Message(problem.French) == p.Code || p.Remedy(problem.English) == "" {
				t.Fatalf("%s has no text", p.Code)
			}
		}
		return nil
	})
	if err == nil && !report.Refused() {
		copiedBack(t, m, e, results, report, int(every%3)+1, back)
	}
}

func FuzzCSV(f *testing.F) {
	seeds(f, "export.csv")
	f.Add([]byte("\xff\xfeF\x00a\x00;\x00"), uint8(1))
	f.Add([]byte("Facture;Date;Texte;PU\r\n\"F1\"\";01/01/2026;x;1\r\r\n"), uint8(1))
	f.Add([]byte("\"Facture\";\"Date\";\"Texte\";\"PU\"\r\n\"F1\";\"01/01/2026\";\"x\n;\"\"y\";\"1\"\r\n"), uint8(1))
	f.Add([]byte("sep=,\nFacture,Date,Texte,PU\nF1,01/01/2026,caf\xe9,1\nF1,01/01/2026,x\n\nF2,,,"), uint8(2))
	f.Add([]byte("Facture;Date;Texte;PU\nF1;01/01/2026;x;1\nF2;01/01/2026;y;2\nF1;;;3\n"), uint8(3))
	all, temp := []*Mapping{mustLoad(f, small), mustLoad(f, strings.Replace(small, "[input]", "[input]\nrows = \"any\"", 1))}, f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte, every uint8) {
		if bytes.HasPrefix(data, []byte("PK")) {
			return // a workbook, which FuzzSheet has
		}
		e := exportOf("x.csv", data)
		e.TempDir = temp
		survive(t, all[every/3%2], e, every, "x.csv.000001.refused.1.csv")
	})
}

func FuzzXML(f *testing.F) {
	seeds(f, "export.xml")
	f.Add([]byte("<Invoices><Invoice><ID>1</ID><IssueDate>2026-01-01</IssueDate></Invoice>\n<!-- x --><Invoice><ID>2</ID></Invoice></Invoices>"), uint8(1))
	f.Add([]byte("<?xml version='1.0' encoding='iso-8859-1'?><a:Invoice xmlns:a='x'><a:ID>\xe9&amp;</a:ID><InvoiceLine><Item><Name><![CDATA[<]]></Name></Item></InvoiceLine></a:Invoice>"), uint8(2))
	all := []*Mapping{mustLoad(f, xmlMapping), preset(f, "ubl"), preset(f, "cii")}
	f.Fuzz(func(t *testing.T, data []byte, every uint8) {
		survive(t, all[int(every)%len(all)], exportOf("x.xml", data), every, "x.xml.000001.refused.1.xml")
	})
}

func FuzzLoad(f *testing.F) {
	for _, data := range sections(f, "mapping.toml") {
		f.Add(data)
	}
	for _, name := range Presets() {
		data, _ := Preset(name)
		f.Add(data)
	}
	row := []byte("Facture;Date;Texte;PU\nF1;01/01/2026;x;1\n")
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Load("x", data)
		if err != nil {
			if _, ok := err.(Errors); !ok || err.Error() == "" {
				t.Fatalf("not a list of mistakes: %v", err)
			}
			return
		}
		survive(t, m, exportOf("x.csv", row), 0, "x.csv.000001.refused.1.csv")
	})
}

// FuzzRecords reads typed records, delimited and of fixed width.
func FuzzRecords(f *testing.F) {
	f.Add([]byte(gpFile), uint8(0))
	f.Add([]byte("@GP\nENT;;\nLIG\n@ND\nENT"), uint8(2))
	f.Add([]byte("H100 380 F1 20260101\nP100 texte 1 2,50\nT100 12\n"), uint8(1))
	f.Add([]byte("H100\xff\nP1\nH100\r\r\n"), uint8(3))
	all := []*Mapping{preset(f, "gp"), mustLoad(f, `
[input]
format   = "fixed"
encoding = "utf-8"
type     = "1+4"
[invoice]
start = "H100"
[invoice.fields]
document_number = "H100.10+2"
issue_date      = "H100.13+8"
[lines]
each = "P100"
[lines.fields]
description = "P100.6+5"
quantity    = "P100.12+1"
unit_price  = "P100[12+1=1].14+4"
[complete]
record = "T100"
count  = "T100.6+2"
`)}
	f.Fuzz(func(t *testing.T, data []byte, every uint8) {
		survive(t, all[int(every)%len(all)], exportOf("x.txt", data), every/2, "x.txt.000001.refused.1.txt")
	})
}

// FuzzJoined splits the data into the files of an export at form feeds.
func FuzzJoined(f *testing.F) {
	f.Add([]byte("NumeroPiece;Date;MontantTTC\nFA1;01/02/2026;12\n\fNumeroPiece;Libelle;Quantite;PrixUnitaire;TotalHT;TauxTVA\nFA1;Savon;1;10;10;20\nFA2;x"))
	m, temp := preset(f, "gestimum"), f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		e := Export{Name: "x", TempDir: temp}
		for i, part := range bytes.SplitN(data, []byte("\f"), 3) {
			e.Parts = append(e.Parts, exportOf([]string{"Documents_1.csv", "Lignes_1.csv", "Echeances_1.csv"}[i], part))
		}
		survive(t, m, e, 0, "x.000001.refused.1.xlsx")
	})
}

// FuzzSheet puts the data into the sheet of a sound workbook.
func FuzzSheet(f *testing.F) {
	f.Add([]byte(`<row r="1">` + inline("A1", "Facture") + inline("B1", "Date") + inline("C1", "Texte") + inline("D1", "PU") + `</row><row r="2">` + inline("A2", "F1") + `<c r="B2"><v>46000</v></c></row>`))
	f.Add([]byte(`<row r="3"><c r="A3" t="s"><v>7</v></c><c t="e"><v>#REF!</v></c></row>`))
	m, temp := mustLoad(f, small), f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		e := handmade(t, sheetBegin+string(data)+sheetEnd)
		e.TempDir = temp
		survive(t, m, e, 0, "x.xlsx.000001.refused.1.xlsx")
	})
}
