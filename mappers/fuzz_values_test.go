package mappers

import (
	"bytes"
	"encoding/csv"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"einvoice/connector"
)

// FuzzValue reads a text as a number and as a date by every convention, and
// takes it through whole pipelines.
func FuzzValue(f *testing.F) {
	for _, s := range []string{
		" F1 ", "73282932000074", "7,32829E+13", "FR44 732 829 320", "TVA 20,00 %", "oui", "#N/A", "x\ufffd", `{\rtf1\ansi a\'e9\par}`, "a\u00a0 b", "\ufeffx\u200b",
		"15/01/2026", "20260115", "150126", "Jan 15 2026", "15 janv. 2026", "46037", "46037.5", "2026-01-15T10:00:00Z", "31/02/2026", "'15/01/2026",
		"12,50", "-1.234,5", "1 234.50 €", "(12,5)", "0,00", "12-", "1E-05", "1,23457E+13", "١٢", "-0", "999999999999999999,9", "1.234", "$-5", ".5", "5."} {
		f.Add(s)
	}
	var formats []dateFormat
	for _, text := range []string{"dd/mm/yyyy", "yyyymmdd", "ddmmyy", "mmm dd yyyy", "yyyy-mm-dd", "jj/mm/aa", "dd mmm yyyy", "excel"} {
		one, err := compileDate(text)
		if err != nil {
			f.Fatal(err)
		}
		formats = append(formats, one)
	}
	m := mustLoad(f, `
[input]
format = "csv"
[invoice]
key = "a"
[invoice.fields]
document_number     = { from = "a", trim = "none" }
issue_date          = "a"
type                = { from = "a", map = "kind" }
currency            = { from = "a", match = '([A-Z]{3})' }
recipient.name      = { from = "a", trim = "collapse" }
recipient.fiscal_id = { from = "a", trim = "digits" }
sender.fiscal_id    = "a"
sender.vat_id       = "a"
recipient_public    = "a"
total_amount_including_tax = { from = "a", match = '^(\d+)-(\d+)$', replace = "$1.$2", default = "1" }
[lines.fields]
description = "a"
tax_rate    = { from = "a", match = '(\d+(?:[.,]\d+)?)' }
[map.kind]
F   = "380"
"*" = "381"
`)
	f.Fuzz(func(t *testing.T, s string) {
		asNumber(t, s)
		asDate(t, formats, s)
		asField(t, m, s)
	})
}

// asNumber: what is read at once is what is read with care; a number read is
// written and read as itself.
func asNumber(t *testing.T, s string) {
	for _, n := range []numberFormat{{}, {decimal: ','}, {decimal: '.'}, {machine: true}, {decimal: ',', machine: true}, {machine: true, float: true}} {
		if fast, ok := n.plain(s); ok {
			slow, bad := n.carefully(s)
			if bad != nil || !slow.Equal(fast) || slow.String() != fast.String() {
				t.Fatalf("%+v %q: %v at once, %v with care (%v)", n, s, fast, slow, bad)
			}
		}
		a, bad := n.parse(s)
		if bad != nil {
			continue
		}
		again, bad := (numberFormat{machine: true}).parse(a.String())
		if bad != nil || !again.Equal(a) {
			t.Fatalf("%+v %q is %v, which is %v (%v)", n, s, a, again, bad)
		}
	}
}

// asDate: a date read is a day that exists, and what write makes of it is the
// same day.
func asDate(t *testing.T, formats []dateFormat, s string) {
	for _, one := range formats {
		d, bad := dateFormats{formats: []dateFormat{one}}.parse(s)
		if bad != nil {
			continue
		}
		if _, err := connector.ParseDate(string(d)); err != nil {
			t.Fatalf("%s: %q is %q", one.text, s, d)
		}
		if one.serial {
			continue
		}
		if again, ok := one.parse(one.write(d)); !ok || again != d && !strings.Contains(strings.ReplaceAll(one.text, "yyyy", ""), "y") && !strings.Contains(one.text, "aa") {
			t.Fatalf("%s: %q is %s, written %q, which is %s", one.text, s, d, one.write(d), again)
		}
	}
}

// asField: with a memo a pipeline gives what it gives without.
func asField(t *testing.T, m *Mapping, s string) {
	g, _ := newGrid("x", "", newHeadings(1, []string{"a"}), m.places)
	r := &row{Num: 2, Cells: []string{s}, grid: g}
	p := newPlan(m, g, m.input.values)
	for range 2 {
		for i := range p.head.asked {
			at := &p.head.asked[i]
			sc, from := scope{node: r, head: r}, found{}
			v, _, ok, bad := at.binding.rule.evaluate(&sc, at.field.kind)
			got := at.evaluate(&sc, &from)
			if ok != got.ok || ok && v != got.v || (bad == nil) != (got.bad == nil) {
				t.Fatalf("%s of %q: %v %v %v, and from memory %v %v %v", at.name, s, v, ok, bad, got.v, got.ok, got.bad)
			}
		}
	}
}

