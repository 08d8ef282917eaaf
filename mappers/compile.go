package mappers

import (
	"fmt"
	"reflect"
	"sort"
	"strings"

	"einvoice/connector"
	"einvoice/connector/setting"
)

// compiler turns a mapping file into a Mapping and collects what is wrong.
type compiler struct {
	file     mappingFile
	index    keyIndex
	mistakes Errors
	places   places
	tables   map[string]*table
	lookups  map[string]*lookup
	dir      string
}

func newCompiler(f mappingFile, index keyIndex, mistakes Errors) *compiler {
	return &compiler{
		file: f, index: index, mistakes: mistakes,
		places: places{shape: f.shape(), fixed: f.Input.Format == formatFixed, index: map[string]int{}},
		tables: map[string]*table{}, lookups: map[string]*lookup{},
	}
}

// wrong adds a mistake about the key at path.
// The format is one that setting.Say knows.
func (c *compiler) wrong(path, format string, args ...any) {
	c.mistakes = append(c.mistakes, c.index.find(path).about(path, setting.Say(format, args...)))
}

func (c *compiler) compile(name string) *Mapping {
	m := &Mapping{Name: name, shape: c.places.shape}
	c.valueTables()
	c.lookupFiles(m)
	c.joinedTables(m)
	m.input = c.input()
	m.match = c.match()
	c.invoice(m)
	c.linesRule(m)
	for i, f := range c.file.Charge {
		m.charges = append(m.charges, c.charge(fmt.Sprintf("charge[%d]", i), f))
	}
	for i, f := range c.file.Attached {
		m.attached = append(m.attached, c.attachment(fmt.Sprintf("attachment[%d]", i), f))
	}
	m.lines.gross = c.file.Lines.IncludeTax
	m.check = c.check()
	if f := c.file.Credit; f != nil {
		m.credit = creditRule{when: c.condition("credit.when", f.When), negativeTotal: f.NegativeTotal}
	}
	m.end = c.complete()
	m.places = c.places.list
	for _, one := range append([]*Mapping{m}, c.readers(m)...) {
		if err := one.compileFinders(); err != nil {
			c.wrong("invoice.fields", "a path that cannot be worked out: %v", err)
		}
	}
	return m
}

// readers are the mappings of look-up files.
func (c *compiler) readers(m *Mapping) (all []*Mapping) {
	for _, l := range m.lookups {
		all = append(all, l.reader)
	}
	return all
}

func (c *compiler) valueTables() {
	for name, raw := range c.file.Map {
		values := map[string]string{}
		for code, v := range raw {
			text, ok := scalar(v)
			if !ok {
				c.wrong("map."+name+"."+code, "must be a text in quotes or a whole number")
			}
			values[code] = text
		}
		c.tables[name] = newTable(name, values)
	}
}

// scalar is the text of a string, a whole number or a boolean; a float is none,
// because 5.5 may have been another number before it became one.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case int64, bool:
		return fmt.Sprint(v), true
	}
	return "", false
}

func (c *compiler) invoice(m *Mapping) {
	f := c.file.Invoice
	c.invoiceShape(m)
	m.where = c.condition("invoice.where", f.Where)
	m.head = compileFields(c, "invoice.fields", f.Fields, headFields())
	if at := findBinding(m.head, "document_number"); at != nil && f.Key == nil && m.shape == tableShape {
		m.key, m.keyAny = at.rule.from, true
		if len(m.key) == 0 {
			c.wrong("invoice.key", "is missing: the column that holds the invoice's number")
		}
	}
	for _, needed := range []string{"document_number", "issue_date"} {
		at := findBinding(m.head, needed)
		if at == nil {
			c.wrong("invoice.fields", "%s is missing: every invoice has one", needed)
		} else {
			at.rule.required = true
		}
	}
}

func findBinding[T any](all []binding[T], name string) *binding[T] {
	for i := range all {
		if all[i].name == name {
			return &all[i]
		}
	}
	return nil
}

// texts reads a text or a list of texts.
func (c *compiler) texts(path string, v any) []string {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, one := range v {
			s, ok := one.(string)
			if !ok {
				c.wrong(path, "must be a text or a list of texts")
				return nil
			}
			all = append(all, s)
		}
		return all
	}
	c.wrong(path, "must be a text or a list of texts")
	return nil
}

func (c *compiler) selector(path, text string) (selector, bool) {
	sel, err := c.places.add(text)
	if err != nil {
		c.wrong(path, "%v", err)
	}
	return sel, err == nil
}

func (c *compiler) condition(path, text string) *expression {
	return c.expression(path, text, boolType)
}

func (c *compiler) expression(path, text string, types ...reflect.Type) *expression {
	if text == "" {
		return nil
	}
	e, err := compileExpression(text, &c.places, types...)
	if err != nil {
		c.wrong(path, "%v", err)
	}
	return e
}

func (c *compiler) linesRule(m *Mapping) {
	f := c.file.Lines
	c.linesShape(m)
	m.lines.where = c.condition("lines.where", f.Where)
	m.lines.fields = compileFields(c, "lines.fields", f.Fields, lineFields())
	if len(m.lines.fields) == 0 && (m.shape != tableShape || len(c.file.Charge) == 0) {
		c.wrong("lines.fields", "is missing or empty")
	}
	c.places.table = c.places.headTable
}

