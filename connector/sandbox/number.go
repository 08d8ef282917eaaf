package sandbox

import (
	"bytes"
	"fmt"

	"github.com/govalues/decimal"
)

// number is an exact JSON number. The platform reads texts as well and drops
// trailing zeros when it writes: 61.20 becomes 61.2.
type number struct{ decimal.Decimal }

// maxDigits bounds the input: the decimal library rounds silently beyond it.
const maxDigits = 19

func (n *number) UnmarshalJSON(b []byte) error {
	b = bytes.Trim(b, `"`)
	digits := 0
	for i, c := range b {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c == '.', i == 0 && c == '-':
		default:
			return fmt.Errorf("not a number: %.40q", b)
		}
	}
	if digits == 0 || digits > maxDigits {
		return fmt.Errorf("not a number of 1 to %d digits: %.40q", maxDigits, b)
	}
	d, err := decimal.Parse(string(b))
	n.Decimal = d
	return err
}

func (n number) MarshalJSON() ([]byte, error) { return []byte(n.Trim(0).String()), nil }

// or0 is the value of an absent number.
func (n *number) or0() decimal.Decimal {
	if n == nil {
		return decimal.Zero
	}
	return n.Decimal
}

// round rounds half away from zero to cents, or to the currency's own coin.
func round(d decimal.Decimal, scale int) decimal.Decimal {
	down := d.Trunc(scale)
	rest, err := d.SubAbs(down)
	if err != nil || rest.Cmp(decimal.MustNew(5, scale+1)) < 0 {
		return down
	}
	up, err := down.Add(decimal.MustNew(1, scale).CopySign(d))
	if err != nil {
		return d.Round(scale)
	}
	return up
}

// coin is the number of decimals of a currency.
func coin(currency string) int {
	switch currency {
	case "JPY", "KRW", "XOF", "XAF", "XPF", "CLP", "ISK", "VND":
		return 0
	case "TND", "BHD", "KWD", "JOD", "OMR":
		return 3
	}
	return 2
}
