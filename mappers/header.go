package mappers

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// normalName makes one of the ways in which people write a header: accents,
// case, punctuation and stars are left out. The percent sign stays, because
// "% remise" and "Remise" are two columns.
func normalName(s string) string { return string(appendNormal(nil, s)) }

// appendNormal is normalName at the end of out.
func appendNormal(out []byte, s string) []byte {
	begin := len(out)
	for i := range len(s) {
		switch c := s[i]; {
		case c >= utf8.RuneSelf:
			return appendNormalRunes(out[:begin], s)
		case c >= 'A' && c <= 'Z':
			out = append(out, c|0x20)
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '%':
			out = append(out, c)
		}
	}
	return out
}

func appendNormalRunes(out []byte, s string) []byte {
	for _, r := range norm.NFD.String(s) {
		switch {
		case r == '%':
			out = append(out, '%')
		case r == 'œ' || r == 'Œ':
			out = append(out, "oe"...)
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			out = utf8.AppendRune(out, unicode.ToLower(r))
		}
	}
	return out
}

// reserved are the columns that we add to a correctable copy; they are never
// read as data, in either language.
func reserved(header string) (release, ok bool) {
	header = trimSpace(header)
	if !strings.HasPrefix(header, "_") {
		return false, false
	}
	switch strings.ToLower(header) {
	case "_error", "_column", "_how_to_fix", "_erreur", "_colonne", "_correction":
		return false, true
	case "_release", "_liberer", "_libérer":
		return true, true
	}
	return false, false
}

// headings are the header row of a table, ready to be searched.
type headings struct {
	row    int
	names  []string
	shown  []string         // trimmed, for messages
	normal map[string][]int // normalised name -> columns, from 0
	exact  map[string][]int
}

func newHeadings(row int, names []string) headings {
	h := headings{row: row, names: names, normal: map[string][]int{}, exact: map[string][]int{}}
	for i, name := range names {
		h.shown = append(h.shown, trimSpace(name))
		if _, is := reserved(name); is || trimSpace(name) == "" {
			continue
		}
		h.exact[trimSpace(name)] = append(h.exact[trimSpace(name)], i)
		n := normalName(name)
		h.normal[n] = append(h.normal[n], i)
	}
	return h
}

// find gives the columns that a name, or its normalName, fits: those that bear
// it exactly, else those that bear it in another way of writing.
func (h headings) find(name, normal string) []int {
	if at := h.exact[name]; len(at) > 0 || normal == "" {
		return at
	}
	return h.normal[normal]
}

// wanted are the names that a mapping looks for in a header.
type wanted struct {
	names map[string]*wantedName // by normal name, or by name where that is empty
	row   int                    // how many were scored
	text  []byte                 // used again
}

type wantedName struct {
	places int
	row    int // in which it was met last
}

func newWanted(places []place) *wanted {
	w := &wanted{names: map[string]*wantedName{}}
	for _, p := range places {
		if p.position > 0 {
			continue
		}
		name := p.normal
		if name == "" {
			name = p.text
		}
		if name == "" {
			continue // of another table: an empty cell is no header
		}
		if w.names[name] == nil {
			w.names[name] = &wantedName{}
		}
		w.names[name].places++
	}
	return w
}

// score counts the places whose name stands in a row.
func (w *wanted) score(cells []string) (n int) {
	w.row++
	for _, cell := range cells {
		if _, ours := reserved(cell); ours {
			continue
		}
		if w.text = appendNormal(w.text[:0], cell); len(w.text) == 0 {
			w.text = append(w.text, trimSpace(cell)...)
		}
		if name := w.names[string(w.text)]; name != nil && name.row != w.row {
			name.row = w.row
			n += name.places
		}
	}
	return n
}

// sameWords is the header that has all words of name, or none beside them:
// "Quantite vendue" for "Quantité"; "" if there is none.
func (h headings) sameWords(name string) string {
	wanted, best, bestExtra := words(name), -1, 0
	for i, shown := range h.shown {
		if _, ours := reserved(shown); ours || shown == "" {
			continue
		}
		have := words(shown)
		if extra := len(have) + len(wanted) - 2*common(wanted, have); (within(wanted, have) || within(have, wanted)) && (best < 0 || extra < bestExtra) {
			best, bestExtra = i, extra
		}
	}
	if best < 0 {
		return ""
	}
	return h.shown[best]
}

// nearest is the header whose letters look most like name.
func (h headings) nearest(name string) string {
	var normals []string
	for n := range h.normal {
		normals = append(normals, n)
	}
	sort.Strings(normals)
	near := nearest(normalName(name), normals)
	if near == "" {
		return ""
	}
	return h.shown[h.normal[near][0]]
}

// words are the normalised words of a header, those that mean nothing left out.
func words(s string) map[string]bool {
	all := map[string]bool{}
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return r != '%' && r != '.' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if n := normalName(w); len(n) > 2 && n != "des" && n != "the" {
			all[n] = true
		}
	}
	return all
}

func within(some, all map[string]bool) bool { return len(some) > 0 && common(some, all) == len(some) }

func common(a, b map[string]bool) int {
	n := 0
	for w := range a {
		if b[w] {
			n++
		}
	}
	return n
}
