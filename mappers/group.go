package mappers

import (
	"fmt"
	"hash/maphash"
	"io"
	"regexp"
	"strings"

	"einvoice/connector/problem"
)

// maxRows is how many rows one invoice may have.
const maxRows = 50_000

// grouper makes documents of rows that bear the same key.
type grouper struct {
	m     *Mapping
	grid  *grid
	rows  rowReader
	seed  maphash.Seed
	known map[uint64]firstSeen // of every key, so that one that comes back is known
	count int                  // documents so far
	read  int                  // rows so far

	current *gathering
	ready   []document
	done    bool
	trailer *row
	after   bool // rows stand after the trailer
	scope   scope
}

// firstSeen is where a key was met first.
type firstSeen struct{ ordinal, row int }

// gathering is a document whose rows are being collected.
type gathering struct {
	key string
	doc document
	row []*row
}

func newGrouper(m *Mapping, g *grid, rows rowReader) *grouper {
	return &grouper{m: m, grid: g, rows: rows, seed: maphash.MakeSeed(), known: map[uint64]firstSeen{}}
}

var _ source = (*grouper)(nil)

func (g *grouper) next() (document, error) {
	for len(g.ready) == 0 {
		if g.done {
			return document{}, io.EOF
		}
		r, err := g.rows.next()
		if err == io.EOF {
			g.close()
			g.done = true
			continue
		}
		if err != nil {
			return document{}, err
		}
		if err := g.take(r); err != nil {
			return document{}, err
		}
	}
	d := g.ready[0]
	g.ready = g.ready[1:]
	return d, nil
}

// take puts a row where it belongs.
func (g *grouper) take(r *row) error {
	g.read++
	if r.blank() && len(r.Faults) == 0 {
		return nil
	}
	counts, err := g.counts(r)
	if err != nil || !counts {
		return err
	}
	g.after = g.trailer != nil
	key := g.key(r)
	switch {
	case key == "" && g.m.input.fillDown && g.current != nil, g.current != nil && key == g.current.key:
		g.add(r)
	case key == "" && isTotal(r):
	case key == "":
		g.close()
		g.orphan(r)
	default:
		g.close()
		g.open(key, r)
	}
	return nil
}

// counts tells whether a row is one of the table's: not the trailer, and not
// left out by [input] where. A row that cannot be judged stays, with its fault.
func (g *grouper) counts(r *row) (bool, error) {
	if len(r.Faults) > 0 {
		return true, nil
	}
	n := rowNode{g.grid, r}
	g.scope = scope{node: n, head: n, format: g.m.input.values}
	if g.m.end != nil {
		if last, err := g.m.end.trailer.run(&g.scope); err == nil && last == true {
			g.trailer, g.after = r, false
			return false, nil
		}
	}
	if g.m.input.where == nil {
		return true, nil
	}
	yes, err := g.m.input.where.run(&g.scope)
	return err != nil || yes == true, nil
}

// trailerNode is the trailer row, if it is the last.
func (g *grouper) trailerNode() (node, bool) {
	if g.trailer == nil || g.after {
		return nil, false
	}
	return rowNode{g.grid, g.trailer}, true
}

// partial tells that a trailer would count what is not here: a copy has only the
// failing documents.
func (g *grouper) partial() bool { return g.grid.copied }

// key joins the cells of the key, or takes the first that is not empty.
func (g *grouper) key(r *row) string {
	key, empty := "", true
	for i, sel := range g.m.key {
		text, _ := rowNode{g.grid, r}.cell(sel.place)
		text = trimSpace(text)
		empty = empty && text == ""
		switch {
		case i == 0 || g.m.keyAny:
			key = text
		default:
			key += "\x1f" + text
		}
		if g.m.keyAny && !empty {
			return key
		}
	}
	if empty {
		return ""
	}
	return key
}

// keyPosition is where a row's key stands, or should.
func (g *grouper) keyPosition(r *row) problem.Position {
	n := rowNode{g.grid, r}
	for _, sel := range g.m.key {
		if g.grid.columns[sel.place] >= 0 {
			return n.where(sel.place)
		}
	}
	return n.place()
}

func (g *grouper) open(key string, r *row) {
	g.count++
	d := document{ordinal: g.count, row: r.Num, head: rowNode{g.grid, r}}
	hash := maphash.String(g.seed, key)
	if first, again := g.known[hash]; again {
		d.spoils = first.ordinal
		p := g.grid.fault(codeKeyAgain, r.Num, strings.ReplaceAll(key, "\x1f", " / "), "")
		p.Position = g.keyPosition(r)
		p.Args = map[string]string{"first": fmt.Sprint(first.row)}
		d.faults = append(d.faults, p)
	} else {
		g.known[hash] = firstSeen{g.count, r.Num}
	}
	g.current = &gathering{key: key, doc: d}
	g.add(r)
}

func (g *grouper) add(r *row) {
	c := g.current
	if len(c.row) >= maxRows {
		if len(c.row) == maxRows {
			c.doc.faults = append(c.doc.faults, g.grid.fault(codeManyRows, r.Num, "", fmt.Sprint(maxRows)))
			c.row = append(c.row, r)
		}
		return
	}
	c.row = append(c.row, r)
	c.doc.lines = append(c.doc.lines, rowNode{g.grid, r})
	c.doc.faults = append(c.doc.faults, r.Faults...)
}

func (g *grouper) close() {
	if g.current == nil {
		return
	}
	d, rows := g.current.doc, g.current.row
	d.rows = rowSpans(rows)
	d.source = rows
	g.ready = append(g.ready, d)
	g.current = nil
}

// rowSpans writes rows as people do: "14-18, 25".
func rowSpans(rows []*row) string {
	var parts []string
	for i := 0; i < len(rows); {
		j := i
		for j+1 < len(rows) && rows[j+1].Num-max(rows[j].Num, rows[j].Last) <= 1 {
			j++
		}
		parts = append(parts, rowSpan(rows[i].Num, max(rows[j].Num, rows[j].Last)))
		i = j + 1
	}
	if len(parts) > 20 {
		parts = append(parts[:20], "...")
	}
	return strings.Join(parts, ", ")
}

// orphan is a row without a key. It is a document of its own, refused: a line
// dropped in silence would be worse.
func (g *grouper) orphan(r *row) {
	g.count++
	n := rowNode{g.grid, r}
	p := g.grid.fault(codeNoKey, r.Num, "", "")
	p.Position = g.keyPosition(r)
	g.ready = append(g.ready, document{
		head: n, lines: []node{n}, row: r.Num, rows: fmt.Sprint(r.Num), ordinal: g.count,
		faults: append([]problem.Problem{p}, r.Faults...), source: []*row{r},
	})
}

// totalLabel is how a cell of a total row begins.
var totalLabel = regexp.MustCompile(`(?i)(?:^|[;,\t|"])\s*(sous-?\s*|grand\s+)?tota(l|ux)\b`)

// isTotal knows the total rows that reports end with; their label may stand in a
// column that the mapping does not name.
func isTotal(r *row) bool {
	if r.Total || totalLabel.Match(r.line) {
		return true
	}
	for _, c := range r.Cells {
		if totalLabel.MatchString(trimSpace(c)) {
			return true
		}
	}
	return false
}
