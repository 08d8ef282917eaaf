package mappers

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// The encodings that exports come in.
const (
	utf8Text    = "utf-8"
	utf16LE     = "utf-16le"
	utf16BE     = "utf-16be"
	windows1252 = "windows-1252"
	latin1      = "iso-8859-1"
	latin9      = "iso-8859-15"
	cp850       = "cp850"
)

// canonicalEncoding knows the names that people use; "" for an unknown one.
func canonicalEncoding(name string) string {
	switch strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), "_", "-") {
	case "utf-8", "utf8", "utf-8-bom", "utf8-bom", "us-ascii", "ascii":
		return utf8Text
	case "utf-16", "utf16", "utf-16le", "unicode":
		return utf16LE
	case "utf-16be":
		return utf16BE
	case "windows-1252", "cp1252", "1252", "ansi", "windows1252":
		return windows1252
	case "iso-8859-1", "latin1", "latin-1", "iso8859-1":
		return latin1
	case "iso-8859-15", "latin9", "latin-9", "iso8859-15":
		return latin9
	case "cp850", "850", "ibm850", "dos", "oem":
		return cp850
	}
	return ""
}

// charset turns the bytes of one encoding into text and back. Sixteen-bit
// encodings are decoded as a stream; all others cell by cell, so that the bytes
// of a row are there to be given back.
type charset struct {
	name  string
	table *charmap.Charmap // nil for UTF-8 and UTF-16
	wide  bool
	bom   []byte
}

func newCharset(name string, bom []byte) charset {
	c := charset{name: name, bom: bom}
	switch name {
	case windows1252, latin1:
		// What calls itself ISO-8859-1 is Windows-1252 wherever they differ:
		// Latin-1 has control characters there, Windows the euro sign.
		c.table = charmap.Windows1252
	case latin9:
		c.table = charmap.ISO8859_15
	case cp850:
		c.table = charmap.CodePage850
	case utf16LE, utf16BE:
		c.wide = true
	}
	return c
}

var boms = []struct {
	name string
	mark []byte
}{{utf8Text, []byte("\xef\xbb\xbf")}, {utf16LE, []byte("\xff\xfe")}, {utf16BE, []byte("\xfe\xff")}}

// detectCharset tells the encoding of an export. A byte order mark is certain;
// then what the mapping declares; then UTF-8, if the whole file is valid; else
// Windows-1252. Single-byte pages are never guessed among: a wrong guess spoils
// names, and column names, in silence.
func detectCharset(declared string, head []byte, e Export) (charset, error) {
	if c, known := knownCharset(declared, head); known {
		return c, nil
	}
	valid := utf8.Valid(head)
	if len(head) >= sampleBytes || e.Size > 0 && int64(len(head)) > e.Size { // there may be more
		r, err := e.Open()
		if err != nil {
			return charset{}, err
		}
		defer r.Close()
		if valid, err = validUTF8(r); err != nil {
			return charset{}, err
		}
	}
	return guessCharset(valid), nil
}

func knownCharset(declared string, head []byte) (charset, bool) {
	for _, b := range boms {
		if bytes.HasPrefix(head, b.mark) {
			return newCharset(b.name, b.mark), true
		}
	}
	return newCharset(declared, nil), declared != ""
}

func guessCharset(valid bool) charset {
	if valid {
		return newCharset(utf8Text, nil)
	}
	return newCharset(windows1252, nil)
}

// wholeRunes leaves out a character that the end of a sample cuts.
func wholeRunes(b []byte) []byte {
	for cut := 1; cut < utf8.UTFMax && cut <= len(b); cut++ {
		if rest := b[len(b)-cut:]; utf8.RuneStart(rest[0]) {
			if !utf8.FullRune(rest) {
				return b[:len(b)-cut]
			}
			break
		}
	}
	return b
}

