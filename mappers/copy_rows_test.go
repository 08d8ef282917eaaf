package mappers

import (
	"strings"
	"testing"
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
