package pdf

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"einvoice/connector"
	"einvoice/connector/problem"
)

var received = time.Date(2026, 11, 12, 9, 30, 0, 0, time.UTC)

// sample is an invoice with n lines.
func sample(n int) connector.Invoice {
	inv := connector.Invoice{
		Number: "F2026-0417", Type: "380", IssueDate: "2026-11-10", DueDate: "2026-12-31", Currency: "EUR",
		Seller: connector.Party{
			Name: "Œuvre & Fils SARL", FiscalID: "73282932000074", VATID: "FR44732829320", Email: "compta@oeuvre.example",
			Address: connector.Address{Street: "12 rue de l'Église", ZIP: "69003", City: "Lyon", Country: "FR"},
		},
		Buyer: connector.Party{
			Name: "Wałęsa Großhandel Ğüven", FiscalID: "200000008", VATID: "FR40303265045",
			Address: connector.Address{Street: "4 quai Saint-Vincent\nBâtiment C", ZIP: "33000", City: "Bordeaux", Country: "FR"},
		},
		Notes: []string{
			"Indemnité forfaitaire pour frais de recouvrement en cas de retard de paiement : 40 EUR.",
			"Tout retard de paiement entraîne des pénalités au taux de trois fois l'intérêt légal.",
			"Pas d'escompte pour paiement anticipé.",
		},
		Attached: []connector.Attachment{{Filename: "bon_livraison_8841.pdf", Description: "BON_LIVRAISON"}},
	}
	inv.Payment = connector.Payment{
		Means: "30", IBAN: "FR7630006000011234567890189", BIC: "AGRIFRPP",
		Terms: "30 jours fin de mois", Deliver: "2026-11-09", Frame: "M1",
	}
	inv.Buying = connector.Buying{CommitmentNumber: "ENG-2026-77", ServiceCode: "SERV-ACHATS"}
	for i := range n {
		l := connector.Line{
			Description: fmt.Sprintf("Vis à tête fraisée inox A4, lot n° %d", i+1), Item: fmt.Sprintf("VIS-%03d", i+1),
			Quantity: connector.MustAmount("12.5"), Unit: "H87", UnitPrice: connector.MustAmount("1234.5"),
			Category: "S", Rate: connector.MustAmount("20"),
		}
		if i%3 == 1 {
			l.Description = "Prestation de maintenance préventive des lignes d'emballage, déplacement compris, selon le contrat cadre et le relevé d'heures signé par le client"
			l.Unit, l.Rate = "HUR", connector.MustAmount("5.5")
		}
		inv.Lines = append(inv.Lines, l)
	}
	if err := inv.Complete(); err != nil {
		panic(err)
	}
	return inv
}

func draw(t *testing.T, d Document) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, d); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// extract is the text of a PDF, as a reader would copy it, no-break spaces made
// ordinary ones.
func extract(t *testing.T, data []byte) string {
	t.Helper()
	if _, err := exec.LookPath("pdftotext"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("pdftotext (poppler-utils) is not installed")
		}
		t.Skip("pdftotext (poppler-utils) is not installed")
	}
	name := filepath.Join(t.TempDir(), "page.pdf")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("pdftotext", "-layout", name, "-").CombinedOutput()
	if err != nil {
		t.Fatalf("pdftotext: %v: %s", err, out)
	}
	return strings.ReplaceAll(string(out), "\u00a0", " ")
}

func TestSameDocumentGivesTheSameBytes(t *testing.T) {
	d := Document{Invoice: sample(60), Lang: problem.French, Received: received}
	first := draw(t, d)
	for range 3 {
		if !bytes.Equal(first, draw(t, d)) {
			t.Fatal("a second drawing differs from the first")
		}
	}
}

func TestFrenchPageSaysWhatAnAccountantLooksFor(t *testing.T) {
	page := extract(t, draw(t, Document{
		Invoice: sample(3), Lang: problem.French, Received: received,
		Note: "Le compte bancaire a changé.",
	}))
	for _, want := range []string{
		"Facture", "N° F2026-0417", "COPIE LISIBLE / READABLE COPY", "Le compte bancaire a changé.",
		"10/11/2026", "31/12/2026", "09/11/2026", "SERV-ACHATS", "ENG-2026-77",
		"Œuvre & Fils SARL", "Wałęsa Großhandel Ğüven", "12 rue de l'Église", "Bâtiment C", "69003 Lyon (FR)",
		"SIRET : 73282932000074", "SIREN : 200000008", "TVA : FR44732829320", "compta@oeuvre.example",
		"Désignation", "12,5", "1 234,50", "15 431,25", "20 %", "5,5 %", "Réf. VIS-003",
		"30 862,50", "6 172,50", "848,72", "46 293,75", "7 021,22", "53 314,97 EUR", "Net à payer",
		"Virement", "FR76 3000 6000 0112 3456 7890 189", "AGRIFRPP", "30 jours fin de mois",
		"Indemnité forfaitaire", "bon_livraison_8841.pdf", "Reçu le 12/11/2026", "Page 1/1",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q\n%s", want, page)
		}
	}
}

