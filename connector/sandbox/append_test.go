package sandbox

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/govalues/decimal"
)

// asJSON is an invoice that encoding/json writes by its fields alone.
type asJSON invoice

// anything fills a value with what may stand there; now and then with nothing.
func anything(dice *rand.Rand, v reflect.Value) {
	texts := []string{"", "FA-1", "été \"à\" <b>&\\ \u2028\x01", "\xff cassé", "日本"}
	switch {
	case v.Type() == reflect.TypeFor[number]():
		v.Set(reflect.ValueOf(number{decimal.MustNew(dice.Int64N(2_000_000)-1_000_000, dice.IntN(6))}))
	case v.Kind() == reflect.String:
		v.SetString(texts[dice.IntN(len(texts))])
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			anything(dice, v.Field(i))
		}
	case dice.IntN(4) == 0: // a pointer or a list that is not there
		v.SetZero()
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		anything(dice, v.Elem())
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), dice.IntN(3), 3))
		for i := range v.Len() {
			anything(dice, v.Index(i))
		}
	default:
		panic(v.Type())
	}
}

// TestAnInvoiceIsWrittenAsItsFieldsSay: by hand as by encoding/json, byte for
// byte, so that a new field cannot be forgotten.
func TestAnInvoiceIsWrittenAsItsFieldsSay(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		var inv invoice
		anything(dice, reflect.ValueOf(&inv).Elem())
		want, err := json.Marshal(asJSON(inv))
		if err != nil {
			t.Fatal(err)
		}
		if got := inv.append(nil); !bytes.Equal(got, want) {
			t.Fatalf("by hand\n%s\nby its fields\n%s", got, want)
		}
		enveloped, err := json.Marshal(ok(asJSON(inv)).body)
		if err != nil {
			t.Fatal(err)
		}
		if got := ok(inv).bytes(); !bytes.Equal(got, enveloped) {
			t.Fatalf("in an answer\n%s\nwant\n%s", got, enveloped)
		}
	}
}
