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
	r     *csvReader
	grid  *grid
	opt   CopyOptions
	w     io.Writer
	book  *excelize.File
	sheet *excelize.StreamWriter
	num   int
	temp  string
}

func newXLSXCopier(r *csvReader, w io.Writer, opt CopyOptions, tempDir string) *xlsxCopier {
	return &xlsxCopier{r: r, grid: r.grid.named("Factures"), opt: opt, w: w, temp: tempDir}
}

func (c *xlsxCopier) begin() (err error) {
	c.book = excelize.NewFile(excelize.Options{TmpDir: c.temp})
	if err := c.book.SetSheetName("Sheet1", c.grid.sheet); err != nil {
		return fmt.Errorf("name sheet: %w", err)
	}
	if c.sheet, err = c.book.NewStreamWriter(c.grid.sheet); err != nil {
		return fmt.Errorf("start sheet: %w", err)
	}
	if c.r.header == nil {
		c.num = c.r.split.lines // what is skipped is left out, its rows are not
		return nil
	}
	c.num = c.grid.head.row - 1 // what stands above the header is left out
	return c.row(c.grid.head.names, c.opt.addedColumns())
}

func (c *xlsxCopier) take(d document, ps []problem.Problem, failing bool) error {
	if !failing {
		return nil
	}
	added := c.opt.addedCells(d.source, ps)
	for i, r := range d.source {
		if err := c.row(c.r.cells(r), added[i]); err != nil {
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

func (c *xlsxCopier) row(texts, added []string) error {
	c.num++
	var cells []any
	for _, column := range keptColumns(c.grid.head.names, max(len(texts), len(c.grid.head.names))) {
		text := ""
		if column < len(texts) {
			text = texts[column]
		}
		cells = append(cells, text)
	}
	for len(cells) < c.grid.reach() {
		cells = append(cells, "")
	}
	for _, text := range added {
		cells = append(cells, text)
	}
	return c.sheet.SetRow(fmt.Sprintf("A%d", c.num), cells)
}
