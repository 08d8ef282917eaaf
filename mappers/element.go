package mappers

import (
	"strings"

	"github.com/antchfx/xpath"
)

// element is an XML element, or a text when it has no name. Namespaces are left
// out: exports of one product come with prefixes, a default namespace or none.
type element struct {
	name        string
	content     string // of a text, and of an element that holds nothing but text
	blank       string // white space behind content, while it is read
	attributes  []attribute
	parent      *element
	first, last *element // children
	before      *element // siblings
	after       *element
	line        int
	ordinal     int  // of an invoice: those before it are cut out
	gap         bool // white space stands before it
	around      bool // there are, or were, elements inside
}

// settle is called when the element is read: what was only white space is its text.
func (e *element) settle() {
	if !e.around && e.content == "" {
		e.content = e.blank
	}
	e.blank = ""
}

// spread makes a child of the element's own text, because it gets another child.
func (e *element) spread(fresh func() *element) {
	e.blank, e.around = "", true
	if e.content == "" || e.name == "" {
		return
	}
	n := fresh()
	n.content, n.line, e.content = e.content, e.line, ""
	e.add(n)
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

// text is all text inside, white space between elements as one space.
func (e *element) text() string {
	if e.first == nil {
		return e.content
	}
	if e.first == e.last {
		return e.first.text()
	}
	var out strings.Builder
	for c := e.first; c != nil; c = c.after {
		if c.gap && out.Len() > 0 {
			out.WriteByte(' ')
		}
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
	attr int // of the attribute it stands on, -1 for the element itself, -2 for its own text
}

const ownText = -2

var _ xpath.NodeNavigator = (*walker)(nil)

func walkFrom(e *element) *walker { return &walker{at: e, attr: -1} }

func (w *walker) NodeType() xpath.NodeType {
	switch {
	case w.attr >= 0:
		return xpath.AttributeNode
	case w.attr == ownText:
		return xpath.TextNode
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
	if w.attr == ownText {
		return ""
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
	if w.attr != -1 {
		w.attr = -1
		return true
	}
	return w.move(w.at.parent)
}

func (w *walker) MoveToNextAttribute() bool {
	if w.attr == ownText || w.attr+1 >= len(w.at.attributes) {
		return false
	}
	w.attr++
	return true
}

func (w *walker) MoveToChild() bool {
	if w.attr == -1 && w.at.first == nil && w.at.name != "" && w.at.content != "" {
		w.attr = ownText
		return true
	}
	return w.attr == -1 && w.move(w.at.first)
}

func (w *walker) MoveToFirst() bool {
	if w.attr != -1 || w.at.before == nil {
		return false
	}
	for w.at.before != nil {
		w.at = w.at.before
	}
	return true
}

func (w *walker) MoveToNext() bool     { return w.attr == -1 && w.move(w.at.after) }
func (w *walker) MoveToPrevious() bool { return w.attr == -1 && w.move(w.at.before) }

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
