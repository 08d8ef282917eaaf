package pdf

import (
	"testing"

	"einvoice/connector"
	"einvoice/connector/problem"
)

func TestNumbersAreWrittenAsTheLanguageDoes(t *testing.T) {
	fr, en := textsIn(problem.French), textsIn(problem.English)
	for _, c := range []struct {
		amount string
		scale  int
		fr, en string
	}{
		{"1234.56", 2, "1\u00a0234,56", "1,234.56"},
		{"-1234567.5", 2, "-1\u00a0234\u00a0567,50", "-1,234,567.50"},
		{"-123", 2, "-123,00", "-123.00"},
		{"0.123400", 2, "0,1234", "0.1234"},
		{"12.500", 0, "12,5", "12.5"},
		{"1000", 0, "1\u00a0000", "1,000"},
		{"0", 2, "0,00", "0.00"},
	} {
		a := connector.MustAmount(c.amount)
		if got := fr.number(a, c.scale); got != c.fr {
			t.Errorf("French %s = %q, want %q", c.amount, got, c.fr)
		}
		if got := en.number(a, c.scale); got != c.en {
			t.Errorf("English %s = %q, want %q", c.amount, got, c.en)
		}
	}
	if got := fr.number(connector.Amount{}, 2); got != "" {
		t.Errorf("an absent amount shows as %q", got)
	}
}

func TestDatesAndIBANs(t *testing.T) {
	fr, en := textsIn(problem.French), textsIn(problem.English)
	if got := fr.date("2026-12-31"); got != "31/12/2026" {
		t.Errorf("French date %q", got)
	}
	if got := en.date("2026-12-31"); got != "2026-12-31" {
		t.Errorf("English date %q", got)
	}
	if got := fr.date("soon"); got != "soon" {
		t.Errorf("a text that is no date became %q", got)
	}
	if got := grouped("FR76 30006000011234567890189"); got != "FR76\u00a03000\u00a06000\u00a00112\u00a03456\u00a07890\u00a0189" {
		t.Errorf("IBAN %q", got)
	}
}
