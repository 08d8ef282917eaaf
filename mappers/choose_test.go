package mappers

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"einvoice/connector/problem"
)

func TestTheRightMappingIsChosenByContent(t *testing.T) {
	ebp, ubl, small := preset(t, "ebp"), preset(t, "ubl"), mustLoad(t, small)
	all := []*Mapping{ebp, ubl, small}
	for _, c := range []struct {
		name, text string
		want       *Mapping
		code       string
	}{
		{"a.csv", "Facture;Date;Texte;PU\nF1;01/01/2026;x;1", small, ""},
		{"a.xml", `<?xml version="1.0"?><ubl:Invoice xmlns:ubl="u"/>`, ubl, ""},
		{"a.csv", "\"Document - Numéro du document\";\"Ligne - Montant Net HT\"\n", ebp, ""},
		{"a.csv", "Nom;Prénom\n", nil, codeNoMapping},
		{"a.xml", "<Order/>", nil, codeNoMapping},
		{"a.csv", "", nil, codeNoMapping},
	} {
		got, err := Choose(exportOf(c.name, []byte(c.text)), all)
		p, _ := errors.AsType[problem.Problem](err)
		if got != c.want || p.Code != c.code {
			t.Errorf("%q: got %v, %v", c.text, got, err)
		}
	}
	if _, err := Choose(exportOf("a.csv", []byte("Facture;Date;Texte;PU\n")), []*Mapping{small, small}); err == nil {
		t.Error("two mappings fit, and one was taken")
	}
	if got, err := Choose(exportOf("a.csv", nil), []*Mapping{ubl}); err == nil {
		t.Errorf("the only mapping reads what it does not know: %v", got)
	}
	if got, err := Choose(exportOf("a.csv", []byte("Facture;Date;Texte;PU\n")), []*Mapping{small}, []*Mapping{small}); got != small || err != nil {
		t.Error("a customer's own mapping comes before a preset")
	}
}

func TestWholeFilesHaveTheirEnd(t *testing.T) {
	book := workbook(t, []any{"x"})
	for _, c := range []struct {
		format string
		data   []byte
		want   bool
	}{
		{formatCSV, []byte("a;b"), true},
		{formatXLSX, book, true},
		{formatXLSX, book[:len(book)-30], false},
		{formatXML, []byte("<?xml version='1.0'?>\n<x:lot a='>'><b/></x:lot>\n<!-- fin -->è"), true},
		{formatXML, []byte("<lot><b/></lot"), false},
		{formatXML, []byte("<lot><b></b>"), false},
		{formatXML, []byte("<lot"), false},
		{formatXML, []byte(""), false},
		{formatXML, []byte("<lot/>"), true},
		{formatXML, bytes.Join([][]byte{[]byte("<lot>"), bytes.Repeat([]byte("<b>text</b>"), 20_000), []byte("</lot>")}, nil), true},
		{formatXML, bytes.Join([][]byte{[]byte("<lot>"), bytes.Repeat([]byte("<b>text</b>"), 20_000)}, nil), false},
	} {
		got, err := Whole(context.Background(), c.format, bytes.NewReader(c.data), int64(len(c.data)))
		if err != nil || got != c.want {
			t.Errorf("%s %.30q: %v, %v", c.format, c.data, got, err)
		}
	}
}

func TestMappingsThatProveTheEnd(t *testing.T) {
	if mustLoad(t, small).ProvesEnd() {
		t.Error("a CSV without totals proves nothing")
	}
	if !preset(t, "ebp").ProvesEnd() || !preset(t, "ubl").ProvesEnd() {
		t.Error("totals and XML prove the end")
	}
}

func TestAMissingColumnNamesTheHeaderOfTheSameWordsFirst(t *testing.T) {
	h := newHeadings(1, []string{"Unité", "Quantite vendue", "Prix de vente unitaire", "Libelé"})
	g := &grid{head: h}
	for wanted, near := range map[string]string{"Quantité": "Quantite vendue", "Prix unitaire": "Prix de vente unitaire", "Libellé": "Libelé"} {
		m := &Mapping{places: []place{{text: wanted}}}
		if got := g.suggest(m, []selector{{place: 0}}); got != near {
			t.Errorf("%s: suggested %q, want %q", wanted, got, near)
		}
	}
}
