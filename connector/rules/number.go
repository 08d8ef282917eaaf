package rules

import (
	"fmt"
	"slices"
	"strings"
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

func numberLength(s *sheet, say report) {
	s.numbers(func(number, field, bt string) {
		if longerThan(number, maxNumber) {
			say(finding{field: field, bt: bt, value: number, args: map[string]string{"limit": fmt.Sprint(maxNumber)}})
		}
	})
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
