package mappers

import (
	"bytes"
	"io"
	"io/fs"
	"strings"
	"testing"

	"einvoice/connector"
)

const besideMapping = `
[mapping]
extends = "generic-fr"
[[attachment]]
file     = "{document_number}.pdf"
required = true
`

func TestThePDFBesideTheExportIsAttached(t *testing.T) {
	m := mustLoad(t, besideMapping)
	e := exportOf("x.csv", []byte("N° facture;Date;Client;Désignation;PU HT;TVA\nF1;01/02/2026;Duval;Savon;10;20\nF/2;01/02/2026;Duval;Savon;10;20\nF3;01/02/2026;Duval;Savon;10;20\nF4;01/02/2026;Duval;Savon;10;20\n"))
	e.Beside = func(name string) (io.ReadCloser, error) {
		switch name {
		case "F1.pdf", "F_2.pdf":
			return io.NopCloser(strings.NewReader("%PDF-1.7")), nil
		case "F4.pdf":
			return io.NopCloser(bytes.NewReader(make([]byte, MaxAttachmentBytes+1))), nil
		}
		return nil, fs.ErrNotExist
	}
	results, _, err := readAll(t, m, e)
	if err != nil || len(results) != 4 {
		t.Fatal(results, err)
	}
	for i, name := range []string{"F1.pdf", "F_2.pdf"} {
		a := results[i].Invoice.Attached
		if len(a) != 1 || a[0].Filename != name || a[0].MIME != "application/pdf" || string(a[0].Content) != "%PDF-1.7" {
			t.Errorf("%+v %v", a, results[i].Problems)
		}
	}
	for i, code := range map[int]string{2: codeNoAttachment, 3: codeBigAttachment} {
		if ps := results[i].Problems; len(ps) != 1 || ps[0].Code != code || !results[i].Refused() {
			t.Errorf("%s: %v", code, ps)
		}
	}
	if got := m.Attachments(connector.Invoice{Number: "F9"}, e); len(got) != 1 || got[0] != (Beside{"F9.pdf", true, false}) {
		t.Errorf("waits for %v", got)
	}
}

func TestAnAttachmentInsideOfXMLIsTakenOut(t *testing.T) {
	const file = `<Invoice><ID>F1</ID><IssueDate>2026-02-01</IssueDate>
<AdditionalDocumentReference><ID>D1</ID><DocumentDescription>Bon</DocumentDescription><Attachment><EmbeddedDocumentBinaryObject mimeCode="application/pdf" filename="bon.pdf">
JVBERi0x
LjcK</EmbeddedDocumentBinaryObject></Attachment></AdditionalDocumentReference>
<AdditionalDocumentReference><Attachment><EmbeddedDocumentBinaryObject mimeCode="image/png" filename="x.png">n*t base64</EmbeddedDocumentBinaryObject></Attachment></AdditionalDocumentReference>
<AdditionalDocumentReference><ID>only a number</ID></AdditionalDocumentReference></Invoice>`
	results, _, err := readAll(t, preset(t, "ubl"), exportOf("x.xml", []byte(file)))
	if err != nil || len(results) != 1 {
		t.Fatal(results, err)
	}
	a := results[0].Invoice.Attached
	if len(a) != 1 || a[0].Filename != "bon.pdf" || a[0].MIME != "application/pdf" || a[0].Description != "Bon" || string(a[0].Content) != "%PDF-1.7\n" {
		t.Errorf("%+v", a)
	}
	if ps := results[0].Problems; len(ps) != 1 || ps[0].Code != codeBadAttachment || ps[0].Value != "x.png" {
		t.Errorf("%v", ps)
	}
}

func TestPricesThatIncludeVATComeToTheSameTotal(t *testing.T) {
	m := mustLoad(t, `
[mapping]
extends = "generic-fr"
[lines]
prices_include_tax = true
[lines.fields]
unit_price       = "Prix TTC"
total_net_amount = false
[check]
`)
	results, _, err := readAll(t, m, exportOf("x.csv", []byte("N° facture;Date;Client;Désignation;Quantité;Prix TTC;TVA;Total TTC\n"+
		"F1;01/02/2026;Duval;Savon;3;9,99;20;41,07\nF1;01/02/2026;Duval;Brosse;1;5,55;20;41,07\nF1;01/02/2026;Duval;Pain;1;5,55;5,5;41,07\n")))
	if err != nil || len(results) != 1 || results[0].Refused() {
		t.Fatal(results, err)
	}
	lines := results[0].Invoice.Lines
	if got := derived(t, results[0].Invoice).Gross; got.String() != "41.07" || lines[0].Net.String() != "24.97" || lines[2].Net.String() != "5.26" {
		t.Errorf("%s, %+v", got, lines)
	}
}

// 1.23 at 20 % is no sum of a net amount and its rounded VAT: 1.03 and 0.21 are
// 1.24, 1.02 and 0.20 are 1.22.
func TestPricesThatIncludeVATComeToTotalsThatRoundingMisses(t *testing.T) {
	const text = `
[mapping]
extends = "generic-fr"
[lines]
prices_include_tax = true
[lines.fields]
unit_price       = "Prix TTC"
total_net_amount = false
[invoice.fields]
total_tax_amount = "TVA totale"
[credit]
negative_total = true
[check]
`
	for _, c := range []struct{ price, quantity, vat, gross, net, kind string }{
		{"1,23", "1", "", "1.23", "1.03", "380"}, {"0,41", "3", "", "1.23", "1.03", "380"},
		{"1,23", "-1", "", "1.23", "1.03", "381"}, {"1,23", "-1", "-0,21", "1.23", "1.02", "381"},
		{"1,23", "1", "0,21", "1.23", "1.02", "380"}, {"1,20", "1", "", "1.20", "1.00", "380"},
	} {
		results, _, err := readAll(t, mustLoad(t, text), exportOf("x.csv", []byte("N° facture;Date;Client;Désignation;Quantité;Prix TTC;TVA;TVA totale\n"+
			"F1;01/02/2026;Duval;Savon;"+c.quantity+";"+c.price+";20;"+c.vat+"\n")))
		if err != nil || len(results) != 1 || results[0].Refused() {
			t.Fatal(results, err)
		}
		inv := results[0].Invoice
		if err := inv.Complete(); err != nil {
			t.Fatal(err)
		}
		if sum := inv.Totals; inv.Type != c.kind || sum.Gross.String() != c.gross || sum.Net.String() != c.net || !inv.Taxes[0].Taxable.Equal(sum.Net) {
			t.Errorf("%+v: type %s, %s before VAT, %s with it, %+v", c, inv.Type, sum.Net, sum.Gross, inv.Taxes)
		}
	}
}

func TestALineWithoutACategoryIsOfItsRate(t *testing.T) {
	line := func(category string) connector.Line {
		return connector.Line{Category: category, Rate: connector.MustAmount("20")}
	}
	if got := sameRate([]connector.Line{line("S"), line(""), line("AE")}); len(got) != 2 || len(got[0]) != 2 {
		t.Errorf("groups %v", got)
	}
}
