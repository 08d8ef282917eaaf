package mappers

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"einvoice/connector/problem"
	"einvoice/mappers/seen"
)

// maxRows is how many rows one invoice may have.
const maxRows = 50_000

// grouper makes documents of rows that bear the same key.
type grouper struct {
	m     *Mapping
	grid  *grid
	rows  rowReader
	known *seen.Set // every key, so that one that comes back is known
	count int       // documents so far
	read  int       // rows so far

	torn    []*torn // rows since the last document that may be lines of the next one
	current gathering
	within  bool   // current is a document, and not yet closed
	left    int    // the last row with a key, where [input] leaves it out and it is of another document
	of      []*row // its rows; used again for the next one
	slab    []node // for the lines of many documents
	source  bool   // documents keep their rows, for a copy
	ready   []document
	given   int // of ready
	done    bool
	trailer *row
	after   bool // rows stand after the trailer
	scope   scope
}

// gathering is a document whose rows are being collected.
type gathering struct {
	key string
	doc document
}

func newGrouper(m *Mapping, g *grid, rows rowReader, tempDir string) *grouper {
	return &grouper{m: m, grid: g, rows: rows, known: seen.New(tempDir)}
}

var (
	_ source   = (*grouper)(nil)
	_ recycler = (*grouper)(nil)
)