// validUTF8 reads all of r: the first accent may stand in the last row. It stops
// in a row that is longer than one may be, since no encoding saves such a file.
func validUTF8(r io.Reader) (bool, error) {
	buf := make([]byte, 64<<10)
	kept, row := 0, 0
	for row <= maxRowBytes {
		n, err := r.Read(buf[kept:])
		chunk := buf[:kept+n]
		whole := chunk
		if err == nil {
			whole = wholeRunes(chunk) // what is cut goes on in the next chunk
		}
		if !utf8.Valid(whole) {
			return false, nil
		}
		if row += n; bytes.IndexByte(chunk, '\n') >= 0 || bytes.IndexByte(chunk, '\r') >= 0 {
			row = 0
		}
		kept = copy(buf, chunk[len(whole):])
		if err == io.EOF {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// reader gives the bytes to split into rows.
func (c charset) reader(r io.Reader) io.Reader {
	if !c.wide {
		return r
	}
	order := unicode.LittleEndian
	if c.name == utf16BE {
		order = unicode.BigEndian
	}
	return transform.NewReader(r, unicode.UTF16(order, unicode.IgnoreBOM).NewDecoder())
}

// decode gives the text of a cell; ok is false when bytes do not exist in the
// encoding, and they are then shown as U+FFFD.
func (c charset) decode(b []byte) (text string, ok bool) {
	if isASCII(b) {
		return string(b), true
	}
	var short [128]byte
	out, ok := c.appendText(short[:0], b)
	return string(out), ok
}

// appendText is decode at the end of out.
func (c charset) appendText(out, b []byte) ([]byte, bool) {
	if c.table == nil {
		if utf8.Valid(b) {
			return append(out, b...), true
		}
		return append(out, bytes.ToValidUTF8(b, []byte("\ufffd"))...), false
	}
	ok := true
	for _, x := range b {
		if x < utf8.RuneSelf {
			out = append(out, x)
			continue
		}
		r := c.table.DecodeByte(x)
		ok = ok && r != utf8.RuneError
		out = utf8.AppendRune(out, r)
	}
	return out, ok
}

func isASCII(b []byte) bool {
	for len(b) >= 8 {
		if binary.LittleEndian.Uint64(b)&0x8080808080808080 != 0 {
			return false
		}
		b = b[8:]
	}
	for _, x := range b {
		if x >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// encode gives the bytes of a text that we add; what the encoding lacks is
// written in ASCII.
func (c charset) encode(text string) []byte {
	if c.table == nil {
		return []byte(text)
	}
	out := make([]byte, 0, len(text))
	for _, r := range text {
		if b, ok := c.table.EncodeRune(r); ok {
			out = append(out, b)
			continue
		}
		out = append(out, asciiFor(r)...)
	}
	return out
}

func asciiFor(r rune) string {
	switch r {
	case '\u2018', '\u2019':
		return "'"
	case '\u201c', '\u201d', '«', '»':
		return "'"
	case '\u2026':
		return "..."
	case '\u2013', '\u2014', '\u2212':
		return "-"
	case '\u00a0', '\u202f', '\u2009':
		return " "
	case '€':
		return "EUR"
	case 'œ':
		return "oe"
	}
	return "?"
}

// restore turns bytes that reader gave, and text that encode gave, back into
// the bytes of the file.
func (c charset) restore(w io.Writer) io.WriteCloser {
	if !c.wide {
		return plainWriter{w}
	}
	order := unicode.LittleEndian
	if c.name == utf16BE {
		order = unicode.BigEndian
	}
	return transform.NewWriter(w, unicode.UTF16(order, unicode.IgnoreBOM).NewEncoder())
}

type plainWriter struct{ io.Writer }

func (plainWriter) Close() error { return nil }

// doubtful looks for the traces of a wrong encoding in a cell that decoded well:
// é, à, è of cp850 between letters read as Windows-1252, or the two bytes of a
// UTF-8 accent.
func (c charset) doubtful(raw []byte) (code string) {
	if c.table == nil || c.name == cp850 {
		return ""
	}
	for i, x := range raw {
		between := i > 0 && i+1 < len(raw) && isLetter(raw[i-1]) && isLetter(raw[i+1])
		if between && (x == 0x82 || x == 0x85 || x == 0x8a) {
			return codeDOSText
		}
	}
	if utf8.Valid(raw) && !isASCII(raw) {
		return codeLooksUTF8
	}
	return ""
}

func isLetter(b byte) bool { b |= 0x20; return b >= 'a' && b <= 'z' }
