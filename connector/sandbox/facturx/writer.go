package facturx

import (
	"bytes"
	"compress/zlib"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
)

const producer = "einvoice sandbox"

// writer collects the objects of a PDF; numbers start at 1.
type writer struct{ objects [][]byte }

func newWriter() *writer { return &writer{} }

// reserve gives a number to an object that is set later.
func (w *writer) reserve() int {
	w.objects = append(w.objects, nil)
	return len(w.objects)
}

func (w *writer) set(n int, body string) { w.objects[n-1] = []byte(body) }

func (w *writer) object(body string) int {
	n := w.reserve()
	w.set(n, body)
	return n
}

// stream adds a compressed stream, with more entries of its dictionary.
func (w *writer) stream(entries string, data []byte) int {
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	_, _ = z.Write(data) // neither fails into memory
	_ = z.Close()
	return w.raw(entries+" /Filter /FlateDecode", packed.Bytes())
}

func (w *writer) raw(entries string, data []byte) int {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<< %s /Length %d >>\nstream\n", entries, len(data))
	b.Write(data)
	b.WriteString("\nendstream")
	n := w.reserve()
	w.objects[n-1] = b.Bytes()
	return n
}

// finish writes the file: header, objects, table, trailer. PDF/A wants four
// bytes above 127 after the header, and an id.
func (w *writer) finish(catalog, info, pad int) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	offsets := make([]int, len(w.objects))
	for i, o := range w.objects {
		offsets[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	id := hex.EncodeToString(sum(b.Bytes()))
	if missing := pad - b.Len(); missing > 0 {
		b.WriteString("%" + strings.Repeat("x", missing) + "\n")
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(w.objects)+1)
	for _, at := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R /ID [<%s> <%s>] >>\nstartxref\n%d\n%%%%EOF\n",
		len(w.objects)+1, catalog, info, id, id, start)
	return b.Bytes()
}

func sum(b []byte) []byte {
	s := md5.Sum(b)
	return s[:]
}

// text is a text string in UTF-16 with its mark, as a hexadecimal string.
func text(s string) string {
	var b strings.Builder
	b.WriteString("<FEFF")
	for _, u := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, "%04X", u)
	}
	return b.String() + ">"
}

func pdfDate(t time.Time) string { return t.Format("(D:20060102150405+00'00')") }
