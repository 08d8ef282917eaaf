package mappers

import (
	"strconv"
	"strings"
	"unicode"

	"einvoice/connector"

	"github.com/govalues/decimal"
)

// flaw is why a text is not a value: a code and what its texts need.
type flaw struct {
	code     string
	expected string
	args     map[string]string
}

// numberFormat says how the numbers of an input are written.
type numberFormat struct {
	decimal byte // ',' or '.'; 0: told by the number itself, refused where it cannot be
	machine bool // plain notation with a point is accepted first, as XLSX stores it
	float   bool // the number was a float of a workbook, good for 15 digits
}

// parse reads an amount as people and ERPs write it: spaces between thousands,
// a currency or a percent sign, a trailing minus, parentheses.
func (f numberFormat) parse(text string) (connector.Amount, *flaw) {
	if a, ok := f.plain(text); ok {
		return a, nil
	}
	return f.carefully(text)
}

// carefully is parse for whatever people write.
func (f numberFormat) carefully(text string) (connector.Amount, *flaw) {
	if f.machine {
		if plain, ok := expandExponent(strings.TrimSpace(text)); ok {
			a, bad := parsePlain(plain)
			if f.float && bad == nil {
				a = fifteenDigits(a, plain)
			}
			return a, bad
		}
	}
	digits, negative := stripNumber(text)
	if isScientific(digits) {
		return connector.Amount{}, &flaw{code: codeFloatNumber}
	}
	plain, bad := f.point(digits)
	if bad != nil {
		return connector.Amount{}, bad
	}
	if negative {
		plain = "-" + plain
	}
	return parsePlain(plain)
}

// plain reads at once what is nothing but digits with a decimal sign, which most
// numbers are. What it does not take is not wrong yet.
func (f numberFormat) plain(s string) (connector.Amount, bool) {
	digits, negative := strings.CutPrefix(s, "-")
	if f.float || digits == "" || len(digits) > 18 {
		return connector.Amount{}, false
	}
	coefficient, point := int64(0), -1
	for i := 0; i < len(digits); i++ {
		c := digits[i]
		switch {
		case c >= '0' && c <= '9':
			coefficient = coefficient*10 + int64(c-'0')
		case point < 0 && i > 0 && i < len(digits)-1 && f.isPoint(c):
			point = i
		default:
			return connector.Amount{}, false
		}
	}
	if negative {
		coefficient = -coefficient
	}
	scale := 0
	if point >= 0 {
		scale = len(digits) - 1 - point
	}
	if scale == 3 && point <= 3 && f.told() {
		return connector.Amount{}, false // 1.234 may be a thousand
	}
	d, err := decimal.New(coefficient, scale)
	return connector.AmountOf(d), err == nil
}

// told says that each number tells by itself which its decimal sign is.
func (f numberFormat) told() bool { return f.decimal == 0 && !f.machine }

func (f numberFormat) isPoint(c byte) bool {
	switch {
	case f.machine:
		return c == '.'
	case f.decimal == 0:
		return c == ',' || c == '.'
	}
	return c == f.decimal
}

// fifteenDigits drops what Excel does not show either: 12.546000000000001 is
// 12.546.
func fifteenDigits(a connector.Amount, plain string) connector.Amount {
	whole, fraction, _ := strings.Cut(strings.TrimLeft(plain, "-0"), ".")
	if len(whole)+len(fraction) <= 15 || len(whole) >= 15 {
		return a
	}
	return connector.AmountOf(connector.Round(a.Or0(), 15-len(whole)).Trim(2))
}

func parsePlain(s string) (connector.Amount, *flaw) {
	a, err := connector.ParseAmount(s)
	if err == nil {
		return a, nil
	}
	if strings.Trim(s, "+-.0123456789") == "" && len(s) > 19 {
		return a, &flaw{code: codeLongNumber}
	}
	return a, &flaw{code: codeNotNumber}
}

// stripNumber takes away what is not part of the number and gives its sign.
func stripNumber(text string) (digits string, negative bool) {
	s := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), r == '\u00a0', r == '\u202f', r == '\'', r == '\u2019':
			return -1
		case r == '\u2212':
			return '-'
		}
		return r
	}, text)
	for _, sign := range []string{"€", "$", "£", "%", "EUR", "USD", "GBP", "CHF"} {
		s = strings.TrimSuffix(strings.TrimPrefix(s, sign), sign)
	}
	switch {
	case strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")"):
		return s[1 : len(s)-1], true
	case strings.HasPrefix(s, "-"):
		s, negative = s[1:], true
	case strings.HasSuffix(s, "-"):
		s, negative = s[:len(s)-1], true
	default:
		s = strings.TrimPrefix(s, "+")
	}
	// "-$13.50" and "-5 €": the sign stood outside of the currency.
	for _, sign := range []string{"€", "$", "£"} {
		s = strings.TrimSuffix(strings.TrimPrefix(s, sign), sign)
	}
	return s, negative
}

