package mappers

// reads makes rows of the cells that a mapping reads, and of nothing else. The
// new texts of a row share one allocation; a text that is the same as in the row
// before, as most of an invoice's header are, is that of the row before.
type reads struct {
	r       *csvReader
	columns []int    // by slot
	before  []string // by slot
	plain   []bool   // by slot: what is before was the same in bytes and as text
	fresh   []int    // slots of this row's own texts
	text    []byte   // those texts
	ends    []int    // where each ends in text
	rows    []row    // to be given out
	cells   []string // to be given out
}

func (r *csvReader) compact() {
	columns := r.grid.compact()
	r.reads = &reads{r: r, columns: columns, before: make([]string, len(columns)), plain: make([]bool, len(columns))}
}

// next gives out a row with empty cells.
func (c *reads) next() *row {
	if len(c.rows) == 0 {
		c.rows, c.cells = make([]row, slabRows), make([]string, slabRows*len(c.columns))
	}
	out, n := &c.rows[0], len(c.columns)
	out.Cells = c.cells[:n:n]
	c.rows, c.cells = c.rows[1:], c.cells[n:]
	return out
}

// row makes a row of the record that was just split.
func (c *reads) row() *row {
	s, out := c.r.split, c.next()
	out.Num, out.Last, out.line, out.Width = s.line, s.lines, s.record, len(s.spans)
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
	switch {
	case len(raw) == 0:
	case c.plain[slot] && string(raw) == c.before[slot]:
		out.Cells[slot] = c.before[slot]
	case isASCII(raw):
		c.fresh, c.text = append(c.fresh, slot), append(c.text, raw...)
		c.ends = append(c.ends, len(c.text))
	default:
		text := c.r.text(out, column, raw)
		out.Cells[slot], c.before[slot], c.plain[slot] = text, text, string(raw) == text
	}
}

// share makes one string of the row's own texts.
func (c *reads) share(out *row) {
	all, from := string(c.text), 0
	for i, slot := range c.fresh {
		text := all[from:c.ends[i]]
		out.Cells[slot], c.before[slot], c.plain[slot] = text, text, true
		from = c.ends[i]
	}
}
