package mappers

import (
	"regexp"
	"sort"
	"strings"
)

// rule reads a selector or an inline table. Keys of the table are checked here,
// since their place in the file is free.
func (c *compiler) rule(path string, v any, k kind) *rule {
	r := &rule{}
	switch v := v.(type) {
	case string:
		if sel, ok := c.selector(path, v); ok {
			r.from = []selector{sel}
		}
	case map[string]any:
		c.ruleTable(r, path, v, k)
	default:
		c.wrong(path, `must be a column name in quotes or a table such as { value = "EUR" }`)
	}
	return r
}

func (c *compiler) ruleTable(r *rule, path string, t map[string]any, k kind) {
	keys := make([]string, 0, len(t))
	for key := range t {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		c.ruleKey(r, path, key, t[key])
	}
	if r.table == nil {
		c.fits(path+".value", r.constant, k)
	}
	c.fits(path+".default", r.fallback, k)
	sources := 0
	for _, key := range []string{"from", "value", "expr"} {
		if t[key] != nil {
			sources++
		}
	}
	if sources != 1 {
		c.wrong(path, "needs exactly one of from, value and expr")
	}
	if r.replace != "" && r.match == nil {
		c.wrong(path+".replace", `needs match: the part of the value that it rewrites`)
	}
	if optional, ok := t["required"].(bool); ok && !optional {
		for _, sel := range r.from {
			c.places.list[sel.place].optional = true
		}
	}
}

// ruleKeys are the keys that a rule may have.
var ruleKeys = [...]string{"from", "value", "expr", "trim", "match", "replace", "lookup", "map", "default", "date", "decimal", "required"}

func (c *compiler) ruleKey(r *rule, path, key string, v any) {
	at := path + "." + key
	switch key {
	case "from":
		for _, name := range c.texts(at, v) {
			if sel, ok := c.selector(at, name); ok {
				r.from = append(r.from, sel)
			}
		}
	case "value":
		r.constant = c.constant(at, v)
	case "default":
		r.fallback = c.constant(at, v)
	case "expr":
		if text, ok := c.text(at, v); ok {
			r.expr = c.expression(at, text, decimalType, stringType, intType, boolType)
		}
	case "match":
		r.match = c.pattern(at, v)
	case "replace":
		r.replace, _ = c.text(at, v)
	case "lookup":
		r.lookup = c.lookupColumn(at, v)
	case "map":
		r.table = c.tableOf(at, v)
	case "trim":
		r.trim = c.oneOf(at, v, trimEnds, trimCollapse, trimDigits, trimNone)
	case "date":
		r.dates = c.dates(at, v)
	case "decimal":
		if mark := c.oneOf(at, v, ",", "."); mark != "" {
			r.numbers = &numberFormat{decimal: mark[0], machine: c.file.Input.Format == formatXLSX}
		}
	case "required":
		required, ok := v.(bool)
		if !ok {
			c.wrong(at, "must be true or false")
		}
		r.required = required
	default:
		if near := nearest(key, ruleKeys[:]); near != "" {
			c.wrong(at, "unknown key; did you mean %q?", near)
			return
		}
		c.wrong(at, "unknown key; known are %s", strings.Join(ruleKeys[:], ", "))
	}
}

func (c *compiler) text(path string, v any) (string, bool) {
	s, ok := v.(string)
	if !ok || s == "" {
		c.wrong(path, "must be a text in quotes, and not empty")
		return "", false
	}
	return s, true
}

// constant reads value or default.
func (c *compiler) constant(path string, v any) *string {
	text, ok := scalar(v)
	if !ok {
		c.wrong(path, `must be a text in quotes, such as "20"`)
		return nil
	}
	return &text
}

// fits tries a constant as the target's type: a wrong one would spoil every
// invoice.
func (c *compiler) fits(path string, text *string, k kind) {
	if text == nil || *text == "" {
		return
	}
	_, bad := k.parse(*text, numberFormat{machine: true}, &dateFormats{formats: isoDate()})
	if bad != nil && !bad.onlyWarns() {
		c.wrong(path, "%q cannot be read as the field's type (dates are written yyyy-mm-dd, numbers with a point)", *text)
	}
}

func (c *compiler) pattern(path string, v any) *regexp.Regexp {
	text, ok := c.text(path, v)
	if !ok {
		return nil
	}
	re, err := regexp.Compile(text)
	if err != nil {
		c.wrong(path, "not a regular expression: %v", err)
		return nil
	}
	return re
}

func (c *compiler) tableOf(path string, v any) *table {
	name, ok := c.text(path, v)
	if !ok {
		return nil
	}
	if t := c.tables[name]; t != nil {
		return t
	}
	names := make([]string, 0, len(c.tables))
	for n := range c.tables {
		names = append(names, n)
	}
	sort.Strings(names)
	c.wrong(path, "there is no [map.%s]; the tables of this file are: %s", name, strings.Join(names, ", "))
	return nil
}

func (c *compiler) oneOf(path string, v any, allowed ...string) string {
	s, _ := v.(string)
	for _, a := range allowed {
		if s == a {
			return s
		}
	}
	c.wrong(path, "is %q, but must be one of %q", v, allowed)
	return ""
}

func (c *compiler) dates(path string, v any) []dateFormat {
	var all []dateFormat
	for _, text := range c.texts(path, v) {
		f, err := compileDate(text)
		if err != nil {
			c.wrong(path, "%v", err)
			continue
		}
		all = append(all, f)
	}
	return all
}

func isoDate() []dateFormat {
	f, _ := compileDate("yyyy-mm-dd")
	return []dateFormat{f}
}
