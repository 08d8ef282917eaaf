package mappers

import (
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/encoding/charmap"
)

// plainText takes the text out of a cell of Rich Text Format, which EBP and
// others export as it is stored; any other text is given back.
func plainText(s string) string {
	if !strings.HasPrefix(s, `{\rtf`) {
		return s
	}
	r := rtf{in: s, skip: -1}
	for r.at < len(r.in) {
		r.step()
	}
	return strings.TrimSpace(r.out.String())
}

type rtf struct {
	in    string
	at    int
	depth int
	skip  int // depth of the group that is no text, -1 for none
	out   strings.Builder
}

func (r *rtf) step() {
	c := r.in[r.at]
	r.at++
	switch c {
	case '{':
		r.depth++
	case '}':
		if r.depth == r.skip {
			r.skip = -1
		}
		r.depth--
	case '\\':
		r.control()
	case '\r', '\n':
	default:
		r.text(string(c))
	}
}

func (r *rtf) text(s string) {
	if r.skip < 0 {
		r.out.WriteString(s)
	}
}

// control reads a control word or symbol.
func (r *rtf) control() {
	rest := r.in[r.at:]
	switch {
	case rest == "":
		return
	case rest[0] == '\'' && len(rest) >= 3:
		if b, err := strconv.ParseUint(rest[1:3], 16, 8); err == nil {
			r.text(string(charmap.Windows1252.DecodeByte(byte(b))))
		}
		r.at += 3
		return
	case !unicode.IsLetter(rune(rest[0])):
		r.at++
		switch rest[0] {
		case '*':
			r.hide()
		case '~':
			r.text(" ")
		case '\\', '{', '}':
			r.text(rest[:1])
		}
		return
	}
	n := 0
	for n < len(rest) && rest[n] >= 'a' && rest[n] <= 'z' || n < len(rest) && rest[n] >= 'A' && rest[n] <= 'Z' {
		n++
	}
	word, m := rest[:n], n
	for m < len(rest) && (rest[m] == '-' || rest[m] >= '0' && rest[m] <= '9') {
		m++
	}
	number := rest[n:m]
	if m < len(rest) && rest[m] == ' ' {
		m++
	}
	r.at += max(m, 1)
	r.word(word, number)
}

func (r *rtf) word(word, number string) {
	switch word {
	case "par", "line", "row":
		r.text("\n")
	case "tab", "cell":
		r.text(" ")
	case "u":
		if code, err := strconv.Atoi(number); err == nil {
			r.text(string(rune(uint16(code))))
			if r.at < len(r.in) && r.in[r.at] == '?' {
				r.at++ // for readers that know no Unicode
			}
		}
	case "fonttbl", "colortbl", "stylesheet", "info", "pict", "header", "footer":
		r.hide()
	}
}

func (r *rtf) hide() {
	if r.skip < 0 {
		r.skip = r.depth
	}
}
