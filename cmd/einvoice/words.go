package main

import (
	"fmt"

	"einvoice/connector/problem"
)

// say writes a text in the language of the configuration; the English format is
// its name. Codes, names of settings and of commands are the same in both.
func (c *Config) say(format string, args ...any) string { return translated(c.lang(), format, args...) }

// translated is say for what has no configuration.
func translated(lang problem.Lang, format string, args ...any) string {
	if french, known := inFrench[format]; known && lang == problem.French {
		format = french
	}
	return fmt.Sprintf(format, args...)
}

// figure writes an amount with the decimal sign of the language.
func (c *Config) figure(a fmt.Stringer) string { return figure(c.lang(), a.String()) }

func figure(lang problem.Lang, text string) string {
	if lang == problem.French {
		return problem.Figure(text)
	}
	return text
}

// inFrench are the texts of the commands that people look at, by the English
// one. A test finds the texts that are missing here.
var inFrench = map[string]string{
	// queue
	"no invoice is open\n": "aucune facture n'est en attente\n",
	"STATE\tCOMPANY\tNUMBER\tAMOUNT\tFILE, ROW\tSINCE\tWHY\n": "ÉTAT\tSOCIÉTÉ\tNUMÉRO\tMONTANT\tFICHIER, LIGNE\tDEPUIS\tRAISON\n",
	" (not before %s)": " (pas avant %s)",
	"NUMBER":           "NUMÉRO",
	// init
	"everything is there already; nothing was changed\n": "tout est déjà là ; rien n'a été modifié\n",
	"made %s\n": "créé %s\n",
	"\nNext: edit %s, then\n  einvoice check -c %s\nTo try it here: einvoice sandbox, and in another terminal\n  einvoice register -c %s\n  einvoice run -c %s\n": "\nEnsuite : modifiez %s, puis\n  einvoice check -c %s\nPour essayer ici : einvoice sandbox, et dans un autre terminal\n  einvoice register -c %s\n  einvoice run -c %s\n",
	// preview
	"%d invoice(s), %d refused; mapping %s": "%d facture(s), %d refusée(s) ; modèle %s",
	", encoding %s":                         ", encodage %s",
	"  totals check: %s\n":                  "  contrôle des totaux : %s\n",
	"%s %s as the lines":                    "%s %s comme les lignes",
	"%s %s, but the lines give %s":          "%s %s, mais les lignes font %s",
	"the file states none":                  "le fichier n'en indique pas",
	"net":                                   "HT", "VAT": "TVA", "total": "TTC",
	"columns not used: %s\n":                                               "colonnes non utilisées : %s\n",
	"codes missing from [map.%s]: %s\n":                                    "codes absents de [map.%s] : %s\n",
	"%d row(s) read, %d line(s), %d document(s) left out by the mapping\n": "%d ligne(s) du fichier lue(s), %d ligne(s) de facture, %d document(s) écarté(s) par le modèle\n",
	"%s %s  %s  (row %s)  %s\n":                                            "%s %s  %s  (ligne %s)  %s\n",
	"  from %s %s\n  to   %s %s %s\n":                                      "  de %s %s\n  à  %s %s %s\n",
	"  VAT %s%% of %s: %s\n":                                               "  TVA %s %% de %s : %s\n",
	"  net %s  VAT %s  total %s %s\n":                                      "  HT %s  TVA %s  TTC %s %s\n",
	"  %d attachment(s): %s\n":                                             "  %d pièce(s) jointe(s) : %s\n",
	"of yours":                                                             "de vous",
	"built in":                                                             "fourni",
	"invoice":                                                              "facture",
	"credit note":                                                          "avoir",
	"refuse":                                                               "refusé",
	"hold":                                                                 "à vérifier",
	"warn":                                                                 "attention",
	"QUEUED":                                                               "à envoyer", "REFUSED": "refusée", "DUPLICATE": "déjà connue", "CONFLICT": "en conflit",
	"SUPERSEDED": "remplacée", "IGNORED": "ignorée", "HELD": "à vérifier", "WAITING": "en attente",

	// check
	"%s:\n":                          "%s :\n",
	"configuration invalid":          "configuration incorrecte",
	"configuration invalid: mapping": "configuration incorrecte : modèle",
	"%s: no mistakes\n":              "%s : aucune erreur\n",
	"notice: drop %s: a server with profile = \"compat\" may delete a file once it was read; what a crash or a cut connection interrupts is then lost there: keep the exports in the ERP until they are acknowledged, and files appear on it without a rename": "remarque : dépôt %s : un serveur avec profile = \"compat\" peut supprimer un fichier dès qu'il a été lu ; ce qu'une panne ou une coupure interrompt y est alors perdu : gardez les exports dans le logiciel de gestion jusqu'à leur accusé, et les fichiers y apparaissent sans renommage",
	"notice: drop %s, mapping %s: nothing proves that an export is whole, so its last invoice waits %s (tail_hold); let the ERP rename the file into place and set complete = \"on-appearance\"":                                                               "remarque : dépôt %s, modèle %s : rien ne prouve qu'un export est complet, sa dernière facture attend donc %s (tail_hold) ; faites renommer le fichier par le logiciel de gestion une fois écrit, et réglez complete = \"on-appearance\"",

	// status
	"environment\t%s\t%s\n":                                       "environnement\t%s\t%s\n",
	"company\t%s\n":                                               "société\t%s\n",
	"  last export\t%s\n":                                         "  dernier export\t%s\n",
	"  at the platform: %s\t%d\n":                                 "  à la plateforme : %s\t%d\n",
	"  supplier invoices %s\t%d\n":                                "  factures fournisseurs %s\t%d\n",
	"  supplier invoices to check\t%d\n":                          "  factures fournisseurs à vérifier\t%d\n",
	"sending for %s is stopped: %s\n":                             "l'envoi de %s est arrêté : %s\n",
	"answers not written yet: %d\n":                               "réponses pas encore écrites : %d\n",
	"calls to the platform today: %d of %d (inbox.poll.budget)\n": "interrogations de la plateforme aujourd'hui : %d sur %d (inbox.poll.budget)\n",
	"callbacks are silent since %s; polling finds what they would have told\n": "les rappels de la plateforme se taisent depuis %s ; l'interrogation trouve ce qu'ils auraient annoncé\n",
	"queued":     "à envoyer",
	"waiting":    "en attente",
	"sending":    "en cours d'envoi",
	"uncertain":  "incertaine(s)",
	"held":       "retenue(s), à vérifier",
	"sent":       "envoyée(s)",
	"rejected":   "rejetée(s) par la plateforme",
	"refused":    "refusée(s)",
	"conflict":   "en conflit",
	"duplicate":  "déjà connue(s)",
	"superseded": "remplacée(s)",
	"ignored":    "ignorée(s)",
	"seen":       "annoncée(s)",
	"fetched":    "lue(s)",
	"built":      "préparée(s)",
	"delivered":  "remise(s)",

	// trace
	"%s  company %s  %s  %s\n": "%s  société %s  %s  %s\n",
	"supplier invoice %s":      "facture fournisseur, %s",
	"%s  take %d of %s, %s, %d bytes, mapping %q version %s, SHA-256 %s\n  original: %s\n":                "%s  dépôt n° %d de %s, %s, %d octets, modèle %q version %s, SHA-256 %s\n  original : %s\n",
	"trace %q: no invoice, sent or received, has this number, API id or ERP key, and no export this name": "trace %q : aucune facture émise ou reçue n'a ce numéro, cet identifiant ou cette clé, et aucun export ce nom",
	"taken":     "reçu",
	"archived":  "archivé",
	"mapped":    "lu",
	"failed":    "illisible",
	"released":  "libéré",
	"answered":  "réponse",
	"lookup":    "recherche",
	"event":     "événement",
	"callback":  "rappel",
	"request":   "demande",
	"published": "publié",
	"alert":     "alerte",
}
