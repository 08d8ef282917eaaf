package mappers

import (
	"fmt"
	"regexp"
	"strings"

	"einvoice/connector/problem"

	"github.com/antchfx/xpath"
)

// xmlNode is an element as the binder sees it.
type xmlNode struct {
	s *xmlSource
	n *element
}

var _ node = xmlNode{}

func (x xmlNode) cell(place int) (string, bool) { return x.s.finders[place].text(x.n) }

func (x xmlNode) where(place int) problem.Position {
	p := problem.Position{File: x.s.file, Row: x.n.line, Path: pathOf(x.n)}
	if found := x.s.finders[place].node(x.n); found != nil {
		p.Row, p.Path = found.line, pathOf(found)
	}
	p.Column = x.s.m.places[place].text
	return p
}

func (x xmlNode) children(place int) []node {
	var all []node
	for _, n := range x.s.finders[place].nodes(x.n) {
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

// finder is a selector ready to be evaluated: most are plain paths, which need
// no XPath engine.
type finder struct {
	steps []string // of a plain path
	attr  string   // its last step, without @
	expr  *xpath.Expr
}

// plainPath is names from the element at hand, and an attribute at the end.
var plainPath = regexp.MustCompile(`^(?:[\pL_][\pL\pN_.-]*(?:/[\pL_][\pL\pN_.-]*)*(?:/@[\pL_][\pL\pN_.-]*)?|@[\pL_][\pL\pN_.-]*)$`)

func newFinder(path string) (finder, error) {
	if !plainPath.MatchString(path) {
		e, err := xpath.Compile(path)
		return finder{expr: e}, err
	}
	f := finder{steps: strings.Split(path, "/")}
	if last := f.steps[len(f.steps)-1]; last[0] == '@' {
		f.attr, f.steps = last[1:], f.steps[:len(f.steps)-1]
	}
	return f, nil
}

// text is the value of the first place found; ok is false where there is none.
func (f finder) text(n *element) (string, bool) {
	if f.expr == nil {
		found := f.descend(n, f.steps, nil, true)
		if len(found) == 0 {
			return "", false
		}
		if f.attr != "" {
			return found[0].attribute(f.attr)
		}
		return found[0].text(), true
	}
	switch v := f.expr.Evaluate(walkFrom(n)).(type) {
	case *xpath.NodeIterator:
		if !v.MoveNext() {
			return "", false
		}
		return v.Current().Value(), true
	case float64:
		return "", false // count() and sum() are floats; money never meets one
	case nil:
		return "", false
	default:
		return fmt.Sprint(v), true
	}
}

// descend collects the elements at the end of a plain path, in document order.
func (f finder) descend(n *element, steps []string, found []*element, first bool) []*element {
	if len(steps) == 0 {
		if f.attr != "" {
			if _, ok := n.attribute(f.attr); !ok {
				return found
			}
		}
		return append(found, n)
	}
	for c := n.first; c != nil; c = c.after {
		if c.name == steps[0] {
			found = f.descend(c, steps[1:], found, first)
			if first && len(found) > 0 {
				return found
			}
		}
	}
	return found
}

// nodes are all elements found.
func (f finder) nodes(n *element) []*element {
	if f.expr == nil {
		return f.descend(n, f.steps, nil, false)
	}
	it, ok := f.expr.Evaluate(walkFrom(n)).(*xpath.NodeIterator)
	if !ok {
		return nil
	}
	var all []*element
	for it.MoveNext() {
		if nav, ok := it.Current().(*walker); ok {
			all = append(all, nav.at)
		}
	}
	return all
}

// node is the first element found, or the one that bears the attribute.
func (f finder) node(n *element) *element {
	var all []*element
	if f.expr == nil {
		all = f.descend(n, f.steps, nil, true)
	} else {
		all = f.nodes(n)
	}
	if len(all) == 0 {
		return nil
	}
	return all[0]
}
