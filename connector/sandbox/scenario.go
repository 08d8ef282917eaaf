package sandbox

import "strings"

// phase is one step of an invoice's life after NEW.
type phase struct {
	state, external    string
	reasonCode, reason string
	network            string // "": unchanged
	arrives            bool   // the recipient gets it now
}

// The recipient's words and what they lead to: the first that stands in the
// number, or in the recipient's name or e-mail address, wins.
func scenarios() []struct {
	words  []string
	phases []phase
} {
	issued := phase{state: "SENT", external: "issued"}
	there := phase{state: "SENT", external: "made_available", arrives: true}
	delivered := phase{state: "DONE", external: "made_available", arrives: true}
	refused := phase{state: "ERROR", external: "refused", reasonCode: "TX_TVA_ERR", reason: "Taux de TVA erroné"}
	return []struct {
		words  []string
		phases []phase
	}{
		{[]string{"REFUSE"}, []phase{issued, there, refused}},
		{[]string{"TARDIF"}, []phase{issued, delivered, refused}},
		{[]string{"REJET"}, []phase{issued, {state: "ERROR", external: "rejected",
			reasonCode: "MONTANTTOTAL_ERR", reason: "Le montant total est erroné"}}},
		{[]string{"IRRECEVABLE"}, []phase{{state: "ERROR", external: "inadmissible",
			reasonCode: "IRR_SYNTAX", reason: "Irrecevable : erreur de syntaxe"}}},
		{[]string{"ROUTAGE"}, []phase{issued, {state: "ERROR", external: "routing_error",
			reasonCode: "ROUTAGE_ERR", reason: "Erreur de routage"}}},
		{[]string{"LITIGE"}, []phase{issued, there,
			{state: "SENT", external: "disputed", reasonCode: "QTE_ERR", reason: "Quantité facturée contestée"},
			{state: "DONE", external: "approved"}}},
		{[]string{"SUSPEN"}, []phase{issued, there, {state: "SENT", external: "suspended",
			reasonCode: "JUSTIF_ABS", reason: "Justificatif absent"}}},
		{[]string{"PAYE"}, []phase{issued, delivered, {state: "DONE", external: "approved"}, {state: "DONE", external: "paid"}}},
		{[]string{"COINCE", "STUCK"}, []phase{issued}},
		{[]string{"INJOIGNABLE"}, []phase{issued, {state: "DONE", external: "submitted",
			reasonCode: "NON_TRANSMISE", reason: "Destinataire sans plateforme, envoyée par e-mail", network: "email"}}},
	}
}

// life is what will become of an invoice. By default it is delivered; at a
// public body it stays SENT until the body approves it.
func life(p posted) []phase {
	c, _ := lookUp(siren(p.Recipient.FiscalID))
	said := fold(strings.Join([]string{p.Number, p.Recipient.Name, p.Recipient.Email, c.name}, "\n"))
	for _, s := range scenarios() {
		for _, word := range s.words {
			if strings.Contains(said, word) {
				return s.phases
			}
		}
	}
	issued := phase{state: "SENT", external: "issued"}
	if c.public {
		return []phase{issued, {state: "SENT", external: "made_available", arrives: true},
			{state: "SENT", external: "in_hand"}, {state: "DONE", external: "approved"}}
	}
	return []phase{issued, {state: "DONE", external: "made_available", arrives: true}}
}
