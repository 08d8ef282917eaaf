package problem

import (
	"strings"
	"testing"
)

// officialReasons is the list of the French life cycle (statuses 200 to 221 and 501).
const officialReasons = `MONTANTTOTAL_ERR CALCUL_ERR DOUBLON DEST_INC ADR_ERR REJ_SEMAN REJ_UNI REJ_COH REJ_ADR REJ_CONT_B2G REJ_REF_PJ REJ_ASS_PJ
TX_TVA_ERR NON_CONFORME DEST_ERR TRANSAC_INC EMMET_INC CONTRAT_TERM DOUBLE_FACT CMD_ERR REF_CT_ABSENT
RETRAIT_MAN_SERV ST_CT_NON_DECLAR SUPPR_COMP_AVOIR TRANSF_PMNT_REGIE AUTRE COORD_BANC_ERR LIVR_INCOMP CONTACT_ACHTR
SIRET_ERR CODE_ROUTAGE_ERR REF_ERR PU_ERR REM_ERR QTE_ERR ART_ERR MODPAI_ERR QUALITE_ERR JUSTIF_ABS ROUTAGE_ERR NON_TRANSMISE
IRR_VIDE_F IRR_TYPE_F IRR_SYNTAX IRR_TAILLE_PJ IRR_NOM_PJ IRR_VID_PJ IRR_EXT_DOC IRR_TAILLE_F IRR_ANTIVIRUS IRR_NOM_F`

func TestEveryOfficialReasonIsExplained(t *testing.T) {
	for _, official := range strings.Fields(officialReasons) {
		p, ok := OfReason(official, "le texte")
		if !ok || !KnownReason(official) {
			t.Errorf("%s is not known", official)
			continue
		}
		if !strings.Contains(p.Message(French), official) || p.Rule != official || p.Value != "le texte" {
			t.Errorf("%s: %+v", official, p)
		}
	}
	if _, ok := OfReason("SOMETHING_NEW", ""); ok {
		t.Error("an unknown reason is explained")
	}
}

func TestPlatformEntriesAreWholeInBothLanguages(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range platformEntries {
		if seen[e.Code] || !strings.HasPrefix(e.Code, "E4") {
			t.Errorf("code %s", e.Code)
		}
		seen[e.Code] = true
		for _, text := range []string{e.MessageFR, e.WhatFR, e.MessageEN, e.WhatEN} {
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s lacks a text", e.Code)
			}
		}
		for _, placeholder := range []string{"{value}", "{field}"} {
			if strings.Contains(e.MessageFR, placeholder) != strings.Contains(e.MessageEN, placeholder) {
				t.Errorf("%s shows %s in one language only", e.Code, placeholder)
			}
		}
	}
}
