package inbox

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	pathMost  = 218 // characters of a whole path that Excel opens
	nameMost  = 120 // characters of one name, whatever room the path leaves
	nameLeast = 24  // what a name gets even in a path that is too deep
	byteMost  = 240 // bytes of one name: Linux allows 255, and a temporary name must fit as well
)

// safeName makes a name for Windows and Linux of a text that anybody may have
// written: one path element of at most most UTF-16 units, never empty, never
// hidden, never a device. It is stable: a safe name stays as it is.
func safeName(text string, most int) string {
	text = strings.Map(safeRune, norm.NFC.String(strings.ToValidUTF8(text, "_")))
	// Dropping characters may have brought composable ones together.
	name := norm.NFC.String(strings.Join(strings.Fields(text), " "))
	name = strings.TrimLeft(name, ". ~")
	name = shorten(name, most)
	if device(name) {
		name = shorten("_"+name, most)
	}
	if name == "" {
		return "_"
	}
	return name
}

// safeRune replaces what a file system refuses, and drops what hides or turns
// text round: "facture\u202efdp.exe" would read "factureexe.pdf".
func safeRune(r rune) rune {
	switch {
	case strings.ContainsRune(`<>:"/\|?*`, r):
		return '-'
	case unicode.IsSpace(r):
		return ' '
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs), r == '\u034f', r == '\u115f', r == '\u1160', r == '\u3164', r == '\uffa0':
		return -1
	case !unicode.IsGraphic(r), r == utf8.RuneError:
		return '_'
	}
	return r
}

// shorten cuts to most UTF-16 units and twice as many bytes, at a character, never before a combining mark, and leaves no
// dot or space at the end: Windows drops them, and the name would be another.
func shorten(name string, most int) string {
	units, end := 0, len(name)
	for i, r := range name {
		units += utf16.RuneLen(r)
		if units > most || i+utf8.RuneLen(r) > min(byteMost, 2*most) {
			end = i
			break
		}
	}
	for end > 0 && end < len(name) && !norm.NFC.PropertiesString(name[end:]).BoundaryBefore() {
		_, size := utf8.DecodeLastRuneInString(name[:end])
		end -= size
	}
	return strings.TrimRight(name[:end], ". ")
}

// device tells whether Windows takes the name for a device, whatever its extension.
func device(name string) bool {
	stem, _, _ := strings.Cut(name, ".")
	stem = strings.ToUpper(strings.TrimRight(stem, " "))
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$":
		return true
	}
	for _, port := range []string{"COM", "LPT"} {
		if rest, ok := strings.CutPrefix(stem, port); ok && utf8.RuneCountInString(rest) == 1 && strings.Contains("0123456789¹²³", rest) {
			return true
		}
	}
	return false
}

// withSuffix puts a suffix before the extension and keeps the whole within most.
func withSuffix(name, suffix string, most int) string {
	stem, ext := split(name)
	return shorten(stem, most-length(suffix)-length(ext)) + suffix + ext
}

// split takes the extension off, if it looks like one.
func split(name string) (stem, ext string) {
	i := strings.LastIndexByte(name, '.')
	if i <= 0 || len(name)-i > 8 || strings.ContainsRune(name[i:], ' ') {
		return name, ""
	}
	return name[:i], name[i:]
}

// length is what Windows counts.
func length(s string) (units int) {
	for _, r := range s {
		units += utf16.RuneLen(r)
	}
	return units
}

// names gives each file of one folder a name of its own, told apart as
// Windows does: without regard to case.
type names map[string]bool

func (n names) take(name string, most int) string {
	free := name
	for i := 2; n[fold(free)]; i++ {
		free = withSuffix(name, " ("+strconv.Itoa(i)+")", most)
	}
	n[fold(free)] = true
	return free
}

func fold(name string) string { return strings.ToUpper(strings.ToLower(name)) }