// FuzzExpression compiles and runs an expression.
func FuzzExpression(f *testing.F) {
	for _, s := range []string{`num("a") + 1`, `col("a") == "" ? "x" : col("b")`, `round(num("a") / num("b"), 2)`, `-num("a") * dec("0.2")`,
		`lower(trim(col("a"))) in ["x", "y"]`, `col("a") matches "^F"`, `has("a") and num("b") > 0`, `replace(col("a"), ",", ".")`, `split(col("a"), "-")[0]`, `1..1000000`} {
		f.Add(s, "12,5", "x")
	}
	f.Fuzz(func(t *testing.T, text, a, b string) {
		places := &places{index: map[string]int{}}
		e, err := compileExpression(text, places, decimalType, stringType, intType, boolType)
		if err != nil {
			return
		}
		g, _ := newGrid("x", "", newHeadings(1, []string{"a", "b"}), places.list)
		r := &row{Num: 2, Cells: []string{a, b}, grid: g}
		s := scope{node: r, head: r}
		for range 2 { // the machine is used again, also after a failure
			if v, err := e.run(&s); err == nil {
				resultText(v)
			} else if e.flaw(&s, err) == nil {
				t.Fatal("a failure without a flaw")
			}
		}
	})
}

// FuzzEncoding splits bytes into cells and reads them in every encoding: what was decoded without fault is
// encoded to the same bytes, and whole files are told from parts of them.
func FuzzEncoding(f *testing.F) {
	f.Add([]byte("caf\xe9;\x80 12"), uint8(0))
	f.Add([]byte("caf\xc3\xa9"), uint8(3))
	f.Add([]byte("\xff\xfec\x00a\x00"), uint8(9))
	f.Add([]byte("\xef\xbb\xbfx"), uint8(1))
	for _, s := range []string{"a;b\n1;2\n", "a;\"b\nc\";\"d\"\"e\"\r\n", "\n;\n", "\"\"\n", "a;\"b\"", "x\r\n\r\ny\r\n"} {
		f.Add([]byte(s), uint8(0))
	}
	names := []string{utf8Text, windows1252, latin9, cp850}
	f.Fuzz(func(t *testing.T, data []byte, cut uint8) {
		asTable(t, data, cut)
		for _, name := range names {
			c := newCharset(name, nil)
			text, ok := c.decode(data)
			if !utf8.ValidString(text) {
				t.Fatalf("%s: %q decoded to %q", name, data, text)
			}
			if back := c.encode(text); ok && !bytes.Equal(back, data) {
				t.Fatalf("%s: %q, %q, %q", name, data, text, back)
			}
			c.doubtful(data)
		}
		valid, err := validUTF8(iotest.OneByteReader(bytes.NewReader(data)))
		if err != nil || valid != utf8.Valid(data) {
			t.Fatalf("%q: valid is %v, %v", data, valid, err)
		}
		c, err := detectCharset("", data, exportOf("x", data))
		if err != nil || c.name == "" {
			t.Fatal(c, err)
		}
		for _, wide := range []string{utf16LE, utf16BE} {
			text, err := io.ReadAll(newCharset(wide, nil).reader(bytes.NewReader(data)))
			if err != nil || !utf8.Valid(text) {
				t.Fatalf("%s: %q, %v", wide, text, err)
			}
		}
		if xc, in, err := xmlCharset(bytes.NewReader(data), ""); err == nil {
			io.Copy(io.Discard, xc.text(in))
		}
	})
}

// asTable holds the splitter against encoding/csv, wherever that one has nothing
// to complain about.
func asTable(t *testing.T, data []byte, cut uint8) {
	s := newSplitter(bytes.NewReader(data), int64(cut), ';', '"', '\n')
	var ours [][]string
	whole := 0
	for {
		err := s.next()
		if err == io.EOF || err == errOpenQuote {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		whole += len(s.record)
		var cells []string
		for _, c := range s.spans {
			cells = append(cells, string(s.bytesOf(c)))
		}
		if len(s.record[:s.body]) > 0 { // encoding/csv knows no empty line
			ours = append(ours, cells)
		}
	}
	if whole > len(data) {
		t.Fatalf("%d bytes came of %d", whole, len(data))
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.Comma, r.FieldsPerRecord = ';', -1
	theirs, err := r.ReadAll()
	if err != nil || bytes.Contains(bytes.ReplaceAll(data, []byte("\r\n"), nil), []byte("\r")) || bytes.Contains(data, []byte("\r\n")) && bytes.Contains(data, []byte(`"`)) {
		return // inside quotes encoding/csv makes one line end of two bytes
	}
	if len(ours) != len(theirs) {
		t.Fatalf("%q\n%q", ours, theirs)
	}
	for i := range ours {
		if strings.Join(ours[i], "\x00") != strings.Join(theirs[i], "\x00") {
			t.Fatalf("row %d: %q, but %q", i, ours[i], theirs[i])
		}
	}
}
