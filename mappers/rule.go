package mappers

import (
	"fmt"
	"regexp"
	"sort"
	"strings"

	"einvoice/connector/problem"

	"github.com/govalues/decimal"
)

// rule is how one value is made, always in this order: from, value or expr;
// trim; match and replace; lookup; map; default; read as the target's type; required.
type rule struct {
	from     []selector
	constant *string
	expr     *expression
	trim     string
	match    *regexp.Regexp
	replace  string
	lookup   *lookupColumn
	table    *table
	fallback *string
	required bool
	numbers  *numberFormat // nil: those of the input
	dates    []dateFormat  // nil: those of the input
}

// table is a [map.x]: a value for each code, "*" for all others.
type table struct {
	name   string
	values map[string]string
	folded map[string]string // by lower case, when nothing fits exactly
}

func newTable(name string, values map[string]string) *table {
	t := &table{name: name, values: values, folded: map[string]string{}}
	for k, v := range values {
		t.folded[strings.ToLower(k)] = v
	}
	return t
}

func (t *table) look(code string) (string, *flaw) {
	if v, ok := t.values[code]; ok {
		return v, nil
	}
	if v, ok := t.folded[strings.ToLower(code)]; ok {
		return v, nil
	}
	if v, ok := t.values["*"]; ok {
		return v, nil
	}
	return "", &flaw{code: codeUnknownCode, expected: t.known(), args: map[string]string{"table": t.name}}
}

// known lists the codes, the first ones of many.
func (t *table) known() string {
	codes := make([]string, 0, len(t.values))
	for k := range t.values {
		codes = append(codes, k)
	}
	sort.Strings(codes)
	if len(codes) > 12 {
		codes = append(codes[:12], "...")
	}
	return strings.Join(codes, ", ")
}

// found is a text on its way through the pipeline, with where it came from.
type found struct {
	text   string
	plain  bool // a number in plain notation, whatever the input's
	placed bool // there is an origin: it was not a constant
	absent bool // its column does not exist
	node   node // it was read here, at sel
	sel    selector
	origin *Origin // without a node
}

// place is put together for a message only.
func (f *found) place() Origin {
	if f.node == nil {
		return *f.origin
	}
	return originAt(f.node, f.sel.place)
}

// evaluate runs the rule. ok is false when there is no value, and when there is
// a problem that refuses.
func (r *rule) evaluate(s *scope, k kind) (v value, from found, ok bool, bad *flaw) {
	if bad = r.fetch(s, &from); bad != nil {
		return v, from, false, bad
	}
	got := reading{}
	r.read(s, k, &from, &got)
	return got.v, from, got.ok, got.bad
}

// read takes a text through the pipeline. What it gives depends on the text
// alone, and on nothing of the row around it.
func (r *rule) read(s *scope, k kind, from *found, into *reading) {
	text, plain := r.clean(from.text), from.plain
	into.ok, into.bad = false, nil
	if r.match != nil {
		text = r.extract(text)
	}
	if r.lookup != nil && text != "" {
		if text, into.bad = r.lookup.find(text); into.bad != nil {
			return
		}
	}
	if r.table != nil && (text != "" || r.table.values[""] != "") {
		if text, into.bad = r.table.look(text); into.bad != nil {
			return
		}
	}
	if text == "" && r.fallback != nil {
		text, plain = *r.fallback, true
	}
	if text == "" {
		if r.required {
			into.bad = &flaw{code: codeMissing}
		}
		return
	}
	r.parse(s, k, text, plain, into)
	into.ok = into.bad == nil || into.bad.onlyWarns()
}

// parse reads a text as the target's type.
func (r *rule) parse(s *scope, k kind, text string, plain bool, into *reading) {
	switch k {
	case amountKind:
		if sheetError(text) {
			into.bad = &flaw{code: codeSheetError}
			return
		}
		into.v.amount, into.bad = r.numberFormat(s, plain || r.table != nil).parse(text)
	case dateKind:
		dates := r.dateFormats(s, plain)
		into.v, into.bad = k.parse(text, numberFormat{}, &dates)
	default:
		into.v, into.bad = k.parse(text, numberFormat{}, nil)
	}
}

// fetch gives the raw value.
func (r *rule) fetch(s *scope, into *found) *flaw {
	switch {
	case r.constant != nil:
		into.text, into.plain = *r.constant, true
		return nil
	case r.expr != nil:
		return r.compute(s, into)
	}
	first := -1
	for i, sel := range r.from {
		text, ok := s.text(sel)
		if ok && trimSpace(text) != "" {
			into.text, into.node, into.sel, into.placed = text, s.of(sel), sel, true
			return nil
		}
		if ok && first < 0 {
			first = i
		}
	}
	if len(r.from) > 0 { // the place to say that nothing is there is the first that exists
		sel := r.from[max(first, 0)]
		into.node, into.sel, into.placed, into.absent = s.of(sel), sel, true, first < 0
	}
	return nil
}