func (c *compiler) charge(path string, f chargeFile) charge {
	if c.places.tables[f.Each] {
		c.places.table = f.Each
		defer func() { c.places.table = c.places.headTable }()
	}
	ch := charge{
		when:    c.condition(path+".when", f.When),
		amount:  c.expression(path+".amount", f.Amount, decimalType, intType),
		percent: c.expression(path+".percent", f.Percent, decimalType, intType),
		cascade: f.Cascade,
	}
	if (f.Amount == "") == (f.Percent == "") {
		c.wrong(path, "needs either amount or percent")
	}
	if f.Each != "" {
		if c.places.shape == tableShape || c.places.shape == sheetShape {
			c.wrong(path+".each", "is for XML, records and joined tables")
		}
		sel, _ := c.selector(path+".each", f.Each)
		ch.each = &sel
	}
	ch.description = c.literalOrRule(path+".description", f.Description, textKind)
	ch.rate = c.optionalRule(path+".tax_rate", f.Rate, amountKind)
	ch.category = c.optionalRule(path+".tax_category", f.Category, codeKind)
	if f.Percent != "" && f.Rate != nil {
		c.wrong(path+".tax_rate", "is not used: a percentage is spread over the rates of the lines")
	}
	if f.Description == nil {
		c.wrong(path+".description", "is missing: the text of the line")
	}
	return ch
}

// literalOrRule reads a plain text as itself: a charge is called "Remise", it
// is not named by a column of that name.
func (c *compiler) literalOrRule(path string, v any, k kind) *rule {
	if text, ok := v.(string); ok {
		return &rule{constant: &text}
	}
	return c.optionalRule(path, v, k)
}

func (c *compiler) optionalRule(path string, v any, k kind) *rule {
	if v == nil {
		return nil
	}
	return c.rule(path, v, k)
}

func (c *compiler) check() *check {
	f := c.file.Check
	if f == nil {
		return nil
	}
	ch := &check{warn: f.OnMismatch == "warn"}
	if f.OnMismatch != "" && f.OnMismatch != "warn" && f.OnMismatch != "refuse" {
		c.wrong("check.on_mismatch", `is %q, but must be "refuse" or "warn"`, f.OnMismatch)
	}
	switch v := f.Tolerance.(type) {
	case nil:
		return ch
	case int64:
		if ch.coins = v; v >= 0 && v <= 1000 {
			return ch
		}
	case string:
		a, err := connector.ParseAmount(v)
		if ch.tolerance = a.Or0(); err == nil && !a.Or0().IsNeg() {
			return ch
		}
	}
	c.wrong("check.tolerance", `must be a number of the currency's smallest coins, such as 2, or an amount in quotes, such as "0.02"`)
	return ch
}

func (c *compiler) complete() *completeness {
	f := c.file.End
	if f == nil {
		return nil
	}
	switch c.places.shape {
	case tableShape:
		if f.Trailer == "" {
			c.wrong("complete.trailer", "is missing: the condition that is true for the last row alone")
		}
	case recordShape:
		if f.Record == "" {
			c.wrong("complete.record", "is missing: the type of the last record of the file")
		}
	default:
		c.wrong("complete", "is for tables and records; other files have an end of their own")
	}
	end := &completeness{record: f.Record}
	if c.places.shape == tableShape {
		end.trailer = c.condition("complete.trailer", f.Trailer)
	}
	for path, text := range map[string]string{"complete.count": f.Count, "complete.total": f.Total} {
		if text == "" {
			continue
		}
		if sel, ok := c.selector(path, text); ok && path == "complete.count" {
			end.count = &sel
		} else if ok {
			end.total = &sel
		}
	}
	return end
}

// compileFields reads [invoice.fields] or [lines.fields]. Dotted keys come as
// nested tables: a table is a rule when its path is a field, else a group.
func compileFields[T any](c *compiler, path string, raw map[string]any, known map[string]field[T]) []binding[T] {
	var all []binding[T]
	var walk func(name string, v any)
	walk = func(name string, v any) {
		if v == false {
			return // a field of the extended preset that is not wanted
		}
		if f, ok := known[name]; ok {
			all = append(all, binding[T]{name: name, field: f, rule: c.rule(path+"."+name, v, f.kind)})
			return
		}
		group, ok := v.(map[string]any)
		if !ok || !isGroup(name, known) {
			c.wrong(path+"."+name, "%v", suggestion(name, known))
			return
		}
		for key, inner := range group {
			walk(name+"."+key, inner)
		}
	}
	for key, v := range raw {
		walk(key, v)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].name < all[j].name })
	return all
}

func isGroup[T any](name string, known map[string]field[T]) bool {
	for k := range known {
		if strings.HasPrefix(k, name+".") {
			return true
		}
	}
	return false
}

func suggestion[T any](name string, known map[string]field[T]) setting.Phrase {
	names := make([]string, 0, len(known))
	for k := range known {
		names = append(names, k)
	}
	sort.Strings(names)
	if near := nearest(name, names); near != "" {
		return setting.Say("unknown field; did you mean %q?", near)
	}
	return setting.Say("unknown field; known are %s", strings.Join(names, ", "))
}
