package mappers

import (
	"bytes"
	"fmt"
)

// sageColumns is an export of sales documents as a wide table, with the columns
// of an ERP that leaves none of its fields out: 58, of which sageMapping reads 20.
var sageColumns = []string{
	"Type pièce", "N° pièce", "Souche", "Date", "Référence", "Code client", "Intitulé", "Adresse", "Complément", "Code postal",
	"Ville", "Pays", "SIRET", "N° TVA", "Catégorie tarifaire", "Code affaire", "Représentant", "Dépôt", "Mode règlement", "Échéance",
	"Devise", "Cours", "Statut", "Date livraison", "Expédition", "Condition livraison", "Langue", "N° ligne", "Référence article", "Désignation",
	"Complément désignation", "Gamme 1", "Gamme 2", "N° série", "Unité", "Quantité", "Qté colisée", "Conditionnement", "Prix unitaire HT", "Prix TTC",
	"Remise 1", "Remise 2", "Montant HT", "Taux TVA", "Code taxe", "Code taxe 2", "Taux parafiscal", "Poids net", "Poids brut", "Compte général",
	"Section analytique", "Famille", "Centralisateur", "Valorisé", "Date création", "Utilisateur", "Total TTC", "Bon de livraison",
}

const sageMapping = `
[input]
format    = "csv"
encoding  = "windows-1252"
delimiter = ";"
decimal   = ","
date      = "dd/mm/yyyy"

[invoice.fields]
document_number                  = "N° pièce"
type                             = { from = "Type pièce", map = "kind" }
issue_date                       = "Date"
due_date                         = "Échéance"
currency                         = { from = "Devise", default = "EUR" }
recipient.name                   = { from = "Intitulé", trim = "collapse" }
recipient.fiscal_id              = "SIRET"
recipient.vat_id                 = "N° TVA"
recipient.address.street_address = "Adresse"
recipient.address.zip_code       = "Code postal"
recipient.address.city           = "Ville"
recipient.address.country        = { from = "Pays", default = "FR" }
payment_terms                    = "Mode règlement"

[lines.fields]
description      = { from = "Désignation", trim = "collapse" }
item_code        = "Référence article"
quantity         = "Quantité"
unit_of_measure  = { from = "Unité", map = "unit" }
unit_price       = "Prix unitaire HT"
total_net_amount = "Montant HT"
tax_rate         = { from = "Taux TVA", match = '(\d+(?:,\d+)?)' }

[map.kind]
F = "380"
A = "381"

[map.unit]
U   = "C62"
H   = "HUR"
KG  = "KGM"
"*" = "C62"
`

// sageExport writes invoices of one to five lines; every value has the look and
// the length of a real one, in Windows-1252.
func sageExport(rows int) []byte {
	var out bytes.Buffer
	c := newCharset(windows1252, nil)
	line := func(cells []string) {
		for i, cell := range cells {
			if i > 0 {
				out.WriteByte(';')
			}
			out.Write(c.encode(cell))
		}
		out.WriteString("\r\n")
	}
	line(sageColumns)
	articles := []string{"Vis à bois tête fraisée 5x50", "Planche de chêne 22 mm, qualité A", "Main d'œuvre atelier", "Équerre renforcée 100x100", "Forfait déplacement zone 2"}
	units := []string{"U", "U", "H", "U", "U"}
	for i, number, left := 0, 0, 0; i < rows; i++ {
		if left == 0 {
			number++
			left = number%5 + 1
		}
		left--
		client, a, day := number%700, (i*7)%len(articles), number%28+1
		quantity, cents := i%24+1, 350+(i*37)%9000
		net := quantity * cents
		money := func(cents int) string { return fmt.Sprintf("%d,%02d", cents/100, cents%100) }
		date := fmt.Sprintf("%02d/%02d/2026", day, number%12+1)
		line([]string{
			"F", fmt.Sprintf("FA%07d", number), "Ventes", date, fmt.Sprintf("CMD-%05d", number%90000), fmt.Sprintf("C%05d", client),
			fmt.Sprintf("Société de charpente n° %d", client), fmt.Sprintf("%d, rue de la Libération", client%200+1), "Zone artisanale", fmt.Sprintf("%05d", 10000+client*97%80000),
			"Saint-Étienne", "FR", "73282932000074", "FR44732829320", "Pro", "", "DUPONT", "Principal", "Virement 30 jours", date,
			"EUR", "1,000000", "Validé", date, "Transporteur", "Franco", "Français", fmt.Sprint(left * 1000), fmt.Sprintf("ART%06d", (i*7919)%400000), articles[a],
			"", "", "", "", units[a], fmt.Sprint(quantity), fmt.Sprint(quantity), "Unité", money(cents), money(cents * 6 / 5),
			"0,00", "0,00", money(net), "20,00", "C20", "", "0,00", "1,250", "1,400", "70110000",
			"ATELIER", "BOIS", "706000", "Oui", date, "MARTINE", money(net * 6 / 5), fmt.Sprintf("BL%06d", number),
		})
	}
	return out.Bytes()
}
