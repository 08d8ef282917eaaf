package sandbox

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/govalues/decimal"
)

// check verifies a posted invoice. Blank and missing fields always refuse;
// doubts (totals, check digits, keys) refuse only a strict sandbox's client,
// because the page's own samples have them all.
func (s *Sandbox) check(p posted, strict bool) (invoice, reply, bool) {
	if missing := p.blank(); missing != "" {
		return invoice{}, invalid("%s: This value should not be blank.", missing), false
	}
	if _, err := time.Parse(time.DateOnly, p.IssueDate); err != nil {
		return invoice{}, invalid("issue_date: This value is not a valid date."), false
	}
	inv, err := normalise(p)
	if err != nil {
		return invoice{}, invalid("%v", err), false
	}
	if !strict && s.quiet {
		return inv, reply{}, true // nobody would hear of them
	}
	list := doubts(p, inv)
	if missing := s.know(p.Recipient.FiscalID).lacks(p); missing != "" {
		list = append(list, missing+": this public body demands it.")
	}
	for _, doubt := range list {
		if strict {
			return invoice{}, invalid("%s", doubt), false
		}
		s.opt.Log("sandbox: invoice %s accepted although %s", p.Number, doubt)
	}
	return inv, reply{}, true
}

func invalid(format string, args ...any) reply {
	return fail(http.StatusUnprocessableEntity, 422, "Validation Error: "+format, args...)
}

// blank names the first required field that is missing.
func (p posted) blank() string {
	for _, field := range []struct{ name, value string }{
		{"document_number", p.Number}, {"issue_date", p.IssueDate}, {"currency", p.Currency},
		{"sender.name", p.Sender.Name}, {"sender.fiscal_id", p.Sender.FiscalID}, {"recipient.name", p.Recipient.Name},
	} {
		if strings.TrimSpace(field.value) == "" {
			return field.name
		}
	}
	if p.Gross == nil {
		return "total_amount_including_tax"
	}
	if len(p.Lines) == 0 {
		return "invoice_lines"
	}
	for i, l := range p.Lines {
		if name := l.blank(); name != "" {
			return fmt.Sprintf("invoice_lines[%d].%s", i, name)
		}
	}
	return ""
}

func (l postedLine) blank() string {
	switch {
	case strings.TrimSpace(l.Description) == "":
		return "description"
	case l.Quantity == nil:
		return "quantity"
	case l.UnitPrice == nil:
		return "unit_price"
	case l.Rate == nil:
		return "tax_rate"
	}
	return ""
}

// doubts are the contradictions in an invoice.
func doubts(p posted, inv invoice) []string {
	var list []string
	add := func(wrong bool, format string, args ...any) {
		if wrong {
			list = append(list, fmt.Sprintf(format, args...))
		}
	}
	for role, who := range map[string]postedParty{"sender": p.Sender, "recipient": p.Recipient} {
		id := digits(who.FiscalID)
		add(id != "" && !validFiscalID(id), "%s.fiscal_id: %s is neither a SIREN nor a SIRET.", role, who.FiscalID)
		add(frenchVATKeyWrong(who.VATID), "%s.vat_id: the key of %s is wrong.", role, who.VATID)
	}
	add(p.Recipient.FiscalID == "" && p.Recipient.VATID == "", "recipient.fiscal_id: This value should not be blank.")
	add(len(p.Currency) != 3, "currency: %s is not an ISO 4217 code.", p.Currency)
	for _, m := range p.Payment {
		add(m.Account != nil && !validIBAN(*m.Account), "payment_means.financial_account: the IBAN's check digits are wrong.")
	}
	list = append(list, p.unknown()...)
	list = append(list, p.oddities(inv)...)
	diff, tolerance := differs(inv)
	add(diff.Cmp(tolerance) > 0, "total_amount_including_tax: %s stated, but the lines give %s more or less.", inv.Gross, diff)
	return list
}

// unknown are the doubts about words of a list and about what cannot be read.
func (p posted) unknown() []string {
	var list []string
	switch p.kind() {
	case "380", "389", "393", "501", "386", "500", "384", "471", "472", "473", "261", "262", "381", "396", "502", "503":
	default:
		list = append(list, "type: "+p.Type+" is not a type of invoice.")
	}
	for i, l := range p.Lines {
		switch categoryCode(l.Category, l.Rate.or0()) {
		case "S", "Z", "E", "AE", "K", "G", "O":
		default:
			list = append(list, fmt.Sprintf("invoice_lines[%d].tax_category: %s is not a category of VAT.", i, l.Category))
		}
	}
	for i, a := range p.Attached {
		if _, err := base64.StdEncoding.DecodeString(a.Document); err != nil {
			list = append(list, fmt.Sprintf("attachments[%d].document: this value is not base64.", i))
		}
	}
	return list
}

