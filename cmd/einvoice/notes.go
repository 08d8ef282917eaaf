package main

// folderNote is the name and text of the note in one of the people's folders.
func folderNote(language, folder string) (name, text string) {
	if language == "en" {
		return "README.txt", notesEN[folder]
	}
	return "LISEZMOI.txt", notesFR[folder]
}

// limits says what the API gives no way to do, in the folders where somebody
// might look for it.
const limitsFR = `
Ce que le connecteur ne peut pas faire, car la plateforme ne l'offre pas : refuser ou approuver
une facture fournisseur, déclarer un encaissement (statut 212), faire l'e-reporting. Cela se fait
sur le portail de votre plateforme. Ce dossier n'est pas une archive certifiée.
`

const limitsEN = `
What the connector cannot do, as the platform offers no way: refuse or approve a supplier invoice,
report a payment received (status 212), do e-reporting. That is done on your platform's portal.
This folder is not a certified archive.
`

var notesFR = map[string]string{
	"drop": `FACTURES À ENVOYER

L'ERP dépose ici ses exports (CSV, XLSX, XML, largeur fixe). Écrivez d'abord sous un autre nom (par
exemple ventes.csv.tmp), puis renommez : le fichier n'est ainsi jamais lu à moitié écrit.
Chaque fichier lu part dans les archives ; la réponse arrive dans le dossier des retours.
Une copie corrigée se dépose ici aussi. Une facture déjà envoyée n'est jamais envoyée deux fois.
`,
	"results": `RETOURS POUR L'ERP

Pour chaque fichier déposé : <fichier>.<numéro>.ack.csv, une ligne par facture, et un résumé.
Ensuite, status_<société>_<date>_<numéro>.csv à chaque changement de statut.
Un nom ne sert qu'une fois. L'ERP peut lire et supprimer ces fichiers.
`,
	"refused": `FACTURES REFUSÉES, À CORRIGER

Chaque fichier contient seulement les factures refusées, avec trois colonnes de plus : l'erreur,
la colonne en cause, comment corriger. Corrigez, enregistrez sous le même nom, déposez le fichier
dans le dossier des factures à envoyer. Laissez les colonnes ajoutées : elles sont ignorées à la
lecture. Un fichier XML ou en largeur fixe n'a pas ces colonnes : lisez le rapport (.report.csv) à
côté, qui dit la même chose. Les factures déjà acceptées ne repartent jamais.
Quand une note (.refused.done.txt) dit que tout est envoyé, vous pouvez supprimer ces fichiers.
`,
	"to_check": `FACTURES À VÉRIFIER

Ces factures attendent une décision. La raison est indiquée. Pour libérer une facture, écrivez
"oui" dans la colonne _liberer et déposez le fichier, sous le même nom, dans le dossier des factures
à envoyer. Si elle est fausse, corrigez-la dans ce fichier avant de le déposer. Un fichier XML ou en
largeur fixe n'a pas cette colonne : votre informaticien libère la facture par la commande
« einvoice release NUMÉRO ». Une fois tout décidé, vous pouvez supprimer le fichier.
`,
	"archive": `ARCHIVES

Les originaux des fichiers déposés, par mois. N'y touchez pas. Rien n'y est supprimé.
`,
	"inbox": `FACTURES REÇUES

Un dossier par facture fournisseur, rangé par mois de réception : le PDF lisible, les pièces
jointes, les données d'origine (invoice.json) et un fichier pour l'import (invoice.csv).
Vous pouvez déplacer ces dossiers : le connecteur n'y revient jamais.
Le registre du mois (registre-AAAA-MM) liste toutes les factures reçues ; factures-emises-AAAA-MM,
celles que vous avez envoyées. Un dossier a_verifier, s'il est là, contient les factures à contrôler
avant de les comptabiliser : alertes.txt dit pourquoi.
` + limitsFR,
}

var notesEN = map[string]string{
	"drop": `INVOICES TO SEND

The ERP leaves its exports here (CSV, XLSX, XML, fixed width). Write under another name first (such
as sales.csv.tmp), then rename: the file is then never read half written.
Each file that was read goes to the archive; the answer comes in the results folder.
A corrected copy is dropped here as well. An invoice is never sent twice.
`,
	"results": `ANSWERS FOR THE ERP

For each dropped file: <file>.<number>.ack.csv, one line per invoice, and a summary.
Later, status_<company>_<date>_<number>.csv whenever a status changes.
No name comes twice. The ERP may read and delete these files.
`,
	"refused": `REFUSED INVOICES, TO CORRECT

Each file has only the refused invoices, with three more columns: the error, the column at fault,
how to fix it. Correct it, save it under the same name, and drop it in the folder of invoices to
send. Leave the added columns: they are ignored. An XML or fixed-width file has no such columns:
read the report (.report.csv) beside it, which says the same. Invoices that were accepted never go
again. When a note (.refused.done.txt) says that all were sent, you may delete these files.
`,
	"to_check": `INVOICES TO CHECK

These invoices wait for a decision; the reason is given. To release one, write "yes" in the column
_release and drop the file, under the same name, in the folder of invoices to send. If it is wrong,
correct it in that file before you drop it. An XML or fixed-width file has no such column: your IT
admin releases the invoice by "einvoice release NUMBER". Once all is decided you may delete the file.
`,
	"archive": `ARCHIVE

The originals of dropped files, by month. Do not touch. Nothing is deleted here.
`,
	"inbox": `RECEIVED INVOICES

One folder per supplier invoice, by month of reception: the readable PDF, the attachments, the
original data (invoice.json) and a file for import (invoice.csv). You may move these folders: the
connector never comes back to them. The month's register (register-YYYY-MM) lists all received
invoices; invoices-issued-YYYY-MM those that you sent. A folder to-check, if it is there, has the
invoices to look at before you book them: alerts.txt says why.
` + limitsEN,
}
