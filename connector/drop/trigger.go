package drop

import (
	"path"
	"strings"
)

// trigger is one pattern of a trigger file's name: "{name}{ext}.done".
type trigger struct {
	prefix, suffix string // lower case
	ext            bool   // the data file's extension is part of the name
}

// parseTrigger reads a pattern; ok is false when it names no file of its own.
func parseTrigger(pattern string) (t trigger, ok bool) {
	prefix, rest, found := strings.Cut(strings.ToLower(pattern), "{name}")
	suffix, ext := strings.CutPrefix(rest, "{ext}")
	t = trigger{prefix: prefix, suffix: suffix, ext: ext}
	return t, found && prefix+suffix != "" && !strings.ContainsAny(prefix+suffix, `{}/\*?`)
}

// of is the name, in lower case, of the trigger of a data file.
func (t trigger) of(data string) string { return t.prefix + t.core(data) + t.suffix }

// core is the part of a data file's name that its trigger repeats.
func (t trigger) core(data string) string {
	data = strings.ToLower(data)
	if t.ext {
		return data
	}
	return strings.TrimSuffix(data, path.Ext(data))
}

// matches tells whether name is a trigger of this pattern, whatever it announces.
func (t trigger) matches(name string) bool {
	n := strings.ToLower(name)
	return len(n) > len(t.prefix)+len(t.suffix) && strings.HasPrefix(n, t.prefix) && strings.HasSuffix(n, t.suffix)
}

// triggers are the patterns of one drop.
type triggers []trigger

func parseTriggers(patterns []string) triggers {
	var all triggers
	for _, p := range patterns {
		if t, ok := parseTrigger(p); ok {
			all = append(all, t)
		}
	}
	return all
}

func (ts triggers) match(name string) bool {
	for _, t := range ts {
		if t.matches(name) {
			return true
		}
	}
	return false
}

// of lists the names, in lower case, of every trigger that announces data.
func (ts triggers) of(data string) []string {
	var names []string
	for _, t := range ts {
		names = append(names, t.of(data))
	}
	return names
}
