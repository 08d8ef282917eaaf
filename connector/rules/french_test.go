package rules

import (
	"strings"
	"testing"

	"einvoice/connector"
	"einvoice/connector/problem"
)

func frenchCases() map[string][]situation {
	credit := func(f func(*connector.Invoice)) change {
		return inv(func(i *connector.Invoice) { i.Type = "381"; f(i) })
	}
	send := func(f func(*connector.Invoice)) change {
		return func(i *connector.Invoice, ctx *Context) {
			i.Buyer.FiscalID, ctx.Config.WithoutSIREN = "", withoutSend
			f(i)
		}
	}
	notes := func(n ...string) change { return inv(func(i *connector.Invoice) { i.Notes = n }) }
	frame := func(f string) change { return inv(func(i *connector.Invoice) { i.Frame = f }) }
	attached := func(kinds ...string) change {
		return inv(func(i *connector.Invoice) {
			for _, k := range kinds {
				i.Attached = append(i.Attached, connector.Attachment{MIME: "application/pdf", Description: k})
			}
		})
	}
	const kinds, processings = "DOCUMENT_ANNEXE, BON_LIVRAISON, BON_COMMANDE", "B2B, B2BINT, B2C, B2CINT, OUTOFSCOPE, ARCHIVEONLY"
	return map[string][]situation{
		"E3018": {
			{name: "sent to a private person", before: send(func(*connector.Invoice) {}), field: "recipient.fiscal_id"},
			{name: "sent to a company"},
		},
		"E3019": {
			{name: "a seller known by nothing", before: inv(func(i *connector.Invoice) { i.Seller.FiscalID = "" }), field: "sender.address.country"},
			{name: "the directory knows where a SIREN is"},
		},
		"E3020": {
			{name: "a private person somewhere", before: send(func(*connector.Invoice) {}), field: "recipient.address.country"},
			{name: "in Belgium", before: send(func(i *connector.Invoice) { i.Buyer.Address.Country = "BE" })},
		},
		"E3308": {
			{name: "a French word", before: inv(func(i *connector.Invoice) { i.Means = "Virement" }), field: "payment_mode", value: "Virement", expect: "30, 58, 59, 20, 10"},
			{name: "a code", before: inv(func(i *connector.Invoice) { i.Means = "59" })},
			{name: "the API's word", before: inv(func(i *connector.Invoice) { i.Means = "sepa_credit_transfer" })},
		},
		"E3309": {
			{name: "a photo", before: attached("Photo"), field: "attachments[0].description", value: "Photo", expect: kinds},
			{name: "a delivery note, and one that says nothing", before: attached("BON_LIVRAISON", "")},
		},
		"E3310": {
			{name: "two", before: attached("LISIBLE", "RIB", "LISIBLE"), field: "attachments[2].description", value: "LISIBLE"},
			{name: "one", before: attached("LISIBLE", "RIB")},
		},
		"E3311": {
			{name: "dollars", before: inv(func(i *connector.Invoice) { i.Currency = "USD" }), field: "currency", value: "USD", expect: "EUR"},
			{name: "euros"},
		},
		"E3403": {
			{name: "a number given twice", before: func(_ *connector.Invoice, ctx *Context) {
				ctx.Earlier = func(*connector.Invoice) string { return "14" }
			}, field: "document_number", value: "F2026-001"},
			{name: "a new number", before: func(_ *connector.Invoice, ctx *Context) {
				ctx.Earlier = func(*connector.Invoice) string { return "" }
			}},
			{name: "nobody to ask"},
		},
		"E3513": {
			{name: "of the seller", before: zero("O", "débours"), field: "sender.vat_id", value: numericVAT("100000009")},
			{name: "none", before: inv(func(i *connector.Invoice) {
				i.Seller.VATID, i.Lines[0].Category, i.Lines[0].Rate = "", "O", am("0")
			})},
			{name: "within the scope of VAT"},
		},
		"E3514": {
			{name: "unknown", before: zero("K", "art. 262 ter CGI"), field: "delivery_date"},
			{name: "given", before: func(i *connector.Invoice, ctx *Context) {
				zero("K", "art. 262 ter CGI")(i, ctx)
				i.Deliver = "2026-11-01"
			}},
		},
		"E3713": {
			{name: "an account alone", before: inv(func(i *connector.Invoice) { i.IBAN = "FR7630006000011234567890189" }), field: "payment_mode"},
			{name: "neither"},
		},
		"E3712": {
			{name: "a transfer to nowhere", before: inv(func(i *connector.Invoice) { i.Means = "58" }), field: "financial_account"},
			{name: "a transfer", before: inv(func(i *connector.Invoice) { i.Means, i.IBAN = "30", "FR7630006000011234567890189" })},
			{name: "a cheque", before: inv(func(i *connector.Invoice) { i.Means = "20" })},
		},
		"E3901": {
			{name: "a credit note of nothing", before: credit(func(*connector.Invoice) {}), field: "preceding_invoice", value: "381"},
			{name: "a corrective invoice of two", before: inv(func(i *connector.Invoice) { i.Type, i.Preceding = "384", []connector.Ref{{Number: "1"}, {Number: "2"}} }), field: "preceding_invoice", value: "384"},
			{name: "a credit note of two", before: credit(func(i *connector.Invoice) { i.Preceding = []connector.Ref{{Number: "1"}, {Number: "2"}} })},
			{name: "an invoice"},
		},
		"E3902": {
			{name: "a date without number", before: inv(func(i *connector.Invoice) { i.Preceding = []connector.Ref{{Date: "2026-01-02"}} }), field: "preceding_invoice"},
			{name: "a credit note of an undated invoice", before: credit(func(i *connector.Invoice) { i.Preceding = []connector.Ref{{Number: "1"}} }), field: "preceding_invoice_date"},
			{name: "whole", before: credit(func(i *connector.Invoice) { i.Preceding = []connector.Ref{{Number: "1", Date: "2026-01-02"}} })},
			{name: "an invoice after a deposit", before: inv(func(i *connector.Invoice) { i.Preceding = []connector.Ref{{Number: "1"}} })},
		},
		"E3903": {
			{name: "no discount note", before: notes("#PMT#40 EUR", "#PMD#3 x", "Merci"), field: "notes", expect: "#AAB#..."},
			{name: "all three", before: notes("#PMT#40 EUR", " #PMD#3 x", "#AAB#néant")},
			{name: "all three in one column", before: notes("Merci #PMT#40 EUR #PMD#3 x #AAB#néant")},
		},
		"E3904": {
			{name: "twice", before: notes("#PMT#40 EUR", "#PMT#40 EUR"), field: "notes", value: "PMT"},
			{name: "two processings", before: notes("#BAR#B2B", "#BAR#B2B"), field: "notes", value: "BAR"},
			{name: "once, and other notes", before: notes("#PMT#40 EUR", "#AAI#a", "#AAI#b", "#", "##")},
		},
		"E3905": {
			{name: "unknown", before: notes("#BAR#B2X"), field: "notes", value: "B2X", expect: processings},
			{name: "known", before: notes("#BAR#B2B", "B2X")},
		},
		"E3906": {{name: "none", field: "billing_frame"}, {name: "goods", before: frame("B1")}},
		"E3907": {
			{name: "a deposit after a deposit", before: inv(func(i *connector.Invoice) { i.Type, i.Frame = "386", "S4" }), field: "billing_frame", value: "S4"},
			{name: "the invoice after a deposit", before: frame("S4")},
		},
		"E3908": {
			{name: "nothing paid", before: frame("S2"), field: "prepaid_amount", expect: "61.20"},
			{name: "no date of payment", before: inv(func(i *connector.Invoice) { i.Frame, i.DueDate, i.Totals.Prepaid = "S2", "", am("61.20") }), field: "due_date"},
			{name: "all paid", before: inv(func(i *connector.Invoice) { i.Frame, i.Totals.Prepaid = "S2", am("61.20") })},
			{name: "to be paid", before: frame("S1")},
		},
	}
}

