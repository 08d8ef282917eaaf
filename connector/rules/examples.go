package rules

import (
	"bytes"
	"strings"

	"einvoice/connector"
	"einvoice/connector/problem"
)

// Example is what a check says of an invoice that just breaks it: a sound
// invoice with one thing spoilt, checked for real. False for a code that no
// check has.
func Example(code string) (problem.Problem, bool) {
	for _, e := range examples {
		if e.code != code {
			continue
		}
		inv, ctx := sound()
		ctx.Config.Severity = map[string]string{}
		if r := find(code); r != nil && r.severity == off {
			ctx.Config.Severity[code] = string(warn)
		}
		if e.spoil != nil {
			e.spoil(inv, &ctx)
		}
		if inv.Complete() != nil {
			return problem.Problem{}, false
		}
		if e.contradict != nil {
			e.contradict(inv)
		}
		for _, p := range Check(inv, ctx) {
			if p.Code == code {
				return p, true
			}
		}
	}
	return problem.Problem{}, false
}

// sound is an invoice that no check complains about, even of those that are off.
func sound() (*connector.Invoice, Context) {
	inv := &connector.Invoice{
		Number: "FA-2026-0042", Type: "380", IssueDate: "2026-11-02", DueDate: "2026-12-02", Currency: "EUR",
		Seller: connector.Party{Name: "Atelier Martin", FiscalID: "10000000900017", VATID: "FR88100000009",
			Address: connector.Address{Country: "FR"}},
		Buyer: connector.Party{Name: "Menuiserie Durand", FiscalID: "73282932000074", VATID: "FR44732829320",
			Email: "compta@durand.example", Address: connector.Address{Country: "FR"}},
		Lines: []connector.Line{{Description: "Planche de chêne", Quantity: connector.MustAmount("2"), Unit: "C62",
			UnitPrice: connector.MustAmount("25.50"), Category: "S", Rate: connector.MustAmount("20")}},
		Payment: connector.Payment{Means: "30", IBAN: "FR7630006000011234567890189", Frame: "B1"},
		Notes:   []string{"#PMT#40 EUR", "#PMD#3 x le taux légal", "#AAB#Pas d'escompte"},
	}
	return inv, Context{Today: "2026-11-22", Config: Defaults(),
		Companies: []connector.Company{{FiscalID: "10000000900017", Name: "Atelier Martin"}}}
}

// example spoils the sound invoice for one check.
type example struct {
	code       string
	spoil      func(*connector.Invoice, *Context) // before the totals are derived
	contradict func(*connector.Invoice)           // after that
}

// spoilt is the invoice under the knife.
type spoilt = *connector.Invoice

func exempt(inv spoilt, category string) {
	l := &inv.Lines[0]
	l.Category, l.Rate, l.Exemption = category, connector.MustAmount("0"), "art. 261 CGI"
}

func toTown(inv spoilt) {
	inv.Buyer.FiscalID, inv.Buyer.VATID, inv.PublicBuyer = "21750001600019", "", true
}

func amount(s string) connector.Amount { return connector.MustAmount(s) }

