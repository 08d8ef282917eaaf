package results

import (
	"bufio"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"

	"einvoice/connector"
)

// table writes delimited rows for the ERP: exact data, no cell defused for
// Excel. It does not use encoding/csv, whose writer changes line ends inside
// values when rows end in CRLF.
type table struct {
	w         *bufio.Writer
	delimiter string
	special   string // what makes a cell be quoted
	encoding  string
	err       error
}

// newTable starts a file with what its encoding puts first.
func newTable(w io.Writer, c Config) *table {
	t := &table{w: bufio.NewWriter(w), delimiter: c.Delimiter, special: c.Delimiter + "\"\r\n", encoding: c.Encoding}
	if c.Encoding == UTF8BOM {
		t.put("\ufeff")
	}
	return t
}

// row writes one row. Its error is sticky; flush returns it too.
func (t *table) row(cells ...string) error {
	for i, cell := range cells {
		if i > 0 {
			t.put(t.delimiter)
		}
		t.put(t.quote(cell))
	}
	t.put("\r\n")
	return t.err
}

func (t *table) flush() error {
	if t.err == nil {
		t.err = t.w.Flush()
	}
	return t.err
}

// quote follows RFC 4180, and quotes leading and trailing blanks as well, which
// some readers would trim.
func (t *table) quote(s string) string {
	if s == "" || !strings.ContainsAny(s, t.special) && s == strings.TrimSpace(s) {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}

func (t *table) put(s string) {
	if t.err != nil {
		return
	}
	s = strings.ToValidUTF8(s, "\ufffd")
	if t.encoding == Windows1252 {
		_, t.err = t.w.Write(windows1252(s))
		return
	}
	_, t.err = t.w.WriteString(s)
}

// windows1252 encodes what the code page has. Of the rest, a letter loses its
// accent (Ğ to G), a narrow space becomes an ordinary one, and what remains is a
// question mark.
func windows1252(s string) []byte {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		if b, ok := inWindows1252(r); ok {
			out = append(out, b)
			continue
		}
		out = append(out, nearest(r))
	}
	return out
}

func inWindows1252(r rune) (byte, bool) { return charmap.Windows1252.EncodeRune(r) }

func nearest(r rune) byte {
	if unicode.IsSpace(r) {
		return ' '
	}
	base, _ := utf8.DecodeRuneInString(norm.NFKD.String(string(r)))
	if b, ok := charmap.Windows1252.EncodeRune(base); ok {
		return b
	}
	return '?'
}

// figure gives a plain number the place's decimal sign; other texts stay.
func (c Config) figure(s string) string {
	if _, err := connector.ParseAmount(s); err != nil || c.Decimal == "." {
		return s
	}
	return strings.Replace(s, ".", c.Decimal, 1)
}
