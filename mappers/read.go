package mappers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"einvoice/connector"
	"einvoice/connector/problem"
	"einvoice/mappers/seen"

	"github.com/govalues/decimal"
)

// opened is an export ready to be read.
type opened struct {
	source   source
	grid     *grid // of a table's rows
	apart    bool  // documents do not depend on each other, or on what is read after them
	format   valueFormat
	encoding string
	problems []problem.Problem // of the file
	unused   []string
	later    func() []problem.Problem
	rows     func() int
	close    func() error
	copier   func(w io.Writer, opt CopyOptions) copier
}

// Read maps an export as a stream: yield gets every document in the order of the
// file, and its error ends the reading. Nothing is yielded when the report has a
// problem that refuses the file, except for a missing or wrong trailer, which
// only the end of the file shows. The error is a problem.Problem when the file
// cannot be read as what the mapping says it is, or made a library break: one
// bad file must not end the program that reads the others.
func (m *Mapping) Read(ctx context.Context, e Export, yield func(Result) error) (report Report, err error) {
	ours := true // not while yield runs: what breaks there is the caller's
	defer func() {
		if ours {
			broken(e.Name, recover(), &err)
		}
	}()
	return m.read(ctx, e, func(r Result) error {
		ours = false
		err := yield(r)
		ours = true
		return err
	})
}

// brokenShown bounds what is shown of a panic.
const brokenShown = 200

// broken turns what a panic left into a problem of the file; nil is none.
func broken(name string, panicked any, err *error) {
	if panicked == nil {
		return
	}
	said := strings.ToValidUTF8(fmt.Sprint(panicked), "?")
	*err = problem.Problem{Code: codeBroken, Severity: problem.Refuse, Position: problem.Position{File: name},
		Value: said[:min(len(said), brokenShown)]}
}

func (m *Mapping) read(ctx context.Context, e Export, yield func(Result) error) (Report, error) {
	if err := m.refresh(ctx); err != nil {
		return Report{}, err
	}
	in, err := m.open(e, false)
	if err != nil {
		return Report{}, err
	}
	defer in.close()
	report := Report{Encoding: in.encoding, Problems: in.problems, Unused: in.unused}
	if report.Refused() {
		return report, nil
	}
	sum := &summing{m: m, controls: &report.Controls, numbers: numbers{seen: seen.New(e.TempDir)}}
	defer sum.numbers.seen.Close()
	err = m.bindAll(ctx, in, e, func(r *Result) error {
		if err := sum.take(r); err != nil {
			return err
		}
		return yield(*r)
	})
	if err != nil {
		return report, err
	}
	report.Rows = in.rows()
	report.Problems = append(report.Problems, in.later()...)
	report.Problems = append(report.Problems, m.checkEnd(e.Name, in.source, &report.Controls, sum.total)...)
	return report, nil
}

// summing is what is known of an export only when its documents are taken in
// their order.
type summing struct {
	m        *Mapping
	controls *Controls
	numbers  numbers
	total    decimal.Decimal
}

func (s *summing) take(r *Result) error {
	if err := s.numbers.check(r); err != nil {
		return err
	}
	s.controls.count(r)
	s.total = s.m.addTotal(s.total, r)
	return nil
}

func (c *Controls) count(r *Result) {
	if r.Ignored != "" {
		c.Ignored++
		return
	}
	c.Documents++
	c.Lines += len(r.Invoice.Lines)
}

// releaseOf is what somebody wrote into the column that releases a held invoice.
func releaseOf(d document) string {
	for _, n := range d.lines {
		r, ok := n.(*row)
		if !ok || r.grid.releaseSlot < 0 {
			return ""
		}
		if r.grid.releaseSlot >= len(r.Cells) {
			continue
		}
		if text := trimSpace(r.Cells[r.grid.releaseSlot]); text != "" {
			return text
		}
	}
	return ""
}

