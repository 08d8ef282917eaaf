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

// told is an error in the language of the configuration; its cause decides the
// exit code.
type told struct {
	text  string
	cause error
}

func (e told) Error() string { return e.text }

func (e told) Unwrap() error { return e.cause }

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
	"  The invoice %s that is shown further up is refused as well.\n\n": "  La facture %s montrée plus haut est donc refusée elle aussi.\n\n",
	"  totals check: %s\n":         "  contrôle des totaux : %s\n",
	"%s %s as the lines":           "%s %s comme les lignes",
	"%s %s, but the lines give %s": "%s %s, mais les lignes font %s",
	"the file states none":         "le fichier n'en indique pas",
	"net":                          "HT", "VAT": "TVA", "total": "TTC",
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
	"notice: drop %s: the folder %s is not there; einvoice run makes it, but if the ERP writes elsewhere nothing will ever come: check the spelling, and that a share is mounted":                                                                              "remarque : dépôt %s : le dossier %s n'existe pas ; einvoice run le crée, mais si le logiciel de gestion écrit ailleurs, rien n'arrivera jamais : vérifiez l'orthographe, et que le partage est monté",
	"notice: drop %s, mapping %s: nothing proves that an export is whole, so its last invoice waits %s (tail_hold); let the ERP rename the file into place and set complete = \"on-appearance\"":                                                               "remarque : dépôt %s, modèle %s : rien ne prouve qu'un export est complet, sa dernière facture attend donc %s (tail_hold) ; faites renommer le fichier par le logiciel de gestion une fois écrit, et réglez complete = \"on-appearance\"",

	// doctor
	"%s: ":                      "%s : ",
	"OK":                        "OK",
	"WARN":                      "AVIS",
	"FAIL":                      "ÉCHEC",
	"%d OK, %d WARN, %d FAIL\n": "%d OK, %d AVIS, %d ÉCHEC(S)\n",

	// status
	"environment\t%s\t%s\n":                                                    "environnement\t%s\t%s\n",
	"daemon\tnot running: nothing is read or sent\n":                           "service\tarrêté : rien n'est lu ni envoyé\n",
	"daemon\trunning, process %d\n":                                            "service\ten marche, processus %d\n",
	"company\t%s\n":                                                            "société\t%s\n",
	"  last export\t%s\n":                                                      "  dernier export\t%s\n",
	"  at the platform: %s\t%d\n":                                              "  à la plateforme : %s\t%d\n",
	"  supplier invoices %s\t%d\n":                                             "  factures fournisseurs %s\t%d\n",
	"  supplier invoices to check\t%d\n":                                       "  factures fournisseurs à vérifier\t%d\n",
	"sending for %s is stopped: %s\n":                                          "l'envoi de %s est arrêté : %s\n",
	"answers not written yet: %d\n":                                            "réponses pas encore écrites : %d\n",
	"calls to the platform today: %d of %d (inbox.poll.budget)\n":              "interrogations de la plateforme aujourd'hui : %d sur %d (inbox.poll.budget)\n",
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
	"released":  "décidé",
	"answered":  "réponse",
	"lookup":    "recherche",
	"event":     "événement",
	"callback":  "rappel",
	"request":   "demande",
	"published": "publié",
	"alert":     "alerte",

	// what people ask for
	" or ":                              " ou ",
	"%s: %d invoice(s)\n":               "%s : %d facture(s)\n",
	"release: %d supplier invoice(s)\n": "release : %d facture(s) fournisseur\n",
	"resolve: %s is %s\n":               "resolve : %s, désormais %s\n",
	"replay-results: %d file(s) written again\n":                                                 "replay-results : %d fichier(s) récrit(s)\n",
	"replay-results: %d file(s) not written: they are kept no longer (retention.payload_days)\n": "replay-results : %d fichier(s) non récrit(s) : ils ne sont plus conservés (retention.payload_days)\n",
	"registers: %d written\n":                     "registers : %d registre(s) écrit(s)\n",
	"delivered again: %s\n":                       "remise de nouveau : %s\n",
	"delivered to the ERP again: %d invoice(s)\n": "remise de nouveau à l'ERP : %d facture(s)\n",
	"asked the platform about %d invoice(s)\n":    "plateforme interrogée sur %d facture(s)\n",
	"fetch: everything from %s on is here\n":      "fetch : tout ce qui date du %s et d'après est là\n",
	"fetch: not everything from %s on could be read now; ask again later (einvoice status shows the day's calls)\n":                     "fetch : tout n'a pas pu être lu depuis le %s ; redemandez plus tard (einvoice status montre les interrogations du jour)\n",
	"%q: no invoice of this number or file is %s; einvoice queue lists those that are open":                                             "%q : aucune facture de ce numéro ou de ce fichier n'est dans l'état « %s » ; einvoice queue liste celles qui sont ouvertes",
	"%q is the number of a held invoice of yours and of a supplier's; name the supplier's by its id (%s), yours by its ERP key or file": "%q est le numéro d'une de vos factures retenues et d'une facture fournisseur ; désignez celle du fournisseur par son identifiant (%s), la vôtre par sa clé ERP ou son fichier",
	"resolve %q: %d held invoices have this number; name one by its ERP key":                                                            "resolve %q : %d factures retenues ont ce numéro ; désignez-en une par sa clé ERP",
	"the daemon reads its configuration again; its log says what came of it\n":                                                          "le service relit sa configuration ; son journal dit ce qu'il en est\n",
	"no daemon runs with this configuration; set log.level":                                                                             "aucun service n'est en marche avec cette configuration ; réglez log.level",
	"no daemon runs with this configuration":                                                                                            "aucun service n'est en marche avec cette configuration",
	"log level %q is not one of %s":                                                                                                     "le niveau de journal %q n'est pas l'un de %s",
	"the log's level is %s until the next reload or start\n":                                                                            "le niveau du journal est %s jusqu'à la prochaine relecture ou au prochain démarrage\n",

	// the ledger, its backup, its restore
	"the ledger in %s is in use: process %d has it; only one einvoice may run with a configuration, stop the other first": "le registre de %s est en service (processus %d) ; un seul einvoice peut tourner avec une configuration, arrêtez d'abord l'autre",
	"the ledger is in use: process %d has it and takes no requests; wait until it ends":                                   "le registre est en service (processus %d, qui ne prend pas de demandes) ; attendez qu'il se termine",
	"the daemon ended while it did this; look with trace, then ask again":                                                 "le démon s'est arrêté pendant cette demande ; vérifiez avec trace, puis redemandez",
	"the ledger is in use: process %d has it; stop the service first":                                                     "le registre est en service (processus %d) ; arrêtez d'abord le service",
	"%s: %d invoices, %d spool files, %d blobs, verified\n":                                                               "%s : %d factures, %d fichiers déposés, %d contenus, vérifiés\n",
	"%s is inside the ledger's own folder; name another one, best on another disk":                                        "%s est dans le dossier même du registre ; donnez-en un autre, de préférence sur un autre disque",
	"%s is no whole backup, and nothing was changed; name a folder einvoice-backup-...: %s":                               "%s n'est pas une sauvegarde complète, et rien n'a été modifié ; donnez un dossier einvoice-backup-... : %s",
	"there is a ledger in %s already; with --replace it is kept beside it under another name":                             "il y a déjà un registre dans %s ; avec --replace, il est gardé à côté sous un autre nom",
	"the ledger that was there is now %s\n":                                                                               "l'ancien registre est maintenant %s\n",
	"restored the ledger of %s: %d invoices; the next start reads what the platform has before it sends\n":                "registre du %s rétabli : %d factures ; le prochain démarrage relit ce que la plateforme possède avant tout envoi\n",
}
