package mappers

import (
	"errors"
	"fmt"
	"io"

	"einvoice/connector/problem"

	"github.com/xuri/excelize/v2"
)

// xlsxCopier gives a CSV back as a workbook with one sheet of texts.
type xlsxCopier struct {
	grid   *grid
	before []row // up to and with the header
	opt    CopyOptions
	w      io.Writer
	book   *excelize.File
	sheet  *excelize.StreamWriter
	num    int
	temp   string
}

func newXLSXCopier(g *grid, before []row, w io.Writer, opt CopyOptions, tempDir string) *xlsxCopier {
	return &xlsxCopier{grid: g, before: before, opt: opt, w: w, temp: tempDir}
}

func (c *xlsxCopier) begin() (err error) {
	c.book = excelize.NewFile(excelize.Options{TmpDir: c.temp})
	if err := c.book.SetSheetName("Sheet1", c.grid.sheet); err != nil {
		return fmt.Errorf("name sheet: %w", err)
	}
	if c.sheet, err = c.book.NewStreamWriter(c.grid.sheet); err != nil {
		return fmt.Errorf("start sheet: %w", err)
	}
	for i, r := range c.before {
		var added []string
		if i == len(c.before)-1 && c.grid.head.row > 0 {
			added = c.opt.addedColumns()
		}
		if err := c.row(&r, added); err != nil {
			return err
		}
	}
	return nil
}

func (c *xlsxCopier) take(d document, ps []problem.Problem, failing bool) error {
	if !failing {
		return nil
	}
	for i, r := range d.source {
		if err := c.row(r, c.opt.addedCells(d.source, i, ps)); err != nil {
			return err
		}
	}
	return nil
}

func (c *xlsxCopier) end() error {
	err := c.sheet.Flush()
	if err == nil {
		err = c.book.Write(c.w)
	}
	return errors.Join(err, c.book.Close())
}

func (c *xlsxCopier) row(r *row, added []string) error {
	c.num++
	var cells []any
	for _, column := range keptColumns(c.grid.head.names, max(len(r.Cells), len(c.grid.head.names)*min(1, len(added)))) {
		text := ""
		if column < len(r.Cells) {
			text = r.Cells[column]
		}
		cells = append(cells, text)
	}
	for len(added) > 0 && len(cells) < c.grid.reach() {
		cells = append(cells, "")
	}
	for _, text := range added {
		cells = append(cells, text)
	}
	return c.sheet.SetRow(fmt.Sprintf("A%d", c.num), cells)
}
