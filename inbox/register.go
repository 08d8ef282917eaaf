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
	var parts [2*len(rates) + 2]total
	for _, x := range inv.Taxes {
		at := 2 * len(rates)
		for i, rate := range rates {
			if x.Rate.Present() && x.Rate.Or0().Cmp(rate) == 0 {
				at = 2 * i
			}
		}
		parts[at].add(x.Taxable)
		parts[at+1].add(x.Tax)
	}
	list := []connector.Amount{t.Net, t.Tax, t.Gross, t.Payable}
	for _, part := range parts {
		list = append(list, part.Amount)
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

// total is a sum of what is present, absent when nothing is.
type total struct {
	connector.Amount
	beyond bool // it needs more than 19 digits: no sum, whatever is added to it
}

func (t *total) add(a connector.Amount) {
	switch {
	case t.beyond || !a.Present():
		return
	case !t.Present():
		t.Amount = a
		return
	}
	x, y := t.Or0(), a.Or0()
	sum, err := x.AddExact(y, max(x.Scale(), y.Scale()))
	if err != nil {
		*t = total{beyond: true}
		return
	}
	t.Amount = connector.AmountOf(sum)
}

// sums are the totals of a register, by currency and class.
type sums struct {
	order []string // currencies, as they came
	of    map[string]*[classes][]total
}

func (s *sums) add(class int, currency string, amounts []connector.Amount) {
	if s.of == nil {
		s.of = map[string]*[classes][]total{}
	}
	if s.of[currency] == nil {
		s.of[currency] = new([classes][]total)
		s.order = append(s.order, currency)
	}
	if s.of[currency][class] == nil {
		s.of[currency][class] = make([]total, len(amounts))
	}
	for i, a := range amounts {
		s.of[currency][class][i].add(a)
	}
}

// rows gives the totals as rows whose amounts stand in the columns from before
// on, the currency in the one before them.
func (s *sums) rows(titles []string, before int, yield func(workbook.Row, error) bool) {
	for _, currency := range s.order {
		for class, totals := range s.of[currency] {
			if totals == nil {
				continue
			}
			cells := make([]any, before, before+len(totals))
			cells[0], cells[before-1] = titles[class], currency
			for _, t := range totals {
				cells = append(cells, t.Amount)
			}
			if !yield(workbook.Row{Cells: cells, Total: true}, nil) {
				return
			}
		}
	}
}
