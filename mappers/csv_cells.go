package mappers

import "bytes"

// reads makes rows of the cells that a mapping reads, and of nothing else. The
// new texts of a row share one allocation; a text that is the same as in the row
// before, as most of an invoice's header are, is that of the row before.
type reads struct {
	r       *csvReader
	columns []int    // by slot
	before  []string // by slot: the text of the row before
	bytes   [][]byte // by slot: its bytes, where they are not the same
	fresh   []int    // slots of this row's own texts
	text    []byte   // those texts
	ends    []int    // where each ends in text
	rows    rowRoom  // for them
}

func (r *csvReader) compact() {
	columns := r.grid.compact()
	r.reads = &reads{r: r, columns: columns, before: make([]string, len(columns)), bytes: make([][]byte, len(columns))}
}

// row makes a row of the record that was just split.
func (c *reads) row() *row {
	s, out := c.r.split, c.rows.next(len(c.columns))
	out.Num, out.Last, out.line, out.size, out.Width = s.line, s.lines, s.record, len(s.record), len(s.spans)
	c.fresh, c.text, c.ends = c.fresh[:0], c.text[:0], c.ends[:0]
	for slot, column := range c.columns {
		if column >= len(s.spans) {
			continue
		}
		at := s.spans[column]
		if at.end-at.start > maxCellBytes {
			c.r.tooLong(out, column)
			continue
		}
		c.cell(out, slot, column, s.bytesOf(at))
	}
	if len(c.fresh) > 0 {
		c.share(out)
	}
	c.r.checkWidth(out)
	return out
}

func (c *reads) cell(out *row, slot, column int, raw []byte) {
	before := c.bytes[slot]
	switch {
	case len(raw) == 0:
		return
	case len(before) == 0 && string(raw) == c.before[slot], len(before) > 0 && bytes.Equal(raw, before):
		out.Cells[slot] = c.before[slot]
		return
	}
	from := len(c.text)
	text, sound := c.r.charset.appendText(c.text, raw)
	if !sound {
		out.Cells[slot] = c.r.text(out, column, raw) // with its fault
		return
	}
	c.text, c.bytes[slot] = text, before[:0]
	c.fresh, c.ends = append(c.fresh, slot), append(c.ends, len(c.text))
	if len(text)-from != len(raw) {
		c.bytes[slot] = append(before[:0], raw...)
		c.r.suspect(out.Num, column, raw, text[from:])
	}
}

// share makes one string of the row's own texts.
func (c *reads) share(out *row) {
	all, from := string(c.text), 0
	for i, slot := range c.fresh {
		text := all[from:c.ends[i]]
		out.Cells[slot], c.before[slot] = text, text
		from = c.ends[i]
	}
}
