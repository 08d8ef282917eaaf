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

// gallery has the kinds of invoices that a readable copy must do justice to.
func gallery() map[string]Document {
	a := connector.MustAmount
	base := func(number string, change func(*connector.Invoice)) Document {
		inv := connector.Invoice{
			Number: number, Type: "380", IssueDate: "2026-11-12", DueDate: "2026-12-12", Currency: "EUR",
			Seller: connector.Party{Name: "Fournitures Martin SARL", FiscalID: "10000000900017", VATID: "FR88100000009", Email: "compta@martin.example",
				Address: connector.Address{Street: "12 rue des Ateliers", ZIP: "69003", City: "Lyon", Country: "FR"}},
			Buyer: connector.Party{Name: "Boulangerie Dupré & Fils", FiscalID: "20000000800017", VATID: "FR40200000008",
				Address: connector.Address{Street: "3 place du Marché", ZIP: "31000", City: "Toulouse", Country: "FR"}},
			Lines:  []connector.Line{{Description: "Conseil en organisation", Item: "CONS-1", Quantity: a("2"), Unit: "HUR", UnitPrice: a("25.50"), Net: a("51.00"), Rate: a("20"), Category: "S"}},
			Taxes:  []connector.Tax{{Category: "S", Rate: a("20"), Taxable: a("51.00"), Tax: a("10.20")}},
			Totals: connector.Totals{Net: a("51.00"), Tax: a("10.20"), Gross: a("61.20"), Payable: a("61.20")},
			Payment: connector.Payment{Means: "sepa_credit_transfer", IBAN: "FR7630006000011234567890189", BIC: "AGRIFRPP",
				Terms: "Paiement à 30 jours. Pas d'escompte. Indemnité forfaitaire de recouvrement : 40 €."},
			Buying: connector.Buying{CommitmentNumber: "BC-2026-0042"},
		}
		change(&inv)
		return Document{Invoice: inv, Lang: problem.French, Received: time.Date(2026, 11, 14, 9, 0, 0, 0, time.UTC)}
	}
	return map[string]Document{
		"1-plain": base("F-2026-0001", func(*connector.Invoice) {}),
		"2-several-pages": base("F-2026-0002", func(inv *connector.Invoice) {
			inv.Lines = nil
			for i := range 140 {
				inv.Lines = append(inv.Lines, connector.Line{Description: fmt.Sprintf("Article de quincaillerie numéro %d, boîte de cent", i+1), Item: fmt.Sprintf("Q-%05d", i+1),
					Quantity: a("10"), Unit: "C62", UnitPrice: a("1.2345"), Net: a("12.35"), Rate: a("20"), Category: "S"})
			}
			inv.Totals = connector.Totals{Net: a("1729.00"), Tax: a("345.80"), Gross: a("2074.80"), Payable: a("2074.80")}
			inv.Taxes[0].Taxable, inv.Taxes[0].Tax = a("1729.00"), a("345.80")
		}),
		"3-credit-note": base("A-2026-0003", func(inv *connector.Invoice) {
			inv.Type, inv.DueDate = "381", ""
			inv.Preceding = []connector.Ref{{Number: "F-2026-0001", Date: "2026-11-12"}}
			inv.Notes = []string{"Retour de marchandise du 13 novembre, bon n° 778."}
		}),
		"4-many-rates": base("F-2026-0004", func(inv *connector.Invoice) {
			inv.Lines, inv.Taxes = nil, nil
			for i, rate := range []string{"20", "10", "5.5", "2.1", "8.5", "0", "0", "0"} {
				category := []string{"S", "S", "S", "S", "S", "E", "AE", "K"}[i]
				l := connector.Line{Description: "Prestation au taux de " + rate + " % (" + category + ")", Quantity: a("1"), Unit: "C62", UnitPrice: a("100.00"), Net: a("100.00"), Rate: a(rate), Category: category}
				if category != "S" {
					l.Exemption = map[string]string{"E": "Exonération de TVA, article 261 du CGI", "AE": "Autoliquidation", "K": "Livraison intracommunautaire, article 262 ter I du CGI"}[category]
				}
				inv.Lines = append(inv.Lines, l)
				inv.Taxes = append(inv.Taxes, connector.Tax{Category: category, Rate: a(rate), Taxable: a("100.00"), Tax: a(rate)})
			}
			inv.Totals = connector.Totals{Net: a("800.00"), Tax: a("46.10"), Gross: a("846.10"), Prepaid: a("100.00"), Payable: a("746.10")}
		}),
		"5-long-texts-and-names": base("F-2026-0005/Ł-ΩЖ", func(inv *connector.Invoice) {
			inv.Seller.Name = "Łódzkie Zakłady Żelaza Świętosław Őrségi Çağdaş Ðorđević Þórsson Ķirsons Ξενοφών Щукин & Söhne Gesellschaft mit beschränkter Haftung"
			inv.Buyer.Name = "Ţânţăreanu Ștefan, Ħal Għaxaq, Ñandú, Ærøskøbing, Ångström, Œuvre, ſtraße"
			inv.Lines[0].Description = strings.Repeat("Étude détaillée de l'implantation des rayonnages, relevé sur place, plans et notice ; ", 14)
			inv.Lines = append(inv.Lines, connector.Line{Description: "Mot-sans-fin-" + strings.Repeat("abcdefghij", 20), Quantity: a("1234567.891"), Unit: "KGM", UnitPrice: a("0.000001"), Net: a("1.23"), Rate: a("20"), Category: "S"})
			inv.Notes = []string{strings.Repeat("Conditions générales de vente disponibles sur demande. ", 20)}
		}),
		"6-foreign-currency-allowances": base("F-2026-0006", func(inv *connector.Invoice) {
			inv.Currency = "CHF"
			inv.Lines = append(inv.Lines,
				connector.Line{Description: "Remise exceptionnelle 10 %", Quantity: a("-1"), UnitPrice: a("5.10"), Net: a("-5.10"), Rate: a("20"), Category: "S"},
				connector.Line{Description: "Frais de port", Quantity: a("1"), UnitPrice: a("1234567.90"), Net: a("1234567.90"), Rate: a("20"), Category: "S"})
			inv.Totals = connector.Totals{Net: a("1234613.80"), Tax: a("246922.76"), Gross: a("1481536.56"), Prepaid: a("36.56"), Rounded: a("0.05"), Payable: a("1481500.05")}
			inv.Taxes[0].Taxable, inv.Taxes[0].Tax = a("1234613.80"), a("246922.76")
			inv.IBAN, inv.BIC = "CH9300762011623852957", ""
		}),
		"7-to-check": func() Document {
			d := base("F-2026-0007", func(inv *connector.Invoice) {
				inv.Payment, inv.Buying, inv.DueDate = connector.Payment{}, connector.Buying{}, ""
			})
			d.Note = "Les montants ne concordent pas : total TTC vaut 61.20, le calcul donne 60.20.\nL'IBAN de ce fournisseur a changé."
			return d
		}(),
	}
}

