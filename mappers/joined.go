package mappers

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"einvoice/connector/problem"

	"github.com/xuri/excelize/v2"
)

// joinedSource yields one document per row of the invoices' table, with the rows
// of the other tables that have the same key.
type joinedSource struct {
	m       *Mapping
	main    *grid
	rows    rowReader // of the invoices
	others  map[string]*keyedTable
	closers []func() error
	ordinal int
	read    int
	seen    map[string]bool
	strays  []string // keys of lines without an invoice
	done    bool
	book    bool // the tables are sheets

	cells map[string]func(*row) []string // by table, where a copy needs more than those that are read
}

// keyedTable is a table held aside, its rows found by their key.
type keyedTable struct {
	grid   *grid
	spill  *spill
	places map[string][]int64
	order  []string // keys as they appear
}

var _ source = (*joinedSource)(nil)

// tableReader opens one of the tables: reader, grid, what is wrong, encoding.
type tableReader func(t joinedTable, sub *Mapping) (rowReader, *grid, []problem.Problem, string, error)

func (m *Mapping) openJoined(e Export, keep bool) (*opened, error) {
	s := &joinedSource{m: m, others: map[string]*keyedTable{}, seen: map[string]bool{}, cells: map[string]func(*row) []string{}}
	in := &opened{source: s, format: m.input.values, close: s.close,
		rows: func() int { return s.read }, later: func() []problem.Problem { return nil },
		copier: func(w io.Writer, opt CopyOptions) copier {
			if s.book {
				return newJoinedBookCopier(e, s, w, opt)
			}
			return newJoinedCopier(s, w, opt, e.TempDir)
		}}
	open, err := m.tableOpener(e, keep, s, in)
	if err != nil {
		return nil, err
	}
	columns := make([]int, len(m.places)) // of any table, to find what is missing
	for i := range columns {
		columns[i] = -1
	}
	for i, t := range m.tables {
		g, err := s.openTable(t, i == 0, e.TempDir, open, in)
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
		for _, name := range g.unused() {
			in.unused = append(in.unused, t.name+"."+name)
		}
		for p, c := range g.columns {
			columns[p] = max(columns[p], c)
		}
	}
	in.problems = append(in.problems, m.missing(columns, s.grid)...)
	return in, nil
}

// openTable makes a table ready; that of the invoices is read as a stream, all
// others are put aside.
func (s *joinedSource) openTable(t joinedTable, main bool, temp string, open tableReader, in *opened) (*grid, error) {
	sub := &Mapping{Name: s.m.Name, input: s.m.input, places: s.m.placesOf(t.name)}
	sub.input.header, sub.input.sheet = t.header, t.sheet
	rows, g, problems, encoding, err := open(t, sub)
	if err != nil {
		return nil, err
	}
	if encoding != "" && in.encoding == "" {
		in.encoding = encoding
	}
	in.problems = append(in.problems, problems...)
	if main {
		s.main, s.rows = g, rows
		s.closers = append(s.closers, rows.Close)
		return g, nil
	}
	defer rows.Close()
	aside := &keyedTable{grid: g, places: map[string][]int64{}}
	s.others[t.name] = aside
	if aside.spill, err = newSpill(temp); err != nil {
		return nil, err
	}
	s.closers = append(s.closers, func() error { aside.spill.close(); return nil })
	return g, aside.fill(rows, t.key, &s.read)
}

func (k *keyedTable) fill(rows rowReader, key []selector, read *int) error {
	for {
		r, err := rows.next()
		if err == io.EOF {
			return k.spill.flush()
		}
		if err != nil {
			return err
		}
		*read++
		text := keyOf(rowNode{k.grid, r}, key)
		if text == "" && len(r.Faults) == 0 {
			continue // a blank or a total row
		}
		at, err := k.spill.put(r)
		if err != nil {
			return err
		}
		if len(k.places[text]) == 0 {
			k.order = append(k.order, text)
		}
		k.places[text] = append(k.places[text], at)
	}
}

// keyOf joins the cells of a key, "" when all are empty.
func keyOf(n node, key []selector) string {
	parts, empty := make([]string, len(key)), true
	for i, sel := range key {
		text, _ := n.cell(sel.place)
		parts[i] = trimSpace(text)
		empty = empty && parts[i] == ""
	}
	if empty {
		return ""
	}
	return strings.Join(parts, keyJoint)
}

// placesOf are all places, those of other tables blanked so that they are found
// nowhere.
func (m *Mapping) placesOf(table string) []place {
	all := make([]place, len(m.places))
	for i, p := range m.places {
		if p.table == table {
			all[i] = p
		}
	}
	return all
}

// tableOpener tells where the tables are: sheets of a workbook, or files.
func (m *Mapping) tableOpener(e Export, keep bool, s *joinedSource, in *opened) (tableReader, error) {
	if len(e.Parts) == 0 {
		head, err := readHead(e)
		if err != nil {
			return nil, err
		}
		if m.input.format == formatXLSX || isZip(head) {
			return m.sheetOpener(e, s, in)
		}
		e.Parts = []Export{e}
	}
	return func(t joinedTable, sub *Mapping) (rowReader, *grid, []problem.Problem, string, error) {
		p, err := t.part(e)
		if err != nil {
			return nil, nil, nil, "", err
		}
		if p == nil {
			return m.absent(t, e.Name, codeNoPart, t.file)
		}
		p.TempDir = e.TempDir
		r, problems, err := openCSV(sub, *p, keep)
		if err != nil {
			return nil, nil, nil, "", err
		}
		s.cells[t.name] = r.cells
		return r, r.grid, problems, r.charset.name, nil
	}, nil
}

