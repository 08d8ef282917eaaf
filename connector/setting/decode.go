package setting

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"sort"
	"strings"
	"unicode/utf16"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// Spot is a place in a TOML file, both from 1.
type Spot struct{ Line, Column int }

// Fault is a mistake with its place.
type Fault struct {
	Spot
	Mistake
}

// Faults are all mistakes of one file, by place.
type Faults struct {
	File string
	Lang string // they are told in it: "fr", or English
	List []Fault
}

// Error lists the mistakes one a line as file:line:column: key: text.
func (f Faults) Error() string {
	lines := make([]string, len(f.List))
	for i, x := range f.List {
		key := x.Key
		if key != "" {
			key += ": "
		}
		lines[i] = fmt.Sprintf("%s:%d:%d: %s%s", f.File, x.Line, x.Column, key, x.In(f.Lang))
	}
	return strings.Join(lines, "\n")
}

// Sort orders the mistakes by place.
func (f *Faults) Sort() {
	sort.SliceStable(f.List, func(i, j int) bool {
		a, b := f.List[i], f.List[j]
		return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
	})
}

// Text is what a person wrote into a file, in UTF-8: without the byte order mark
// that Notepad puts before it, and out of the UTF-16 that PowerShell's > writes.
func Text(data []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		order = binary.LittleEndian
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		order = binary.BigEndian
	default:
		return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	}
	var units []uint16
	for i := 2; i+1 < len(data); i += 2 {
		units = append(units, order.Uint16(data[i:]))
	}
	return []byte(string(utf16.Decode(units)))
}

// Decode reads TOML into v, strictly. What it returns are mistakes with their
// places: syntax, unknown keys with the nearest known one, wrong types.
func Decode(data []byte, v any, known []string) []Fault {
	d := toml.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		return nil
	}
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) {
		var out []Fault
		for _, e := range strict.Errors {
			out = append(out, unknown(e, known))
		}
		return out
	}
	var bad *toml.DecodeError
	if errors.As(err, &bad) {
		row, col := bad.Position()
		return []Fault{{Spot{row, col}, MistakeOf(strings.Join(bad.Key(), "."), hint(bad.Error(), line(data, row)))}}
	}
	return []Fault{{Spot{1, 1}, MistakeOf("", Syntax(err.Error()))}}
}

func unknown(e toml.DecodeError, known []string) Fault {
	row, col := e.Position()
	key := strings.Join(e.Key(), ".")
	text := Say("unknown key")
	if n := Nearest(key, known); n != "" {
		text = Say("unknown key; did you mean %s?", n)
	}
	return Fault{Spot{row, col}, MistakeOf(key, text)}
}

// hint explains the one syntax error that every Windows admin meets.
func hint(text, source string) Phrase {
	if strings.Contains(source, `\`) && strings.Contains(source, `"`) {
		return Say(`%v; in double quotes TOML takes \ as the start of an escape: write Windows paths in single quotes: 'C:\temp\new'`, Syntax(text))
	}
	return Syntax(text)
}

// mistyped is how the TOML library says that a value has another type.
var mistyped = regexp.MustCompile(`cannot decode TOML (\w+) into (?:a |struct field \S+ of type )(\S+)`)

// Syntax explains what the TOML library says of a text.
func Syntax(text string) Phrase {
	text = strings.TrimPrefix(text, "toml: ")
	if m := mistyped.FindStringSubmatch(text); m != nil {
		return Say("is %v, but must be %v", kindOf(m[1]), kindOf(m[2]))
	}
	if m := unitless.FindStringSubmatch(text); m != nil {
		return Say(noDuration, m[1])
	}
	return Say("is not TOML as it should be: %s", text)
}

// kindOf names a type of TOML or of Go.
func kindOf(name string) Phrase {
	switch {
	case strings.HasPrefix(name, "[]"), name == "array", name == "slice":
		return Say("a list, such as [\"a\", \"b\"]")
	case strings.HasPrefix(name, "int"), strings.HasPrefix(name, "uint"):
		return Say("a whole number")
	case strings.HasPrefix(name, "float"):
		return Say("a number")
	case strings.HasPrefix(name, "bool"):
		return Say("true or false")
	case name == "string", strings.Contains(name, "setting."):
		return Say("a text in quotes")
	}
	return Say("a table of its own")
}

func line(data []byte, n int) string {
	lines := strings.Split(string(data), "\n")
	if n < 1 || n > len(lines) {
		return ""
	}
	return lines[n-1]
}

// Positions tells where each key of a TOML text stands: "drop[1].path" for the
// path of the second [[drop]], "drop[1]" for its header. A text that does not
// parse gives what stands before the error.
func Positions(data []byte) map[string]Spot {
	spots := map[string]Spot{}
	count := map[string]int{}
	section := ""
	p := unstable.Parser{}
	p.Reset(data)
	for p.NextExpression() {
		e := p.Expression()
		key, at := keyOf(&p, e)
		switch e.Kind {
		case unstable.Table:
			section = resolve(key, count)
			spots[section] = at
		case unstable.ArrayTable:
			base := resolve(key[:len(key)-1], count)
			name := strings.TrimPrefix(base+"."+key[len(key)-1], ".")
			section = fmt.Sprintf("%s[%d]", name, count[name])
			count[name]++
			spots[section] = at
		case unstable.KeyValue:
			full := strings.TrimPrefix(section+"."+strings.Join(key, "."), ".")
			spots[full] = at
			inline(&p, e.Value(), full, spots)
		}
	}
	return spots
}

// inline adds the keys of an inline table.
func inline(p *unstable.Parser, v *unstable.Node, prefix string, spots map[string]Spot) {
	if v == nil || v.Kind != unstable.InlineTable {
		return
	}
	it := v.Children()
	for it.Next() {
		kv := it.Node()
		if kv.Kind != unstable.KeyValue {
			continue
		}
		key, at := keyOf(p, kv)
		full := prefix + "." + strings.Join(key, ".")
		spots[full] = at
		inline(p, kv.Value(), full, spots)
	}
}

// resolve writes the latest index behind each array of tables in a dotted key.
func resolve(key []string, count map[string]int) string {
	full := ""
	for _, k := range key {
		full = strings.TrimPrefix(full+"."+k, ".")
		if n := count[full]; n > 0 {
			full = fmt.Sprintf("%s[%d]", full, n-1)
		}
	}
	return full
}

func keyOf(p *unstable.Parser, e *unstable.Node) (key []string, at Spot) {
	it := e.Key()
	for it.Next() {
		n := it.Node()
		if len(key) == 0 {
			s := p.Shape(n.Raw).Start
			at = Spot{s.Line, s.Column}
		}
		key = append(key, string(n.Data))
	}
	return key, at
}

// At finds the place of a key, else of the nearest section that holds it.
func At(spots map[string]Spot, key string) Spot {
	for key != "" {
		if s, ok := spots[key]; ok {
			return s
		}
		key = key[:max(0, strings.LastIndexAny(key, ".["))]
	}
	return Spot{1, 1}
}

// Nearest is the known word closest to a mistyped one, "" when none is close.
func Nearest(word string, known []string) string {
	best, least := "", len(word)/2+1
	for _, k := range known {
		if d := distance(word, k); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is Levenshtein's: letters to insert, drop or replace.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
