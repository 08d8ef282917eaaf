package connector

import (
	"cmp"
	"fmt"
	"sort"

	"github.com/govalues/decimal"
)

// Complete derives what the export left out: the net amount of a line, the VAT
// breakdown, the totals. It never replaces a stated amount, so that a check can
// still see a contradiction. An overflow beyond 19 digits is an error.
func (inv *Invoice) Complete() error {
	if inv.Type == "" {
		inv.Type = "380"
	}
	scale := MinorUnit(inv.Currency)
	for i := range inv.Lines {
		if err := inv.Lines[i].complete(scale); err != nil {
			return fmt.Errorf("derive net amount of line %d: %w", i+1, err)
		}
	}
	taxes, err := Breakdown(inv.Lines, scale)
	if err != nil {
		return fmt.Errorf("derive VAT breakdown: %w", err)
	}
	if len(inv.Taxes) == 0 {
		adoptTax(taxes, inv.Totals.Tax)
		inv.Taxes = taxes
	}
	return inv.Totals.complete(inv.Lines, inv.Taxes)
}

func (l *Line) complete(scale int) error {
	if l.Net.Present() || !l.Quantity.Present() || !l.UnitPrice.Present() {
		return nil
	}
	net, err := l.Quantity.Or0().Mul(l.UnitPrice.Or0())
	if err != nil {
		return err
	}
	l.Net = AmountOf(Round(net, scale))
	return nil
}

// Breakdown sums lines by category and rate, in the order of category and rate,
// with VAT computed once per group and rounded half away from zero to scale.
func Breakdown(lines []Line, scale int) ([]Tax, error) {
	type key struct {
		category string
		rate     decimal.Decimal
	}
	groups := map[key]*Tax{}
	var order []key
	for _, l := range lines {
		k := key{l.Category, l.Rate.Or0().Trim(0)} // 20 and 20.00 are one rate
		if k.category == "" && !k.rate.IsZero() {
			k.category = "S" // as for the rules; a charge often names none where the lines do
		}
		g := groups[k]
		if g == nil {
			g = &Tax{Rate: AmountOf(l.Rate.Or0()), Taxable: AmountOf(decimal.Zero)}
			groups[k] = g
			order = append(order, k)
		}
		g.Category = cmp.Or(g.Category, l.Category)
		sum, err := g.Taxable.Or0().Add(l.Net.Or0())
		if err != nil {
			return nil, err
		}
		g.Taxable = AmountOf(sum)
	}
	sort.Slice(order, func(i, j int) bool {
		if order[i].category != order[j].category {
			return order[i].category < order[j].category
		}
		return groups[order[i]].Rate.Or0().Cmp(groups[order[j]].Rate.Or0()) < 0
	})
	taxes := make([]Tax, 0, len(order))
	for _, k := range order {
		g := groups[k]
		vat, err := Percent(g.Taxable.Or0(), g.Rate.Or0())
		if err != nil {
			return nil, err
		}
		g.Tax = AmountOf(Round(vat, scale))
		g.Taxable = AmountOf(Round(g.Taxable.Or0(), scale))
		taxes = append(taxes, *g)
	}
	return taxes, nil
}

// Percent is rate percent of base, unrounded.
func Percent(base, rate decimal.Decimal) (decimal.Decimal, error) {
	p, err := base.Mul(rate)
	if err != nil {
		return decimal.Zero, err
	}
	return p.Quo(decimal.Hundred)
}

// AmountDue is the amount to pay (BT-115): as stated, else derived; absent where
// neither can be.
func (t Totals) AmountDue() Amount {
	if t.Payable.Present() || !t.Gross.Present() {
		return t.Payable
	}
	due, err := t.Due()
	if err != nil {
		return Amount{}
	}
	return AmountOf(due)
}

func (t *Totals) complete(lines []Line, taxes []Tax) error {
	net, vat := decimal.Zero, decimal.Zero
	var err error
	for _, l := range lines {
		if net, err = net.Add(l.Net.Or0()); err != nil {
			return fmt.Errorf("sum line amounts: %w", err)
		}
	}
	for _, tax := range taxes {
		if vat, err = vat.Add(tax.Tax.Or0()); err != nil {
			return fmt.Errorf("sum VAT: %w", err)
		}
	}
	if !t.Net.Present() {
		t.Net = AmountOf(net)
	}
	if !t.Tax.Present() {
		t.Tax = AmountOf(vat)
	}
	if !t.Gross.Present() {
		gross, err := t.Net.Or0().Add(t.Tax.Or0())
		if err != nil {
			return fmt.Errorf("sum totals: %w", err)
		}
		t.Gross = AmountOf(gross)
	}
	if !t.Payable.Present() {
		payable, err := t.Due()
		if err != nil {
			return err
		}
		t.Payable = AmountOf(payable)
	}
	return nil
}

// Due is what is left to pay by the other totals: the total including VAT, less
// what was prepaid, rounded as stated.
func (t *Totals) Due() (decimal.Decimal, error) {
	due, err := t.Gross.Or0().Sub(t.Prepaid.Or0())
	if err != nil {
		return decimal.Zero, fmt.Errorf("subtract prepaid amount: %w", err)
	}
	if due, err = due.Add(t.Rounded.Or0()); err != nil {
		return decimal.Zero, fmt.Errorf("round payable amount: %w", err)
	}
	return due, nil
}

// adoptTax gives the only entry of a derived breakdown the total of VAT that the
// export states, where rounding explains the gap: EN 16931 (BR-CO-17) lets VAT
// that was rounded line by line differ by less than one unit of the currency.
func adoptTax(taxes []Tax, stated Amount) {
	if len(taxes) != 1 || !stated.Present() || taxes[0].Rate.Or0().IsZero() {
		return
	}
	gap, err := taxes[0].Tax.Or0().SubAbs(stated.Or0())
	if err == nil && gap.Less(decimal.One) {
		taxes[0].Tax = stated
	}
}