// oddities are the doubts about what is stated beside the total: the number,
// the dates, line by line, rate by rate.
func (p posted) oddities(inv invoice) []string {
	var list []string
	if len(p.Number) > 35 || strings.Trim(p.Number, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-_/") != "" {
		list = append(list, "document_number: 35 characters at most of A-Z a-z 0-9 + - _ /")
	}
	for _, m := range p.Payment {
		if m.DueDate != nil && *m.DueDate < p.IssueDate {
			list = append(list, "payment_means.due_date: "+*m.DueDate+" is before the issue date.")
		}
	}
	scale := coin(inv.Currency)
	for i, l := range p.Lines {
		l.Net = nil
		derived, err := l.complete(scale)
		if err == nil && apart(derived.Net, inv.Lines[i].Net, 2, scale) {
			list = append(list, fmt.Sprintf("invoice_lines[%d].total_net_amount: %s stated, but quantity and price give %s.", i, inv.Lines[i].Net, derived.Net))
		}
	}
	fromLines := inv
	fromLines.Subtotals = nil
	if fromLines.breakDown(scale) != nil || len(p.Subtotals) == 0 {
		return list
	}
	for _, want := range fromLines.Subtotals {
		var got *subtotal
		for i, s := range inv.Subtotals {
			if s.Rate.Equal(want.Rate.Decimal) && categoryCode(s.Category, s.Rate.Decimal) == categoryCode(want.Category, want.Rate.Decimal) {
				got = &inv.Subtotals[i]
			}
		}
		if got == nil || apart(got.Taxable, want.Taxable, 0, scale) || apart(got.Tax, want.Tax, int64(len(p.Lines)), scale) {
			list = append(list, fmt.Sprintf("tax_subtotals: at %s %% the lines give %s and VAT %s.", want.Rate, want.Taxable, want.Tax))
		}
	}
	if len(inv.Subtotals) > len(fromLines.Subtotals) {
		list = append(list, "tax_subtotals: more rates than the lines have.")
	}
	return list
}

// apart tells whether two amounts differ by more than some coins.
func apart(a, b number, coins int64, scale int) bool {
	diff, err := a.SubAbs(b.Decimal)
	return err == nil && diff.Cmp(decimal.MustNew(coins, scale)) > 0
}

// differs is how far the stated total is from net and tax, and a cent per line,
// which is what rounding can explain.
func differs(inv invoice) (diff, tolerance decimal.Decimal) {
	tolerance = decimal.MustNew(int64(len(inv.Lines)), coin(inv.Currency))
	sum, err := inv.Net.Add(inv.Tax.Decimal)
	if err != nil {
		return decimal.Zero, tolerance
	}
	if diff, err = sum.SubAbs(inv.Gross.Decimal); err != nil {
		return decimal.Zero, tolerance
	}
	return diff, tolerance
}

// digits strips blanks and dots, which people write into identifiers.
func digits(id string) string {
	if numeric(id) {
		return id
	}
	if !strings.ContainsAny(id, " .\u00a0\u202f") {
		return id
	}
	return strings.NewReplacer(" ", "", ".", "", "\u00a0", "", "\u202f", "").Replace(id)
}

// siren is the first nine digits of a SIREN or SIRET, else the id as it is.
func siren(fiscalID string) string {
	id := digits(fiscalID)
	if len(id) == 14 && numeric(id) {
		return id[:9]
	}
	return id
}

func numeric(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// plausibleFiscalID is what the platform can tell without a check digit.
func plausibleFiscalID(id string) bool {
	return numeric(id) && (len(id) == 9 || len(id) == 14)
}

func validFiscalID(id string) bool {
	return plausibleFiscalID(id) && luhn(id[:9]) && (len(id) == 9 || luhn(id) || strings.HasPrefix(id, "356000000"))
}

func luhn(id string) bool {
	sum := 0
	for i := range len(id) {
		d := int(id[len(id)-1-i] - '0')
		if i%2 == 1 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return sum%10 == 0
}

// vatID is the French VAT id that belongs to a SIREN.
func vatID(siren string) string { return fmt.Sprintf("FR%02d%s", (12+3*mod97(siren))%97, siren) }

func frenchVATKeyWrong(id string) bool {
	id = strings.ToUpper(digits(id))
	return strings.HasPrefix(id, "FR") && len(id) == 13 && numeric(id[2:]) && id != vatID(id[4:])
}

// validIBAN checks ISO 13616's remainder.
func validIBAN(iban string) bool {
	iban = strings.ToUpper(digits(iban))
	if len(iban) < 15 || len(iban) > 34 {
		return false
	}
	var b strings.Builder
	for _, c := range iban[4:] + iban[:4] {
		switch {
		case c >= '0' && c <= '9':
			b.WriteRune(c)
		case c >= 'A' && c <= 'Z':
			fmt.Fprint(&b, int(c-'A')+10)
		default:
			return false
		}
	}
	return mod97(b.String()) == 1
}

func mod97(s string) int {
	m := 0
	for _, c := range s {
		m = (m*10 + int(c-'0')) % 97
	}
	return m
}
