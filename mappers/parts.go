package mappers

import (
	"path"
	"strings"
)

// PartOf tells whether a file is one of several that make an export of this
// mapping; group is what they have in common: what stands for the * of their
// name pattern, such as a time stamp.
func (m *Mapping) PartOf(name string) (group string, ok bool) {
	for _, t := range m.tables {
		if group, ok := t.common(name); ok {
			return group, true
		}
	}
	return "", false
}

func (t joinedTable) common(name string) (string, bool) {
	if ok, _ := path.Match(strings.ToLower(t.file), strings.ToLower(name)); !ok || t.file == "" {
		return "", false
	}
	before, after, star := strings.Cut(t.file, "*")
	if !star || strings.ContainsAny(after, "*?[") || strings.ContainsAny(before, "?[") {
		return "", true
	}
	return name[len(before) : len(name)-len(after)], true
}

// Lacks are the name patterns of the files that an export still needs when those
// of names are there: without them it is not complete. Optional tables are not
// waited for.
func (m *Mapping) Lacks(names []string) []string {
	return m.absentOf(names, false)
}

// Optional are the name patterns of the files that may still come when those of
// names are there, and without which the export is complete all the same.
func (m *Mapping) Optional(names []string) []string { return m.absentOf(names, true) }

func (m *Mapping) absentOf(names []string, optional bool) (missing []string) {
	for _, t := range m.tables {
		found := t.optional != optional || t.file == ""
		for _, name := range names {
			if _, ok := t.common(name); ok {
				found = true
			}
		}
		if !found {
			missing = append(missing, t.file)
		}
	}
	return missing
}

// PartOf finds the mapping for which a file is one of several that make an
// export. In a later tier it is not looked for when a mapping of an earlier one
// names the file by its [match].
func PartOf(name string, tiers ...[]*Mapping) (m *Mapping, group string, ok bool) {
	for _, ms := range tiers {
		for _, m := range ms {
			if m.input.format != formatCSV {
				continue
			}
			if group, ok := m.PartOf(name); ok {
				return m, group, true
			}
		}
		for _, m := range ms {
			if m.matchesName(name) {
				return nil, "", false
			}
		}
	}
	return nil, "", false
}
