package quickjson

import (
	"encoding/json"
	"unicode/utf8"
)

// maxDepth is that of encoding/json: hostile nesting must not exhaust the stack.
const maxDepth = 10_000

// Members calls visit with each member of the object that text is, in its order;
// value is a part of text. It is false, perhaps after some calls, when text is
// not one well-formed object.
func Members(text []byte, visit func(name string, value []byte)) bool {
	s := scan{b: text}
	s.blank()
	if s.at() != '{' {
		return false
	}
	ok := s.object(visit, 1)
	s.blank()
	return ok && s.i == len(s.b)
}

// elements is Members for an array.
func elements(text []byte, visit func(value []byte)) bool {
	s := scan{b: text}
	s.blank()
	if s.at() != '[' {
		return false
	}
	ok := s.array(visit, 1)
	s.blank()
	return ok && s.i == len(s.b)
}

// Text reads a JSON string; "" and false for anything else.
func Text(value []byte) (string, bool) {
	if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return "", false
	}
	inner := value[1 : len(value)-1]
	for _, c := range inner {
		if c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return slowText(value)
		}
	}
	return string(inner), true
}

func slowText(value []byte) (s string, ok bool) {
	err := json.Unmarshal(value, &s)
	return s, err == nil
}

// scan walks over well-formed JSON.
type scan struct {
	b []byte
	i int
}

// at is the byte at hand, 0 at the end.
func (s *scan) at() byte {
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

func (s *scan) blank() {
	for s.i < len(s.b) && (s.b[s.i] == ' ' || s.b[s.i] == '\n' || s.b[s.i] == '\t' || s.b[s.i] == '\r') {
		s.i++
	}
}

// value walks over one value.
func (s *scan) value(depth int) bool {
	switch c := s.at(); {
	case c == '{':
		return s.object(nil, depth+1)
	case c == '[':
		return s.array(nil, depth+1)
	case c == '"':
		return s.text()
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	}
	return s.word("true") || s.word("false") || s.word("null")
}

func (s *scan) word(w string) bool {
	if len(s.b)-s.i < len(w) || string(s.b[s.i:s.i+len(w)]) != w {
		return false
	}
	s.i += len(w)
	return true
}

func (s *scan) object(visit func(string, []byte), depth int) bool {
	return s.list('}', depth, func() bool {
		name := s.i
		if s.at() != '"' || !s.text() {
			return false
		}
		end := s.i
		s.blank()
		if s.at() != ':' {
			return false
		}
		s.i++
		s.blank()
		start := s.i
		if !s.value(depth) {
			return false
		}
		if visit != nil {
			key, _ := Text(s.b[name:end])
			visit(key, s.b[start:s.i:s.i])
		}
		return true
	})
}

func (s *scan) array(visit func([]byte), depth int) bool {
	return s.list(']', depth, func() bool {
		start := s.i
		if !s.value(depth) {
			return false
		}
		if visit != nil {
			visit(s.b[start:s.i:s.i])
		}
		return true
	})
}

// list walks over what stands between brackets, commas between.
func (s *scan) list(end byte, depth int, item func() bool) bool {
	if depth > maxDepth {
		return false
	}
	s.i++
	s.blank()
	if s.at() == end {
		s.i++
		return true
	}
	for {
		if !item() {
			return false
		}
		s.blank()
		c := s.at()
		s.i++
		if c == end {
			return true
		}
		if c != ',' {
			return false
		}
		s.blank()
	}
}

func (s *scan) text() bool {
	for s.i++; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return true
		case c < ' ':
			return false
		case c == '\\':
			s.i++
			if !s.escape() {
				return false
			}
		}
	}
	return false
}

// escape walks to the last byte of what follows a backslash.
func (s *scan) escape() bool {
	switch s.at() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		for range 4 {
			s.i++
			c := s.at() | 0x20
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
		return true
	}
	return false
}

func (s *scan) number() bool {
	if s.at() == '-' {
		s.i++
	}
	if s.at() == '0' {
		s.i++
	} else if !s.digits() {
		return false
	}
	if s.at() == '.' {
		s.i++
		if !s.digits() {
			return false
		}
	}
	if s.at()|0x20 != 'e' {
		return true
	}
	s.i++
	if s.at() == '+' || s.at() == '-' {
		s.i++
	}
	return s.digits()
}

func (s *scan) digits() bool {
	start := s.i
	for c := s.at(); c >= '0' && c <= '9'; c = s.at() {
		s.i++
	}
	return s.i > start
}
