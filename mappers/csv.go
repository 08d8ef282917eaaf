package mappers

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"einvoice/connector/problem"
)

// sampleBytes are looked at to find delimiter and header.
const (
	sampleBytes = 64 << 10
	sampleRows  = 50
)

// csvReader reads the rows of a delimited file.
type csvReader struct {
	grid    *grid
	split   *splitter
	file    io.Closer
	charset charset
	width   int
	lenient bool      // short rows are allowed
	wanted  []bool    // the cells that are read
	reads   *reads    // not nil: they stand close together
	keep    bool      // the bytes of each row
	preface []byte    // everything before the header row, for a copy
	header  *rowBytes // for a copy
	eol     []byte
	doubt   *problem.Problem
}

// layout is what is found out about a delimited file before it is read.
type layout struct {
	charset   charset
	delimiter byte
	end       byte
	head      headings
	width     int // cells of the header, 0 if there is none
	sample    []byte
}

// openCSV finds encoding, delimiter and header, and stands before the first row.
func openCSV(m *Mapping, e Export, keep bool) (*csvReader, []problem.Problem, error) {
	look, err := examine(m, e)
	if err != nil {
		return nil, nil, err
	}
	f, err := e.Open()
	if err != nil {
		return nil, nil, fmt.Errorf("open export: %w", err)
	}
	if _, err := f.Seek(int64(len(look.charset.bom)), io.SeekStart); err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("rewind export: %w", err)
	}
	g, problems := newGrid(e.Name, "", look.head, m.places)
	r := &csvReader{
		grid: g, file: f, charset: look.charset, width: look.width, lenient: m.input.shortRows, keep: keep,
		split: newSplitter(look.charset.reader(f), e.Size, look.delimiter, m.input.quote, look.end),
	}
	r.wanted = g.wanted(max(look.width, maxPosition(m.places)))
	if err := r.toHeader(m.input.skip); err != nil {
		f.Close()
		return nil, nil, r.broken(err)
	}
	missing := g.missing(m)
	if len(missing) > 0 {
		if err := entries(e.Name, look.sample); err != nil {
			f.Close()
			return nil, nil, err
		}
		problems = append(problems, r.suspectHeader()...)
	}
	return r, append(problems, missing...), nil
}

// suspectHeader looks for the cause of missing columns in a wrong encoding.
func (r *csvReader) suspectHeader() []problem.Problem {
	for i, name := range r.grid.head.names {
		r.suspect(r.grid.head.row, i, r.charset.encode(name), []byte(name))
	}
	if r.doubt == nil {
		return nil
	}
	return []problem.Problem{*r.doubt}
}

func maxPosition(places []place) int {
	n := 0
	for _, p := range places {
		n = max(n, p.position)
	}
	return n
}

// toHeader passes everything up to the header row or, where there is none, what
// is skipped.
func (r *csvReader) toHeader(skip int) error {
	header := r.grid.head.row
	for r.split.lines < max(header, skip) {
		if err := r.split.next(); err == io.EOF && header == 0 {
			return nil
		} else if err != nil {
			return err
		}
		switch s := r.split; {
		case r.keep && header > 0 && s.lines >= header:
			r.header = s.rowBytes()
		case r.keep:
			r.preface = append(r.preface, s.record...)
		}
		r.eol = append(r.eol[:0], r.split.record[r.split.body:]...)
	}
	return nil
}

func (r *csvReader) Close() error { return r.file.Close() }

func (r *csvReader) next() (*row, error) {
	if err := r.split.next(); err != nil {
		if err == io.EOF {
			return nil, err
		}
		return nil, r.broken(err)
	}
	s := r.split
	if r.width == 0 {
		r.width = len(s.spans)
	}
	out := r.row()
	if r.keep {
		out.Kept = s.rowBytes()
	}
	return out, nil
}

// row makes a row of the record that was just split, the same for reading and for
// a copy: with other cells a copy would have other documents.
func (r *csvReader) row() *row {
	s := r.split
	if r.reads != nil {
		return r.reads.row()
	}
	out := &row{Num: s.line, Last: s.lines, line: s.record, size: len(s.record), Cells: make([]string, min(len(s.spans), max(r.width, len(r.wanted))))}
	for i := range out.Cells {
		if r.wants(i) {
			r.decode(out, i)
		}
	}
	r.checkWidth(out)
	return out
}

func (r *csvReader) wants(column int) bool { return column < len(r.wanted) && r.wanted[column] }

// room is where rows stand that are used again; nil when they are kept.
func (r *csvReader) room() *rowRoom {
	if r.reads == nil {
		return nil
	}
	return &r.reads.rows
}

// decode fills a cell; what is wrong with it spoils its row only.
func (r *csvReader) decode(out *row, i int) {
	c := r.split.spans[i]
	if c.end-c.start > maxCellBytes {
		r.tooLong(out, i)
		return
	}
	out.Cells[i] = r.text(out, i, r.split.bytesOf(c))
}

func (r *csvReader) tooLong(out *row, column int) {
	c := r.split.spans[column]
	p := r.grid.fault(codeLongCell, out.Num, fmt.Sprint(c.end-c.start), fmt.Sprint(maxCellBytes))
	p.Position = r.grid.position(out.Num, column)
	out.Faults = append(out.Faults, p)
}

func (r *csvReader) text(out *row, column int, raw []byte) string {
	text, ok := r.charset.decode(raw)
	if !ok {
		p := r.grid.fault(codeBadBytes, out.Num, text, "")
		p.Position = r.grid.position(out.Num, column)
		p.Args = map[string]string{"encoding": r.charset.name}
		out.Faults = append(out.Faults, p)
	}
	if r.doubt == nil {
		r.suspect(out.Num, column, raw, []byte(text))
	}
	return text
}

