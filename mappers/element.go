package mappers

import (
	"strings"

	"github.com/antchfx/xpath"
)

// element is an XML element, or a text when it has no name. Namespaces are left
// out: exports of one product come with prefixes, a default namespace or none.
type element struct {
	name        string
	content     string // of a text
	attributes  []attribute
	parent      *element
	first, last *element // children
	before      *element // siblings
	after       *element
	line        int
	ordinal     int // of an invoice: those before it are cut out
}

type attribute struct{ name, value string }

// add appends a child.
func (e *element) add(child *element) {
	child.parent, child.before = e, e.last
	if e.last == nil {
		e.first = child
	} else {
		e.last.after = child
	}
	e.last = child
}

// cut takes the element out of its parent's children. It still knows its parent,
// so that selectors can climb.
func (e *element) cut() {
	if e.before != nil {
		e.before.after = e.after
	} else {
		e.parent.first = e.after
	}
	if e.after != nil {
		e.after.before = e.before
	} else {
		e.parent.last = e.before
	}
	e.before, e.after = nil, nil
}

// text is all text inside.
func (e *element) text() string {
	if e.name == "" && e.parent != nil {
		return e.content
	}
	if e.first != nil && e.first == e.last {
		return e.first.text()
	}
	var out strings.Builder
	for c := e.first; c != nil; c = c.after {
		out.WriteString(c.text())
	}
	return out.String()
}

func (e *element) attribute(name string) (string, bool) {
	for _, a := range e.attributes {
		if a.name == name {
			return a.value, true
		}
	}
	return "", false
}

// walker lets the XPath engine walk over elements.
type walker struct {
	at   *element
	attr int // of the attribute it stands on, -1 for the element itself
}

var _ xpath.NodeNavigator = (*walker)(nil)

func walkFrom(e *element) *walker { return &walker{at: e, attr: -1} }

func (w *walker) NodeType() xpath.NodeType {
	switch {
	case w.attr >= 0:
		return xpath.AttributeNode
	case w.at.parent == nil:
		return xpath.RootNode
	case w.at.name == "":
		return xpath.TextNode
	}
	return xpath.ElementNode
}

func (w *walker) LocalName() string {
	if w.attr >= 0 {
		return w.at.attributes[w.attr].name
	}
	return w.at.name
}

func (w *walker) Prefix() string { return "" }

func (w *walker) Value() string {
	if w.attr >= 0 {
		return w.at.attributes[w.attr].value
	}
	return w.at.text()
}

func (w *walker) Copy() xpath.NodeNavigator { c := *w; return &c }

func (w *walker) MoveToRoot() {
	for w.at.parent != nil {
		w.at = w.at.parent
	}
	w.attr = -1
}

func (w *walker) MoveToParent() bool {
	if w.attr >= 0 {
		w.attr = -1
		return true
	}
	return w.move(w.at.parent)
}

func (w *walker) MoveToNextAttribute() bool {
	if w.attr+1 >= len(w.at.attributes) {
		return false
	}
	w.attr++
	return true
}

func (w *walker) MoveToChild() bool { return w.attr < 0 && w.move(w.at.first) }

func (w *walker) MoveToFirst() bool {
	if w.attr >= 0 || w.at.before == nil {
		return false
	}
	for w.at.before != nil {
		w.at = w.at.before
	}
	return true
}

func (w *walker) MoveToNext() bool     { return w.attr < 0 && w.move(w.at.after) }
func (w *walker) MoveToPrevious() bool { return w.attr < 0 && w.move(w.at.before) }

func (w *walker) MoveTo(other xpath.NodeNavigator) bool {
	o, ok := other.(*walker)
	if ok {
		*w = *o
	}
	return ok
}

func (w *walker) move(to *element) bool {
	if to == nil {
		return false
	}
	w.at = to
	return true
}