func (r *rule) compute(s *scope, into *found) *flaw {
	result, err := r.expr.run(s)
	if uses := r.expr.uses; len(uses) > 0 {
		sel := uses[0]
		if s.failed != nil {
			sel = s.failed.sel
		}
		into.node, into.sel, into.placed = s.of(sel), sel, true
	}
	if err != nil {
		return r.expr.flaw(s, err)
	}
	into.text, into.plain = resultText(result)
	return nil
}

// flaw says why the expression failed: the value it could not read, else a
// computation that has no result.
func (e *expression) flaw(s *scope, err error) *flaw {
	if s.failed != nil {
		return s.failed.flaw
	}
	reason, _, _ := strings.Cut(err.Error(), "\n")
	return &flaw{code: codeExpression, args: map[string]string{"reason": reason, "rule": e.text}}
}

func resultText(result any) (text string, plain bool) {
	switch v := result.(type) {
	case decimal.Decimal:
		return v.String(), true
	case string:
		return v, false
	}
	return fmt.Sprint(result), true
}

func (r *rule) numberFormat(s *scope, plain bool) numberFormat {
	switch {
	case plain:
		return numberFormat{machine: true}
	case r.numbers != nil:
		return *r.numbers
	}
	return s.format.numbers
}

func (r *rule) dateFormats(s *scope, constant bool) dateFormats {
	d := s.format.dates
	if constant {
		return dateFormats{formats: isoDate()}
	}
	if r.dates != nil {
		d.formats = r.dates
	}
	return d
}

// The ways to trim a value.
const (
	trimEnds     = "ends"     // white space and control characters at both ends (the default)
	trimCollapse = "collapse" // and every run of white space inside becomes one space
	trimDigits   = "digits"   // all but digits
	trimNone     = "none"
)

func (r *rule) clean(s string) string {
	if r.trim == "" && plainEnds(s) && s[0] != '{' || r.trim == trimCollapse && collapsed(s) {
		return s
	}
	if r.trim != trimNone {
		s = plainText(s)
	}
	switch r.trim {
	case trimNone:
		return s
	case trimCollapse:
		return strings.Join(strings.Fields(s), " ")
	case trimDigits:
		return strings.Map(func(c rune) rune {
			if c < '0' || c > '9' {
				return -1
			}
			return c
		}, s)
	}
	return trimSpace(s)
}

// trimSpace also trims what strings.TrimSpace leaves: a BOM, zero-width spaces,
// control characters.
func trimSpace(s string) string {
	if s == "" || plainEnds(s) {
		return s
	}
	return strings.TrimFunc(s, func(c rune) bool {
		return c <= ' ' || c == 0x7f || c == '\u00a0' || c == '\u202f' || c == '\u2009' || c == '\u200b' || c == '\ufeff' || c == '\u3000'
	})
}

// plainEnds tells quickly that there is nothing to trim: almost always so.
func plainEnds(s string) bool {
	if s == "" || !plainByte(s[0]) {
		return false
	}
	last := s[len(s)-1]
	if last < 0x80 {
		return last > ' ' && last != 0x7f
	}
	return len(s) > 1 && s[len(s)-2] > 0xc2 && s[len(s)-2] < 0xe0 // a letter such as é
}

// plainByte tells that no white space begins with this byte: of what is not
// ASCII, all of it begins with one of five.
func plainByte(c byte) bool {
	return c > ' ' && c != 0x7f && c != 0xc2 && (c < 0xe1 || c > 0xe3) && c != 0xef
}

// collapsed tells quickly that s has nothing but single spaces inside.
func collapsed(s string) bool {
	if !plainEnds(s) || s[0] == '{' {
		return false
	}
	for i := 1; i < len(s); i++ {
		c := s[i]
		if c == ' ' && s[i-1] != ' ' || plainByte(c) || c == 0xc2 && i+1 < len(s) && s[i+1] > 0xa0 {
			continue
		}
		return false
	}
	return true
}

// extract gives the first group of match (the whole match if it has none), or
// what replace makes of it; nothing where it does not match.
func (r *rule) extract(s string) string {
	at := r.match.FindStringSubmatchIndex(s)
	switch {
	case at == nil:
		return ""
	case r.replace != "":
		return string(r.match.ExpandString(nil, r.replace, s, at))
	case len(at) > 2 && at[2] >= 0:
		return s[at[2]:at[3]]
	}
	return s[at[0]:at[1]]
}

// problemOf makes a flaw of a value into a problem.
func problemOf(bad *flaw, fieldName string, from found) problem.Problem {
	p := problem.Problem{Code: bad.code, Severity: problem.Refuse, Field: fieldName, Value: from.text, Expected: bad.expected, Args: bad.args}
	if bad.onlyWarns() {
		p.Severity = problem.Warn
	}
	if from.placed {
		at := from.place()
		p.Position = at.Position
		if p.Value == "" {
			p.Value = at.Value
		}
	}
	if bad.code == codeExpression {
		p.Rule = bad.args["rule"]
	}
	return p
}
