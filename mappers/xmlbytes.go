package mappers

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"

	"golang.org/x/text/transform"
)

// errElementTooLong ends the reading of an XML file.
var errElementTooLong = errors.New("element too long")

// errEncoding is wrapped by the error about an encoding that is not known.
var errEncoding = errors.New("unknown encoding")

// tap gives bytes to a decoder one by one, so that its offsets are exact, and
// keeps those that may still be needed.
type tap struct {
	in   *bufio.Reader
	keep bool
	kept []byte
	base int64 // offset of kept[0], or of what would be
	read int64

	token int64   // where the token at hand begins
	mark  [3]byte // how
}

func newTap(r io.Reader, keep bool) *tap { return &tap{in: bufio.NewReaderSize(r, 64<<10), keep: keep} }

// begin notes that the token at offset is the next; its first byte may have been
// read before.
func (t *tap) begin(offset int64) {
	t.token = offset
	if t.read == offset {
		t.mark = [3]byte{}
	} else {
		t.mark = [3]byte{'<'}
	}
}

// tooLong tells whether the token at hand is longer than its kind may be: a
// decoder holds all of it, and a tag's attributes several times.
func (t *tap) tooLong(b byte) bool {
	n := t.read - t.token
	if n < int64(len(t.mark)) {
		t.mark[n] = b
	}
	if t.mark[0] != '<' || t.mark[1] == '!' && t.mark[2] == '[' {
		return n > maxTextBytes
	}
	return n > maxTagBytes
}

// ReadByte makes the decoder use the tap without a buffer of its own.
func (t *tap) ReadByte() (byte, error) {
	b, err := t.in.ReadByte()
	if err != nil {
		return 0, err
	}
	if t.read-t.base >= maxElementBytes || t.tooLong(b) {
		return 0, errElementTooLong
	}
	if t.keep {
		t.kept = append(t.kept, b)
	}
	t.read++
	return b, nil
}

// Read is never used by a decoder that has ReadByte.
func (t *tap) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b, err := t.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = b
	return 1, nil
}

// forget drops what stands before the offset, after giving it away.
func (t *tap) forget(before int64, to func([]byte)) {
	n := int(before - t.base)
	if n <= 0 {
		return
	}
	t.base = before
	if !t.keep {
		return
	}
	if to != nil {
		to(t.kept[:n])
	}
	t.kept = append(t.kept[:0], t.kept[n:]...)
}

func (t *tap) slice(from, to int64) []byte {
	return bytes.Clone(t.kept[from-t.base : to-t.base])
}

var declared = regexp.MustCompile(`^\s*<\?xml[^>]*\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']`)

// xmlCharset tells the encoding of a file: a byte order mark is certain, then
// comes the file's own declaration, then the mapping's, then UTF-8. The reader
// it gives stands behind the mark.
func xmlCharset(r io.Reader, fallback string) (charset, io.Reader, error) {
	in := bufio.NewReaderSize(r, 4096)
	head, err := in.Peek(1024)
	if err != nil && err != io.EOF {
		return charset{}, nil, err
	}
	for _, b := range boms {
		if bytes.HasPrefix(head, b.mark) {
			_, err := in.Discard(len(b.mark))
			return newCharset(b.name, b.mark), in, err
		}
	}
	name := fallback
	if m := declared.FindSubmatch(head); m != nil {
		if name = canonicalEncoding(string(m[1])); name == "" {
			return charset{}, nil, fmt.Errorf("%w: %s", errEncoding, m[1])
		}
	}
	switch {
	case bytes.HasPrefix(head, []byte("<\x00?\x00")):
		name = utf16LE
	case bytes.HasPrefix(head, []byte("\x00<\x00?")):
		name = utf16BE
	case name == "" || name == utf16LE || name == utf16BE:
		name = utf8Text
	}
	return newCharset(name, nil), in, nil
}

// text is the whole input as UTF-8.
func (c charset) text(r io.Reader) io.Reader {
	if c.table != nil {
		return transform.NewReader(r, c.table.NewDecoder())
	}
	return c.reader(r)
}

// untext is a writer that turns UTF-8 back into the encoding.
func (c charset) untext(w io.Writer) io.WriteCloser {
	if c.table == nil {
		return c.restore(w)
	}
	return transform.NewWriter(w, c.table.NewEncoder())
}
