package problem

// reason binds an official French reason code (of statuses 200, 206, 207, 208,
// 210, 213, 221 and 501) to its entry of the catalogue. Codes are given in the
// order of the list and stay for ever: add at its end.
type reason struct {
	official                             string
	code                                 string
	messageFR, whatFR, messageEN, whatEN string
}

// KnownReason tells whether official is a reason code of the French life cycle.
func KnownReason(official string) bool { return reasonCode(official) != "" }

// OfReason makes the problem of an official reason code ("MONTANTTOTAL_ERR");
// text is the platform's own, kept as the value. False for a code nobody knows.
func OfReason(official, text string) (Problem, bool) {
	code := reasonCode(official)
	return Problem{Code: code, Severity: Refuse, Rule: official, Value: text}, code != ""
}

func reasonCode(official string) string {
	for _, r := range reasons {
		if r.official == official {
			return r.code
		}
	}
	return ""
}

var reasonEntries = entriesOfReasons()

func entriesOfReasons() []Entry {
	entries := make([]Entry, 0, len(reasons))
	for _, r := range reasons {
		entries = append(entries, Entry{
			Code:      r.code,
			MessageFR: r.messageFR + " (" + r.official + ")", WhatFR: r.whatFR,
			MessageEN: r.messageEN + " (" + r.official + ")", WhatEN: r.whatEN,
		})
	}
	return entries
}

