package mappers

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"einvoice/connector/problem"

	"github.com/xuri/excelize/v2"
)

// mapped is small with more keys in [input].
func mapped(t *testing.T, input string) *Mapping {
	t.Helper()
	return mustLoad(t, strings.Replace(small, "[input]", "[input]\n"+input, 1))
}

// TestACopyIsOfTheDocumentsThatWereRead: what stands in columns that no mapping
// reads makes no document of its own and no fault while a copy is written, or the
// copy would be of another invoice than the one that was refused.
func TestACopyIsOfTheDocumentsThatWereRead(t *testing.T) {
	const head, wrong = "Facture;Date;Texte;PU;Note\n", "F2;01/01/2026;b;un;\n"
	for name, c := range map[string]struct{ input, before string }{
		"a note in a row of its own": {"", "F1;01/01/2026;a;1;\n;;;;à revoir\n"},
		"rows in any order":          {`rows = "any"`, "F1;01/01/2026;a;1;\n;;;;à revoir\n"},
		"bytes of another encoding":  {"encoding = \"utf-8\"\nwhere = 'col(\"Texte\") != \"x\"'", "F0;01/01/2026;x;1;\xe9\nF1;01/01/2026;a;1;\xe9\n"},
	} {
		m := mapped(t, c.input)
		e := exportOf("x.csv", []byte(head+c.before+wrong+"F3;01/01/2026;c;3;\n"))
		e.TempDir = t.TempDir()
		results, _, err := readAll(t, m, e)
		if err != nil || len(results) != 3 {
			t.Fatal(name, len(results), err)
		}
		if copied := string(copyOf(t, m, e, CopyOptions{}, refusedOf(results))); strings.Count(copied, "\n") != 2 || !strings.Contains(copied, strings.TrimSpace(wrong)) {
			t.Errorf("%s: copied %q", name, copied)
		}
		back := exportOf("x.xlsx", copyOf(t, m, e, CopyOptions{Workbook: true}, refusedOf(results)))
		if results, _, err = readAll(t, m, back); err != nil || len(results) != 1 || results[0].Invoice.Number != "F2" {
			t.Errorf("%s: the workbook gives back %v %v", name, results, err)
		}
	}
}

// TestAWorkbookSaysWhatItCannotTell: a row whose cells are not where they belong,
// or not as they were, does not become an invoice because its copy is a workbook,
// and does once somebody has put it right.
func TestAWorkbookSaysWhatItCannotTell(t *testing.T) {
	const head = "Facture;Date;Texte;PU;Taux\n"
	for name, c := range map[string]struct {
		row   string
		fixed map[string]string // cells of the copy
	}{
		"a delimiter in a number": {"F2;01/01/2026;a;2;0;20", map[string]string{"D2": "2,0", "E2": "20"}},
		"a cell that is missing":  {"F2;01/01/2026;2;20", map[string]string{"C2": "a", "D2": "2", "E2": "20"}},
		"another encoding":        {"F2;01/01/2026;caf\xe9;2;20", map[string]string{"C2": "café"}},
		"a long text":             {"F2;01/01/2026;" + strings.Repeat("x", 40_000) + ";2;O", map[string]string{"C2": "a", "E2": "20"}},
		"a text beyond all":       {"F2;01/01/2026;" + strings.Repeat("x", 300_000) + ";2;20", map[string]string{"C2": "a"}},
	} {
		m := mustLoad(t, strings.NewReplacer("[input]", "[input]\nencoding = \"utf-8\"", "PU\", default = \"0\"", "PU\"").Replace(small)+"tax_rate = \"Taux\"\n")
		e := exportOf("x.csv", []byte(head+"F1;01/01/2026;a;1;20\n"+c.row+"\n"))
		e.TempDir = t.TempDir()
		results, _, err := readAll(t, m, e)
		if err != nil || len(results) != 2 || !results[1].Refused() {
			t.Fatal(name, len(results), err)
		}
		copied := copyOf(t, m, e, CopyOptions{Workbook: true, Lang: problem.French}, refusedOf(results))
		for range 2 { // and the copy of a copy
			e = exportOf("x.xlsx", copied)
			if results, _, err = readAll(t, m, e); err != nil || len(results) != 1 || !results[0].Refused() || results[0].Problems[0].Code != codeUnread {
				t.Fatalf("%s: dropped back unedited it gives %v, %v", name, results, err)
			}
			copied = copyOf(t, m, e, CopyOptions{Workbook: true, Lang: problem.French}, refusedOf(results))
		}
		book, err := excelize.OpenReader(bytes.NewReader(copied))
		if err != nil {
			t.Fatal(err)
		}
		for cell, text := range c.fixed {
			if err := book.SetCellValue("Factures", cell, text); err != nil {
				t.Fatal(err)
			}
		}
		var out bytes.Buffer
		if err := book.Write(&out); err != nil {
			t.Fatal(err)
		}
		results, _, err = readAll(t, m, exportOf("x.xlsx", out.Bytes()))
		if err != nil || len(results) != 1 || results[0].Refused() {
			t.Errorf("%s: corrected it gives %v, %v", name, results, err)
		}
	}
}

