package mappers

import (
	"bytes"
	"encoding/xml"
	"io"
	"path"
	"strings"
	"unicode/utf8"

	"einvoice/connector/problem"
)

// match is how a mapping knows its files.
type match struct {
	names   []string // patterns of the file's name
	headers []string // columns that must be there
	roots   []string // names of the root element
	record  string   // type of the first record
}

func validGlob(pattern string) bool {
	_, err := path.Match(pattern, "x")
	return err == nil
}

// Choose gives the mapping for an export: the only one that matches it. Later tiers are asked when nothing of the earlier ones
// matches: a customer's own mappings come before the presets. The error is a
// problem.Problem when none or several of a tier do.
func Choose(e Export, tiers ...[]*Mapping) (*Mapping, error) {
	var head []byte
	if len(e.Parts) == 0 {
		var err error
		if head, err = readHead(e); err != nil {
			return nil, err
		}
	}
	p := problem.Problem{Severity: problem.Refuse, Position: problem.Position{File: e.Name}}
	var all []*Mapping
	for _, ms := range tiers {
		fit := fitting(ms, e, head)
		if len(fit) == 1 {
			return fit[0], nil
		}
		if len(fit) > 1 {
			p.Code, p.Expected = codeManyMappings, listNames(fit)
			return nil, p
		}
		if m := claimant(ms, e.Name, head); m != nil && entriesKind(head) == "" {
			return m, nil
		}
		all = append(all, ms...)
	}
	if err := entries(e.Name, head); err != nil {
		return nil, err
	}
	p.Code, p.Expected = codeNoMapping, listNames(all)
	return nil, p
}

func fitting(ms []*Mapping, e Export, head []byte) (fit []*Mapping) {
	if len(e.Parts) > 0 {
		return groupMappings(ms, e)
	}
	for _, m := range ms {
		if isZip(head) && m.matchesWorkbook(e) || !isZip(head) && m.Matches(e.Name, head) {
			fit = append(fit, m)
		}
	}
	return fit
}

// groupMappings are those for which the files of an export are all there.
func groupMappings(ms []*Mapping, e Export) (fit []*Mapping) {
	var names []string
	for _, p := range e.Parts {
		names = append(names, p.Name)
	}
	for _, m := range ms {
		if m.shape == joinedShape && m.input.format == formatCSV && len(m.Lacks(names)) == 0 {
			fit = append(fit, m)
		}
	}
	return fit
}

// matchesRecord looks for the first record's type, or for an invoice's.
func (m *Mapping) matchesRecord(head []byte) bool {
	in, err := m.openRecords(Export{Open: func() (io.ReadSeekCloser, error) { return headReader{bytes.NewReader(head)}, nil }}, false)
	if err != nil {
		return false
	}
	s := in.source.(*recordSource)
	first := s.ahead
	if len(s.preface) > 0 {
		first = s.preface[0]
	}
	if m.match.record != "" {
		return first != nil && first.kind == m.match.record
	}
	return s.ahead != nil && s.ahead.kind == m.records.start
}

type headReader struct{ *bytes.Reader }

func (headReader) Close() error { return nil }

func isZip(head []byte) bool { return bytes.HasPrefix(head, []byte("PK\x03\x04")) }

// matchesWorkbook looks for the mapping's sheet and columns. A mapping for CSV
// may fit as well: the correctable copy that accountants edit may be a workbook.
func (m *Mapping) matchesWorkbook(e Export) bool {
	if m.input.format == formatXML || len(m.match.names) > 0 && !m.matchesName(e.Name) && !m.matchesAsCSV(e.Name) {
		return false
	}
	if m.shape == recordShape {
		return false
	}
	in, err := m.open(e, false)
	if err != nil {
		return false
	}
	defer in.close()
	if m.shape == sheetShape {
		return m.isPage(in)
	}
	return !refuses(in.problems)
}

// matchesAsCSV tells whether the name is that of a workbook made of a CSV whose
// name the mapping knows.
func (m *Mapping) matchesAsCSV(name string) bool {
	stem := strings.TrimSuffix(name, path.Ext(name))
	for _, pattern := range m.match.names {
		if ok, _ := path.Match(strings.ToLower(pattern), strings.ToLower(stem+path.Ext(pattern))); ok {
			return m.input.format == formatCSV
		}
	}
	return false
}

