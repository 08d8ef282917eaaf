package inbox

import (
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"einvoice/connector"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
	"einvoice/connector/results"
)

// csvLine is what a row of invoice.csv is made of.
type csvLine struct {
	ledger.Received
	inv   *connector.Invoice
	found []problem.Problem
	at    time.Time
	n     int             // 0: an invoice without lines
	line  *connector.Line // never nil
}

// csvColumn is a column that invoice.csv may have.
type csvColumn struct {
	name  string
	about string // for the manual
	value func(csvLine) string

	figure bool // an amount: gets the decimal sign of the settings
	ofLine bool
}

// csvColumns are all columns, in the order that they have unless the settings
// choose others. Names are part of the interface with the ERP: they never change
// and are not translated; new ones are only ever added at the end.
func csvColumns() []csvColumn {
	amounts := []string{"total_excluding_tax", "total_tax", "total_including_tax", "total_payable", "quantity", "unit_price", "line_net", "tax_rate"}
	all := headColumns()
	for _, c := range lineColumns() {
		c.ofLine = true
		all = append(all, c)
	}
	all = append(all, addedColumns()...)
	for i := range all {
		all[i].figure = slices.Contains(amounts, all[i].name)
	}
	return all
}

func headColumns() []csvColumn {
	return []csvColumn{
		{name: "api_id", about: "the platform's id", value: func(l csvLine) string { return l.APIID }},
		{name: "received_at", about: "when it was fetched, RFC 3339", value: func(l csvLine) string { return l.at.Format(time.RFC3339) }},
		{name: "company", about: "key of the company that received it", value: func(l csvLine) string { return l.Company }},
		{name: "to_check", about: "yes or no: a person must look first", value: func(l csvLine) string { return yesNo(l.ToCheck) }},
		{name: "alerts", about: "codes of what is remarkable, blanks between", value: func(l csvLine) string { return codes(l.found) }},
		{name: "document_number", about: "BT-1", value: func(l csvLine) string { return l.inv.Number }},
		{name: "type", about: "BT-3: 380 invoice, 381 credit note", value: func(l csvLine) string { return l.inv.Type }},
		{name: "issue_date", about: "BT-2", value: func(l csvLine) string { return string(l.inv.IssueDate) }},
		{name: "due_date", about: "BT-9", value: func(l csvLine) string { return string(l.inv.DueDate) }},
		{name: "currency", about: "BT-5", value: func(l csvLine) string { return l.inv.Currency }},
		{name: "supplier_name", about: "BT-27", value: func(l csvLine) string { return l.inv.Seller.Name }},
		{name: "supplier_fiscal_id", about: "BT-30, SIREN or SIRET", value: func(l csvLine) string { return l.inv.Seller.FiscalID }},
		{name: "supplier_vat_id", about: "BT-31", value: func(l csvLine) string { return l.inv.Seller.VATID }},
		{name: "recipient_name", about: "BT-44", value: func(l csvLine) string { return l.inv.Buyer.Name }},
		{name: "recipient_fiscal_id", about: "BT-47", value: func(l csvLine) string { return l.inv.Buyer.FiscalID }},
		{name: "recipient_vat_id", about: "BT-48", value: func(l csvLine) string { return l.inv.Buyer.VATID }},
		{name: "total_excluding_tax", about: "BT-109", value: func(l csvLine) string { return l.inv.Totals.Net.String() }},
		{name: "total_tax", about: "BT-110", value: func(l csvLine) string { return l.inv.Totals.Tax.String() }},
		{name: "total_including_tax", about: "BT-112", value: func(l csvLine) string { return l.inv.Totals.Gross.String() }},
		{name: "total_payable", about: "BT-115", value: func(l csvLine) string { return l.inv.Totals.AmountDue().String() }},
		{name: "payment_mode", about: "BT-81", value: func(l csvLine) string { return l.inv.Means }},
		{name: "iban", about: "BT-84", value: func(l csvLine) string { return l.inv.IBAN }},
		{name: "bic", about: "BT-86", value: func(l csvLine) string { return l.inv.BIC }},
		{name: "preceding_number", about: "BT-25, of the first preceding invoice", value: func(l csvLine) string { return preceding(l.inv) }},
		{name: "commitment_number", about: "BT-13", value: func(l csvLine) string { return l.inv.CommitmentNumber }},
		{name: "service_code", about: "BT-10", value: func(l csvLine) string { return l.inv.ServiceCode }},
	}
}

