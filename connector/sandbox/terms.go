package sandbox

import (
	"strings"

	"github.com/govalues/decimal"

	"einvoice/connector/cii"
)

// categoryCode is the code of EN 16931 for the page's word.
func categoryCode(word string, rate decimal.Decimal) string {
	switch strings.ToLower(word) {
	case "standard":
		if rate.IsZero() {
			return "Z"
		}
		return "S"
	case "zero_rated":
		return "Z"
	case "exempt":
		return "E"
	case "reverse_charge":
		return "AE"
	case "intra_community":
		return "K"
	case "export":
		return "G"
	case "outside_scope":
		return "O"
	case "":
		return categoryCode("standard", rate)
	}
	return strings.ToUpper(word)
}

// exemption is the reason that the rules want for a category. The API carries
// none, so it is the general one.
func exemption(category string) (reason, code string) {
	switch category {
	case "E":
		return "Opération exonérée de TVA, article 132 de la directive 2006/112/CE", "VATEX-EU-132"
	case "AE":
		return "Autoliquidation de la TVA par le preneur", "VATEX-EU-AE"
	case "K":
		return "Livraison intracommunautaire exonérée, article 262 ter I du CGI", "VATEX-EU-IC"
	case "G":
		return "Exportation exonérée, article 262 I du CGI", "VATEX-EU-G"
	case "O":
		return "Opération hors du champ d'application de la TVA", "VATEX-EU-O"
	}
	return "", ""
}

// setPayment takes the first means: the rules want the IBAN of a transfer, so
// that one without it is "not defined".
func setPayment(d *cii.Document, inv invoice) {
	for _, m := range inv.Payment {
		if m.DueDate != nil && d.DueDate.IsZero() {
			d.DueDate = dayOf(*m.DueDate)
		}
		if m.Account != nil && d.IBAN == "" {
			d.IBAN = strings.ToUpper(digits(*m.Account))
		}
		if m.Mode != nil && d.Means == "" {
			d.Means = meansCode(*m.Mode)
		}
	}
	switch {
	case d.IBAN == "" && (d.Means == "30" || d.Means == "58"):
		d.Means = "1"
	case d.IBAN != "" && d.Means == "":
		d.Means = "58"
	}
}

func meansCode(word string) string {
	switch strings.ToLower(word) {
	case "sepa_credit_transfer":
		return "58"
	case "credit_transfer":
		return "30"
	case "sepa_direct_debit":
		return "59"
	case "direct_debit":
		return "49"
	case "cheque", "check":
		return "20"
	case "cash":
		return "10"
	case "card", "credit_card":
		return "48"
	}
	if numeric(word) && len(word) <= 2 {
		return word
	}
	return "1"
}