// TestADocumentWithTooManyRowsIsRefusedAgain: a copy that ended where the reading
// did would be a whole invoice, with lines missing.
func TestADocumentWithTooManyRowsIsRefusedAgain(t *testing.T) {
	lines := func(pattern string) string { return strings.Repeat(pattern, maxRows+5) }
	for name, c := range map[string]struct {
		mapping string
		e       Export
		back    string
	}{
		"rows":    {small, exportOf("x.csv", []byte("Facture;Date;Texte;PU\n"+lines("F1;01/01/2026;a;1\n"))), "x.csv"},
		"records": {tornMapping, exportOf("x.txt", []byte("ENT;F1;01/01/2026\n"+lines("LIG;a;1\n")+"END\nFIN\n")), "x.txt.000001.refused.1.txt"},
		"joined": {joinedSmall, Export{Name: "x", Parts: []Export{exportOf("h.csv", []byte("No;Date\nF1;01/01/2026\n")),
			exportOf("l.csv", []byte("No;Texte;PU\n"+lines("F1;a;1\n")))}}, "x.xlsx"},
	} {
		m := mustLoad(t, c.mapping)
		c.e.TempDir = t.TempDir()
		results, _, err := readAll(t, m, c.e)
		if err != nil || len(results) != 1 || !results[0].Refused() {
			t.Fatal(name, len(results), err)
		}
		back := exportOf(c.back, copyOf(t, m, c.e, CopyOptions{}, refusedOf(results)))
		back.TempDir = t.TempDir()
		results, _, err = readAll(t, m, back)
		if err != nil || len(results) != 1 || !results[0].Refused() || results[0].Problems[0].Code != codeManyRows {
			t.Error(name, len(results), err)
		}
	}
}

const joinedSmall = `
[input]
format  = "csv"
decimal = ","
[input.tables]
heads = { file = "h.csv", key = "No" }
lines = { file = "l.csv", key = "No" }
[invoice]
each = "heads"
[invoice.fields]
document_number = "heads.No"
issue_date      = "heads.Date"
[lines]
each = "lines"
[lines.fields]
description = "Texte"
quantity    = { value = "1" }
unit_price  = "PU"
tax_rate    = { value = "20" }
`

// TestEveryRowOfALargeInvoiceTellsItsOwnProblem: with a problem in each of many
// rows a copy once took the cube of their number, which is hours.
func TestEveryRowOfALargeInvoiceTellsItsOwnProblem(t *testing.T) {
	var file strings.Builder
	file.WriteString("Facture;Date;Texte;PU\n")
	for i := range 20_000 {
		fmt.Fprintf(&file, "F1;01/01/2026;a;x%d\n", i)
	}
	m := mustLoad(t, small)
	e := exportOf("x.csv", []byte(file.String()))
	results, _, err := readAll(t, m, e)
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(string(copyOf(t, m, e, CopyOptions{}, refusedOf(results))), "\n")
	for _, i := range []int{1, 2, 10_000, 20_000} {
		if want := fmt.Sprintf("x%d;x%d is not a number.;PU;", i-1, i-1); !strings.Contains(rows[i], want) {
			t.Errorf("row %d is %q", i, rows[i])
		}
	}
}

