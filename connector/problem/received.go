package problem

// receivedEntries are about supplier invoices that arrived.
var receivedEntries = []Entry{
	{
		Code:      "E5901",
		MessageFR: "Ce fournisseur a déjà envoyé une facture numéro {value} (dossier : {first_folder}, identifiant {first_id}).",
		WhatFR:    "Comparez les deux dossiers avant de comptabiliser : c'est peut-être un doublon.",
		MessageEN: "This supplier already sent an invoice with the number {value} (folder: {first_folder}, id {first_id}).",
		WhatEN:    "Compare the two folders before booking: it may be a duplicate.",
	},
	{
		Code:      "E5902",
		MessageFR: "L'IBAN de ce fournisseur a changé : {value} ; le précédent était {expected}.",
		WhatFR:    "Avant de payer, vérifiez le nouvel IBAN par téléphone, à un numéro que vous connaissez déjà.",
		MessageEN: "This supplier's IBAN has changed: {value}; it was {expected} before.",
		WhatEN:    "Before paying, confirm the new IBAN by telephone, at a number that you already know.",
	},
	{
		Code:      "E5903",
		MessageFR: "Les montants ne concordent pas : {field} vaut {value}, le calcul donne {expected}.",
		WhatFR:    "Vérifiez la facture, et demandez-en une correcte au fournisseur si elle est fausse. Une fois vérifiée, déplacez-la où vous le souhaitez.",
		MessageEN: "The amounts disagree: {field} is {value}, but adds up to {expected}.",
		WhatEN:    "Check the invoice, and ask the supplier for a correct one if it is wrong. Once checked, move it where you like.",
	},
	{
		Code:      "E5904",
		MessageFR: "Le destinataire n'est aucune de vos sociétés : {value}.",
		WhatFR:    "Vérifiez si la facture est bien pour vous ; sinon, signalez l'erreur au fournisseur.",
		MessageEN: "The recipient is none of your companies: {value}.",
		WhatEN:    "Check whether the invoice is meant for you; if not, tell the supplier.",
	},
	{
		Code:      "E5905",
		MessageFR: "Pièce jointe mise à l'écart, car son type n'est pas admis : {value}.",
		WhatFR:    "Elle est mise en quarantaine, auprès des autres pièces jointes. Ne l'ouvrez pas sans l'avis de votre service informatique.",
		MessageEN: "An attachment was set apart because its type is not allowed: {value}.",
		WhatEN:    "It is in quarantine, beside the other attachments. Do not open it without asking your IT department.",
	},
	{
		Code:      "E5906",
		MessageFR: "La copie lisible en PDF n'a pas pu être produite.",
		WhatFR:    "Utilisez invoice.csv ou le PDF du fournisseur ; invoice.json fait foi.",
		MessageEN: "The readable PDF copy could not be made.",
		WhatEN:    "Use invoice.csv or the supplier's PDF; invoice.json is the original.",
	},
	{
		Code:      "E5907",
		MessageFR: "Le PDF du fournisseur contient d'autres données que la facture reçue : {field} vaut {value} dans la facture, {expected} dans le PDF.",
		WhatFR:    "Ne comptabilisez ni ne payez avant d'avoir demandé au fournisseur laquelle des deux est juste.",
		MessageEN: "The supplier's PDF holds other data than the invoice received: {field} is {value} in the invoice and {expected} in the PDF.",
		WhatEN:    "Neither book nor pay before the supplier has told you which of the two is right.",
	},
}
