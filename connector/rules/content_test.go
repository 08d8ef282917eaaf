package rules

import (
	"strings"
	"testing"
	"time"

	"einvoice/connector"
)

func contentCases() map[string][]situation {
	due := func(d connector.Date) change { return inv(func(i *connector.Invoice) { i.DueDate = d }) }
	number := func(n string) change { return inv(func(i *connector.Invoice) { i.Number = n }) }
	refers := func(refs ...connector.Ref) change { return inv(func(i *connector.Invoice) { i.Preceding = refs }) }
	credit := func(f func(*connector.Invoice)) change {
		return inv(func(i *connector.Invoice) { i.Type = "381"; f(i) })
	}
	long := strings.Repeat("7", 36)
	return map[string][]situation{
		"E3201": {
			{name: "30 February", before: inv(func(i *connector.Invoice) { i.IssueDate = "2026-02-30" }), field: "issue_date", value: "2026-02-30"},
			{name: "of the invoice referred to", before: refers(connector.Ref{Number: "1", Date: "2026-13-01"}), field: "preceding_invoice_date", value: "2026-13-01"},
			{name: "29 February of a leap year", before: inv(func(i *connector.Invoice) { i.IssueDate = "2024-02-29" })},
			{name: "no due date", before: due("")},
		},
		"E3202": {
			{name: "a two-digit year", before: due("0026-12-02"), field: "due_date", value: "0026-12-02"},
			{name: "next century", before: due("2100-01-01"), field: "due_date", value: "2100-01-01"},
			{name: "its last day", before: due("2099-12-31")},
		},
		"E3203": {
			{name: "the day before", before: due("2026-11-01"), field: "due_date", value: "2026-11-01", expect: ">= 2026-11-02"},
			{name: "the same day", before: due("2026-11-02")},
			{name: "a deposit", before: inv(func(i *connector.Invoice) { i.Type, i.DueDate = "386", "2026-11-01" })},
			{name: "already paid", before: inv(func(i *connector.Invoice) { i.Frame, i.DueDate = "S2", "2026-11-01" })},
		},
		"E3204": {
			{name: "tomorrow", before: inv(func(i *connector.Invoice) { i.IssueDate = "2026-11-23" }), field: "issue_date", value: "2026-11-23", expect: "<= 2026-11-22"},
			{name: "today", before: inv(func(i *connector.Invoice) { i.IssueDate = "2026-11-22" })},
		},
		"E3301": {
			{name: "a sign", before: inv(func(i *connector.Invoice) { i.Currency = "€" }), field: "currency", value: "€", expect: "EUR"},
			{name: "a dollar", before: inv(func(i *connector.Invoice) { i.Currency = "USD" })},
		},
		"E3302": {
			{name: "a name", before: inv(func(i *connector.Invoice) { i.Buyer.Address.Country = "France" }), field: "recipient.address.country", value: "France", expect: "FR"},
			{name: "a code", before: inv(func(i *connector.Invoice) { i.Seller.Address.Country = "RE" })},
		},
		"E3303": {
			{name: "European but not French", before: inv(func(i *connector.Invoice) { i.Type = "325" }), field: "type", value: "325", expect: "380, 381, 384, 386"},
			{name: "none", before: inv(func(i *connector.Invoice) { i.Type = "" })},
		},
		"E3304": {
			{name: "a word", before: line(func(l *connector.Line) { l.Unit = "Pièce" }), field: "invoice_lines[0].unit_of_measure", value: "Pièce", expect: "C62"},
			{name: "an hour", before: line(func(l *connector.Line) { l.Unit = "HUR" })},
		},
		"E3305": {
			{name: "the API's word", before: line(func(l *connector.Line) { l.Category = "standard" }), field: "invoice_lines[0].tax_category", value: "standard", expect: "S, Z, E, AE, K, G, O"},
			{name: "only in the breakdown", after: inv(func(i *connector.Invoice) { i.Taxes[0].Category = "L" }), field: "tax_subtotals[0].tax_category", value: "L", expect: "S, Z, E, AE, K, G, O"},
			{name: "none", before: line(func(l *connector.Line) { l.Category = "" })},
		},
		"E3306": {
			{name: "unknown", before: inv(func(i *connector.Invoice) { i.Frame = "A1" }), field: "billing_frame", value: "A1", expect: "B1, S1, M1"},
			{name: "services", before: inv(func(i *connector.Invoice) { i.Frame = "S1" })},
		},
		"E3307": {
			{name: "a Word file", before: inv(func(i *connector.Invoice) { i.Attached = []connector.Attachment{{MIME: "application/msword"}} }),
				field: "attachments[0].mime_type", value: "application/msword", expect: "application/pdf, image/png, image/jpeg, text/csv, XLSX, ODS"},
			{name: "a PDF", before: inv(func(i *connector.Invoice) { i.Attached = []connector.Attachment{{MIME: "application/pdf"}} })},
		},
		"E3401": {
			{name: "36 characters", before: number(long), field: "document_number", value: long},
			{name: "of the invoice referred to", before: refers(connector.Ref{Number: "1"}, connector.Ref{Number: long}), field: "preceding[1].number", value: long},
			{name: "35 characters", before: number(long[1:])},
		},
		"E3402": {
			{name: "a space and an accent", before: number("Été 2026/1"), field: "document_number", value: "Été 2026/1"},
			{name: "all that is allowed", before: number("aZ09+-_/")},
		},
		"E3601": {
			{name: "a negative price", before: line(func(l *connector.Line) { l.UnitPrice = am("-25.50") }), field: "invoice_lines[0].unit_price", value: "-25.50"},
			{name: "a negative quantity", before: line(func(l *connector.Line) { l.Quantity = am("-2") })},
		},
		"E3602": {
			{name: "three decimals", before: line(func(l *connector.Line) { l.Net = am("51.001") }), field: "invoice_lines[0].total_net_amount", value: "51.001", expect: "51.00"},
			{name: "trailing zeros", before: line(func(l *connector.Line) { l.Net = am("51.0000") })},
			{name: "three decimals of a dinar", before: inv(func(i *connector.Invoice) { i.Currency, i.Lines[0].Net = "TND", am("51.001") })},
			{name: "parts of a franc that has none", before: inv(func(i *connector.Invoice) {
				i.Currency, i.Lines[0].UnitPrice, i.Totals.Net = "XPF", am("2550"), am("5100.40")
			}), field: "total_amount_excluding_tax", value: "5100.40", expect: "5100"},
		},
		"E3603": {
			{name: "five decimals", before: line(func(l *connector.Line) { l.Quantity = am("2.00001") }), field: "invoice_lines[0].quantity", value: "2.00001", expect: "2.0000"},
			{name: "four decimals", before: line(func(l *connector.Line) { l.Quantity = am("2.0001") })},
		},
		"E3604": {
			{name: "seven decimals", before: line(func(l *connector.Line) { l.UnitPrice = am("25.5000001") }), field: "invoice_lines[0].unit_price", value: "25.5000001", expect: "25.500000"},
			{name: "six decimals", before: line(func(l *connector.Line) { l.UnitPrice = am("25.500001") })},
		},
		"E3605": {
			{name: "three decimals", before: line(func(l *connector.Line) { l.Rate = am("20.001") }), field: "invoice_lines[0].tax_rate", value: "20.001", expect: "20.00"},
			{name: "trailing zeros", before: line(func(l *connector.Line) { l.Rate = am("20.0000") })},
		},
		"E3606": {
			{name: "a negative credit note", before: credit(func(i *connector.Invoice) { i.Lines[0].Quantity = am("-2") }), field: "total_amount_including_tax", value: "-61.20", expect: "61.20"},
			{name: "a negative invoice", before: line(func(l *connector.Line) { l.Quantity = am("-2") })},
		},
	}
}

