package api

import (
	"fmt"
	"strings"

	"einvoice/connector"
	"einvoice/connector/problem"
)

// NotCarried warns of every value of inv that the API has no field for
// (FIELDS.md): the recipient will not see it. One warning a field, however many
// lines have it.
func NotCarried(inv connector.Invoice) []problem.Problem {
	var out []problem.Problem
	warn := func(field, bt, value string) {
		if value != "" {
			out = append(out, problem.Problem{Code: codeNotCarried, Severity: problem.Warn, Invoice: inv.Number, Field: field, BT: bt, Value: value})
		}
	}
	for i, ref := range inv.Preceding {
		warn(fmt.Sprintf("preceding[%d].number", i), "BT-25", ref.Number)
		warn(fmt.Sprintf("preceding[%d].date", i), "BT-26", string(ref.Date))
	}
	warn("notes", "BT-22", strings.Join(inv.Notes, " / "))
	warn("payment.payment_terms", "BT-20", inv.Terms)
	warn("payment.bic", "BT-86", inv.BIC)
	warn("payment.billing_frame", "BT-23", inv.Frame)
	warn("payment.delivery_date", "BT-72", string(inv.Deliver))
	if !inv.Totals.Prepaid.Or0().IsZero() {
		warn("totals.prepaid_amount", "BT-113", inv.Totals.Prepaid.String())
	}
	if !inv.Totals.Rounded.Or0().IsZero() {
		warn("totals.rounding_amount", "BT-114", inv.Totals.Rounded.String())
	}
	// The payable amount goes as the amount of the payment means, where there is one.
	if p := inv.Totals.Payable; p.Present() && !p.Equal(inv.Totals.Gross) && !saysHowToPay(&inv) {
		warn("totals.total_payable_amount", "BT-115", p.String())
	}
	warnLine(inv, warn, "item_code", "BT-155", func(l connector.Line) string { return l.Item })
	warnLine(inv, warn, "exemption_reason", "BT-120", func(l connector.Line) string { return l.Exemption })
	return out
}

// warnLine warns at the first line that has the field.
func warnLine(inv connector.Invoice, warn func(field, bt, value string), name, bt string, of func(connector.Line) string) {
	for i, l := range inv.Lines {
		if v := of(l); v != "" {
			warn(fmt.Sprintf("invoice_lines[%d].%s", i, name), bt, v)
			return
		}
	}
}