// addTotal sums what the invoices come to, for a trailer that states it.
func (m *Mapping) addTotal(sum decimal.Decimal, r *Result) decimal.Decimal {
	if m.end == nil || m.end.total == nil || r.Ignored != "" {
		return sum
	}
	inv := r.Invoice
	inv.Lines = append([]connector.Line(nil), inv.Lines...)
	if inv.Complete() != nil {
		return sum
	}
	next, err := sum.Add(inv.Totals.Gross.Or0())
	if err != nil {
		return sum
	}
	return next
}

// ender is a source whose file ends with a trailer.
type ender interface {
	trailerNode() (n node, found bool)
	partial() bool
}

// checkEnd looks at the trailer: it must be there, be last, and agree. What it
// states goes beside our own figures.
func (m *Mapping) checkEnd(file string, s source, c *Controls, sum decimal.Decimal) []problem.Problem {
	g, ok := s.(ender)
	if !ok || m.end == nil || g.partial() {
		return nil
	}
	n, there := g.trailerNode()
	if !there {
		return []problem.Problem{{Code: codeNoTrailer, Severity: problem.Refuse, Position: problem.Position{File: file}}}
	}
	var problems []problem.Problem
	compare := func(name string, sel *selector, code string, got decimal.Decimal) {
		if sel == nil {
			return
		}
		text, _ := n.cell(sel.place)
		stated, bad := m.input.values.numbers.parse(text)
		if bad == nil && stated.Or0().Equal(got) {
			plain := stated.Or0().String() // 10.50 and 10.5 are the same
			c.Stated = append(c.Stated, Stated{Name: name, Stated: plain, Computed: plain})
			return
		}
		c.Stated = append(c.Stated, Stated{Name: name, Stated: text, Computed: got.String()})
		p := problemOf(&flaw{code: code, expected: text}, "",
			found{text: got.String(), origin: &Origin{Position: n.where(sel.place)}, placed: true})
		problems = append(problems, p)
	}
	compare("count", m.end.count, codeTrailerCount, decimal.MustNew(int64(c.Documents+c.Ignored), 0))
	compare("total", m.end.total, codeTrailerTotal, sum)
	return problems
}

// open prepares an export for reading; keep keeps what a copy needs.
func (m *Mapping) open(e Export, keep bool) (*opened, error) {
	switch m.shape {
	case xmlShape:
		return m.openXML(e, keep)
	case recordShape:
		return m.openRecords(e, keep)
	case joinedShape:
		return m.openJoined(e, keep)
	case sheetShape:
		return m.openSheets(e)
	}
	head, err := readHead(e)
	if err != nil {
		return nil, err
	}
	// A CSV comes back as a workbook when accountants corrected it in Excel.
	if m.input.format == formatXLSX || isZip(head) {
		return m.openXLSX(e, keep)
	}
	r, problems, err := openCSV(m, e, keep)
	if err != nil {
		return nil, err
	}
	r.compact()
	in := m.openRows(r.grid, r, e.TempDir, keep)
	in.encoding, in.problems = r.charset.name, problems
	in.copier = func(w io.Writer, opt CopyOptions) copier {
		if opt.Workbook {
			return newXLSXCopier(r, w, opt, e.TempDir)
		}
		return newCSVCopier(r, m.input.quote, w, opt)
	}
	in.later = func() []problem.Problem {
		if r.doubt == nil {
			return nil
		}
		return []problem.Problem{*r.doubt}
	}
	return in, nil
}

// openRows puts the grouping between a table and the binder.
func (m *Mapping) openRows(g *grid, rows rowReader, tempDir string, keep bool) *opened {
	grouped := newGrouper(m, g, rows, tempDir)
	grouped.source = keep
	if m.input.anyOrder {
		rows = newRegrouped(rows, grouped.key, m.input.fillDown, tempDir)
		grouped.rows = rows
	}
	return &opened{
		source: grouped, grid: g, apart: true, unused: g.unused(), format: m.input.values,
		close: func() error { return errors.Join(rows.Close(), grouped.known.Close()) },
		rows:  func() int { return grouped.read },
		later: func() []problem.Problem { return nil },
	}
}
