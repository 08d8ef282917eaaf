package inbox

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"einvoice/connector"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
)

// Columns are those of invoice.csv, the file for the ERP's import: UTF-8
// without a mark, ";", a point in amounts, dates as 2026-05-12, RFC 4180
// quoting, one row a line of the invoice (one with empty line columns if it has
// none). Data are exact: nothing is rounded, defused or translated. New columns
// are only ever added at the end.
func Columns() []string {
	return []string{
		"api_id", "received_at", "company", "to_check", "alerts",
		"document_number", "type", "issue_date", "due_date", "currency",
		"supplier_name", "supplier_fiscal_id", "supplier_vat_id",
		"recipient_name", "recipient_fiscal_id", "recipient_vat_id",
		"total_excluding_tax", "total_tax", "total_including_tax", "total_payable",
		"payment_mode", "iban", "bic", "preceding_number", "commitment_number", "service_code",
		"line", "description", "item_code", "quantity", "unit", "unit_price", "line_net",
		"tax_category", "tax_rate",
	}
}

func writeCSV(w io.Writer, r ledger.Received, inv connector.Invoice, found []problem.Problem, loc *time.Location) error {
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = ';', true
	out.Write(Columns())
	head := headColumns(r, inv, found, loc)
	if len(inv.Lines) == 0 {
		out.Write(append(head, make([]string, len(Columns())-len(head))...))
	}
	for i, l := range inv.Lines {
		out.Write(append(head[:len(head):len(head)],
			strconv.Itoa(i+1), l.Description, l.Item, l.Quantity.String(), l.Unit, l.UnitPrice.String(), l.Net.String(),
			l.Category, l.Rate.String()))
	}
	out.Flush()
	return out.Error()
}

func headColumns(r ledger.Received, inv connector.Invoice, found []problem.Problem, loc *time.Location) []string {
	t := inv.Totals
	preceding := ""
	if len(inv.Preceding) > 0 {
		preceding = inv.Preceding[0].Number
	}
	check := "no"
	if r.ToCheck {
		check = "yes"
	}
	return []string{
		r.APIID, r.ReceivedAt.In(loc).Format(time.RFC3339), r.Company, check, codes(found),
		inv.Number, inv.Type, string(inv.IssueDate), string(inv.DueDate), inv.Currency,
		inv.Seller.Name, inv.Seller.FiscalID, inv.Seller.VATID,
		inv.Buyer.Name, inv.Buyer.FiscalID, inv.Buyer.VATID,
		t.Net.String(), t.Tax.String(), t.Gross.String(), t.AmountDue().String(),
		inv.Means, inv.IBAN, inv.BIC, preceding, inv.CommitmentNumber, inv.ServiceCode,
	}
}

func codes(list []problem.Problem) string {
	var all []string
	for _, p := range list {
		all = append(all, p.Code)
	}
	return strings.Join(all, " ")
}
