package mappers

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"einvoice/connector/problem"
)

// record is a typed record: delimited fields, or a line of fixed width.
type record struct {
	num    int
	size   int // in bytes
	kind   string
	fields []string
	runes  []rune // fixed width: positions count characters, not bytes
	raw    []byte // for a copy, with its line end
	faults []problem.Problem
}

// recordSource groups typed records into invoices: each begins with a record of
// the start type and goes on to the next, or to its end record.
type recordSource struct {
	m       *Mapping
	file    string
	split   *splitter
	charset charset
	keep    bool

	preface []*record // before the first invoice; selectors find it as well
	ahead   *record   // read, but part of the next document
	around  []byte    // for a copy: the preface, or a trailer, in front of the next document
	trailer *record
	after   bool // records stand after the trailer
	ordinal int
	read    int
}

var _ source = (*recordSource)(nil)

func (m *Mapping) openRecords(e Export, keep bool) (*opened, error) {
	head, err := readHead(e)
	if err != nil {
		return nil, err
	}
	c, err := detectCharset(m.input.encoding, head, e)
	if err != nil {
		return nil, fmt.Errorf("detect encoding: %w", err)
	}
	f, err := e.Open()
	if err != nil {
		return nil, fmt.Errorf("open export: %w", err)
	}
	if _, err := f.Seek(int64(len(c.bom)), io.SeekStart); err != nil {
		f.Close()
		return nil, fmt.Errorf("rewind export: %w", err)
	}
	s := &recordSource{m: m, file: e.Name, charset: c, keep: keep}
	delimiter, quote := m.input.delimiter, m.input.quote
	if m.input.format == formatFixed {
		delimiter, quote = '\n', 0 // a line never holds its own end
	}
	s.split = newSplitter(c.reader(f), e.Size, delimiter, quote, lineEnd(head, c))
	in := &opened{
		source: s, apart: true, format: m.input.values, encoding: c.name, close: f.Close,
		rows: func() int { return s.read }, later: s.nothing,
		copier: func(w io.Writer, _ CopyOptions) copier { return newRecordCopier(s, w) },
	}
	if err := s.start(); err != nil && err != io.EOF {
		f.Close()
		return nil, err
	}
	return in, nil
}

func lineEnd(head []byte, c charset) byte {
	sample, _ := io.ReadAll(c.reader(bytes.NewReader(head[len(c.bom):])))
	if bytes.IndexByte(sample, '\n') < 0 && bytes.IndexByte(sample, '\r') >= 0 {
		return '\r'
	}
	return '\n'
}

// maxPreface is how many records are kept from before the first document.
const maxPreface = 100

// start passes what stands before the first document.
func (s *recordSource) start() error {
	for {
		r, err := s.record()
		if err != nil {
			return err
		}
		if r.kind == s.m.records.start || s.isLine(r) {
			s.ahead = r
			return nil
		}
		s.around = append(s.around, r.raw...)
		if s.isTrailer(r) || s.isEnd(r) {
			return nil
		}
		if len(s.preface) < maxPreface {
			s.preface = append(s.preface, r)
		}
	}
}

func (s *recordSource) isLine(r *record) bool {
	each := s.m.places[s.m.lines.each.place]
	return r.kind == each.record && each.when.met(r)
}

// isTrailer notes the record that ends the file, and whether any came behind it.
func (s *recordSource) isTrailer(r *record) bool {
	if end := s.m.end; end != nil && r.kind == end.record {
		s.trailer, s.after = r, false
		return true
	}
	s.after = s.trailer != nil
	return false
}

func (s *recordSource) isEnd(r *record) bool {
	return s.m.records.end != "" && r.kind == s.m.records.end
}

// next gives an invoice, or lines whose invoice has lost its first record: a
// document of its own, refused, since a line dropped in silence would be worse.
// What stands between invoices and holds no line is passed over.
func (s *recordSource) next() (document, error) {
	for {
		all, d, err := s.collect()
		if err != nil {
			return d, err
		}
		first := all[0]
		if first.kind != s.m.records.start {
			if !slices.ContainsFunc(all, s.isLine) {
				continue
			}
			d.stray = true
			d.faults = append(d.faults, s.fault(codeNoStart, first.num, first.kind, s.m.records.start))
		}
		s.ordinal++
		return s.document(d, all), nil
	}
}

// collect gives the records up to an end record, or to what cannot be behind
// one: the start of the next invoice, the trailer, the end of the file.
func (s *recordSource) collect() (all []*record, d document, err error) {
	for {
		r, err := s.one()
		switch {
		case err == io.EOF && len(all) > 0:
			return all, d, nil
		case err != nil:
			return nil, d, err
		case len(all) > 0 && (r.kind == s.m.records.start || s.isTrailer(r)):
			s.ahead = r
			return all, d, nil
		case s.isTrailer(r):
			s.around = append(s.around, r.raw...)
			continue
		case len(all) == maxRows: // kept as well, so that a copy has too many
			d.faults = []problem.Problem{s.fault(codeManyRows, r.num, "", fmt.Sprint(maxRows))}
			all = append(all, r)
		case len(all) < maxRows:
			all = append(all, r)
		}
		if s.isEnd(r) {
			d.closed = true
			return all, d, nil
		}
	}
}

