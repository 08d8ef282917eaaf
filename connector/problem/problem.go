// Package problem says what is wrong with a file, an invoice or a value: a
// stable code, where it is, what was seen, and how to mend it, in French and
// English.
//
// It is a leaf: any package may import it.
package problem

import (
	"fmt"
	"regexp"
	"strings"
)

// Lang is a language that messages are written in.
type Lang string

// The two languages.
const (
	French  Lang = "fr"
	English Lang = "en"
)

// Severity tells whether a problem stops its invoice.
type Severity string

// The severities of a problem.
const (
	Refuse Severity = "refuse" // the invoice, or the file, does not go
	Hold   Severity = "hold"   // it waits for a person
	Warn   Severity = "warn"   // it goes, and the acknowledgement says so
)

// Position is where a value stands in an export. Fields that make no sense for
// the format are empty.
type Position struct {
	File   string `json:"file,omitempty"`   // the name as dropped
	Sheet  string `json:"sheet,omitempty"`  // XLSX
	Row    int    `json:"row,omitempty"`    // 1-based line or row as an editor or Excel shows it
	Column string `json:"column,omitempty"` // the header as written, or the column's letter
	Path   string `json:"path,omitempty"`   // XML: the path of the element
}

// Problem is one thing that is wrong.
type Problem struct {
	Code     string            `json:"code"`               // ours, stable for ever; see the catalogue
	Severity Severity          `json:"severity"`           //
	Rule     string            `json:"rule,omitempty"`     // official rule, "BR-CO-15"
	Invoice  string            `json:"invoice,omitempty"`  // document number, where known
	Field    string            `json:"field,omitempty"`    // dotted name: "invoice_lines[2].tax_rate"
	BT       string            `json:"bt,omitempty"`       // "BT-112"
	Position Position          `json:"position,omitzero"`  //
	Value    string            `json:"value,omitempty"`    // as seen
	Expected string            `json:"expected,omitempty"` // what would have been right
	Args     map[string]string `json:"args,omitempty"`     // further words for the texts
}

// Error makes a Problem usable as an error, in English.
func (p Problem) Error() string {
	return strings.TrimPrefix(p.Where(English)+": "+p.Message(English), ": ")
}

// Message says what is wrong.
func (p Problem) Message(lang Lang) string { return p.fill(lang, entryOf(p.Code).message(lang)) }

// Remedy says what to do next.
func (p Problem) Remedy(lang Lang) string {
	return p.fill(lang, p.inCase(entryOf(p.Code)).remedy(lang))
}

// Where says where the value stands: `orders.csv, row 14, column "TVA"`.
func (p Problem) Where(lang Lang) string {
	words := map[string]string{"sheet": "sheet", "row": "row", "column": "column"}
	if lang == French {
		words = map[string]string{"sheet": "feuille", "row": "ligne", "column": "colonne"}
	}
	var parts []string
	if p.Position.File != "" {
		parts = append(parts, p.Position.File)
	}
	if p.Position.Sheet != "" {
		parts = append(parts, fmt.Sprintf("%s %q", words["sheet"], p.Position.Sheet))
	}
	if p.Position.Row > 0 {
		parts = append(parts, fmt.Sprintf("%s %d", words["row"], p.Position.Row))
	}
	if p.Position.Column != "" {
		parts = append(parts, fmt.Sprintf("%s %q", words["column"], p.Position.Column))
	}
	if p.Position.Path != "" {
		parts = append(parts, p.Position.Path)
	}
	return strings.Join(parts, ", ")
}

// fill replaces {value}, {column} ... in a text of the catalogue.
func (p Problem) fill(lang Lang, text string) string {
	shown := func(v string) string { return v }
	if lang == French && !p.quotes() {
		shown = Figure
	}
	pairs := []string{
		"{value}", shown(p.Value), "{expected}", shown(p.Expected), "{field}", p.shownField(lang),
		"{invoice}", p.Invoice, "{rule}", p.Rule, "{bt}", p.BT,
		"{file}", p.Position.File, "{sheet}", p.Position.Sheet,
		"{column}", p.Position.Column, "{path}", p.Position.Path,
		"{row}", fmt.Sprint(p.Position.Row),
	}
	for k, v := range p.Args {
		pairs = append(pairs, "{"+k+"}", shown(v))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// quotes tells that the values stand so in a file: what was 1.234 there is not
// shown as another text. Totals are numbers that were read.
func (p Problem) quotes() bool {
	return (strings.HasPrefix(p.Code, "E1") || strings.HasPrefix(p.Code, "E2")) && p.Code != "E2214"
}

var figures = regexp.MustCompile(`^-?[0-9]{1,15}\.[0-9]{1,8}$`)

// Figure writes an amount as people in France read it, with a decimal comma; any
// other text stays as it is.
func Figure(text string) string {
	if !figures.MatchString(text) {
		return text
	}
	return strings.Replace(text, ".", ",", 1)
}
