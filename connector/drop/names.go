package drop

import (
	"path"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName is the longest usable name in bytes: answers add to it.
const maxName = 200

// junkNames and junkEndings are what programs leave in shared folders, in lower
// case. LISEZMOI.txt and README.txt are our own notes for people.
var (
	junkNames   = []string{"thumbs.db", "ehthumbs.db", "desktop.ini", "lisezmoi.txt", "readme.txt"}
	junkEndings = []string{
		".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".download", ".downloading",
		".writing", ".camellock", ".prg", ".lock", ".swp", ".swo", "~", "#",
	}
)

// Junk tells names that are never exports: temporary and lock files of editors,
// browsers and transfer programs, what systems leave behind, all names that
// begin with a dot, and our own notes.
func Junk(name string) bool {
	n := strings.ToLower(name)
	if strings.HasPrefix(n, ".") || strings.HasPrefix(n, "~$") || strings.HasPrefix(n, "#") {
		return true
	}
	for _, j := range junkNames {
		if n == j {
			return true
		}
	}
	for _, j := range junkEndings {
		if strings.HasSuffix(n, j) {
			return true
		}
	}
	return false
}

// usable tells whether a name can be carried into answers and the archive on
// any system: valid UTF-8 without control characters or separators, not too long.
func usable(name string) bool {
	return name != "" && len(name) <= maxName && utf8.ValidString(name) &&
		!strings.ContainsFunc(name, unicode.IsControl) && !strings.ContainsAny(name, `/\`) &&
		strings.TrimRight(name, " .") == name
}

// guards returns the names beside name, in lower case, that say that a person
// or a program works on it.
func guards(name string) (person, program []string) {
	n := strings.ToLower(name)
	stem := strings.TrimSuffix(n, path.Ext(n))
	return []string{"~$" + n, ".~lock." + n + "#"}, []string{n + ".lock", stem + ".lock"}
}

// compareNatural orders names as people count: export2 before export10.
func compareNatural(a, b string) int {
	for x, y := a, b; ; {
		switch {
		case x == "" && y == "":
			return strings.Compare(a, b)
		case x == "":
			return -1
		case y == "":
			return 1
		}
		dx, dy := digits(x), digits(y)
		if dx != "" && dy != "" {
			if c := compareNumbers(dx, dy); c != 0 {
				return c
			}
			x, y = x[len(dx):], y[len(dy):]
			continue
		}
		rx, nx := utf8.DecodeRuneInString(x)
		ry, ny := utf8.DecodeRuneInString(y)
		if c := int(unicode.ToLower(rx)) - int(unicode.ToLower(ry)); c != 0 {
			return c
		}
		x, y = x[nx:], y[ny:]
	}
}

func digits(s string) string {
	end := 0
	for end < len(s) && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	return s[:end]
}

// compareNumbers compares by length after leading zeros: no number is too long.
func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

// copied matches what the name of a correctable copy has after that of its
// export: the take, and what kind of copy it is.
var copied = regexp.MustCompile(`\.(\d{6,})\.(?:refused\.\d+|held)(\.[^.]+)$`)

// CopyOf reads the name of a correctable copy of ours: the take that it is of.
// Such a copy may be dropped whatever names the drop expects.
func CopyOf(name string) (take int64, ok bool) {
	m := copied.FindStringSubmatch(name)
	if m == nil {
		return 0, false
	}
	take, err := strconv.ParseInt(m[1], 10, 64)
	return take, err == nil
}

// Original takes from a name what makes it that of a correctable copy: what
// belongs to an export by its name belongs to its copies as well.
func Original(name string) string {
	for copied.MatchString(name) {
		name = copied.ReplaceAllString(name, "$2")
	}
	return name
}
