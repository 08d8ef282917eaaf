package problem

import "strings"

// shownField is a field as the texts about a received invoice name it: they are
// for accountants, who know no dotted names. Other texts keep the name, which
// stands so in a mapping or at the platform.
func (p Problem) shownField(lang Lang) string {
	if !strings.HasPrefix(p.Code, "E59") {
		return p.Field
	}
	words := map[string][2]string{
		"totals.total_amount_excluding_tax": {"le total HT", "the total excluding VAT"},
		"totals.total_tax_amount":           {"le total de la TVA", "the total VAT"},
		"totals.total_amount_including_tax": {"le total TTC", "the total including VAT"},
		"document_number":                   {"le numéro de facture", "the invoice number"},
		"issue_date":                        {"la date de la facture", "the invoice date"},
		"currency":                          {"la devise", "the currency"},
		"sender.fiscal_id":                  {"le SIREN du fournisseur", "the supplier's SIREN"},
		"recipient.fiscal_id":               {"le SIREN du client", "the customer's SIREN"},
		"payment.financial_account":         {"l'IBAN", "the IBAN"},
	}
	w, known := words[p.Field]
	switch {
	case !known:
		return p.Field
	case lang == French:
		return w[0]
	}
	return w[1]
}
