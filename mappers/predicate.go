package mappers

import "strings"

// pathParser reads the XPaths that mappings are mostly made of: names, an
// attribute at the end, and conditions that compare a path or an attribute with
// a text, or ask whether it is there, with and, or, not() and starts-with().
// Whatever else there is makes it give up, and the XPath engine takes over.
type pathParser struct{ rest string }

// finder reads A/B[C='x']/D, A/@b, @b, * or "A | B" of single names.
func (p *pathParser) finder() (*finder, bool) {
	f := &finder{}
	for {
		if p.take("@") {
			name, ok := p.name()
			f.attr = name
			return f, ok
		}
		s, ok := p.step()
		if !ok {
			return nil, false
		}
		f.steps = append(f.steps, s)
		switch {
		case p.take("/"):
		case len(f.steps) == 1 && strings.HasPrefix(strings.TrimLeft(p.rest, " "), "|"):
			return f, p.union(&f.steps[0])
		default:
			return f, true
		}
	}
}

// union makes one step of "A | B", which finds both in document order.
func (p *pathParser) union(first *step) bool {
	all := []step{*first}
	for p.space(); p.take("|"); p.space() {
		p.space()
		s, ok := p.step()
		if !ok {
			return false
		}
		all = append(all, s)
	}
	first.name, first.test = "*", func(e *element) bool {
		for _, s := range all {
			if (s.name == "*" || s.name == e.name) && (s.test == nil || s.test(e)) {
				return true
			}
		}
		return false
	}
	return true
}

func (p *pathParser) step() (step, bool) {
	s := step{}
	if p.take("*") {
		s.name = "*"
	} else if name, ok := p.name(); ok {
		s.name = name
	} else {
		return s, false
	}
	if !p.take("[") {
		return s, true
	}
	test, ok := p.either()
	p.space()
	if s.test = test; !ok || !p.take("]") {
		return s, false
	}
	return s, !strings.HasPrefix(p.rest, "[")
}

// either reads conditions joined by or.
func (p *pathParser) either() (predicate, bool) {
	left, ok := p.both()
	for ok && p.word("or") {
		var right predicate
		if right, ok = p.both(); ok {
			one := left
			left = func(e *element) bool { return one(e) || right(e) }
		}
	}
	return left, ok
}

// both reads conditions joined by and.
func (p *pathParser) both() (predicate, bool) {
	left, ok := p.condition()
	for ok && p.word("and") {
		var right predicate
		if right, ok = p.condition(); ok {
			one := left
			left = func(e *element) bool { return one(e) && right(e) }
		}
	}
	return left, ok
}

func (p *pathParser) condition() (predicate, bool) {
	p.space()
	switch {
	case p.take("not("):
		inner, ok := p.either()
		p.space()
		return func(e *element) bool { return !inner(e) }, ok && p.take(")")
	case p.take("starts-with("):
		return p.startsWith()
	}
	what, ok := p.values()
	if !ok {
		return nil, false
	}
	p.space()
	if !p.take("=") {
		return func(e *element) bool { return what(e, func(string) bool { return true }) }, true
	}
	want, ok := p.literal()
	return func(e *element) bool { return what(e, func(s string) bool { return s == want }) }, ok
}

// startsWith looks at the first value alone, as XPath does.
func (p *pathParser) startsWith() (predicate, bool) {
	normal := p.take("normalize-space(")
	if !p.take(".") {
		return nil, false
	}
	if normal && !p.take(")") {
		return nil, false
	}
	p.space()
	if !p.take(",") {
		return nil, false
	}
	want, ok := p.literal()
	p.space()
	return func(e *element) bool {
		text := e.text()
		if normal {
			text = strings.TrimLeft(text, " \t\r\n")
		}
		return strings.HasPrefix(text, want)
	}, ok && p.take(")") && !strings.ContainsAny(want, " \t\r\n")
}

// values asks whether one of the values of a path, an attribute or the element
// itself is wanted.
func (p *pathParser) values() (func(e *element, wanted func(string) bool) bool, bool) {
	if p.take(".") {
		if strings.HasPrefix(p.rest, ".") || strings.HasPrefix(p.rest, "/") {
			return nil, false
		}
		return func(e *element, wanted func(string) bool) bool { return wanted(e.text()) }, true
	}
	f, ok := p.finder()
	if !ok || strings.HasPrefix(p.rest, "(") || strings.HasPrefix(p.rest, ":") {
		return nil, false
	}
	return func(e *element, wanted func(string) bool) bool {
		return descend(e, f.steps, func(at *element) bool {
			if f.attr == "" {
				return wanted(at.text())
			}
			text, there := at.attribute(f.attr)
			return there && wanted(text)
		}) != nil
	}, true
}

func (p *pathParser) literal() (string, bool) {
	p.space()
	if p.rest == "" || p.rest[0] != '\'' && p.rest[0] != '"' {
		return "", false
	}
	text, rest, ok := strings.Cut(p.rest[1:], p.rest[:1])
	p.rest = rest
	return text, ok
}

// name reads a name that is not a function or an axis.
func (p *pathParser) name() (string, bool) {
	n := nameLength([]byte(p.rest))
	name := p.rest[:n]
	if strings.Contains(name, ":") || !isXMLName([]byte(name)) || strings.HasPrefix(p.rest[n:], "(") {
		return "", false
	}
	p.rest = p.rest[n:]
	return name, true
}

func (p *pathParser) take(text string) bool {
	rest, ok := strings.CutPrefix(p.rest, text)
	p.rest = rest
	return ok
}

func (p *pathParser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// word takes and, or or.
func (p *pathParser) word(text string) bool {
	p.space()
	if rest, ok := strings.CutPrefix(p.rest, text); ok && strings.HasPrefix(rest, " ") {
		p.rest = rest
		return true
	}
	return false
}