var reasons = []reason{
	{"DOUBLON", "E4101",
		"La facture est un doublon : une facture de même numéro existe déjà.", "N'envoyez pas cette facture à nouveau ; vérifiez laquelle fait foi et, si besoin, émettez une autre facture sous un autre numéro.",
		"The invoice is a duplicate: one with the same number exists already.", "Do not send it again; check which one counts and, if need be, issue another invoice under another number."},
	{"MONTANTTOTAL_ERR", "E4102",
		"Le montant total de la facture est faux.", "Vérifiez que les totaux sont la somme des lignes et de la TVA, corrigez l'export et émettez une facture rectifiée.",
		"The invoice's total is wrong.", "Check that the totals are the sum of lines and VAT, correct the export and issue a corrected invoice."},
	{"CALCUL_ERR", "E4103",
		"Un calcul de la facture est faux (ligne, TVA ou total).", "Vérifiez quantité × prix, la TVA par taux et les totaux, corrigez l'export et émettez une facture rectifiée.",
		"A calculation on the invoice is wrong (line, VAT or total).", "Check quantity × price, the VAT of each rate and the totals, correct the export and issue a corrected invoice."},
	{"TX_TVA_ERR", "E4104",
		"Un taux de TVA de la facture est faux.", "Vérifiez le taux de chaque ligne et émettez un avoir ou une facture rectificative.",
		"A VAT rate on the invoice is wrong.", "Check the rate of each line and issue a credit note or a corrective invoice."},
	{"DEST_INC", "E4105",
		"Le destinataire est inconnu de l'annuaire.", "Vérifiez le SIREN ou SIRET du client et qu'il peut recevoir des factures électroniques.",
		"The recipient is not known to the directory.", "Check the customer's SIREN or SIRET and that they can receive electronic invoices."},
	{"DEST_ERR", "E4106",
		"La facture a été adressée au mauvais destinataire.", "Vérifiez le client, émettez un avoir et une facture au bon destinataire.",
		"The invoice was addressed to the wrong recipient.", "Check the customer, issue a credit note and an invoice to the right recipient."},
	{"ADR_ERR", "E4107",
		"L'adresse électronique ou postale du destinataire est fausse.", "Corrigez l'adresse du client dans l'ERP et envoyez la facture corrigée.",
		"The recipient's electronic or postal address is wrong.", "Correct the customer's address in the ERP and send the corrected invoice."},
	{"SIRET_ERR", "E4108",
		"Le SIRET est faux ou absent.", "Demandez le bon SIRET au client, corrigez-le dans l'ERP et complétez ou rectifiez la facture.",
		"The SIRET is wrong or missing.", "Ask the customer for the right SIRET, correct it in the ERP and complete or correct the invoice."},
	{"CODE_ROUTAGE_ERR", "E4109",
		"Le code de routage (code service) est faux ou absent.", "Demandez le code service au client et mettez-le dans l'export.",
		"The routing code (service code) is wrong or missing.", "Ask the customer for the service code and put it into the export."},
	{"ROUTAGE_ERR", "E4110",
		"La facture n'a pas pu être acheminée.", "Envoyez à nouveau la même facture, sans la changer, ou demandez à la plateforme.",
		"The invoice could not be routed.", "Send the same invoice again, unchanged, or ask the platform."},
	{"NON_TRANSMISE", "E4111",
		"Le destinataire n'a pas de plateforme : la facture ne lui a pas été transmise.", "Remettez-lui un duplicata ; ne l'envoyez pas à nouveau.",
		"The recipient has no platform: the invoice was not transmitted to them.", "Give them a duplicate; do not send it again."},
	{"NON_CONFORME", "E4112",
		"La facture n'est pas conforme (mention légale absente ou fausse).", "Demandez au client ce qui manque, émettez un avoir ou une facture rectificative.",
		"The invoice does not conform (a legal mention is missing or wrong).", "Ask the customer what is missing, issue a credit note or a corrective invoice."},
	{"TRANSAC_INC", "E4113",
		"Le client ne connaît pas cette transaction.", "Rapprochez la facture de la commande avec le client.",
		"The customer does not know this transaction.", "Check the invoice against the order together with the customer."},
	{"EMMET_INC", "E4114",
		"Le client ne connaît pas l'émetteur.", "Prenez contact avec le client ; vérifiez que la facture lui est bien destinée.",
		"The customer does not know the issuer.", "Contact the customer; check that the invoice is meant for them."},
	{"CONTRAT_TERM", "E4115",
		"Le contrat est terminé.", "Vérifiez le contrat avec le client ; émettez un avoir s'il a raison.",
		"The contract has ended.", "Check the contract with the customer; issue a credit note if they are right."},
	{"DOUBLE_FACT", "E4116",
		"La prestation a déjà été facturée.", "Vérifiez ; si c'est le cas, émettez un avoir.",
		"This was invoiced before.", "Check; if so, issue a credit note."},
	{"CMD_ERR", "E4117",
		"Le numéro de commande est faux ou absent.", "Demandez le bon numéro de commande (ou d'engagement) au client et mettez-le dans l'export.",
		"The order number is wrong or missing.", "Ask the customer for the right order (or commitment) number and put it into the export."},
	{"REF_CT_ABSENT", "E4118",
		"La référence du contrat ou du contact manque.", "Demandez la référence au client et mettez-la dans l'export.",
		"The reference of the contract or contact is missing.", "Ask the customer for the reference and put it into the export."},
	{"REF_ERR", "E4119",
		"Une référence de la facture est fausse.", "Vérifiez les références (commande, contrat, facture d'origine) avec le client.",
		"A reference on the invoice is wrong.", "Check the references (order, contract, original invoice) with the customer."},
	{"PU_ERR", "E4120",
		"Un prix unitaire est faux.", "Vérifiez le prix avec le client ; émettez un avoir ou une facture rectificative.",
		"A unit price is wrong.", "Check the price with the customer; issue a credit note or a corrective invoice."},
	{"REM_ERR", "E4121",
		"Une remise est fausse ou absente.", "Vérifiez la remise avec le client ; émettez un avoir ou une facture rectificative.",
		"A discount is wrong or missing.", "Check the discount with the customer; issue a credit note or a corrective invoice."},
	{"QTE_ERR", "E4122",
		"Une quantité est fausse.", "Vérifiez la quantité livrée avec le client ; émettez un avoir ou une facture rectificative.",
		"A quantity is wrong.", "Check the quantity delivered with the customer; issue a credit note or a corrective invoice."},
	{"ART_ERR", "E4123",
		"Un article est faux.", "Vérifiez l'article avec le client ; émettez un avoir ou une facture rectificative.",
		"An item is wrong.", "Check the item with the customer; issue a credit note or a corrective invoice."},
	{"MODPAI_ERR", "E4124",
		"Le mode de paiement est faux.", "Vérifiez le mode de paiement convenu avec le client.",
		"The means of payment is wrong.", "Check the agreed means of payment with the customer."},
	{"QUALITE_ERR", "E4125",
		"Le client conteste la qualité de la marchandise ou de la prestation.", "Prenez contact avec le client.",
		"The customer disputes the quality of the goods or service.", "Contact the customer."},
	{"LIVR_INCOMP", "E4126",
		"La livraison est incomplète.", "Prenez contact avec le client ; complétez la livraison ou émettez un avoir.",
		"The delivery is incomplete.", "Contact the customer; complete the delivery or issue a credit note."},
	{"COORD_BANC_ERR", "E4127",
		"Les coordonnées bancaires sont fausses ou absentes.", "Vérifiez l'IBAN dans l'ERP et communiquez le bon au client.",
		"The bank details are wrong or missing.", "Check the IBAN in the ERP and give the customer the right one."},
	{"JUSTIF_ABS", "E4128",
		"Un justificatif manque.", "Envoyez le justificatif au client ; la facture reste la même.",
		"A supporting document is missing.", "Send the document to the customer; the invoice stays as it is."},
	{"AUTRE", "E4129",
		"Autre motif : « {value} ».", "Lisez le texte et prenez contact avec le client.",
		"Another reason: \"{value}\".", "Read the text and contact the customer."},
	{"RETRAIT_MAN_SERV", "E4130",
		"La facture a été retirée à la demande du service destinataire.", "Prenez contact avec le service destinataire.",
		"The invoice was withdrawn at the request of the receiving service.", "Contact the receiving service."},
	{"ST_CT_NON_DECLAR", "E4131",
		"Le sous-traitant ou cotraitant n'est pas déclaré.", "Faites déclarer le sous-traitant ou cotraitant auprès de l'acheteur public.",
		"The subcontractor or co-contractor is not declared.", "Have the subcontractor or co-contractor declared to the public buyer."},
	{"SUPPR_COMP_AVOIR", "E4132",
		"La facture a été compensée par un avoir.", "Rien à faire si l'avoir est le vôtre ; sinon prenez contact avec l'acheteur public.",
		"The invoice was offset by a credit note.", "Nothing to do if the credit note is yours; otherwise contact the public buyer."},
	{"TRANSF_PMNT_REGIE", "E4133",
		"Le paiement a été transféré à une régie.", "Voyez le paiement avec la régie de l'acheteur public.",
		"The payment was handed to an imprest office.", "See the payment with the public buyer's imprest office."},
	{"CONTACT_ACHTR", "E4134",
		"L'acheteur demande à être contacté.", "Prenez contact avec l'acheteur.",
		"The buyer asks to be contacted.", "Contact the buyer."},
	{"REJ_SEMAN", "E4135",
		"Un contrôle sémantique a échoué : une donnée manque ou n'est pas valable.", "Corrigez la donnée nommée dans le texte de la plateforme. Annulez la facture dans votre comptabilité (avoir interne) et émettez-en une nouvelle, sous un nouveau numéro si la plateforme l'avait prise en charge.",
		"A semantic check failed: a value is missing or not valid.", "Correct the value named in the platform's text. Cancel the invoice in your books (internal credit note) and issue a new one."},
	{"REJ_UNI", "E4136",
		"Un contrôle d'unicité a échoué : ce numéro a déjà servi cette année.", "Émettez la facture sous un numéro qui n'a jamais servi.",
		"A uniqueness check failed: this number was used before this year.", "Issue the invoice under a number that was never used."},
	{"REJ_COH", "E4137",
		"Un contrôle de cohérence a échoué : deux données se contredisent.", "Corrigez les données nommées dans le texte de la plateforme. Annulez la facture dans votre comptabilité (avoir interne) et émettez-en une nouvelle, sous un nouveau numéro si la plateforme l'avait prise en charge.",
		"A consistency check failed: two values contradict each other.", "Correct the values named in the platform's text. Cancel the invoice in your books (internal credit note) and issue a new one."},
	{"REJ_ADR", "E4138",
		"L'adressage a été rejeté : le destinataire n'est pas joignable ainsi.", "Vérifiez le SIREN, le SIRET et le code service du client dans l'annuaire, corrigez et émettez une nouvelle facture.",
		"The addressing was rejected: the recipient cannot be reached that way.", "Check the customer's SIREN, SIRET and service code in the directory, correct them and issue a new invoice."},
	{"REJ_CONT_B2G", "E4139",
		"Chorus Pro a rejeté la facture.", "Vérifiez SIRET, code service et numéro d'engagement de l'acheteur public, corrigez et émettez une nouvelle facture.",
		"Chorus Pro rejected the invoice.", "Check the public buyer's SIRET, service code and commitment number, correct them and issue a new invoice."},
	{"REJ_REF_PJ", "E4140",
		"La référence d'une pièce jointe est fausse.", "Vérifiez les pièces jointes de l'export.",
		"The reference of an attachment is wrong.", "Check the attachments of the export."},
	{"REJ_ASS_PJ", "E4141",
		"Une pièce jointe n'a pas pu être associée à la facture.", "Vérifiez les pièces jointes de l'export.",
		"An attachment could not be matched with the invoice.", "Check the attachments of the export."},
	{"IRR_VIDE_F", "E4142",
		"Le fichier transmis était vide.", "Déposez à nouveau la facture, sous le même numéro.",
		"The file transmitted was empty.", "Drop the invoice again, under the same number."},
	{"IRR_TYPE_F", "E4143",
		"Le type du fichier transmis n'est pas admis.", "Transmettez ce message au support de la plateforme, puis déposez à nouveau la facture sous le même numéro.",
		"The type of the file transmitted is not admitted.", "Pass this message on to the platform's support, then drop the invoice again under the same number."},
	{"IRR_SYNTAX", "E4144",
		"Le fichier transmis a une erreur de syntaxe.", "Transmettez ce message au support de la plateforme, puis déposez à nouveau la facture sous le même numéro.",
		"The file transmitted has a syntax error.", "Pass this message on to the platform's support, then drop the invoice again under the same number."},
	{"IRR_TAILLE_PJ", "E4145",
		"Une pièce jointe est trop grande.", "Réduisez-la et déposez à nouveau la facture sous le même numéro.",
		"An attachment is too large.", "Make it smaller and drop the invoice again under the same number."},
	{"IRR_NOM_PJ", "E4146",
		"Le nom d'une pièce jointe n'est pas admis.", "Renommez-la (lettres, chiffres, tiret) et déposez à nouveau la facture sous le même numéro.",
		"The name of an attachment is not admitted.", "Rename it (letters, digits, hyphen) and drop the invoice again under the same number."},
	{"IRR_VID_PJ", "E4147",
		"Une pièce jointe est vide.", "Remplacez-la et déposez à nouveau la facture sous le même numéro.",
		"An attachment is empty.", "Replace it and drop the invoice again under the same number."},
	{"IRR_EXT_DOC", "E4148",
		"L'extension d'un document n'est pas admise.", "Joignez des PDF, PNG, JPEG, CSV ou XLSX et déposez à nouveau la facture sous le même numéro.",
		"The extension of a document is not admitted.", "Attach PDF, PNG, JPEG, CSV or XLSX and drop the invoice again under the same number."},
	{"IRR_TAILLE_F", "E4149",
		"Le fichier transmis est trop grand.", "Réduisez les pièces jointes et déposez à nouveau la facture sous le même numéro.",
		"The file transmitted is too large.", "Make the attachments smaller and drop the invoice again under the same number."},
	{"IRR_ANTIVIRUS", "E4150",
		"L'antivirus de la plateforme a refusé le fichier.", "Vérifiez les pièces jointes et déposez à nouveau la facture sous le même numéro.",
		"The platform's antivirus refused the file.", "Check the attachments and drop the invoice again under the same number."},
	{"IRR_NOM_F", "E4151",
		"Le nom du fichier transmis n'est pas admis.", "Transmettez ce message au support de la plateforme, puis déposez à nouveau la facture sous le même numéro.",
		"The name of the file transmitted is not admitted.", "Pass this message on to the platform's support, then drop the invoice again under the same number."},
}
