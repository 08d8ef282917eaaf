package mappers

import (
	"slices"

	"einvoice/connector"
)

// plan is a mapping made ready for one export by one goroutine: what depends on
// no column that the export has is computed once, and readings of texts that come
// back are remembered.
type plan struct {
	head  plannedFields[connector.Invoice]
	lines plannedFields[connector.Line]
}

// plannedFields are the bindings of the invoice, or of a line.
type plannedFields[T any] struct {
	asked []planned[T] // for each T
	same  []sameValue[T]
	used  []int32 // what Origins notes, before any is asked
	reads bool    // some binding has a selector
}

// planned is a binding with its own rule and memo.
type planned[T any] struct {
	*binding[T]
	at   int // in the mapping
	rule rule
	memo memo
}

// sameValue is what a field has in every T.
type sameValue[T any] struct {
	set func(*T, value)
	v   value
}

func newPlan(m *Mapping, g *grid, format valueFormat) *plan {
	s := scope{format: format}
	return &plan{head: planAll(m.head, g, &s), lines: planAll(m.lines.fields, g, &s)}
}

func planAll[T any](all []binding[T], g *grid, s *scope) plannedFields[T] {
	p := plannedFields[T]{used: make([]int32, len(all))}
	for i := range all {
		p.used[i] = noPlace
		b := &all[i]
		p.reads = p.reads || len(b.rule.from) > 0
		if got, always := b.rule.always(g, s, b.field.kind); always {
			if got.ok {
				p.same = append(p.same, sameValue[T]{b.field.set, got.v})
			}
			continue
		}
		one := planned[T]{binding: b, at: i, rule: *b.rule}
		one.rule.from = present(one.rule.from, g)
		one.memo.off = !one.rule.worthRemembering(b.field.kind)
		p.asked = append(p.asked, one)
	}
	return p
}

// always tells what a rule gives for every row, if that is so: it is a constant,
// or its columns do not exist. What it finds fault with is asked each time, since
// a problem says where.
func (r *rule) always(g *grid, s *scope, k kind) (got reading, ok bool) {
	if r.expr != nil || r.lookup != nil || r.constant == nil && (g == nil || g.hasAny(r.from)) {
		return got, false
	}
	from := found{}
	if r.constant != nil {
		from.text, from.plain = *r.constant, true
	}
	r.read(s, k, &from, &got)
	return got, got.bad == nil
}

func (g *grid) hasAny(from []selector) bool {
	return slices.ContainsFunc(from, func(sel selector) bool { return g.columns[sel.place] >= 0 })
}

// present are the selectors whose columns exist; without any the first stays,
// so that a message can say where the value was looked for.
func present(from []selector, g *grid) []selector {
	if g == nil || len(from) == 0 {
		return from
	}
	var kept []selector
	for _, sel := range from {
		if g.columns[sel.place] >= 0 {
			kept = append(kept, sel)
		}
	}
	if len(kept) == 0 {
		return from[:1]
	}
	return kept
}

// reading is what a rule makes of a text. It says nothing of where the text
// stands, so that it holds wherever the same text comes again.
type reading struct {
	v   value
	ok  bool
	bad *flaw
}

// memo holds readings by text. Codes, rates, dates and names come again on
// every row; amounts and descriptions are sooner read than found.
type memo struct {
	off    bool
	last   string
	recent *reading // of last
	all    map[string]*reading
	own    reading // of a text that is not remembered
}

// Bounds of a memo: texts beyond are read each time, too many are forgotten.
const (
	maxRemembered     = 256
	maxRememberedText = 64
)

func (r *rule) worthRemembering(k kind) bool {
	if r.lookup != nil {
		return false // it has its own table, which may change
	}
	if r.match != nil || r.table != nil || r.trim == trimDigits {
		return true
	}
	return k == dateKind || k == codeKind || k == fiscalKind || k == idKind || k == flagKind
}

// read runs the rule on a text, or remembers what it gave. What it returns holds
// until the next call.
func (m *memo) read(r *rule, s *scope, k kind, from *found) *reading {
	if m.off || from.plain || len(from.text) > maxRememberedText {
		r.read(s, k, from, &m.own)
		return &m.own
	}
	if m.recent != nil && m.last == from.text {
		return m.recent
	}
	known, ok := m.all[from.text]
	if !ok {
		known = &reading{}
		r.read(s, k, from, known)
		if m.all == nil || len(m.all) >= maxRemembered {
			m.all = make(map[string]*reading, 8)
		}
		m.all[from.text] = known
	}
	m.last, m.recent = from.text, known
	return known
}

// evaluate is rule.evaluate with a memo.
func (p *planned[T]) evaluate(s *scope, from *found) *reading {
	*from = found{}
	if bad := p.rule.fetch(s, from); bad != nil {
		p.memo.own.ok, p.memo.own.bad = false, bad
		return &p.memo.own
	}
	return p.memo.read(&p.rule, s, p.field.kind, from)
}
