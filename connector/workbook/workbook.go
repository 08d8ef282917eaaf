// Package workbook writes a table as an XLSX workbook for people, and as the
// CSV twin that says the same.
package workbook

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"einvoice/connector"
)

// Column is the head of a column; Width is in characters.
type Column struct {
	Title string
	Width float64
}

// Row is one row. A cell is a string, a time.Time (shown to the second, in its
// own zone), a connector.Date, a connector.Amount, a Link, or nil.
type Row struct {
	Cells []any
	Total bool // stands below the table, set apart from it and out of its filter
}

// Link leads to a file or folder, by a path relative to the workbook, with
// slashes. The CSV twin shows the path.
type Link struct{ Path string }

// Table is what both files say. Rows is read once per pass; those with Total
// come last.
type Table struct {
	Name    string // of the sheet
	Columns []Column
	Decimal string // sign of amounts in the CSV twin: "," or "."
	Rows    iter.Seq2[Row, error]
}

// WriteCSV writes the dialect that a French Excel opens by double click: UTF-8
// with its mark, ";" between cells, CRLF. Cells that Excel would take for a
// formula are defused.
func (t Table) WriteCSV(w io.Writer) error {
	c := t.beginTwin(w)
	for row, err := range t.Rows {
		if err != nil {
			return err
		}
		if err := c.add(row); err != nil {
			return err
		}
	}
	return c.end()
}

// WriteBoth writes the workbook and its twin in one pass over the rows. Neither
// needs the other: one that cannot be written leaves the other whole.
func (t Table) WriteBoth(book, twin io.Writer) (ofBook, ofTwin error) {
	c, rows, all := t.beginTwin(twin), t.Rows, false
	t.Rows = func(yield func(Row, error) bool) {
		for row, err := range rows {
			if err == nil {
				_ = c.add(row) // sticky: end gives it
			}
			if !yield(row, err) {
				return
			}
		}
		all = true
	}
	ofBook = t.WriteXLSX(book)
	if !all {
		return ofBook, ofBook
	}
	return ofBook, c.end()
}

// csvTwin is a twin while it is being written. Its errors are sticky.
type csvTwin struct {
	t     Table
	out   *csv.Writer
	line  []string
	apart bool // the rows of totals have begun
	err   error
}

func (t Table) beginTwin(w io.Writer) *csvTwin {
	c := &csvTwin{t: t, out: csv.NewWriter(w), line: make([]string, len(t.Columns))}
	c.out.Comma, c.out.UseCRLF = ';', true
	if _, c.err = io.WriteString(w, "\ufeff"); c.err != nil {
		return c
	}
	for i, column := range t.Columns {
		c.line[i] = column.Title
	}
	c.err = c.out.Write(c.line)
	return c
}

func (c *csvTwin) add(row Row) error {
	if row.Total && !c.apart {
		c.apart = true
		c.write()
	}
	c.write(row.Cells...)
	return c.err
}

func (c *csvTwin) write(cells ...any) {
	if c.err != nil {
		return
	}
	clear(c.line)
	for i, cell := range cells {
		c.line[i] = c.t.text(cell)
	}
	c.err = c.out.Write(c.line)
}

func (c *csvTwin) end() error {
	c.out.Flush()
	return errors.Join(c.err, c.out.Error())
}

func (t Table) text(cell any) string {
	switch v := cell.(type) {
	case nil:
		return ""
	case string:
		return Defused(v)
	case time.Time:
		if v.IsZero() {
			return ""
		}
		return v.Format(time.DateTime)
	case connector.Date:
		return Defused(string(v))
	case connector.Amount:
		return strings.ReplaceAll(v.String(), ".", t.Decimal)
	case Link:
		return Defused(v.Path)
	}
	return Defused(fmt.Sprint(cell))
}

// Defused keeps Excel from running a cell of a CSV file (OWASP "CSV
// injection"), full-width signs included.
func Defused(cell string) string {
	cell = strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, cell)
	if strings.ContainsAny(string([]rune(cell + " ")[:1]), "=+-@\t\r\n＝＋－＠") {
		return "'" + cell
	}
	return cell
}