// claimant is the only mapping whose [match] names such a file, although its
// content does not fit: reading it says what is wrong, such as a column that is
// gone, where "no mapping" would say nothing.
func claimant(ms []*Mapping, name string, head []byte) (only *Mapping) {
	for _, m := range ms {
		if len(m.match.names) == 0 || !m.matchesName(name) || !m.readable(head) {
			continue
		}
		if only != nil {
			return nil
		}
		only = m
	}
	return only
}

// readable tells whether a file that begins with head has the mapping's format.
func (m *Mapping) readable(head []byte) bool {
	switch {
	case isZip(head):
		return m.input.format == formatXLSX
	case looksXML(head):
		return m.input.format == formatXML
	}
	return m.input.format != formatXLSX && m.input.format != formatXML
}

func listNames(ms []*Mapping) string {
	names := make([]string, len(ms))
	for i, m := range ms {
		names[i] = m.Name
	}
	return strings.Join(names, ", ")
}

// Matches tells whether the mapping is for a file of that name that begins with
// head (the first 64 KiB will do). Without a [match] section the content
// decides: every column that must be there, or the path of an invoice. The
// content of a workbook is not looked into here, only its name and format;
// Choose opens it.
func (m *Mapping) Matches(name string, head []byte) bool {
	if len(m.match.names) > 0 && !m.matchesName(name) {
		return false
	}
	switch {
	case isZip(head):
		return m.input.format == formatXLSX
	case m.input.format == formatXLSX:
		return false
	case m.input.format == formatXML:
		return m.matchesRoot(head)
	case m.shape == recordShape:
		return m.matchesRecord(head)
	case m.shape == joinedShape:
		_, part := m.PartOf(name)
		return part
	}
	return !looksXML(head) && m.matchesHeader(head)
}

func (m *Mapping) matchesName(name string) bool {
	for _, pattern := range m.match.names {
		if ok, _ := path.Match(strings.ToLower(pattern), strings.ToLower(name)); ok {
			return true
		}
	}
	return false
}

func looksXML(head []byte) bool {
	trimmed := bytes.TrimLeft(head, "\xef\xbb\xbf\xff\xfe \t\r\n\x00")
	return bytes.HasPrefix(trimmed, []byte("<"))
}

// matchesRoot looks at the first element of an XML file, and at those below as
// far as head goes when the invoices stand deeper.
func (m *Mapping) matchesRoot(head []byte) bool {
	if !looksXML(head) {
		return false
	}
	c, in, err := xmlCharset(bytes.NewReader(head), m.input.encoding)
	if err != nil {
		return false
	}
	decoder := xml.NewDecoder(c.text(in))
	decoder.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	var names []string
	for {
		token, err := decoder.Token()
		if err != nil {
			return false
		}
		switch t := token.(type) {
		case xml.StartElement:
			names = append(names, t.Name.Local)
			if len(m.match.roots) > 0 {
				return contains(m.match.roots, names[0])
			}
			for _, p := range m.each {
				if fits(p.steps, names) {
					return true
				}
			}
		case xml.EndElement:
			names = names[:len(names)-1]
		}
	}
}

func contains(all []string, one string) bool {
	for _, a := range all {
		if a == one {
			return true
		}
	}
	return false
}

func (m *Mapping) matchesHeader(head []byte) bool {
	c, known := knownCharset(m.input.encoding, head)
	if !known {
		c = guessCharset(utf8.Valid(wholeRunes(head)))
	}
	look := m.layout(head, c)
	g, problems := newGrid("", "", look.head, m.places)
	if len(m.match.headers) > 0 {
		for _, name := range m.match.headers {
			if len(look.head.find(name, normalName(name))) == 0 {
				return false
			}
		}
		return true
	}
	return len(m.match.names) > 0 && !m.hasNames() || m.hasNames() && len(problems) == 0 && len(g.missing(m)) == 0
}
