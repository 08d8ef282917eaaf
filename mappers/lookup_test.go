package mappers

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"einvoice/connector/problem"
)

const lookupMapping = `
[mapping]
extends = "generic-fr"
[lookup.clients]
file = "clients.csv"
key  = "Code"
[invoice.fields]
recipient.name      = { from = "Code client", lookup = "clients.Nom" }
recipient.fiscal_id = { from = "Code client", lookup = "clients.SIRET" }
`

const lookupExport = "N° facture;Date;Code client;Désignation;Quantité;PU HT;TVA\n" +
	"F1;01/02/2026;C01;Savon;1;10,00;20\nF2;01/02/2026;C02;Savon;1;10,00;20\n"

func writeFile(t *testing.T, path, text string, at time.Time) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

func TestACustomersCodeIsLookedUpInASecondFile(t *testing.T) {
	dir := t.TempDir()
	clients := filepath.Join(dir, "clients.csv")
	day := time.Date(2026, 2, 1, 8, 0, 0, 0, time.UTC)
	m, err := LoadIn(dir, "own", []byte(lookupMapping))
	if err != nil {
		t.Fatal(err)
	}
	e := exportOf("x.csv", []byte(lookupExport))

	_, _, err = readAll(t, m, e)
	if p, ok := errors.AsType[problem.Problem](err); !ok || p.Code != codeLookupFile {
		t.Errorf("without the file: %v", err)
	}

	writeFile(t, clients, "Code;Nom;SIRET\nc01;Hôtel du Lac;732 829 320 00074\n", day)
	results, _, err := readAll(t, m, e)
	if err != nil || len(results) != 2 {
		t.Fatal(results, err)
	}
	if b := results[0].Invoice.Buyer; b.Name != "Hôtel du Lac" || b.FiscalID != "73282932000074" {
		t.Errorf("%+v", b)
	}
	if !results[1].Refused() || results[1].Problems[0].Code != codeNoLookup {
		t.Fatalf("an unknown code gives %v", results[1].Problems)
	}
	p := results[1].Problems[0]
	for _, text := range []string{p.Message(problem.French), p.Message(problem.English), p.Remedy(problem.French)} {
		if !strings.Contains(text, "clients.csv") || !strings.Contains(text, "C02") {
			t.Errorf("neither file nor key: %s", text)
		}
	}

	writeFile(t, clients, "Code;Nom;SIRET\nC01;Hôtel;73282932000074\nC02;Gîte;10000000900017\n", day.Add(time.Hour))
	if results, _, err = readAll(t, m, e); err != nil || results[1].Refused() || results[1].Invoice.Buyer.Name != "Gîte" {
		t.Errorf("the mended file was not read again: %v %v", results, err)
	}

	writeFile(t, clients, "Codes;Nom;SIRET\nC01;Hôtel;73282932000074\n", day.Add(2*time.Hour))
	_, _, err = readAll(t, m, e)
	if p, ok := errors.AsType[problem.Problem](err); !ok || p.Code != codeLookupFile || !strings.Contains(p.Message(problem.English), "Code") {
		t.Errorf("without its key column: %v", err)
	}
}

func TestABatchOfXMLLooksItsCustomersUp(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "clients.xml"), string(sample(t, "homemade-xml/clients.xml")), time.Now())
	m, err := LoadIn(dir, "home", []byte(homemadeMapping))
	if err != nil {
		t.Fatal(err)
	}
	results, _, err := readAll(t, m, exportOf("Facture3.xml", sample(t, "homemade-xml/Facture3.xml")))
	if err != nil {
		t.Fatal(err)
	}
	want := "12 ignored\n380 23 2012-09-04 74.63\n380 11 2012-07-05 24.88\n08 ignored\n380 05 2012-06-21 103.91"
	if got := all(t, results); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if b := results[4].Invoice; b.Buyer.Name != "Richard rostremer" || b.Buyer.Address.ZIP != "61210" || b.Seller.Name != "ECO-nome" {
		t.Errorf("%+v", b)
	}
}

const homemadeMapping = `
[input]
format = "xml"
[lookup.clients]
file = "clients.xml"
each = "/clients/client"
key  = "@id"
[invoice]
each  = "/factures/facture"
where = 'lower(col("@type")) == "facture"'
[invoice.fields]
document_number = "@numfacture"
issue_date      = "@datefacture"
currency        = { value = "EUR" }
type            = { value = "380" }
sender.name     = "../@rsets"
recipient.name  = { from = "@idclient", lookup = "clients.destinataire" }
recipient.address.zip_code = { from = "@idclient", lookup = "clients.cp" }
[lines]
each = "lignes/ligne"
[lines.fields]
description = "designation"
quantity    = { expr = 'num("surface") > 0 ? num("surface") * num("nbUnit") : num("nbUnit")' }
unit_price  = "phtByUnit"
tax_rate    = { value = "0" }
`

func TestAMappingExtendsAPreset(t *testing.T) {
	m := mustLoad(t, `
[mapping]
extends = "generic-fr"
[input]
decimal = ","
[invoice.fields]
sender.fiscal_id    = { value = "732829320" }
recipient.name      = "Tiers"
recipient.email     = false
[map.kind]
FC = "380"
[check]
tolerance = "0.02"
`)
	if m.input.values.numbers.decimal != ',' || m.check == nil {
		t.Error("its own settings are lost")
	}
	results, _, err := readAll(t, m, exportOf("x.csv", []byte("N° facture;Date;Type;Tiers;E-mail;Désignation;PU HT;TVA\nF1;01/02/2026;FC;Duval;x@y.fr;Savon;10,00;20\n")))
	if err != nil || len(results) != 1 || results[0].Refused() {
		t.Fatal(results, err)
	}
	inv := results[0].Invoice
	if inv.Seller.FiscalID != "732829320" || inv.Buyer.Name != "Duval" || inv.Buyer.Email != "" || inv.Type != "380" || inv.Currency != "EUR" {
		t.Errorf("%+v", inv)
	}
	for text, want := range map[string]string{
		"[mapping]\nextends = \"generic_fr\"\n":                                                   "there is no preset",
		"[mapping]\nextends = \"generic-fr\"\n[input]\nformat = \"xml\"\n":                        "is for",
		"[mapping]\nextends = \"ubl\"\n[invoice.fields]\nrecipient.name = { lookup = \"x.y\" }\n": "[lookup.x]",
	} {
		if _, err := Load("x", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives %v", text, err)
		}
	}
}

// TestATornRowOfALookUpIsNone: a delimiter too many moves a customer's e-mail, or
// SIRET, into another column. Nothing is read from such a row.
func TestATornRowOfALookUpIsNone(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "clients.csv"), "Code;Nom;Ville\nC01;Duval; fils;Lyon\nC02;Bar;Nice\n", time.Now())
	m, err := LoadIn(dir, "own", []byte(strings.Replace(lookupMapping, "recipient.fiscal_id = { from = \"Code client\", lookup = \"clients.SIRET\" }", "recipient.address.city = { from = \"Code client\", lookup = \"clients.Ville\" }", 1)))
	if err != nil {
		t.Fatal(err)
	}
	results, _, err := readAll(t, m, exportOf("x.csv", []byte(lookupExport)))
	if err != nil || len(results) != 2 || !results[0].Refused() || results[0].Problems[0].Code != codeNoLookup || results[1].Refused() {
		t.Fatal(results, err)
	}
	if city := results[1].Invoice.Buyer.Address.City; city != "Nice" {
		t.Errorf("the city is %q", city)
	}
}
