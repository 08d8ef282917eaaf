package mappers

import (
	"archive/zip"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// soundSheet reads a sheet to its end: excelize takes XML that breaks off, or
// breaks, for the end of the rows, and invoices would be missing in silence.
func soundSheet(f *zip.File) error {
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	c, text, err := xmlCharset(in, "")
	if err != nil {
		return err
	}
	s, order := newXMLScanner(c.text(text)), sheetOrder{}
	for {
		s.element = s.offset()
		if err := s.next(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := order.check(s); err != nil {
			return err
		}
	}
}

// sheetOrder knows whether rows and cells come in the order of their numbers, as
// every program writes them: excelize takes others to be of another row, or
// column, and an amount would stand where a quantity is looked for.
type sheetOrder struct {
	data        bool // inside of sheetData
	row, column int  // the last ones
}

func (o *sheetOrder) check(s *xmlScanner) error {
	switch {
	case s.kind == startTag && s.name == "sheetData":
		o.data = true
	case s.kind == endTag && s.name == "sheetData":
		o.data = false
	case s.kind == startTag && o.data && s.name == "row":
		return o.next(&o.row, numberOfRow, s.attributes)
	case s.kind == endTag && s.name == "row":
		o.column = 0
	case s.kind == startTag && o.data && s.name == "c":
		return o.next(&o.column, columnOfCell, s.attributes)
	}
	return nil
}

// next takes the number in attribute r, or the next one where there is none.
func (o *sheetOrder) next(last *int, read func(string) int, of []attribute) error {
	n, ref := *last+1, ""
	for _, a := range of {
		if a.name == "r" && a.value != "" {
			ref = a.value
			n = read(ref)
		}
	}
	if n <= *last {
		return fmt.Errorf("out of order: %q", ref[:min(len(ref), 20)])
	}
	*last = n
	return nil
}

// numberOfRow and columnOfCell give 0 for what is none.
func numberOfRow(ref string) int {
	n, _ := strconv.Atoi(ref)
	return n
}

func columnOfCell(ref string) int {
	n := columnNumber(strings.TrimRight(ref, "0123456789"))
	if n > maxColumns {
		return 0
	}
	return n
}