// one is the record read ahead, or else the next.
func (s *recordSource) one() (*record, error) {
	if r := s.ahead; r != nil {
		s.ahead = nil
		return r, nil
	}
	return s.record()
}

func (s *recordSource) document(d document, all []*record) document {
	d.ordinal, d.row = s.ordinal, all[0].num
	d.rows = rowSpan(d.row, all[len(all)-1].num)
	for _, r := range all {
		d.bytes += r.size
		d.faults = append(d.faults, r.faults...)
		d.raw = append(d.raw, r.raw...)
	}
	head := recordNode{s: s, all: all}
	d.head, d.lines = head, head.children(s.m.lines.each.place)
	return d
}

// record reads one record; blank lines are passed over.
func (s *recordSource) record() (*record, error) {
	for {
		if err := s.split.next(); err != nil {
			return nil, s.broken(err)
		}
		if len(bytes.TrimSpace(s.split.record[:s.split.body])) > 0 {
			break
		}
	}
	s.read++
	r := &record{num: s.split.line, size: len(s.split.record)}
	if s.keep {
		r.raw = bytes.Clone(s.split.record)
	}
	if s.m.input.format == formatFixed {
		r.runes = []rune(s.decode(r, s.split.record[:s.split.body]))
	} else {
		for _, c := range s.split.spans {
			r.fields = append(r.fields, s.decode(r, s.split.bytesOf(c)))
		}
	}
	kind, _ := s.m.records.kind.of(r)
	r.kind = trimSpace(kind)
	return r, nil
}

func (s *recordSource) decode(r *record, b []byte) string {
	if len(b) > maxCellBytes {
		r.faults = append(r.faults, s.fault(codeLongCell, r.num, fmt.Sprint(len(b)), fmt.Sprint(maxCellBytes)))
		return ""
	}
	text, ok := s.charset.decode(b)
	if !ok {
		p := s.fault(codeBadBytes, r.num, text, "")
		p.Args = map[string]string{"encoding": s.charset.name}
		r.faults = append(r.faults, p)
	}
	return text
}

func (s *recordSource) fault(code string, row int, value, expected string) problem.Problem {
	if v := []rune(value); len(v) > 80 {
		value = string(v[:80])
	}
	return problem.Problem{
		Code: code, Severity: problem.Refuse, Value: value, Expected: expected,
		Position: problem.Position{File: s.file, Row: row},
	}
}

func (s *recordSource) broken(err error) error {
	switch {
	case err == io.EOF:
		return err
	case errors.Is(err, errOpenQuote), errors.Is(err, errRowTooLong):
		return s.fault(codeOpenQuote, s.split.line, "", "")
	}
	return fmt.Errorf("read record in row %d: %w", s.split.line, err)
}

// nothing says that a file without any invoice is not what was meant.
func (s *recordSource) nothing() []problem.Problem {
	if s.ordinal > 0 || s.trailer != nil && !s.after {
		return nil
	}
	return []problem.Problem{s.fault(codeNoInvoice, 0, "", s.m.describe())}
}

// trailerNode is the trailer record, if it stands at the end.
func (s *recordSource) trailerNode() (node, bool) {
	if s.trailer == nil || s.after {
		return recordNode{s: s}, false
	}
	return recordNode{s: s, all: []*record{s.trailer}}, true
}

// partial knows a correctable copy by its name: records have no columns of ours.
func (s *recordSource) partial() bool {
	return strings.Contains(s.file, ".refused.") || strings.Contains(s.file, ".held.")
}

// recordNode is an invoice, or a line with the records that follow it up to the
// next line.
type recordNode struct {
	s   *recordSource
	all []*record
}

var _ node = recordNode{}

func (n recordNode) find(p place) *record {
	for _, list := range [][]*record{n.all, n.s.preface} {
		for _, r := range list {
			if r.kind == p.record && p.when.met(r) {
				return r
			}
		}
	}
	return nil
}

func (c *condition) met(r *record) bool {
	if c == nil {
		return true
	}
	text, _ := c.part.of(r)
	return strings.EqualFold(trimSpace(text), c.want)
}

func (n recordNode) cell(at int) (string, bool) {
	p := n.s.m.places[at]
	r := n.find(p)
	if r == nil || p.part.from == 0 {
		return "", r != nil
	}
	return p.part.of(r)
}

func (n recordNode) where(at int) problem.Position {
	p := problem.Position{File: n.s.file, Column: n.s.m.places[at].text}
	if r := n.find(n.s.m.places[at]); r != nil {
		p.Row = r.num
	} else if len(n.all) > 0 {
		p.Row = n.all[0].num
	}
	return p
}

func (n recordNode) place() problem.Position {
	p := problem.Position{File: n.s.file}
	if len(n.all) > 0 {
		p.Row = n.all[0].num
	}
	return p
}

func (n recordNode) children(at int) []node {
	p := n.s.m.places[at]
	var all []node
	for i, r := range n.all {
		if r.kind != p.record || !p.when.met(r) {
			continue
		}
		last := i + 1
		for last < len(n.all) && n.all[last].kind != p.record {
			last++
		}
		all = append(all, recordNode{n.s, n.all[i:last]})
	}
	return all
}
