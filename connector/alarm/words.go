package alarm

import (
	"strings"

	"einvoice/connector/problem"
)

// phrase is a kind's title and what to do, in one language.
type phrase struct{ title, todo string }

// Words are an alarm's one line and its text, in a language.
func Words(lang problem.Lang, a Alarm, cleared bool) (title, text string) {
	p := phrases(lang)[a.Kind]
	if p.title == "" { // of another version
		p.title = string(a.Kind) + " {subject}"
	}
	fill := strings.NewReplacer("{subject}", a.Subject)
	title = fill.Replace(p.title)
	if cleared {
		if lang == problem.French {
			return "Terminé : " + title, "Plus rien à faire."
		}
		return "Over: " + title, "Nothing is left to do."
	}
	text = fill.Replace(p.todo)
	if a.Detail != "" {
		text = a.Detail + "\n" + text
	}
	return title, text
}

func phrases(lang problem.Lang) map[Kind]phrase {
	if lang == problem.French {
		return map[Kind]phrase{
			LaneStopped:     {"L'envoi de {subject} est arrêté", "Rien n'est perdu ; l'envoi reprend de lui-même dès que la cause a disparu. Voir : einvoice status, einvoice doctor."},
			Held:            {"Des factures de {subject} attendent une décision", "Elles sont dans le dossier à vérifier, avec la raison. Voir : einvoice queue --state held."},
			NoExport:        {"Aucun export dans {subject} depuis plus longtemps que d'habitude", "Vérifiez que l'ERP exporte encore, et dans ce dossier."},
			Disk:            {"Le disque de {subject} est presque plein", "Libérez de la place : sans elle, plus rien n'est pris en charge."},
			Token:           {"Le jeton de la plateforme expire bientôt ({subject})", "Créez-en un nouveau dans la console de la plateforme et remplacez le contenu du fichier ; aucun redémarrage n'est nécessaire."},
			CallbackSilence: {"La plateforme n'appelle plus ({subject})", "Les statuts arrivent encore, plus tard, par interrogation. Voir : einvoice doctor, puis einvoice register."},
			PlaceAway:       {"{subject} est inaccessible", "Vérifiez le partage, le serveur ou les droits du compte de service ; le travail reprend de lui-même. Voir : einvoice doctor."},
		}
	}
	return map[Kind]phrase{
		LaneStopped:     {"Sending for {subject} is stopped", "Nothing is lost; sending resumes by itself once the cause is gone. See: einvoice status, einvoice doctor."},
		Held:            {"Invoices of {subject} wait for a decision", "They are in the folder to check, with the reason. See: einvoice queue --state held."},
		NoExport:        {"No export in {subject} for longer than usual", "See whether the ERP still exports, and to this folder."},
		Disk:            {"The disk of {subject} is nearly full", "Make room: without it nothing more is taken in charge."},
		Token:           {"The platform's token is about to expire ({subject})", "Make a new one in the platform's console and replace the file's content; no restart is needed."},
		CallbackSilence: {"The platform does not call any more ({subject})", "Statuses still come, later, by polling. See: einvoice doctor, then einvoice register."},
		PlaceAway:       {"{subject} cannot be reached", "Look at the share, the server or the rights of the service's account; work resumes by itself. See: einvoice doctor."},
	}
}