// point rewrites unsigned digits and separators with a decimal point alone.
func (f numberFormat) point(s string) (string, *flaw) {
	if s == "" || strings.Trim(s, ".,0123456789") != "" || strings.Trim(s, ".,") == "" {
		return "", &flaw{code: codeNotNumber}
	}
	comma, dot := strings.Count(s, ","), strings.Count(s, ".")
	switch {
	case comma == 0 && dot == 0:
		return s, nil
	case comma > 0 && dot > 0:
		return bothSeparators(s, f.decimal)
	case comma > 0:
		return f.oneSeparator(s, ',', comma)
	}
	return f.oneSeparator(s, '.', dot)
}

// bothSeparators reads 1.234,56 and 1,234.56: the last one is the decimal sign.
func bothSeparators(s string, declared byte) (string, *flaw) {
	decimal, thousand := byte('.'), byte(',')
	if strings.LastIndexByte(s, ',') > strings.LastIndexByte(s, '.') {
		decimal, thousand = ',', '.'
	}
	whole, fraction, _ := strings.Cut(s, string(decimal))
	if declared != 0 && declared != decimal || strings.IndexByte(fraction, decimal) >= 0 || !grouped(whole, thousand) {
		return "", &flaw{code: codeNotNumber}
	}
	return strings.ReplaceAll(whole, string(thousand), "") + "." + fraction, nil
}

// oneSeparator reads a number with one kind of separator. 1.234 where a comma
// is declared, or nothing is, stays doubtful: a thousand times too much is not
// a mistake to make in silence.
func (f numberFormat) oneSeparator(s string, sep byte, count int) (string, *flaw) {
	if count > 1 {
		if f.decimal != sep && grouped(s, sep) {
			return strings.ReplaceAll(s, string(sep), ""), nil
		}
		return "", &flaw{code: codeNotNumber}
	}
	whole, fraction, _ := strings.Cut(s, string(sep))
	asThousand := grouped(s, sep)
	switch {
	case f.decimal == sep:
	case f.decimal != 0 || asThousand:
		readings := strings.Trim(whole+","+fraction, ",")
		if asThousand {
			readings = whole + fraction + " / " + readings
		}
		return "", &flaw{code: codeEitherNumber, args: map[string]string{"readings": readings}}
	}
	return whole + "." + fraction, nil
}

// grouped tells whether sep stands between groups of three digits.
func grouped(s string, sep byte) bool {
	parts := strings.Split(s, string(sep))
	if len(parts[0]) < 1 || len(parts[0]) > 3 || parts[0][0] == '0' {
		return false
	}
	for _, p := range parts[1:] {
		if len(p) != 3 {
			return false
		}
	}
	return true
}

// isScientific knows 1,23457E+13.
func isScientific(s string) bool {
	at := strings.IndexAny(s, "eE")
	if at <= 0 || at == len(s)-1 {
		return false
	}
	exponent := strings.TrimLeft(s[at+1:], "+-")
	return strings.Trim(s[:at], ".,0123456789") == "" && exponent != "" && strings.Trim(exponent, "0123456789") == ""
}

// maxExponent bounds what a workbook's 1E-05 may expand to.
const maxExponent = 18

// expandExponent writes a number as XLSX stores it, such as -12.5 or 1E-05,
// without its exponent; ok is false when it is not such a number.
func expandExponent(s string) (plain string, ok bool) {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	mantissa, exponent, scientific := strings.Cut(strings.ToUpper(s), "E")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if whole == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return "", false
	}
	if !scientific {
		return sign + mantissa, true
	}
	shift, err := strconv.Atoi(exponent)
	if err != nil || shift > maxExponent || shift < -maxExponent {
		return "", false
	}
	if shift >= 0 {
		fraction += strings.Repeat("0", max(0, shift-len(fraction)))
		return sign + trimPoint(whole+fraction[:shift]+"."+fraction[shift:]), true
	}
	whole = strings.Repeat("0", max(0, 1-shift-len(whole))) + whole
	cut := len(whole) + shift
	return sign + trimPoint(whole[:cut]+"."+whole[cut:]+fraction), true
}

func trimPoint(s string) string {
	s = strings.TrimLeft(s, "0")
	if strings.HasPrefix(s, ".") || s == "" {
		s = "0" + s
	}
	return strings.TrimSuffix(s, ".")
}
