package pdf

import (
	"strings"

	"einvoice/connector"
)

// number writes an amount with at least scale decimals, thousands apart.
func (t texts) number(a connector.Amount, scale int) string {
	d, ok := a.Get()
	if !ok {
		return ""
	}
	whole, part, _ := strings.Cut(d.Trim(scale).Pad(scale).String(), ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + t.thousands + whole[i:]
	}
	if part == "" {
		return sign + whole
	}
	return sign + whole + t.decimal + part
}

// percent writes a rate: "5,5 %".
func (t texts) percent(a connector.Amount) string {
	if !a.Present() {
		return ""
	}
	return t.number(a, 0) + t.percentSign
}

// date writes a day as the language does: 31/12/2026, or 2026-12-31, which no
// English reader can mistake.
func (t texts) date(d connector.Date) string {
	if !t.french || len(d) != len("2026-12-31") {
		return string(d)
	}
	return string(d[8:10] + "/" + d[5:7] + "/" + d[:4])
}

// grouped writes an IBAN in groups of four.
func grouped(iban string) string {
	bare := strings.ReplaceAll(iban, " ", "")
	var b strings.Builder
	for i, r := range []rune(bare) {
		if i > 0 && i%4 == 0 {
			b.WriteRune('\u00a0')
		}
		b.WriteRune(r)
	}
	return b.String()
}
