package mappers

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"einvoice/connector/problem"

	"github.com/rogpeppe/go-internal/txtar"
)

// seeds gives the sections of all stories whose name begins so.
func seeds(f *testing.F, name string) {
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
				f.Add(part.Data)
			}
		}
	}
}

// survive reads an export whatever it is, and writes the copy of everything:
// ordinals count up, problems have texts, nothing panics or grows without end.
func survive(t *testing.T, m *Mapping, e Export) {
	last := 0
	_, err := m.Read(context.Background(), e, func(r Result) error {
		if last++; r.Ordinal != last || r.Spoils >= r.Ordinal {
			t.Fatalf("ordinal %d after %d, spoils %d", r.Ordinal, last-1, r.Spoils)
		}
		for _, p := range r.Problems {
			if p.Message(problem.French) == p.Code || p.Remedy(problem.English) == "" {
				t.Fatalf("%s has no text", p.Code)
			}
		}
		return nil
	})
	if err != nil {
		return
	}
	var out bytes.Buffer
	all := func(int) ([]problem.Problem, bool) { return nil, true }
	if err := m.WriteCopy(context.Background(), e, all, &out, CopyOptions{Lang: problem.French}); err != nil {
		return
	}
	again := 0
	if _, err := m.Read(context.Background(), exportOf("copy", out.Bytes()), func(Result) error { again++; return nil }); err == nil && again > last {
		t.Fatalf("%d documents, and %d in the copy", last, again)
	}
}

func FuzzCSV(f *testing.F) {
	seeds(f, "export.csv")
	f.Add([]byte("\xff\xfeF\x00a\x00;\x00"))
	f.Add([]byte("Facture;Date;Texte;PU\r\n\"F1\"\";01/01/2026;x;1\r\r\n"))
	m := mustLoad(f, small)
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.HasPrefix(data, []byte("PK")) {
			return // a workbook: excelize's own matter
		}
		survive(t, m, exportOf("x.csv", data))
	})
}

func FuzzXML(f *testing.F) {
	seeds(f, "export.xml")
	m := mustLoad(f, xmlMapping)
	f.Fuzz(func(t *testing.T, data []byte) { survive(t, m, exportOf("x.xml", data)) })
}

func FuzzLoad(f *testing.F) {
	seeds(f, "mapping.toml")
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
		survive(t, m, exportOf("x.csv", row))
	})
}

func FuzzRecords(f *testing.F) {
	f.Add([]byte(gpFile))
	f.Add([]byte("@GP\nENT;;\nLIG\n@ND\nENT"))
	data, _ := Preset("gp")
	m, err := Load("gp", data)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) { survive(t, m, exportOf("x.txt", data)) })
}

func FuzzFixed(f *testing.F) {
	f.Add([]byte("H100 380 F1 20260101\nP100 texte 1 2,50\nT100 12\n"))
	f.Add([]byte("H100\xff\nP1\nH100\r\r\n"))
	m := mustLoad(f, `
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
`)
	f.Fuzz(func(t *testing.T, data []byte) { survive(t, m, exportOf("x.txt", data)) })
}

// FuzzJoined splits the data into the files of an export at form feeds.
func FuzzJoined(f *testing.F) {
	f.Add([]byte("NumeroPiece;Date;MontantTTC\nFA1;01/02/2026;12\n\fNumeroPiece;Libelle;Quantite;PrixUnitaire;TotalHT;TauxTVA\nFA1;Savon;1;10;10;20\nFA2;x"))
	data, _ := Preset("gestimum")
	m, err := Load("gestimum", data)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e := Export{Name: "x", TempDir: t.TempDir()}
		for i, part := range bytes.SplitN(data, []byte("\f"), 3) {
			e.Parts = append(e.Parts, exportOf([]string{"Documents_1.csv", "Lignes_1.csv", "Echeances_1.csv"}[i], part))
		}
		survive(t, m, e)
	})
}

// FuzzSheet puts the data into the sheet of a sound workbook.
func FuzzSheet(f *testing.F) {
	f.Add([]byte(`<row r="1">` + inline("A1", "Facture") + inline("B1", "Date") + inline("C1", "Texte") + inline("D1", "PU") + `</row><row r="2">` + inline("A2", "F1") + `<c r="B2"><v>46000</v></c></row>`))
	f.Add([]byte(`<row r="3"><c r="A3" t="s"><v>7</v></c><c t="e"><v>#REF!</v></c></row>`))
	m := mustLoad(f, small)
	f.Fuzz(func(t *testing.T, data []byte) {
		e := handmade(t, sheetBegin+string(data)+sheetEnd)
		e.TempDir = t.TempDir()
		survive(t, m, e)
	})
}
