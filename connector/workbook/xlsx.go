package workbook

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"einvoice/connector"
)

const (
	cellMost  = 32_000 // characters: Excel stops at 32,767
	exactMost = 15     // digits that a spreadsheet keeps; longer amounts are written as text
	maxScale  = 4      // decimals of a currency
	linkMost  = 255    // characters of a text inside a formula
)

// styles are the number formats and looks of a sheet.
type styles struct {
	head, moment, day, link, total int
	amount, totalAmount            [maxScale + 1]int // by decimals
}

// sheet is a workbook while it is being written. Rows are streamed: beyond a
// few megabytes they wait in a temporary file, not in memory.
type sheet struct {
	*excelize.StreamWriter
	styles
	row int // the last one written
}

// WriteXLSX writes the workbook: frozen header with a filter, dates and numbers
// that are dates and numbers, links that open.
func (t Table) WriteXLSX(w io.Writer) (err error) {
	f := excelize.NewFile()
	defer func() { err = errors.Join(err, f.Close()) }()
	s, err := t.open(f)
	if err != nil {
		return fmt.Errorf("begin sheet %s: %w", t.Name, err)
	}
	last := 1
	for row, err := range t.Rows {
		if err != nil {
			return err
		}
		if row.Total && s.row == last {
			s.row++ // an empty row: a filter or a sort of the table must leave totals alone
		}
		if err := s.add(row); err != nil {
			return fmt.Errorf("write row %d of sheet %s: %w", s.row, t.Name, err)
		}
		if !row.Total {
			last = s.row
		}
	}
	if last > 1 {
		corner, err := excelize.CoordinatesToCellName(len(t.Columns), last)
		if err == nil {
			err = s.AddTable(&excelize.Table{Range: "A1:" + corner, Name: "T", StyleName: "TableStyleLight1"})
		}
		if err != nil {
			return fmt.Errorf("add filter to sheet %s: %w", t.Name, err)
		}
	}
	if err := s.Flush(); err != nil {
		return fmt.Errorf("end sheet %s: %w", t.Name, err)
	}
	// Straight to w: the library would build the whole file in memory first.
	f.SetZipWriter(func(io.Writer) excelize.ZipWriter { return zip.NewWriter(w) })
	if _, err := f.WriteTo(io.Discard); err != nil {
		return fmt.Errorf("write workbook: %w", err)
	}
	return nil
}

func (t Table) open(f *excelize.File) (*sheet, error) {
	if err := f.SetSheetName("Sheet1", t.Name); err != nil {
		return nil, err
	}
	yes := true // formulas are written without their values
	if err := f.SetCalcProps(&excelize.CalcPropsOptions{FullCalcOnLoad: &yes}); err != nil {
		return nil, err
	}
	looks, err := newStyles(f)
	if err != nil {
		return nil, err
	}
	stream, err := f.NewStreamWriter(t.Name)
	if err != nil {
		return nil, err
	}
	s := &sheet{StreamWriter: stream, styles: looks, row: 1}
	head := make([]any, len(t.Columns))
	for i, c := range t.Columns {
		if err := s.SetColWidth(i+1, i+1, c.Width); err != nil {
			return nil, err
		}
		head[i] = excelize.Cell{StyleID: looks.head, Value: c.Title}
	}
	err = s.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"})
	if err != nil {
		return nil, err
	}
	return s, s.SetRow("A1", head)
}

func newStyles(f *excelize.File) (s styles, err error) {
	type look struct {
		to    *int
		style excelize.Style
	}
	moment, day := "yyyy-mm-dd hh:mm:ss", "yyyy-mm-dd"
	bold := &excelize.Font{Bold: true}
	looks := []look{
		{&s.head, excelize.Style{Font: bold}},
		{&s.moment, excelize.Style{CustomNumFmt: &moment}},
		{&s.day, excelize.Style{CustomNumFmt: &day}},
		{&s.link, excelize.Style{Font: &excelize.Font{Color: "0563C1", Underline: "single"}}},
		{&s.total, excelize.Style{Font: bold}},
	}
	for scale := range s.amount {
		format := strings.TrimSuffix("#,##0."+strings.Repeat("0", scale), ".")
		looks = append(looks, look{&s.amount[scale], excelize.Style{CustomNumFmt: &format}},
			look{&s.totalAmount[scale], excelize.Style{Font: bold, CustomNumFmt: &format}})
	}
	for _, one := range looks {
		if *one.to, err = f.NewStyle(&one.style); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (s *sheet) add(row Row) error {
	s.row++
	cells := make([]any, len(row.Cells))
	for i, cell := range row.Cells {
		cells[i] = s.cell(cell, row.Total)
	}
	at, err := excelize.CoordinatesToCellName(1, s.row)
	if err != nil {
		return err
	}
	return s.SetRow(at, cells)
}

func (s *sheet) cell(cell any, total bool) any {
	switch v := cell.(type) {
	case nil:
		return nil
	case time.Time:
		if v.IsZero() {
			return nil
		}
		// A sheet has no zones: the clock on the wall is what people compare.
		return excelize.Cell{StyleID: s.moment, Value: wall(v)}
	case connector.Date:
		if v == "" {
			return nil
		}
		day, err := time.Parse(time.DateOnly, string(v))
		if err != nil {
			return text(string(v))
		}
		return excelize.Cell{StyleID: s.day, Value: day}
	case connector.Amount:
		return s.number(v, total)
	case Link:
		return s.linked(v)
	}
	if total {
		return excelize.Cell{StyleID: s.total, Value: text(fmt.Sprint(cell))}
	}
	return text(fmt.Sprint(cell))
}

func wall(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

// number writes an amount as a number where a spreadsheet keeps it exactly:
// its cells are binary floating point, whatever we do.
func (s *sheet) number(a connector.Amount, total bool) any {
	d, ok := a.Get()
	if !ok {
		return nil
	}
	style := s.amount[min(d.Scale(), maxScale)]
	if total {
		style = s.totalAmount[min(d.Scale(), maxScale)]
	}
	value, exact := d.Float64()
	if !exact || d.Prec() > exactMost {
		return excelize.Cell{StyleID: style, Value: d.String()}
	}
	return excelize.Cell{StyleID: style, Value: value}
}

// linked is a formula, not a relationship: those are all kept in memory.
func (s *sheet) linked(l Link) any {
	// "#" starts a place inside a document, and "%" an escape.
	path := strings.NewReplacer("%", "%25", "#", "%23", `"`, `""`).Replace(l.Path)
	if l.Path == "" || utf8.RuneCountInString(path) > linkMost {
		return text(l.Path)
	}
	shown := strings.ReplaceAll(l.Path, `"`, `""`)
	return excelize.Cell{StyleID: s.link, Formula: `HYPERLINK("` + path + `","` + shown + `")`}
}

// text bounds a cell, and leaves out what XML cannot hold.
func text(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == '\ufffe' || r == '\uffff' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	if utf8.RuneCountInString(s) > cellMost {
		s = string([]rune(s)[:cellMost])
	}
	return s
}
