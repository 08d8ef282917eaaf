// Package setting has the value types that sections of the configuration share
// and the one way in which a section reports its mistakes.
package setting

import (
	"fmt"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Duration is a time.Duration written as text with a unit: "5s", "2m", "72h".
type Duration time.Duration

const noDuration = `not a duration: %q; write a number and a unit, such as "30s", "5m" or "72h"`

// unitless finds it again in what the TOML library makes of it.
var unitless = regexp.MustCompile(`not a duration: "([^"]*)"`)

// UnmarshalText reads "5s"; a number without a unit is an error.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return Say(noDuration, b)
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes the duration without zero parts: "10m", not "10m0s".
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String writes the duration without zero parts.
func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// Std is the same duration for the standard library.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// Secret is a text that no output shows. Only Reveal gives it.
type Secret string

// hidden is what every way of printing a Secret shows.
const hidden = "‹hidden›"

// Reveal returns the secret itself; call it only where it is used.
func (s Secret) Reveal() string { return string(s) }

// String hides the secret.
func (s Secret) String() string { return hidden }

// GoString hides the secret in %#v.
func (s Secret) GoString() string { return hidden }

// MarshalText hides the secret in JSON, TOML and logs.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// Report collects a section's mistakes. Key is the dotted key within the
// section ("path", "retry.max_age"); the composer adds where the section
// stands in the file.
type Report struct {
	prefix   string
	mistakes *[]Mistake
}

// Mistake is one wrong or missing setting.
type Mistake struct {
	Key    string // dotted, with indexes: "drop[1].path"
	Text   string // what is wrong and what to write instead
	French string // the same, "" where there is none
}

// MistakeOf is a mistake about key.
func MistakeOf(key string, p Phrase) Mistake { return Mistake{key, p.English, p.French} }

// In is the text in a language, "fr" or any other.
func (m Mistake) In(lang string) string { return Phrase{m.Text, m.French}.In(lang) }

// NewReport makes an empty report.
func NewReport() Report { return Report{mistakes: new([]Mistake)} }

// In returns a report whose keys stand below key, in the same collection.
func (r Report) In(key string) Report {
	return Report{prefix: r.prefix + key + ".", mistakes: r.mistakes}
}

// InItem is In for one element of an array of tables.
func (r Report) InItem(key string, index int) Report {
	return r.In(fmt.Sprintf("%s[%d]", key, index))
}

// Wrong adds a mistake about key; an empty key means the section itself. The
// format is one that Say knows.
func (r Report) Wrong(key, format string, args ...any) {
	full := strings.TrimSuffix(r.prefix+key, ".")
	*r.mistakes = append(*r.mistakes, MistakeOf(full, Say(format, args...)))
}

// Mistakes returns all that was reported, in order.
func (r Report) Mistakes() []Mistake { return *r.mistakes }

// Required reports key when value is empty.
func (r Report) Required(key, value string) {
	if strings.TrimSpace(value) == "" {
		r.Wrong(key, "is missing or empty")
	}
}

// Path reports a path that would be taken for another one than was meant: a
// folder of that name would be made below the configuration's, and no export
// would ever be found in it.
func (r Report) Path(key, value string) {
	r.Printable(key, value)
	if wrong := misread(value, runtime.GOOS == "windows"); wrong != (Phrase{}) {
		r.Wrong(key, "%v", wrong)
	}
}

// Printable reports a path with a control character: in TOML, double quotes turn
// the \t of 'C:\temp' into a tab.
func (r Report) Printable(key, value string) {
	if strings.IndexFunc(value, unicode.IsControl) >= 0 {
		r.Wrong(key, `has a control character: in double quotes TOML reads \t, \n, \b ... as control characters; write Windows paths in single quotes: 'C:\temp\new'`)
	}
}

var (
	variable  = regexp.MustCompile(`%[A-Za-z_][A-Za-z0-9_()]*%|\$\{|^\$[A-Z]|^~[/\\]`)
	driveless = regexp.MustCompile(`^[/\\]($|[^/\\])|^[A-Za-z]:($|[^/\\])`)
)

// misread says what is wrong with a path of this machine, if anything.
func misread(path string, windows bool) (none Phrase) {
	switch {
	case strings.Contains(path, "://"), strings.ContainsFunc(path, unicode.IsControl): // the latter was told already
	case variable.MatchString(path):
		return Say("is %q, but neither variables nor ~ are replaced: write the path in full", path)
	case windows && driveless.MatchString(path):
		return Say(`is %q, which leaves the drive or its root open: write the path in full, such as 'D:\erp\export' or '\\server\share\export'`, path)
	}
	return none
}

// Between reports a duration outside its bounds. The TOML library takes a bare
// number for nanoseconds: tail_hold = 10 would be none at all, and nobody means
// that.
func (r Report) Between(key string, d, low, high Duration) {
	switch {
	case d > 0 && d.Std() < time.Microsecond:
		r.Wrong(key, noDuration, strconv.FormatInt(int64(d), 10))
	case d < low || d > high:
		r.Wrong(key, "is %s, but must be from %s to %s", d, low, high)
	}
}

// OneOf reports a value that is not in the list.
func (r Report) OneOf(key, value string, allowed ...string) {
	for _, a := range allowed {
		if value == a {
			return
		}
	}
	r.Wrong(key, "is %q, but must be one of %s", value, strings.Join(allowed, ", "))
}
