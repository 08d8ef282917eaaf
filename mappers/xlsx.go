package mappers

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"einvoice/connector/problem"

	"github.com/xuri/excelize/v2"
)

// Limits of a workbook. What a zip says of itself is checked before anything is
// unzipped, and excelize counts while it unzips.
const (
	maxWorkbookBytes = 256 << 20 // zipped: excelize holds it in memory
	maxUnzippedBytes = 1 << 30
	maxUnzipRatio    = 200
	freeUnzipBytes   = 8 << 20  // below, the ratio does not matter
	spillBytes       = 16 << 20 // a larger sheet goes to the temporary folder
)

// xlsxReader reads the rows of one sheet.
type xlsxReader struct {
	book   *excelize.File
	rows   *excelize.Rows
	grid   *grid
	num    int
	before []row // up to and with the header, for a copy
	ofCSV  bool  // it was made of a CSV
}

var _ rowReader = (*xlsxReader)(nil)

func (m *Mapping) openXLSX(e Export, keep bool) (*opened, error) {
	book, err := openWorkbook(e)
	if err != nil {
		return nil, err
	}
	r, problems, err := m.openSheet(book, e)
	if err != nil {
		book.Close()
		return nil, err
	}
	in := m.openRows(r.grid, r, e.TempDir, keep)
	in.problems = problems
	in.copier = func(w io.Writer, opt CopyOptions) copier {
		return newBookCopier(e, r, w, opt)
	}
	// A mapping for CSV reads the workbook that somebody made of it.
	workbookFormat(&in.format, book)
	return in, nil
}

// openWorkbook refuses what is not a workbook, or too large a one.
func openWorkbook(e Export) (*excelize.File, error) {
	f, err := e.Open()
	if err != nil {
		return nil, fmt.Errorf("open export: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxWorkbookBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read workbook: %w", err)
	}
	bad := problem.Problem{Code: codeNotXLSX, Severity: problem.Refuse, Position: problem.Position{File: e.Name}}
	if code, value := unfit(data); code != "" {
		bad.Code, bad.Value, bad.Args = code, value, map[string]string{"reason": value}
		return nil, bad
	}
	book, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{
		RawCellValue: true, UnzipSizeLimit: maxUnzippedBytes, UnzipXMLSizeLimit: spillBytes, TmpDir: e.TempDir,
	})
	if err != nil {
		if errors.Is(err, excelize.ErrWorkbookFileFormat) || !strings.Contains(err.Error(), "unzip size") {
			bad.Args = map[string]string{"reason": err.Error()}
			return nil, bad
		}
		bad.Code, bad.Value = codeHugeWorkbook, fmt.Sprintf("> %d MB", maxUnzippedBytes>>20)
		return nil, bad
	}
	return book, nil
}

var oleMagic = []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")

// unfit looks at the file from outside; code is "" when it may be unzipped.
func unfit(data []byte) (code, value string) {
	if bytes.HasPrefix(data, oleMagic) {
		// The names of streams are in UTF-16; an encrypted workbook has this one.
		if bytes.Contains(data, []byte("E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00")) {
			return codeEncrypted, ""
		}
		return codeOldXLS, ""
	}
	if len(data) > maxWorkbookBytes {
		return codeHugeWorkbook, fmt.Sprintf("> %d MB", maxWorkbookBytes>>20)
	}
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return codeNotXLSX, err.Error()
	}
	var unzipped uint64
	workbook := false
	for _, f := range archive.File {
		if extra := foreign(f.Name); extra != "" {
			return codeForeign, extra
		}
		unzipped += f.UncompressedSize64
		workbook = workbook || strings.HasPrefix(f.Name, "xl/")
	}
	switch {
	case !workbook:
		return codeNotXLSX, "no xl/ folder"
	case len(archive.File) > maxParts:
		return codeHugeWorkbook, fmt.Sprintf("%d files", len(archive.File))
	case unzipped > maxUnzippedBytes, unzipped > freeUnzipBytes && unzipped > maxUnzipRatio*uint64(len(data)):
		return codeHugeWorkbook, fmt.Sprintf("%d MB", unzipped>>20)
	}
	for _, f := range archive.File {
		if strings.HasPrefix(f.Name, "xl/worksheets/") && strings.HasSuffix(f.Name, ".xml") {
			if err := soundSheet(f); err != nil {
				return codeNotXLSX, f.Name + ": " + err.Error()
			}
		}
	}
	return "", ""
}

