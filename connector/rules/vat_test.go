package rules

import (
	"slices"
	"testing"

	"einvoice/connector"
	"einvoice/connector/problem"
)

func vatCases() map[string][]situation {
	rate := func(category, rate string) change {
		return line(func(l *connector.Line) { l.Category, l.Rate = category, am(rate) })
	}
	const field = "invoice_lines[0].tax_rate"
	outside := func(i *connector.Invoice) {
		i.Lines = append(i.Lines, connector.Line{Description: "Débours", Quantity: am("1"), UnitPrice: am("5"), Category: "O", Exemption: "débours"})
	}
	return map[string][]situation{
		"E3501": {
			{name: "German", before: rate("S", "19"), field: field, value: "19"},
			{name: "Corsican", before: rate("S", "0.90")},
			{name: "written with zeros", before: rate("", "5.500")},
			{name: "none", before: zero("E", "art. 261 CGI")},
		},
		"E3502": {
			{name: "0 % of standard VAT", before: rate("S", "0"), field: field, value: "0"},
			{name: "a negative rate", before: rate("", "-20"), field: field, value: "-20"},
			{name: "2.1 %", before: rate("S", "2.1")},
		},
		"E3503": {
			{name: "20 % of an exemption", before: rate("E", "20"), field: field, value: "20", expect: "0"},
			{name: "0 % of an export", before: zero("G", "art. 262 CGI")},
		},
		"E3504": {
			{name: "20 % outside the scope", before: rate("O", "20"), field: field, value: "20"},
			{name: "0 outside the scope", before: zero("O", "débours")},
		},
		"E3512": {
			{name: "0.2 for 20 %", before: rate("", "0.2"), field: field, value: "0.2"},
			{name: "0.9 %", before: rate("", "0.9")},
		},
		"E3505": {
			{name: "with standard VAT", before: inv(outside), field: "invoice_lines[1].tax_category", value: "O"},
			{name: "alone", before: zero("O", "débours")},
		},
		"E3506": {
			{name: "exempt without reason", before: zero("E", ""), field: "invoice_lines[0].exemption_reason"},
			{name: "with reason", before: zero("E", "art. 261 CGI")},
		},
		"E3507": {
			{name: "a reason at 20 %", before: line(func(l *connector.Line) { l.Exemption = "art. 261 CGI" }), field: "invoice_lines[0].exemption_reason", value: "art. 261 CGI"},
			{name: "a reason at 0 % without category", before: zero("", "art. 261 CGI")},
		},
		"E3508": {
			{name: "nowhere", before: inv(func(i *connector.Invoice) { i.Seller.VATID = "" }), field: "sender.vat_id"},
			{name: "in the configuration", before: func(i *connector.Invoice, ctx *Context) {
				i.Seller.VATID, ctx.Companies[0].VATID = "", numericVAT("100000009")
			}},
			{name: "needless", before: func(i *connector.Invoice, ctx *Context) {
				zero("O", "débours")(i, ctx)
				i.Seller.VATID = ""
			}},
		},
		"E3509": {
			{name: "unknown", before: zero("K", "art. 262 ter CGI"), field: "recipient.vat_id"},
			{name: "given", before: func(i *connector.Invoice, ctx *Context) {
				zero("K", "art. 262 ter CGI")(i, ctx)
				i.Buyer.VATID = "DE123456789"
			}},
		},
		"E3510": {
			{name: "unknown", before: func(i *connector.Invoice, ctx *Context) {
				zero("AE", "autoliquidation")(i, ctx)
				i.Buyer.FiscalID, ctx.Config.WithoutSIREN = "", withoutSend
			}, field: "recipient.vat_id"},
			{name: "a SIREN does", before: zero("AE", "autoliquidation")},
		},
		"E3511": {
			{name: "0 % of what", before: zero("", ""), field: "invoice_lines[0].tax_category", expect: "E, AE, K, G, O, Z"},
			{name: "20 % says it itself", before: rate("", "20")},
		},
	}
}

func TestEveryRateOfTheFrenchListPasses(t *testing.T) {
	for _, rate := range []string{"10", "13", "20", "8.5", "19.6", "2.1", "5.5", "7", "20.6", "1.05", "0.9", "1.75", "9.2", "9.6"} {
		ps := check(t, line(func(l *connector.Line) { l.Rate = am(rate) }), nothing)
		if len(ps) > 0 {
			t.Errorf("%s: %v", rate, ps)
		}
	}
}

func TestAnIgnoredInvoiceIsNotCheckedFurther(t *testing.T) {
	ps := check(t, func(i *connector.Invoice, ctx *Context) {
		i.Buyer.FiscalID, i.Totals.Gross, ctx.Config.WithoutSIREN = "", am("1"), withoutIgnore
	}, nothing)
	if len(ps) != 1 || ps[0].Code != CodeOutOfScope || ps[0].Severity != warn {
		t.Errorf("got %v", ps)
	}
}

func TestTheRuleOfACategoryIsNamed(t *testing.T) {
	ps := check(t, func(i *connector.Invoice, ctx *Context) {
		zero("AE", "")(i, ctx)
		ctx.Config.Severity = map[string]string{"E3506": "warn"}
	}, nothing)
	i := slices.IndexFunc(ps, func(p problem.Problem) bool { return p.Code == "E3506" })
	if i < 0 || ps[i].Rule != "BR-AE-10" {
		t.Errorf("got %+v", ps)
	}
}
