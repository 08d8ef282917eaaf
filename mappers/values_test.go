package mappers

import (
	"strconv"
	"strings"
	"testing"

	"einvoice/connector"
)

func TestNumbersAsPeopleWriteThem(t *testing.T) {
	comma, point, auto := numberFormat{decimal: ','}, numberFormat{decimal: '.'}, numberFormat{}
	sheet := numberFormat{machine: true}
	for _, c := range []struct {
		format numberFormat
		text   string
		want   string // an amount, or a code
	}{
		{comma, "162,00000000", "162.00000000"},
		{comma, " 1 234,56 ", "1234.56"},
		{comma, "1\u00a0234\u202f567,5", "1234567.5"},
		{comma, "1.234,56", "1234.56"},
		{comma, "1.234.567", "1234567"},
		{comma, "1.234", codeEitherNumber},
		{comma, "12.50", codeEitherNumber},
		{comma, "1,234,567", codeNotNumber},
		{comma, "1,234.56", codeNotNumber},
		{comma, "12,50-", "-12.50"},
		{comma, "(12,50)", "-12.50"},
		{comma, "\u221212,50", "-12.50"},
		{comma, "-5 €", "-5"},
		{comma, "20 %", "20"},
		{comma, "12,5,0", codeNotNumber},
		{comma, "20,O", codeNotNumber},
		{comma, ",", codeNotNumber},
		{comma, "-", codeNotNumber},
		{comma, "", codeNotNumber},
		{comma, "1e3", codeFloatNumber},
		{comma, "99999999999999999999", codeLongNumber},
		{comma, ",5", "0.5"},
		{point, "$13.50", "13.50"},
		{point, "-$13.50", "-13.50"},
		{point, "1,776.23", "1776.23"},
		{point, "1,776", codeEitherNumber},
		{point, "1,77", codeEitherNumber},
		{auto, "12,50", "12.50"},
		{auto, "12.5", "12.5"},
		{auto, "0.125", "0.125"},
		{auto, "1.234", codeEitherNumber},
		{auto, "1,234", codeEitherNumber},
		{auto, "1234.567", "1234.567"},
		{auto, "1.234,5", "1234.5"},
		{sheet, "182.1658", "182.1658"},
		{sheet, "1.234", "1.234"},
		{sheet, "1E-05", "0.00001"},
		{sheet, "-1.5E+3", "-1500"},
		{sheet, "1E+30", codeFloatNumber},
		{sheet, "12,50", "12.50"},
	} {
		a, bad := c.format.parse(c.text)
		got := a.String()
		if bad != nil {
			got = bad.code
		}
		if got != c.want {
			t.Errorf("%q with %+v: got %s, want %s", c.text, c.format, got, c.want)
		}
	}
}

func TestDatesAsPeopleWriteThem(t *testing.T) {
	for _, c := range []struct{ format, text, want string }{
		{"dd/mm/yyyy", "05/02/2026", "2026-02-05"},
		{"dd/mm/yyyy", "2/2/2020", "2020-02-02"},
		{"jj/mm/aaaa", "29/02/2024", "2024-02-29"},
		{"dd/mm/yyyy", "29/02/2026", codeNotDate},
		{"dd/mm/yyyy", "05/02/2026 14:30", "2026-02-05"},
		{"dd/mm/yyyy", "05/02/26", codeNotDate},
		{"dd/mm/yyyy", "2026-02-05", codeNotDate},
		{"dd/mm/yyyy", "05/02/20266", codeNotDate},
		{"dd/mm/yyyy", "05/02/0026", codeNotDate},
		{"dd/mm/yy", "05/02/26", "2026-02-05"},
		{"yyyy-mm-dd", "2021-02-05+01:00", "2021-02-05"},
		{"yyyy-mm-dd", "2021-02-05T10:00:00Z", "2021-02-05"},
		{"yyyymmdd", "20210205", "2021-02-05"},
		{"yyyymmdd", "20210205143000", "2021-02-05"},
		{"yyyymmdd", "2021025", codeNotDate},
		{"ddmmyy", "050226", "2026-02-05"},
		{"ddmmyy", "50226", codeSerialDate},
		{"excel", "45717", "2025-03-01"},
		{"excel", "45717.5", "2025-03-01"},
		{"dd/mm/yyyy", "45717", codeSerialDate},
		{"dd/mm/yyyy", "demain", codeNotDate},
	} {
		f, err := compileDate(c.format)
		if err != nil {
			t.Fatal(err)
		}
		d, bad := dateFormats{formats: []dateFormat{f}}.parse(c.text)
		got := string(d)
		if bad != nil {
			got = bad.code
		}
		if got != c.want {
			t.Errorf("%q as %s: got %s, want %s", c.text, c.format, got, c.want)
		}
		if bad == nil && !f.serial {
			if again, ok := f.parse(f.write(d)); !ok || again != d {
				t.Errorf("%s written as %s reads as %s", d, f.write(d), again)
			}
		}
	}
	for _, wrong := range []string{"", "dd/mm", "mm/yyyy", "dd/mm/yyy", "dd MMM yyyy x", "yyyy-mm-dd-dd"} {
		if _, err := compileDate(wrong); err == nil {
			t.Errorf("%q was taken for a date format", wrong)
		}
	}
}

// write is the opposite of parse, so that what is read can be checked by reading it again.
func (f dateFormat) write(d connector.Date) string {
	part := map[byte]string{'y': string(d[:4]), 'm': string(d[5:7]), 'd': string(d[8:10])}
	var out strings.Builder
	for _, t := range f.tokens {
		if t.letter == 0 {
			out.WriteByte(t.literal)
			continue
		}
		text := part[t.letter]
		if t.width == 3 {
			month, _ := strconv.Atoi(text)
			out.WriteString(strings.ToUpper(monthNames[month-1][0][:1]) + monthNames[month-1][0][1:])
			continue
		}
		out.WriteString(text[len(text)-t.width:])
	}
	return out.String()
}
