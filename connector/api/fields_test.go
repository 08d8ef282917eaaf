package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"einvoice/connector"
)

// fieldRow is one row of the table in FIELDS.md.
type fieldRow struct{ bt, wire, carried string }

func readFields(t *testing.T) map[string]fieldRow {
	t.Helper()
	b, err := os.ReadFile("FIELDS.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]fieldRow{}
	for line := range strings.Lines(string(b)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 6 || !strings.HasPrefix(strings.TrimSpace(cells[1]), "`") {
			continue
		}
		for i := range cells {
			cells[i] = strings.Trim(strings.TrimSpace(cells[i]), "`")
		}
		if _, twice := rows[cells[1]]; twice {
			t.Errorf("FIELDS.md lists %s twice", cells[1])
		}
		rows[cells[1]] = fieldRow{bt: cells[2], wire: cells[3], carried: cells[4]}
	}
	return rows
}

var amountType = reflect.TypeFor[connector.Amount]()

// walk calls visit with every leaf of a struct, and gives slices one element.
func walk(v reflect.Value, path string, visit func(path string, v reflect.Value)) {
	switch {
	case v.Type() == amountType, v.Kind() != reflect.Struct && v.Kind() != reflect.Slice,
		v.Type() == reflect.TypeFor[[]byte]():
		visit(path, v)
	case v.Kind() == reflect.Slice:
		if v.Len() == 0 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		}
		walk(v.Index(0), path+"[]", visit)
	default:
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			if path != "" {
				name = path + "." + name
			}
			walk(v.Field(i), name, visit)
		}
	}
}

// fill gives every leaf a value of its own.
func fill(v reflect.Value, n int) {
	switch {
	case v.Type() == amountType:
		v.Set(reflect.ValueOf(connector.MustAmount(fmt.Sprintf("%d.25", 100+n))))
	case v.Type() == reflect.TypeFor[[]byte]():
		v.SetBytes([]byte(fmt.Sprintf("content %d", n)))
	case v.Kind() == reflect.Bool:
		v.SetBool(!v.Bool())
	default:
		v.SetString(fmt.Sprintf("value-%d", n))
	}
}

func fullInvoice() *connector.Invoice {
	inv := new(connector.Invoice)
	n := 0
	walk(reflect.ValueOf(inv).Elem(), "", func(_ string, v reflect.Value) { n++; fill(v, n) })
	return inv
}

// wirePaths lists the leaves of what Marshal wrote.
func wirePaths(t *testing.T, body []byte) map[string]string {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var root any
	if err := dec.Decode(&root); err != nil {
		t.Fatal(err)
	}
	leaves := map[string]string{}
	var down func(v any, path string)
	down = func(v any, path string) {
		switch v := v.(type) {
		case map[string]any:
			for k, sub := range v {
				down(sub, strings.TrimPrefix(path+"."+k, "."))
			}
		case []any:
			for _, sub := range v {
				down(sub, path+"[]")
			}
		default:
			leaves[path] = fmt.Sprint(v)
		}
	}
	down(root, "")
	return leaves
}

func TestFieldsListEveryFieldOfAnInvoice(t *testing.T) {
	rows := readFields(t)
	known := map[string]bool{}
	walk(reflect.ValueOf(new(connector.Invoice)).Elem(), "", func(path string, _ reflect.Value) {
		known[path] = true
		if _, ok := rows[path]; !ok {
			t.Errorf("FIELDS.md lacks %s", path)
		}
	})
	for path := range rows {
		if !known[path] {
			t.Errorf("FIELDS.md lists %s, which an invoice does not have", path)
		}
	}
}

func TestFieldsAgreeWithWhatIsWritten(t *testing.T) {
	rows := readFields(t)
	full, err := Marshal(*fullInvoice())
	if err != nil {
		t.Fatal(err)
	}
	written := wirePaths(t, full)
	documented := map[string]bool{}
	for path, row := range rows {
		changed := fullInvoice()
		walk(reflect.ValueOf(changed).Elem(), "", func(p string, v reflect.Value) {
			if p == path {
				fill(v, 900)
			}
		})
		body, err := Marshal(*changed)
		if err != nil {
			t.Fatal(err)
		}
		now := wirePaths(t, body)
		switch row.carried {
		case "sent", "unverified":
			documented[row.wire] = true
			if now[row.wire] == "" || now[row.wire] == written[row.wire] {
				t.Errorf("%s is documented as %s in %s, but that does not follow it", path, row.carried, row.wire)
			}
		case "not carried", "ours":
			if !bytes.Equal(body, full) {
				t.Errorf("%s is documented as %s, but changes what is written", path, row.carried)
			}
		default:
			t.Errorf("%s: unknown word %q", path, row.carried)
		}
	}
	for path := range written {
		if !documented[path] {
			t.Errorf("%s is written but stands in no row of FIELDS.md", path)
		}
	}
}

func TestWhatIsNotCarriedIsWarnedOf(t *testing.T) {
	for path, row := range readFields(t) {
		inv := &connector.Invoice{Number: "FA-1"}
		walk(reflect.ValueOf(inv).Elem(), "", func(p string, v reflect.Value) {
			if p == path {
				fill(v, 1)
			}
		})
		warned := false
		for _, p := range NotCarried(*inv) {
			field := strings.ReplaceAll(p.Field, "[0]", "[]")
			warned = warned || field == path || field+"[]" == path
			if field == path && p.BT != row.bt {
				t.Errorf("%s: warned with %s, FIELDS.md says %s", path, p.BT, row.bt)
			}
		}
		want := row.carried == "not carried" || path == "totals.total_payable_amount"
		if warned != want {
			t.Errorf("%s is %s: warned %v", path, row.carried, warned)
		}
	}
}

func TestACompleteInvoiceOfTheUsualKindWarnsOfNothing(t *testing.T) {
	inv := usualInvoice()
	if got := NotCarried(inv); len(got) != 0 {
		t.Errorf("warnings %v", got)
	}
}
