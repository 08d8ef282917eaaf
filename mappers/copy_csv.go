package mappers

import (
	"bytes"
	"io"

	"einvoice/connector/problem"
)

// csvCopier gives rows back byte by byte.
type csvCopier struct {
	r     *csvReader
	quote byte
	opt   CopyOptions
	raw   io.Writer
	out   io.WriteCloser
	all   bool // every cell of the file is quoted, so ours are
	wide  bool // it is told how wide the rows of a table without header are
}

func newCSVCopier(r *csvReader, quote byte, w io.Writer, opt CopyOptions) *csvCopier {
	return &csvCopier{r: r, quote: quote, opt: opt, raw: w, out: r.charset.restore(w)}
}

func (c *csvCopier) begin() error {
	if _, err := c.raw.Write(c.r.charset.bom); err != nil {
		return err
	}
	if _, err := c.out.Write(c.r.preface); err != nil {
		return err
	}
	h := c.r.header
	if h == nil {
		return nil
	}
	c.all = len(h.Spans) > 0 && h.Spans[0].quoted
	return c.row(h, c.opt.addedColumns())
}

func (c *csvCopier) take(d document, ps []problem.Problem, failing bool) error {
	if !failing {
		return nil
	}
	added := c.opt.addedCells(d.source, ps)
	if c.r.header == nil && !c.wide {
		if err := c.widest(d.source[0].Kept); err != nil {
			return err
		}
	}
	for i, r := range d.source {
		if err := c.row(r.Kept, added[i]); err != nil {
			return err
		}
	}
	return nil
}

// widest writes an empty row in front of a table without header. The first row
// tells how many cells a row has, and that of a copy may be a torn one.
func (c *csvCopier) widest(like *rowBytes) error {
	c.wide = true
	n := len(keptColumns(c.r.grid.head.names, c.r.width)) + c.unfilled() + len(c.opt.addedColumns())
	_, err := c.out.Write(append(bytes.Repeat([]byte{c.r.split.delimiter}, n-1), c.lineEnd(like)...))
	return err
}

// lineEnd is that of a row, or of another one where the file's last has none.
func (c *csvCopier) lineEnd(r *rowBytes) []byte {
	end := r.Raw[r.Spans[len(r.Spans)-1].end:]
	if len(end) == 0 {
		end = c.r.eol
	}
	if len(end) == 0 {
		end = []byte("\r\n")
	}
	return end
}

func (c *csvCopier) end() error { return c.out.Close() }

// row writes a row's own cells as they were, then ours.
func (c *csvCopier) row(r *rowBytes, added []string) error {
	var line []byte
	for i, column := range keptColumns(c.r.grid.head.names, c.width(r)) {
		if i > 0 {
			line = append(line, c.r.split.delimiter)
		}
		if column < len(r.Spans) {
			line = append(line, r.Raw[r.Spans[column].start:r.Spans[column].end]...)
		}
	}
	line = append(line, bytes.Repeat([]byte{c.r.split.delimiter}, c.unfilled())...)
	for _, text := range added {
		line = append(line, c.r.split.delimiter)
		line = append(line, c.quoted(c.r.charset.encode(text))...)
	}
	_, err := c.out.Write(append(line, c.lineEnd(r)...))
	return err
}

// unfilled is how many columns, behind those of the file, the mapping looks for by
// their number: without them it would read ours.
func (c *csvCopier) unfilled() int {
	return max(0, c.r.grid.reach()-len(keptColumns(c.r.grid.head.names, c.r.width)))
}

// width is how many cells of a row are written. A row with other cells than the
// header keeps them, so that it is refused again until it is mended; empty cells
// too many go, since ours must stand under their headers.
func (c *csvCopier) width(r *rowBytes) int {
	n, _ := c.r.fit(r.Spans)
	if n < c.r.width && c.r.lenient {
		return c.r.width
	}
	return n
}

func (c *csvCopier) quoted(text []byte) []byte {
	delimiter := c.r.split.delimiter
	if c.quote == 0 {
		return bytes.ReplaceAll(text, []byte{delimiter}, []byte{' '})
	}
	if !c.all && bytes.IndexByte(text, delimiter) < 0 && bytes.IndexByte(text, c.quote) < 0 {
		return text
	}
	q := []byte{c.quote}
	text = bytes.ReplaceAll(text, q, []byte{c.quote, c.quote})
	return append(append(q, text...), c.quote)
}
