package sandbox

import "sync"

// phase is one step of an invoice's life after NEW.
type phase struct {
	state, external    string
	reasonCode, reason string
	network            string // "": unchanged
	arrives            bool   // the recipient gets it now
	mails              bool   // the recipient gets it by e-mail
}

// scenario is a life. Words choose it: the first that stands in the number, or
// in the recipient's name or e-mail address, in upper case and without accents.
type scenario struct {
	name   string
	words  []string
	phases []phase
}

// scenarios is the table of all lives; nobody changes it.
var scenarios = sync.OnceValue(lives)

func lives() []scenario {
	issued := phase{state: "SENT", external: "issued"}
	there := phase{state: "SENT", external: "made_available", arrives: true}
	delivered := phase{state: "DONE", external: "made_available", arrives: true}
	approved := phase{state: "DONE", external: "approved"}
	because := func(state, external, code, reason string) phase {
		return phase{state: state, external: external, reasonCode: code, reason: reason}
	}
	refused := because("ERROR", "refused", "TX_TVA_ERR", "Taux de TVA erroné")
	byMail := because("DONE", "submitted", "NON_TRANSMISE", "Destinataire sans plateforme, envoyée par e-mail")
	byMail.network, byMail.mails = networkEmail, true
	return []scenario{
		{"refused", []string{"REFUSE"}, []phase{issued, there, refused}},
		{"refused late", []string{"TARDIF"}, []phase{issued, delivered, refused}},
		{"rejected", []string{"REJET"}, []phase{issued,
			because("ERROR", "rejected", "MONTANTTOTAL_ERR", "Le montant total est erroné")}},
		{"inadmissible", []string{"IRRECEVABLE"}, []phase{
			because("ERROR", "inadmissible", "IRR_SYNTAX", "Irrecevable : erreur de syntaxe")}},
		{"routing error", []string{"ROUTAGE"}, []phase{issued,
			because("ERROR", "routing_error", "ROUTAGE_ERR", "Erreur de routage")}},
		{"disputed", []string{"LITIGE"}, []phase{issued, there,
			because("SENT", "disputed", "QTE_ERR", "Quantité facturée contestée"), approved}},
		{"suspended", []string{"SUSPEN"}, []phase{issued, there,
			because("SENT", "suspended", "JUSTIF_ABS", "Justificatif absent")}},
		{"paid", []string{"PAYE"}, []phase{issued, delivered, approved, {state: "DONE", external: "paid"}}},
		{"stuck", []string{"COINCE", "STUCK"}, []phase{issued}},
		{byEmail, []string{"INJOIGNABLE"}, []phase{issued, byMail}},
		{"approved", []string{"APPROU"}, []phase{issued, there, approved}},
		{nowhere, nil, []phase{because("ERROR", "routing_error", "ROUTAGE_ERR", "Destinataire sans plateforme ni adresse e-mail")}},
		{rejectedB2G, nil, []phase{issued,
			because("ERROR", "rejected", "REJ_CONT_B2G", "Code service ou numéro d'engagement absent")}},
		// A public body answers itself; until it does, the invoice stays SENT.
		{publicBody, nil, []phase{issued, there, {state: "SENT", external: "in_hand"}, approved}},
		{byDefault, nil, []phase{issued, delivered}},
	}
}

const (
	nowhere     = "nowhere"
	byEmail     = "unreachable"
	rejectedB2G = "rejected b2g"
	publicBody  = "public body"
	byDefault   = "delivered"
)

// ahead is what is left of an invoice's life.
func (r *record) ahead() []phase {
	if r.Incoming || r.Phases < 0 {
		return nil
	}
	for _, s := range scenarios() {
		if s.name == r.Life {
			return s.phases[min(r.Phases, len(s.phases)):]
		}
	}
	return nil
}
