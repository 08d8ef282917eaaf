package mappers

import "testing"

func TestRichTextBecomesPlain(t *testing.T) {
	for in, want := range map[string]string{
		`{\rtf1\ansi\deff0{\fonttbl{\f0\fnil Arial;}}{\*\generator x;}\pard\fs20 Vis \'e0 bois\par 3 \u8364?}`: "Vis à bois\n3 €",
		`{\rtf1 a\{b\}\\c`: `a{b}\c`,
		"plain {text}":     "plain {text}",
		`{\rtf1\`:          "",
		`{\rtf1\'`:         "",
	} {
		if got := plainText(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	results, _, err := readAll(t, preset(t, "generic-fr"), exportOf("x.csv", []byte("N° facture;Date;Client;Désignation;PU HT;TVA\nF1;01/02/2026;Duval;\"{\\rtf1\\ansi Vis\\par\r\n}\";10;20\n")))
	if err != nil || len(results) != 1 || results[0].Invoice.Lines[0].Description != "Vis" {
		t.Errorf("%+v %v", results, err)
	}
}
