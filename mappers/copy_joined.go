package mappers

import (
	"errors"
	"fmt"
	"io"

	"einvoice/connector/problem"

	"github.com/xuri/excelize/v2"
)

// joinedCopier writes the failing invoices as a workbook with a sheet per table,
// every cell a text; the same mapping reads it, also when it is for CSV files.
type joinedCopier struct {
	s      *joinedSource
	w      io.Writer
	opt    CopyOptions
	book   *excelize.File
	sheets map[string]*excelize.StreamWriter
	num    map[string]int
}

func newJoinedCopier(s *joinedSource, w io.Writer, opt CopyOptions, temp string) *joinedCopier {
	return &joinedCopier{s: s, w: w, opt: opt, book: excelize.NewFile(excelize.Options{TmpDir: temp}),
		sheets: map[string]*excelize.StreamWriter{}, num: map[string]int{}}
}

func (c *joinedCopier) begin() error {
	for i, t := range c.s.m.tables {
		if len(c.grid(t.name).head.names) == 0 {
			continue // the export lacks this table, and so may its copy
		}
		err := c.book.SetSheetName("Sheet1", t.sheet)
		if i > 0 {
			_, err = c.book.NewSheet(t.sheet)
		}
		if err != nil {
			return fmt.Errorf("make sheet %q: %w", t.sheet, err)
		}
		if c.sheets[t.name], err = c.book.NewStreamWriter(t.sheet); err != nil {
			return fmt.Errorf("start sheet %q: %w", t.sheet, err)
		}
		head := c.grid(t.name).head
		for c.num[t.name] < t.header-1 { // the header stays in its row
			if err := c.row(t.name, nil, nil, nil); err != nil {
				return err
			}
		}
		var added []string
		if i == 0 {
			added = c.opt.addedColumns()
		}
		if err := c.row(t.name, head.names, head.names, added); err != nil {
			return err
		}
	}
	return nil
}

func (c *joinedCopier) grid(table string) *grid { return c.s.grid(table) }

func (s *joinedSource) grid(table string) *grid {
	if table == s.m.tables[0].name {
		return s.main
	}
	return s.others[table].grid
}

// rowsOfDocument visits the rows of a document, the invoice's first.
func (s *joinedSource) rowsOfDocument(d document, visit func(table string, r *row)) error {
	head, ok := d.head.(*joinedHead)
	if ok {
		visit(s.m.tables[0].name, head.r)
	} else if line, is := d.head.(joinedRow); is {
		head = line.head
	}
	for _, t := range s.m.tables[1:] {
		rows, err := head.rowsOf(t.name)
		if err != nil {
			return err
		}
		for _, r := range rows {
			visit(t.name, r)
		}
	}
	return nil
}

func (c *joinedCopier) take(d document, ps []problem.Problem, failing bool) error {
	if !failing {
		return nil
	}
	var broken error
	err := c.s.rowsOfDocument(d, func(table string, r *row) {
		var added []string
		if table == c.s.m.tables[0].name {
			added = c.opt.addedCells([]*row{r}, ps)[0]
		}
		if c.sheets[table] != nil && broken == nil {
			broken = c.row(table, c.grid(table).head.names, c.s.cells[table](r), added)
		}
	})
	return errors.Join(err, broken)
}

func (c *joinedCopier) row(table string, header, texts, added []string) error {
	c.num[table]++
	var cells []any
	for _, column := range keptColumns(header, len(header)) {
		text := ""
		if column < len(texts) {
			text = texts[column]
		}
		cells = append(cells, text)
	}
	for _, text := range added {
		cells = append(cells, text)
	}
	return c.sheets[table].SetRow(fmt.Sprintf("A%d", c.num[table]), cells)
}

func (c *joinedCopier) end() error {
	var errs []error
	for _, s := range c.sheets {
		errs = append(errs, s.Flush())
	}
	if err := errors.Join(errs...); err != nil {
		return errors.Join(err, c.book.Close())
	}
	return errors.Join(c.book.Write(c.w), c.book.Close())
}
