package problem

import "slices"

// Case is what to do instead of a code's remedy, when the word Arg of a problem's
// Args is Is.
type Case struct {
	Arg, Is        string
	WhatFR, WhatEN string
}

// Cases lists those of a code; the first that applies counts.
func Cases(code string) []Case {
	if code != "E5001" {
		return nil
	}
	return []Case{{
		Arg: "platform_state", Is: "ERROR",
		WhatFR: "Celle-ci ne part pas. La première a échoué après son envoi : son dernier statut dans les retours dit pourquoi et que faire, d'ordinaire un avoir ou une facture rectificative sous un nouveau numéro.",
		WhatEN: "This one is not sent. The first failed after it was sent: its latest status in the results says why and what to do, usually a credit note or a corrective invoice under a new number.",
	}, {
		Arg: "state", Is: "held",
		WhatFR: "Celle-ci ne part pas, et la première non plus tant que personne ne décide : voyez-en la raison dans le dossier des factures à vérifier ou avec « einvoice queue », puis libérez la première si elle doit partir.",
		WhatEN: "This one is not sent, nor is the first until somebody decides: see the reason in the to-check folder or with \"einvoice queue\", then release the first if it is to go.",
	}, {
		Arg: "state", Is: "queued",
		WhatFR: "Celle-ci ne part pas ; la première part d'elle-même. Si elle n'est pas partie sous peu, « einvoice status » dit ce qui arrête l'envoi.",
		WhatEN: "This one is not sent; the first goes by itself. If it has not gone soon, \"einvoice status\" says what stops the sending.",
	}, {
		Arg: "state", Is: "waiting",
		WhatFR: "Celle-ci ne part pas ; la première part d'elle-même, à la fin de son délai ou après la facture dont elle dépend (« einvoice queue »).",
		WhatEN: "This one is not sent; the first goes by itself, at the end of its delay or after the invoice that it depends on (\"einvoice queue\").",
	}, {
		Arg: "state", Is: "uncertain",
		WhatFR: "Celle-ci ne part pas. La première est recherchée sur la plateforme ; si le doute demeure, elle passe à vérifier.",
		WhatEN: "This one is not sent. The first is looked up at the platform; if the doubt remains, it comes to be checked.",
	}}
}

// inCase puts the remedy of the problem's case into its entry.
func (p Problem) inCase(e Entry) Entry {
	cases := Cases(p.Code)
	if i := slices.IndexFunc(cases, func(c Case) bool { return p.Args[c.Arg] == c.Is }); i >= 0 {
		e.WhatFR, e.WhatEN = cases[i].WhatFR, cases[i].WhatEN
	}
	return e
}
