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
acknowledgement says so. *off*: not checked unless asked for. ` + "`einvoice rules`" + ` lists the checks,
` + "`einvoice rules CODE`" + ` explains one with an example, ` + "`einvoice validate FILE`" + ` makes them all.

` + "```toml" + `
[rules]
profile       = "platform"   # or "strict", "lenient"
without_siren = "refuse"     # recipients without SIREN: "refuse", "send" or "ignore"
severity      = { E3702 = "refuse", E3204 = "off" }
` + "```" + `

The profile *platform* refuses what would surely be rejected and any arithmetic mismatch, and warns
of the rest. *strict* refuses what that warns of and warns of what is off. *lenient* refuses only
what cannot be sent or does not add up. A severity by code goes before the profile; neither changes
a check marked *always*.

Amounts are compared to the currency's smallest coin. Tolerances: quantity x price may differ from
the line's net by two coins (Peppol R120); VAT of one rate by less than one unit of the currency
(BR-CO-17), with a warning where rounding line by line does not explain it; all sums are exact.

Checks marked *mute* are about terms that the API documents no field for: the platform cannot see
them, so they are off. Checks of Chorus Pro (E38xx) hold where the export says that the recipient is
public; where only its SIREN, which begins with 1 or 2, says so, they warn at most. E3403 is for
` + "`einvoice validate`" + `; the daemon knows numbers from its ledger (E5001 to E5015).

Not checked, because an invoice has no field for it here: the country of delivery (BR-IC-12),
allowances and charges of the document (they travel as lines: BR-CO-11, BR-CO-12), electronic
addresses (BR-FR-12, BR-FR-13: the platform derives them), contract and period of type 262
(BR-FR-CO-03), the tax representative (BR-FR-CO-14, BR-FR-CO-15).

| code | platform | strict | lenient | rule | what is wrong | what to do |
|---|---|---|---|---|---|---|
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
		if r.Mute {
			severity += ", mute"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n",
			r.Code, severity, r.Strict, r.Lenient, r.Official, entry.MessageEN, entry.WhatEN)
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
