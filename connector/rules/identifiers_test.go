package rules

import (
	"testing"

	"einvoice/connector"
)

func identifierCases() map[string][]situation {
	buyer := func(f func(*connector.Party)) change { return inv(func(i *connector.Invoice) { f(&i.Buyer) }) }
	id := func(id string) change { return buyer(func(p *connector.Party) { p.FiscalID = id }) }
	vat := func(v string) change { return buyer(func(p *connector.Party) { p.VATID = v }) }
	email := func(v string) change { return buyer(func(p *connector.Party) { p.Email = v }) }
	iban := func(v string) change { return inv(func(i *connector.Invoice) { i.IBAN = v }) }
	bic := func(v string) change { return inv(func(i *connector.Invoice) { i.BIC = v }) }
	const fiscal, vatField = "recipient.fiscal_id", "recipient.vat_id"
	return map[string][]situation{
		"E3701": {
			{name: "letters", before: id("73282932A"), field: fiscal, value: "73282932A"},
			{name: "spaces", before: id("732 829 320"), field: fiscal, value: "732 829 320"},
			{name: "a number of another country", before: func(i *connector.Invoice, ctx *Context) {
				i.Buyer.FiscalID, i.Buyer.Address.Country, ctx.Config.WithoutSIREN = "HRB 12345", "DE", withoutSend
			}},
		},
		"E3711": {
			{name: "zeros lost in a spreadsheet", before: id("1000009"), field: fiscal, value: "1000009", expect: "001000009"},
			{name: "whole", before: id("001000009")},
		},
		"E3702": {
			{name: "a wrong digit", before: id("732829321"), field: fiscal, value: "732829321"},
			{name: "right", before: id("732829320")},
		},
		"E3703": {
			{name: "a wrong digit", before: id("73282932000075"), field: fiscal, value: "73282932000075"},
			{name: "right", before: id("73282932000074")},
			{name: "a post office", before: id("35600000000002"), field: fiscal, value: "35600000000002"},
			{name: "another post office", before: id("35600000049837")},
			{name: "the head office of the post", before: id("35600000000048")},
		},
		"E3704": {
			{name: "no country", before: vat("44732829320"), field: vatField, value: "44732829320", expect: "FR44732829320"},
			{name: "nonsense", before: vat("??"), field: vatField, value: "??", expect: "FR44732829320"},
			{name: "Greek", before: vat("EL123456789")},
		},
		"E3705": {
			{name: "too short", before: vat("FR4473282932"), field: vatField, value: "FR4473282932", expect: "FR44732829320"},
			{name: "letter O in the key", before: vat("FRO4732829320"), field: vatField, value: "FRO4732829320", expect: "FR44732829320"},
			{name: "right", before: vat("FR44732829320")},
		},
		"E3706": {
			{name: "the platform's own sample", before: vat("FR12217500016"), field: vatField, value: "FR12217500016", expect: "FR72217500016"},
			{name: "right", before: vat("FR44732829320")},
			{name: "alphanumeric", before: vat("FRK7399859412")},
		},
		"E3707": {
			{name: "of another company", before: vat("FR40303265045"), field: vatField, value: "FR40303265045", expect: "FR44732829320"},
			{name: "of Monaco", before: vat("FR" + numericVAT("000012345")[2:])},
			{name: "right", before: vat("FR44732829320")},
		},
		"E3708": {
			{name: "the platform's own sample", before: iban("FR7630006000011234567890123"), field: "financial_account", value: "FR7630006000011234567890123"},
			{name: "right", before: iban("FR7630006000011234567890189")},
		},
		"E3709": {
			{name: "too short", before: bic("AGRIFRP"), field: "bic", value: "AGRIFRP"},
			{name: "right", before: bic("AGRIFRPP882")},
		},
		"E3710": {
			{name: "two addresses", before: email("a@x.example;b@x.example"), field: "recipient.email", value: "a@x.example;b@x.example"},
			{name: "no domain", before: email("compta@localhost"), field: "recipient.email", value: "compta@localhost"},
			{name: "right", before: email("compta+achats@sous.durand.example")},
		},
	}
}

func TestFrenchVATNumbers(t *testing.T) {
	for number, want := range map[string]bool{
		"FR40303265045": true, "FR44732829320": true, "FRK7399859412": true, "FR4Z123456782": true,
		"FR41303265045": false, "FRK8399859412": false, "FR4Y123456782": false, "FRI7399859412": false,
		"": false, "FR": false, "DE40303265045": false,
	} {
		if got := validFrenchVAT(number); got != want {
			t.Errorf("%s: got %t, want %t", number, got, want)
		}
	}
}

func TestAccounts(t *testing.T) {
	for account, want := range map[string]bool{
		"FR7630006000011234567890189": true, "FR1420041010050500013M02606": true,
		"DE89370400440532013000": true, "GB82WEST12345698765432": true,
		"FR7630006000011234567890123": false, "FR76 3000 6000 0112 3456 7890 189": false,
		"FR763000600001123456789018": false, "": false, "fr7630006000011234567890189": false,
	} {
		if got := validIBAN(account); got != want {
			t.Errorf("%s: got %t, want %t", account, got, want)
		}
	}
}

func FuzzCheckNeverPanics(f *testing.F) {
	f.Add("F1", "2026-01-01", "EUR", "732829320", "FR44732829320", "FR76", "S")
	f.Add("", "", "", "", "FR", "F", "")
	f.Fuzz(func(t *testing.T, number, date, currency, id, vat, account, category string) {
		i := smallest()
		i.Number, i.IssueDate, i.Currency = number, connector.Date(date), currency
		i.Buyer.FiscalID, i.Buyer.VATID, i.Buyer.Email = id, vat, account
		i.IBAN, i.BIC, i.Lines[0].Category = account, account, category
		if i.Complete() == nil {
			Check(i, context())
		}
	})
}
