package mappers

import (
	"fmt"
	"strings"

	"einvoice/connector"
	"einvoice/connector/problem"
)

// binder turns documents into invoices. One binder serves one export.
type binder struct {
	m      *Mapping
	format valueFormat
	seen   map[string]firstSeen // documents by seller, number and year
	names  [][]string           // of line fields, by line
	export Export
}

func newBinder(m *Mapping, format valueFormat) *binder {
	return &binder{m: m, format: format, seen: map[string]firstSeen{}}
}

// binding in progress: one document.
type work struct {
	b   *binder
	doc document
	res *Result
	s   scope
}

// bind makes a Result of a document.
func (b *binder) bind(d document) Result {
	res := Result{Ordinal: d.ordinal, Row: d.row, Rows: d.rows, Problems: d.faults, Spoils: d.spoils}
	res.Origins = make(Origins, 8+len(b.m.head)/2+len(d.lines)*(1+len(b.m.lines.fields)))
	w := &work{b: b, doc: d, res: &res, s: scope{node: d.head, head: d.head, format: b.format}}
	res.Origins[""] = Origin{Position: placeOf(d)}
	sound := len(d.faults) == 0
	if sound && !w.counts(b.m.where, "invoice.where") {
		w.ignore()
		return res
	}
	bindFields(w, b.m.head, &res.Invoice, func(i int) string { return b.m.head[i].name })
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
	w.twice()
	res.Problems = unreadableRows(d.faults, res.Problems)
	for i := range res.Problems {
		res.Problems[i].Invoice = res.Invoice.Number
	}
	return res
}

// unreadableRows leaves out what was said about the values of a row whose cells
// are not where they belong: it would only hide the cause.
func unreadableRows(faults, all []problem.Problem) []problem.Problem {
	broken := map[int]bool{}
	for _, f := range faults {
		switch f.Code {
		case codeRagged, codeLongCell, codeBadBytes, codeNoKey:
			broken[f.Position.Row] = true
		}
	}
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

// placeOf says where a document stands: its first row, in no column.
func placeOf(d document) problem.Position {
	if n, ok := d.head.(interface{ place() problem.Position }); ok {
		return n.place()
	}
	return problem.Position{Row: d.row}
}

// ignore notes that the mapping leaves the document out, with its number so that
// the acknowledgement can say which.
func (w *work) ignore() {
	w.res.Ignored = "where = " + w.b.m.where.text
	bindFields(w, w.b.m.head, &w.res.Invoice, func(i int) string { return w.b.m.head[i].name })
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
		text, _ := w.s.text(sel)
		from.origin, from.placed = w.s.origin(sel, text), true
	}
	w.add(problemOf(e.flaw(&w.s, err), field, from))
}

// bindFields fills a T and notes origins and problems by the name of each field.
func bindFields[T any](w *work, all []binding[T], into *T, name func(int) string) {
	for i := range all {
		b := &all[i]
		v, from, ok, bad := b.rule.evaluate(&w.s, b.field.kind)
		if from.placed && !from.absent {
			w.res.Origins[name(i)] = from.origin
		}
		if bad != nil {
			w.add(problemOf(bad, name(i), from))
		}
		if ok {
			b.field.set(into, v)
		}
	}
}

func (w *work) add(p problem.Problem) {
	if p.Position.File == "" {
		p.Position = placeOf(w.doc)
	}
	w.res.Problems = append(w.res.Problems, p)
}

func (w *work) lines() {
	rule := w.b.m.lines
	for _, n := range w.doc.lines {
		w.s.node = n
		at := len(w.res.Invoice.Lines)
		if blankLine(n, rule.fields) || !w.counts(rule.where, "lines.where") {
			continue
		}
		var line connector.Line
		names := w.b.lineNames(at)
		bindFields(w, rule.fields, &line, func(i int) string { return names[i] })
		w.res.Origins[names[len(rule.fields)]] = Origin{Position: placeOf(document{head: n, row: w.doc.row})}
		w.res.Invoice.Lines = append(w.res.Invoice.Lines, line)
	}
	w.s.node = w.doc.head
}

// lineNames are the dotted names of the fields of line i, and of the line.
func (b *binder) lineNames(i int) []string {
	for len(b.names) <= i {
		line := fmt.Sprintf("invoice_lines[%d]", len(b.names))
		names := make([]string, 0, len(b.m.lines.fields)+1)
		for _, f := range b.m.lines.fields {
			names = append(names, line+"."+f.name)
		}
		b.names = append(b.names, append(names, line))
	}
	return b.names[i]
}

// blankLine knows a row that holds only what belongs to the header.
func blankLine(n node, fields []binding[connector.Line]) bool {
	reads := false
	for _, f := range fields {
		for _, sel := range f.rule.from {
			reads = true
			if text, _ := n.cell(sel.place); !sel.head && trimSpace(text) != "" {
				return false
			}
		}
	}
	return reads
}

// postcode gives a French code its leading zero back, which spreadsheets eat.
func (w *work) postcode(p *connector.Party, name string) {
	french := p.Address.Country == "FR" || p.Address.Country == "" && p.SIREN() != ""
	if !french || len(p.Address.ZIP) != 4 || !digitsOnly(p.Address.ZIP) {
		return
	}
	field := name + ".address.zip_code"
	bad := &flaw{code: codeLostZero, expected: "0" + p.Address.ZIP}
	w.add(problemOf(bad, field, found{text: p.Address.ZIP, origin: w.res.Origins[field], placed: true}))
	p.Address.ZIP = bad.expected
}

// twice refuses a number that the file uses for two documents.
func (w *work) twice() {
	inv := &w.res.Invoice
	if inv.Number == "" || w.res.Spoils != 0 {
		return
	}
	key := strings.Join([]string{inv.Seller.FiscalID, inv.Number, string(inv.IssueDate[:min(4, len(inv.IssueDate))])}, "\x1f")
	first, again := w.b.seen[key]
	if !again {
		w.b.seen[key] = firstSeen{w.res.Ordinal, w.res.Row}
		return
	}
	w.res.Spoils = first.ordinal
	w.add(problemOf(&flaw{code: codeTwice, args: map[string]string{"first": fmt.Sprint(first.row)}},
		"document_number", found{text: inv.Number, origin: w.res.Origins["document_number"], placed: true}))
}
