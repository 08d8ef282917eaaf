package mappers

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"einvoice/connector/problem"

	"github.com/antchfx/xpath"
)

// Limits of an XML file: an invoice with its attachments, and nesting.
const (
	maxElementBytes = 48 << 20
	maxTextBytes    = 14 << 20 // an attachment of 10 MB in base64
	maxTagBytes     = 1 << 20
	maxElementNodes = 250_000
	maxElementDepth = 100
)

// xmlSource yields one document per invoice element. The tree holds the
// ancestors of the invoice at hand and what stood before it beside them, so that
// a selector may climb; invoices that were read are cut out of it.
type xmlSource struct {
	m       *Mapping
	file    string
	decoder *xml.Decoder
	charset charset
	tap     *tap
	finders []finder // by place
	each    []eachPath

	at      *element // the element whose content is being read
	names   []string // of at and its ancestors
	depth   int      // of the invoice being read, 0 outside
	start   int64    // where it begins in the file
	line    int
	ordinal int
	keep    bool
	passed  func(b []byte) // what stands outside of invoices, for a copy
	ended   bool
	nodes   int // of the tree since the last invoice
}

var _ source = (*xmlSource)(nil)

// eachPath is an elementPath ready to be evaluated.
type eachPath struct {
	steps     []elementStep
	condition *xpath.Expr
}

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
	s.charset, s.tap = c, newTap(c.text(in), keep)
	s.decoder = xml.NewDecoder(s.tap)
	s.decoder.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // already UTF-8
	if err := s.compile(); err != nil {
		f.Close()
		return nil, err
	}
	return &opened{
		source: s, format: m.input.values, encoding: c.name, close: f.Close,
		rows:   func() int { return s.ordinal },
		later:  s.nothing,
		copier: func(w io.Writer, _ CopyOptions) copier { return newXMLCopier(s, w) },
	}, nil
}

// compile makes the XPaths anew for each file: a compiled one keeps state while
// it is evaluated.
func (s *xmlSource) compile() error {
	for _, p := range s.m.places {
		f, err := newFinder(p.path)
		if err != nil {
			return fmt.Errorf("compile selector %q: %w", p.text, err)
		}
		s.finders = append(s.finders, f)
	}
	for _, p := range s.m.each {
		one := eachPath{steps: p.steps}
		if p.condition != "" {
			e, err := xpath.Compile(p.condition)
			if err != nil {
				return fmt.Errorf("compile condition %q: %w", p.condition, err)
			}
			one.condition = e
		}
		s.each = append(s.each, one)
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
		from := s.decoder.InputOffset()
		s.tap.begin(from)
		token, err := s.decoder.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return document{}, s.broken(err)
		}
		if s.depth == 0 {
			s.tap.forget(from, s.passed)
		}
		done, err := s.token(token, from)
		if err != nil {
			return document{}, err
		}
		if done != nil {
			return s.document(done)
		}
	}
	s.tap.forget(s.tap.read, s.passed)
	return document{}, io.EOF
}

// token takes a token into the tree; it returns an invoice's element at its end.
func (s *xmlSource) token(token xml.Token, from int64) (*element, error) {
	switch t := token.(type) {
	case xml.Directive:
		if strings.HasPrefix(strings.ToUpper(strings.TrimSpace(string(t))), "DOCTYPE") {
			return nil, s.fault(codeDoctype, "")
		}
	case xml.StartElement:
		return nil, s.open(t, from)
	case xml.CharData:
		// Blank text between elements would only fill the tree.
		if len(s.names) > 0 && (s.depth > 0 || trimSpace(string(t)) != "") {
			s.at.add(&element{content: string(t)})
		}
	case xml.EndElement:
		return s.shut(), nil
	}
	return nil, nil
}

func (s *xmlSource) open(t xml.StartElement, from int64) error {
	line, _ := s.decoder.InputPos()
	n := &element{name: t.Name.Local, line: line}
	for _, a := range t.Attr {
		if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
			n.attributes = append(n.attributes, attribute{a.Name.Local, a.Value})
		}
	}
	s.at.add(n)
	s.at = n
	if s.nodes += 1 + len(t.Attr); s.nodes > maxElementNodes {
		return s.broken(errElementTooLong)
	}
	s.names = append(s.names, t.Name.Local)
	if len(s.names) > maxElementDepth {
		return s.fault(codeDeepXML, fmt.Sprint(maxElementDepth))
	}
	if s.depth == 0 && s.begins() {
		s.depth, s.start, s.line = len(s.names), from, line
	}
	return nil
}

// begins tells whether the element just opened may be an invoice.
func (s *xmlSource) begins() bool {
	for _, p := range s.each {
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
	names := s.names
	s.at, s.names = n.parent, s.names[:depth-1]
	s.ended = depth == 1
	if s.depth != depth {
		return nil
	}
	s.depth = 0
	for _, p := range s.each {
		if fits(p.steps, names) && (p.condition == nil || holds(p.condition, n)) {
			return n
		}
	}
	return nil // it stays in the tree: what is no invoice may be a header
}

// holds evaluates a condition on an element.
func holds(e *xpath.Expr, n *element) bool {
	nodes, ok := e.Evaluate(walkFrom(n)).(*xpath.NodeIterator)
	return ok && nodes.MoveNext()
}

// document makes a document of an invoice's element and cuts it out of the tree.
func (s *xmlSource) document(n *element) (document, error) {
	s.ordinal++
	n.ordinal, s.nodes = s.ordinal, 0
	end := s.decoder.InputOffset()
	head := xmlNode{s: s, n: n}
	d := document{ordinal: s.ordinal, row: n.line, head: head, lines: head.children(s.m.lines.each.place)}
	last, _ := s.decoder.InputPos()
	d.rows = rowSpan(n.line, last)
	if s.keep {
		d.raw = s.tap.slice(s.start, end)
	}
	s.tap.forget(end, nil)
	n.cut()
	return d, nil
}

func (s *xmlSource) fault(code, expected string) problem.Problem {
	line, _ := s.decoder.InputPos()
	return problem.Problem{
		Code: code, Severity: problem.Refuse, Expected: expected,
		Position: problem.Position{File: s.file, Row: line, Path: "/" + strings.Join(s.names, "/")},
	}
}

// broken says why the file cannot be read further.
func (s *xmlSource) broken(err error) error {
	if errors.Is(err, errElementTooLong) {
		return s.fault(codeHugeElement, fmt.Sprintf("%d MB", maxElementBytes>>20))
	}
	p := problem.Problem{Code: codeBrokenXML, Severity: problem.Refuse, Position: problem.Position{File: s.file}}
	if s.decoder != nil {
		p = s.fault(codeBrokenXML, "")
	}
	syntax, ok := errors.AsType[*xml.SyntaxError](err)
	if !ok && !errors.Is(err, errEncoding) {
		return fmt.Errorf("read XML: %w", err)
	}
	reason := err.Error()
	if ok {
		p.Position.Row, reason = syntax.Line, syntax.Msg
	}
	p.Args = map[string]string{"reason": reason}
	return p
}
