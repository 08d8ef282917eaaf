package rules

import (
	"fmt"

	"github.com/govalues/decimal"

	"einvoice/connector"
)

// maxWhole bounds the digits before the decimal point of an amount: with
// decimals and a VAT rate, all stays within the 19 digits that are computed
// exactly.
const maxWhole = 12

// sheet is the invoice under check with what several rules need of it.
type sheet struct {
	inv       *connector.Invoice
	ctx       Context
	scale     int // decimals of the currency's smallest coin
	looseZero bool
	guessed   bool // only its SIREN says that the recipient is public
	lineSum   decimal.Decimal
	taxSum    decimal.Decimal
	groups    []group
	tooLarge  bool // an amount, product or sum cannot be computed exactly
}

// group is what lines and breakdown say about one VAT category and rate.
type group struct {
	category string
	rate     decimal.Decimal
	lines    int             // number of them
	sum      decimal.Decimal // of their net amounts
	stated   int             // entries of the breakdown
	first    int             // index of the first of them
	taxable  decimal.Decimal // sum of their taxable amounts
}

func newSheet(inv *connector.Invoice, ctx Context) *sheet {
	s := &sheet{inv: inv, ctx: ctx, scale: connector.MinorUnit(inv.Currency)}
	s.looseZero = unsaidAtZero(inv)
	s.guessed = s.guessedPublic()
	for i := range inv.Lines {
		l := &inv.Lines[i]
		g := s.group(l.Category, l.Rate.Or0())
		g.lines++
		g.sum = s.add(g.sum, l.Net)
		s.lineSum = s.add(s.lineSum, l.Net)
	}
	for i := range inv.Taxes {
		t := &inv.Taxes[i]
		g := s.group(t.Category, t.Rate.Or0())
		if g.stated++; g.stated == 1 {
			g.first = i
		}
		g.taxable = s.add(g.taxable, t.Taxable)
		s.taxSum = s.add(s.taxSum, t.Tax)
	}
	s.tooLarge = s.tooLarge || anyTooLong(inv)
	return s
}

// unsaidAtZero tells whether a line or breakdown entry at 0 % names no category.
// Categories at 0 % then cannot be told apart and count as one.
func unsaidAtZero(inv *connector.Invoice) bool {
	for i := range inv.Lines {
		if inv.Lines[i].Category == "" && inv.Lines[i].Rate.Or0().IsZero() {
			return true
		}
	}
	for i := range inv.Taxes {
		if inv.Taxes[i].Category == "" && inv.Taxes[i].Rate.Or0().IsZero() {
			return true
		}
	}
	return false
}

// category is the one meant: exports rarely name the standard one.
func (s *sheet) category(stated string, rate decimal.Decimal) string {
	switch {
	case rate.IsZero() && s.looseZero:
		return ""
	case stated == "":
		return "S"
	}
	return stated
}

// group finds or adds the group of a category and rate. Invoices have few, so
// that a linear search beats a map.
func (s *sheet) group(category string, rate decimal.Decimal) *group {
	category = s.category(category, rate)
	for i := range s.groups {
		if g := &s.groups[i]; g.category == category && g.rate.Equal(rate) {
			return g
		}
	}
	s.groups = append(s.groups, group{category: category, rate: rate})
	return &s.groups[len(s.groups)-1]
}

// add adds exactly to the smallest coin, or notes that it cannot: the decimal
// library would round beyond 19 digits without a word.
func (s *sheet) add(sum decimal.Decimal, a connector.Amount) decimal.Decimal {
	next, err := sum.AddExact(a.Or0(), s.scale)
	if err != nil {
		s.tooLarge = true
		return sum
	}
	return next
}

// round rounds to the currency's smallest coin.
func (s *sheet) round(d decimal.Decimal) decimal.Decimal { return connector.Round(d, s.scale) }

// coins is an amount of n smallest coins.
func (s *sheet) coins(n int64) decimal.Decimal { return decimal.MustNew(n, s.scale) }

// anyTooLong finds an amount, or a product of a line, with too many digits
// before the point.
func anyTooLong(inv *connector.Invoice) bool {
	for i := range inv.Lines {
		l := &inv.Lines[i]
		// A product has as many digits as its factors together, or one less.
		if whole(l.Quantity)+whole(l.UnitPrice) > maxWhole+1 || whole(l.Net) > maxWhole || whole(l.Rate) > maxWhole {
			return true
		}
	}
	for i := range inv.Taxes {
		if t := &inv.Taxes[i]; max(whole(t.Rate), whole(t.Taxable), whole(t.Tax)) > maxWhole {
			return true
		}
	}
	t := &inv.Totals
	return max(whole(t.Net), whole(t.Tax), whole(t.Gross), whole(t.Prepaid), whole(t.Rounded), whole(t.Payable)) > maxWhole
}

// whole counts the digits before the point.
func whole(a connector.Amount) int { return max(0, a.Or0().Prec()-a.Or0().Scale()) }

// lineField names a field of the line with index i, counted from 0.
func lineField(i int, name string) string { return fmt.Sprintf("invoice_lines[%d].%s", i, name) }

// attachedField names a field of an attachment, counted from 0.
func attachedField(i int, name string) string { return fmt.Sprintf("attachments[%d].%s", i, name) }

// taxField names a field of an entry of the VAT breakdown, counted from 0.
func taxField(i int, name string) string { return fmt.Sprintf("tax_subtotals[%d].%s", i, name) }
