package mappers

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"einvoice/connector/problem"
)

// Limits of an XML file: an invoice with its attachments, and nesting.
const (
	maxElementBytes = 48 << 20
	maxTextBytes    = 14 << 20 // an attachment of 10 MB in base64
	maxTagBytes     = 1 << 20
	maxElementNodes = 250_000
	maxElementDepth = 100
	nodeBytes       = 160 // about what one takes
)

// xmlSource yields one document per invoice element. The tree holds the
// ancestors of the invoice at hand and what stood before it beside them, so that
// a selector may climb; invoices that were read are cut out of it.
type xmlSource struct {
	m       *Mapping
	file    string
	scan    *xmlScanner
	charset charset

	at      *element // the element whose content is being read
	names   []string // of at and its ancestors
	depth   int      // of the invoice being read, 0 outside
	start   int64    // where it begins in the file
	ordinal int
	keep    bool
	passed  func(b []byte) // what stands outside of invoices, for a copy
	ended   bool
	nodes   int       // of the tree since the last invoice
	gap     bool      // white space stands before what comes next
	slab    []element // to be used
}

var _ source = (*xmlSource)(nil)

func (m *Mapping) openXML(e Export, keep bool) (*opened, error) {
	f, err := e.Open()
	if err != nil {
		return nil, fmt.Errorf("open export: %w", err)
	}
	s := &xmlSource{m: m, file: e.Name, keep: keep, at: &element{}}
	c, in, err := xmlCharset(f, m.input.encoding)
	if err != nil {
		f.Close()
		return nil, s.broken(err)
	}
	s.charset, s.scan = c, newXMLScanner(c.text(in))
	if keep {
		s.scan.kept = 0
	}
	return &opened{
		source: s, apart: m.inside, format: m.input.values, encoding: c.name, close: f.Close,
		rows:   func() int { return s.ordinal },
		later:  s.nothing,
		copier: func(w io.Writer, _ CopyOptions) copier { return newXMLCopier(s, w) },
	}, nil
}

// compileFinders makes the selectors of an XML mapping ready, once.
func (m *Mapping) compileFinders() error {
	if m.shape != xmlShape {
		return nil
	}
	for _, p := range m.places {
		f, err := newFinder(p.path)
		if err != nil {
			return fmt.Errorf("compile selector %q: %w", p.text, err)
		}
		m.finders = append(m.finders, f)
	}
	m.inside = m.staysInside()
	for i := range m.each {
		p := &m.each[i]
		if p.condition == "" {
			continue
		}
		f, err := newFinder(p.condition)
		if err != nil {
			return fmt.Errorf("compile condition %q: %w", p.condition, err)
		}
		p.test = func(n *element) bool { return f.node(n) != nil }
	}
	return nil
}

// nothing says that a file without any invoice is not what was meant.
func (s *xmlSource) nothing() []problem.Problem {
	if s.ordinal > 0 {
		return nil
	}
	return []problem.Problem{{
		Code: codeNoInvoice, Severity: problem.Refuse, Expected: s.m.describe(),
		Position: problem.Position{File: s.file},
	}}
}

// next reads up to the end of the next invoice.
func (s *xmlSource) next() (document, error) {
	for !s.ended {
		from := s.scan.offset()
		if s.depth == 0 {
			s.scan.element = from
			s.scan.forget(from, s.passed)
		}
		err := s.scan.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return document{}, s.broken(err)
		}
		done, err := s.token(from)
		if err != nil {
			return document{}, err
		}
		if done != nil {
			return s.document(done)
		}
	}
	s.scan.forget(s.scan.offset(), s.passed)
	return document{}, io.EOF
}

// token takes a token into the tree; it returns an invoice's element at its end.
func (s *xmlSource) token(from int64) (*element, error) {
	switch s.scan.kind {
	case directive:
		if !s.m.input.doctype && strings.HasPrefix(strings.ToUpper(trimSpace(string(s.scan.text[:min(len(s.scan.text), 100)]))), "DOCTYPE") {
			return nil, s.fault(codeDoctype, "")
		}
	case startTag:
		if err := s.open(from); err != nil {
			return nil, err
		}
		if s.scan.empty {
			return s.shut(), nil
		}
	case charData:
		s.words(s.scan.text)
	case endTag:
		return s.shut(), nil
	}
	return nil, nil
}

// words takes text into the tree. White space between elements would only fill
// it: that there was some is noted.
func (s *xmlSource) words(text []byte) {
	if len(s.names) == 0 {
		return
	}
	at := s.at
	if blank(text) {
		s.gap = true
		if !at.around {
			at.blank += string(text)
		}
		return
	}
	if !at.around {
		at.content, at.blank = at.content+at.blank+string(text), ""
	} else {
		n := s.element()
		n.content, n.gap = string(text), s.gap
		at.add(n)
	}
	s.gap = false
}