// part is the file of a table, nil where the export has none. Two of them, such
// as LINES_1.csv beside Lines_1.csv, are refused: the rows of one would be lost.
func (t joinedTable) part(e Export) (found *Export, err error) {
	for _, p := range e.Parts {
		if _, ok := t.common(p.Name); !ok {
			continue
		}
		if found != nil {
			return nil, problem.Problem{Code: codeTwoParts, Severity: problem.Refuse, Value: found.Name, Expected: p.Name, Position: problem.Position{File: e.Name}}
		}
		found = &p
	}
	return found, nil
}

func (m *Mapping) sheetOpener(e Export, s *joinedSource, in *opened) (tableReader, error) {
	book, err := openWorkbook(e)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, book.Close)
	s.book = true
	workbookFormat(&in.format, book)
	return func(t joinedTable, sub *Mapping) (rowReader, *grid, []problem.Problem, string, error) {
		sub.input.format = formatXLSX
		r, problems, err := sub.openSheet(book, e)
		if err == nil {
			r.ofCSV = m.input.format != formatXLSX
		}
		if p, ok := errors.AsType[problem.Problem](err); ok && p.Code == codeNoSheet {
			return m.absent(t, e.Name, codeNoSheet, t.sheet)
		}
		if err != nil {
			return nil, nil, nil, "", err
		}
		return sheetRows{r}, r.grid, problems, "", nil
	}, nil
}

// workbookFormat reads numbers and dates as a workbook stores them.
func workbookFormat(f *valueFormat, book *excelize.File) {
	f.numbers.machine, f.numbers.float = true, true
	f.dates.sheet = true
	if props, err := book.GetWorkbookProps(); err == nil && props.Date1904 != nil && *props.Date1904 {
		f.dates.base = base1904
	}
}

// sheetRows closes the sheet and leaves the workbook open for the others.
type sheetRows struct{ *xlsxReader }

func (r sheetRows) Close() error { return r.rows.Close() }

// absent stands for a table that the export lacks: nothing, if it may.
func (m *Mapping) absent(t joinedTable, file, code, value string) (rowReader, *grid, []problem.Problem, string, error) {
	if !t.optional {
		p := problem.Problem{Code: code, Severity: problem.Refuse, Value: value, Expected: t.name, Position: problem.Position{File: file}}
		return nil, nil, nil, "", p
	}
	g, _ := newGrid(file, "", headings{}, m.placesOf(t.name))
	for i, p := range m.places {
		if p.table == t.name {
			g.columns[i] = maxColumns // there, and always empty
		}
	}
	return noRows{}, g, nil, "", nil
}

type noRows struct{}

func (noRows) next() (*row, error) { return nil, io.EOF }
func (noRows) Close() error        { return nil }

func (s *joinedSource) close() error {
	var errs []error
	for _, c := range slices.Backward(s.closers) { // a sheet before its workbook, which removes what is open
		errs = append(errs, c())
	}
	s.closers = nil
	return errors.Join(errs...)
}

func (s *joinedSource) next() (document, error) {
	for !s.done {
		r, err := s.rows.next()
		if err == io.EOF {
			s.done = true
			s.strays = s.unclaimed()
			break
		}
		if err != nil {
			return document{}, err
		}
		s.read++
		n := rowNode{s.main, r}
		key := keyOf(n, s.m.tables[0].key)
		if key == "" && len(r.Faults) == 0 {
			continue
		}
		s.seen[key] = true
		return s.document(key, r)
	}
	if len(s.strays) == 0 {
		return document{}, io.EOF
	}
	key := s.strays[0]
	s.strays = s.strays[1:]
	return s.stray(key)
}

// unclaimed are the keys of lines that no invoice has.
func (s *joinedSource) unclaimed() (keys []string) {
	lines := s.others[s.m.lines.table]
	if lines == nil {
		return nil
	}
	for _, k := range lines.order {
		if !s.seen[k] {
			keys = append(keys, k)
		}
	}
	return keys
}

func (s *joinedSource) document(key string, r *row) (document, error) {
	s.ordinal++
	head := &joinedHead{rowNode: rowNode{s.main, r}, s: s, key: key}
	d := document{ordinal: s.ordinal, head: head, row: r.Num, rows: fmt.Sprint(r.Num), faults: r.Faults, source: []*row{r}}
	if s.m.lines.table == s.m.tables[0].name {
		d.lines = []node{head}
	}
	for _, t := range s.m.tables[1:] {
		rows, err := head.rowsOf(t.name)
		if err != nil {
			return d, err
		}
		for _, r := range rows { // also of a customer, whose cells may be a neighbour's
			d.faults = append(d.faults, r.Faults...)
			if t.name == s.m.lines.table {
				d.lines = append(d.lines, joinedRow{rowNode{s.others[t.name].grid, r}, head, t.name})
			}
		}
	}
	return d, nil
}

// stray is a document of lines whose invoice is not there: refused, because
// lines dropped in silence would be worse.
func (s *joinedSource) stray(key string) (document, error) {
	s.ordinal++
	head := &joinedHead{rowNode: rowNode{s.main, &row{}}, s: s, key: key, stray: true}
	lines, err := head.rowsOf(s.m.lines.table)
	if err != nil || len(lines) == 0 {
		return document{ordinal: s.ordinal, head: head}, err
	}
	g := s.others[s.m.lines.table].grid
	n := joinedRow{rowNode{g, lines[0]}, head, s.m.lines.table}
	p := g.fault(codeNoHead, lines[0].Num, shownKey(key), s.m.tables[0].name)
	d := document{ordinal: s.ordinal, head: n, lines: []node{n}, row: lines[0].Num, rows: rowSpans(lines), faults: []problem.Problem{p}}
	return d, nil
}
