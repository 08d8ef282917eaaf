package mappers

import (
	"archive/zip"
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"path"
	"strings"

	"einvoice/connector/problem"
)

// bookCopier gives a workbook back without the rows that are fine. Every other
// part of it is copied as it is, so that sheets, header rows, types and formats
// stay; a cell of a formula keeps the value that was read.
type bookCopier struct {
	e      Export
	opt    CopyOptions
	w      io.Writer
	tables []*bookTable
	take1  func(c *bookCopier, d document, ps []problem.Problem) error
}

// bookTable is a sheet of which some rows are kept.
type bookTable struct {
	sheet  string
	header int      // its last row before the data; the rows up to it are kept
	names  []string // in the header
	width  int      // columns of the widest row that is kept
	rows   map[int][]string
	added  []string   // headers of what is added; nil in the tables of lines
	shared *numberSet // the shared texts of what was written
}

func newBookTable(g *grid, header int, added []string) *bookTable {
	width := len(g.head.names)
	if added != nil {
		width = max(width, g.reach())
	}
	return &bookTable{sheet: g.sheet, header: header, names: g.head.names, width: width, rows: map[int][]string{}, added: added}
}

// keep keeps a row and gives it what is added.
func (t *bookTable) keep(r *row, added []string) {
	t.rows[r.Num] = added
	t.width = max(t.width, len(r.Cells))
}

// newBookCopier copies a workbook with one table.
func newBookCopier(e Export, r *xlsxReader, w io.Writer, opt CopyOptions) *bookCopier {
	added := opt.addedColumns()
	if r.grid.head.row == 0 {
		added = nil
	}
	t := newBookTable(r.grid, max(r.grid.head.row, len(r.before)), added)
	return &bookCopier{e: e, opt: opt, w: w, tables: []*bookTable{t},
		take1: func(c *bookCopier, d document, ps []problem.Problem) error {
			added := c.opt.addedCells(d.source, ps)
			for i, row := range d.source {
				t.keep(row, added[i])
			}
			return nil
		}}
}

// newJoinedBookCopier copies a workbook whose sheets are joined.
func newJoinedBookCopier(e Export, s *joinedSource, w io.Writer, opt CopyOptions) *bookCopier {
	c := &bookCopier{e: e, opt: opt, w: w}
	by := map[string]*bookTable{}
	for i, t := range s.m.tables {
		g := s.grid(t.name)
		if len(g.head.names) == 0 {
			continue // the workbook lacks it
		}
		var added []string
		if i == 0 {
			added = opt.addedColumns()
		}
		by[t.name] = newBookTable(g, g.head.row, added)
		c.tables = append(c.tables, by[t.name])
	}
	c.take1 = func(c *bookCopier, d document, ps []problem.Problem) error {
		return s.rowsOfDocument(d, func(table string, r *row) {
			var added []string
			if table == s.m.tables[0].name {
				added = opt.addedCells([]*row{r}, ps)[0]
			}
			if by[table] != nil {
				by[table].keep(r, added)
			}
		})
	}
	return c
}

func (c *bookCopier) begin() error { return nil }

func (c *bookCopier) take(d document, ps []problem.Problem, failing bool) error {
	if !failing {
		return nil
	}
	return c.take1(c, d, ps)
}

func (c *bookCopier) end() error {
	f, err := c.e.Open()
	if err != nil {
		return fmt.Errorf("open export: %w", err)
	}
	defer f.Close()
	in, err := zip.NewReader(readerAt{f}, c.e.Size)
	if err != nil {
		return fmt.Errorf("read workbook: %w", err)
	}
	paths, err := sheetPaths(in)
	if err != nil {
		return err
	}
	tables := map[string]*bookTable{}
	for _, t := range c.tables {
		tables[paths[t.sheet]] = t
	}
	return copyBook(in, c.w, tables)
}

// readerAt reads a file of the spool at any place.
type readerAt struct{ io.ReadSeeker }

func (r readerAt) ReadAt(p []byte, at int64) (int, error) {
	if a, ok := r.ReadSeeker.(io.ReaderAt); ok {
		return a.ReadAt(p, at)
	}
	if _, err := r.Seek(at, io.SeekStart); err != nil {
		return 0, err
	}
	return io.ReadFull(r, p)
}

