package mappers

import (
	"bytes"
	"io"

	"einvoice/connector/problem"
)

// xmlCopier gives the file back without the invoices that are fine. What stands
// around them stays, byte by byte.
type xmlCopier struct {
	s       *xmlSource
	raw     io.Writer
	out     io.WriteCloser
	waiting []byte // outside of invoices: its end goes with an invoice that is left out
}

func newXMLCopier(s *xmlSource, w io.Writer) *xmlCopier {
	c := &xmlCopier{s: s, raw: w, out: s.charset.untext(w)}
	s.passed = func(b []byte) { c.waiting = append(c.waiting, b...) }
	return c
}

func (c *xmlCopier) begin() error {
	_, err := c.raw.Write(c.s.charset.bom)
	return err
}

func (c *xmlCopier) take(d document, _ []problem.Problem, failing bool) error {
	if !failing {
		c.waiting = bytes.TrimRight(c.waiting, " \t\r\n")
		return nil
	}
	if err := c.flush(); err != nil {
		return err
	}
	_, err := c.out.Write(d.raw)
	return err
}

func (c *xmlCopier) flush() error {
	_, err := c.out.Write(c.waiting)
	c.waiting = c.waiting[:0]
	return err
}

func (c *xmlCopier) end() error {
	if err := c.flush(); err != nil {
		return err
	}
	if _, err := io.Copy(c.out, c.s.scan.rest()); err != nil { // what follows the root
		return err
	}
	return c.out.Close()
}