// galleryWords are what each must show, as far as a machine can look.
func galleryWords() map[string][]string {
	return map[string][]string{
		"1-plain":                       {"Virement", "FR76 3000 6000", "BC-2026-0042", "61,20 EUR", "COPIE LISIBLE"},
		"2-several-pages":               {"Q-00140", "Page 7/7"},
		"3-credit-note":                 {"Avoir", "F-2026-0001", "Montant à votre crédit"},
		"4-many-rates":                  {"0 % (AE)", "5,5 %", "article 262 ter I", "Déjà payé"},
		"5-long-texts-and-names":        {"Łódzkie", "Őrségi", "Çağdaş", "Щукин", "Ξενοφών", "Ţânţăreanu", "Għaxaq"},
		"6-foreign-currency-allowances": {"CHF", "Arrondi", "0,05", "Frais de port"},
		"7-to-check":                    {"Les montants ne concordent pas"},
	}
}

// TestTheGalleryIsDrawn writes each kind, and as PNG for the eye where
// EINVOICE_GALLERY names a folder: .ci/nightly/gallery.
func TestTheGalleryIsDrawn(t *testing.T) {
	dir := os.Getenv("EINVOICE_GALLERY")
	for name, doc := range gallery() {
		var b bytes.Buffer
		if err := Write(&b, doc); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if want := galleryWords()[name]; want != nil {
			text := extract(t, b.Bytes())
			for _, w := range want {
				if !strings.Contains(text, w) {
					t.Errorf("%s does not say %q:\n%s", name, w, text)
				}
			}
		}
		if dir == "" {
			continue
		}
		file := filepath.Join(dir, name+".pdf")
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("pdftoppm", "-r", "60", "-png", file, strings.TrimSuffix(file, ".pdf")).CombinedOutput(); err != nil {
			t.Errorf("%s: %v %s", name, err, out)
		}
	}
}
