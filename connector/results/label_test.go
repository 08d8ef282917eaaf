package results

import (
	"strings"
	"testing"

	"einvoice/connector"
	"einvoice/connector/problem"
)

func TestLabels(t *testing.T) {
	for _, c := range []struct {
		status connector.Status
		fr, en string
	}{
		{connector.Status{State: "NEW", External: "submitted", Code: 200}, "Déposée", "Submitted"},
		{connector.Status{Code: 210}, "Refusée", "Refused"},
		{connector.Status{Code: 228}, "Non affacturée", "Not factored"},
		{connector.Status{Code: 501}, "Irrecevable", "Inadmissible"},
		{connector.Status{Code: 299, State: "SENT", External: "in_orbit"}, "in_orbit", "in_orbit"},
		{connector.Status{State: "DONE"}, "Remise au destinataire", "Delivered"},
		{connector.Status{State: "PARKED"}, "PARKED", "PARKED"},
	} {
		if got := Label(c.status, problem.French); got != c.fr {
			t.Errorf("French label of %+v: %q, want %q", c.status, got, c.fr)
		}
		if got := Label(c.status, problem.English); got != c.en {
			t.Errorf("English label of %+v: %q, want %q", c.status, got, c.en)
		}
	}
}

func TestEveryCodeOfTheLifeCycleHasALabel(t *testing.T) {
	for code := 200; code <= 214; code++ {
		if _, ok := lifecycle(code); !ok {
			t.Errorf("%d has no label", code)
		}
	}
	for _, code := range []int{220, 221, 224, 225, 226, 227, 228, 501} {
		if w, ok := lifecycle(code); !ok || w.fr == "" || w.en == "" {
			t.Errorf("%d has no label", code)
		}
	}
}

// What French practice asks of the sender; a wrong word here makes somebody send
// an invoice twice.
func TestWhatTheSenderMustDo(t *testing.T) {
	for _, c := range []struct {
		name   string
		status connector.Status
		fr, en string // what the text has to say
	}{
		{"inadmissible: same number again", connector.Status{Code: 501}, "sous le même numéro", "under the same number"},
		{"routing error: replay unchanged", connector.Status{Code: 221}, "sans la modifier", "unchanged"},
		{"rejected: new invoice, new number", connector.Status{Code: 213}, "nouveau numéro", "new number"},
		{"refused by the buyer: credit note", connector.Status{Code: 210}, "avoir ou une facture rectificative", "credit note or a corrective invoice"},
		{"dispute: settle it", connector.Status{Code: 207}, "Ne redéposez pas", "Do not send the invoice again"},
		{"suspended: complement", connector.Status{Code: 208}, "N'émettez pas de nouvelle facture", "Do not issue a new invoice"},
		{"no platform: duplicate by other means", connector.Status{Code: 200, ReasonCode: "NON_TRANSMISE"}, "duplicata", "duplicate"},
		{"error without a code: look first", connector.Status{State: "ERROR"}, "portail", "portal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := WhatToDo(c.status, problem.French); !strings.Contains(got, c.fr) {
				t.Errorf("French: %q", got)
			}
			if got := WhatToDo(c.status, problem.English); !strings.Contains(got, c.en) {
				t.Errorf("English: %q", got)
			}
		})
	}
	for _, code := range []int{0, 200, 201, 202, 203, 204, 205, 209, 211, 212} {
		if got := WhatToDo(connector.Status{Code: code}, problem.French); got != "" {
			t.Errorf("%d asks for %q although nothing is to be done", code, got)
		}
	}
}
