package mappers

import "einvoice/connector"

// plan is a mapping made ready for one export by one goroutine: selectors of
// columns that the export lacks are left out, and readings of texts that come
// back are remembered.
type plan struct {
	head  []planned[connector.Invoice]
	lines []planned[connector.Line]
}

// planned is a binding with its own rule and memo.
type planned[T any] struct {
	*binding[T]
	rule rule
	memo memo
}

func newPlan(m *Mapping, g *grid) *plan {
	return &plan{head: planAll(m.head, g), lines: planAll(m.lines.fields, g)}
}

func planAll[T any](all []binding[T], g *grid) []planned[T] {
	out := make([]planned[T], len(all))
	for i := range all {
		p := &out[i]
		p.binding, p.rule = &all[i], *all[i].rule
		p.rule.from = present(p.rule.from, g)
		p.memo.off = !p.rule.worthRemembering(p.field.kind)
	}
	return out
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