// sheetPaths are the parts of a workbook by the names of their sheets.
func sheetPaths(in *zip.Reader) (map[string]string, error) {
	var book struct {
		Sheets []struct {
			Name string     `xml:"name,attr"`
			Attr []xml.Attr `xml:",any,attr"`
		} `xml:"sheets>sheet"`
	}
	var rels struct {
		Of []struct {
			ID     string `xml:"Id,attr"`
			Target string `xml:"Target,attr"`
		} `xml:"Relationship"`
	}
	for name, into := range map[string]any{"xl/workbook.xml": &book, "xl/_rels/workbook.xml.rels": &rels} {
		f, err := in.Open(name)
		if err != nil {
			return nil, fmt.Errorf("read workbook: %w", err)
		}
		err = xml.NewDecoder(io.LimitReader(f, maxUnzippedBytes)).Decode(into)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
	}
	targets := map[string]string{}
	for _, r := range rels.Of {
		targets[r.ID] = path.Join("xl", r.Target)
		if rooted, ok := strings.CutPrefix(r.Target, "/"); ok {
			targets[r.ID] = rooted
		}
	}
	paths := map[string]string{}
	for _, s := range book.Sheets {
		for _, a := range s.Attr {
			if a.Name.Local == "id" {
				paths[s.Name] = targets[a.Value]
			}
		}
	}
	return paths, nil
}

// bookRow is a row of a sheet as it is stored.
type bookRow struct {
	Num   int        `xml:"r,attr"`
	Cells []bookCell `xml:"c"`
}

type bookCell struct {
	Ref    string  `xml:"r,attr"`
	Style  string  `xml:"s,attr"`
	Type   string  `xml:"t,attr"`
	Value  *string `xml:"v"`
	Inline *struct {
		XML string `xml:",innerxml"`
	} `xml:"is"`
}

// write copies a sheet: the widths of its columns, and the rows that are kept,
// under each other.
func (t *bookTable) write(in io.Reader, w io.Writer) error {
	out := bufio.NewWriter(w)
	d := xml.NewDecoder(in)
	num, next := 0, 1
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch start.Name.Local {
		case "worksheet":
			fmt.Fprintf(out, "%s<worksheet xmlns=\"%s\">", xml.Header, start.Name.Space)
		case "cols":
			err = copyColumns(d, out)
		case "sheetData":
			out.WriteString("<sheetData>")
		case "row":
			r := bookRow{}
			if err = d.DecodeElement(&r, &start); err != nil {
				break
			}
			if num++; r.Num > 0 { // without a number it follows the one before
				num = r.Num
			}
			added, kept := t.rows[num]
			switch {
			case num == t.header:
				added, next = t.added, num
			case num < t.header:
				next = num
			case !kept:
				continue
			}
			t.row(out, r, next, added)
			next++
		}
		if err != nil {
			return err
		}
	}
	out.WriteString("</sheetData></worksheet>")
	return out.Flush()
}

// row writes one row under its new number: its cells but ours of an earlier
// copy, then what is added.
func (t *bookTable) row(out *bufio.Writer, r bookRow, num int, added []string) {
	fmt.Fprintf(out, `<row r="%d">`, num)
	to := map[int]int{}
	for i, column := range keptColumns(t.names, t.width) {
		to[column] = i
	}
	at := -1
	for _, cell := range r.Cells {
		if at++; cell.Ref != "" {
			at = columnNumber(strings.TrimRight(cell.Ref, "0123456789")) - 1
		}
		if column, kept := to[at]; kept {
			cell.share(t.shared)
			cell.write(out, column, num)
		}
	}
	for i, text := range added {
		if text != "" {
			fmt.Fprintf(out, `<c r="%s%d" t="inlineStr"><is><t xml:space="preserve">%s</t></is></c>`, columnLetter(len(to)+i+1), num, escaped(text))
		}
	}
	out.WriteString("</row>")
}

func (c bookCell) write(out *bufio.Writer, column, num int) {
	fmt.Fprintf(out, `<c r="%s%d"`, columnLetter(column+1), num)
	for name, value := range map[string]string{"s": c.Style, "t": c.Type} {
		if value != "" {
			fmt.Fprintf(out, ` %s="%s"`, name, escaped(value))
		}
	}
	out.WriteString(">")
	if c.Value != nil {
		fmt.Fprintf(out, "<v>%s</v>", escaped(*c.Value))
	}
	if c.Inline != nil {
		fmt.Fprintf(out, "<is>%s</is>", c.Inline.XML)
	}
	out.WriteString("</c>")
}

func copyColumns(d *xml.Decoder, out *bufio.Writer) error {
	out.WriteString("<cols>")
	for {
		token, err := d.Token()
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			out.WriteString("<col")
			for _, a := range t.Attr {
				if a.Name.Space == "" {
					fmt.Fprintf(out, ` %s="%s"`, a.Name.Local, escaped(a.Value))
				}
			}
			out.WriteString("/>")
		case xml.EndElement:
			if t.Name.Local == "cols" {
				out.WriteString("</cols>")
				return nil
			}
		}
	}
}

func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
	return b.String()
}
