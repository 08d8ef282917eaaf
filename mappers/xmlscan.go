package mappers

import (
	"bytes"
	"io"
	"strconv"
	"strings"
)

// tokenKind is what an xmlScanner has found.
type tokenKind int

const (
	startTag tokenKind = iota // name, attributes; empty tells <a/>
	endTag
	charData  // text
	directive // <!DOCTYPE ...>: text, without <! and >
	aside     // a comment or a processing instruction
)

// xmlScanner splits UTF-8 into the tokens of XML 1.0, as strictly as
// encoding/xml and several times as fast: names and buffers are used again, and
// nothing is allocated for what nobody asked. What a token has holds until the
// next one.
type xmlScanner struct {
	in   io.Reader
	buf  []byte // what was read and is still needed
	pos  int    // in buf, of what comes next
	base int64  // offset of buf[0]
	done error  // of in

	begin   int64 // offset of the token at hand
	kept    int64 // offset of the first byte that must stay in buf; -1: none
	element int64 // offset of the invoice, which must not grow without end
	line    int

	kind       tokenKind
	name       string // without its prefix
	attributes []attribute
	empty      bool
	text       []byte
	scratch    []byte

	open  []string // full names of the elements around
	names map[string]fullName
}

// fullName is a name with and without prefix.
type fullName struct{ full, prefix, local string }

// xmlSyntax is why a file is not well-formed.
type xmlSyntax struct {
	reason string
	line   int
}

func (e *xmlSyntax) Error() string { return "line " + strconv.Itoa(e.line) + ": " + e.reason }

func newXMLScanner(r io.Reader) *xmlScanner {
	return &xmlScanner{in: r, line: 1, kept: -1, names: map[string]fullName{}}
}

// offset is where the next token begins.
func (s *xmlScanner) offset() int64 { return s.base + int64(s.pos) }

func (s *xmlScanner) wrong(reason string) error { return &xmlSyntax{reason, s.line} }

// fill reads on. It fails with io.EOF, or when a token or an invoice is longer
// than its kind may be.
func (s *xmlScanner) fill() error {
	if s.done != nil {
		return s.done
	}
	start := int(s.begin - s.base)
	if limit := s.limit(start); len(s.buf)-start > limit || s.base+int64(len(s.buf))-s.element >= maxElementBytes {
		return errElementTooLong
	}
	if drop := s.droppable(start); drop > 0 && len(s.buf) == cap(s.buf) {
		s.buf = append(s.buf[:0], s.buf[drop:]...)
		s.base, s.pos = s.base+int64(drop), s.pos-drop
	}
	if len(s.buf) == cap(s.buf) {
		larger := make([]byte, len(s.buf), max(2*cap(s.buf), 8<<10))
		copy(larger, s.buf)
		s.buf = larger
	}
	for range 100 { // readers that give nothing may do so now and then
		n, err := s.in.Read(s.buf[len(s.buf):cap(s.buf)])
		s.buf = s.buf[:len(s.buf)+n]
		if s.done = err; n > 0 || err != nil {
			break
		}
	}
	if s.done != nil && s.base+int64(len(s.buf)) > s.offset() {
		return nil
	}
	return s.done
}

func (s *xmlScanner) droppable(start int) int {
	if s.kept >= 0 {
		return min(start, int(s.kept-s.base))
	}
	return start
}

// limit is how long the token that begins at start may be: text holds
// attachments, a tag does not.
func (s *xmlScanner) limit(start int) int {
	if b := s.buf[min(start, len(s.buf)):]; len(b) < 3 || b[0] != '<' || b[1] == '!' && b[2] == '[' {
		return maxTextBytes
	}
	return maxTagBytes
}

// find gives the position of the next such text from a position on, reading on
// where needed.
func (s *xmlScanner) find(text string, from int) (int, error) {
	for {
		if n := bytes.Index(s.buf[s.pos+from:], []byte(text)); n >= 0 {
			return from + n, nil
		}
		from = max(from, len(s.buf)-s.pos-len(text)+1)
		before := len(s.buf) - s.pos
		if err := s.fill(); err != nil {
			return 0, err
		}
		if len(s.buf)-s.pos == before && s.done != nil {
			return 0, s.done
		}
	}
}

// has makes n bytes available, if the file has them.
func (s *xmlScanner) has(n int) (bool, error) {
	for len(s.buf)-s.pos < n {
		if s.done != nil {
			if s.done == io.EOF {
				return false, nil
			}
			return false, s.done
		}
		if err := s.fill(); err != nil && err != io.EOF {
			return false, err
		}
	}
	return true, nil
}

