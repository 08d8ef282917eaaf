package inbox

import (
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
	"einvoice/connector/workbook"
)

// words are the names and texts that people see, in one language.
type words struct {
	toCheck    string // folder of what must be checked before it is booked
	readable   string // our PDF
	alerts     string // file with the reasons
	notice     string // beside what is in quarantine; %s is the original name
	register   string // and a month: what was received
	issued     string // and a month: what was sent
	invoice    string
	creditNote string
	decimal    string
	nobody     string // a supplier without a name
	unnumbered string
	toCheckWhy string // first line of the alerts of an invoice to check

	beforeAmounts, amounts, afterAmounts []string // columns of the register
	issuedColumns                        []string
	classes, totals                      [classes]string // of rows, and of their totals
	sentTotal                            string
	states                               map[ledger.State]string
}

func wordsOf(lang problem.Lang) words {
	if lang == problem.French {
		return words{
			toCheck: "a_verifier", readable: "copie_lisible.pdf", alerts: "alertes.txt",
			notice: "Pièce jointe mise à l'écart.\r\n\r\nNom donné par le fournisseur : %s\r\n" +
				"Son contenu n'est pas d'un type que nous remettons (PDF, XML, PNG, JPEG, CSV, XLSX ou ODS sans macro, texte).\r\n" +
				"Il est conservé tel quel, avec l'extension .bin. Ne l'ouvrez pas sans l'avis de votre service informatique.\r\n",
			register: "registre-",
			issued:   "factures-emises-",
			invoice:  "Facture", creditNote: "Avoir", decimal: ",",
			nobody: "fournisseur inconnu", unnumbered: "sans numéro",
			toCheckWhy:    "À vérifier avant toute comptabilisation :",
			beforeAmounts: []string{"Reçue le", "Fournisseur", "SIREN", "N° TVA", "Numéro", "Type", "Date de facture", "Échéance", "Devise"},
			amounts: []string{"Montant HT", "TVA", "Montant TTC", "Net à payer", "HT 20 %", "TVA 20 %", "HT 10 %", "TVA 10 %",
				"HT 5,5 %", "TVA 5,5 %", "HT 2,1 %", "TVA 2,1 %", "HT autres taux", "TVA autres taux"},
			afterAmounts: []string{"IBAN", "N° de commande", "État", "Alertes", "Dossier", "Identifiant de la plateforme"},
			issuedColumns: []string{"Numéro", "Date de facture", "Client", "SIREN du client", "Devise", "Montant TTC", "Statut", "Depuis le",
				"Motif", "À faire", "Fichier d'export", "Ligne", "Identifiant de la plateforme"},
			classes:   [classes]string{"à comptabiliser", "doublon possible", "à vérifier"},
			totals:    [classes]string{"Total à comptabiliser", "Total des doublons possibles", "Total à vérifier"},
			sentTotal: "Total transmis",
			states: map[ledger.State]string{
				ledger.Queued: "En file d'envoi", ledger.Waiting: "En attente", ledger.Held: "Retenue : décision à prendre",
				ledger.Sending: "Envoi en cours", ledger.Uncertain: "Envoi incertain, en vérification", ledger.Rejected: "Refusée par la plateforme",
				ledger.Refused: "Refusée par nos contrôles", ledger.Duplicate: "Doublon d'une facture déjà traitée",
				ledger.Conflict: "Conflit : numéro déjà pris", ledger.Superseded: "Remplacée par une version plus récente", ledger.Ignored: "Ignorée",
			},
		}
	}
	return words{
		toCheck: "to-check", readable: "readable_copy.pdf", alerts: "alerts.txt",
		notice: "Attachment set apart.\r\n\r\nName given by the supplier: %s\r\n" +
			"Its content is not of a type that we deliver (PDF, XML, PNG, JPEG, CSV, XLSX or ODS without macros, text).\r\n" +
			"It is kept as it came, with the extension .bin. Do not open it without asking your IT department.\r\n",
		register: "register-",
		issued:   "invoices-issued-",
		invoice:  "Invoice", creditNote: "Credit note", decimal: ".",
		nobody: "unknown supplier", unnumbered: "no number",
		toCheckWhy:    "To be checked before it is booked:",
		beforeAmounts: []string{"Received", "Supplier", "SIREN", "VAT number", "Number", "Type", "Issue date", "Due date", "Currency"},
		amounts: []string{"Net", "VAT", "Total with VAT", "Payable", "Net 20%", "VAT 20%", "Net 10%", "VAT 10%",
			"Net 5.5%", "VAT 5.5%", "Net 2.1%", "VAT 2.1%", "Net other rates", "VAT other rates"},
		afterAmounts: []string{"IBAN", "Order number", "State", "Alerts", "Folder", "Platform id"},
		issuedColumns: []string{"Number", "Issue date", "Customer", "Customer's SIREN", "Currency", "Total with VAT", "Status", "Since",
			"Reason", "What to do", "Export file", "Row", "Platform id"},
		classes:   [classes]string{"to be booked", "maybe a duplicate", "to check"},
		totals:    [classes]string{"Total to be booked", "Total of possible duplicates", "Total to check"},
		sentTotal: "Total sent",
		states: map[ledger.State]string{
			ledger.Queued: "To be sent", ledger.Waiting: "Waiting", ledger.Held: "Held: a decision is needed",
			ledger.Sending: "Being sent", ledger.Uncertain: "Not known, being looked up", ledger.Rejected: "Refused by the platform",
			ledger.Refused: "Refused by our checks", ledger.Duplicate: "Duplicate of an invoice handled before",
			ledger.Conflict: "Conflict: the number is taken", ledger.Superseded: "Replaced by a newer version", ledger.Ignored: "Ignored",
		},
	}
}

func (w words) registerColumns() []workbook.Column {
	return columns(append(append(append([]string{}, w.beforeAmounts...), w.amounts...), w.afterAmounts...)...)
}

// columns are as wide as their titles, within reason: what is below is of the
// same kind.
func columns(titles ...string) (list []workbook.Column) {
	for _, t := range titles {
		list = append(list, workbook.Column{Title: t, Width: float64(min(max(len(t)+4, 13), 30))})
	}
	return list
}

func (w words) state(s ledger.State) string {
	if word := w.states[s]; word != "" {
		return word
	}
	return string(s)
}
