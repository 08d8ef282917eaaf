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