// next finds the next token; io.EOF says that there is none, and that all
// elements are closed.
func (s *xmlScanner) next() error {
	s.begin = s.offset()
	ok, err := s.has(1)
	if err != nil {
		return err
	}
	if !ok {
		if len(s.open) > 0 {
			return s.wrong("unexpected EOF")
		}
		return io.EOF
	}
	if s.buf[s.pos] != '<' {
		return s.characters()
	}
	if _, err := s.has(9); err != nil {
		return err
	}
	switch rest := s.buf[s.pos:]; {
	case len(rest) < 2:
		return s.wrong("unexpected EOF")
	case rest[1] == '/':
		return s.tag(s.closing)
	case rest[1] == '?':
		return s.instruction()
	case bytes.HasPrefix(rest, []byte("<!--")):
		return s.comment()
	case bytes.HasPrefix(rest, []byte("<!-")):
		return s.wrong("invalid sequence <!- not part of <!--")
	case bytes.HasPrefix(rest, []byte("<![CDATA[")):
		return s.cdata()
	case bytes.HasPrefix(rest, []byte("<![")):
		return s.wrong("invalid <![ sequence")
	case rest[1] == '!':
		return s.directive()
	}
	return s.tag(s.opening)
}

// take ends the token n bytes on.
func (s *xmlScanner) take(kind tokenKind, n int) {
	s.kind = kind
	s.line += bytes.Count(s.buf[s.pos:s.pos+n], []byte{'\n'})
	s.pos += n
}

// cut says that the file ends inside of something.
func (s *xmlScanner) cut(err error) error {
	if err == io.EOF {
		return s.wrong("unexpected EOF")
	}
	return err
}

func (s *xmlScanner) characters() error {
	n, err := s.find("<", 0)
	if err == io.EOF {
		n = len(s.buf) - s.pos
	} else if err != nil {
		return err
	}
	s.text, err = s.plain(s.buf[s.pos:s.pos+n], false)
	s.take(charData, n)
	return err
}

func (s *xmlScanner) cdata() error {
	n, err := s.find("]]>", len("<![CDATA["))
	if err != nil {
		return s.cut(err)
	}
	s.text, err = s.readable(s.newlines(s.buf[s.pos+len("<![CDATA[") : s.pos+n]))
	s.take(charData, n+3)
	return err
}

func (s *xmlScanner) comment() error {
	n, err := s.find("--", len("<!--"))
	if err != nil {
		return s.cut(err)
	}
	if ok, err := s.has(n + 3); err != nil || !ok || s.buf[s.pos+n+2] != '>' {
		if err != nil {
			return err
		}
		return s.wrong(`invalid sequence "--" not allowed in comments`)
	}
	s.take(aside, n+3)
	return nil
}

func (s *xmlScanner) instruction() error {
	n, err := s.find("?>", 2)
	if err != nil {
		return s.cut(err)
	}
	inside := s.buf[s.pos+2 : s.pos+n]
	target := inside[:nameLength(inside)]
	if !isXMLName(target) {
		return s.wrong("expected target name after <?")
	}
	if string(target) == "xml" {
		if version := pseudoAttribute(inside[len(target):], "version"); version != "" && version != "1.0" {
			return s.wrong("unsupported version " + strconv.Quote(version) + "; only version 1.0 is supported")
		}
	}
	s.take(aside, n+2)
	return nil
}

// pseudoAttribute reads version out of version="1.0" encoding='utf-8'. What is
// not in quotes, or in quotes that do not end, is none.
func pseudoAttribute(b []byte, name string) string {
	for rest := string(b); ; {
		_, after, ok := strings.Cut(rest, name+"=")
		if !ok || after == "" {
			return ""
		}
		if quote := after[:1]; quote == `"` || quote == "'" {
			value, _, closed := strings.Cut(after[1:], quote)
			if !closed {
				return ""
			}
			return value
		}
		rest = after[1:]
	}
}

// directive reads <!DOCTYPE ...>, in which quotes and further angle brackets
// may stand.
func (s *xmlScanner) directive() error {
	depth, quote := 0, byte(0)
	for n := 3; ; n++ { // whatever the first is
		if ok, err := s.has(n + 4); err != nil {
			return err
		} else if !ok && n >= len(s.buf)-s.pos {
			return s.wrong("unexpected EOF")
		}
		rest := s.buf[s.pos+n:]
		switch c := rest[0]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case bytes.HasPrefix(rest, []byte("<!--")):
			end, err := s.find("-->", n+4)
			if err != nil {
				return s.cut(err)
			}
			n = end + 2
		case c == '<':
			depth++
		case c == '>' && depth > 0:
			depth--
		case c == '>':
			s.text = s.buf[s.pos+2 : s.pos+n]
			s.take(directive, n+1)
			return nil
		}
	}
}
