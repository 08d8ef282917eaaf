package ledger

import (
	"strings"

	"einvoice/connector/problem"
)

// word is one of our own words, or a note that we wrote, in the language of the
// story. A code keeps its name behind its meaning: it is what the result files say.
func (in tongue) word(text string) string {
	if in.lang != problem.French {
		return text
	}
	if french, known := frenchWords[text]; known {
		if text == strings.ToUpper(text) {
			french += " (" + text + ")"
		}
		return french
	}
	for english, french := range frenchBeginnings {
		if rest, ok := strings.CutPrefix(text, english); ok {
			return french + in.word(rest)
		}
	}
	return text
}

// frenchWords are the words of a story. A test finds what is missing.
var frenchWords = map[string]string{
	// verdicts and events
	string(VerdictQueued): "à envoyer", string(VerdictDuplicate): "déjà connue", string(VerdictConflict): "en conflit",
	string(VerdictIgnored): "ignorée", string(VerdictWaiting): "en attente",
	string(EventSent): "envoyée", string(EventRefused): "refusée", string(EventStatus): "statut", string(EventUncertain): "sans réponse claire",
	string(EventResolved): "élucidée", string(EventHeld): "à vérifier", string(EventReleased): "libérée", string(EventSuperseded): "remplacée",

	// what an attempt or a look-up led to
	string(Queued): "à envoyer", string(Held): "à vérifier", string(Uncertain): "sans réponse claire", string(Sent): "envoyée", string(Rejected): "rejetée par la plateforme",

	// files that were written, and where
	string(KindAck): "accusé", string(KindSummary): "résumé", string(KindStatus): "statuts", string(KindCopy): "copie à corriger",
	string(KindReport): "rapport", string(KindNote): "note", string(KindUnready): "avis",
	string(FolderResults): "des retours", string(FolderRefused): "des refusées", string(FolderToCheck): "à vérifier",

	// notes
	"not found; no later invoice was visible either, so this proves nothing": "introuvable ; aucune facture plus récente n'étant visible non plus, cela ne prouve rien",
	"not found, although a later invoice was visible":                        "introuvable, alors qu'une facture plus récente est visible",
	"found at the platform by its number":                                    "retrouvée sur la plateforme par son numéro",
	"found at the platform before its answer arrived":                        "trouvée sur la plateforme avant sa réponse",
	"proven absent at the platform; sent again":                              "absence prouvée sur la plateforme ; renvoyée",
	"resolved by a person: not at the platform":                              "décision d'une personne : absente de la plateforme",
	"the program stopped before the answer was recorded":                     "le programme s'est arrêté avant d'enregistrer la réponse",
}

// frenchBeginnings are notes that end with data.
var frenchBeginnings = map[string]string{
	"resolved by a person: sent as ": "décision d'une personne : envoyée sous ",
	"released by dropping ":          "libérée par le dépôt de ",
	"led to ":                        "résultat : ",
}
