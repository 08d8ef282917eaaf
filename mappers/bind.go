package mappers

import (
	"slices"

	"einvoice/connector"
	"einvoice/connector/problem"
)

// binder turns documents into invoices. One binder serves one goroutine that
// reads one export.
type binder struct {
	m      *Mapping
	format valueFormat
	plan   *plan
	export Export
	work   work
	spare  []connector.Line
}

// newBinder makes a binder for documents of rows of g, nil for any others.
func newBinder(m *Mapping, in *opened) *binder {
	return &binder{m: m, format: in.format, plan: newPlan(m, in.grid, in.format)}
}

// work is the document at hand.
type work struct {
	b   *binder
	doc document
	res *Result
	s   scope

	from found // of the field at hand
}

// bind makes a Result of a document.
func (b *binder) bind(d document) Result {
	res := Result{}
	b.bindInto(d, &res)
	return res
}

// bindInto is bind where there was a Result that was taken: only what nobody may
// ask any more is used again of it.
func (b *binder) bindInto(d document, res *Result) {
	used, lines := res.Origins.used[:0], res.Origins.lines[:0]
	*res = Result{Ordinal: d.ordinal, Row: d.row, Rows: d.rows, Problems: d.faults, Spoils: d.spoils, Release: releaseOf(d)}
	res.Origins = Origins{m: b.m, head: d.head, root: placeOf(d.head, d.row), used: used, lines: lines}
	w := &b.work
	w.b, w.doc, w.res = b, d, res
	w.s.node, w.s.head, w.s.format = d.head, d.head, b.format
	if len(d.faults) == 0 && !w.counts(b.m.where, "invoice.where") {
		w.ignore()
		return
	}
	bindFields(w, &b.plan.head, &res.Invoice, -1)
	w.lines()
	w.postcode(&res.Invoice.Seller, "sender")
	w.postcode(&res.Invoice.Buyer, "recipient")
	w.attachments()
	if !refuses(res.Problems) {
		w.roundNets()
		w.charges()
		w.withoutTax()
		w.credit()
		w.check()
	}
	if len(res.Problems) > 0 {
		res.Problems = unreadableRows(d.faults, res.Problems)
	}
	for i := range res.Problems {
		res.Problems[i].Invoice = res.Invoice.Number
	}
}

// unreadableRows leaves out what was said about the values of a row whose cells
// are not where they belong: it would only hide the cause.
func unreadableRows(faults, all []problem.Problem) []problem.Problem {
	broken := brokenRows(faults)
	if len(broken) == 0 {
		return all
	}
	kept := append([]problem.Problem(nil), faults...)
	for _, p := range all[len(faults):] {
		if !broken[p.Position.Row] {
			kept = append(kept, p)
		}
	}
	return kept
}

// brokenRows are the rows whose cells are not where they belong.
func brokenRows(faults []problem.Problem) map[int]bool {
	var broken map[int]bool
	for _, f := range faults {
		switch f.Code {
		case codeRagged, codeLongCell, codeBadBytes, codeNoKey, codeNoStart, codeUnread:
			if broken == nil {
				broken = map[int]bool{}
			}
			broken[f.Position.Row] = true
		}
	}
	return broken
}

// ignore notes that the mapping leaves the document out, with its number so that
// the acknowledgement can say which.
func (w *work) ignore() {
	w.res.Ignored = "where = " + w.b.m.where.text
	bindFields(w, &w.b.plan.head, &w.res.Invoice, -1)
	w.res.Problems = nil
}

// counts evaluates a condition; one that fails counts as true, with its problem.
func (w *work) counts(e *expression, field string) bool {
	if e == nil {
		return true
	}
	yes, err := e.run(&w.s)
	if err != nil {
		w.failed(e, err, field)
		return true
	}
	return yes == true
}

