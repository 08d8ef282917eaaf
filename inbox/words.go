package inbox

import "einvoice/connector/problem"

// words are the names and texts that people see, in one language.
type words struct {
	toCheck    string // folder of what must be checked before it is booked
	readable   string // our PDF
	alerts     string // file with the reasons
	notice     string // beside what is in quarantine; %s is the original name
	register   string // month
	columns    []string
	invoice    string
	creditNote string
	yes, no    string
	decimal    string
	nobody     string // a supplier without a name
	unnumbered string
	toCheckWhy string // first line of the alerts of an invoice to check
}

func wordsOf(lang problem.Lang) words {
	if lang == problem.French {
		return words{
			toCheck: "a_verifier", readable: "copie_lisible.pdf", alerts: "alertes.txt",
			notice: "Pièce jointe mise à l'écart.\r\n\r\nNom donné par le fournisseur : %s\r\n" +
				"Son contenu n'est pas d'un type que nous remettons (PDF, XML, PNG, JPEG, CSV, XLSX ou ODS sans macro, texte).\r\n" +
				"Il est conservé tel quel, avec l'extension .bin. Ne l'ouvrez pas sans l'avis de votre service informatique.\r\n",
			register: "registre-",
			columns: []string{"Reçue le", "Fournisseur", "Identifiant du fournisseur", "Numéro", "Type", "Date de facture",
				"Montant TTC", "Devise", "IBAN", "À vérifier", "Alertes", "Dossier", "Identifiant de la plateforme"},
			invoice: "Facture", creditNote: "Avoir", yes: "oui", no: "non", decimal: ",",
			nobody: "fournisseur inconnu", unnumbered: "sans numéro",
			toCheckWhy: "À vérifier avant toute comptabilisation :",
		}
	}
	return words{
		toCheck: "to-check", readable: "readable_copy.pdf", alerts: "alerts.txt",
		notice: "Attachment set apart.\r\n\r\nName given by the supplier: %s\r\n" +
			"Its content is not of a type that we deliver (PDF, XML, PNG, JPEG, CSV, XLSX or ODS without macros, text).\r\n" +
			"It is kept as it came, with the extension .bin. Do not open it without asking your IT department.\r\n",
		register: "register-",
		columns: []string{"Received", "Supplier", "Supplier id", "Number", "Type", "Issue date",
			"Total with VAT", "Currency", "IBAN", "To check", "Alerts", "Folder", "Platform id"},
		invoice: "Invoice", creditNote: "Credit note", yes: "yes", no: "no", decimal: ".",
		nobody: "unknown supplier", unnumbered: "no number",
		toCheckWhy: "To be checked before it is booked:",
	}
}
