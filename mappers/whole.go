package mappers

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// tailBytes are looked at to find the end of an XML file.
const tailBytes = 64 << 10

// Whole tells whether a file of the format has its structural end: the central
// directory of a workbook, the closed root element of an XML file. A format
// without an end of its own is taken for whole; false means that the writer is
// still at work.
func Whole(ctx context.Context, format string, r io.ReaderAt, size int64) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	switch format {
	case formatXLSX:
		if isOLE(r) {
			return true, nil // an old or encrypted workbook: reading it says so
		}
		_, err := zip.NewReader(r, size)
		return err == nil, nil
	case formatXML:
		return wholeXML(r, size)
	}
	return true, nil
}

func isOLE(r io.ReaderAt) bool {
	magic := make([]byte, len(oleMagic))
	n, _ := r.ReadAt(magic, 0)
	return bytes.Equal(magic[:n], oleMagic)
}

// wholeXML looks for the end tag of the root near the end of the file. A file
// that is not XML at all is whole: reading it says what is wrong.
func wholeXML(r io.ReaderAt, size int64) (bool, error) {
	c, in, err := xmlCharset(io.NewSectionReader(r, 0, size), "")
	if err != nil {
		return true, nil
	}
	decoder := xml.NewDecoder(c.text(in))
	decoder.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	for {
		token, err := decoder.RawToken()
		if err == io.EOF {
			return false, nil
		}
		if err != nil {
			return !strings.Contains(err.Error(), "unexpected EOF"), nil
		}
		if root, ok := token.(xml.StartElement); ok {
			return closes(r, size, root.Name)
		}
	}
}

func closes(r io.ReaderAt, size int64, name xml.Name) (bool, error) {
	tail := make([]byte, min(size, tailBytes))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && err != io.EOF {
		return false, fmt.Errorf("read end of file: %w", err)
	}
	tail = bytes.ReplaceAll(tail, []byte{0}, nil) // UTF-16, near enough for a tag
	full := name.Local
	if name.Space != "" {
		full = name.Space + ":" + full
	}
	at := bytes.LastIndex(tail, []byte("</"+full))
	if at >= 0 {
		return bytes.IndexByte(tail[at:], '>') >= 0, nil
	}
	selfClosing := bytes.LastIndex(tail, []byte("/>"))
	return selfClosing >= 0 && bytes.Count(tail, []byte("<")) <= 2, nil
}
