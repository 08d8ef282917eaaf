package mappers

import (
	"sort"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// normalName makes one of the ways in which people write a header: accents,
// case, punctuation and stars are left out. The percent sign stays, because
// "% remise" and "Remise" are two columns.
func normalName(s string) string {
	var out strings.Builder
	for _, r := range norm.NFD.String(s) {
		switch {
		case r == '%':
			out.WriteRune(r)
		case r == 'œ' || r == 'Œ':
			out.WriteString("oe")
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			out.WriteRune(unicode.ToLower(r))
		}
	}
	return out.String()
}

// reserved are the columns that we add to a correctable copy; they are never
// read as data, in either language.
func reserved(header string) (release, ok bool) {
	switch strings.ToLower(trimSpace(header)) {
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

// score counts the named places that the header has.
func (h headings) score(places []place) int {
	n := 0
	for _, p := range places {
		if p.position == 0 && len(h.find(p.text, p.normal)) > 0 {
			n++
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
