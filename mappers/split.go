package mappers

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/bits"
)

// Limits of what a row may be; beyond, a quote was left open or the file is no
// table.
const (
	maxCellBytes = 256 << 10
	maxRowBytes  = 8 << 20
)

// errRowTooLong and errOpenQuote end the reading of a file.
var (
	errRowTooLong = errors.New("row too long")
	errOpenQuote  = errors.New("quote never closed")
)

// span is a cell in the bytes of its row, quotes included.
type span struct {
	start, end int
	quoted     bool
}

// MarshalJSON writes a span for a row that is put aside.
func (c span) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, "[%d,%d,%t]", c.start, c.end, c.quoted), nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (c *span) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&c.start, &c.end, &c.quoted})
}

// splitter reads delimited records. It is lenient as encoding/csv's LazyQuotes,
// keeps the bytes of each record and knows the row where an editor shows it.
type splitter struct {
	in        *bufio.Reader
	delimiter byte
	quote     byte // 0: none
	end       byte // '\n', or '\r' for an old Macintosh

	line   int // of the last record's first line
	lines  int // read so far
	record []byte
	spans  []span
	body   int // length of the record without its line end
}

// newSplitter reads a file of about that size; 0 when it is not known.
func newSplitter(r io.Reader, size int64, delimiter, quote, end byte) *splitter {
	buffer := int64(64 << 10)
	if size > 0 {
		buffer = min(buffer, size+1)
	}
	return &splitter{in: bufio.NewReaderSize(r, int(buffer)), delimiter: delimiter, quote: quote, end: end}
}

// next reads a record into record and spans, which hold until the next call.
func (s *splitter) next() error {
	s.record, s.spans = s.record[:0], s.spans[:0]
	s.line = s.lines + 1
	state := scan{}
	for {
		from := len(s.record)
		if err := s.readLine(); err != nil {
			if err == io.EOF && from > 0 {
				return errOpenQuote
			}
			return err
		}
		s.trimEnd()
		more := s.scan(&state)
		if len(s.spans) > maxColumns {
			return errRowTooLong
		}
		if !more {
			return nil
		}
	}
}

// readLine appends a physical line, with its end.
func (s *splitter) readLine() error {
	from := len(s.record)
	for {
		part, err := s.in.ReadSlice(s.end)
		s.record = append(s.record, part...)
		switch {
		case len(s.record) > maxRowBytes:
			return errRowTooLong
		case err == bufio.ErrBufferFull:
			continue
		case err == io.EOF && len(s.record) > from, err == nil:
			s.lines++
			return nil
		}
		return err
	}
}

func (s *splitter) trimEnd() {
	s.body = len(s.record)
	for s.body > 0 && (s.record[s.body-1] == '\n' || s.record[s.body-1] == '\r') {
		s.body--
	}
}

// scan is where the splitting of a record stands between two physical lines.
type scan struct {
	at, start int
	inside    bool // of quotes
	quoted    bool // the cell began with a quote
}

// scan goes on splitting; it returns true when the record goes on in the next line.
func (s *splitter) scan(c *scan) (more bool) {
	if c.at == 0 && (s.quote == 0 || bytes.IndexByte(s.record, s.quote) < 0) {
		s.splitPlain()
		return false
	}
	for c.at < len(s.record) {
		switch {
		case c.inside:
			s.insideQuotes(c)
		case c.at >= s.body:
			c.at = len(s.record)
		case c.at == c.start && s.record[c.at] == s.quote:
			c.inside, c.quoted = true, true
			c.at++
		default:
			s.toDelimiter(c)
		}
	}
	if c.inside {
		return true
	}
	s.cell(c, s.body)
	return false
}

// toDelimiter passes the rest of a cell.
func (s *splitter) toDelimiter(c *scan) {
	n := bytes.IndexByte(s.record[c.at:s.body], s.delimiter)
	if n < 0 {
		c.at = len(s.record)
		return
	}
	c.at += n
	s.cell(c, c.at)
	c.at++
}

// insideQuotes passes all up to the next quote, and that. A quote that is not
// followed by the end of its cell, or doubled, is a character like any other.
func (s *splitter) insideQuotes(c *scan) {
	n := bytes.IndexByte(s.record[c.at:], s.quote)
	if n < 0 {
		c.at = len(s.record)
		return
	}
	c.at += n + 1
	switch {
	case c.at >= s.body:
		c.inside = false
	case s.record[c.at] == s.quote:
		c.at++
	case s.record[c.at] == s.delimiter:
		c.inside = false
	}
}

func (s *splitter) cell(c *scan, end int) {
	if len(s.spans) > maxColumns {
		return // a bomb, which next refuses
	}
	s.spans = append(s.spans, span{start: c.start, end: end, quoted: c.quoted})
	c.start, c.quoted = end+1, false
}

// splitPlain splits a record that has no quotes, which most have not. It looks
// at eight bytes at a time: cells are too short for a search each.
func (s *splitter) splitPlain() {
	body, start, at := s.record[:s.body], 0, 0
	for ; at+8 <= len(body); at += 8 {
		for found := bytesLike(binary.LittleEndian.Uint64(body[at:]), s.delimiter); found != 0; found &= found - 1 {
			end := at + bits.TrailingZeros64(found)/8
			s.spans = append(s.spans, span{start: start, end: end})
			start = end + 1
		}
		if len(s.spans) > maxColumns {
			return // a bomb, which next refuses
		}
	}
	for ; at < len(body); at++ {
		if body[at] == s.delimiter {
			s.spans = append(s.spans, span{start: start, end: at})
			start = at + 1
		}
	}
	s.spans = append(s.spans, span{start: start, end: len(body)})
}

// bytesLike marks the bytes of a word that are c by their highest bit.
func bytesLike(word uint64, c byte) uint64 {
	const ones, low = 0x0101010101010101, 0x7f7f7f7f7f7f7f7f
	x := word ^ ones*uint64(c)
	return ^((x&low + low) | x | low)
}

func (s *splitter) bytesOf(c span) []byte { return c.of(s.record, s.quote) }

// of gives a cell without its quotes, doubled ones made single.
func (c span) of(record []byte, quote byte) []byte {
	b := record[c.start:c.end]
	if !c.quoted {
		return b
	}
	b = b[1:]
	if n := len(b); n > 0 && b[n-1] == quote {
		b = b[:n-1]
	}
	if bytes.IndexByte(b, quote) < 0 {
		return b
	}
	return bytes.ReplaceAll(b, []byte{quote, quote}, []byte{quote})
}
