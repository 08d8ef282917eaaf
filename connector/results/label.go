package results

import (
	"cmp"

	"einvoice/connector"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
)

// words is a text in both languages.
type words struct{ fr, en string }

func (w words) in(lang problem.Lang) string {
	if lang == problem.French {
		return w.fr
	}
	return w.en
}

// Label names a status for people: the French life cycle's word where the code
// is known, else the network's own word as it came, else the platform's state.
func Label(s connector.Status, lang problem.Lang) string {
	if w, ok := lifecycle(s.Code); ok {
		return w.in(lang)
	}
	if s.External != "" {
		return s.External
	}
	return cmp.Or(stateWords(s.State).in(lang), string(s.State))
}

// lifecycle is the list of AFNOR XP Z12-012 and annex 2 of the DGFiP's
// specifications. The list is open: platforms may add to it.
func lifecycle(code int) (words, bool) {
	w, ok := map[int]words{
		200: {"Déposée", "Submitted"},
		201: {"Émise par la plateforme", "Issued by the platform"},
		202: {"Reçue par la plateforme", "Received by the platform"},
		203: {"Mise à disposition", "Made available"},
		204: {"Prise en charge", "In hand"},
		205: {"Approuvée", "Approved"},
		206: {"Approuvée partiellement", "Partially approved"},
		207: {"En litige", "In dispute"},
		208: {"Suspendue", "Suspended"},
		209: {"Complétée", "Completed"},
		210: {"Refusée", "Refused"},
		211: {"Paiement transmis", "Payment sent"},
		212: {"Encaissée", "Payment received"},
		213: {"Rejetée", "Rejected"},
		214: {"Visée", "Reviewed"},
		220: {"Annulée", "Cancelled"},
		221: {"Erreur de routage", "Routing error"},
		224: {"Demande de paiement direct", "Direct payment requested"},
		225: {"Affacturée", "Factored"},
		226: {"Affacturée (confidentiel)", "Factored (confidential)"},
		227: {"Changement de compte à payer", "Account to be paid changed"},
		228: {"Non affacturée", "Not factored"},
		501: {"Irrecevable", "Inadmissible"},
	}[code]
	return w, ok
}

func stateWords(s connector.State) words {
	switch s {
	case connector.StateNew:
		return words{"Prise en charge par la plateforme", "Taken in charge by the platform"}
	case connector.StateSent:
		return words{"Transmise", "On its way"}
	case connector.StateReceived:
		return words{"Reçue", "Received"}
	case connector.StateDone:
		return words{"Remise au destinataire", "Delivered"}
	case connector.StateError:
		return words{"En erreur", "In error"}
	}
	return words{}
}

// nonTransmise is the reason of a status 200 whose recipient has no platform.
const nonTransmise = "NON_TRANSMISE"

// WhatToDo says what the sender of an invoice must do about a status, "" when
// there is nothing to do. Source: DGFiP annex 2, AFNOR XP Z12-014.
func WhatToDo(s connector.Status, lang problem.Lang) string {
	if s.ReasonCode == nonTransmise {
		return words{
			"Le destinataire n'a pas de plateforme : remettez-lui un duplicata (courriel, papier). Ne déposez pas la facture une seconde fois.",
			"The recipient has no platform: hand over a duplicate (e-mail, paper). Do not send the invoice again.",
		}.in(lang)
	}
	if s.Code == 0 && s.State == connector.StateError {
		return words{
			"La plateforme ne donne pas de code. Consultez la facture dans son portail avant d'émettre quoi que ce soit.",
			"The platform gives no code. Look at the invoice in its portal before issuing anything.",
		}.in(lang)
	}
	return remedies(s.Code).in(lang)
}

func remedies(code int) words {
	switch code {
	case 206:
		return words{
			"Voyez avec le client la part non approuvée ; corrigez-la par un avoir ou une facture rectificative. Ne redéposez pas cette facture.",
			"Settle the part that was not approved with the customer, by a credit note or a corrective invoice. Do not send this invoice again.",
		}
	case 207:
		return words{
			"Le client conteste : réglez le litige avec lui. Ne redéposez pas la facture ; s'il faut la corriger, émettez un avoir ou une facture rectificative.",
			"The customer disputes it: settle the matter. Do not send the invoice again; if it must change, issue a credit note or a corrective invoice.",
		}
	case 208:
		return words{
			"Le client attend un complément (pièce ou référence) : fournissez-le, la facture reprendra son cours. N'émettez pas de nouvelle facture.",
			"The customer waits for a complement (document or reference): provide it and the invoice will go on. Do not issue a new invoice.",
		}
	case 210:
		return words{
			"Le client a refusé la facture : émettez un avoir ou une facture rectificative. Ne la redéposez pas.",
			"The customer refused the invoice: issue a credit note or a corrective invoice. Do not send it again.",
		}
	case 213:
		return words{
			"Annulez la facture dans votre comptabilité (avoir interne, à ne pas envoyer), corrigez et émettez une nouvelle facture sous un nouveau numéro.",
			"Cancel the invoice in your books (internal credit note, not to be sent), correct it and issue a new invoice under a new number.",
		}
	case 221:
		return words{
			"Le destinataire n'a pas pu être joint : déposez de nouveau la même facture, sans la modifier, sous le même numéro.",
			"The recipient could not be reached: drop the same invoice again, unchanged, under the same number.",
		}
	case 501:
		return words{
			"Le fichier est irrecevable : corrigez-le et déposez de nouveau la facture sous le même numéro.",
			"The file is inadmissible: correct it and drop the invoice again under the same number.",
		}
	}
	return words{}
}

// eventWords name an event that is not a step reported by the platform.
func eventWords(k ledger.EventKind) words {
	switch k {
	case ledger.EventSent:
		return words{"Envoyée", "Sent"}
	case ledger.EventRefused:
		return words{"Refusée par la plateforme", "Refused by the platform"}
	case ledger.EventUncertain:
		return words{"Envoi incertain, vérification en cours", "Sending uncertain, being looked up"}
	case ledger.EventResolved:
		return words{"Doute levé", "Doubt resolved"}
	case ledger.EventHeld:
		return words{"En attente d'une décision", "Held for a decision"}
	case ledger.EventReleased:
		return words{"Libérée", "Released"}
	case ledger.EventSuperseded:
		return words{"Remplacée par une version plus récente", "Superseded by a newer version"}
	}
	return words{}
}

// eventRemedy says what to do about an event that brings neither a status nor a
// problem of its own.
func eventRemedy(k ledger.EventKind) words {
	if k == ledger.EventUncertain {
		return words{
			"Rien : le connecteur cherche la réponse. Ne redéposez pas la facture.",
			"Nothing: the connector is looking for the answer. Do not drop the invoice again.",
		}
	}
	return words{}
}

// verdictWords explain a verdict whose line brings no problem of its own.
func verdictWords(v ledger.Verdict) words {
	switch v {
	case ledger.VerdictDuplicate:
		return words{"Déjà déposée, rien n'est envoyé", "Seen before, nothing is sent"}
	case ledger.VerdictSuperseded:
		return words{"Remplacée par une version plus récente", "Superseded by a newer version"}
	case ledger.VerdictIgnored:
		return words{"Écartée par la correspondance", "Left out by the mapping"}
	case ledger.VerdictHeld:
		return words{"En attente d'une décision", "Held for a decision"}
	case ledger.VerdictWaiting:
		return words{"En attente, partira d'elle-même", "Waiting, will go by itself"}
	}
	return words{}
}
