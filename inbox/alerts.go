package inbox

import (
	"strings"
	"unicode"

	"github.com/govalues/decimal"

	"einvoice/connector"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
)

// Codes of what is remarkable about a supplier invoice (problem/received.go).
const (
	codeAgain      = "E5901" // same supplier and number as an earlier one
	codeIBAN       = "E5902" // an IBAN that the supplier never used
	codeTotals     = "E5903" // totals disagree
	codeNotOurs    = "E5904" // recipient is none of our companies
	codeQuarantine = "E5905" // attachments set apart
	codeNoPDF      = "E5906" // our readable copy could not be made
	codePDF        = "E5907" // the data disagree with those inside the supplier's PDF
)

// cent is what a platform may move a total by when it rounds.
var cent = decimal.MustNew(1, 2)

// alerts says what a person should know. What is of severity Hold goes to the
// folder to check, and must not be booked unseen. Amounts are compared, never
// mended: what was received is delivered as it is.
func alerts(inv *connector.Invoice, companies []connector.Company, prior []ledger.Received) (list []problem.Problem) {
	add := func(code string, severity problem.Severity, field, value, expected string, args map[string]string) {
		list = append(list, problem.Problem{Code: code, Severity: severity, Invoice: inv.Number,
			Field: field, Value: value, Expected: expected, Args: args})
	}
	if p, ok := earlier(inv, prior); ok {
		folder := p.Folder
		if folder == "" {
			folder = "–" // both came together, and the first is not delivered yet
		}
		add(codeAgain, problem.Warn, "document_number", inv.Number, "", map[string]string{
			"first_folder": folder, "first_id": p.APIID,
		})
	}
	if known, changed := otherIBAN(inv, prior); changed {
		add(codeIBAN, problem.Warn, "payment.financial_account", inv.IBAN, known, nil)
	}
	if field, stated, computed, ok := reconcile(inv); !ok {
		add(codeTotals, problem.Hold, field, stated, computed, nil)
	}
	if !ours(inv.Buyer, companies) {
		add(codeNotOurs, problem.Hold, "recipient", strings.TrimSpace(inv.Buyer.Name+" "+inv.Buyer.FiscalID), "", nil)
	}
	return append(list, compare(inv)...)
}

func held(list []problem.Problem) bool {
	for _, p := range list {
		if p.Severity == problem.Hold {
			return true
		}
	}
	return false
}

// earlier finds a document with the same number in the same year: a supplier
// may use a number again in another one.
func earlier(inv *connector.Invoice, prior []ledger.Received) (ledger.Received, bool) {
	number := squeezed(inv.Number)
	for _, p := range prior {
		if number != "" && squeezed(p.Number) == number && p.IssueDate.Year() == inv.IssueDate.Year() {
			return p, true
		}
	}
	return ledger.Received{}, false
}

// otherIBAN tells whether the supplier was paid on other accounts only, and
// gives the last of them. A first IBAN is no change.
func otherIBAN(inv *connector.Invoice, prior []ledger.Received) (known string, changed bool) {
	iban := squeezed(inv.IBAN)
	for _, p := range prior {
		switch before := squeezed(p.IBAN); {
		case before == "" || iban == "":
		case before == iban:
			return "", false
		case known == "":
			known = p.IBAN
		}
	}
	return known, known != ""
}

// squeezed leaves letters and digits, in upper case.
func squeezed(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToUpper(r)
	}, s)
}

func ours(p connector.Party, companies []connector.Company) bool {
	for _, c := range companies {
		if is(p, c) {
			return true
		}
	}
	return false
}

// reconcile compares the totals with their parts, wherever both are stated.
func reconcile(inv *connector.Invoice) (field, stated, computed string, ok bool) {
	t := inv.Totals
	lines, whole := sum(inv.Lines, func(l connector.Line) connector.Amount { return l.Net })
	if whole && differ(t.Net, lines) {
		return "totals.total_amount_excluding_tax", t.Net.String(), lines.String(), false
	}
	taxes, whole := sum(inv.Taxes, func(x connector.Tax) connector.Amount { return x.Tax })
	if whole && differ(t.Tax, taxes) {
		return "totals.total_tax_amount", t.Tax.String(), taxes.String(), false
	}
	if t.Net.Present() && t.Tax.Present() {
		gross, err := t.Net.Or0().Add(t.Tax.Or0())
		if err != nil || differ(t.Gross, gross) {
			return "totals.total_amount_including_tax", t.Gross.String(), gross.String(), false
		}
	}
	return "", "", "", true
}

// sum adds amounts up; whole is false when there is none, or one is missing.
func sum[T any](list []T, amount func(T) connector.Amount) (total decimal.Decimal, whole bool) {
	for _, x := range list {
		a := amount(x)
		next, err := total.Add(a.Or0())
		if err != nil || !a.Present() {
			return total, false
		}
		total = next
	}
	return total, len(list) > 0
}

func differ(stated connector.Amount, computed decimal.Decimal) bool {
	if !stated.Present() {
		return false
	}
	gap, err := stated.Or0().SubAbs(computed)
	return err != nil || gap.Cmp(cent) > 0
}
