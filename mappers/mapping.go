package mappers

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"sort"

	"einvoice/connector"

	"github.com/govalues/decimal"
)

// The formats of an input.
const (
	formatCSV   = "csv"
	formatXLSX  = "xlsx"
	formatXML   = "xml"
	formatFixed = "fixed"
)

// Mapping is a compiled mapping. It is not changed after Load, so that several
// exports can be read at once.
type Mapping struct {
	Name string // the name given to Load

	version string

	input   input
	shape   shape
	records recordRule    // typed records
	tables  []joinedTable // joined tables, the invoices' first
	match   match
	places  []place
	finders []*finder     // XML: by place
	inside  bool          // XML: no selector leaves the invoice it is asked of
	key     []selector    // all together are the key
	keyAny  bool          // or the first that is not empty is
	each    []elementPath // XML: what one invoice is
	where   *expression
	head    []binding[connector.Invoice]
	lines   linesRule
	charges []charge
	check   *check
	credit  creditRule
	end     *completeness

	attached []attachment
	lookups  []*lookup
}

// input is how an export is read.
type input struct {
	format    string
	encoding  string // "": detected
	delimiter byte   // 0: detected
	quote     byte   // 0: none
	header    int    // row of the header; 0: found by the names in it
	skip      int    // rows before it is looked for
	sheet     string // "": the first
	anyOrder  bool   // rows = "any"
	shortRows bool   // a row may end early
	doctype   bool   // XML may have a DOCTYPE, of which nothing is read
	fillDown  bool
	where     *expression
	values    valueFormat
}

// binding fills one field of a T.
type binding[T any] struct {
	name  string
	field field[T]
	rule  *rule
}

// linesRule is what the lines of an invoice are.
type linesRule struct {
	each   selector // XML, records
	table  string   // joined tables: which
	first  int      // sheet per invoice: row of the first line
	where  *expression
	gross  bool // prices and amounts include VAT
	fields []binding[connector.Line]
}

// charge is a [[charge]]: lines made of a document charge or discount.
type charge struct {
	each        *selector
	when        *expression
	description *rule
	amount      *expression
	percent     *expression
	rate        *rule
	category    *rule
	cascade     bool
}

// check compares the totals stated in the file with those of the lines.
type check struct {
	tolerance decimal.Decimal
	coins     int64 // or this many of the currency's smallest coin
	warn      bool
}

// creditRule makes credit notes of documents and their amounts positive.
type creditRule struct {
	when          *expression
	negativeTotal bool
}

// completeness is a trailer record that proves the end of a file.
type completeness struct {
	trailer *expression
	record  string // typed records: the trailer's type
	count   *selector
	total   *selector
}

// Load compiles a mapping whose look-up files stand in the working folder. An
// error is of type Errors and lists every mistake with its line and column.
func Load(name string, data []byte) (*Mapping, error) { return LoadIn(".", name, data) }

// LoadIn is Load for a mapping file of the folder dir, beside which its look-up
// files stand.
func LoadIn(dir, name string, data []byte) (*Mapping, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // Notepad's BOM, which TOML has no place for
	file, mistakes, ok := decodeFile(data)
	if !ok {
		return nil, mistakes
	}
	c := newCompiler(file, indexKeys(data), mistakes)
	c.dir = dir
	c.extend()
	m := c.compile(name)
	m.version = fmt.Sprintf("%x", sha256.Sum256(data))[:12]
	if len(c.mistakes) > 0 {
		sort.SliceStable(c.mistakes, func(i, j int) bool {
			a, b := c.mistakes[i], c.mistakes[j]
			return a.Line < b.Line || a.Line == b.Line && a.Col < b.Col
		})
		return nil, c.mistakes
	}
	return m, nil
}

// Version tells texts of one mapping apart: the start of the SHA-256 of its file,
// whatever its BOM.
func (m *Mapping) Version() string { return m.version }

// Format is "csv", "xlsx", "xml" or "fixed".
func (m *Mapping) Format() string { return m.input.format }

// Uses are the dotted names of the fields that the mapping fills, lines as
// "invoice_lines.tax_rate".
func (m *Mapping) Uses() []string {
	var names []string
	for _, b := range m.head {
		names = append(names, b.name)
	}
	for _, b := range m.lines.fields {
		names = append(names, "invoice_lines."+b.name)
	}
	sort.Strings(names)
	return names
}

// CopyExt is the extension of a correctable copy, with its point. Several files
// come back as the sheets of one workbook. For a workbook read by a mapping for
// CSV it is that of CopyExtOf.
func (m *Mapping) CopyExt() string {
	switch {
	case m.shape == joinedShape:
		return "." + formatXLSX
	case m.input.format == formatFixed:
		return ".txt"
	}
	return "." + m.input.format
}

// CopyExtOf is the extension of the correctable copy of an export, which comes
// in the format that the export is really in, or as opt.Workbook asks.
func (m *Mapping) CopyExtOf(e Export, opt ...CopyOptions) (string, error) {
	if m.input.format != formatCSV || m.shape != tableShape {
		return m.CopyExt(), nil
	}
	if len(opt) > 0 && opt[0].Workbook {
		return "." + formatXLSX, nil
	}
	head, err := readHead(e)
	if err == nil && isZip(head) {
		return "." + formatXLSX, nil
	}
	return m.CopyExt(), err
}

// ProvesEnd tells whether a cut file of this mapping cannot be taken for a whole
// one: the format has an end, a trailer is declared, or each invoice states a
// total that its lines must reach. Where it is false the caller lets the last
// invoice wait.
func (m *Mapping) ProvesEnd() bool {
	if m.input.format == formatXLSX || m.input.format == formatXML || m.end != nil {
		return true
	}
	for _, b := range m.head {
		switch b.name {
		case "total_amount_excluding_tax", "total_amount_including_tax":
			return true
		}
	}
	return false
}
