package mappers

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tag finds the end of a tag, which no > inside of quotes is.
func (s *xmlScanner) tag(parse func(b []byte) error) error {
	for n, quote := 1, byte(0); ; n++ {
		if n >= len(s.buf)-s.pos {
			if ok, err := s.has(n + 1); err != nil {
				return err
			} else if !ok {
				return s.wrong("unexpected EOF")
			}
		}
		switch c := s.buf[s.pos+n]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			inside := s.buf[s.pos+1 : s.pos+n]
			s.take(startTag, n+1)
			return parse(inside)
		}
	}
}

func (s *xmlScanner) closing(b []byte) error {
	b = b[1:]
	n := nameLength(b)
	name, ok := s.nameOf(b[:n])
	switch {
	case !ok:
		return s.wrong("expected element name after </")
	case len(trimLeftXML(b[n:])) > 0:
		return s.wrong("invalid characters between </" + name.full + " and >")
	case len(s.open) == 0:
		return s.wrong("unexpected end element </" + name.full + ">")
	case s.open[len(s.open)-1] != name.full:
		return s.wrong("element <" + s.open[len(s.open)-1] + "> closed by </" + name.full + ">")
	}
	s.kind, s.name, s.open = endTag, name.local, s.open[:len(s.open)-1]
	return nil
}

func (s *xmlScanner) opening(b []byte) error {
	if s.empty = len(b) > 0 && b[len(b)-1] == '/'; s.empty {
		b = b[:len(b)-1]
	}
	n := nameLength(b)
	name, ok := s.nameOf(b[:n])
	if !ok {
		return s.wrong("expected element name after <")
	}
	s.name, s.attributes = name.local, s.attributes[:0]
	for b = trimLeftXML(b[n:]); len(b) > 0; b = trimLeftXML(b) {
		var err error
		if b, err = s.attribute(b); err != nil {
			return err
		}
	}
	if !s.empty {
		s.open = append(s.open, name.full)
	}
	return nil
}

// attribute reads one attribute and gives what follows it. Declarations of
// namespaces are passed over: names count without their prefix.
func (s *xmlScanner) attribute(b []byte) ([]byte, error) {
	n := nameLength(b)
	name, ok := s.nameOf(b[:n])
	if !ok {
		return nil, s.wrong("expected attribute name in element")
	}
	b = trimLeftXML(b[n:])
	if len(b) == 0 || b[0] != '=' {
		return nil, s.wrong("attribute name without = in element")
	}
	b = trimLeftXML(b[1:])
	if len(b) == 0 || b[0] != '"' && b[0] != '\'' {
		return nil, s.wrong("unquoted or missing attribute value in element")
	}
	end := bytes.IndexByte(b[1:], b[0])
	if end < 0 {
		return nil, s.wrong("unexpected EOF")
	}
	value := b[1 : end+1]
	if bytes.IndexByte(value, '<') >= 0 {
		return nil, s.wrong("unescaped < inside quoted string")
	}
	text, err := s.plain(value, true)
	if err != nil {
		return nil, err
	}
	if name.prefix != "xmlns" && name.full != "xmlns" {
		s.attributes = append(s.attributes, attribute{name.local, string(text)})
	}
	return b[end+2:], nil
}

// maxNames bounds the names that are remembered.
const maxNames = 4096

// nameOf checks a name and gives its parts.
func (s *xmlScanner) nameOf(b []byte) (fullName, bool) {
	if known, ok := s.names[string(b)]; ok {
		return known, true
	}
	if !isXMLName(b) || bytes.Count(b, []byte{':'}) > 1 {
		return fullName{}, false
	}
	name := fullName{full: string(b)}
	name.local = name.full
	if prefix, local, ok := strings.Cut(name.full, ":"); ok && prefix != "" && local != "" {
		name.prefix, name.local = prefix, local
	}
	if len(s.names) >= maxNames {
		clear(s.names)
	}
	s.names[name.full] = name
	return name, true
}

// nameLength is how many bytes of b can be of a name.
func nameLength(b []byte) int {
	for i, c := range b {
		if c < utf8.RuneSelf && !isNameByte(c) {
			return i
		}
	}
	return len(b)
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == ':' || c == '.' || c == '-'
}

func isXMLName(b []byte) bool {
	for i, r := range string(b) {
		switch {
		case r == '_' || r == ':' || unicode.IsLetter(r):
		case i > 0 && (r == '-' || r == '.' || r == '\u00b7' || unicode.IsDigit(r) || unicode.Is(unicode.M, r)):
		default:
			return false
		}
	}
	return len(b) > 0 && utf8.Valid(b)
}

func trimLeftXML(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\n' || b[0] == '\t' || b[0] == '\r') {
		b = b[1:]
	}
	return b
}
