package rules

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// The lengths of a document number that France and Chorus Pro take.
const (
	maxNumber       = 35
	maxPublicNumber = 20
)

const numberAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-_/"

// precedingField names a field of a reference. Mappings know one reference, by
// two flat names.
func precedingField(i int, name string) string {
	switch {
	case i > 0:
		return fmt.Sprintf("preceding[%d].%s", i, name)
	case name == "date":
		return "preceding_invoice_date"
	}
	return "preceding_invoice"
}

// numbers visits the invoice's own number and those that it refers to.
func (s *sheet) numbers(visit func(number, field, bt string)) {
	visit(s.inv.Number, "document_number", "BT-1")
	for i := range s.inv.Preceding {
		visit(s.inv.Preceding[i].Number, precedingField(i, "number"), "BT-25")
	}
}

func longer(s *sheet, say report, limit int) {
	s.numbers(func(number, field, bt string) {
		if utf8.RuneCountInString(number) > limit {
			say(finding{field: field, bt: bt, value: number, args: map[string]string{"limit": fmt.Sprint(limit)}})
		}
	})
}

func numberLength(s *sheet, say report) { longer(s, say, maxNumber) }

func publicNumberLength(s *sheet, say report) {
	if s.publicBuyer() {
		longer(s, say, maxPublicNumber)
	}
}

// numberCharacters is strict about spaces: the DGFiP would take single ones
// inside, the published validator takes none.
func numberCharacters(s *sheet, say report) {
	s.numbers(func(number, field, bt string) {
		var bad []string
		for _, c := range number {
			if strings.ContainsRune(numberAlphabet, c) {
				continue
			}
			if q := fmt.Sprintf("%q", c); !slices.Contains(bad, q) {
				bad = append(bad, q)
			}
		}
		if len(bad) > 0 && !blank(number) {
			say(finding{field: field, bt: bt, value: number, args: map[string]string{"characters": strings.Join(bad, " ")}})
		}
	})
}

// preceding warns only: the API documents no field for the reference.
func preceding(s *sheet, say report) {
	corrective := false
	switch s.inv.Type {
	case "384", "471", "472", "473":
		corrective = true
	}
	f := finding{field: "preceding_invoice", bt: "BG-3", value: s.inv.Type}
	switch n := len(s.inv.Preceding); {
	case corrective && n != 1:
		f.rule = "BR-FR-CO-04"
		say(f)
	case s.inv.IsCredit() && n == 0:
		say(f)
	}
}
