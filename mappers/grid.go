package mappers

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"einvoice/connector/problem"
)

// row is a row of a table. Of a CSV only the cells that the mapping names are
// filled, also when a copy is written: the others are in Kept.
type row struct {
	Num    int // as an editor or Excel shows it
	Last   int // its last line, where a cell has several
	Cells  []string
	Faults []problem.Problem
	Kept   *rowBytes // CSV, for a copy
	Total  bool      // a row of totals, told when it was read
	Torn   []string  // CSV: all cells of a row that has other ones than the header
	line   []byte    // CSV: all of the row, until the next one is read
	Width  int       // CSV: its cells, where only those that are read are kept
	grid   *grid     // the table
	size   int       // of the row as read, in bytes
}

// rowBytes is a row as it stands in the file.
type rowBytes struct {
	Raw   []byte
	Spans []span // its cells
}

func (s *splitter) rowBytes() *rowBytes {
	return &rowBytes{Raw: bytes.Clone(s.record), Spans: slices.Clone(s.spans)}
}

func (r *row) blank() bool {
	for _, c := range r.Cells {
		if trimSpace(c) != "" {
			return false
		}
	}
	return true
}

// rowReader yields the rows below the header; io.EOF ends them.
type rowReader interface {
	next() (*row, error)
	Close() error
}

// grid is a table whose header was matched with the mapping's places.
type grid struct {
	file, sheet string
	head        headings
	columns     []int // by place: a column from 0, -1 where there is none
	slots       []int // by place: where in a row's cells, which hold only columns that are read; nil: at its column
	release     int   // the column of _release, -1
	releaseSlot int   // and where it is in a row's cells
	copied      bool  // it has our columns: it is a correctable copy
}

// newGrid finds every place in the header; what is missing is a problem of the file.
func newGrid(file, sheet string, head headings, places []place) (*grid, []problem.Problem) {
	g := &grid{file: file, sheet: sheet, head: head, columns: make([]int, len(places)), release: -1, releaseSlot: -1}
	for i, name := range head.names {
		release, ours := reserved(name)
		if release {
			g.release, g.releaseSlot = i, i
		}
		g.copied = g.copied || ours
	}
	var problems []problem.Problem
	for i, p := range places {
		g.columns[i] = p.position - 1
		if p.position > 0 {
			continue
		}
		at := head.find(p.text, p.normal)
		switch {
		case len(at) > 1:
			problems = append(problems, g.twice(p, at))
			fallthrough
		case len(at) == 1:
			g.columns[i] = at[0]
		}
	}
	return g, problems
}

// unused are the headers of the columns that no place reads.
func (g *grid) unused() (names []string) {
	used := g.wanted(len(g.head.shown))
	for i, name := range g.head.shown {
		if _, ours := reserved(name); !used[i] && !ours && name != "" {
			names = append(names, name)
		}
	}
	return names
}

// named is the table as a sheet of that name.
func (g *grid) named(sheet string) *grid {
	out := *g
	out.sheet = sheet
	return &out
}

func (g *grid) twice(p place, at []int) problem.Problem {
	letters := make([]string, len(at))
	for i, c := range at {
		letters[i] = columnLetter(c + 1)
	}
	return problem.Problem{
		Code: codeTwoColumns, Severity: problem.Refuse, Value: p.text, Position: g.position(g.head.row, at[0]),
		Args: map[string]string{"columns": strings.Join(letters, ", ")},
	}
}

// missing lists the named columns that the header lacks. Of a list of names in
// from, one is enough.
func (g *grid) missing(m *Mapping) []problem.Problem {
	return m.missing(g.columns, func(string) *grid { return g })
}

// missing is that of several tables, of which columns are in one list.
func (m *Mapping) missing(columns []int, of func(table string) *grid) []problem.Problem {
	var problems []problem.Problem
	said := map[int]bool{}
	for _, names := range m.needed() {
		absent := true
		for _, sel := range names {
			if m.places[sel.place].optional || columns[sel.place] >= 0 {
				absent = false
			}
		}
		first := names[0].place
		if !absent || said[first] {
			continue
		}
		said[first] = true
		wanted, g := m.places[first].text, of(m.places[first].table)
		problems = append(problems, problem.Problem{
			Code: codeNoColumn, Severity: problem.Refuse, Value: wanted, Expected: g.suggest(m, names),
			Position: problem.Position{File: g.file, Sheet: g.sheet, Row: g.head.row},
		})
	}
	return problems
}

// suggest names the header nearest to any of the names, else the headers there
// are. "Quantite vendue" is nearer to "Quantité" than "Unité", whatever the edits.
func (g *grid) suggest(m *Mapping, names []selector) string {
	for _, near := range []func(string) string{g.head.sameWords, g.head.nearest} {
		for _, sel := range names {
			if header := near(m.places[sel.place].text); header != "" {
				return header
			}
		}
	}
	list := strings.Join(g.head.names, ", ")
	if r := []rune(list); len(r) > 200 {
		list = string(r[:200]) + "..."
	}
	return list
}

