package mappers

import (
	"regexp"
	"strconv"
	"strings"

	"einvoice/connector/setting"
)

// shape is how an export is laid out, which decides what a selector looks like.
type shape int

const (
	tableShape  shape = iota // a row per line, grouped by a key
	xmlShape                 // an element per invoice
	recordShape              // typed records, delimited or of fixed width
	joinedShape              // several tables, sheets or files, joined by a key
	sheetShape               // a sheet per invoice
)

func (f mappingFile) shape() shape {
	switch {
	case f.Input.Format == formatXML:
		return xmlShape
	case f.Input.Format == formatFixed || f.Invoice.Start != "":
		return recordShape
	case len(f.Input.Tables) > 0:
		return joinedShape
	case f.Input.Format == formatXLSX && f.Invoice.Each == "sheet":
		return sheetShape
	}
	return tableShape
}

// part is a field of a record: its number, the type being the first, or its
// first character and length where records have a fixed width.
type part struct{ from, length int }

func (p part) of(r *record) (string, bool) {
	if p.length == 0 {
		if p.from < 1 || p.from > len(r.fields) {
			return "", false
		}
		return r.fields[p.from-1], true
	}
	if p.from > len(r.runes) {
		return "", false
	}
	return string(r.runes[p.from-1 : min(len(r.runes), p.from-1+p.length)]), true
}

// condition is what stands in the brackets of PAD[4=SU].3 or totals[code=total].amount.
type condition struct {
	part  part
	place int // joined tables: of the column
	want  string
}

var (
	recordPath = regexp.MustCompile(`^([^.\[\]\s]+)(?:\[(\d+(?:\+\d+)?)=([^\]]*)\])?(?:\.(\d+(?:\+\d+)?))?$`)
	partRange  = regexp.MustCompile(`^(\d+)(?:\+(\d+))?$`)
	tablePath  = regexp.MustCompile(`^([^.\[\]]+)(?:\[([^=\]]+)=([^\]]*)\])?(?:\.(.+))?$`)
	cellPath   = regexp.MustCompile(`^([A-Za-z]{1,3})([0-9]{1,7})?$`)
)

func (p *places) parsePart(text string) (part, error) {
	m := partRange.FindStringSubmatch(text)
	if m == nil {
		return part{}, setting.Say("not a part of a record: %q", text)
	}
	one := part{}
	one.from, _ = strconv.Atoi(m[1])
	one.length, _ = strconv.Atoi(m[2])
	switch {
	case one.from < 1 || one.from > maxRowBytes || one.length > maxCellBytes:
		return one, setting.Say("out of bounds: %q; the first character or field is 1", text)
	case p.fixed && one.length == 0:
		return one, setting.Say("%q needs a length, such as +10 for ten characters", text)
	case !p.fixed && m[2] != "":
		return one, setting.Say("a length is for fixed width: %q", text)
	}
	return one, nil
}

// parseRecord reads LIG.16, PAD[4=SU].3, H100.77+35, or a record's type alone.
func (p *places) parseRecord(name string) (place, error) {
	one := place{text: name, optional: true}
	m := recordPath.FindStringSubmatch(name)
	if m == nil {
		return one, setting.Say(`not a selector of a record: %q; write TYPE.3 for its third field, or TYPE.77+35 for 35 characters from the 77th`, name)
	}
	one.record = m[1]
	var err error
	if m[2] != "" {
		one.when = &condition{want: m[3]}
		if one.when.part, err = p.parsePart(m[2]); err != nil {
			return one, err
		}
	}
	if m[4] != "" {
		one.part, err = p.parsePart(m[4])
	}
	return one, err
}

// parseColumn reads a column of a joined table: name, table.name,
// table[column=value].name. Without a table it is one of the rows at hand.
func (p *places) parseColumn(name string) (place, error) {
	m := tablePath.FindStringSubmatch(name)
	if m == nil || !p.tables[m[1]] {
		one, err := p.parseTable(name)
		one.table = p.table
		return one, err
	}
	if m[4] == "" {
		return place{text: name, table: m[1], whole: true}, nil
	}
	one, err := p.parseTable(m[4])
	if err != nil {
		return one, err
	}
	one.table = m[1]
	if m[2] != "" {
		filter, err := p.parseTable(m[2])
		if err != nil {
			return one, err
		}
		filter.table = m[1]
		one.when = &condition{place: len(p.list), want: m[3]}
		p.list = append(p.list, filter)
	}
	return one, nil
}

// parseCell reads A3, a column C of the line at hand, or sheet().
func (p *places) parseCell(name string) (place, error) {
	one := place{text: name, optional: true}
	if name == "sheet()" {
		one.whole = true
		return one, nil
	}
	m := cellPath.FindStringSubmatch(name)
	if m == nil {
		return one, setting.Say(`not a cell: %q; write A3, C for the column of a line, or sheet()`, name)
	}
	one.position = columnNumber(strings.ToUpper(m[1]))
	one.row, _ = strconv.Atoi(m[2])
	if one.position < 1 || one.row > maxSheetRows {
		return one, setting.Say("not a cell: %q", name)
	}
	return one, nil
}