func blank(text []byte) bool {
	for _, c := range text {
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return false
		}
	}
	return true
}

// element gives an empty one; many are allocated together, but never of two
// invoices: each would keep the one before it from being forgotten.
func (s *xmlSource) element() *element {
	if len(s.slab) == 0 {
		s.slab = make([]element, min(8+s.nodes, 256))
	}
	n := &s.slab[0]
	s.slab = s.slab[1:]
	return n
}

func (s *xmlSource) open(from int64) error {
	t := s.scan
	n := s.element()
	n.name, n.line, n.gap = t.name, t.line, s.gap
	s.gap = false
	if len(t.attributes) > 0 {
		n.attributes = append([]attribute(nil), t.attributes...)
	}
	s.at.spread(s.element)
	s.at.add(n)
	s.at = n
	if s.nodes += 1 + len(t.attributes); s.nodes > maxElementNodes {
		return s.broken(errElementTooLong)
	}
	s.names = append(s.names, t.name)
	if len(s.names) > maxElementDepth {
		return s.fault(codeDeepXML, fmt.Sprint(maxElementDepth))
	}
	if s.depth == 0 && s.begins() {
		s.depth, s.start = len(s.names), from
	}
	return nil
}

// begins tells whether the element just opened may be an invoice.
func (s *xmlSource) begins() bool {
	for _, p := range s.m.each {
		if fits(p.steps, s.names) {
			return true
		}
	}
	return false
}

// fits matches the steps of a path with the names from the root.
func fits(steps []elementStep, names []string) bool {
	if len(steps) == 0 {
		return len(names) == 0
	}
	last, name := steps[len(steps)-1], len(names)-1
	if name < 0 || last.name != "*" && last.name != names[name] {
		return false
	}
	if !last.deep {
		return fits(steps[:len(steps)-1], names[:name])
	}
	for cut := name; cut >= 0; cut-- {
		if fits(steps[:len(steps)-1], names[:cut]) {
			return true
		}
	}
	return false
}

// shut closes an element; it returns it when it is an invoice.
func (s *xmlSource) shut() *element {
	n, depth := s.at, len(s.names)
	n.settle()
	s.gap = false
	names := s.names
	s.at, s.names = n.parent, s.names[:depth-1]
	s.ended = depth == 1
	if s.depth != depth {
		return nil
	}
	s.depth = 0
	for _, p := range s.m.each {
		if fits(p.steps, names) && (p.test == nil || p.test(n)) {
			return n
		}
	}
	return nil // it stays in the tree: what is no invoice may be a header
}

// document makes a document of an invoice's element and cuts it out of the tree.
func (s *xmlSource) document(n *element) (document, error) {
	s.ordinal++
	n.ordinal = s.ordinal
	end := s.scan.offset()
	head := xmlNode{s: s, n: n}
	d := document{ordinal: s.ordinal, row: n.line, head: head, lines: head.children(s.m.lines.each.place)}
	d.rows, d.bytes = rowSpan(n.line, s.scan.line), int(end-s.start)+s.nodes*nodeBytes
	s.nodes, s.slab = 0, nil
	if s.keep {
		d.raw = s.scan.raw(s.start, end)
	}
	s.scan.forget(end, nil)
	n.cut()
	return d, nil
}

func (s *xmlSource) fault(code, expected string) problem.Problem {
	return problem.Problem{
		Code: code, Severity: problem.Refuse, Expected: expected,
		Position: problem.Position{File: s.file, Row: s.scan.line, Path: "/" + strings.Join(s.names, "/")},
	}
}

// broken says why the file cannot be read further.
func (s *xmlSource) broken(err error) error {
	if errors.Is(err, errElementTooLong) {
		return s.fault(codeHugeElement, fmt.Sprintf("%d MB", maxElementBytes>>20))
	}
	p := problem.Problem{Code: codeBrokenXML, Severity: problem.Refuse, Position: problem.Position{File: s.file}}
	if s.scan != nil {
		p = s.fault(codeBrokenXML, "")
	}
	syntax, ok := errors.AsType[*xmlSyntax](err)
	if !ok && !errors.Is(err, errEncoding) {
		return fmt.Errorf("read XML: %w", err)
	}
	reason := err.Error()
	if ok {
		p.Position.Row, reason = syntax.line, syntax.reason
	}
	p.Args = map[string]string{"reason": reason}
	return p
}
