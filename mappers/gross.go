package mappers

import (
	"cmp"
	"fmt"

	"einvoice/connector"

	"github.com/govalues/decimal"
)

// withoutTax takes the VAT out of prices and amounts that include it. It is done
// for all lines of a rate together, so that their sum is that of the file; what
// rounding leaves goes to the largest line. The VAT is what is left of that sum
// and is stated here: computed again it would miss every sixth total at 20 %
// (1.03 and 0.21 are not 1.23).
func (w *work) withoutTax() {
	inv := &w.res.Invoice
	lines := inv.Lines
	if !w.b.m.lines.gross || len(lines) == 0 {
		return
	}
	scale := connector.MinorUnit(inv.Currency)
	for i, l := range withNets(lines, scale) {
		lines[i].Net = l.Net
	}
	groups := sameRate(lines)
	var stated connector.Amount
	if len(groups) == 1 {
		stated = inv.Totals.Tax
	}
	for _, of := range groups {
		tax, err := takeTaxOut(lines, of, scale, stated)
		if err != nil {
			w.overflow(fmt.Sprintf("invoice_lines[%d]", of[0]), err)
			return
		}
		inv.Taxes = append(inv.Taxes, tax)
	}
}

// sameRate groups lines, by their index, as connector.Breakdown does.
func sameRate(lines []connector.Line) (groups [][]int) {
	at := map[string]int{}
	for i, l := range lines {
		rate, category := l.Rate.Or0(), l.Category
		if !rate.IsZero() {
			category = cmp.Or(category, "S")
		}
		key := category + " " + rate.Trim(0).String()
		g, known := at[key]
		if !known {
			g = len(groups)
			at[key], groups = g, append(groups, nil)
		}
		groups[g] = append(groups[g], i)
	}
	return groups
}

// takeTaxOut makes lines of one rate lines before VAT, and tells their VAT: as
// stated, where rounding explains the gap, else as computed.
func takeTaxOut(lines []connector.Line, of []int, scale int, stated connector.Amount) (tax connector.Tax, err error) {
	rate, err := lines[of[0]].Rate.Or0().Add(decimal.Hundred)
	if err != nil {
		return tax, err
	}
	gross, nets, largest := decimal.Zero, decimal.Zero, of[0]
	for _, i := range of {
		l := &lines[i]
		tax.Category = cmp.Or(tax.Category, l.Category)
		if gross, err = gross.Add(l.Net.Or0()); err != nil {
			return tax, err
		}
		net, err := before(l.Net.Or0(), rate, scale)
		if err != nil {
			return tax, err
		}
		if nets, err = nets.Add(net); err != nil {
			return tax, err
		}
		l.Net = connector.AmountOf(net)
		if net.CmpAbs(lines[largest].Net.Or0()) > 0 {
			largest = i
		}
	}
	total, err := before(gross, rate, scale)
	if err != nil {
		return tax, err
	}
	vat, err := gross.Sub(total)
	if err != nil {
		return tax, err
	}
	if s := stated.Or0(); s.Sign() == vat.Sign() && near(s, vat) {
		vat = s
		if total, err = gross.Sub(vat); err != nil {
			return tax, err
		}
	}
	cent, err := total.Sub(nets)
	if err != nil {
		return tax, err
	}
	mended, err := lines[largest].Net.Or0().Add(cent)
	lines[largest].Net = connector.AmountOf(mended)
	for _, i := range of {
		priceFromNet(&lines[i])
	}
	tax.Rate, tax.Taxable, tax.Tax = connector.AmountOf(lines[of[0]].Rate.Or0()), connector.AmountOf(total), connector.AmountOf(vat)
	return tax, err
}

// before takes VAT out of an amount; rate is 120 for 20 %.
func before(gross, rate decimal.Decimal, scale int) (decimal.Decimal, error) {
	d, err := gross.Mul(decimal.Hundred)
	if err != nil {
		return d, err
	}
	d, err = d.Quo(rate)
	return connector.Round(d, scale), err
}

// near is the tolerance of EN 16931 (BR-CO-17).
func near(a, b decimal.Decimal) bool {
	gap, err := a.SubAbs(b)
	return err == nil && gap.Less(decimal.One)
}

// priceFromNet gives a line the price that comes to its net amount.
func priceFromNet(l *connector.Line) {
	if q := l.Quantity.Or0(); !q.IsZero() {
		if price, err := l.Net.Or0().Quo(q); err == nil {
			l.UnitPrice = connector.AmountOf(connector.Round(price, 6))
		}
	}
}
