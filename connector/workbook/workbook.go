// Package workbook writes a table as an XLSX workbook for people, and as the
// CSV twin that says the same.
package workbook

import (
	"encoding/csv"
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

// Table is what both files say. Rows is read once per file; those with Total
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
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = ';', true
	head := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		head[i] = c.Title
	}
	out.Write(head)
	apart := false
	for row, err := range t.Rows {
		if err != nil {
			return err
		}
		if row.Total && !apart {
			apart = true
			out.Write(make([]string, len(head)))
		}
		line := make([]string, len(head))
		for i, cell := range row.Cells {
			line[i] = t.text(cell)
		}
		if err := out.Write(line); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
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
