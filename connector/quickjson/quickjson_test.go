package quickjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"einvoice/connector"
)

// odd are texts that need care.
var odd = []string{"", "plain", `a "quote" \ back`, "tab\tline\nfeed\r\b\f\x00\x1f\x7f", "é € 𝄞", "bad \xff utf \xe2\x82", "\u2028\u2029", "<&>", strings.Repeat("long ", 100)}

func TestStringsAreWrittenAsEncodingJSONDoes(t *testing.T) {
	for _, s := range odd {
		var want bytes.Buffer
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(s); err != nil {
			t.Fatal(err)
		}
		if got := string(appendString(nil, s)) + "\n"; got != want.String() {
			t.Errorf("%q is written %s, want %s", s, got, want.String())
		}
	}
}

// fill gives every field of a struct a value that depends on n; share leaves
// every other one empty.
func fill(v reflect.Value, n *int, share bool) {
	*n++
	if share && *n%2 == 0 {
		return
	}
	switch {
	case v.Type() == reflect.TypeFor[connector.Amount]():
		v.Set(reflect.ValueOf(connector.MustAmount(fmt.Sprintf("-%d.250", *n))))
	case v.Type() == reflect.TypeFor[[]byte]():
		v.SetBytes([]byte{byte(*n), 0, 0xff})
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.Kind() == reflect.String:
		v.SetString(odd[*n%len(odd)])
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		for i := range 3 {
			fill(v.Index(i), n, share)
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n, share)
		}
	}
}

// TestAnInvoiceMeansTheSameToEncodingJSON catches a field that was added to the
// invoice and forgotten here: it would be lost between mapping and sending.
func TestAnInvoiceMeansTheSameToEncodingJSON(t *testing.T) {
	for start := range 40 {
		var inv connector.Invoice
		n := start
		fill(reflect.ValueOf(&inv).Elem(), &n, start > 0 && start%2 == 1)
		if start > 20 { // the quick way of reading
			inv.Preceding, inv.Notes, inv.Attached, inv.PublicBuyer = nil, nil, nil, false
		}
		std, err := json.Marshal(&inv)
		if err != nil {
			t.Fatal(err)
		}
		var want connector.Invoice
		if err := json.Unmarshal(std, &want); err != nil {
			t.Fatal(err)
		}
		text := AppendInvoice(nil, &inv)
		var back connector.Invoice
		if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, want) {
			t.Fatalf("wrote %s\nencoding/json writes %s (%v)", text, std, err)
		}
		for _, form := range [][]byte{text, std} {
			got, err := Invoice(form)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("read %+v\nof %s, want\n%+v (%v)", got, form, want, err)
			}
			if name, err := BuyerName(form); err != nil || name != want.Buyer.Name {
				t.Fatalf("buyer %q of %s, want %q (%v)", name, form, want.Buyer.Name, err)
			}
		}
	}
}

func TestWhatIsNoInvoiceIsAnError(t *testing.T) {
	for _, s := range []string{"", "[]", `{"document_number":1}`, `{"totals":{"total_tax_amount":"x"}}`, `{"a":1`} {
		if inv, err := Invoice([]byte(s)); err == nil {
			t.Errorf("%s was read as %+v", s, inv)
		}
	}
}

// seeds are JSON texts, right and wrong.
var seeds = []string{
	`{}`, `{"a":1,"b":[1,2,{"c":null}],"a":"again"}`, ` { "x" : -0.5e+3 , "y":"\u00e9\n" } `, `{"a":01}`, `{"a":1.}`, `{"a":-}`, `{"a":1e}`,
	`{"a":tru}`, `{"a":"\x"}`, `{"a":"\u12g4"}`, "{\"a\":\"\n\"}", `{"a":1,}`, `{,}`, `{"a" 1}`, `{"a":1}x`, `[1]`, `[]`, `[1,]`, `null`, `"a"`, `1`, ``,
	"{\"\xff\":\"\xff\"}", `{"\ud800":"\udc00"}`, `{"é":"𝄞"}`, `{"a":{"b":{"c":[[[[]]]]}}}`, "{\"a\":\x00}", `{"a":"b`, `{"a`, "\ufeff{}",
}

// agree holds the scanner against encoding/json.
func agree(t *testing.T, text []byte) {
	var object map[string]json.RawMessage
	err := json.Unmarshal(text, &object)
	got := map[string]json.RawMessage{}
	ok := Members(text, func(name string, value []byte) { got[name] = value })
	if ok != (err == nil && object != nil) {
		t.Fatalf("%q: an object %v, encoding/json says %v", text, ok, err)
	}
	if ok {
		for name, value := range object {
			if !bytes.Equal(got[name], value) {
				t.Fatalf("%q: member %q is %q, want %q", text, name, got[name], value)
			}
			want := "" // Text reads strings only
			isText := value[0] == '"' && json.Unmarshal(value, &want) == nil
			if s, ok := Text(value); ok != isText || s != want {
				t.Fatalf("text %q is read %q %v, want %q", value, s, ok, want)
			}
		}
		if len(got) != len(object) {
			t.Fatalf("%q: %d members, want %d", text, len(got), len(object))
		}
	}
	var array []json.RawMessage
	err = json.Unmarshal(text, &array)
	n := 0
	ok = elements(text, func(value []byte) {
		if n < len(array) && !bytes.Equal(value, array[n]) {
			t.Fatalf("%q: element %d is %q, want %q", text, n, value, array[n])
		}
		n++
	})
	if ok != (err == nil && array != nil) || ok && n != len(array) {
		t.Fatalf("%q: an array %v of %d, encoding/json says %d, %v", text, ok, n, len(array), err)
	}
}

func TestObjectsAreReadAsEncodingJSONDoes(t *testing.T) {
	for _, s := range seeds {
		agree(t, []byte(s))
		agree(t, []byte(`{"in":`+s+`}`))
		agree(t, []byte(`[`+s+`]`))
		for i := range s { // every cut, and every byte replaced
			agree(t, []byte(s[:i]))
			for _, c := range []byte("\"\\{}[],:0x\x01 \xff") {
				changed := []byte(s)
				changed[i] = c
				agree(t, changed)
			}
		}
	}
	deep := strings.Repeat("[", maxDepth+10)
	agree(t, []byte(`{"a":`+deep))
	agree(t, []byte(`{"a":`+deep+strings.Repeat("]", maxDepth+10)+`}`))
	most := strings.Repeat("[", maxDepth-1) + strings.Repeat("]", maxDepth-1)
	agree(t, []byte(`{"a":`+most+`}`))
}

func FuzzAgreesWithEncodingJSON(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(agree)
}
