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