// suspect warns once about a file that seems to be in another encoding.
func (r *csvReader) suspect(rowNum, column int, raw, text []byte) {
	if r.doubt != nil || len(text) == len(raw) {
		return
	}
	code := r.charset.doubtful(raw)
	if code == "" {
		return
	}
	p := problem.Problem{
		Code: code, Severity: problem.Warn, Value: string(text), Position: r.grid.position(rowNum, column),
		Args: map[string]string{"encoding": r.charset.name},
	}
	r.doubt = &p
}

// checkWidth refuses a row with other cells than the header: a delimiter inside
// a text has moved all that follow. Empty cells too many do no harm.
func (r *csvReader) checkWidth(out *row) {
	spans := r.split.spans
	n, fits := r.fit(spans)
	if fits || n == 1 && spans[0].start == spans[0].end {
		return
	}
	out.Faults = append(out.Faults, r.grid.fault(codeRagged, out.Num, fmt.Sprint(n), fmt.Sprint(r.width)))
	for _, at := range spans[:n] {
		text, _ := r.charset.decode(r.split.bytesOf(at))
		out.Torn = append(out.Torn, trimSpace(text))
	}
}

// fit counts the cells of a row without the empty ones too many.
func (r *csvReader) fit(spans []span) (n int, fits bool) {
	n = len(spans)
	for n > r.width && spans[n-1].start == spans[n-1].end {
		n--
	}
	return n, n == r.width || n < r.width && r.lenient
}

// broken says why the rest of the file cannot be read.
func (r *csvReader) broken(err error) error {
	switch {
	case errors.Is(err, errOpenQuote):
		return r.grid.fault(codeOpenQuote, r.split.line, "", "")
	case errors.Is(err, errRowTooLong):
		return r.grid.fault(codeOpenQuote, r.split.line, "", "")
	}
	return fmt.Errorf("read row %d: %w", r.split.line, err)
}

// examine reads the beginning of the file.
func examine(m *Mapping, e Export) (layout, error) {
	head, err := readHead(e)
	if err != nil {
		return layout{}, err
	}
	charset, err := detectCharset(m.input.encoding, head, e)
	if err != nil {
		return layout{}, fmt.Errorf("detect encoding: %w", err)
	}
	look := m.layout(head, charset)
	look.sample = head
	if m.hasNames() && look.head.row == 0 {
		return look, problem.Problem{Code: codeNoHeader, Severity: problem.Refuse, Position: problem.Position{File: e.Name}}
	}
	return look, nil
}

func readHead(e Export) ([]byte, error) {
	f, err := e.Open()
	if err != nil {
		return nil, fmt.Errorf("open export: %w", err)
	}
	defer f.Close()
	size := sampleBytes
	if e.Size > 0 && e.Size < sampleBytes {
		size = int(e.Size) + 1 // one more shows that it grew
	}
	head := make([]byte, size)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, fmt.Errorf("read beginning of export: %w", err)
	}
	return head[:n], nil
}

// layout tries the delimiters: the right one is that which brings out most of
// the names that the mapping looks for.
func (m *Mapping) layout(head []byte, c charset) layout {
	look := layout{charset: c, end: '\n', delimiter: m.input.delimiter}
	sample, _ := io.ReadAll(c.reader(bytes.NewReader(head[len(c.bom):])))
	if bytes.IndexByte(sample, '\n') < 0 && bytes.IndexByte(sample, '\r') >= 0 {
		look.end = '\r'
	}
	candidates := []byte{';', '\t', ',', '|'}
	if declared := sepLine(sample); look.delimiter == 0 && declared != 0 {
		look.delimiter = declared
	}
	if look.delimiter != 0 {
		candidates = []byte{look.delimiter}
	}
	bestScore, bestWidth := -1, 0
	for _, d := range candidates {
		rows := m.sample(sample, c, d, look.end)
		h, score := chooseHeader(rows, m)
		if !m.hasNames() && m.input.header == 0 {
			h = headings{}
			score = firstWidth(rows)
		}
		if width := len(h.names); score > bestScore || score == bestScore && width > bestWidth {
			look.delimiter, look.head, look.width = d, h, width
			bestScore, bestWidth = score, width
		}
	}
	return look
}

func firstWidth(rows []row) int {
	if len(rows) == 0 {
		return 0
	}
	return len(rows[0].Cells)
}

// sepLine reads Excel's "sep=;" in front of a table, 0 if there is none.
func sepLine(sample []byte) byte {
	line, _, _ := bytes.Cut(sample, []byte("\n"))
	text := strings.Trim(string(line), "\r\"")
	if len(text) == 5 && strings.EqualFold(text[:4], "sep=") {
		return text[4]
	}
	return 0
}

// sample splits the first rows, from which the header is chosen.
func (m *Mapping) sample(sample []byte, c charset, delimiter, end byte) []row {
	s := newSplitter(bytes.NewReader(sample), int64(len(sample)), delimiter, m.input.quote, end)
	var rows []row
	for len(rows) < sampleRows && s.next() == nil {
		if s.line <= m.input.skip || m.input.header > 0 && s.line != m.input.header || s.line == 1 && sepLine(s.record) != 0 {
			continue
		}
		r := row{Num: s.lines}
		for _, sp := range s.spans {
			text, _ := c.decode(s.bytesOf(sp))
			r.Cells = append(r.Cells, text)
		}
		rows = append(rows, r)
	}
	return rows
}