// TestJoinedTablesSpoilAndKeepTheirRows: a torn row of any table refuses its
// invoice, also one of customers, and a copy has the columns that nobody reads.
func TestJoinedTablesSpoilAndKeepTheirRows(t *testing.T) {
	m := mustLoad(t, strings.NewReplacer("[invoice]\n", "clients = { file = \"c.csv\", key = \"No\" }\n[invoice]\n", "[lines]\n", "recipient.name = \"clients.Nom\"\nrecipient.email = \"clients.Mail\"\n[lines]\n").Replace(joinedSmall))
	e := Export{Name: "x", TempDir: t.TempDir(), Parts: []Export{
		exportOf("h.csv", []byte("No;Date;Note\nF1;01/01/2026;urgent\nF2;02/01/2026;\n")),
		exportOf("l.csv", []byte("No;Texte;PU;Rayon\nF1;a;1;bazar\nF2;b;2;\n")),
		exportOf("c.csv", []byte("No;Nom;Mail;Ville\nF1;Duval; fils;duval@example.fr;Lyon\nF2;Bar;bar@example.fr;Nice\n")),
	}}
	results, _, err := readAll(t, m, e)
	if err != nil || len(results) != 2 || !results[0].Refused() || results[1].Refused() {
		t.Fatal(results, err)
	}
	copied := copyOf(t, m, e, CopyOptions{}, refusedOf(results))
	book, err := excelize.OpenReader(bytes.NewReader(copied))
	if err != nil {
		t.Fatal(err)
	}
	for cell, want := range map[string]string{"heads!C2": "urgent", "lines!D2": "bazar", "clients!D2": "duval@example.fr [?] Lyon"} {
		sheet, at, _ := strings.Cut(cell, "!")
		if got, err := book.GetCellValue(sheet, at); got != want {
			t.Errorf("%s is %q, %v", cell, got, err)
		}
	}
	back := exportOf("x.xlsx", copied)
	if results, _, err = readAll(t, m, back); err != nil || len(results) != 1 || !results[0].Refused() {
		t.Error("dropped back unedited it gives", results, err)
	}
}

// TestATornRowOfATableWithoutHeaderIsRefusedAgain: the first row tells how many
// cells a row has, but not the first one of a copy; and what is skipped is no row.
func TestATornRowOfATableWithoutHeaderIsRefusedAgain(t *testing.T) {
	m := mustLoad(t, `
[input]
format  = "csv"
decimal = ","
skip    = 2
[invoice]
key = "#1"
[invoice.fields]
document_number = "#1"
issue_date      = "#2"
[lines.fields]
description = "#3"
quantity    = "#4"
unit_price  = "#5"
tax_rate    = "#6"
`)
	const above = "Ventes\ndu 1/1\n"
	for _, torn := range []string{"F2;01/01/2026;a;1;2;2;0\n", "F2;01/01/2026;1;2;20\n", "F2;01/01/2026;1;2;20"} {
		e := exportOf("x.csv", []byte(above+"F1;01/01/2026;a;1;2;20\n"+torn))
		for _, book := range []bool{false, true} {
			results, _, err := readAll(t, m, e)
			if err != nil || len(results) != 2 || results[0].Refused() || !results[1].Refused() {
				t.Fatal(torn, results, err)
			}
			back := exportOf("x.csv", copyOf(t, m, e, CopyOptions{Workbook: book}, refusedOf(results)))
			if book {
				back.Name = "x.xlsx"
			}
			back.TempDir = t.TempDir()
			results, _, err = readAll(t, m, back)
			if err != nil || len(results) != 1 || !results[0].Refused() || results[0].Invoice.Number != "F2" {
				t.Errorf("%q: dropped back it gives %v, %v", torn, results, err)
			}
		}
	}
	for name, file := range map[string]string{"x.csv": "Ventes\n", "x.xlsx": string(workbook(t, []any{"Ventes"}))} {
		if results, _, err := readAll(t, m, exportOf(name, []byte(file))); err != nil || len(results) > 0 {
			t.Errorf("%s: nothing behind what is skipped gives %v, %v", name, results, err)
		}
	}
}
