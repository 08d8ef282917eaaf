package mappers

import (
	"sort"
	"strings"
)

// recordRule is how typed records are told and grouped.
type recordRule struct {
	kind       part   // where a record's type stands
	start, end string // types of an invoice's first record and, "" for none, last
}

// joinedTable is one of several tables that are joined by a key.
type joinedTable struct {
	name     string
	file     string // a name pattern, for an export of several files
	sheet    string
	key      []selector
	header   int
	optional bool // the export may lack it
}

// joinedTables reads [input.tables]; the selectors of keys come first of all.
func (c *compiler) joinedTables(m *Mapping) {
	raw := c.file.Input.Tables
	if m.shape != joinedShape {
		if len(raw) > 0 {
			c.wrong("input.tables", "is for csv and xlsx")
		}
		return
	}
	c.places.tables = map[string]bool{}
	var names []string
	for name := range raw {
		names = append(names, name)
		c.places.tables[name] = true
	}
	main := c.file.Invoice.Each
	sort.Slice(names, func(i, j int) bool { return names[i] == main || names[j] != main && names[i] < names[j] })
	if !c.places.tables[main] {
		c.wrong("invoice.each", "is %q, but must be one of the tables: %s", main, strings.Join(names, ", "))
	}
	for _, name := range names {
		m.tables = append(m.tables, c.joinedTable(name, raw[name]))
	}
	c.places.table, c.places.headTable = main, main
}

func (c *compiler) joinedTable(name string, f tableFile) joinedTable {
	at := "input.tables." + name
	t := joinedTable{name: name, file: f.File, sheet: f.Sheet, optional: f.Optional, header: c.header(f.Header)}
	if f.Header == nil {
		t.header = c.header(c.file.Input.Header)
	}
	if t.sheet == "" {
		t.sheet = name
	}
	switch csv := c.file.Input.Format == formatCSV; {
	case csv && f.File == "":
		c.wrong(at, `needs file: the pattern of the file's name, such as "Lines_*.csv"`)
	case !csv && f.File != "":
		c.wrong(at+".file", "is for csv; a workbook has sheets")
	case !validGlob(f.File):
		c.wrong(at+".file", "not a name pattern: %q", f.File)
	}
	c.places.table = name
	t.key = c.selectors(at+".key", f.Key)
	if len(t.key) == 0 {
		c.wrong(at, "needs key: the column that holds the invoice's number or identifier")
	}
	return t
}

// invoiceShape reads what tells one invoice from the next.
func (c *compiler) invoiceShape(m *Mapping) {
	f := c.file.Invoice
	if m.shape != tableShape && f.Key != nil {
		c.wrong("invoice.key", `is for one table; here "each" or "start" tells the invoices apart`)
	}
	switch m.shape {
	case xmlShape:
		if f.Each == "" {
			c.wrong("invoice.each", `is missing: the path of the element that is one invoice, such as "/Invoice"`)
		} else {
			m.each = c.elementPaths("invoice.each", f.Each)
		}
	case recordShape:
		c.recordRule(m)
	case tableShape:
		m.key = c.selectors("invoice.key", f.Key)
		if f.Each != "" {
			c.wrong("invoice.each", `is for XML, [input.tables] and "sheet" in a workbook; a table is grouped by "key"`)
		}
	}
}

func (c *compiler) recordRule(m *Mapping) {
	f := c.file
	m.records = recordRule{kind: part{from: 1}, start: f.Invoice.Start, end: f.Invoice.End}
	if f.Invoice.Start == "" {
		c.wrong("invoice.start", "is missing: the type of the record that an invoice begins with")
	}
	if f.Invoice.Each != "" {
		c.wrong("invoice.each", `is not for records, which have "start"`)
	}
	switch {
	case f.Input.Format == formatFixed && f.Input.Type == "":
		c.wrong("input.type", `is missing: where a record's type stands, such as "1+4"`)
	case f.Input.Format == formatXLSX:
		c.wrong("invoice.start", "is for csv and fixed")
	case f.Input.Type != "":
		kind, err := c.places.parsePart(f.Input.Type)
		if err != nil {
			c.wrong("input.type", "%v", err)
		}
		m.records.kind = kind
	case f.Input.Delimiter == "":
		c.wrong("input.delimiter", "is missing: records have no header that would tell it")
	}
}

// linesShape reads where the lines of an invoice are.
func (c *compiler) linesShape(m *Mapping) {
	f := c.file.Lines
	if m.shape != sheetShape && f.FirstRow != 0 {
		c.wrong("lines.first_row", "is for workbooks with a sheet per invoice")
	}
	switch m.shape {
	case xmlShape, recordShape:
		if f.Each == "" {
			c.wrong("lines.each", `is missing: what a line is, such as "InvoiceLine" or the type of its record`)
			return
		}
		m.lines.each, _ = c.selector("lines.each", f.Each)
	case joinedShape:
		m.lines.table, c.places.table = f.Each, f.Each
		if !c.places.tables[f.Each] {
			c.wrong("lines.each", "is %q, but must be one of [input.tables]", f.Each)
		}
	case sheetShape:
		m.lines.first = f.FirstRow
		if f.FirstRow < 1 || f.FirstRow > maxSheetRows {
			c.wrong("lines.first_row", "is missing: the number of the first row that can be a line")
		}
	default:
		if f.Each != "" {
			c.wrong("lines.each", "is for XML, records and joined tables; in a table every row is a line")
		}
	}
}

func (c *compiler) selectors(path string, v any) []selector {
	var all []selector
	for _, name := range c.texts(path, v) {
		if sel, ok := c.selector(path, name); ok {
			all = append(all, sel)
		}
	}
	return all
}

// describe is the invoice's mark, for the message that nothing in a file is one.
func (m *Mapping) describe() string {
	if m.shape == recordShape {
		return m.records.start
	}
	var paths []string
	for _, p := range m.each {
		path := ""
		for _, step := range p.steps {
			path += "/" + step.name
		}
		paths = append(paths, path)
	}
	return strings.Join(paths, ", ")
}

// maxSheetRows is the number of rows of an Excel sheet.
const maxSheetRows = 1 << 20