func TestEnglishCreditNoteNamesTheInvoiceItCorrects(t *testing.T) {
	inv := sample(2)
	inv.Type = "381"
	inv.Preceding = []connector.Ref{{Number: "F2026-0001", Date: "2026-10-01"}}
	page := extract(t, draw(t, Document{Invoice: inv, Lang: problem.English, Received: received}))
	for _, want := range []string{"Credit note", "F2026-0001", "2026-10-01", "1,234.50", "Amount credited to you", "2026-11-10", "Received on 2026-11-12"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q\n%s", want, page)
		}
	}
}

func TestLongInvoiceRepeatsTheTableHeadOnEachPage(t *testing.T) {
	const lines = 60
	text := extract(t, draw(t, Document{Invoice: sample(lines), Lang: problem.French, Received: received}))
	pages := strings.Split(strings.TrimSuffix(text, "\f"), "\f")
	if len(pages) < 3 {
		t.Fatalf("%d lines on %d pages", lines, len(pages))
	}
	for i, page := range pages {
		if want := fmt.Sprintf("Page %d/%d", i+1, len(pages)); !strings.Contains(page, want) {
			t.Errorf("page %d lacks %q", i+1, want)
		}
		if strings.Contains(page, "Réf. VIS-") != strings.Contains(page, "Désignation") {
			t.Errorf("page %d has lines without their head, or a head without lines:\n%s", i+1, page)
		}
	}
	for i := range lines {
		if want := fmt.Sprintf("VIS-%03d", i+1); !strings.Contains(text, want) {
			t.Errorf("line %s was lost", want)
		}
	}
}

func TestDescriptionLongerThanAPageGoesOnOnTheNext(t *testing.T) {
	inv := sample(1)
	inv.Lines[0].Description = strings.Repeat("mot ", 1200) + "FIN"
	text := extract(t, draw(t, Document{Invoice: inv, Lang: problem.French, Received: received}))
	if got := strings.Count(text, "mot"); got != 1200 {
		t.Errorf("%d words of 1200 were drawn", got)
	}
	if !strings.Contains(text, "FIN") {
		t.Error("the end of the description was lost")
	}
}

func TestHostileTextIsDrawnWithoutHarm(t *testing.T) {
	inv := sample(1)
	inv.Number = strings.Repeat("9", 500)
	inv.Seller.Name = "A\x00\u202e😀漢字\ufffe {nb} \xff\xfe" + strings.Repeat("W", 100_000)
	inv.Lines[0].Description = strings.Repeat("M", 1<<20)
	inv.Lines[0].UnitPrice = connector.MustAmount("9999999999999999.999")
	inv.Notes = []string{strings.Repeat("\n", 5000), "a\u0301 \u1EBF"}
	text := extract(t, draw(t, Document{Invoice: inv, Lang: problem.French}))
	if strings.Contains(text, "\u202e") {
		t.Error("a control character reached the page")
	}
	if !strings.Contains(text, "9 999 999 999 999 999,999") {
		t.Error("a long price was cut")
	}
	if !strings.Contains(text, "{nb}") {
		t.Error("a text was taken for a placeholder")
	}
}

func TestEmptyInvoiceGivesAPageAllTheSame(t *testing.T) {
	page := extract(t, draw(t, Document{Lang: problem.French}))
	if !strings.Contains(page, "Page 1/1") {
		t.Errorf("no page:\n%s", page)
	}
}

func TestEndlessTableIsCutAndSaysSo(t *testing.T) {
	inv := sample(1)
	inv.Lines[0].Description = strings.Repeat("m ", 3000)
	for len(inv.Lines) < 500 {
		inv.Lines = append(inv.Lines, inv.Lines[0])
	}
	text := extract(t, draw(t, Document{Invoice: inv, Lang: problem.French, Received: received}))
	if n := strings.Count(text, "\f"); n > maxPages+10 {
		t.Errorf("%d pages", n)
	}
	if !strings.Contains(text, "La suite des lignes") {
		t.Error("nothing says that lines are missing")
	}
}