func (g *grouper) next() (document, error) {
	for g.given == len(g.ready) {
		g.ready, g.given = g.ready[:0], 0
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
	g.given++
	return g.ready[g.given-1], nil
}

// filled and reuse are for the rows of a CSV that come as they stand in the file.
func (g *grouper) filled() []rowSlab {
	if r, ok := g.rows.(*csvReader); ok && r.room() != nil {
		return r.room().takeFilled()
	}
	return nil
}

func (g *grouper) reuse(slabs []rowSlab) {
	if r, ok := g.rows.(*csvReader); ok && r.room() != nil {
		r.room().reuse(slabs)
	}
}

// take puts a row where it belongs.
func (g *grouper) take(r *row) error {
	g.read++
	r.grid = g.grid
	if r.blank() && len(r.Faults) == 0 {
		return nil
	}
	key := g.key(r)
	counts, err := g.counts(r)
	if key != "" {
		g.left = 0
	}
	if err != nil || !counts {
		if key != "" && r != g.trailer && !(g.within && key == g.current.key) && (g.m.input.anyOrder || !g.heading(r)) {
			g.left = r.Num
		}
		return err
	}
	g.after = g.trailer != nil
	if r.Torn != nil && !(g.within && key == g.current.key) && g.keyMoves() {
		g.tear(r)
	}
	switch {
	case key == "" && g.m.input.fillDown && g.within && g.m.hasLines():
		g.doubt(r)
		g.add(r)
	case g.within && key == g.current.key && g.m.hasLines():
		g.add(r)
	case key == "" && isTotal(r):
	case key == "":
		g.close()
		g.orphan(r)
	default:
		g.close()
		return g.open(key, r)
	}
	return nil
}

// hasLines tells whether the rows of a document are its lines. Otherwise each row
// is a document: what a second one adds to it would be lost.
func (m *Mapping) hasLines() bool { return len(m.lines.fields) > 0 }

// doubt refuses the document at hand for a row without key that comes behind a
// row of another one, which is left out: it may be a line of either.
func (g *grouper) doubt(r *row) {
	if g.left == 0 {
		return
	}
	p := g.grid.fault(codeWhoseRow, r.Num, "", "")
	p.Args = map[string]string{"first": strconv.Itoa(g.left)}
	g.current.doc.faults = append(g.current.doc.faults, p)
	g.left = 0
}

// heading knows the header that a report repeats on every page, within a document.
func (g *grouper) heading(r *row) bool {
	for _, sel := range g.m.key {
		c := g.grid.columns[sel.place]
		text, _ := r.cell(sel.place)
		if c < 0 || c >= len(g.grid.head.shown) || trimSpace(text) != g.grid.head.shown[c] {
			return false
		}
	}
	return true
}

// counts tells whether a row is one of the table's: not the trailer, and not
// left out by [input] where. A row that cannot be judged stays, with its fault.
func (g *grouper) counts(r *row) (bool, error) {
	if len(r.Faults) > 0 || g.m.end == nil && g.m.input.where == nil {
		return true, nil
	}
	g.scope.node, g.scope.head, g.scope.format = r, r, g.m.input.values
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
	return g.trailer, true
}

// partial tells that a trailer would count what is not here: a copy has only the
// failing documents.
func (g *grouper) partial() bool { return g.grid.copied }

// key joins the cells of the key, or takes the first that is not empty.
func (g *grouper) key(r *row) string {
	r.grid = g.grid
	key, empty := "", true
	for i, sel := range g.m.key {
		text, _ := r.cell(sel.place)
		text = trimSpace(text)
		empty = empty && text == ""
		switch {
		case i == 0 || g.m.keyAny:
			key = text
		default:
			key += keyJoint + text
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

// keyJoint stands between the parts of a key.
const keyJoint = "\x1f"

func shownKey(key string) string { return strings.ReplaceAll(key, keyJoint, " / ") }

// keyPosition is where a row's key stands, or should.
func (g *grouper) keyPosition(r *row) problem.Position {
	for _, sel := range g.m.key {
		if g.grid.columns[sel.place] >= 0 {
			return r.where(sel.place)
		}
	}
	return r.place()
}

func (g *grouper) open(key string, r *row) error {
	g.count++
	d := document{ordinal: g.count, row: r.Num, head: r}
	first, again, err := seenBefore(g.known, []byte(key), firstSeen{g.count, r.Num})
	if err != nil {
		return err
	}
	if again {
		d.spoils = first.ordinal
		code := codeKeyAgain
		if !g.m.hasLines() {
			code = codeTwice
		}
		p := g.grid.fault(code, r.Num, shownKey(key), "")
		p.Position = g.keyPosition(r)
		p.Args = map[string]string{"first": strconv.Itoa(first.row)}
		d.faults = append(d.faults, p)
	}
	if r.Torn == nil {
		for _, t := range g.torn {
			d.faults = append(d.faults, t.of(key)...)
		}
		g.torn = nil
	}
	g.current, g.within = gathering{key: key, doc: d}, true
	g.add(r)
	return nil
}

func (g *grouper) add(r *row) {
	d := &g.current.doc
	switch {
	case len(g.of) < maxRows:
		d.faults = append(d.faults, r.Faults...)
	case len(g.of) == maxRows:
		d.faults = append(d.faults, g.grid.fault(codeManyRows, r.Num, "", fmt.Sprint(maxRows)))
	default:
		return
	}
	g.of = append(g.of, r)
	d.bytes += r.size
}

func (g *grouper) close() {
	if !g.within {
		return
	}
	d := g.current.doc
	d.rows = rowSpans(g.of)
	d.lines = g.nodes(g.of[:min(len(g.of), maxRows)])
	if g.source {
		d.source = append([]*row(nil), g.of...)
	}
	g.ready = append(g.ready, d)
	g.of, g.within = g.of[:0], false
}

// nodes are rows as nodes. They come out of a slab: most documents have few.
func (g *grouper) nodes(rows []*row) []node {
	if len(rows) > cap(g.slab)-len(g.slab) {
		g.slab = make([]node, 0, max(min(2*cap(g.slab), slabRows), len(rows)))
	}
	from := len(g.slab)
	for _, r := range rows {
		g.slab = append(g.slab, r)
	}
	return g.slab[from:len(g.slab):len(g.slab)]
}

// slabRows is how many rows are allocated together.
const slabRows = 128

// rowSpans writes rows as people do: "14-18, 25".
func rowSpans(rows []*row) string {
	if n := len(rows); rows[n-1].Num-rows[0].Num == n-1 && rows[n-1].Last <= rows[n-1].Num {
		return rowSpan(rows[0].Num, rows[n-1].Num)
	}
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
	p := g.grid.fault(codeNoKey, r.Num, "", "")
	p.Position = g.keyPosition(r)
	g.ready = append(g.ready, document{
		head: r, lines: []node{r}, row: r.Num, rows: fmt.Sprint(r.Num), ordinal: g.count,
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
