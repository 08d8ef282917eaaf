package mappers

import (
	"fmt"

	"einvoice/connector"
	"einvoice/connector/problem"

	"github.com/govalues/decimal"
)

// charges makes lines of document charges and discounts, which the API has no
// other way to carry.
func (w *work) charges() {
	items := len(w.res.Invoice.Lines)
	for i := range w.b.m.charges {
		c := &w.b.m.charges[i]
		if c.each == nil {
			w.charge(c, fmt.Sprintf("charge[%d]", i), items)
			continue
		}
		for _, n := range w.doc.head.children(c.each.place) {
			w.s.node = n
			w.charge(c, fmt.Sprintf("charge[%d]", i), items)
		}
		w.s.node = w.doc.head
	}
}

// charge adds the line, or lines, of one charge; items is how many lines are not
// charges themselves.
func (w *work) charge(c *charge, field string, items int) {
	if !w.counts(c.when, field+".when") {
		return
	}
	line := connector.Line{Unit: "C62"}
	description, _, _, bad := c.description.evaluate(&w.s, textKind)
	if bad != nil {
		w.add(problemOf(bad, field+".description", found{}))
	}
	line.Description = description.text
	if c.percent != nil {
		w.share(c, line, field, items)
		return
	}
	amount, ok := w.compute(c.amount, field+".amount")
	if !ok || amount.IsZero() {
		return
	}
	line.Rate = connector.AmountOf(decimal.Zero)
	if v, from, ok, bad := evaluateOptional(c.rate, &w.s, amountKind); bad != nil {
		w.add(problemOf(bad, field+".tax_rate", from))
	} else if ok {
		line.Rate = v.amount
	}
	if v, from, ok, bad := evaluateOptional(c.category, &w.s, codeKind); bad != nil {
		w.add(problemOf(bad, field+".tax_category", from))
	} else if ok {
		line.Category = v.text
	}
	w.addCharge(line, amount, c.amount)
}

func evaluateOptional(r *rule, s *scope, k kind) (value, found, bool, *flaw) {
	if r == nil {
		return value{}, found{}, false, nil
	}
	return r.evaluate(s, k)
}

// share spreads a percentage over the VAT rates of the lines, one line per rate,
// each rounded to the currency's smallest coin.
func (w *work) share(c *charge, line connector.Line, field string, items int) {
	percent, ok := w.compute(c.percent, field+".percent")
	if !ok || percent.IsZero() {
		return
	}
	lines := w.res.Invoice.Lines
	if !c.cascade {
		lines = lines[:items]
	}
	if len(lines) == 0 {
		w.add(problemOf(&flaw{code: codeNoLineForShare}, field+".percent", found{text: line.Description}))
		return
	}
	scale := connector.MinorUnit(w.res.Invoice.Currency)
	groups, err := connector.Breakdown(withNets(lines, scale), scale)
	if err != nil {
		w.overflow(field, err)
		return
	}
	for _, g := range groups {
		amount, err := connector.Percent(g.Taxable.Or0(), percent)
		if err != nil {
			w.overflow(field, err)
			return
		}
		if amount = connector.Round(amount, scale); amount.IsZero() {
			continue
		}
		line.Rate, line.Category = g.Rate, g.Category
		w.addCharge(line, amount, c.percent)
	}
}

// withNets are the lines with the net amounts that Complete would derive.
func withNets(lines []connector.Line, scale int) []connector.Line {
	copied := append([]connector.Line(nil), lines...)
	for i, l := range copied {
		if l.Net.Present() || !l.Quantity.Present() || !l.UnitPrice.Present() {
			continue
		}
		if net, err := l.Quantity.Or0().Mul(l.UnitPrice.Or0()); err == nil {
			copied[i].Net = connector.AmountOf(connector.Round(net, scale))
		}
	}
	return copied
}

// addCharge appends a charge's line. A discount has a negative quantity, since a
// price must not be negative (EN 16931, BR-27).
func (w *work) addCharge(line connector.Line, amount decimal.Decimal, from *expression) {
	amount = amount.Trim(connector.MinorUnit(w.res.Invoice.Currency))
	line.Net = connector.AmountOf(amount)
	line.UnitPrice = connector.AmountOf(amount.Abs())
	line.Quantity = connector.AmountOf(decimal.MustNew(int64(amount.Sign()), 0))
	var at lineOrigin
	if len(from.uses) > 0 {
		text, _ := w.s.text(from.uses[0])
		origin := w.s.origin(from.uses[0], text)
		at.whole = &origin
	}
	w.res.Origins.lines = append(w.res.Origins.lines, at)
	w.res.Invoice.Lines = append(w.res.Invoice.Lines, line)
}

func (w *work) compute(e *expression, field string) (decimal.Decimal, bool) {
	result, err := e.run(&w.s)
	if err != nil {
		w.failed(e, err, field)
		return decimal.Zero, false
	}
	d, err := decimalOf(result)
	return d, err == nil
}

