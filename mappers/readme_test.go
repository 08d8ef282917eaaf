package mappers

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"einvoice/connector/problem"

	"github.com/pelletier/go-toml/v2"
	"github.com/xuri/excelize/v2"
)

// TestTheManualIsTrue loads every mapping of README.md and runs its example.
func TestTheManualIsTrue(t *testing.T) {
	manual, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```(toml|csv|xml|text)(?: ([^\n]+))?\n(.*?)```").FindAllStringSubmatch(string(manual), -1)
	examples := 0
	example := &manualExample{dir: t.TempDir()}
	for _, b := range blocks {
		switch b[1] {
		case "toml":
			m, err := LoadIn(example.dir, "manual", []byte(b[3]))
			if err != nil {
				t.Fatalf("%v\n%s", err, b[3])
			}
			*example = manualExample{m: m, dir: example.dir}
		case "text":
			examples++
			results, report, err := readAll(t, example.m, example.export(t))
			if err != nil || report.Refused() {
				t.Fatal(report, err)
			}
			if got := outline(t, results); got != b[3] {
				t.Errorf("got:\n%s\nthe manual says:\n%s", got, b[3])
			}
		default:
			example.add(t, b[1], b[2], b[3])
		}
	}
	if mappings := strings.Count(string(manual), "```toml"); examples != mappings {
		t.Errorf("%d examples for %d mappings", examples, mappings)
	}
}

// manualExample is what the manual shows after a mapping.
type manualExample struct {
	m     *Mapping
	dir   string
	file  Export
	parts []Export
	book  *excelize.File
}

func (x *manualExample) add(t *testing.T, format, name, text string) {
	t.Helper()
	sheet, isSheet := strings.CutPrefix(name, "sheet:")
	_, isPart := x.m.PartOf(name)
	content := []byte(text)
	if format == "csv" {
		content = newCharset(windows1252, nil).encode(text)
	}
	switch {
	case isSheet:
		x.sheet(t, sheet, text)
	case isPart:
		x.parts = append(x.parts, exportOf(name, content))
	case name != "":
		writeFile(t, filepath.Join(x.dir, name), text, time.Now())
	default:
		x.file = exportOf("export."+format, content)
	}
}

// sheet writes a table into the example's workbook, numbers as numbers.
func (x *manualExample) sheet(t *testing.T, name, text string) {
	t.Helper()
	if x.book == nil {
		x.book = excelize.NewFile()
		if err := x.book.SetSheetName("Sheet1", name); err != nil {
			t.Fatal(err)
		}
	} else if _, err := x.book.NewSheet(name); err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		for j, cell := range strings.Split(line, ";") {
			var v any = cell
			if n, err := strconv.Atoi(cell); err == nil {
				v = n
			}
			if cell == "" {
				continue
			}
			if err := x.book.SetCellValue(name, cellName(t, j+1, i+1), v); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func (x *manualExample) export(t *testing.T) Export {
	t.Helper()
	if len(x.parts) > 0 {
		return Export{Name: "0115", Parts: x.parts}
	}
	if x.book == nil {
		return x.file
	}
	defer x.book.Close()
	var out bytes.Buffer
	if err := x.book.Write(&out); err != nil {
		t.Fatal(err)
	}
	return exportOf("export.xlsx", out.Bytes())
}

// TestTheManualShowsEveryKey: each key that the loader knows is used by one of
// the mappings of the manual, which the test above runs.
func TestTheManualShowsEveryKey(t *testing.T) {
	used := map[string]bool{}
	for _, b := range manualParts(t, "(?s)```toml.*?\n(.*?)```") {
		var all map[string]any
		if err := toml.Unmarshal([]byte(b), &all); err != nil {
			t.Fatal(err)
		}
		use(used, "", all)
	}
	var walk func(kind reflect.Type, path string)
	walk = func(kind reflect.Type, path string) {
		for kind.Kind() == reflect.Pointer || kind.Kind() == reflect.Slice || kind.Kind() == reflect.Map {
			if kind.Kind() == reflect.Map {
				path += ".*"
			}
			kind = kind.Elem()
		}
		for key, of := range keysOf(kind) {
			if at := path + "." + key; !used[at] && !elsewhere(at) {
				t.Errorf("no mapping of the manual has %s", at)
			}
			walk(of, path+"."+key)
		}
	}
	walk(reflect.TypeFor[mappingFile](), "")
	for _, key := range ruleKeys {
		if !used["rule."+key] {
			t.Errorf("no mapping of the manual has a value with %s", key)
		}
	}
}

// elsewhere are keys of tables and look-ups that mean what they mean in [input],
// where an example has them.
func elsewhere(key string) bool {
	return slices.Contains(strings.Fields(".lookup.*.each .lookup.*.encoding .lookup.*.delimiter .lookup.*.sheet .lookup.*.header .input.tables.*.header"), key)
}

// use notes the keys of a mapping: what stands in tables with names of the
// mapping's own under a star, and the keys of values as such.
func use(used map[string]bool, path string, v any) {
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			use(used, path, one)
		}
	case map[string]any:
		for key, inner := range v {
			used[path+"."+key], used["rule."+key] = true, true
			at := path + "." + key
			if path == ".lookup" || path == ".input.tables" || path == ".map" {
				at = path + ".*"
			}
			use(used, at, inner)
		}
	}
}

