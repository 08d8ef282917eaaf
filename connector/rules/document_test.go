package rules

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"einvoice/connector/problem"
)

var update = flag.Bool("update", false, "write RULES.md anew")

const preface = `# Checks before sending

Written by ` + "`go test ./connector/rules -update`" + ` from the table in table.go and the texts in
connector/problem. Each check has a code that never changes its meaning.

*refuse*: the invoice does not go and comes back in the correctable copy. *warn*: it goes, and the
acknowledgement says so. *off*: not checked unless asked for. The section ` + "`[rules]`" + ` of the
configuration changes the severity by code, except of those marked *always*:

` + "```toml" + `
[rules]
without_siren = "refuse"     # recipients without SIREN: "refuse", "send" or "ignore"
severity = { E3702 = "refuse", E3204 = "off" }
` + "```" + `

Amounts are compared to the currency's smallest coin. Tolerances: quantity x price may differ from
the line's net by two coins (Peppol R120); VAT of one rate by less than one unit of the currency
(BR-CO-17), with a warning where rounding line by line does not explain it; all sums are exact.

Not checked, because the API documents no field for it: the notes PMT, PMD and AAB (BR-FR-05), the
delivery of intra-community supplies (BR-IC-11, BR-IC-12), allowances and charges of the document
(they travel as lines), amounts in a second currency (BR-FR-CO-12).

| code | severity | rule | what is wrong | what to do |
|---|---|---|---|---|
`

func TestRULESmdListsTheTable(t *testing.T) {
	var b strings.Builder
	b.WriteString(preface)
	entries := map[string]problem.Entry{}
	for _, e := range problem.Catalogue() {
		entries[e.Code] = e
	}
	for _, r := range Catalogue() {
		entry := entries[r.Code]
		if entry.Code == "" {
			t.Errorf("%s has no text in package problem", r.Code)
		}
		severity := string(r.Severity)
		if r.Fixed {
			severity += ", always"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.Code, severity, r.Official, entry.MessageEN, entry.WhatEN)
	}
	if *update {
		if err := os.WriteFile("RULES.md", []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("RULES.md")
	if err != nil {
		t.Fatal(err)
	}
	if strings.ReplaceAll(string(got), "\r\n", "\n") != b.String() {
		t.Error("RULES.md is not what the table says; run `go generate ./connector/rules`")
	}
}

func TestEveryTextOfARuleHasItsRow(t *testing.T) {
	for _, e := range problem.Catalogue() {
		if strings.HasPrefix(e.Code, "E3") && find(e.Code) == nil {
			t.Errorf("%s has texts but no check", e.Code)
		}
	}
	seen := map[string]bool{}
	for _, r := range Catalogue() {
		if seen[r.Code] {
			t.Errorf("%s has two rows", r.Code)
		}
		seen[r.Code] = true
	}
}