func TestAHugeInvoiceDoesNotFillTheMemoryWithComplaints(t *testing.T) {
	ps := check(t, nothing, inv(func(i *connector.Invoice) {
		for range 5000 {
			i.Lines = append(i.Lines, connector.Line{Quantity: am("1"), UnitPrice: am("1"), Rate: am("20"), Net: am("1"), Category: "S"})
		}
	}))
	if n := len(withCode(ps, "E3011")); n != maxFindings {
		t.Errorf("got %d, want %d", n, maxFindings)
	}
}

func TestYearsAreThoseOfTheCalendar(t *testing.T) {
	first := time.Date(1999, 12, 1, 0, 0, 0, 0, time.UTC)
	for n := range 366 * 102 {
		d := connector.DateOf(first.AddDate(0, 0, n))
		if year(d) != d.Year() {
			t.Fatalf("%s: got %d", d, year(d))
		}
	}
	for _, d := range []connector.Date{"", "2026-02-29", "2100-02-29", "2026-04-31", "2026-13-01", "2026-00-10", "2026-01-00", "2026-1-01",
		"2026/01/01", "20 6-01-01", "2026-01-0x", "2026-01-011", "+026-01-01"} {
		if year(d) != 0 || d.Year() != 0 {
			t.Errorf("%s: got %d, the calendar says %d", d, year(d), d.Year())
		}
	}
}
