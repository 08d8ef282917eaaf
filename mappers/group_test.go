package mappers

import (
	"fmt"
	"strings"
	"testing"
)

// TestARowWithoutKeyIsNotTakenFromADocumentThatIsLeftOut: the lines of a quote
// that [input] where leaves out by its first row are none of the invoice before.
// A heading that a report repeats on its next page is no document.
func TestARowWithoutKeyIsNotTakenFromADocumentThatIsLeftOut(t *testing.T) {
	const first, last = "F1;01/01/2026;a;1;FAC\n;;b;2;\n", "F3;01/01/2026;c;3;FAC\n"
	for name, c := range map[string]struct{ file, want string }{
		"a quote":          {first + "D1;01/01/2026;d;100;DEVIS\n;;e;200;\n" + last, "F1 refused E2110\n F3 2026-01-01 3.00"},
		"of one row":       {first + "D1;01/01/2026;d;100;DEVIS\n" + last, " F1 2026-01-01 3.00\n F3 2026-01-01 3.00"},
		"in front":         {"D1;01/01/2026;d;100;DEVIS\n;;e;200;\n" + last, " refused E2104\n F3 2026-01-01 3.00"},
		"a row of its own": {first + "F1;;d;100;DEVIS\n;;e;4;\n" + last, " F1 2026-01-01 7.00\n F3 2026-01-01 3.00"},
		"the next page":    {first + "Facture;Date;Texte;PU;Type\n;;e;4;\n" + last, " F1 2026-01-01 7.00\n F3 2026-01-01 3.00"},
	} {
		for _, rows := range []string{"adjacent", "any"} {
			m := mustLoad(t, strings.NewReplacer("[input]", "[input]\nrows = \""+rows+"\"\nwhere = 'not (col(\"Type\") in [\"DEVIS\", \"Type\"])'", "[invoice]", "[invoice]\nfill_down = true", "[lines.fields]", "[lines.fields]\nquantity = { value = \"1\" }\ntax_rate = { value = \"0\" }").Replace(small))
			e := exportOf("x.csv", []byte("Facture;Date;Texte;PU;Type\n"+c.file))
			e.TempDir = t.TempDir()
			results, _, err := readAll(t, m, e)
			if err != nil {
				t.Fatal(name, err)
			}
			want := c.want
			if name == "the next page" && rows == "any" { // the page before may have ended with any document
				want = "F1 refused E2110\n F3 2026-01-01 3.00"
			}
			if got := all(t, results); got != want {
				t.Errorf("%s, %s:\n%s\nwant:\n%s", name, rows, got, want)
			}
		}
	}
}

// TestTwoHeadersOfOneNumberAreRefused: without lines a row is an invoice, and a
// second one of its number, or without one, is not lost in it.
func TestTwoHeadersOfOneNumberAreRefused(t *testing.T) {
	const headers = `
[input]
format  = "csv"
decimal = ","
[invoice]
key = "Facture"
%s
[invoice.fields]
document_number = "Facture"
issue_date      = "Date"
[[charge]]
description = "Ventes"
amount      = 'num("HT")'
tax_rate    = "Taux"
`
	const file = "Facture;Date;HT;Taux\nF1;01/01/2026;100;20\n%s;01/01/2026;50;5,5\nF2;01/01/2026;7;20\n"
	for _, c := range []struct{ more, second, want string }{
		{"", "F1", " F1 2026-01-01 120.00\nF1 refused E2107\n F2 2026-01-01 8.40"},
		{"fill_down = true", "", " F1 2026-01-01 120.00\n refused E2104\n F2 2026-01-01 8.40"},
	} {
		results, _, err := readAll(t, mustLoad(t, fmt.Sprintf(headers, c.more)), exportOf("x.csv", fmt.Appendf(nil, file, c.second)))
		if err != nil {
			t.Fatal(err)
		}
		if got := all(t, results); got != c.want {
			t.Errorf("%q:\n%s\nwant:\n%s", c.second, got, c.want)
		}
		if c.second == "F1" && results[1].Spoils != 1 {
			t.Error("the first one goes without the second one's amount")
		}
	}
}

// TestATornRowSpoilsTheInvoiceThatLacksIt: where the key is not the first column a
// delimiter too many moves it, and the row is of another document, or of none. The
// invoice whose number stands in it does not go without that line.
func TestATornRowSpoilsTheInvoiceThatLacksIt(t *testing.T) {
	const head, f1, f2, f3 = "Texte;PU;Facture;Date\n", "a;1;F1;01/01/2026\n", "b;2;F2;01/01/2026\n", "c;3;F3;01/01/2026\n"
	const ok1, ok3 = " F1 2026-01-01 1.00", " F3 2026-01-01 3.00"
	for name, c := range map[string]struct{ file, want string }{
		"the last line":     {f1 + f2 + "vis; inox;5;F2;01/01/2026\n" + f3, ok1 + "\nF2 refused E2101\n5 refused E2101\n" + ok3},
		"the first line":    {f1 + "vis; inox;5;F2;01/01/2026\n" + f2 + f3, ok1 + "\n5 refused E2101\nF2 refused E2101\n" + ok3},
		"without a key":     {f1 + "vis; inox;;F2;01/01/2026\n" + f2 + f3, ok1 + "\n refused E2104 E2101\nF2 refused E2101\n" + ok3},
		"a cell is missing": {f1 + f2 + "5;F2;01/01/2026\n" + f3, ok1 + "\nF2 refused E2101\n01/01/2026 refused E2101\n" + ok3},
		"an invoice of one": {f1 + "vis; inox;5;F9;01/01/2026\n" + f3, ok1 + "\n5 refused E2101\n" + ok3},
	} {
		for _, rows := range []string{"adjacent", "any"} {
			m := mustLoad(t, strings.NewReplacer("[input]", "[input]\nrows = \""+rows+"\"", "[lines.fields]", "[lines.fields]\nquantity = { value = \"1\" }\ntax_rate = { value = \"0\" }").Replace(small))
			e := exportOf("x.csv", []byte(head+c.file))
			e.TempDir = t.TempDir()
			results, _, err := readAll(t, m, e)
			if err != nil {
				t.Fatal(name, err)
			}
			if got := all(t, results); got != c.want {
				t.Errorf("%s, %s:\n%s\nwant:\n%s", name, rows, got, c.want)
			}
		}
	}
}
