package mappers

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"einvoice/connector/problem"

	"github.com/xuri/excelize/v2"
)

// sheetSource yields one document per sheet of a workbook.
type sheetSource struct {
	m      *Mapping
	file   string
	book   *excelize.File
	sheets []string
	at     int
}

var _ source = (*sheetSource)(nil)

func (m *Mapping) openSheets(e Export) (*opened, error) {
	book, err := openWorkbook(e)
	if err != nil {
		return nil, err
	}
	s := &sheetSource{m: m, file: e.Name, book: book, sheets: book.GetSheetList()}
	in := &opened{
		source: s, format: m.input.values, close: book.Close,
		rows: func() int { return s.at }, later: func() []problem.Problem { return nil },
		copier: func(w io.Writer, _ CopyOptions) copier { return &sheetCopier{s: s, w: w} },
	}
	workbookFormat(&in.format, book)
	return in, nil
}

func (s *sheetSource) next() (document, error) {
	if s.at == len(s.sheets) {
		return document{}, io.EOF
	}
	name := s.sheets[s.at]
	s.at++
	d := document{ordinal: s.at, row: 1}
	rows, err := s.book.Rows(name)
	if err != nil {
		return d, fmt.Errorf("read sheet %q: %w", name, err)
	}
	defer rows.Close()
	page := &page{s: s, name: name}
	for rows.Next() {
		cells, err := rows.Columns()
		if err != nil {
			return d, fmt.Errorf("read sheet %q: %w", name, err)
		}
		if len(page.rows) == maxRows {
			d.faults = append(d.faults, problem.Problem{
				Code: codeManyRows, Severity: problem.Refuse, Expected: fmt.Sprint(maxRows),
				Position: problem.Position{File: s.file, Sheet: name, Row: maxRows + 1},
			})
			break
		}
		page.rows = append(page.rows, cells)
	}
	if err := rows.Error(); err != nil {
		return d, fmt.Errorf("read sheet %q: %w", name, err)
	}
	d.head = pageNode{page, 0}
	d.rows = rowSpan(1, max(1, len(page.rows)))
	for i := s.m.lines.first; i <= len(page.rows); i++ {
		d.lines = append(d.lines, pageNode{page, i})
	}
	return d, nil
}

// page is the cells of one sheet.
type page struct {
	s    *sheetSource
	name string
	rows [][]string
}

// pageNode is a sheet, or one row of it where row is not 0.
type pageNode struct {
	*page
	row int
}

var _ node = pageNode{}

func (n pageNode) cell(at int) (string, bool) {
	p := n.s.m.places[at]
	if p.whole {
		return n.name, true
	}
	row := p.row
	if row == 0 {
		row = n.row
	}
	if row < 1 || row > len(n.rows) || p.position > len(n.rows[row-1]) {
		return "", row >= 1
	}
	return n.rows[row-1][p.position-1], true
}

func (n pageNode) where(at int) problem.Position {
	p := n.s.m.places[at]
	pos := n.place()
	if p.row > 0 {
		pos.Row = p.row
	}
	if p.position > 0 {
		pos.Column = columnLetter(p.position)
	}
	return pos
}

func (n pageNode) place() problem.Position {
	return problem.Position{File: n.s.file, Sheet: n.name, Row: max(1, n.row)}
}

func (n pageNode) children(int) []node { return nil }

// sheetCopier gives the workbook back without the sheets that are fine: what it
// keeps has its types and its looks.
type sheetCopier struct {
	s    *sheetSource
	w    io.Writer
	fine []string
}

func (c *sheetCopier) begin() error { return nil }

func (c *sheetCopier) take(d document, _ []problem.Problem, failing bool) error {
	if !failing {
		c.fine = append(c.fine, c.s.sheets[d.ordinal-1])
	}
	return nil
}

func (c *sheetCopier) end() error {
	if len(c.fine) == len(c.s.sheets) {
		return errors.New("write copy: no sheet of the workbook failed")
	}
	// The sheet that opens first must be one that stays.
	at := slices.IndexFunc(c.s.sheets, func(name string) bool { return !contains(c.fine, name) })
	c.s.book.SetActiveSheet(at)
	for _, name := range c.fine {
		if err := c.s.book.DeleteSheet(name); err != nil {
			return fmt.Errorf("leave out sheet %q: %w", name, err)
		}
	}
	whole, err := c.s.book.WriteToBuffer() // with the texts of the sheets that are gone
	if err != nil {
		return fmt.Errorf("write copy: %w", err)
	}
	in, err := zip.NewReader(bytes.NewReader(whole.Bytes()), int64(whole.Len()))
	if err != nil {
		return fmt.Errorf("write copy: %w", err)
	}
	return copyBook(in, c.w, nil)
}

// isPage tells whether the first sheet of a workbook is an invoice: it has a
// number and a date where the mapping says.
func (m *Mapping) isPage(in *opened) bool {
	d, err := in.source.next()
	if err != nil {
		return false
	}
	res := newBinder(m, in).bind(d)
	return res.Invoice.Number != "" && res.Invoice.IssueDate != "" && !strings.ContainsAny(res.Invoice.Number, "\n\r")
}
