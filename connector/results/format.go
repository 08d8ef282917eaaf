package results

import (
	"bufio"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"einvoice/connector/ledger"
)

// The formats that result files may have.
const (
	CSV   = "csv"
	JSON  = "json"
	XML   = "xml"
	Fixed = "fixed"
)

// rows is a file of rows being written. The first row has the columns' names.
// Errors are sticky; flush ends the file and gives the first one.
type rows interface {
	row(cells ...string) error
	flush() error
}

// Ext is the extension of result files, without a dot.
func (c Config) Ext() string {
	switch c.Format {
	case JSON, XML:
		return c.Format
	case Fixed:
		return "txt"
	}
	return CSV
}

// newRows starts a file. The name decides the format: it was given for good when
// the settings may have been others.
func newRows(w io.Writer, c Config, pub ledger.Publication) rows {
	switch path.Ext(pub.Name) {
	case ".json":
		return &jsonRows{w: bufio.NewWriter(w), kind: word(pub.Kind)}
	case ".xml":
		return &xmlRows{w: bufio.NewWriter(w), kind: word(pub.Kind), encoding: c.Encoding}
	case ".txt":
		return &fixedRows{t: newTable(w, c), c: c}
	}
	return &csvRows{t: newTable(w, c), bare: !c.Header}
}

// word is what a kind of file is called inside of it.
func word(k ledger.Kind) string {
	switch k {
	case ledger.KindStatus:
		return "statuses"
	case ledger.KindSummary:
		return "summary"
	}
	return "acknowledgement"
}

// csvRows is a table that may leave out the names of its columns.
type csvRows struct {
	t    *table
	bare bool
}

func (r *csvRows) row(cells ...string) error {
	if r.bare {
		r.bare = false
		return nil
	}
	return r.t.row(cells...)
}

func (r *csvRows) flush() error { return r.t.flush() }

// numbers are the columns whose values are whole numbers.
func isNumber(column string) bool {
	return slices.Contains([]string{"seq", "source_row", "status_code"}, column)
}

// jsonRows writes {"kind": ..., "version": 1, "lines": [{...}, ...]}, one line a
// row; a column without a value is left out.
type jsonRows struct {
	w       *bufio.Writer
	kind    string
	columns []string
	lines   int
	err     error
}

func (r *jsonRows) row(cells ...string) error {
	if r.columns == nil {
		r.columns = slices.Clone(cells)
		r.put(`{"kind":"` + r.kind + `","version":1,"lines":[`)
		return r.err
	}
	if r.lines++; r.lines > 1 {
		r.put(",")
	}
	sep := "\n{"
	for i, cell := range cells {
		if cell == "" {
			continue
		}
		value := cell
		if !isNumber(r.columns[i]) {
			value = quoteJSON(cell)
		}
		r.put(sep + `"` + r.columns[i] + `":` + value)
		sep = ","
	}
	if sep != "," {
		r.put(sep)
	}
	r.put("}")
	return r.err
}

func quoteJSON(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(strings.ToValidUTF8(s, "\ufffd")) // a string cannot fail
	return strings.TrimSuffix(b.String(), "\n")
}

func (r *jsonRows) put(s string) {
	if r.err == nil {
		_, r.err = r.w.WriteString(s)
	}
}

func (r *jsonRows) flush() error {
	r.put("\n]}\n")
	if r.err == nil {
		r.err = r.w.Flush()
	}
	return r.err
}

// xmlRows writes a <line> for each row, with an element for each column that has
// a value.
type xmlRows struct {
	w        *bufio.Writer
	kind     string
	encoding string
	columns  []string
	err      error
}

func (r *xmlRows) row(cells ...string) error {
	if r.columns == nil {
		r.columns = slices.Clone(cells)
		name := UTF8
		if r.encoding == Windows1252 {
			name = Windows1252
		}
		if r.encoding == UTF8BOM {
			r.put("\ufeff")
		}
		r.put(`<?xml version="1.0" encoding="` + name + `"?>` + "\n<" + r.kind + ` xmlns="` + namespace + `" version="1">` + "\n")
		return r.err
	}
	r.put("<line>")
	for i, cell := range cells {
		if cell != "" {
			r.put("<" + r.columns[i] + ">" + escapeXML(cell) + "</" + r.columns[i] + ">")
		}
	}
	r.put("</line>\n")
	return r.err
}

// escapeXML also replaces the characters that XML does not have.
func escapeXML(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(strings.ToValidUTF8(s, "\ufffd"))) // a builder cannot fail
	return b.String()
}

// put writes what the code page lacks as a character reference: XML loses nothing.
func (r *xmlRows) put(s string) {
	if r.err != nil {
		return
	}
	if r.encoding != Windows1252 {
		_, r.err = r.w.WriteString(s)
		return
	}
	for _, c := range s {
		if b, ok := inWindows1252(c); ok {
			r.err = r.w.WriteByte(b)
		} else {
			_, r.err = fmt.Fprintf(r.w, "&#%d;", c)
		}
		if r.err != nil {
			return
		}
	}
}

func (r *xmlRows) flush() error {
	r.put("</" + r.kind + ">\n")
	if r.err == nil {
		r.err = r.w.Flush()
	}
	return r.err
}

// fixedRows pads every column to its width, in characters: texts on the left,
// whole numbers on the right. A longer text is cut; a line break is a space. A
// number is never cut, as it would be another: the file waits for a wider column.
type fixedRows struct {
	t       *table
	c       Config
	columns []string
}

func (r *fixedRows) row(cells ...string) error {
	head := r.columns == nil
	if head {
		r.columns = slices.Clone(cells)
		if !r.c.Header {
			return nil
		}
	}
	for i, cell := range cells {
		name := r.columns[i]
		figure := isNumber(name) && !head
		if figure && len(cell) > r.c.width(name) && r.t.err == nil {
			r.t.err = fmt.Errorf("%s %s does not fit its column of %d characters: raise results.widths", name, cell, r.c.width(name))
		}
		r.t.put(pad(cell, r.c.width(name), figure))
	}
	r.t.put("\r\n")
	return r.t.err
}

func (r *fixedRows) flush() error { return r.t.flush() }

func pad(s string, width int, right bool) string {
	s = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || c == '\u2028' || c == '\u2029' {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(s, "\ufffd"))
	n := utf8.RuneCountInString(s)
	if n > width {
		return string([]rune(s)[:width])
	}
	if right {
		return strings.Repeat(" ", width-n) + s
	}
	return s + strings.Repeat(" ", width-n)
}

// widths are those of the columns of a fixed-width file, in characters.
func widths() map[string]int {
	return map[string]int{
		"seq": 10, "source_file": 120, "source_row": 8, "erp_key": 60, "document_number": 40, "verdict": 10, "code": 5,
		"field": 60, "column": 60, "value": 80, "message": 250, "what_to_do": 250, "first_file": 120, "api_id": 40,
		"company": 31, "event": 10, "state": 10, "external_status": 30, "status_code": 3, "label": 60, "reason_code": 30,
		"reason": 250, "occurred_at": 25, "name": 60,
	}
}

func (c Config) width(column string) int {
	if w := c.Widths[column]; w > 0 {
		return w
	}
	return widths()[column]
}
