package mappers

import (
	"regexp"
	"strconv"
	"strings"

	"einvoice/connector/setting"

	"github.com/antchfx/xpath"
)

// place is a distinct selector of a mapping. Readers resolve places once per
// file, so that a value costs an index and not a search.
type place struct {
	text     string // as written
	normal   string // normalName of text: a header is searched for many times
	position int    // 1-based column of @C and #3, 0 for a name
	optional bool   // the file may lack the column
	path     string // XML: without namespace prefixes

	record string     // typed records: the type
	part   part       // and the field in it
	table  string     // joined tables: which
	when   *condition // the record or row must meet this
	row    int        // sheet per invoice: of the cell, 0 for the line's
	whole  bool       // a table as such, or the sheet's name
}

// places collects the selectors of a mapping under construction.
type places struct {
	shape     shape
	fixed     bool            // records of fixed width
	tables    map[string]bool // joined tables
	table     string          // that a name without a table belongs to
	headTable string          // and with ^
	list      []place
	index     map[string]int
}

// maxColumns is the number of columns of an Excel sheet.
const maxColumns = 16384

// add gives a selector's place; the error says what is wrong with it.
func (p *places) add(text string) (selector, error) {
	sel := selector{}
	name := strings.TrimSpace(text)
	if rest, ok := strings.CutPrefix(name, "^"); ok {
		sel.head, name = true, strings.TrimSpace(rest)
	}
	if name == "" {
		return sel, setting.Say("empty selector")
	}
	context := p.table
	if sel.head {
		p.table = p.headTable
		defer func() { p.table = context }()
	}
	key := p.table + "\x1f" + name
	if at, known := p.index[key]; known {
		sel.place = at
		return sel, nil
	}
	one, err := p.parse(name)
	if err != nil {
		return sel, err
	}
	sel.place = len(p.list)
	p.list = append(p.list, one)
	p.index[key] = sel.place
	return sel, nil
}

func (p *places) parse(name string) (place, error) {
	switch p.shape {
	case xmlShape:
		path := stripPrefixes(name)
		if _, err := xpath.Compile(path); err != nil {
			return place{}, setting.Say("not an XPath: %q: %v", name, err)
		}
		return place{text: name, path: path, optional: true}, nil
	case recordShape:
		return p.parseRecord(name)
	case joinedShape:
		return p.parseColumn(name)
	case sheetShape:
		return p.parseCell(name)
	}
	return p.parseTable(name)
}

// parseTable reads a column by its name, @letter or #position.
func (p *places) parseTable(name string) (place, error) {
	one := place{text: name, normal: normalName(name)}
	switch {
	case name[0] == '#':
		n, err := strconv.Atoi(name[1:])
		if err != nil {
			return one, nil // a column may be called "#Facture"
		}
		one.position = n
	case name[0] == '@':
		one.position = columnNumber(name[1:])
	default:
		return one, nil
	}
	if one.position < 1 || one.position > maxColumns {
		return one, setting.Say("not a column: %q; write @C for a letter, #3 for a position", name)
	}
	return one, nil
}

// columnNumber reads A, B ... Z, AA as 1, 2 ... 26, 27; 0 is no column.
func columnNumber(letters string) int {
	n := 0
	for _, c := range strings.ToUpper(letters) {
		if c < 'A' || c > 'Z' || n > maxColumns {
			return 0
		}
		n = n*26 + int(c-'A') + 1
	}
	return n
}

// columnLetter writes 1, 27 as A, AA.
func columnLetter(n int) string {
	s := ""
	for ; n > 0; n = (n - 1) / 26 {
		s = string(rune('A'+(n-1)%26)) + s
	}
	return s
}

// prefixed finds cbc: before a name or *, but not the axis of ancestor::x.
var prefixed = regexp.MustCompile(`'[^']*'|"[^"]*"|[\pL_][\pL\pN_.-]*:([\pL_*])`)

// stripPrefixes takes namespace prefixes out of an XPath: exports of the same
// product use ubl:Invoice, a default namespace, or none.
func stripPrefixes(path string) string {
	return prefixed.ReplaceAllStringFunc(path, func(s string) string {
		if s[0] == '\'' || s[0] == '"' {
			return s
		}
		return s[strings.LastIndexByte(s, ':')+1:]
	})
}
