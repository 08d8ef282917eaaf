package mappers

import (
	"fmt"

	"einvoice/connector"

	"github.com/govalues/decimal"
)

// withoutTax takes the VAT out of prices and amounts that include it. It is done
// for all lines of a rate together, so that their sum is that of the file; what
// rounding leaves goes to the largest line.
func (w *work) withoutTax() {
	lines := w.res.Invoice.Lines
	if !w.b.m.lines.gross || len(lines) == 0 {
		return
	}
	scale := connector.MinorUnit(w.res.Invoice.Currency)
	groups := map[string][]int{}
	for i, l := range withNets(lines, scale) {
		key := l.Category + " " + l.Rate.Or0().Trim(0).String()
		groups[key] = append(groups[key], i)
		lines[i].Net = l.Net
	}
	for _, of := range groups {
		if err := takeTaxOut(lines, of, scale); err != nil {
			w.overflow(fmt.Sprintf("invoice_lines[%d]", of[0]), err)
			return
		}
	}
}

func takeTaxOut(lines []connector.Line, of []int, scale int) error {
	hundred := decimal.MustNew(100, 0)
	rate, err := lines[of[0]].Rate.Or0().Add(hundred)
	if err != nil {
		return err
	}
	without := func(gross decimal.Decimal, scale int) (decimal.Decimal, error) {
		d, err := gross.Mul(hundred)
		if err != nil {
			return d, err
		}
		d, err = d.Quo(rate)
		return connector.Round(d, scale), err
	}
	gross, nets, largest := decimal.Zero, decimal.Zero, of[0]
	for _, i := range of {
		l := &lines[i]
		if gross, err = gross.Add(l.Net.Or0()); err != nil {
			return err
		}
		net, err := without(l.Net.Or0(), scale)
		if err != nil {
			return err
		}
		if nets, err = nets.Add(net); err != nil {
			return err
		}
		l.Net = connector.AmountOf(net)
		if net.CmpAbs(lines[largest].Net.Or0()) > 0 {
			largest = i
		}
	}
	total, err := without(gross, scale)
	if err != nil {
		return err
	}
	cent, err := total.Sub(nets)
	if err != nil {
		return err
	}
	mended, err := lines[largest].Net.Or0().Add(cent)
	lines[largest].Net = connector.AmountOf(mended)
	for _, i := range of {
		priceFromNet(&lines[i])
	}
	return err
}

// priceFromNet gives a line the price that comes to its net amount.
func priceFromNet(l *connector.Line) {
	if q := l.Quantity.Or0(); !q.IsZero() {
		if price, err := l.Net.Or0().Quo(q); err == nil {
			l.UnitPrice = connector.AmountOf(connector.Round(price, 6))
		}
	}
}
