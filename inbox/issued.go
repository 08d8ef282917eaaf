package inbox

import (
	"context"
	"fmt"
	"time"

	"einvoice/connector"
	"einvoice/connector/ledger"
	"einvoice/connector/results"
	"einvoice/connector/workbook"
)

// issued is the workbook of what a company sent, or meant to send, in a month
// of its exports, and where each invoice stands.
func (in *Inbox) issued(ctx context.Context, m month) workbook.Table {
	w := wordsOf(in.opt.Lang)
	return workbook.Table{
		Name: m.month, Columns: columns(w.issuedColumns...), Decimal: w.decimal,
		Rows: func(yield func(workbook.Row, error) bool) {
			from, err := time.ParseInLocation(monthLayout, m.month, in.opt.Location)
			if err != nil {
				yield(workbook.Row{}, fmt.Errorf("read month %q: %w", m.month, err))
				return
			}
			sums := sums{}
			for i, err := range in.opt.Ledger.IssuedLines(ctx, m.company, from, from.AddDate(0, 1, 0)) {
				if err != nil {
					yield(workbook.Row{}, err)
					return
				}
				amount := signed(i)
				if i.State == ledger.Sent {
					sums.add(classFine, i.Currency, []connector.Amount{amount})
				}
				if !yield(workbook.Row{Cells: in.issuedRow(i, amount)}, nil) {
					return
				}
			}
			sums.rows([]string{w.sentTotal, "", ""}, 5, yield)
		},
	}
}

// signed is an invoice's total, to be added up: a credit note's is negative.
func signed(i ledger.IssuedLine) connector.Amount {
	d, ok := i.Gross.Get()
	if !ok {
		return i.Gross
	}
	if i.Credit && !d.IsNeg() && !d.IsZero() {
		d = d.Neg()
	}
	return connector.AmountOf(d.Pad(connector.MinorUnit(i.Currency)))
}

func (in *Inbox) issuedRow(i ledger.IssuedLine, amount connector.Amount) []any {
	label, since, reason, what := in.standing(i)
	return []any{
		i.Key.Number, i.IssueDate, i.Buyer, i.BuyerSIREN, i.Currency, amount,
		label, since.In(in.opt.Location), reason, what, i.SourceFile, i.Row, i.APIID,
	}
}

// standing tells in plain words where an invoice stands: at the platform, or
// with us if it is not there.
func (in *Inbox) standing(i ledger.IssuedLine) (label string, since time.Time, reason, what string) {
	lang := in.opt.Lang
	since = i.CreatedAt
	if len(i.Problems) > 0 && i.State != ledger.Sent {
		p := i.Cause()
		reason, what = p.Message(lang), p.Remedy(lang)
	}
	if i.State != ledger.Sent {
		return wordsOf(lang).state(i.State), since, reason, what
	}
	since = i.SentAt
	if !i.Status.At.IsZero() {
		since = i.Status.At
	}
	reason = i.Status.Reason
	if reason == "" {
		reason = i.Status.ReasonCode
	}
	return results.Label(i.Status, lang), since, reason, results.WhatToDo(i.Status, lang)
}
