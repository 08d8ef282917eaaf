package mappers

import "strings"

func (c *compiler) input() input {
	f := c.file.Input
	in := input{
		format: f.Format, quote: '"', skip: f.Skip, sheet: f.Sheet,
		anyOrder: f.Rows == "any", shortRows: f.ShortRows, doctype: f.Doctype, fillDown: c.file.Invoice.FillDown,
	}
	switch f.Format {
	case formatCSV, formatXLSX, formatXML, formatFixed:
	case "":
		c.wrong("input.format", `is missing: "csv", "xlsx", "xml" or "fixed"`)
	default:
		c.wrong("input.format", `is %q, but must be "csv", "xlsx", "xml" or "fixed"`, f.Format)
	}
	in.encoding = c.encoding(f.Encoding)
	in.delimiter = c.delimiter(f.Delimiter)
	if f.Quote != nil {
		in.quote = c.quote(*f.Quote)
	}
	in.header = c.header(f.Header)
	if f.Skip < 0 {
		c.wrong("input.skip", "must not be negative")
	}
	if f.Rows != "" && f.Rows != "any" && f.Rows != "adjacent" {
		c.wrong("input.rows", `is %q, but must be "adjacent" or "any"`, f.Rows)
	}
	if f.Doctype && f.Format != formatXML {
		c.wrong("input.doctype", "is for XML")
	}
	if f.Where != "" && c.places.shape != tableShape {
		c.wrong("input.where", `is for one table; here [invoice] and [lines] have a "where"`)
	} else {
		in.where = c.condition("input.where", f.Where)
	}
	in.values = c.valueFormat(f)
	return in
}

func (c *compiler) encoding(name string) string {
	if name == "" {
		return ""
	}
	canonical := canonicalEncoding(name)
	if canonical == "" {
		c.wrong("input.encoding", "is %q, but must be one of utf-8, utf-16, windows-1252, iso-8859-1, iso-8859-15, cp850", name)
	}
	return canonical
}

func (c *compiler) delimiter(text string) byte {
	switch {
	case text == "":
		return 0
	case text == "tab":
		return '\t'
	case len(text) == 1 && text[0] != '"' && text[0] != '\n' && text[0] != '\r' && text[0] < 0x80:
		return text[0]
	}
	c.wrong("input.delimiter", `is %q, but must be one character, such as ";" or "tab"`, text)
	return 0
}

func (c *compiler) quote(text string) byte {
	if text == "" {
		return 0
	}
	if len(text) > 1 || text[0] >= 0x80 {
		c.wrong("input.quote", `is %q, but must be one character, or "" for none`, text)
	}
	return text[0]
}

// header reads a row number or "auto".
func (c *compiler) header(v any) int {
	switch v := v.(type) {
	case nil:
		return 0
	case int64:
		if v >= 1 && v < 1000 {
			return int(v)
		}
	case string:
		if v == "auto" {
			return 0
		}
	}
	c.wrong("input.header", `must be the number of the header's row, or "auto"`)
	return 0
}

func (c *compiler) valueFormat(f inputFile) valueFormat {
	format := valueFormat{dates: dateFormats{sheet: f.Format == formatXLSX}}
	switch f.Decimal {
	case ",", ".":
		format.numbers.decimal = f.Decimal[0]
	case "":
		if f.Format == formatXML {
			format.numbers.decimal = '.'
		}
	default:
		c.wrong("input.decimal", `is %q, but must be "," or "."`, f.Decimal)
	}
	format.numbers.machine = f.Format == formatXLSX
	format.dates.formats = c.dates("input.date", f.Date)
	if f.Date == nil {
		format.dates.formats = c.dates("input.date", []any{"dd/mm/yyyy", "yyyy-mm-dd", "yyyymmdd"})
	}
	if f.Format == formatXLSX {
		format.dates.formats = append(format.dates.formats, c.dates("input.date", []any{"dd/mm/yyyy", "yyyy-mm-dd"})...)
	}
	return format
}

func (c *compiler) match() match {
	f := c.file.Match
	m := match{names: c.texts("match.name", f.Name), headers: f.Headers, roots: c.texts("match.root", f.Root), record: f.Record}
	for _, pattern := range m.names {
		if !validGlob(pattern) {
			c.wrong("match.name", "not a name pattern: %q", pattern)
		}
	}
	if len(m.headers) > 0 && c.places.shape == xmlShape {
		c.wrong("match.headers", `is for tables; XML has "root"`)
	}
	if len(m.roots) > 0 && c.places.shape != xmlShape {
		c.wrong("match.root", `is for XML; tables have "headers"`)
	}
	return m
}

// elementPath is where an invoice stands in an XML file: names from the root,
// and a condition on the element.
type elementPath struct {
	steps     []elementStep
	condition string // an XPath on the element itself, "" for none
	test      predicate
}

type elementStep struct {
	name string // "*" for any
	deep bool   // after //: at any depth
}

// elementPaths reads "/Invoice | //Batch/Invoice[Type='F']". Only the last step
// may have a condition, so that a start tag alone tells where an invoice begins.
func (c *compiler) elementPaths(path, text string) []elementPath {
	var all []elementPath
	for _, one := range splitOutside(stripPrefixes(text), '|') {
		one = strings.TrimSpace(one)
		p := elementPath{}
		if cut := strings.IndexByte(one, '['); cut >= 0 {
			p.condition = "self::*" + one[cut:]
			if _, err := c.places.parse(p.condition); err != nil {
				c.wrong(path, "%v", err)
			}
			one = one[:cut]
			if !strings.HasSuffix(p.condition, "]") {
				c.wrong(path, "only the last step of a path may have a condition")
			}
		}
		deep := !strings.HasPrefix(one, "/")
		for _, name := range strings.Split(strings.TrimPrefix(one, "/"), "/") {
			if name == "" {
				deep = true
				continue
			}
			if strings.ContainsAny(name, "@.()") && name != "*" {
				c.wrong(path, "must be a path of element names, such as /Invoices/Invoice")
			}
			p.steps = append(p.steps, elementStep{name: name, deep: deep})
			deep = false
		}
		if len(p.steps) == 0 {
			c.wrong(path, "must be a path of element names, such as /Invoices/Invoice")
		}
		all = append(all, p)
	}
	return all
}

// splitOutside splits at sep outside of quotes and brackets.
func splitOutside(s string, sep byte) []string {
	var parts []string
	depth, start, quote := 0, 0, byte(0)
	for i := range len(s) {
		switch ch := s[i]; {
		case quote != 0:
			if ch == quote {
				quote = 0
			}
		case ch == '\'' || ch == '"':
			quote = ch
		case ch == '[':
			depth++
		case ch == ']':
			depth--
		case ch == sep && depth == 0:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}
