package quickjson

import (
	"unicode/utf8"

	"einvoice/connector"
)

const hexDigits = "0123456789abcdef"

// appendString writes s as encoding/json does without HTML escaping: what is not
// UTF-8 becomes U+FFFD, and the two line ends of Unicode are escaped.
func appendString[S ~string](b []byte, s S) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' {
				i++
				continue
			}
			b = append(b, s[start:i]...)
			b = appendEscape(b, c)
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(string(s[i:min(len(s), i+utf8.UTFMax)]))
		switch {
		case r == utf8.RuneError && size == 1:
			b = append(append(b, s[start:i]...), `\ufffd`...)
			start = i + size
		case r == '\u2028' || r == '\u2029':
			b = append(append(b, s[start:i]...), `\u202`...)
			b = append(b, hexDigits[r&0xf])
			start = i + size
		}
		i += size
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, `\b`...)
	case '\f':
		return append(b, `\f`...)
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	case '\t':
		return append(b, `\t`...)
	}
	return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
}

// appendAmount writes a number with its trailing zeros, or null.
func appendAmount(b []byte, a connector.Amount) []byte {
	if !a.Present() {
		return append(b, "null"...)
	}
	return append(b, a.String()...)
}

// Writer builds one JSON text. Its methods add members, or elements, and take
// care of the commas.
type Writer struct {
	Bytes []byte
	comma bool // something stands before
}

// Open begins an object or an array, as a member of that name or ("") as an element.
func (w *Writer) Open(name string, bracket byte) {
	w.next(name)
	w.Bytes = append(w.Bytes, bracket)
	w.comma = false
}

// Close ends what Open began; bracket is the closing one.
func (w *Writer) Close(bracket byte) {
	w.Bytes = append(w.Bytes, bracket)
	w.comma = true
}

// next writes the comma and the name of a member. Names are ours: plain ASCII.
func (w *Writer) next(name string) {
	if w.comma {
		w.Bytes = append(w.Bytes, ',')
	}
	w.comma = true
	if name != "" {
		w.Bytes = append(w.Bytes, '"')
		w.Bytes = append(w.Bytes, name...)
		w.Bytes = append(w.Bytes, '"', ':')
	}
}

// Text adds a string.
func (w *Writer) Text(name, s string) {
	w.next(name)
	w.Bytes = appendString(w.Bytes, s)
}

// TextIf adds a string that is not empty.
func (w *Writer) TextIf(name, s string) {
	if s != "" {
		w.Text(name, s)
	}
}

// Amount adds a number, or null.
func (w *Writer) Amount(name string, a connector.Amount) {
	w.next(name)
	w.Bytes = appendAmount(w.Bytes, a)
}

// AmountIf adds a number that is present.
func (w *Writer) AmountIf(name string, a connector.Amount) {
	if a.Present() {
		w.Amount(name, a)
	}
}

// raw adds a value that is JSON already.
func (w *Writer) raw(name string, value []byte) {
	w.next(name)
	w.Bytes = append(w.Bytes, value...)
}
