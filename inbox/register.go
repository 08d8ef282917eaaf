package inbox

import (
	"context"
	"fmt"
	"strings"

	"github.com/govalues/decimal"

	"einvoice/connector"
	"einvoice/connector/ledger"
	"einvoice/connector/workbook"
)

// rates are the French rates that have columns of their own in a register; what
// bears another one, or none, shares the columns after them.
var rates = [...]decimal.Decimal{decimal.MustNew(20, 0), decimal.MustNew(10, 0), decimal.MustNew(55, 1), decimal.MustNew(21, 1)}

// classes of a row: what may be booked, and what a person must look at first.
// Totals never mix them.
const (
	classFine = iota
	classTwice
	classCheck
	classes
)

// received is the register of what a company received in a month: one row per
// invoice, credit notes negative, totals by class and currency below.
func (in *Inbox) received(ctx context.Context, m month) workbook.Table {
	w := wordsOf(in.opt.Lang)
	return workbook.Table{
		Name: m.month, Columns: w.registerColumns(), Decimal: w.decimal,
		Rows: func(yield func(workbook.Row, error) bool) {
			sums := sums{}
			for r, err := range in.opt.Ledger.ReceivedOfMonth(ctx, m.company, m.month, in.opt.Location) {
				if err == nil && r.Head.Number == "" {
					r.Head, err = in.head(r)
				}
				if err != nil {
					yield(workbook.Row{}, fmt.Errorf("list supplier invoices of %s: %w", m.month, err))
					return
				}
				class, amounts := classOf(r), amountsOf(&r.Head)
				sums.add(class, r.Currency, amounts)
				if !yield(workbook.Row{Cells: in.registerRow(w, r, class, amounts)}, nil) {
					return
				}
			}
			sums.rows(w.totals[:], len(w.beforeAmounts), yield)
		},
	}
}

// head reads the original again where the ledger keeps no head: it is older.
func (in *Inbox) head(r ledger.Received) (connector.Invoice, error) {
	_, inv, err := in.original(r)
	return inv, err
}

func (in *Inbox) registerRow(w words, r ledger.Received, class int, amounts []connector.Amount) []any {
	kind := w.invoice
	if r.Head.IsCredit() {
		kind = w.creditNote
	}
	var why []string
	for _, p := range r.Alerts {
		why = append(why, p.Message(in.opt.Lang))
	}
	cells := []any{
		r.ReceivedAt.In(in.opt.Location), r.Supplier, r.Head.Seller.SIREN(), r.Head.Seller.VATID, r.Number, kind,
		r.IssueDate, r.Head.DueDate, r.Currency,
	}
	for _, a := range amounts {
		cells = append(cells, a)
	}
	return append(cells, r.IBAN, r.Head.CommitmentNumber, w.classes[class], strings.Join(why, " "), workbook.Link{Path: r.Folder}, r.APIID)
}

// classOf tells what a row counts as; what a person released is as any other.
func classOf(r ledger.Received) int {
	if r.ToCheck {
		return classCheck
	}
	if !r.ReleasedAt.IsZero() {
		return classFine
	}
	for _, p := range r.Alerts {
		if p.Code == codeAgain {
			return classTwice
		}
	}
	return classFine
}

// amountsOf are the columns of amounts: without VAT, VAT, with VAT, to be paid,
// then base and VAT of each rate and of all others. Those of a credit note are
// negative, however its supplier wrote them.
func amountsOf(inv *connector.Invoice) []connector.Amount {
	t := inv.Totals
	list := append([]connector.Amount{t.Net, t.Tax, t.Gross, t.Payable}, make([]connector.Amount, 2*len(rates)+2)...)
	for _, x := range inv.Taxes {
		at := 4 + 2*len(rates)
		for i, rate := range rates {
			if x.Rate.Present() && x.Rate.Or0().Cmp(rate) == 0 {
				at = 4 + 2*i
			}
		}
		list[at], list[at+1] = plus(list[at], x.Taxable), plus(list[at+1], x.Tax)
	}
	sign := inv.IsCredit() && !t.Gross.Or0().IsNeg()
	for i, a := range list {
		d, ok := a.Get()
		if !ok {
			continue
		}
		if sign && !d.IsZero() {
			d = d.Neg()
		}
		list[i] = connector.AmountOf(d.Pad(connector.MinorUnit(inv.Currency)))
	}
	return list
}

// plus adds what is present. A sum beyond 19 digits is no invoice: it is left out.
func plus(a, b connector.Amount) connector.Amount {
	switch {
	case !b.Present():
		return a
	case !a.Present():
		return b
	}
	sum, err := a.Or0().Add(b.Or0())
	if err != nil {
		return connector.Amount{}
	}
	return connector.AmountOf(sum)
}

// sums are the totals of a register, by currency and class.
type sums struct {
	order []string // currencies, as they came
	of    map[string]*[classes][]connector.Amount
}

func (s *sums) add(class int, currency string, amounts []connector.Amount) {
	if s.of == nil {
		s.of = map[string]*[classes][]connector.Amount{}
	}
	if s.of[currency] == nil {
		s.of[currency] = new([classes][]connector.Amount)
		s.order = append(s.order, currency)
	}
	total := s.of[currency][class]
	if total == nil {
		total = make([]connector.Amount, len(amounts))
	}
	for i, a := range amounts {
		total[i] = plus(total[i], a)
	}
	s.of[currency][class] = total
}

// rows gives the totals as rows whose amounts stand in the columns from before
// on, the currency in the one before them.
func (s *sums) rows(titles []string, before int, yield func(workbook.Row, error) bool) {
	for _, currency := range s.order {
		for class, total := range s.of[currency] {
			if total == nil {
				continue
			}
			cells := make([]any, before, before+len(total))
			cells[0], cells[before-1] = titles[class], currency
			for _, a := range total {
				cells = append(cells, a)
			}
			if !yield(workbook.Row{Cells: cells, Total: true}, nil) {
				return
			}
		}
	}
}
