package mappers

import (
	"fmt"
	"strings"

	"einvoice/connector/problem"
)

// xmlNode is an element as the binder sees it.
type xmlNode struct {
	s *xmlSource
	n *element
}

var _ node = xmlNode{}

func (x xmlNode) cell(place int) (string, bool) { return x.s.m.finders[place].text(x.n) }

func (x xmlNode) where(place int) problem.Position {
	p := problem.Position{File: x.s.file, Row: x.n.line, Path: pathOf(x.n)}
	if found := x.s.m.finders[place].node(x.n); found != nil {
		p.Row, p.Path = found.line, pathOf(found)
	}
	p.Column = x.s.m.places[place].text
	return p
}

func (x xmlNode) children(place int) []node {
	var all []node
	for _, n := range x.s.m.finders[place].nodes(x.n) {
		all = append(all, xmlNode{x.s, n})
	}
	return all
}

// place says where the element stands.
func (x xmlNode) place() problem.Position {
	return problem.Position{File: x.s.file, Row: x.n.line, Path: pathOf(x.n)}
}

// pathOf writes the way from the root: /Invoices/Invoice[3]/Date, the number of
// an element among its like-named siblings from the second on.
func pathOf(n *element) string {
	var parts []string
	for ; n != nil && n.name != ""; n = n.parent {
		before := max(1, n.ordinal)
		for b := n.before; b != nil; b = b.before {
			if b.name == n.name {
				before++
			}
		}
		part := n.name
		if before > 1 {
			part = fmt.Sprintf("%s[%d]", part, before)
		}
		parts = append(parts, part)
	}
	var path strings.Builder
	for i := len(parts) - 1; i >= 0; i-- {
		path.WriteString("/" + parts[i])
	}
	return path.String()
}