// needed are the groups of selectors of which one column must exist.
func (m *Mapping) needed() [][]selector {
	var all [][]selector
	add := func(r *rule) {
		if r == nil {
			return
		}
		if len(r.from) > 0 {
			all = append(all, r.from)
		}
		all = append(all, singles(r.expr)...)
	}
	for _, k := range m.key {
		if m.keyAny {
			break // it is what document_number is read from
		}
		all = append(all, []selector{k})
	}
	for _, t := range m.tables {
		for _, k := range t.key {
			all = append(all, []selector{k})
		}
	}
	for _, b := range m.head {
		add(b.rule)
	}
	for _, b := range m.lines.fields {
		add(b.rule)
	}
	for _, c := range m.charges {
		add(c.description)
		add(c.rate)
		add(c.category)
		for _, e := range []*expression{c.when, c.amount, c.percent} {
			all = append(all, singles(e)...)
		}
	}
	for _, e := range []*expression{m.where, m.lines.where, m.input.where, m.credit.when} {
		all = append(all, singles(e)...)
	}
	if m.end != nil {
		all = append(all, singles(m.end.trailer)...)
	}
	return all
}

// singles are the selectors of an expression, each needed for itself.
func singles(e *expression) [][]selector {
	if e == nil {
		return nil
	}
	var all [][]selector
	for _, sel := range e.uses {
		all = append(all, []selector{sel})
	}
	return all
}

// reach is how many columns a row has up to the last that is read, whether the
// file has it or not: what a copy adds must stand behind it.
func (g *grid) reach() int { return slices.Max(append([]int{-1}, g.columns...)) + 1 }

// wanted marks the columns whose cells are to be read; nil means all.
func (g *grid) wanted(width int) []bool {
	marks := make([]bool, width)
	for _, c := range append([]int{g.release}, g.columns...) {
		if c >= 0 && c < width {
			marks[c] = true
		}
	}
	return marks
}

func (g *grid) position(rowNum, column int) problem.Position {
	p := problem.Position{File: g.file, Sheet: g.sheet, Row: rowNum}
	if column < len(g.head.shown) {
		p.Column = g.head.shown[column]
	}
	if p.Column == "" {
		p.Column = columnLetter(column + 1)
	}
	return p
}

// compact makes the cells of a row those that are read, and tells which columns
// they are: an ERP writes sixty columns of which a mapping reads fifteen.
func (g *grid) compact() (columns []int) {
	slot := map[int]int{}
	put := func(c int) int {
		if c < 0 {
			return -1
		}
		at, known := slot[c]
		if !known {
			at = len(columns)
			slot[c] = at
			columns = append(columns, c)
		}
		return at
	}
	g.slots = make([]int, len(g.columns))
	for place, c := range g.columns {
		g.slots[place] = put(c)
	}
	g.releaseSlot = put(g.release)
	return columns
}

// cellAt gives the cell of a row at a place.
func (g *grid) cellAt(r *row, place int) (string, bool) {
	c := g.columns[place]
	if g.slots != nil {
		if c < 0 || c >= r.Width {
			return "", false
		}
		return r.Cells[g.slots[place]], true
	}
	if c < 0 || c >= len(r.Cells) {
		return "", false
	}
	return r.Cells[c], true
}

func (g *grid) whereAt(r *row, place int) problem.Position {
	c := g.columns[place]
	if c < 0 {
		return problem.Position{File: g.file, Sheet: g.sheet, Row: r.Num}
	}
	return g.position(r.Num, c)
}

// A row is a node, once it knows its table.
var _ node = (*row)(nil)

func (r *row) cell(place int) (string, bool)    { return r.grid.cellAt(r, place) }
func (r *row) where(place int) problem.Position { return r.grid.whereAt(r, place) }
func (r *row) children(int) []node              { return nil }
func (r *row) place() problem.Position          { return rowNode{r.grid, r}.place() }

// rowNode is a row as a node of a table that it is not of alone.
type rowNode struct {
	g *grid
	r *row
}

var _ node = rowNode{}

func (n rowNode) cell(place int) (string, bool)    { return n.g.cellAt(n.r, place) }
func (n rowNode) where(place int) problem.Position { return n.g.whereAt(n.r, place) }
func (n rowNode) children(int) []node              { return nil }

// fault makes a problem of a whole row.
func (g *grid) fault(code string, rowNum int, value, expected string) problem.Problem {
	return problem.Problem{
		Code: code, Severity: problem.Refuse, Value: value, Expected: expected,
		Position: problem.Position{File: g.file, Sheet: g.sheet, Row: rowNum},
	}
}

// chooseHeader finds the header among the first rows: the row that bears most of
// the names that the mapping uses, else the first that is not empty.
func chooseHeader(rows []row, m *Mapping) (head headings, score int) {
	wanted, best := newWanted(m.places), -1
	for i, r := range rows {
		n := wanted.score(r.Cells)
		if best < 0 && !r.blank() || n > score {
			best, score = i, n
		}
	}
	if best < 0 {
		return headings{}, 0
	}
	return newHeadings(rows[best].Num, rows[best].Cells), score
}

// hasNames tells whether the mapping names columns, and not only positions.
func (m *Mapping) hasNames() bool {
	for _, p := range m.places {
		if p.position == 0 {
			return true
		}
	}
	return false
}

func rowSpan(first, last int) string {
	text := strconv.AppendInt(make([]byte, 0, 24), int64(first), 10)
	if last != first {
		text = strconv.AppendInt(append(text, '-'), int64(last), 10)
	}
	return string(text)
}

// place says where the row stands, in no column.
func (n rowNode) place() problem.Position {
	return problem.Position{File: n.g.file, Sheet: n.g.sheet, Row: n.r.Num}
}