func manualParts(t *testing.T, pattern string) (parts []string) {
	t.Helper()
	manual, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(manual), -1) {
		parts = append(parts, m[len(m)-1])
	}
	return parts
}

// TestTheManualNamesEveryKeyFieldAndFunction: in an example or in code marks.
func TestTheManualNamesEveryKeyFieldAndFunction(t *testing.T) {
	code := strings.Join(manualParts(t, "(?s)(```.*?```|`[^`\n]+`)"), "\n")
	names := slices.Concat(ruleKeys[:], builtins[:], slices.Collect(maps.Keys(lineFields())),
		strings.Fields("col num has dec round abs ends collapse digits none adjacent any auto excel warn refuse"))
	for field := range headFields() {
		names = append(names, strings.Replace(field, "recipient.", "sender.", 1))
	}
	var walk func(kind reflect.Type)
	walk = func(kind reflect.Type) {
		for kind.Kind() == reflect.Pointer || kind.Kind() == reflect.Slice || kind.Kind() == reflect.Map {
			kind = kind.Elem()
		}
		for key, of := range keysOf(kind) {
			names = append(names, key)
			walk(of)
		}
	}
	walk(reflect.TypeFor[mappingFile]())
	for _, name := range names {
		if !regexp.MustCompile(`(^|[^\w])` + regexp.QuoteMeta(name) + `([^\w]|$)`).MatchString(code) {
			t.Errorf("the manual does not name %q", name)
		}
	}
}

func outline(t *testing.T, results []Result) string {
	var out strings.Builder
	for _, r := range results {
		inv := r.Invoice
		fmt.Fprintf(&out, "%s %s ", inv.Type, inv.Number)
		if r.Refused() {
			p := r.Problems[0]
			fmt.Fprintf(&out, "refused: %s: %s\n", p.Where(problem.French), p.Message(problem.French))
			continue
		}
		if r.Ignored != "" {
			fmt.Fprintf(&out, "%s %q ignored\n", inv.IssueDate, inv.Buyer.Name)
			continue
		}
		fmt.Fprintf(&out, "%s %q %s\n", inv.IssueDate, inv.Buyer.Name, derived(t, inv).Gross)
		for _, l := range inv.Lines {
			fmt.Fprintf(&out, "  %s x %s %q %s %%\n", l.Quantity, l.UnitPrice, l.Description, l.Rate)
		}
		for _, a := range inv.Attached {
			fmt.Fprintf(&out, "  with %s\n", a.Filename)
		}
	}
	return out.String()
}
