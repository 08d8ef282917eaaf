package mappers

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/antchfx/xpath"
)

// finder is a selector ready to be evaluated. Most are paths of names with
// simple conditions, which are walked at once; others need the XPath engine,
// though not where the names that they begin with lead nowhere.
type finder struct {
	steps []step
	attr  string // the attribute at the end, without @

	mu   sync.Mutex // the engine keeps state while it evaluates
	expr *xpath.Expr
}

// step is a name, or *, and what its elements must meet.
type step struct {
	name string
	test predicate // nil: nothing
}

// predicate is a condition on an element.
type predicate func(*element) bool

func newFinder(path string) (*finder, error) {
	p := pathParser{rest: path}
	f, ok := p.finder()
	if ok && p.rest == "" {
		return f, nil
	}
	e, err := compileXPath(path)
	if err != nil {
		return nil, err
	}
	return &finder{expr: e, steps: leading(path)}, nil
}

// compileXPath is for every path that comes from a mapping: the engine answers
// some with a panic.
func compileXPath(path string) (e *xpath.Expr, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	return xpath.Compile(path)
}

// leadingNames are those that a path begins with, up to its first condition;
// plainOutside is a path whose conditions were taken out: an operator beside it
// would give a value where the path leads nowhere.
var (
	leadingNames = regexp.MustCompile(`^([\pL_][\pL\pN_.-]*(?:/[\pL_][\pL\pN_.-]*)*)(?:[\[/]|$)`)
	plainOutside = regexp.MustCompile(`^[\pL_][\pL\pN_.-]*(?:/(?:@?[\pL_][\pL\pN_.-]*|\*|\.\.|text\(\)))*$`)
)

func leading(path string) (steps []step) {
	m := leadingNames.FindStringSubmatch(path)
	if m == nil || !plainOutside.MatchString(withoutConditions(path)) {
		return nil
	}
	for _, name := range strings.Split(m[1], "/") {
		steps = append(steps, step{name: name})
	}
	return steps
}

// withoutConditions takes out what stands in brackets.
func withoutConditions(path string) string {
	var out strings.Builder
	depth, quote := 0, byte(0)
	for i := range len(path) {
		switch c := path[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			if quote = c; depth == 0 {
				out.WriteByte(c) // which makes the path no plain one
			}
		case c == '[':
			depth++
		case c == ']':
			depth--
		case depth == 0:
			out.WriteByte(c)
		}
	}
	return out.String()
}

// first gives the first element found in document order, nil if there is none.
func (f *finder) first(n *element) *element { return descend(n, f.steps, f.reaches) }

// reaches tells whether the attribute at the end of the path is there.
func (f *finder) reaches(n *element) bool {
	if f.attr == "" {
		return true
	}
	_, ok := n.attribute(f.attr)
	return ok
}

// descend walks the steps in document order until the end of one is wanted.
func descend(n *element, steps []step, wanted func(*element) bool) *element {
	if len(steps) == 0 {
		if wanted(n) {
			return n
		}
		return nil
	}
	s := &steps[0]
	for c := n.first; c != nil; c = c.after {
		if c.name != s.name && (s.name != "*" || c.name == "") || s.test != nil && !s.test(c) {
			continue
		}
		if found := descend(c, steps[1:], wanted); found != nil {
			return found
		}
	}
	return nil
}

// text is the value of the first place found; ok is false where there is none.
func (f *finder) text(n *element) (string, bool) {
	if f.expr == nil {
		found := f.first(n)
		switch {
		case found == nil:
			return "", false
		case f.attr != "":
			return found.attribute(f.attr)
		}
		return found.text(), true
	}
	if f.leadsNowhere(n) {
		return "", false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
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

// leadsNowhere spares the engine.
func (f *finder) leadsNowhere(n *element) bool {
	return len(f.steps) > 0 && descend(n, f.steps, func(*element) bool { return true }) == nil
}

// nodes are all elements found, in document order.
func (f *finder) nodes(n *element) []*element {
	var all []*element
	if f.expr == nil {
		descend(n, f.steps, func(e *element) bool {
			if f.reaches(e) {
				all = append(all, e)
			}
			return false // go on
		})
		return all
	}
	if f.leadsNowhere(n) {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	it, ok := f.expr.Evaluate(walkFrom(n)).(*xpath.NodeIterator)
	if !ok {
		return nil
	}
	for it.MoveNext() {
		if nav, ok := it.Current().(*walker); ok {
			all = append(all, nav.at)
		}
	}
	return all
}

// node is the first element found, or the one that bears the attribute.
func (f *finder) node(n *element) *element {
	if f.expr == nil {
		return f.first(n)
	}
	if all := f.nodes(n); len(all) > 0 {
		return all[0]
	}
	return nil
}

// climbs finds what may leave the element that a path starts from.
var climbs = regexp.MustCompile(`(?:^|[|(\[=<>+,]|and |or )\s*/|//|ancestor|parent|preceding|following|document`)

// staysInside tells whether every selector looks only into the invoice it is
// asked of: then invoices can be read ahead while others are still asked. Steps
// up are no harm where there are as many names before them.
func (m *Mapping) staysInside() bool {
	for _, p := range m.places {
		if climbs.MatchString(p.path) || strings.Count(p.path, "..") > len(leading(p.path)) {
			return false
		}
	}
	return true
}
