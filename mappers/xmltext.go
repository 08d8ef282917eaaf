package mappers

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// plain takes the entities out of text between tags, or in an attribute: the
// five that XML knows, and numbered characters. Any other is an error.
func (s *xmlScanner) plain(b []byte, quoted bool) ([]byte, error) {
	special := false
	for _, c := range b {
		if special = textClass[c]; special {
			break
		}
	}
	if !special {
		return b, nil
	}
	if !quoted && hasCDATAEnd(b) {
		return nil, s.wrong("unescaped ]]> not in CDATA section")
	}
	b = s.newlines(b)
	if bytes.IndexByte(b, '&') >= 0 {
		var err error
		if b, err = s.entities(b); err != nil {
			return nil, err
		}
	}
	return s.readable(b)
}

// textClass marks the bytes that text may not consist of without a closer look.
var textClass = func() (t [256]bool) {
	for c := range t {
		t[c] = c < ' ' && c != '\n' && c != '\t' || c >= utf8.RuneSelf || c == '&' || c == ']'
	}
	return t
}()

func hasCDATAEnd(b []byte) bool { return bytes.Contains(b, []byte("]]>")) }

// newlines makes every line end a single \n.
func (s *xmlScanner) newlines(b []byte) []byte {
	if bytes.IndexByte(b, '\r') < 0 {
		return b
	}
	out := s.scratch[:0]
	for i, c := range b {
		switch {
		case c == '\r':
			out = append(out, '\n')
		case c != '\n' || i == 0 || b[i-1] != '\r':
			out = append(out, c)
		}
	}
	s.scratch = out
	return out
}

func (s *xmlScanner) entities(b []byte) ([]byte, error) {
	out := make([]byte, 0, len(b))
	for {
		at := bytes.IndexByte(b, '&')
		if at < 0 {
			return append(out, b...), nil
		}
		out = append(out, b[:at]...)
		b = b[at+1:]
		end := bytes.IndexByte(b, ';')
		r, ok := rune(0), false
		if end > 0 && end <= maxEntity {
			r, ok = entity(b[:end])
		}
		if !ok {
			return nil, s.wrong("invalid character entity &" + string(b[:min(len(b), max(end, 0)+1, 20)]))
		}
		out = utf8.AppendRune(out, r)
		b = b[end+1:]
	}
}

// entity reads amp, #233 or #xe9.
func entity(b []byte) (rune, bool) {
	switch string(b) {
	case "amp":
		return '&', true
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "apos":
		return '\'', true
	case "quot":
		return '"', true
	}
	if len(b) < 2 || b[0] != '#' {
		return 0, false
	}
	digits, base := string(b[1:]), 10
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	if strings.Trim(digits, "0123456789abcdefABCDEF") != "" || digits == "" {
		return 0, false // ParseUint takes signs and underscores
	}
	n, err := strconv.ParseUint(digits, base, 64)
	return rune(n), err == nil && n <= unicode.MaxRune
}

// maxEntity is how long an entity may be; a character needs ten.
const maxEntity = 64

// readable refuses what no XML may hold: bytes that are not UTF-8, and control
// characters.
func (s *xmlScanner) readable(b []byte) ([]byte, error) {
	for i := 0; i < len(b); {
		c := b[i]
		if c >= ' ' && c < utf8.RuneSelf || c == '\n' || c == '\t' || c == '\r' {
			i++
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return nil, s.wrong("invalid UTF-8")
		case r < ' ' || r == 0xfffe || r == 0xffff:
			return nil, s.wrong("illegal character code " + strconv.QuoteRuneToASCII(r))
		}
		i += size
	}
	return b, nil
}

// forget gives away, and drops, what stands before an offset.
func (s *xmlScanner) forget(before int64, to func([]byte)) {
	if s.kept < 0 || before <= s.kept {
		return
	}
	if to != nil {
		to(s.buf[s.kept-s.base : before-s.base])
	}
	s.kept = before
}

// raw gives the bytes between two offsets, which must have been kept.
func (s *xmlScanner) raw(from, to int64) []byte { return bytes.Clone(s.buf[from-s.base : to-s.base]) }

// rest is what was not read yet.
func (s *xmlScanner) rest() io.Reader { return io.MultiReader(bytes.NewReader(s.buf[s.pos:]), s.in) }