// foreign names what a workbook of invoices has no use for: code, and links that
// bring in what other files hold.
func foreign(name string) string {
	switch name = strings.ToLower(name); {
	case strings.HasSuffix(name, "vbaproject.bin"), strings.HasPrefix(name, "xl/macrosheets/"):
		return "macros"
	case strings.HasPrefix(name, "xl/externallinks/"):
		return "external links"
	}
	return ""
}

// maxParts is how many files a workbook may be made of.
const maxParts = 5000

// openSheet finds sheet and header, and stands before the first row.
func (m *Mapping) openSheet(book *excelize.File, e Export) (*xlsxReader, []problem.Problem, error) {
	sheet, err := m.sheetName(book, e)
	if err != nil {
		return nil, nil, err
	}
	first, err := m.firstRows(book, sheet)
	if err != nil {
		return nil, nil, fmt.Errorf("read sheet %q: %w", sheet, err)
	}
	var candidates []row
	for _, r := range first {
		if r.Num > m.input.skip && (m.input.header == 0 || r.Num == m.input.header) {
			candidates = append(candidates, r)
		}
	}
	head := headings{}
	if m.hasNames() || m.input.header > 0 {
		head, _ = chooseHeader(candidates, m)
		if head.row == 0 {
			return nil, nil, problem.Problem{Code: codeNoHeader, Severity: problem.Refuse, Position: problem.Position{File: e.Name, Sheet: sheet}}
		}
	}
	g, problems := newGrid(e.Name, sheet, head, m.places)
	r := &xlsxReader{book: book, grid: g, ofCSV: m.input.format != formatXLSX}
	if r.rows, err = book.Rows(sheet); err != nil {
		return nil, nil, fmt.Errorf("read sheet %q: %w", sheet, err)
	}
	for r.num < max(head.row, m.input.skip) {
		above, err := r.read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, nil, errors.Join(err, r.rows.Close())
		}
		r.before = append(r.before, *above)
	}
	return r, append(problems, g.missing(m)...), nil
}

func (m *Mapping) sheetName(book *excelize.File, e Export) (string, error) {
	sheets := book.GetSheetList()
	if len(sheets) == 0 {
		return "", problem.Problem{Code: codeNotXLSX, Severity: problem.Refuse, Position: problem.Position{File: e.Name}, Args: map[string]string{"reason": "no sheet"}}
	}
	// A workbook made of a CSV has one sheet, called anything.
	if m.input.sheet == "" || m.input.format != formatXLSX {
		return sheets[0], nil
	}
	for _, s := range sheets {
		if normalName(s) == normalName(m.input.sheet) {
			return s, nil
		}
	}
	return "", problem.Problem{
		Code: codeNoSheet, Severity: problem.Refuse, Value: m.input.sheet, Expected: strings.Join(sheets, ", "),
		Position: problem.Position{File: e.Name},
	}
}

func (m *Mapping) firstRows(book *excelize.File, sheet string) ([]row, error) {
	rows, err := book.Rows(sheet)
	if err != nil {
		return nil, err
	}
	r := &xlsxReader{rows: rows}
	defer rows.Close()
	var first []row
	for len(first) < max(sampleRows, m.input.header) {
		one, err := r.read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		first = append(first, *one)
	}
	return first, nil
}

func (r *xlsxReader) read() (*row, error) {
	if !r.rows.Next() {
		if err := r.rows.Error(); err != nil {
			return nil, err
		}
		return nil, io.EOF
	}
	r.num++
	cells, err := r.rows.Columns()
	if err != nil {
		return nil, fmt.Errorf("read row %d: %w", r.num, err)
	}
	return &row{Num: r.num, Last: r.num, Cells: cells}, nil
}

// next gives a row with as many cells as the header: Excel leaves out what is
// empty at the end.
func (r *xlsxReader) next() (*row, error) {
	out, err := r.read()
	if err != nil {
		return nil, err
	}
	for len(out.Cells) < len(r.grid.head.names) {
		out.Cells = append(out.Cells, "")
	}
	for i, c := range out.Cells {
		out.size += len(c) + 1
		if r.ofCSV && strings.Contains(c, unread) {
			p := r.grid.fault(codeUnread, out.Num, "", "")
			p.Position = r.grid.position(out.Num, i)
			out.Faults = append(out.Faults, p)
		}
		if len(c) > maxCellBytes {
			p := r.grid.fault(codeLongCell, out.Num, fmt.Sprint(len(c)), fmt.Sprint(maxCellBytes))
			p.Position = r.grid.position(out.Num, i)
			out.Faults = append(out.Faults, p)
			out.Cells[i] = ""
		}
	}
	return out, nil
}

// Close also removes what excelize spilled.
func (r *xlsxReader) Close() error {
	return errors.Join(r.rows.Close(), r.book.Close())
}
