package mappers

import (
	"fmt"
	"strings"

	"einvoice/connector/setting"

	"github.com/pelletier/go-toml/v2/unstable"
)

// Mistake is one thing wrong in a mapping file.
type Mistake struct {
	Line, Col int // 1-based
	Text      string
	French    string // the same
}

// about is a mistake about the key at path.
func (s spot) about(path string, p setting.Phrase) Mistake {
	if path != "" {
		path += ": "
	}
	return Mistake{s.line, s.col, path + p.English, path + p.French}
}

// Errors are all mistakes of a mapping file, in the order of the file.
type Errors []Mistake

// Error lists the mistakes, one a line, as "name:line:col: text" without the name.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, m := range e {
		lines[i] = fmt.Sprintf("%d:%d: %s", m.Line, m.Col, m.Text)
	}
	return strings.Join(lines, "\n")
}

// spot is a position in a TOML file.
type spot struct{ line, col int }

// keyIndex finds the position of a key by its path, such as "charge[1].when".
type keyIndex map[string]spot

// indexKeys walks the file once more: decoding keeps positions of what it cannot
// decode only, and most mistakes are about values that decode well.
func indexKeys(data []byte) keyIndex {
	index, counts := keyIndex{}, map[string]int{}
	var p unstable.Parser
	p.Reset(data)
	table := ""
	for p.NextExpression() {
		switch e := p.Expression(); e.Kind {
		case unstable.Table:
			table = index.add(&p, "", e.Key())
		case unstable.ArrayTable:
			table = index.add(&p, "", e.Key())
			counts[table]++
			at := index[table]
			table = fmt.Sprintf("%s[%d]", table, counts[table]-1)
			index[table] = at
		case unstable.KeyValue:
			index.keyValue(&p, table, e)
		}
	}
	return index
}

func (x keyIndex) add(p *unstable.Parser, table string, keys unstable.Iterator) string {
	path := table
	for keys.Next() {
		n := keys.Node()
		path = joinKey(path, string(n.Data))
		if _, known := x[path]; !known || keys.IsLast() {
			start := p.Shape(n.Raw).Start
			x[path] = spot{start.Line, start.Column}
		}
	}
	return path
}

func (x keyIndex) keyValue(p *unstable.Parser, table string, e *unstable.Node) {
	path := x.add(p, table, e.Key())
	if v := e.Value(); v.Kind == unstable.InlineTable {
		for inner := v.Children(); inner.Next(); {
			x.keyValue(p, path, inner.Node())
		}
	}
}

// find gives the position of a path or of the nearest table around it.
func (x keyIndex) find(path string) spot {
	for path != "" {
		if at, ok := x[path]; ok {
			return at
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return spot{1, 1}
}

func joinKey(table, key string) string {
	if table == "" {
		return key
	}
	return table + "." + key
}

// nearest gives the candidate that looks most like name, "" if none does. One
// that begins with it, such as zip_code for zip, is nearer than a letter away.
func nearest(name string, candidates []string) string {
	best, bestDistance := "", 1000
	for _, c := range candidates {
		d := distance(name, c)
		if d > 1 && len(name) > 2 && strings.HasPrefix(c, name) {
			d = 1
		}
		if long := max(len(name), len(c)); d < bestDistance && d*2 <= long {
			best, bestDistance = c, d
		}
	}
	return best
}

// distance is the number of edits between two texts.
func distance(a, b string) int {
	ra, rb := []rune(a), []rune(b)
	if len(ra) > 200 || len(rb) > 200 {
		return 1000
	}
	previous := make([]int, len(rb)+1)
	for j := range previous {
		previous[j] = j
	}
	for i, ca := range ra {
		current := make([]int, len(rb)+1)
		current[0] = i + 1
		for j, cb := range rb {
			cost := 1
			if ca == cb {
				cost = 0
			}
			current[j+1] = min(previous[j+1]+1, current[j]+1, previous[j]+cost)
		}
		previous = current
	}
	return previous[len(rb)]
}
