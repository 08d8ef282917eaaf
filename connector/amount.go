package connector

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/govalues/decimal"
)

// ErrAmount is wrapped by every error about a text that is not an amount.
var ErrAmount = errors.New("not an amount")

// maxDigits bounds what is parsed into a decimal: beyond 19 digits the decimal
// library rounds without a word. A zero in front of the point is no digit, or a
// price of 19 decimals could be written and not read back.
const maxDigits = 19

// Amount is an exact decimal that may be absent. Its zero value is absent,
// which is not the same as 0.
type Amount struct {
	value   decimal.Decimal
	present bool
}

// AmountOf makes a present amount of a decimal.
func AmountOf(d decimal.Decimal) Amount { return Amount{value: d, present: true} }

// ParseAmount reads a plain decimal with a point ("-12.50"). It refuses
// exponents and more than 19 digits. The error wraps ErrAmount.
func ParseAmount(s string) (Amount, error) {
	digits, zeros, point := 0, 0, false
	for i, c := range s {
		switch {
		case c == '0' && digits == 0 && !point:
			zeros++
		case c >= '0' && c <= '9':
			digits++
		case c == '.':
			point = true
		case i == 0 && (c == '-' || c == '+'):
		default:
			return Amount{}, fmt.Errorf("%w: %q", ErrAmount, s)
		}
	}
	if digits+zeros == 0 || digits > maxDigits {
		return Amount{}, fmt.Errorf("%w: %q has %d digits, at most %d are allowed", ErrAmount, s, digits, maxDigits)
	}
	d, err := decimal.Parse(s)
	if err != nil {
		return Amount{}, fmt.Errorf("%w: %q", ErrAmount, s)
	}
	return AmountOf(d), nil
}

// MustAmount is ParseAmount for constants; it panics on a text that is not one.
func MustAmount(s string) Amount {
	a, err := ParseAmount(s)
	if err != nil {
		panic(err)
	}
	return a
}

// Get returns the value and whether there is one.
func (a Amount) Get() (decimal.Decimal, bool) { return a.value, a.present }

// Or0 returns the value, 0 where there is none.
func (a Amount) Or0() decimal.Decimal { return a.value }

// Present tells whether there is a value.
func (a Amount) Present() bool { return a.present }

// IsZero tells whether the amount is absent (for `omitzero`), not whether it is 0.
func (a Amount) IsZero() bool { return !a.present }

// Equal compares by value: 1 equals 1.00; an absent amount equals only an absent one.
func (a Amount) Equal(b Amount) bool {
	return a.present == b.present && a.value.Equal(b.value)
}

// String writes the value in plain notation, "" where there is none.
func (a Amount) String() string {
	if !a.present {
		return ""
	}
	return a.value.String()
}

// MarshalJSON writes a JSON number with its trailing zeros, or null.
func (a Amount) MarshalJSON() ([]byte, error) {
	if !a.present {
		return []byte("null"), nil
	}
	return []byte(a.value.String()), nil
}

// UnmarshalJSON reads a JSON number, the same as text, or null. Exponents are
// refused: 6.12e1 never was an amount on an invoice.
func (a *Amount) UnmarshalJSON(b []byte) error {
	b = bytes.Trim(b, `"`)
	if len(b) == 0 || string(b) == "null" {
		*a = Amount{}
		return nil
	}
	v, err := ParseAmount(string(b))
	if err != nil {
		return err
	}
	*a = v
	return nil
}

// Round rounds half away from zero to the given number of decimals, as French
// practice and EN 16931 do. (The decimal library rounds half to even.)
func Round(d decimal.Decimal, scale int) decimal.Decimal {
	if d.Scale() <= scale {
		return d.Pad(scale)
	}
	down := d.Trunc(scale)
	rest, err := d.SubAbs(down)
	if err != nil {
		return d.Round(scale)
	}
	half := decimal.MustNew(5, scale+1)
	if rest.Cmp(half) < 0 {
		return down
	}
	ulp := decimal.MustNew(1, scale).CopySign(d)
	up, err := down.Add(ulp)
	if err != nil {
		return d.Round(scale)
	}
	return up
}

// MinorUnit is the number of decimals of a currency's smallest coin (ISO 4217).
func MinorUnit(currency string) int {
	switch currency {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF",
		"UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	case "CLF", "UYW":
		return 4
	}
	return 2
}
