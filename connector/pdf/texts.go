package pdf

import "einvoice/connector/problem"

// copyMark says in both languages what the page is.
const copyMark = "COPIE LISIBLE / READABLE COPY"

// texts are the page's own words in one language.
type texts struct {
	french                                                  bool
	lang, thousands, decimal, percentSign                   string
	page, original, received, colon                         string
	issued, due, delivered, currency                        string
	commitment, service, preceding, frame                   string
	seller, buyer, vatID                                    string
	columns                                                 [7]string
	item, more                                              string
	vat, base, tax                                          string
	net, vatTotal, gross, prepaid, rounded, payable, refund string
	payment, means, terms, iban, bic, remarks, attaching    string
}

func textsIn(lang problem.Lang) texts {
	if lang == problem.French {
		return frenchTexts()
	}
	return englishTexts()
}

func frenchTexts() texts {
	return texts{
		french: true, lang: "fr-FR", thousands: "\u00a0", decimal: ",", percentSign: "\u00a0%",
		page: "Page", original: "L'original est le document électronique.", received: "Reçu le", colon: "\u00a0: ",
		issued: "Date d'émission", due: "Échéance", delivered: "Date de livraison", currency: "Devise",
		commitment: "N° d'engagement", service: "Code service", preceding: "Facture d'origine", frame: "Cadre de facturation",
		seller: "FOURNISSEUR", buyer: "CLIENT", vatID: "TVA",
		columns: [7]string{"N°", "Désignation", "Quantité", "Unité", "Prix unitaire HT", "TVA", "Montant HT"},
		item:    "Réf. ", more: "La suite des lignes se trouve dans le document électronique.",
		vat: "Détail de la TVA", base: "Base HT", tax: "Montant TVA",
		net: "Total HT", vatTotal: "Total TVA", gross: "Total TTC", prepaid: "Déjà payé", rounded: "Arrondi", payable: "Net à payer", refund: "Montant à votre crédit",
		payment: "Paiement", means: "Mode de paiement", terms: "Conditions", iban: "IBAN", bic: "BIC", remarks: "Mentions", attaching: "Pièces jointes",
	}
}

func englishTexts() texts {
	return texts{
		lang: "en-GB", thousands: ",", decimal: ".", percentSign: "%",
		page: "Page", original: "The original is the electronic document.", received: "Received on", colon: ": ",
		issued: "Issue date", due: "Due date", delivered: "Delivery date", currency: "Currency",
		commitment: "Commitment no.", service: "Service code", preceding: "Original invoice", frame: "Billing frame",
		seller: "SUPPLIER", buyer: "CUSTOMER", vatID: "VAT",
		columns: [7]string{"No.", "Description", "Quantity", "Unit", "Unit price", "VAT", "Net amount"},
		item:    "Ref. ", more: "The remaining lines are in the electronic document.",
		vat: "VAT breakdown", base: "Taxable amount", tax: "VAT amount",
		net: "Total excl. VAT", vatTotal: "Total VAT", gross: "Total incl. VAT", prepaid: "Already paid", rounded: "Rounding", payable: "Amount due", refund: "Amount credited to you",
		payment: "Payment", means: "Means of payment", terms: "Terms", iban: "IBAN", bic: "BIC", remarks: "Notes", attaching: "Attachments",
	}
}

// pick is the text of the page's language.
func (t texts) pick(fr, en string) string {
	if t.french {
		return fr
	}
	return en
}

// title names the document's type (UNCL 1001).
func (s *sheet) title() string {
	t := s.t
	switch s.inv.Type {
	case "384", "471", "472", "473":
		return t.pick("Facture rectificative", "Corrective invoice")
	case "386", "500":
		return t.pick("Facture d'acompte", "Prepayment invoice")
	case "389", "501":
		return t.pick("Autofacture", "Self-billed invoice")
	case "393":
		return t.pick("Facture affacturée", "Factored invoice")
	case "261":
		return t.pick("Avoir (autofacture)", "Self-billed credit note")
	case "262":
		return t.pick("Avoir pour remise globale", "Consolidated credit note")
	case "503":
		return t.pick("Avoir sur acompte", "Prepayment credit note")
	}
	if s.inv.IsCredit() {
		return t.pick("Avoir", "Credit note")
	}
	return t.pick("Facture", "Invoice")
}

// unit names the commonest units of UN/ECE Rec 20; others show their code.
func (t texts) unit(code string) string {
	switch code {
	case "C62", "EA":
		return t.pick("unité", "unit")
	case "H87":
		return t.pick("pièce", "piece")
	case "HUR":
		return "h"
	case "DAY":
		return t.pick("jour", "day")
	case "MON":
		return t.pick("mois", "month")
	case "KGM":
		return "kg"
	case "TNE":
		return "t"
	case "MTR":
		return "m"
	case "MTK":
		return "m²"
	case "MTQ":
		return "m³"
	case "LTR":
		return "l"
	case "KWH":
		return "kWh"
	case "LS":
		return t.pick("forfait", "lump sum")
	}
	return code
}

// paying names the commonest payment means of UNCL 4461; others show as they came.
func (t texts) paying(means string) string {
	switch means {
	case "10":
		return t.pick("Espèces", "Cash")
	case "20":
		return t.pick("Chèque", "Cheque")
	case "30", "42", "58", "sepa_credit_transfer", "credit_transfer": // the last two are the API's words
		return t.pick("Virement", "Credit transfer")
	case "48":
		return t.pick("Carte bancaire", "Bank card")
	case "49", "59":
		return t.pick("Prélèvement", "Direct debit")
	case "97":
		return t.pick("Compensation", "Clearing")
	}
	return means
}
