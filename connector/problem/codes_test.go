package problem

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// codesTable is the one list of codes for people: what each means and what to do.
func codesTable() string {
	var b strings.Builder
	b.WriteString("# Codes of problems\n\nMade from the catalogue by `go test ./connector/problem -update`; do not edit.\n" +
		"A code keeps its meaning for ever: E1xxx a file, E2xxx reading it, E3xxx a rule, E4xxx the platform,\nE5xxx sending and receiving. Words in braces are filled in.\n\n" +
		"| code | English | what to do | français | que faire |\n|---|---|---|---|---|\n")
	cell := strings.NewReplacer("|", "\\|", "\n", " ").Replace
	for _, e := range Catalogue() {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", e.Code, cell(e.MessageEN), cell(e.WhatEN), cell(e.MessageFR), cell(e.WhatFR))
		for _, c := range Cases(e.Code) {
			fmt.Fprintf(&b, "| | %s = %s | %s | %s = %s | %s |\n", c.Arg, c.Is, cell(c.WhatEN), c.Arg, c.Is, cell(c.WhatFR))
		}
	}
	return b.String()
}

func TestTheTableOfCodesIsUpToDate(t *testing.T) {
	const name = "CODES.md"
	if *update {
		if err := os.WriteFile(name, []byte(codesTable()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != codesTable() {
		t.Error("CODES.md is not what the catalogue says; run `go test ./connector/problem -update`")
	}
}
