package api

import (
	"regexp"
	"strings"

	"einvoice/connector"
	"einvoice/connector/problem"
)

// categoryWord gives the API's word for a VAT category of EN 16931. Only
// "standard" is shown by the page; the others are what its kind of platform
// uses. A word of none of ours passes as it is.
func categoryWord(category string) string {
	switch category {
	case "S":
		return "standard"
	case "Z":
		return "zero_rated"
	case "E":
		return "exempt"
	case "AE":
		return "reverse_charge"
	case "K":
		return "intra_community"
	case "G":
		return "export"
	case "O":
		return "outside_scope"
	}
	return category
}

// categoryCode is the way back.
func categoryCode(word string) string {
	for _, code := range []string{"S", "Z", "E", "AE", "K", "G", "O"} {
		if strings.EqualFold(word, categoryWord(code)) || strings.EqualFold(word, code) {
			return code
		}
	}
	return word
}

// paymentWord gives the API's word for a payment means code of UNCL 4461; only
// the SEPA transfer is shown by the page. Anything else passes as it is.
func paymentWord(means string) string {
	switch means {
	case "30", "58":
		return "sepa_credit_transfer"
	}
	return means
}

// directionOf reads a direction in any of the spellings seen ("outoming" is
// one of the vendor's own).
func directionOf(word string) connector.Direction {
	switch strings.ToLower(word) {
	case "outgoing", "outoming", "outbound", "out", "customer", "customer-invoice", "customer_invoice":
		return connector.Outgoing
	case "incoming", "inbound", "in", "supplier", "supplier-invoice", "supplier_invoice":
		return connector.Incoming
	}
	return ""
}

var lifecycleNumber = regexp.MustCompile(`^(?:fr[:_-])?([2-6]\d\d)(?:\D|$)`)

// StatusCode gives the French life cycle code (200 submitted ... 228, 501) of a
// platform's word, 0 for a word nobody knows. Only "submitted" is shown by the
// page; the others follow the official English and French names.
func StatusCode(external string) int {
	word := strings.ToLower(strings.TrimSpace(external))
	if m := lifecycleNumber.FindStringSubmatch(word); m != nil {
		return int(m[1][0]-'0')*100 + int(m[1][1]-'0')*10 + int(m[1][2]-'0')
	}
	return lifecycleCode(strings.NewReplacer("-", "_", " ", "_").Replace(word))
}

func lifecycleCode(word string) int {
	switch word {
	case "submitted", "deposited", "deposee", "déposée":
		return 200
	case "issued", "issued_by_platform", "emise", "émise":
		return 201
	case "received", "received_by_platform", "recue", "reçue":
		return 202
	case "made_available", "available", "delivered", "mise_a_disposition", "mise_à_disposition":
		return 203
	case "in_hand", "acknowledged", "taken_in_charge", "prise_en_charge":
		return 204
	case "approved", "accepted", "approuvee", "approuvée":
		return 205
	case "partially_approved", "approuvee_partiellement":
		return 206
	case "disputed", "in_dispute", "en_litige":
		return 207
	case "suspended", "suspendue":
		return 208
	case "completed", "completee", "complétée":
		return 209
	case "refused", "refusee", "refusée":
		return 210
	case "payment_sent", "payment_transmitted", "paiement_transmis":
		return 211
	case "paid", "payment_received", "collected", "encaissee", "encaissée":
		return 212
	case "rejected", "rejetee", "rejetée":
		return 213
	case "reviewed", "endorsed", "visee", "visée":
		return 214
	case "cancelled", "canceled", "annulee", "annulée":
		return 220
	case "routing_error", "erreur_routage", "erreur_de_routage":
		return 221
	case "direct_payment_requested":
		return 224
	case "factored":
		return 225
	case "factored_confidential":
		return 226
	case "payee_account_changed":
		return 227
	case "not_factored":
		return 228
	case "inadmissible", "irrecevable":
		return 501
	}
	return 0
}

// reasonKeys are the places where a platform of this kind puts why; the page
// shows none.
var (
	reasonTextKeys = []string{"reason", "reason_message", "rejection_reason", "refusal_reason", "error_message",
		"status_message", "external_message", "sdi_message", "motif", "message", "comment", "notes", "description"}
	reasonListKeys = []string{"reasons", "errors", "details", "status_details", "external_errors", "reason"}
)

// reasonOf looks for the reason code and text of a status wherever they may
// be: in the details, in what they hold, in the invoice itself.
func reasonOf(details, whole object) (code, text string) {
	places := []object{details}
	for _, key := range reasonListKeys {
		places = append(places, details.objects(key)...)
	}
	for _, o := range places {
		for _, raw := range o {
			if s := scalar(raw); code == "" && problem.KnownReason(s) {
				code = s
			}
		}
		code = firstText(code, o.text("reason_code", "reasonCode", "motif_code", "code_motif", "error_code"))
		text = firstText(text, o.text(reasonTextKeys...))
	}
	text = firstText(text, whole.text("reason", "rejection_reason", "error_message", "status_message"))
	code = firstText(code, whole.text("reason_code"))
	if code == "" {
		for _, word := range reasonWord.FindAllString(text, 5) {
			if problem.KnownReason(word) {
				return word, text
			}
		}
	}
	return code, text
}