// examples has one entry for each check. It is never changed.
var examples = [...]example{
	{code: "E3008", spoil: func(i spoilt, c *Context) { i.Buyer.FiscalID, c.Config.WithoutSIREN = "", withoutIgnore }},
	{code: "E3001", spoil: func(i spoilt, _ *Context) { i.Number = "" }},
	{code: "E3002", spoil: func(i spoilt, _ *Context) { i.IssueDate = "" }},
	{code: "E3003", spoil: func(i spoilt, _ *Context) { i.Currency = "" }},
	{code: "E3004", spoil: func(i spoilt, _ *Context) { i.Seller.FiscalID = "" }},
	{code: "E3021", spoil: func(i spoilt, c *Context) { i.Seller.FiscalID, c.AnySeller = "100 000 009", true }},
	{code: "E3005", spoil: func(i spoilt, _ *Context) { i.Seller.FiscalID = "20000000800017" }},
	{code: "E3015", spoil: func(i spoilt, c *Context) { i.Seller.Name, c.Companies[0].Name = "", "" }},
	{code: "E3006", spoil: func(i spoilt, _ *Context) { i.Buyer.Name = "" }},
	{code: "E3007", spoil: func(i spoilt, _ *Context) { i.Buyer.FiscalID, i.Buyer.VATID = "", "" }},
	{code: "E3017", spoil: func(i spoilt, _ *Context) { i.Buyer.FiscalID = "" }},
	{code: "E3009", spoil: func(i spoilt, c *Context) {
		i.Buyer.FiscalID, i.Buyer.VATID, i.Buyer.Email, c.Config.WithoutSIREN = "", "", "", withoutSend
	}},
	{code: "E3018", spoil: func(i spoilt, c *Context) { i.Buyer.FiscalID, c.Config.WithoutSIREN = "", withoutSend }},
	{code: "E3016", spoil: func(i spoilt, _ *Context) { i.Buyer.Email = "" }},
	{code: "E3019", spoil: func(i spoilt, _ *Context) { i.Seller.FiscalID, i.Seller.Address.Country = "", "" }},
	{code: "E3020", spoil: func(i spoilt, c *Context) {
		i.Buyer.FiscalID, i.Buyer.Address.Country, c.Config.WithoutSIREN = "", "", withoutSend
	}},
	{code: "E3010", spoil: func(i spoilt, _ *Context) { i.Lines = nil }},
	{code: "E3011", spoil: func(i spoilt, _ *Context) { i.Lines[0].Description = "" }},
	{code: "E3012", spoil: func(i spoilt, _ *Context) { i.Lines[0].Quantity = connector.Amount{} }},
	{code: "E3013", spoil: func(i spoilt, _ *Context) { i.Lines[0].UnitPrice = connector.Amount{} }},
	{code: "E3014", spoil: func(i spoilt, _ *Context) { i.Lines[0].Rate = connector.Amount{} }},

	{code: CodeTooLarge, contradict: func(i spoilt) { i.Totals.Gross = amount("1000000000000.00") }},
	{code: "E3101", spoil: func(i spoilt, _ *Context) { i.Lines[0].Net = amount("52.00") }},
	{code: "E3102", spoil: func(i spoilt, _ *Context) { i.Totals.Net = amount("56.00") }},
	{code: "E3109", contradict: func(i spoilt) { i.Taxes[0].Rate = amount("10") }},
	{code: "E3103", contradict: func(i spoilt) { i.Taxes[0].Taxable = amount("50.00") }},
	{code: "E3104", contradict: func(i spoilt) { i.Taxes[0].Tax = amount("5.10") }},
	{code: "E3108", spoil: func(i spoilt, _ *Context) { exempt(i, "E") }, contradict: func(i spoilt) { i.Taxes[0].Tax = amount("10.20") }},
	{code: "E3105", contradict: func(i spoilt) { i.Totals.Tax = amount("10.21") }},
	{code: "E3106", spoil: func(i spoilt, _ *Context) { i.Totals.Gross = amount("61.21") }},
	{code: "E3107", spoil: func(i spoilt, _ *Context) { i.Totals.Prepaid, i.Totals.Payable = amount("20"), amount("61.20") }},
	{code: "E3120", contradict: func(i spoilt) { i.Taxes[0].Tax = amount("10.25") }},

	{code: "E3201", spoil: func(i spoilt, _ *Context) { i.IssueDate = "2026-02-30" }},
	{code: "E3202", spoil: func(i spoilt, _ *Context) { i.DueDate = "0026-12-02" }},
	{code: "E3203", spoil: func(i spoilt, _ *Context) { i.DueDate = "2026-11-01" }},
	{code: "E3204", spoil: func(i spoilt, _ *Context) { i.IssueDate = "2026-11-23" }},

	{code: "E3301", spoil: func(i spoilt, _ *Context) { i.Currency = "€" }},
	{code: "E3302", spoil: func(i spoilt, _ *Context) { i.Buyer.Address.Country = "France" }},
	{code: "E3303", spoil: func(i spoilt, _ *Context) { i.Type = "325" }},
	{code: "E3304", spoil: func(i spoilt, _ *Context) { i.Lines[0].Unit = "Pièce" }},
	{code: "E3305", spoil: func(i spoilt, _ *Context) { i.Lines[0].Category = "normal" }},
	{code: "E3306", spoil: func(i spoilt, _ *Context) { i.Frame = "A1" }},
	{code: "E3307", spoil: func(i spoilt, _ *Context) { attach(i, connector.Attachment{MIME: "application/msword"}) }},
	{code: "E3308", spoil: func(i spoilt, _ *Context) { i.Means = "Virement" }},
	{code: "E3309", spoil: func(i spoilt, _ *Context) { attach(i, connector.Attachment{Description: "Photo"}) }},
	{code: "E3310", spoil: func(i spoilt, _ *Context) {
		attach(i, connector.Attachment{Description: readable}, connector.Attachment{Description: readable})
	}},
	{code: "E3311", spoil: func(i spoilt, _ *Context) { i.Currency = "USD" }},

	{code: "E3401", spoil: func(i spoilt, _ *Context) { i.Number = "FA-2026-SUCCURSALE-DE-NANTES-00000042" }},
	{code: "E3402", spoil: func(i spoilt, _ *Context) { i.Number = "FA 2026.42" }},
	{code: "E3403", spoil: func(_ spoilt, c *Context) {
		c.Earlier = func(*connector.Invoice) string { return "ventes.csv, 14" }
	}},

	{code: "E3502", spoil: func(i spoilt, _ *Context) { i.Lines[0].Rate = amount("0") }},
	{code: "E3503", spoil: func(i spoilt, _ *Context) { i.Lines[0].Category = "E" }},
	{code: "E3504", spoil: func(i spoilt, _ *Context) { i.Lines[0].Category = "O" }},
	{code: "E3512", spoil: func(i spoilt, _ *Context) { i.Lines[0].Rate = amount("0.2") }},
	{code: "E3501", spoil: func(i spoilt, _ *Context) { i.Lines[0].Rate = amount("19") }},
	{code: "E3505", spoil: func(i spoilt, _ *Context) {
		i.Lines = append(i.Lines, i.Lines[0])
		exempt(i, "O")
	}},
	{code: "E3511", spoil: func(i spoilt, _ *Context) { exempt(i, "") }},
	{code: "E3506", spoil: func(i spoilt, _ *Context) { exempt(i, "E"); i.Lines[0].Exemption = "" }},
	{code: "E3507", spoil: func(i spoilt, _ *Context) { i.Lines[0].Exemption = "art. 261 CGI" }},
	{code: "E3508", spoil: func(i spoilt, _ *Context) { i.Seller.VATID = "" }},
	{code: "E3509", spoil: func(i spoilt, _ *Context) { exempt(i, "K"); i.Buyer.VATID = "" }},
	{code: "E3510", spoil: func(i spoilt, c *Context) {
		exempt(i, "AE")
		i.Buyer.FiscalID, i.Buyer.VATID, c.Config.WithoutSIREN = "", "", withoutSend
	}},
	{code: "E3513", spoil: func(i spoilt, _ *Context) { exempt(i, "O") }},
	{code: "E3514", spoil: func(i spoilt, _ *Context) { exempt(i, "K") }},

	{code: "E3601", spoil: func(i spoilt, _ *Context) { i.Lines[0].UnitPrice = amount("-25.50") }},
	{code: "E3602", spoil: func(i spoilt, _ *Context) { i.Lines[0].Net = amount("51.001") }},
	{code: "E3603", spoil: func(i spoilt, _ *Context) { i.Lines[0].Quantity = amount("2.00001") }},
	{code: "E3604", spoil: func(i spoilt, _ *Context) { i.Lines[0].UnitPrice = amount("25.5000001") }},
	{code: "E3605", spoil: func(i spoilt, _ *Context) { i.Lines[0].Rate = amount("20.001") }},
	{code: "E3606", spoil: func(i spoilt, _ *Context) { i.Type, i.Lines[0].Quantity = "381", amount("-2") }},

	{code: "E3701", spoil: func(i spoilt, _ *Context) { i.Buyer.FiscalID = "732 829 320" }},
	{code: "E3711", spoil: func(i spoilt, _ *Context) { i.Buyer.FiscalID = "1000009" }},
	{code: "E3702", spoil: func(i spoilt, _ *Context) { i.Buyer.FiscalID = "732829321" }},
	{code: "E3703", spoil: func(i spoilt, _ *Context) { i.Buyer.FiscalID = "73282932000075" }},
	{code: "E3704", spoil: func(i spoilt, _ *Context) { i.Buyer.VATID = "44732829320" }},
	{code: "E3705", spoil: func(i spoilt, _ *Context) { i.Buyer.VATID = "FR4473282932" }},
	{code: "E3706", spoil: func(i spoilt, _ *Context) { i.Buyer.VATID = "FR45732829320" }},
	{code: "E3707", spoil: func(i spoilt, _ *Context) { i.Buyer.VATID = "FR40303265045" }},
	{code: "E3708", spoil: func(i spoilt, _ *Context) { i.IBAN = "FR7630006000011234567890123" }},
	{code: "E3709", spoil: func(i spoilt, _ *Context) { i.BIC = "AGRIFRP" }},
	{code: "E3710", spoil: func(i spoilt, _ *Context) { i.Buyer.Email = "a@durand.example;b@durand.example" }},
	{code: "E3713", spoil: func(i spoilt, _ *Context) { i.Means = "" }},
	{code: "E3712", spoil: func(i spoilt, _ *Context) { i.IBAN = "" }},

	{code: "E3805", spoil: func(i spoilt, _ *Context) { toTown(i); i.PublicBuyer = false }},
	{code: "E3801", spoil: func(i spoilt, _ *Context) { toTown(i) }},
	{code: "E3806", spoil: func(i spoilt, c *Context) { toTown(i); c.Config.ServiceCode = []string{i.Buyer.FiscalID} }},
	{code: "E3807", spoil: func(i spoilt, c *Context) { toTown(i); c.Config.Commitment = []string{i.Buyer.FiscalID} }},
	{code: "E3802", spoil: func(i spoilt, _ *Context) { toTown(i); i.Buyer.FiscalID = "217500016" }},
	{code: "E3808", spoil: func(i spoilt, _ *Context) { toTown(i); i.Seller.FiscalID = "100000009" }},
	{code: "E3803", spoil: func(i spoilt, _ *Context) { toTown(i); i.CommitmentNumber = strings.Repeat("1234567890-", 5) }},
	{code: "E3804", spoil: func(i spoilt, _ *Context) { toTown(i); i.Number = "FA-2026-NANTES-0000042" }},
	{code: "E3809", spoil: func(i spoilt, _ *Context) { toTown(i); i.ServiceCode = "Service achats" }},
	{code: "E3810", spoil: func(i spoilt, _ *Context) { toTown(i); i.Frame = "S5" }},
	{code: "E3811", spoil: func(i spoilt, _ *Context) { toTown(i); i.IBAN = "MT84MALT011000012345MTLCAST001S" }},
	{code: "E3812", spoil: func(i spoilt, _ *Context) { toTown(i); i.Buyer.Name = strings.Repeat("Syndicat ", 12) }},
	{code: "E3813", spoil: func(i spoilt, _ *Context) { toTown(i); i.Lines[0].Description = strings.Repeat("Planche ", 130) }},
	{code: "E3814", spoil: func(i spoilt, _ *Context) {
		toTown(i)
		attach(i, connector.Attachment{Filename: strings.Repeat("bon_de_livraison_", 3) + ".pdf"})
	}},
	{code: "E3815", spoil: func(i spoilt, _ *Context) {
		toTown(i)
		attach(i, connector.Attachment{Filename: "plan.pdf", Content: bytes.Repeat([]byte{0}, 12<<20)})
	}},

	{code: "E3901", spoil: func(i spoilt, _ *Context) { i.Type = "381" }},
	{code: "E3902", spoil: func(i spoilt, _ *Context) { i.Type, i.Preceding = "381", []connector.Ref{{Number: "FA-2026-0041"}} }},
	{code: "E3903", spoil: func(i spoilt, _ *Context) { i.Notes = i.Notes[:2] }},
	{code: "E3904", spoil: func(i spoilt, _ *Context) { i.Notes = append(i.Notes, "#PMT#40 EUR") }},
	{code: "E3905", spoil: func(i spoilt, _ *Context) { i.Notes = append(i.Notes, "#BAR#B2X") }},
	{code: "E3906", spoil: func(i spoilt, _ *Context) { i.Frame = "" }},
	{code: "E3907", spoil: func(i spoilt, _ *Context) { i.Type, i.Frame = "386", "B4" }},
	{code: "E3908", spoil: func(i spoilt, _ *Context) { i.Frame = "B2" }},
}

func attach(inv spoilt, files ...connector.Attachment) {
	for i := range files {
		if files[i].MIME == "" {
			files[i].MIME = "application/pdf"
		}
	}
	inv.Attached = files
}
