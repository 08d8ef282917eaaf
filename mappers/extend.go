package mappers

import (
	"reflect"
	"strings"
)

// extend puts the mapping over the preset that it extends: what the mapping says
// replaces what the preset says, field by field. Its [[charge]] and
// [[attachment]] replace all of the preset's.
func (c *compiler) extend() {
	name := c.file.Mapping.Extends
	if name == "" {
		return
	}
	data, ok := Preset(name)
	if !ok {
		c.wrong("mapping.extends", "there is no preset %q; there are %s", name, strings.Join(Presets(), ", "))
		return
	}
	base, mistakes, ok := decodeFile(data)
	if !ok || len(mistakes) > 0 {
		c.wrong("mapping.extends", "the preset %q cannot be read: %v", name, mistakes)
		return
	}
	if f := c.file.Input.Format; f != "" && f != base.Input.Format {
		c.wrong("input.format", "is %q, but the preset %q is for %q", f, name, base.Input.Format)
	}
	overlay(reflect.ValueOf(&base).Elem(), reflect.ValueOf(c.file))
	c.file = base
	c.places = places{shape: base.shape(), fixed: base.Input.Format == formatFixed, index: map[string]int{}}
}

// overlay copies into base what over says.
func overlay(base, over reflect.Value) {
	switch over.Kind() {
	case reflect.Struct:
		for i := range over.NumField() {
			overlay(base.Field(i), over.Field(i))
		}
	case reflect.Map:
		if base.IsNil() && over.Len() > 0 {
			base.Set(reflect.MakeMap(base.Type()))
		}
		for _, key := range over.MapKeys() {
			base.SetMapIndex(key, merged(base.MapIndex(key), over.MapIndex(key)))
		}
	default:
		if !over.IsZero() {
			base.Set(over)
		}
	}
}

// merged joins two values of a map: groups of fields, which are tables of
// tables; a rule replaces a rule.
func merged(base, over reflect.Value) reflect.Value {
	b, isGroup := groupOf(base)
	o, alsoGroup := groupOf(over)
	if !isGroup || !alsoGroup || isRule(b) || isRule(o) {
		return over
	}
	joined := map[string]any{}
	for k, v := range b {
		joined[k] = v
	}
	for k, v := range o {
		joined[k] = merged(reflect.ValueOf(joined[k]), reflect.ValueOf(v)).Interface()
	}
	if over.Kind() == reflect.Interface {
		return reflect.ValueOf(joined)
	}
	return reflect.ValueOf(joined).Convert(over.Type())
}

func groupOf(v reflect.Value) (map[string]any, bool) {
	if !v.IsValid() {
		return nil, false
	}
	m, ok := v.Interface().(map[string]any)
	return m, ok
}

// isRule tells { from = ..., map = ... } from a group such as recipient.address.
func isRule(m map[string]any) bool {
	for _, key := range ruleKeys {
		if _, ok := m[key]; ok {
			return true
		}
	}
	return false
}
