package problem

import (
	"strings"
	"testing"
)

func TestAProblemSaysWhereItIs(t *testing.T) {
	for _, c := range []struct {
		name   string
		at     Position
		fr, en string
	}{
		{name: "CSV", at: Position{File: "ventes.csv", Row: 14, Column: "TVA"}, fr: `ventes.csv, ligne 14, colonne "TVA"`, en: `ventes.csv, row 14, column "TVA"`},
		{name: "XLSX", at: Position{File: "ventes.xlsx", Sheet: "Lignes", Row: 2, Column: "C"}, fr: `ventes.xlsx, feuille "Lignes", ligne 2, colonne "C"`, en: `ventes.xlsx, sheet "Lignes", row 2, column "C"`},
		{name: "XML", at: Position{File: "ventes.xml", Path: "Invoice/ID"}, fr: "ventes.xml, Invoice/ID", en: "ventes.xml, Invoice/ID"},
		{name: "nowhere"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := Problem{Position: c.at}
			if fr, en := p.Where(French), p.Where(English); fr != c.fr || en != c.en {
				t.Errorf("got %q and %q, want %q and %q", fr, en, c.fr, c.en)
			}
		})
	}
}

func TestTextsAreFilled(t *testing.T) {
	p := Problem{Code: "E3101", Value: "51.03", Expected: "51.00",
		Position: Position{File: "ventes.csv", Row: 14},
		Args:     map[string]string{"line": "1", "quantity": "2", "price": "25.50"}}
	for lang, want := range map[Lang]string{
		French:  "Ligne de facture 1 : le montant net est 51,03, mais 2 x 25,50 = 51,00.",
		English: "Invoice line 1: the net amount is 51.03, but 2 x 25.50 = 51.00.",
	} {
		if got := p.Message(lang); got != want {
			t.Errorf("%s: got %q, want %q", lang, got, want)
		}
		if p.Remedy(lang) == "" {
			t.Errorf("%s: no remedy", lang)
		}
	}
	if got := p.Error(); !strings.HasPrefix(got, "ventes.csv, row 14: Invoice line 1") {
		t.Errorf("as an error: %q", got)
	}
}

// TestFiguresReadAsInFranceAndTextsOfFilesAsTheyStand: 1.234 in a file must not
// be shown as another text than the one to look for.
func TestFiguresReadAsInFranceAndTextsOfFilesAsTheyStand(t *testing.T) {
	for _, c := range []struct{ code, value, want string }{
		{"E3102", "-51.03", "-51,03"}, {"E2214", "51.03", "51,03"}, {"E3102", "2026.01.15", "2026.01.15"}, {"E3102", "100", "100"},
		{"E2202", "1.234", "1.234"}, {"E2201", "12.5", "12.5"},
	} {
		p := Problem{Code: c.code, Value: c.value}
		if got := p.Message(French); !strings.Contains(got, c.want) {
			t.Errorf("%s %s: %s", c.code, c.value, got)
		}
		if got := p.Message(English); !strings.Contains(got, c.value) {
			t.Errorf("%s %s: %s", c.code, c.value, got)
		}
	}
}

// A value comes from outside and may look like a placeholder.
func TestAValueIsNotATemplate(t *testing.T) {
	p := Problem{Code: "E3301", Value: "{expected}", Expected: "EUR"}
	if got := p.Message(English); got != `The currency "{expected}" does not exist.` {
		t.Errorf("got %q", got)
	}
}

// An accountant reads of totals, the admin of the mapping's field.
func TestReceivedInvoicesAreToldWithoutDottedNames(t *testing.T) {
	for _, c := range []struct{ code, field, want string }{
		{"E5903", "totals.total_amount_including_tax", "Les montants ne concordent pas : le total TTC vaut 170, le calcul donne 150."},
		{"E5903", "totals.other", "Les montants ne concordent pas : totals.other vaut 170, le calcul donne 150."},
		{"E4021", "issue_date", "La plateforme exige une valeur pour issue_date : « 170 »."},
	} {
		if got := (Problem{Code: c.code, Field: c.field, Value: "170", Expected: "150"}).Message(French); got != c.want {
			t.Errorf("%s: %s", c.code, got)
		}
	}
}

func TestLogsShowFiguresNotPeople(t *testing.T) {
	for _, c := range []struct{ field, value, want string }{
		{"recipient.name", "Jeanne Martin", veil},
		{"recipient.email", "jeanne@example.com", veil},
		{"recipient.fiscal_id", "JEANNE MARTIN", veil}, // the columns were swapped
		{"recipient.fiscal_id", "12345", "12345"},
		{"total_amount_including_tax", "12,5O", "12,5O"},
		{"", "ab cdefgh", veil},
	} {
		if got := (Problem{Code: "E3701", Field: c.field, Value: c.value}).Discreet().Value; got != c.want {
			t.Errorf("%s %q: shown as %q, want %q", c.field, c.value, got, c.want)
		}
	}
}

func TestLogsSayWhatTheMappingOrTheNetworkSaid(t *testing.T) {
	for _, c := range []struct {
		p    Problem
		want string
	}{
		{Problem{Code: "E2001", Value: "N° facture", Expected: "Jeanne Martin"}, "La colonne « N° facture » est absente du fichier. À la place, le fichier a : « … »."},
		{Problem{Code: "E2101", Value: "3", Expected: "18", Position: Position{Row: 5}}, "La ligne 5 a 3 cellules au lieu de 18."},
		{Problem{Code: "E4013", Value: "connection refused"}, "injoignable : connection refused."},
		{Problem{Code: "E4000", Value: "Jeanne Martin is unknown"}, "a refusé : « … »"},
	} {
		d := c.p.Discreet()
		if got := d.Message(French) + " " + d.Remedy(French); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s", c.p.Code, got)
		}
	}
}
