package mappers

import (
	"slices"
	"strings"

	"einvoice/connector/problem"
)

// torn is a row with cells too few or too many, whose key may have moved: it may
// be a line of the document before, or behind, that would go without it.
type torn struct {
	cells  []string
	faults []problem.Problem
}

// maxTorn bounds how many torn rows are remembered for the next document.
const maxTorn = 100

// of gives the faults of the row, if it may be of the document with that key: all
// parts of the key stand somewhere in it.
func (t *torn) of(key string) []problem.Problem {
	for part := range strings.SplitSeq(key, keyJoint) {
		if part != "" && !slices.Contains(t.cells, part) {
			return nil
		}
	}
	return t.faults
}

// tear refuses the document at hand, and the next one, if the row may be theirs.
func (g *grouper) tear(r *row) {
	t := &torn{cells: r.Torn, faults: r.Faults}
	if g.within {
		g.current.doc.faults = append(g.current.doc.faults, t.of(g.current.key)...)
	}
	if len(g.torn) < maxTorn {
		g.torn = append(g.torn, t)
	}
}

// keyMoves tells whether a delimiter too many can move the key: nothing stands in
// front of the first column.
func (g *grouper) keyMoves() bool {
	return slices.ContainsFunc(g.m.key, func(sel selector) bool { return g.grid.columns[sel.place] > 0 })
}