func lineColumns() []csvColumn {
	return []csvColumn{
		{name: "line", about: "1, 2, 3 ...; empty for an invoice without lines", value: func(l csvLine) string { return ordinal(l.n) }},
		{name: "description", about: "BT-153", value: func(l csvLine) string { return l.line.Description }},
		{name: "item_code", about: "BT-155", value: func(l csvLine) string { return l.line.Item }},
		{name: "quantity", about: "BT-129", value: func(l csvLine) string { return l.line.Quantity.String() }},
		{name: "unit", about: "BT-130", value: func(l csvLine) string { return l.line.Unit }},
		{name: "unit_price", about: "BT-146", value: func(l csvLine) string { return l.line.UnitPrice.String() }},
		{name: "line_net", about: "BT-131", value: func(l csvLine) string { return l.line.Net.String() }},
		{name: "tax_category", about: "BT-151", value: func(l csvLine) string { return l.line.Category }},
		{name: "tax_rate", about: "BT-152", value: func(l csvLine) string { return l.line.Rate.String() }},
	}
}

// addedColumns came later: they stand at the end.
func addedColumns() []csvColumn {
	return []csvColumn{
		{name: "supplier_siren", about: "nine digits, the start of BT-30", value: func(l csvLine) string { return l.inv.Seller.SIREN() }},
		{name: "supplier_street", about: "BT-35", value: func(l csvLine) string { return l.inv.Seller.Address.Street }},
		{name: "supplier_zip", about: "BT-38", value: func(l csvLine) string { return l.inv.Seller.Address.ZIP }},
		{name: "supplier_city", about: "BT-37", value: func(l csvLine) string { return l.inv.Seller.Address.City }},
		{name: "supplier_country", about: "BT-40", value: func(l csvLine) string { return l.inv.Seller.Address.Country }},
		{name: "payment_terms", about: "BT-20", value: func(l csvLine) string { return l.inv.Terms }},
	}
}

// Columns are the names of all columns of invoice.csv, the file for the ERP's
// import: UTF-8 without a mark, a point in amounts and dates as 2026-05-12
// unless the settings say otherwise, RFC 4180 quoting, one row a line of the
// invoice. Data are exact: nothing is rounded, defused or translated.
func Columns() (names []string) {
	for _, c := range csvColumns() {
		names = append(names, c.name)
	}
	return names
}

// chosen are the columns of the settings; none means all.
func (c CSVConfig) chosen() []csvColumn {
	all := csvColumns()
	if len(c.Columns) == 0 {
		return all
	}
	var list []csvColumn
	for _, name := range c.Columns {
		if i := slices.IndexFunc(all, func(c csvColumn) bool { return c.name == name }); i >= 0 {
			list = append(list, all[i])
		}
	}
	return list
}

// write writes the file: one row per line of the invoice, or one in all where
// no column of lines is chosen.
func (c CSVConfig) write(w io.Writer, r ledger.Received, inv connector.Invoice, found []problem.Problem, loc *time.Location) error {
	columns := c.chosen()
	out := results.NewRows(w, c.dialect())
	row := make([]string, len(columns))
	put := func(l csvLine) {
		for i, col := range columns {
			row[i] = col.value(l)
			if col.figure {
				row[i] = c.dialect().Figure(row[i])
			}
		}
		out.Row(row...)
	}
	if c.Header {
		for i, col := range columns {
			row[i] = col.name
		}
		out.Row(row...)
	}
	one := csvLine{Received: r, inv: &inv, found: found, at: r.ReceivedAt.In(loc), line: &connector.Line{}}
	if len(inv.Lines) == 0 || !c.perLine() {
		put(one)
		return out.Flush()
	}
	for i := range inv.Lines {
		one.n, one.line = i+1, &inv.Lines[i]
		put(one)
	}
	return out.Flush()
}

// perLine tells whether a column of lines is among those chosen.
func (c CSVConfig) perLine() bool {
	return slices.ContainsFunc(c.chosen(), func(col csvColumn) bool { return col.ofLine })
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func ordinal(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func preceding(inv *connector.Invoice) string {
	if len(inv.Preceding) == 0 {
		return ""
	}
	return inv.Preceding[0].Number
}

func codes(list []problem.Problem) string {
	var all []string
	for _, p := range list {
		all = append(all, p.Code)
	}
	return strings.Join(all, " ")
}
