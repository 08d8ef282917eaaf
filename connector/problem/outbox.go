package problem

// outboxEntries are what the way out finds besides mistakes of a file, a value
// or a rule.
var outboxEntries = []Entry{
	{
		Code:      "E5201",
		MessageFR: "Une autre facture du même fichier est refusée, et ce dépôt n'accepte que des fichiers entiers.",
		WhatFR:    "Corrigez les autres factures du fichier, puis redéposez-le en entier.",
		MessageEN: "Another invoice of the same file is refused, and this drop takes whole files only.",
		WhatEN:    "Correct the other invoices of the file, then drop it again as a whole.",
	},
	{
		Code:      "E5202",
		MessageFR: "C'est la dernière facture d'un fichier dont rien ne prouve qu'il est complet : elle part dans {wait}.",
		WhatFR:    "Rien à faire. Si le fichier était coupé, redéposez-le en entier avant ce délai : la version complète remplace celle-ci.",
		MessageEN: "This is the last invoice of a file that nothing proves to be whole: it goes in {wait}.",
		WhatEN:    "Nothing to do. If the file was cut, drop it again as a whole before then: the whole version replaces this one.",
	},
	{
		Code:      "E5203",
		MessageFR: "Le modèle de lecture laisse cette facture de côté : {value}.",
		WhatFR:    "Rien à faire si c'est voulu ; sinon, changez la condition « where » du modèle.",
		MessageEN: "The mapping leaves this invoice out: {value}.",
		WhatEN:    "Nothing to do if that is intended; otherwise change the mapping's \"where\".",
	},
	{
		Code:      "E5204",
		MessageFR: "Le dépôt « {value} » d'où vient ce fichier n'est plus dans la configuration.",
		WhatFR:    "Redéposez le fichier dans un dossier de dépôt configuré.",
		MessageEN: "The drop \"{value}\" that this file came through is not in the configuration any more.",
		WhatEN:    "Drop the file again in a configured drop folder.",
	},
	{
		Code:      "E5205",
		MessageFR: "Les factures déjà envoyées n'ont pas pu être relues sur la plateforme : {value}",
		WhatFR:    "Rien ne part tant qu'elles ne sont pas relues, pour ne rien envoyer deux fois. Vérifiez la connexion et le jeton ; la suite est automatique.",
		MessageEN: "The invoices sent before could not be read from the platform: {value}",
		WhatEN:    "Nothing is sent until they are, so that nothing goes twice. Check the connection and the token; the rest goes by itself.",
	},
}
