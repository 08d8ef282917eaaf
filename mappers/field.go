package mappers

import (
	"strings"

	"einvoice/connector"
)

// kind is the type of a target field; it decides how a text is read.
type kind int

const (
	textKind   kind = iota
	numberKind      // a document number: text, but never a float
	codeKind        // upper case, without spaces around
	fiscalKind      // SIREN or SIRET
	idKind          // VAT number, IBAN, BIC
	dateKind
	amountKind
	flagKind
)

// value is a text read as the type of its target.
type value struct {
	text   string
	amount connector.Amount
	flag   bool
}

func (v value) date() connector.Date { return connector.Date(v.text) }

// field is a place in a T that a mapping can fill.
type field[T any] struct {
	kind kind
	set  func(*T, value)
}

// headFields are the names that [invoice.fields] may use.
func headFields() map[string]field[connector.Invoice] {
	type inv = connector.Invoice
	fields := map[string]field[inv]{
		"document_number":            {numberKind, func(i *inv, v value) { i.Number = v.text }},
		"type":                       {codeKind, func(i *inv, v value) { i.Type = v.text }},
		"issue_date":                 {dateKind, func(i *inv, v value) { i.IssueDate = v.date() }},
		"due_date":                   {dateKind, func(i *inv, v value) { i.DueDate = v.date() }},
		"currency":                   {codeKind, func(i *inv, v value) { i.Currency = v.text }},
		"total_amount_excluding_tax": {amountKind, func(i *inv, v value) { i.Totals.Net = v.amount }},
		"total_tax_amount":           {amountKind, func(i *inv, v value) { i.Totals.Tax = v.amount }},
		"total_amount_including_tax": {amountKind, func(i *inv, v value) { i.Totals.Gross = v.amount }},
		"prepaid_amount":             {amountKind, func(i *inv, v value) { i.Totals.Prepaid = v.amount }},
		"rounding_amount":            {amountKind, func(i *inv, v value) { i.Totals.Rounded = v.amount }},
		"total_payable_amount":       {amountKind, func(i *inv, v value) { i.Totals.Payable = v.amount }},
		"payment_mode":               {textKind, func(i *inv, v value) { i.Payment.Means = v.text }},
		"financial_account":          {idKind, func(i *inv, v value) { i.Payment.IBAN = v.text }},
		"bic":                        {idKind, func(i *inv, v value) { i.Payment.BIC = v.text }},
		"payment_terms":              {textKind, func(i *inv, v value) { i.Payment.Terms = v.text }},
		"billing_frame":              {codeKind, func(i *inv, v value) { i.Payment.Frame = v.text }},
		"delivery_date":              {dateKind, func(i *inv, v value) { i.Payment.Deliver = v.date() }},
		"chorus_pro_service_code":    {textKind, func(i *inv, v value) { i.Buying.ServiceCode = v.text }},
		"commitment_number":          {textKind, func(i *inv, v value) { i.Buying.CommitmentNumber = v.text }},
		"recipient_public":           {flagKind, func(i *inv, v value) { i.Buying.PublicBuyer = v.flag }},
		"preceding_invoice":          {numberKind, func(i *inv, v value) { preceding(i).Number = v.text }},
		"preceding_invoice_date":     {dateKind, func(i *inv, v value) { preceding(i).Date = v.date() }},
		"notes":                      {textKind, func(i *inv, v value) { i.Notes = append(i.Notes, v.text) }},
		"erp_key":                    {textKind, func(i *inv, v value) { i.ERPKey = v.text }},
	}
	addParty(fields, "sender", func(i *inv) *connector.Party { return &i.Seller })
	addParty(fields, "recipient", func(i *inv) *connector.Party { return &i.Buyer })
	return fields
}

func addParty(fields map[string]field[connector.Invoice], name string, of func(*connector.Invoice) *connector.Party) {
	add := func(part string, k kind, at func(*connector.Party) *string) {
		fields[name+"."+part] = field[connector.Invoice]{k, func(i *connector.Invoice, v value) { *at(of(i)) = v.text }}
	}
	type party = connector.Party
	add("name", textKind, func(p *party) *string { return &p.Name })
	add("fiscal_id", fiscalKind, func(p *party) *string { return &p.FiscalID })
	add("vat_id", idKind, func(p *party) *string { return &p.VATID })
	add("email", textKind, func(p *party) *string { return &p.Email })
	add("address.street_address", textKind, func(p *party) *string { return &p.Address.Street })
	add("address.zip_code", numberKind, func(p *party) *string { return &p.Address.ZIP })
	add("address.city", textKind, func(p *party) *string { return &p.Address.City })
	add("address.country", codeKind, func(p *party) *string { return &p.Address.Country })
}

func preceding(i *connector.Invoice) *connector.Ref {
	if len(i.Preceding) == 0 {
		i.Preceding = make([]connector.Ref, 1)
	}
	return &i.Preceding[0]
}

// lineFields are the names that [lines.fields] may use.
func lineFields() map[string]field[connector.Line] {
	type line = connector.Line
	return map[string]field[line]{
		"description":      {textKind, func(l *line, v value) { l.Description = v.text }},
		"item_code":        {textKind, func(l *line, v value) { l.Item = v.text }},
		"quantity":         {amountKind, func(l *line, v value) { l.Quantity = v.amount }},
		"unit_of_measure":  {textKind, func(l *line, v value) { l.Unit = v.text }},
		"unit_price":       {amountKind, func(l *line, v value) { l.UnitPrice = v.amount }},
		"total_net_amount": {amountKind, func(l *line, v value) { l.Net = v.amount }},
		"tax_category":     {codeKind, func(l *line, v value) { l.Category = v.text }},
		"tax_rate":         {amountKind, func(l *line, v value) { l.Rate = v.amount }},
		"exemption_reason": {textKind, func(l *line, v value) { l.Exemption = v.text }},
	}
}

// sheetErrors are the words that spreadsheets put where a formula failed.
func sheetError(s string) bool {
	if !strings.HasPrefix(s, "#") {
		return false
	}
	switch strings.TrimRight(strings.ToUpper(s), "!?") {
	case "#N/A", "#REF", "#VALUE", "#VALEUR", "#NAME", "#NOM", "#DIV/0", "#NUM", "#NOMBRE", "#NULL", "#NUL":
		return true
	}
	return false
}

// parse reads a text as the kind says. A flaw that comes with a usable value is
// only worth a warning.
func (k kind) parse(text string, numbers numberFormat, dates *dateFormats) (v value, bad *flaw) {
	if sheetError(text) {
		return v, &flaw{code: codeSheetError}
	}
	switch k {
	case dateKind:
		var day connector.Date
		day, bad = dates.parse(text)
		v.text = string(day)
	case amountKind:
		v.amount, bad = numbers.parse(text)
	case flagKind:
		v.flag, bad = parseFlag(text)
	case fiscalKind:
		v.text, bad = parseFiscalID(text)
	case idKind:
		v.text, bad = parseIdentifier(text)
	case numberKind:
		v.text = strings.TrimPrefix(text, "'")
		if isScientific(text) && strings.ContainsAny(text, "+,.") {
			bad = &flaw{code: codeFloatID}
		}
	case codeKind:
		v.text = strings.ToUpper(text)
	default:
		v.text = text
		if strings.Contains(text, "\ufffd") {
			bad = &flaw{code: codeLostCharacter}
		}
	}
	return v, bad
}

// onlyWarns tells whether a flaw leaves a usable value.
func (f *flaw) onlyWarns() bool { return f.code == codeLostZero || f.code == codeLostCharacter }
