package mappers

import (
	"io"
	"strings"

	"einvoice/connector/problem"
)

// recordCopier gives the records of failing documents back, with the file's
// preface and its trailer.
type recordCopier struct {
	s    *recordSource
	raw  io.Writer
	out  io.WriteCloser
	open bool   // what would be written next would be read as part of what was
	last []byte // what was written
}

func newRecordCopier(s *recordSource, w io.Writer) *recordCopier {
	return &recordCopier{s: s, raw: w, out: s.charset.restore(w)}
}

func (c *recordCopier) begin() error {
	if _, err := c.raw.Write(c.s.charset.bom); err != nil {
		return err
	}
	c.open = len(c.s.around) > 0 && c.s.ahead != nil
	return c.around()
}

// around writes what stands in front of the document at hand.
func (c *recordCopier) around() error {
	err := c.write(c.s.around)
	c.s.around = nil
	return err
}

func (c *recordCopier) write(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	c.last = b
	_, err := c.out.Write(b)
	return err
}

func (c *recordCopier) take(d document, _ []problem.Problem, failing bool) error {
	if len(c.s.around) > 0 {
		c.open = false // by a trailer
	}
	if err := c.around(); err != nil || !failing {
		return err
	}
	if err := c.apart(d); err != nil {
		return err
	}
	c.open = !d.closed
	return c.write(d.raw)
}

// apart ends what was written, which something that is not in the copy ended in
// the file, before lines that have no record of their own to begin with. The
// first document stands behind the preface in the file as well.
func (c *recordCopier) apart(d document) error {
	if !d.stray || !c.open || d.ordinal == 1 {
		return nil
	}
	return c.write(c.s.endRecord(c.last))
}

// endRecord is an end record as the file would have it, its line end as that of
// the record before.
func (s *recordSource) endRecord(before []byte) []byte {
	fill := " "
	if s.m.input.format != formatFixed {
		fill = string(s.split.delimiter)
	}
	text := strings.Repeat(fill, s.m.records.kind.from-1) + s.m.records.end
	ended := strings.TrimRight(string(before), "\r\n")
	return append(s.charset.encode(text), before[len(ended):]...)
}

func (c *recordCopier) end() error {
	if err := c.around(); err != nil {
		return err
	}
	return c.out.Close()
}