func (w *work) overflow(field string, err error) {
	w.add(problemOf(&flaw{code: codeExpression, args: map[string]string{"reason": err.Error()}}, field, found{}))
}

// credit finds out whether the document is a credit note and makes its amounts
// positive: the type alone says that the money goes back.
func (w *work) credit() {
	inv := &w.res.Invoice
	for i := range inv.Lines {
		signToQuantity(&inv.Lines[i])
	}
	rule := w.b.m.credit
	if rule.when == nil && !rule.negativeTotal && !inv.IsCredit() {
		return // an invoice, whatever it comes to
	}
	sum := decimal.Zero
	for _, l := range withNets(inv.Lines, connector.MinorUnit(inv.Currency)) {
		sum, _ = sum.Add(l.Net.Or0())
	}
	asCredit := rule.when != nil && w.counts(rule.when, "credit.when") || rule.negativeTotal && sum.IsNeg()
	if asCredit && !inv.IsCredit() {
		inv.Type = "381"
	}
	if !inv.IsCredit() {
		return
	}
	if sum.IsNeg() {
		for i := range inv.Lines {
			inv.Lines[i].Quantity = negate(inv.Lines[i].Quantity)
			inv.Lines[i].Net = negate(inv.Lines[i].Net)
		}
		for i := range inv.Taxes {
			inv.Taxes[i].Taxable, inv.Taxes[i].Tax = negate(inv.Taxes[i].Taxable), negate(inv.Taxes[i].Tax)
		}
	}
	t := &inv.Totals
	for _, a := range []*connector.Amount{&t.Net, &t.Tax, &t.Gross, &t.Prepaid, &t.Payable} {
		if a.Or0().IsNeg() && !sum.IsZero() {
			*a = negate(*a)
		}
	}
}

// signToQuantity makes a negative price positive and its quantity negative.
func signToQuantity(l *connector.Line) {
	if l.UnitPrice.Or0().IsNeg() && l.Quantity.Present() {
		l.UnitPrice, l.Quantity = negate(l.UnitPrice), negate(l.Quantity)
	}
}

func negate(a connector.Amount) connector.Amount {
	if !a.Present() {
		return a
	}
	return connector.AmountOf(a.Or0().Neg())
}

// check compares stated totals with those of the lines. Within the tolerance the
// lines win, so that the invoice agrees with itself.
func (w *work) check() {
	rule := w.b.m.check
	if rule == nil {
		return
	}
	derived := w.res.Invoice
	derived.Totals = connector.Totals{Prepaid: derived.Totals.Prepaid}
	derived.Lines = append([]connector.Line(nil), derived.Lines...)
	if err := derived.Complete(); err != nil {
		w.overflow("invoice_lines", err)
		return
	}
	stated := &w.res.Invoice.Totals
	for _, pair := range []struct {
		field  string
		stated *connector.Amount
		lines  connector.Amount
	}{
		{"total_amount_excluding_tax", &stated.Net, derived.Totals.Net},
		{"total_tax_amount", &stated.Tax, derived.Totals.Tax},
		{"total_amount_including_tax", &stated.Gross, derived.Totals.Gross},
		{"total_payable_amount", &stated.Payable, derived.Totals.Payable},
	} {
		if !pair.stated.Present() || pair.stated.Equal(pair.lines) {
			continue
		}
		gap, err := pair.stated.Or0().SubAbs(pair.lines.Or0())
		if err == nil && gap.Cmp(rule.within(derived.Currency)) <= 0 {
			*pair.stated = pair.lines
			continue
		}
		w.mismatch(pair.field, *pair.stated, pair.lines)
	}
}

// within is the tolerance in a currency: 2 coins are 0.02 EUR, and 2 XOF.
func (c *check) within(currency string) decimal.Decimal {
	if c.coins == 0 {
		return c.tolerance
	}
	return decimal.MustNew(c.coins, connector.MinorUnit(currency))
}

func (w *work) mismatch(field string, stated, lines connector.Amount) {
	p := problemOf(&flaw{code: codeTotals, expected: lines.String()}, field, found{text: stated.String(), origin: w.originOf(field), placed: true})
	if w.b.m.check.warn {
		p.Severity = problem.Warn
	}
	w.add(p)
}

// roundNets rounds the stated net amounts of lines to the currency's smallest
// coin: some ERPs export what they compute and not what they print. A total such
// as 123.4 of a workbook or 88.16000000 of EBP gets the decimals that people write.
func (w *work) roundNets() {
	scale := connector.MinorUnit(w.res.Invoice.Currency)
	for i := range w.res.Invoice.Lines {
		if net := &w.res.Invoice.Lines[i].Net; net.Or0().Scale() > scale {
			*net = connector.AmountOf(connector.Round(net.Or0(), scale))
		}
	}
	t := &w.res.Invoice.Totals
	for _, total := range [...]*connector.Amount{&t.Net, &t.Tax, &t.Gross, &t.Payable} {
		if d, ok := total.Get(); ok && d.Scale() != scale {
			*total = connector.AmountOf(d.Trim(scale).Pad(scale))
		}
	}
}
