package mappers

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"einvoice/connector/problem"
)

func TestTheToleranceIsInCoinsOfTheCurrency(t *testing.T) {
	const file = "N° facture;Date;Client;Désignation;PU HT;TVA;Total TTC;Devise\n"
	for _, c := range []struct {
		check, currency, total, want string
	}{
		{"tolerance = 2", "EUR", "12,02", "380 F1 2026-02-01 12.00"},
		{"tolerance = 2", "EUR", "12,03", "F1 refused E2214"},
		{"tolerance = 2", "XOF", "14", "380 F1 2026-02-01 12"},
		{"tolerance = 2", "XOF", "15", "F1 refused E2214"},
		{"tolerance = 2", "TND", "12,002", "380 F1 2026-02-01 12.000"},
		{"tolerance = 2", "TND", "12,02", "F1 refused E2214"},
		{"tolerance = \"0.05\"", "EUR", "12,05", "380 F1 2026-02-01 12.00"},
		{"", "EUR", "12,01", "F1 refused E2214"},
		{"on_mismatch = \"warn\"", "EUR", "13,00", "380 F1 2026-02-01 12.00 but states 13.00"},
	} {
		m := mustLoad(t, "[mapping]\nextends = \"generic-fr\"\n[input]\ndecimal = \",\"\n[invoice.fields]\ncurrency = \"Devise\"\n[check]\n"+c.check+"\n")
		results, _, err := readAll(t, m, exportOf("x.csv", []byte(file+"F1;01/02/2026;Duval;Savon;10;20;"+c.total+";"+c.currency+"\n")))
		if err != nil || len(results) != 1 {
			t.Fatal(err)
		}
		if got := shown(t, results[0]); got != c.want {
			t.Errorf("%s, %s %s: got %s, want %s (%v)", c.check, c.total, c.currency, got, c.want, results[0].Problems)
		}
	}
	for _, wrong := range []string{"tolerance = -1", "tolerance = 0.02", `tolerance = "a coin"`, `tolerance = "-1"`} {
		if _, err := Load("x", []byte("[mapping]\nextends = \"generic-fr\"\n[check]\n"+wrong+"\n")); err == nil {
			t.Errorf("%s was accepted", wrong)
		}
	}
}

// TestADoctypeThatTheMappingAllowsIsNotFetchedNorExpanded: the five entities that
// XML itself has are read, and no other.
func TestADoctypeThatTheMappingAllowsIsNotFetchedNorExpanded(t *testing.T) {
	fetched := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { fetched++ }))
	defer server.Close()
	allowed := mustLoad(t, strings.Replace(xmlMapping, `format = "xml"`, "format = \"xml\"\ndoctype = true", 1))
	refused := mustLoad(t, xmlMapping)
	doctype := `<!DOCTYPE lot SYSTEM "` + server.URL + `/lot.dtd" [<!ENTITY a "ha"><!ENTITY b SYSTEM "` + server.URL + `/b"><!ENTITY % c SYSTEM "` + server.URL + `/c">]>`
	file := func(date string) Export {
		return exportOf("x.xml", []byte(doctype+`<lot><facture num="F&amp;1"><date>`+date+`</date><ligne q="1"/></facture></lot>`))
	}
	results, _, err := readAll(t, allowed, file("2026-01-15"))
	if err != nil || len(results) != 1 || results[0].Invoice.Number != "F&1" || results[0].Refused() {
		t.Errorf("%+v %v", results, err)
	}
	for _, entity := range []string{"&a;", "&b;", "&nbsp;"} {
		_, _, err := readAll(t, allowed, file("2026-01-15"+entity))
		if p, ok := errors.AsType[problem.Problem](err); !ok || p.Code != codeBrokenXML {
			t.Errorf("%s: %v", entity, err)
		}
	}
	_, _, err = readAll(t, refused, file("2026-01-15"))
	if p, ok := errors.AsType[problem.Problem](err); !ok || p.Code != codeDoctype {
		t.Errorf("without the setting: %v", err)
	}
	if fetched > 0 {
		t.Errorf("%d requests were made", fetched)
	}
}