func publicCases() map[string][]situation {
	number := func(n string) change { return inv(func(i *connector.Invoice) { i.Number = n }) }
	public := func(f func(*connector.Invoice)) change {
		return inv(func(i *connector.Invoice) {
			i.Buyer.FiscalID, i.ServiceCode = "21750001600019", "FACTURES"
			if f != nil {
				f(i)
			}
		})
	}
	listed := func(f func(*connector.Invoice, *Config)) change {
		return func(i *connector.Invoice, ctx *Context) {
			i.Buyer.FiscalID = "21750001600019"
			f(i, &ctx.Config)
		}
	}
	attached := func(a connector.Attachment) change {
		return public(func(i *connector.Invoice) { a.MIME = "application/pdf"; i.Attached = []connector.Attachment{a} })
	}
	long := strings.Repeat("7", 36)
	name, text, iban := strings.Repeat("é", 100), strings.Repeat("é", 1025), "MT84MALT011000012345MTLCAST001S"
	return map[string][]situation{
		"E3801": {
			{name: "none for a city", before: public(func(i *connector.Invoice) { i.ServiceCode = "" }), field: "chorus_pro_service_code"},
			{name: "none for a buyer declared public", before: inv(func(i *connector.Invoice) { i.PublicBuyer = true }), field: "chorus_pro_service_code"},
			{name: "none for a private buyer"},
			{name: "given", before: public(nil)},
		},
		"E3802": {
			{name: "a SIREN only", before: public(func(i *connector.Invoice) { i.Buyer.FiscalID = "217500016" }), field: "recipient.fiscal_id", value: "217500016"},
			{name: "a SIRET", before: public(nil)},
		},
		"E3803": {
			{name: "51 characters", before: public(func(i *connector.Invoice) { i.CommitmentNumber = strings.Repeat("E", 51) }), field: "commitment_number", value: strings.Repeat("E", 51)},
			{name: "50 characters", before: public(func(i *connector.Invoice) { i.CommitmentNumber = strings.Repeat("E", 50) })},
		},
		"E3804": {
			{name: "21 characters", before: public(func(i *connector.Invoice) { i.Number = long[:21] }), field: "document_number", value: long[:21]},
			{name: "20 characters", before: public(func(i *connector.Invoice) { i.Number = long[:20] })},
			{name: "21 for a private buyer", before: number(long[:21])},
		},
		"E3805": {
			{name: "a city nobody calls public", before: public(nil), field: "recipient_public", value: "21750001600019", expect: "true"},
			{name: "a city called public", before: public(func(i *connector.Invoice) { i.PublicBuyer = true })},
			{name: "a company"},
		},
		"E3806": {
			{name: "none for a SIRET that wants one", before: listed(func(_ *connector.Invoice, c *Config) { c.ServiceCode = []string{"21750001600019"} }), field: "chorus_pro_service_code"},
			{name: "none for a SIREN that wants one", before: listed(func(_ *connector.Invoice, c *Config) { c.ServiceCode = []string{"217500016"} }), field: "chorus_pro_service_code"},
			{name: "none for another", before: listed(func(_ *connector.Invoice, c *Config) { c.ServiceCode = []string{"21750001600027"} })},
			{name: "given", before: listed(func(i *connector.Invoice, c *Config) { i.ServiceCode, c.ServiceCode = "ACHATS", []string{"217500016"} })},
		},
		"E3807": {
			{name: "none for a city that wants one", before: listed(func(_ *connector.Invoice, c *Config) { c.Commitment = []string{"217500016"} }), field: "commitment_number"},
			{name: "given", before: listed(func(i *connector.Invoice, c *Config) { i.CommitmentNumber, c.Commitment = "E1", []string{"217500016"} })},
		},
		"E3808": {
			{name: "a SIREN only", before: public(nil), field: "sender.fiscal_id", value: "100000009"},
			{name: "a SIRET", before: public(func(i *connector.Invoice) { i.Seller.FiscalID = "10000000900017" })},
			{name: "for a company"},
		},
		"E3809": {
			{name: "a space", before: public(func(i *connector.Invoice) { i.ServiceCode = "Service achats" }), field: "chorus_pro_service_code", value: "Service achats"},
			{name: "101 characters", before: public(func(i *connector.Invoice) { i.ServiceCode = strings.Repeat("a", 101) }), field: "chorus_pro_service_code", value: strings.Repeat("a", 101)},
			{name: "100 characters", before: public(func(i *connector.Invoice) { i.ServiceCode = strings.Repeat("a", 96) + "_-A9" })},
		},
		"E3810": {
			{name: "a subcontractor's", before: public(func(i *connector.Invoice) { i.Frame = "S5" }), field: "billing_frame", value: "S5", expect: "S3"},
			{name: "direct payment", before: public(func(i *connector.Invoice) { i.Frame = "S3" })},
		},
		"E3811": {
			{name: "Maltese", before: public(func(i *connector.Invoice) { i.IBAN = iban }), field: "financial_account", value: iban},
			{name: "French", before: public(func(i *connector.Invoice) { i.IBAN = "FR7630006000011234567890189" })},
		},
		"E3812": {
			{name: "100 characters", before: public(func(i *connector.Invoice) { i.Buyer.Name = name }), field: "recipient.name", value: name},
			{name: "99 characters", before: public(func(i *connector.Invoice) { i.Seller.Name = name[2:] })},
		},
		"E3813": {
			{name: "1025 characters", before: public(func(i *connector.Invoice) { i.Lines[0].Description = text }), field: "invoice_lines[0].description", value: text},
			{name: "1024 characters", before: public(func(i *connector.Invoice) { i.Lines[0].Description = text[2:] })},
		},
		"E3814": {
			{name: "51 characters", before: attached(connector.Attachment{Filename: name[:102]}), field: "attachments[0].filename", value: name[:102]},
			{name: "50 characters", before: attached(connector.Attachment{Filename: name[:100]})},
		},
		"E3815": {
			{name: "a byte too many", before: attached(connector.Attachment{Filename: "plan.pdf", Content: make([]byte, 10<<20+1)}), field: "attachments[0].document", value: "plan.pdf"},
			{name: "10 MB", before: attached(connector.Attachment{Content: make([]byte, 10<<20)})},
		},
	}
}

// A SIREN that begins with 1 or 2 is no proof: what would refuse only warns.
func TestAGuessedPublicRecipientIsOnlyWarnedOf(t *testing.T) {
	for declared, want := range map[bool]problem.Severity{true: refuse, false: warn} {
		ps := check(t, inv(func(i *connector.Invoice) {
			i.Buyer.FiscalID, i.Number, i.PublicBuyer = "21750001600019", "F2026-0000000000000001", declared
		}), nothing)
		if got := withCode(ps, "E3804"); len(got) != 1 || got[0].Severity != want {
			t.Errorf("declared %t: got %v, want %s", declared, got, want)
		}
	}
}

func TestWithoutCompaniesEverySellerIsTakenForOurs(t *testing.T) {
	ps := check(t, func(_ *connector.Invoice, ctx *Context) { ctx.Companies, ctx.AnySeller = nil, true }, nothing)
	if len(ps) > 0 {
		t.Errorf("got %v", ps)
	}
	ps = check(t, func(i *connector.Invoice, ctx *Context) {
		i.Seller, ctx.Companies, ctx.AnySeller = connector.Party{}, nil, true
	}, nothing)
	if len(ps) > 0 {
		t.Errorf("a seller that the export leaves to the configuration: got %v", ps)
	}
}
