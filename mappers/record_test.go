package mappers

import (
	"strings"
	"testing"
)

const tornMapping = `
[input]
format    = "csv"
delimiter = ";"
decimal   = "."
date      = "dd/mm/yyyy"
[invoice]
start = "ENT"
end   = "END"
[invoice.fields]
document_number = "ENT.2"
issue_date      = "ENT.3"
type            = { value = "380" }
sender.name     = "SOC.2"
recipient.name  = "PAD.2"
[lines]
each = "LIG"
[lines.fields]
description = "LIG.2"
quantity    = { value = "1" }
unit_price  = "LIG.3"
[complete]
record = "FIN"
`

// TestLinesWithoutAStartAreRefused: lines whose first record was torn are not
// dropped, and not taken for those of the invoice before.
func TestLinesWithoutAStartAreRefused(t *testing.T) {
	m := mustLoad(t, tornMapping)
	const one, torn, two = "ENT;F1;01/01/2026\nPAD;Auberge\nLIG;Savon;1\nEND\n", "\x05NT;F2\nPAD;Hotel\nLIG;Nappe;2\nEND\n", "ENT;F3;01/01/2026\nLIG;Bol;3\nEND\n"
	for name, c := range map[string]struct{ file, want string }{
		"between":         {"SOC;Duval\n" + one + torn + two + "FIN\n", "380 F1 2026-01-01 1.00\n refused E2109\n380 F3 2026-01-01 3.00"},
		"in front":        {"SOC;Duval\n" + torn + one + "FIN\n", " refused E2109\n380 F1 2026-01-01 1.00"},
		"last":            {"SOC;Duval\n" + one + torn + "FIN\n", "380 F1 2026-01-01 1.00\n refused E2109"},
		"twice":           {one + torn + torn + two + "FIN\n", "380 F1 2026-01-01 1.00\n refused E2109\n refused E2109\n380 F3 2026-01-01 3.00"},
		"not even a line": {one + "\x05NT;F2\nPAD;Hotel\nEND\n" + two + "FIN\n", "380 F1 2026-01-01 1.00\n380 F3 2026-01-01 3.00"},
	} {
		results, report, err := readAll(t, m, exportOf("x.txt", []byte(c.file)))
		if err != nil || len(report.Problems) > 0 {
			t.Fatal(name, report, err)
		}
		if got := all(t, results); got != c.want {
			t.Errorf("%s:\n%s\nwant:\n%s", name, got, c.want)
		}
	}
}

// TestACopyKeepsTornRecordsApart: in a copy, lines without a start come to stand
// behind another document, or behind the preface, and are read as before.
func TestACopyKeepsTornRecordsApart(t *testing.T) {
	m := mustLoad(t, tornMapping)
	const open, other, torn = "ENT;F1;x\r\nLIG;Savon;1\r\n", "ENT;F2;01/01/2026\r\nLIG;Bol;3\r\nEND\r\n", "\x05NT;F3\r\nPAD;Hotel\r\nLIG;Nappe;2\r\n"
	for name, c := range map[string]struct {
		file, want string
		fail       []int
	}{
		"behind an open invoice": {"SOC;Duval\r\n" + open + other + torn + "FIN\r\n", "SOC;Duval\r\n" + open + "END\r\n" + torn + "FIN\r\n", []int{1, 3}},
		"behind the preface":     {"SOC;Duval\r\n" + other + torn + "END\r\nFIN\r\n", "SOC;Duval\r\nEND\r\n" + torn + "END\r\nFIN\r\n", []int{2}},
		"behind each other":      {torn + other + torn + "FIN\r\n", torn + "END\r\n" + torn + "FIN\r\n", []int{1, 3}},
		"where it stood":         {"SOC;Duval\r\n" + torn + other + "FIN\r\n", "SOC;Duval\r\n" + torn + "FIN\r\n", []int{1}},
	} {
		e := exportOf("x.txt", []byte(c.file))
		results, _, err := readAll(t, m, e)
		if err != nil {
			t.Fatal(name, err)
		}
		copied := copyOfThese(t, m, e, c.fail...)
		if string(copied) != c.want {
			t.Errorf("%s: the copy is %q", name, copied)
		}
		again, _, err := readAll(t, m, exportOf("x.txt.000001.refused.1.txt", copied))
		if err != nil || len(again) != len(c.fail) {
			t.Fatal(name, again, err)
		}
		for i, n := range c.fail {
			if got, want := fateOf(again[i]), fateOf(results[n-1]); got != want {
				t.Errorf("%s: was %s, is %s", name, want, got)
			}
		}
	}
	mended := strings.Replace(string(copyOfThese(t, m, exportOf("x.txt", []byte(other+torn+"END\r\nFIN\r\n")), 2)), "\x05NT;F3", "ENT;F3;01/01/2026", 1)
	if results, _, err := readAll(t, m, exportOf("x.txt", []byte(mended))); err != nil || all(t, results) != "380 F3 2026-01-01 2.00" {
		t.Errorf("mended: %s %v", all(t, results), err)
	}
}