func (w *work) failed(e *expression, err error, field string) {
	from := found{}
	sel := selector{}
	if len(e.uses) > 0 {
		sel = e.uses[0]
	}
	if w.s.failed != nil {
		sel = w.s.failed.sel
	}
	if len(e.uses) > 0 {
		from.node, from.sel, from.placed = w.s.of(sel), sel, true
	}
	w.add(problemOf(e.flaw(&w.s, err), field, from))
}

// bindFields fills a T and notes where its values stand; line is the number of
// the line that it is, -1 for the invoice.
func bindFields[T any](w *work, all *plannedFields[T], into *T, line int) {
	for _, same := range all.same {
		same.set(into, same.v)
	}
	begin := len(w.res.Origins.used)
	w.res.Origins.used = append(w.res.Origins.used, all.used...)
	for i := range all.asked {
		p := &all.asked[i]
		got := p.evaluate(&w.s, &w.from)
		if w.from.placed && !w.from.absent {
			w.res.Origins.used[begin+p.at] = usedPlace(w.from.sel)
		}
		if got.bad != nil {
			name := p.name
			if line >= 0 {
				name = lineName(line) + "." + name
			}
			w.add(problemOf(got.bad, name, w.from))
		}
		if got.ok {
			p.field.set(into, got.v)
		}
	}
}

func (w *work) add(p problem.Problem) {
	if p.Position.File == "" {
		p.Position = placeOf(w.doc.head, w.doc.row)
	}
	w.res.Problems = append(w.res.Problems, p)
}

func (w *work) lines() {
	if !w.b.m.hasLines() {
		return // an export of headers: its charges are all there is
	}
	inv, origins := &w.res.Invoice, &w.res.Origins
	if n := len(w.doc.lines); n > 0 {
		inv.Lines = w.b.room(n)
		origins.lines = slices.Grow(origins.lines, n)
	}
	for _, n := range w.doc.lines {
		w.s.node = n
		if blankLine(n, &w.b.plan.lines) || !w.counts(w.b.m.lines.where, "lines.where") {
			continue
		}
		at := len(inv.Lines)
		inv.Lines = append(inv.Lines, connector.Line{})
		origins.lines = append(origins.lines, lineOrigin{node: n, from: len(origins.used)})
		bindFields(w, &w.b.plan.lines, &inv.Lines[at], at)
	}
	inv.Lines = w.b.taken(inv.Lines)
	w.s.node = w.doc.head
}

// spareLines are allocated together: most invoices have few, and who keeps one
// invoice keeps no more than these.
const spareLines = 32

// room gives an empty slice for up to n lines; taken keeps what was used of it.
func (b *binder) room(n int) []connector.Line {
	if n > len(b.spare) {
		b.spare = make([]connector.Line, max(n, spareLines))
	}
	return b.spare[:0:n]
}

func (b *binder) taken(lines []connector.Line) []connector.Line {
	b.spare = b.spare[len(lines):]
	return lines[:len(lines):len(lines)] // the rest is for others
}

// blankLine knows a row that holds only what belongs to the header.
func blankLine(n node, fields *plannedFields[connector.Line]) bool {
	for i := range fields.asked {
		for _, sel := range fields.asked[i].rule.from {
			if text, _ := n.cell(sel.place); !sel.head && trimSpace(text) != "" {
				return false
			}
		}
	}
	return fields.reads
}

// postcode gives a French code its leading zero back, which spreadsheets eat.
func (w *work) postcode(p *connector.Party, name string) {
	french := p.Address.Country == "FR" || p.Address.Country == "" && p.SIREN() != ""
	if !french || len(p.Address.ZIP) != 4 || !digitsOnly(p.Address.ZIP) {
		return
	}
	field := name + ".address.zip_code"
	bad := &flaw{code: codeLostZero, expected: "0" + p.Address.ZIP}
	w.add(problemOf(bad, field, found{text: p.Address.ZIP, origin: w.originOf(field), placed: true}))
	p.Address.ZIP = bad.expected
}

func (w *work) originOf(field string) *Origin {
	at, _ := w.res.Origins.Get(field)
	return &at
}
