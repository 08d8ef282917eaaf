package mappers

import (
	"context"
	"io"
	"strings"

	"einvoice/connector/problem"
)

// CopyOptions say how a correctable copy is written.
type CopyOptions struct {
	Lang    problem.Lang
	Release bool // with an empty column that releases a held invoice when it is filled

	// Workbook gives the copy of a CSV as an XLSX with every cell a text, which
	// Excel cannot mangle and the same mapping reads. Other formats are not changed.
	Workbook bool
}

// copier writes the correctable copy of one format.
type copier interface {
	begin() error
	// take gets every document; failing ones come with their problems.
	take(d document, ps []problem.Problem, failing bool) error
	end() error
}

// WriteCopy writes the correctable copy: the part of the export that concerns
// the failing documents, in the same format, columns, encoding and delimiter.
// Rows of a CSV keep their bytes, elements of an XML file as well; tables get
// three more columns, which are ignored when the copy is read. A workbook's
// cells become texts, so that Excel cannot change a SIRET again.
//
// failing is asked for every ordinal, in order.
func (m *Mapping) WriteCopy(ctx context.Context, e Export, failing func(ordinal int) (ps []problem.Problem, ok bool), w io.Writer, opt CopyOptions) (err error) {
	defer func() { broken(e.Name, recover(), &err) }()
	in, err := m.open(e, true)
	if err != nil {
		return err
	}
	defer in.close()
	if refuses(in.problems) {
		return in.problems[0] // without its columns the file has no documents
	}
	c := in.copier(w, opt)
	if err := c.begin(); err != nil {
		return err
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		d, err := in.source.next()
		if err == io.EOF {
			return c.end()
		}
		if err != nil {
			return err
		}
		ps, fails := failing(d.ordinal)
		if err := c.take(d, ps, fails); err != nil {
			return err
		}
	}
}

// addedColumns are the headers of what we add; reserved knows them in both
// languages.
func (o CopyOptions) addedColumns() []string {
	names := []string{"_error", "_column", "_how_to_fix"}
	release := "_release"
	if o.Lang == problem.French {
		names, release = []string{"_erreur", "_colonne", "_correction"}, "_liberer"
	}
	if o.Release {
		names = append(names, release)
	}
	return names
}

// addedCells are what we add to one row: the problems of that row, and in the
// document's first row those that stand nowhere else.
func (o CopyOptions) addedCells(rows []*row, at int, ps []problem.Problem) []string {
	var texts [3][]string
	for _, p := range ps {
		if rowOf(rows, p.Position.Row) != at {
			continue
		}
		for i, text := range []string{p.Message(o.Lang), p.Position.Column, p.Remedy(o.Lang)} {
			text = strings.ReplaceAll(strings.Join(strings.Fields(text), " "), unread, "?")
			if text != "" && !contains(texts[i], text) {
				texts[i] = append(texts[i], text)
			}
		}
	}
	var cells []string
	for _, t := range texts {
		cells = append(cells, defuse(strings.Join(t, " | ")))
	}
	if o.Release {
		cells = append(cells, "")
	}
	return cells
}

// rowOf finds the row that a problem is about, 0 if it is none of these.
func rowOf(rows []*row, num int) int {
	for i, r := range rows {
		if num >= r.Num && num <= max(r.Num, r.Last) {
			return i
		}
	}
	return 0
}

// defuse keeps a spreadsheet from taking a text for a formula.
func defuse(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t", rune(s[0])) {
		return "'" + s
	}
	return s
}

// keptColumns are the columns of a row that are not ours: a copy of a copy gets
// new texts instead of more columns.
func keptColumns(header []string, width int) []int {
	kept := make([]int, 0, width)
	for i := range width {
		if i < len(header) {
			if _, ours := reserved(header[i]); ours {
				continue
			}
		}
		kept = append(kept, i)
	}
	return kept
}
