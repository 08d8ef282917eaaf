package problem

// safetyEntries, E53xx, are what the safety holds ask a person about.
var safetyEntries = []Entry{
	{
		Code:      "E5301",
		MessageFR: "Premières factures de la société « {company} » : relisez-les avant qu'elles partent.",
		WhatFR:    "Comparez quelques factures avec l'ERP (client, TVA, totaux). Si tout est juste, libérez le fichier (« einvoice release FICHIER », ou la colonne _liberer de la copie dans le dossier à vérifier) ; les suivants partiront seuls. Sinon, corrigez le modèle de lecture et redéposez.",
		MessageEN: "First invoices of company \"{company}\": look at them before they go.",
		WhatEN:    "Compare some invoices with the ERP (buyer, VAT, totals). If all is right, release the file (\"einvoice release FILE\", or column _release of the copy in the to-check folder); those after it go by themselves. Otherwise mend the mapping and drop the file again.",
	}, {
		Code:      "E5302",
		MessageFR: "Premières factures lues avec le modèle « {value} » : relisez-les avant qu'elles partent.",
		WhatFR:    "Comparez quelques factures avec l'ERP (client, TVA, totaux). Si tout est juste, libérez le fichier (« einvoice release FICHIER », ou la colonne _liberer de la copie dans le dossier à vérifier) ; les suivants partiront seuls. Sinon, corrigez le modèle et redéposez.",
		MessageEN: "First invoices read with mapping \"{value}\": look at them before they go.",
		WhatEN:    "Compare some invoices with the ERP (buyer, VAT, totals). If all is right, release the file (\"einvoice release FILE\", or column _release of the copy in the to-check folder); those after it go by themselves. Otherwise mend the mapping and drop the file again.",
	}, {
		Code:      "E5303",
		MessageFR: "Aucune ligne de la facture {invoice} ne porte de TVA : tous les taux sont à zéro.",
		WhatFR:    "Est-ce voulu (exonération, autoliquidation, franchise) ? Alors libérez la facture ; si c'est l'usage de cette société, ajoutez « {company} » à zero_vat_usual dans [safety]. Sinon, corrigez les taux et redéposez.",
		MessageEN: "No line of invoice {invoice} has VAT: every rate is zero.",
		WhatEN:    "Is that intended (exemption, reverse charge)? Then release the invoice; if it is usual for this company, add \"{company}\" to zero_vat_usual in [safety]. Otherwise correct the rates and drop it again.",
	}, {
		Code:      "E5304",
		MessageFR: "La date d'émission {value} n'est pas dans l'exercice en cours ({expected}).",
		WhatFR:    "Si la date est juste, libérez la facture ; sinon, corrigez-la et redéposez. Le premier mois de l'exercice se règle par fiscal_year_month dans [safety].",
		MessageEN: "The issue date {value} is not in the current fiscal year ({expected}).",
		WhatEN:    "If the date is right, release the invoice; otherwise correct it and drop it again. The first month of the fiscal year is fiscal_year_month in [safety].",
	}, {
		Code:      "E5305",
		MessageFR: "Le total {value} dépasse de plus de {times} fois le plus grand des {days} derniers jours ({expected}).",
		WhatFR:    "Vérifiez les quantités, les prix et le séparateur décimal. Si le total est juste, libérez la facture ; sinon, corrigez-la et redéposez.",
		MessageEN: "The total {value} is more than {times} times the largest of the last {days} days ({expected}).",
		WhatEN:    "Check quantities, prices and the decimal sign. If the total is right, release the invoice; otherwise correct it and drop it again.",
	}, {
		Code:      "E5306",
		MessageFR: "Le total {value} est celui de la dernière facture de ce client ({expected}), la virgule déplacée de {places} rangs.",
		WhatFR:    "Vérifiez le séparateur décimal de l'export et du modèle. Si le total est juste, libérez la facture ; sinon, corrigez-la et redéposez.",
		MessageEN: "The total {value} is that of this buyer's last invoice ({expected}) with the decimal point {places} places away.",
		WhatEN:    "Check the decimal sign of the export and of the mapping. If the total is right, release the invoice; otherwise correct it and drop it again.",
	},
}
