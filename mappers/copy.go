package mappers

import (
	"context"
	"io"
	"sort"
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

// mostTexts is how many problems a row of a copy tells; who mends those is told
// the others.
const mostTexts = 20

// addedCells are what we add to each row: the problems of that row, and in the
// document's first row those that stand nowhere else.
func (o CopyOptions) addedCells(rows []*row, ps []problem.Problem) [][]string {
	texts := make([][3][]string, len(rows))
	for _, p := range ps {
		of := &texts[rowOf(rows, p.Position.Row)]
		for i, text := range []string{p.Message(o.Lang), p.Position.Column, p.Remedy(o.Lang)} {
			text = strings.ReplaceAll(strings.Join(strings.Fields(text), " "), unread, "?")
			if text != "" && len(of[i]) < mostTexts && !contains(of[i], text) {
				of[i] = append(of[i], text)
			}
		}
	}
	all := make([][]string, len(rows))
	for i := range rows {
		for _, t := range texts[i] {
			all[i] = append(all[i], defuse(strings.Join(t, " | ")))
		}
		if o.Release {
			all[i] = append(all[i], "")
		}
	}
	return all
}

// rowOf finds the row that a problem is about, 0 if it is none of these.
func rowOf(rows []*row, num int) int {
	i := sort.Search(len(rows), func(i int) bool { return rows[i].Num > num }) - 1
	if i < 0 || num > max(rows[i].Num, rows[i].Last) {
		return 0
	}
	return i
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
