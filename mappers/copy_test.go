package mappers

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"einvoice/connector/problem"

	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"
)

// copyOf writes the copy of the documents with these ordinals.
func copyOf(t testing.TB, m *Mapping, e Export, opt CopyOptions, fails map[int][]problem.Problem) []byte {
	t.Helper()
	var out bytes.Buffer
	err := m.WriteCopy(context.Background(), e, func(n int) ([]problem.Problem, bool) {
		ps, ok := fails[n]
		return ps, ok
	}, &out, opt)
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// refusedOf are the problems of the documents that do not go, by ordinal.
func refusedOf(results []Result) map[int][]problem.Problem {
	fails := map[int][]problem.Problem{}
	for _, r := range results {
		if r.Refused() {
			fails[r.Ordinal] = r.Problems
		}
	}
	return fails
}

const copyMapping = `[input]
format = "csv"
encoding = "%s"
delimiter = "%s"
decimal = ","

[invoice]
key = "Pièce"

[invoice.fields]
document_number = "Pièce"
issue_date = "Date"
recipient.name = "Client"

[lines.fields]
description = "Libellé"
quantity = "Qté"
unit_price = "PU"
tax_rate = { value = "20" }
`

// TestCopyKeepsTheBytesOfTheRows tries delimiters, encodings, byte order marks,
// line ends and quoting: every failing row is in the copy as it was, no other is,
// and reading the copy refuses the same invoices for the same values.
func TestCopyKeepsTheBytesOfTheRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		encoding := rapid.SampledFrom([]string{utf8Text, windows1252, latin9, cp850, utf16LE, utf16BE}).Draw(t, "encoding")
		delimiter := rapid.SampledFrom([]string{";", ",", "\t", "|"}).Draw(t, "delimiter")
		eol := rapid.SampledFrom([]string{"\r\n", "\n", "\r\r\n"}).Draw(t, "eol")
		all := rapid.Bool().Draw(t, "quote all")
		cell := func(text string) string {
			if all || strings.ContainsAny(text, delimiter+"\"\n") {
				return `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
			}
			return text
		}
		line := func(cells ...string) string {
			for i := range cells {
				cells[i] = cell(cells[i])
			}
			return strings.Join(cells, delimiter) + eol
		}
		head := line("Pièce", "Date", "Client", "Libellé", "Qté", "PU")
		text, want := head, []string(nil)
		texts := rapid.SampledFrom([]string{"Pêche", "à l'étal", `5" x 3`, "un; deux, trois|\tquatre", "deux\nlignes", "  ", "=1+1"})
		for i := range rapid.IntRange(1, 6).Draw(t, "invoices") {
			date := rapid.SampledFrom([]string{"15/01/2026", "32/01/2026"}).Draw(t, "date")
			for range rapid.IntRange(1, 3).Draw(t, "lines") {
				row := line(fmt.Sprintf("F%d", i), date, texts.Draw(t, "client"), texts.Draw(t, "label"), "1", "2,50")
				text += row
				if date[0] == '3' {
					want = append(want, strings.TrimRight(row, "\r\n"))
				}
			}
		}
		if rapid.Bool().Draw(t, "no line end at the end") {
			text = strings.TrimSuffix(text, eol)
		}
		c := newCharset(encoding, nil)
		if c.wide || encoding == utf8Text && rapid.Bool().Draw(t, "bom") {
			for _, b := range boms {
				if b.name == encoding {
					c.bom = b.mark
				}
			}
		}
		encode := func(s string) []byte {
			var out bytes.Buffer
			w := c.restore(&out)
			w.Write(c.encode(s))
			w.Close()
			return out.Bytes()
		}
		m, err := Load("m", fmt.Appendf(nil, copyMapping, encoding, strings.ReplaceAll(delimiter, "\t", "tab")))
		if err != nil {
			t.Fatal(err)
		}
		e := exportOf("x.csv", append(bytes.Clone(c.bom), encode(text)...))
		results, _, err := collect(m, e)
		if err != nil {
			t.Fatal(err)
		}
		fails := refusedOf(results)
		var out bytes.Buffer
		failing := func(n int) ([]problem.Problem, bool) { ps, ok := fails[n]; return ps, ok }
		if err := m.WriteCopy(context.Background(), e, failing, &out, CopyOptions{Lang: problem.French}); err != nil {
			t.Fatal(err)
		}
		rest := out.Bytes()
		for _, row := range append([]string{string(c.bom), strings.TrimRight(head, "\r\n")}, want...) {
			raw := encode(row)
			if row == string(c.bom) {
				raw = c.bom
			}
			at := bytes.Index(rest, raw)
			if at < 0 {
				t.Fatalf("the copy lacks the bytes of %q:\n%q", row, out.Bytes())
			}
			rest = rest[at+len(raw):]
		}
		again, _, err := collect(m, exportOf("copy.csv", out.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if len(again) != len(fails) || len(refusedOf(again)) != len(fails) {
			t.Fatalf("the copy has %d invoices, %d refused; want %d:\n%s", len(again), len(refusedOf(again)), len(fails), out.Bytes())
		}
		for _, r := range again {
			if r.Problems[0].Code != codeNotDate || r.Problems[0].Value != "32/01/2026" {
				t.Fatalf("refused for something else: %v", r.Problems)
			}
		}
		twice := new(bytes.Buffer)
		failing = func(n int) ([]problem.Problem, bool) { return again[n-1].Problems, true }
		if err := m.WriteCopy(context.Background(), exportOf("copy.csv", out.Bytes()), failing, twice, CopyOptions{Lang: problem.French}); err != nil {
			t.Fatal(err)
		}
		if bytes.Count(twice.Bytes(), encode("_erreur")) != 1 {
			t.Fatalf("a copy of a copy has the columns twice:\n%s", twice.Bytes())
		}
	})
}

func collect(m *Mapping, e Export) (all []Result, report Report, err error) {
	report, err = m.Read(context.Background(), e, func(r Result) error {
		all = append(all, r)
		return nil
	})
	return all, report, err
}

func TestCopyTellsAccountantsWhatToDo(t *testing.T) {
	m := mustLoad(t, fmt.Sprintf(copyMapping, windows1252, ";"))
	text := "sep=;\r\nPièce;Date;Client;Libellé;Qté;PU\r\nF1;15/01/2026;Œuvre;Sel;1;2\r\nF2;15/01/2026;Œuvre;Sel;1;2\r\nF2;15/01/2026;Œuvre;Sucre;x;2\r\n"
	e := exportOf("x.csv", newCharset(windows1252, nil).encode(text))
	results, _, err := readAll(t, m, e)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := newCharset(windows1252, nil).decode(copyOf(t, m, e, CopyOptions{Lang: problem.French, Release: true}, refusedOf(results)))
	want := "sep=;\r\nPièce;Date;Client;Libellé;Qté;PU;_erreur;_colonne;_correction;_liberer\r\n" +
		"F2;15/01/2026;Œuvre;Sel;1;2;;;;\r\n" +
		"F2;15/01/2026;Œuvre;Sucre;x;2;« x » n'est pas un nombre.;Qté;Écrivez un nombre, par exemple 1234,56.;\r\n"
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	english := string(copyOf(t, m, e, CopyOptions{Lang: problem.English}, refusedOf(results)))
	if !strings.Contains(english, ";_error;_column;_how_to_fix\r\n") || !strings.Contains(english, ";x is not a number.;") {
		t.Errorf("in English:\n%s", english)
	}
}

func TestCopyOfXMLIsTheFileWithoutWhatIsFine(t *testing.T) {
	m := mustLoad(t, xmlMapping)
	for _, encoding := range []string{utf8Text, latin1} {
		t.Run(encoding, func(t *testing.T) {
			text := `<?xml version="1.0" encoding="` + encoding + `"?>
<!-- lot du 15 -->
<x:lot xmlns:x="urn:x" nom="Épicerie">
  <entete>a &amp; b</entete>
  <facture num="F1"><date>2026-01-15</date><ligne q="1"/></facture>
  <facture num="F2"><date>hier</date><ligne q="1"/></facture>
  <facture num="F3"><date>2026-01-15</date><ligne q="1"/></facture>
  <facture num="F4"  ><date>été</date><ligne q='1'></ligne></facture>
  <pied/>
</x:lot>
`
			want := strings.ReplaceAll(text, "\n  <facture num=\"F1\"><date>2026-01-15</date><ligne q=\"1\"/></facture>", "")
			want = strings.ReplaceAll(want, "\n  <facture num=\"F3\"><date>2026-01-15</date><ligne q=\"1\"/></facture>", "")
			c := newCharset(encoding, nil)
			e := exportOf("x.xml", c.encode(text))
			results, _, err := readAll(t, m, e)
			if err != nil || len(results) != 4 {
				t.Fatal(len(results), err)
			}
			got := copyOf(t, m, e, CopyOptions{}, refusedOf(results))
			if !bytes.Equal(got, c.encode(want)) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			again, _, err := readAll(t, m, exportOf("copy.xml", got))
			if err != nil || len(again) != 2 || len(refusedOf(again)) != 2 {
				t.Errorf("read again: %d, %v", len(again), err)
			}
		})
	}
}

const xmlMapping = `[input]
format = "xml"
[invoice]
each = "/lot/facture"
[invoice.fields]
document_number = "@num"
issue_date = "date"
[lines]
each = "ligne"
[lines.fields]
quantity = "@q"
`

func TestReportOpensInExcel(t *testing.T) {
	var out bytes.Buffer
	err := WriteReport(&out, problem.French, []problem.Problem{{
		Code: codeNotNumber, Severity: problem.Refuse, Invoice: "F1", Field: "invoice_lines[0].quantity", Value: "=1+1;",
		Position: problem.Position{File: "x.csv", Row: 3, Column: "Qté"},
	}})
	want := "\ufefffacture;ligne;colonne;valeur;code;gravite;erreur;correction;champ\r\n" +
		"F1;3;Qté;\"'=1+1;\";E2201;refuse;« =1+1; » n'est pas un nombre.;Écrivez un nombre, par exemple 1234,56.;invoice_lines[0].quantity\r\n"
	want = strings.Replace(want, "« =1+1; » n'est pas un nombre.", "\"« =1+1; » n'est pas un nombre.\"", 1)
	if err != nil || out.String() != want {
		t.Errorf("got %v:\n%s\nwant:\n%s", err, out.String(), want)
	}
}

func TestACSVComesBackAsAWorkbookOfTexts(t *testing.T) {
	m := preset(t, "generic-fr")
	const export = "Export du 1er\nN° facture;Date;Client;SIRET client;Libre;Désignation;PU HT;TVA\nF1;01/02/2026;Duval;01234567800011;007;Savon;10,50;20\nF2;01/02/2026;Duval;73282932000074;008;Savon;dix;20\n"
	e := exportOf("x.csv", []byte(export))
	var out bytes.Buffer
	opt := CopyOptions{Lang: problem.French, Workbook: true}
	ps := []problem.Problem{{Code: codeNotNumber, Severity: problem.Refuse, Value: "dix", Position: problem.Position{Row: 4, Column: "PU HT"}}}
	if err := m.WriteCopy(context.Background(), e, func(n int) ([]problem.Problem, bool) { return ps, n == 2 }, &out, opt); err != nil {
		t.Fatal(err)
	}
	if ext, err := m.CopyExtOf(e, opt); ext != ".xlsx" || err != nil {
		t.Error(ext, err)
	}
	book, err := excelize.OpenReader(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := book.GetRows("Factures")
	if err != nil || len(rows) != 3 || rows[2][3] != "73282932000074" || rows[2][4] != "008" || rows[1][8] != "_erreur" || rows[2][9] != "PU HT" {
		t.Fatalf("%q %v", rows, err)
	}
	for cell := range map[string]bool{"D3": true, "E3": true, "G3": true} {
		if kind, err := book.GetCellType("Factures", cell); err != nil || kind == excelize.CellTypeNumber {
			t.Errorf("%s is a number: %v %v", cell, kind, err)
		}
	}
	book.SetCellValue("Factures", "G3", "10,50")
	var edited bytes.Buffer
	if err := book.Write(&edited); err != nil {
		t.Fatal(err)
	}
	results, report, err := readAll(t, m, exportOf("x.csv.1.refused.1.xlsx", edited.Bytes()))
	if err != nil || report.Refused() || len(results) != 1 || results[0].Refused() || results[0].Invoice.Lines[0].UnitPrice.String() != "10.50" {
		t.Errorf("%+v %v %v", results, report.Problems, err)
	}
}

// Rows in any order are put aside while they are sorted, with their bytes.
func TestTheCopyOfRowsInAnyOrderKeepsTheirCells(t *testing.T) {
	m := mustLoad(t, strings.Replace(small, "[input]", "[input]\nrows = \"any\"", 1))
	const head = "Facture;Date;Texte;PU"
	e := exportOf("x.csv", []byte(head+"\nF1;01/01/2026;x;1\nF2;01/01/2026;x;1\nF1;01/01/2026;\"y;z\";un\n"))
	e.TempDir = t.TempDir()
	copied := string(copyOfThese(t, m, e, 1))
	if want := head + ";_erreur;_colonne;_correction\nF1;01/01/2026;x;1;;;\nF1;01/01/2026;\"y;z\";un;;;\n"; copied != want {
		t.Errorf("got  %q\nwant %q", copied, want)
	}
}

// A mapping that numbers its columns may ask for more than a file has: what a
// copy adds stands behind all of them.
func TestOurColumnsAreNotReadByTheirNumber(t *testing.T) {
	const fields = `
[invoice]
key = "#1"
[invoice.fields]
document_number = "#1"
issue_date = "#2"
[lines.fields]
description = "#3"
quantity = "#6"
unit_price = "#4"
`
	for name, c := range map[string]struct{ input, file, back string }{
		"without a header":  {"[input]\nformat = \"csv\"\n", "F1;01/01/2026;x;un\n", "x.csv.000001.refused.1.csv"},
		"with a header":     {"[input]\nformat = \"csv\"\nheader = 1\n", "No;Jour;Texte;PU\nF1;01/01/2026;x;un\n", "x.csv.000001.refused.1.csv"},
		"as a workbook":     {"[input]\nformat = \"csv\"\nheader = 1\n", "No;Jour;Texte;PU\nF1;01/01/2026;x;un\n", "x.csv.000001.refused.1.xlsx"},
		"of a workbook":     {"[input]\nformat = \"xlsx\"\nsheet = \"Ventes\"\nheader = 1\n", string(workbook(t, []any{"No", "Jour", "Texte", "PU"}, []any{"F1", "01/01/2026", "x", "un"})), "x.xlsx.000001.refused.1.xlsx"},
		"a short row first": {"[input]\nformat = \"csv\"\nshort_rows = true\n", "F1;01/01/2026;x;un\nF2;01/01/2026\n", "x.csv.000001.refused.1.csv"},
	} {
		m := mustLoad(t, c.input+fields)
		e := exportOf("x.csv", []byte(c.file))
		e.TempDir = t.TempDir()
		results, _, err := readAll(t, m, e)
		if err != nil {
			t.Fatal(name, err)
		}
		for range 2 { // a copy, and a copy of it
			var out bytes.Buffer
			if err := m.WriteCopy(context.Background(), e, func(n int) ([]problem.Problem, bool) { return results[n-1].Problems, true }, &out,
				CopyOptions{Lang: problem.French, Workbook: strings.HasSuffix(c.back, ".xlsx")}); err != nil {
				t.Fatal(name, err)
			}
			e = exportOf(c.back, out.Bytes())
			e.TempDir = t.TempDir()
			again, _, err := readAll(t, m, e)
			if err != nil || len(again) != len(results) {
				t.Fatal(name, again, err)
			}
			for i := range again {
				if got, want := fateOf(again[i]), fateOf(results[i]); got != want {
					t.Errorf("%s:\nwas %s\n is %s\n%q", name, want, got, out.Bytes())
				}
			}
		}
	}
}
