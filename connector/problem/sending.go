package problem

// E50xx: what the ledger decides about an invoice's number; E51xx: what sending
// an invoice led to.
var sendingEntries = []Entry{
	{
		Code:      "E5001",
		MessageFR: "La facture {invoice} a déjà été prise en compte avec le même contenu (fichier {first_file}, ligne {first_row}) : elle est {state_fr}.",
		WhatFR:    "Rien à faire : elle n'est pas envoyée une seconde fois.",
		MessageEN: "Invoice {invoice} was taken before with the same content (file {first_file}, row {first_row}): it is {state_en}.",
		WhatEN:    "Nothing to do: it is not sent a second time.",
	}, {
		Code:      "E5002",
		MessageFR: "La facture {invoice} figure plusieurs fois dans ce fichier avec le même contenu (lignes {rows}).",
		WhatFR:    "Rien à faire : seule la première est envoyée.",
		MessageEN: "Invoice {invoice} stands in this file several times with the same content (rows {rows}).",
		WhatEN:    "Nothing to do: only the first is sent.",
	}, {
		Code:      "E5003",
		MessageFR: "Le numéro {invoice} figure plusieurs fois dans ce fichier avec des contenus différents (lignes {rows}).",
		WhatFR:    "Donnez un numéro propre à chaque facture, ou supprimez celle qui est de trop, puis redéposez. Aucune des deux n'est envoyée.",
		MessageEN: "Number {invoice} stands in this file several times with different contents (rows {rows}).",
		WhatEN:    "Give each invoice a number of its own, or delete the one too many, and drop it again. Neither is sent.",
	}, {
		Code:      "E5004",
		MessageFR: "Le numéro {invoice} a déjà été transmis le {sent_on_fr} (fichier {first_file}, ligne {first_row}) avec un autre contenu : {differs_fr} valait {expected}, vaut maintenant {value}.",
		WhatFR:    "Une facture transmise ne se modifie pas : émettez un avoir ou une facture rectificative sous un nouveau numéro. S'il s'agit d'une autre facture, donnez-lui un autre numéro.",
		MessageEN: "Number {invoice} was sent already on {sent_on} (file {first_file}, row {first_row}) with another content: {differs_en} was {expected}, is now {value}.",
		WhatEN:    "An invoice that was sent cannot be changed: issue a credit note or a corrective invoice under a new number. If it is another invoice, give it another number.",
	}, {
		Code:      "E5005",
		MessageFR: "Le numéro {invoice} existe déjà en {first_year} avec le même total TTC ({gross}) ; celle-ci est datée de {year} (fichier {first_file}, ligne {first_row}).",
		WhatFR:    "Est-ce la même facture avec une date erronée ? Alors ne la libérez pas. Si votre numérotation recommence chaque année, libérez-la.",
		MessageEN: "Number {invoice} exists already in {first_year} with the same total ({gross}); this one is dated {year} (file {first_file}, row {first_row}).",
		WhatEN:    "Is it the same invoice with a wrong date? Then do not release it. If your numbers start again each year, release it.",
	}, {
		Code:      "E5006",
		MessageFR: "La facture {invoice} a déjà été transmise le {sent_on_fr} et la plateforme la signale en erreur, sans cause que nous connaissions : {reason}",
		WhatFR:    "Vérifiez sur la plateforme si la première compte encore. Si elle ne compte plus, libérez celle-ci : elle la remplace. Sinon, émettez un avoir.",
		MessageEN: "Invoice {invoice} was sent already on {sent_on} and the platform reports an error with no cause that we know: {reason}",
		WhatEN:    "Check at the platform whether the first still counts. If it does not, release this one: it takes its place. Otherwise issue a credit note.",
	}, {
		Code:      "E5007",
		MessageFR: "L'avoir {invoice} corrige la facture {original}, qui a été refusée.",
		WhatFR:    "Une facture refusée n'existe pas pour le destinataire : d'ordinaire l'avoir est inutile. Corrigez et redéposez d'abord la facture, ou libérez l'avoir si vous le voulez malgré tout.",
		MessageEN: "Credit note {invoice} corrects invoice {original}, which was refused.",
		WhatEN:    "To the buyer a refused invoice does not exist: usually the credit note is not needed. Correct the invoice and drop it again first, or release the credit note if you want it all the same.",
	}, {
		Code:      "E5008",
		MessageFR: "Le numéro {invoice} est déjà sur la plateforme (identifiant {api_id}) avec un autre total TTC : {expected}, ici {value}.",
		WhatFR:    "Comparez les deux factures. Si celle de la plateforme est la bonne, ne libérez pas celle-ci. Si c'est une autre facture, donnez-lui un autre numéro et redéposez-la.",
		MessageEN: "Number {invoice} is at the platform already (id {api_id}) with another total: {expected}, here {value}.",
		WhatEN:    "Compare the two invoices. If the one at the platform is right, do not release this one. If it is another invoice, give it another number and drop it again.",
	}, {
		Code:      "E5009",
		MessageFR: "Le numéro {invoice} se trouve {found} fois sur la plateforme.",
		WhatFR:    "Vérifiez sur la plateforme laquelle compte, puis indiquez-la avec « einvoice resolve ».",
		MessageEN: "Number {invoice} is at the platform {found} times.",
		WhatEN:    "Check at the platform which one counts, then name it with \"einvoice resolve\".",
	}, {
		Code:      "E5010",
		MessageFR: "La plateforme a répondu avec l'identifiant {api_id}, qui est déjà celui de la facture {other} (fichier {first_file}, ligne {first_row}).",
		WhatFR:    "Un identifiant ne vaut que pour une facture. Vérifiez les deux sur la plateforme, puis tranchez avec « einvoice resolve ».",
		MessageEN: "The platform answered with id {api_id}, which belongs to invoice {other} already (file {first_file}, row {first_row}).",
		WhatEN:    "An id is good for one invoice only. Check both at the platform, then decide with \"einvoice resolve\".",
	}, {
		Code:      "E5011",
		MessageFR: "Une version plus récente (fichier {by_file}, ligne {by_row}) a remplacé cette facture avant tout envoi.",
		WhatFR:    "Rien à faire : la version récente est traitée à sa place.",
		MessageEN: "A newer version (file {by_file}, row {by_row}) took the place of this invoice before anything was sent.",
		WhatEN:    "Nothing to do: the newer version goes in its stead.",
	}, {
		Code:      "E5012",
		MessageFR: "Le numéro {invoice} (fichier {first_file}, ligne {first_row}) a peut-être déjà été transmis avec un autre contenu : {differs_fr} valait {expected}, vaut maintenant {value}.",
		WhatFR:    "L'envoi du premier est en cours ou à confirmer. Attendez son résultat : s'il est refusé, redéposez cette facture ; s'il est accepté, émettez un avoir ou une facture rectificative.",
		MessageEN: "Number {invoice} (file {first_file}, row {first_row}) may have been sent already with another content: {differs_en} was {expected}, is now {value}.",
		WhatEN:    "The first is being sent or waits for confirmation. Wait for its result: if it is refused, drop this invoice again; if it is accepted, issue a credit note or a corrective invoice.",
	}, {
		Code:      "E5013",
		MessageFR: "Le programme s'est arrêté pendant l'envoi : on ne sait pas encore si la plateforme a reçu la facture.",
		WhatFR:    "Rien à faire : elle est recherchée sur la plateforme et ne sera renvoyée que s'il est prouvé qu'elle n'y est pas.",
		MessageEN: "The program stopped while sending: it is not known yet whether the platform has the invoice.",
		WhatEN:    "Nothing to do: it is looked up at the platform, and sent again only if it is proven not to be there.",
	}, {
		Code:      "E5014",
		MessageFR: "Mise en attente par une personne : {value}",
		WhatFR:    "Libérez-la quand elle peut partir.",
		MessageEN: "Held by a person: {value}",
		WhatEN:    "Release it when it may go.",
	}, {
		Code:      "E5015",
		MessageFR: "La plateforme avait déjà une facture qui ne montre pas son numéro (identifiant {api_id}, {found} en tout) : ce peut être la facture {invoice}.",
		WhatFR:    "Regardez cette facture sur la plateforme. Si c'est la même, indiquez son identifiant avec « einvoice resolve » ; sinon, libérez celle-ci pour l'envoyer.",
		MessageEN: "The platform had an invoice already that does not show its number (id {api_id}, {found} in all): it may be invoice {invoice}.",
		WhatEN:    "Look at that invoice at the platform. If it is the same, give its id with \"einvoice resolve\"; if it is not, release this one to be sent.",
	}, {
		Code:      "E5101",
		MessageFR: "Pas de réponse sûre de la plateforme : on ne sait pas encore si elle a reçu la facture ({value}).",
		WhatFR:    "Rien à faire : elle est recherchée sur la plateforme et ne sera renvoyée que s'il est prouvé qu'elle n'y est pas.",
		MessageEN: "No sure answer from the platform: it is not known yet whether it has the invoice ({value}).",
		WhatEN:    "Nothing to do: it is looked up at the platform, and sent again only if it is proven not to be there.",
	}, {
		Code:      "E5102",
		MessageFR: "Depuis {value}, rien ne prouve que la plateforme a reçu la facture, ni le contraire.",
		WhatFR:    "Cherchez son numéro sur la plateforme. Si elle y est, indiquez son identifiant avec « einvoice resolve » ; si elle n'y est pas, libérez-la pour l'envoyer.",
		MessageEN: "For {value} nothing has proven that the platform has the invoice, nor the contrary.",
		WhatEN:    "Look for its number at the platform. If it is there, give its id with \"einvoice resolve\"; if it is not, release it to be sent.",
	}, {
		Code:      "E5103",
		MessageFR: "La plateforme a une facture de ce numéro (identifiant {api_id}) avec un autre total TTC : {expected}, ici {value}.",
		WhatFR:    "Comparez les deux. Si celle de la plateforme est la bonne, indiquez-la avec « einvoice resolve ». Si c'est une autre facture, donnez un autre numéro à celle-ci et redéposez-la.",
		MessageEN: "The platform has an invoice of this number (id {api_id}) with another total: {expected}, here {value}.",
		WhatEN:    "Compare the two. If the one at the platform is right, name it with \"einvoice resolve\". If it is another invoice, give this one another number and drop it again.",
	}, {
		Code:      "E5104",
		MessageFR: "La plateforme a plusieurs factures de ce numéro ({value}).",
		WhatFR:    "Vérifiez sur la plateforme laquelle compte, puis indiquez-la avec « einvoice resolve ».",
		MessageEN: "The platform has several invoices of this number ({value}).",
		WhatEN:    "Check at the platform which one counts, then name it with \"einvoice resolve\".",
	}, {
		Code:      "E5105",
		MessageFR: "L'envoi échoue depuis {value} ; nous n'essayons plus.",
		WhatFR:    "Faites vérifier la liaison avec la plateforme (« einvoice doctor »), puis libérez la facture.",
		MessageEN: "Sending has failed for {value}; we stopped trying.",
		WhatEN:    "Have the connection to the platform checked (\"einvoice doctor\"), then release the invoice.",
	}, {
		Code:      "E5106",
		MessageFR: "La plateforme dit avoir déjà cette facture (« {value} »), mais ne la montre pas.",
		WhatFR:    "Cherchez son numéro sur la plateforme. Si elle y est, indiquez son identifiant avec « einvoice resolve » ; si le message refuse autre chose, corrigez-le, puis libérez la facture pour la renvoyer.",
		MessageEN: "The platform says that it has this invoice already (\"{value}\"), but does not show it.",
		WhatEN:    "Look for its number at the platform. If it is there, give its id with \"einvoice resolve\"; if the message refuses something else, mend that, then release the invoice to be sent again.",
	},
}
