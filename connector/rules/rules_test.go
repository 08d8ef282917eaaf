package rules

import (
	"slices"
	"strings"
	"testing"

	"einvoice/connector"
	"einvoice/connector/problem"
)

func am(s string) connector.Amount { return connector.MustAmount(s) }

// smallest is the smallest invoice that no check complains about.
func smallest() *connector.Invoice {
	return &connector.Invoice{
		Number: "F2026-001", Type: "380", IssueDate: "2026-11-02", DueDate: "2026-12-02", Currency: "EUR",
		Seller: connector.Party{Name: "Atelier Martin", FiscalID: "100000009", VATID: numericVAT("100000009")},
		Buyer:  connector.Party{Name: "Menuiserie Durand", FiscalID: "732829320", Email: "compta@durand.example"},
		Lines: []connector.Line{{Description: "Planche", Quantity: am("2"), Unit: "C62", UnitPrice: am("25.50"),
			Category: "S", Rate: am("20")}},
	}
}

func context() Context {
	return Context{
		Companies: []connector.Company{{ID: "martin", FiscalID: "100000009", Name: "Atelier Martin"}},
		Today:     "2026-11-22",
		Config:    Defaults(),
	}
}

type change func(*connector.Invoice, *Context)

// inv is a change of the invoice alone.
func inv(f func(*connector.Invoice)) change {
	return func(i *connector.Invoice, _ *Context) { f(i) }
}

// line is a change of the only line.
func line(f func(*connector.Line)) change {
	return inv(func(i *connector.Invoice) { f(&i.Lines[0]) })
}

// zero makes the only line one of a category at 0 %.
func zero(category, reason string) change {
	return line(func(l *connector.Line) { l.Category, l.Rate, l.Exemption = category, am("0"), reason })
}

func nothing(*connector.Invoice, *Context) {}

// stated are changes made after Complete: they contradict the derived amounts.
func check(t *testing.T, before, after change) []problem.Problem {
	t.Helper()
	i, ctx := smallest(), context()
	before(i, &ctx)
	if err := i.Complete(); err != nil {
		t.Fatal(err)
	}
	after(i, &ctx)
	return Check(i, ctx)
}

func withCode(ps []problem.Problem, code string) []problem.Problem {
	return slices.DeleteFunc(slices.Clone(ps), func(p problem.Problem) bool { return p.Code != code })
}

func TestNobodyComplainsOfTheSmallestInvoice(t *testing.T) {
	if ps := check(t, nothing, nothing); len(ps) > 0 {
		t.Errorf("got %v", ps)
	}
}

// situation is an invoice that a rule must complain about, or must not.
type situation struct {
	name   string
	before change // of the smallest invoice
	after  change // of the completed one
	field  string // "" when the rule must be silent
	value  string
	expect string
}

func TestEachRule(t *testing.T) {
	covered := map[string]bool{}
	for _, part := range []map[string][]situation{requiredCases(), arithmeticCases(), contentCases(), vatCases(), identifierCases(), frenchCases(), publicCases()} {
		for code, cases := range part {
			fails, passes := false, false
			for _, c := range cases {
				fails, passes = fails || c.field != "", passes || c.field == ""
				t.Run(code+"/"+c.name, func(t *testing.T) { c.run(t, code) })
			}
			if !fails || !passes {
				t.Errorf("%s wants a situation that fails and one that passes", code)
			}
			covered[code] = true
		}
	}
	for _, r := range Catalogue() {
		if !covered[r.Code] {
			t.Errorf("%s has no situation", r.Code)
		}
	}
}

func (c situation) run(t *testing.T, code string) {
	if c.before == nil {
		c.before = nothing
	}
	if c.after == nil {
		c.after = nothing
	}
	all := check(t, func(i *connector.Invoice, ctx *Context) {
		if find(code).mute {
			ctx.Config.Severity = map[string]string{code: string(warn)}
		}
		c.before(i, ctx)
	}, c.after)
	got := withCode(all, code)
	if c.field == "" {
		if len(got) > 0 {
			t.Errorf("complains: %+v", got)
		}
		return
	}
	if len(got) == 0 {
		t.Fatalf("does not complain; others: %v", all)
	}
	p := got[0]
	if p.Field != c.field || p.Value != c.value || p.Expected != c.expect {
		t.Errorf("got field %q, value %q, expected %q; want %q, %q, %q", p.Field, p.Value, p.Expected, c.field, c.value, c.expect)
	}
	if p.BT == "" {
		t.Error("names no business term")
	}
	for _, lang := range []problem.Lang{problem.French, problem.English} {
		for _, text := range []string{p.Message(lang), p.Remedy(lang)} {
			if text == "" || strings.ContainsAny(text, "{}") {
				t.Errorf("text %q is empty or has a placeholder left", text)
			}
		}
	}
}

func requiredCases() map[string][]situation {
	buyer := func(f func(*connector.Party)) change { return inv(func(i *connector.Invoice) { f(&i.Buyer) }) }
	anonymous := func(word string) change {
		return func(i *connector.Invoice, ctx *Context) {
			i.Buyer.FiscalID, ctx.Config.WithoutSIREN = "", word
		}
	}
	return map[string][]situation{
		"E3001": {{name: "blank number", before: inv(func(i *connector.Invoice) { i.Number = " " }), field: "document_number"}, {name: "number"}},
		"E3002": {{name: "no date", before: inv(func(i *connector.Invoice) { i.IssueDate = "" }), field: "issue_date"}, {name: "date"}},
		"E3003": {{name: "no currency", before: inv(func(i *connector.Invoice) { i.Currency = "" }), field: "currency"}, {name: "currency"}},
		"E3004": {{name: "no seller", before: inv(func(i *connector.Invoice) { i.Seller.FiscalID = "" }), field: "sender.fiscal_id"}, {name: "seller"}},
		"E3005": {
			{name: "another company", before: inv(func(i *connector.Invoice) { i.Seller.FiscalID = "732829320" }), field: "sender.fiscal_id", value: "732829320", expect: "100000009"},
			{name: "no company at all", before: func(_ *connector.Invoice, ctx *Context) { ctx.Companies = nil }, field: "sender.fiscal_id", value: "100000009"},
			{name: "mutilated number", before: inv(func(i *connector.Invoice) { i.Seller.FiscalID = "10000000" }), field: "sender.fiscal_id", value: "10000000", expect: "100000009"},
			{name: "establishment of ours", before: inv(func(i *connector.Invoice) { i.Seller.FiscalID = "10000000900009" })},
		},
		"E3021": {
			{name: "a foreign number", before: func(i *connector.Invoice, ctx *Context) { i.Seller.FiscalID, ctx.AnySeller = "DE111111125", true }, field: "sender.fiscal_id", value: "DE111111125"},
			{name: "a SIRET of anybody", before: func(i *connector.Invoice, ctx *Context) { i.Seller.FiscalID, ctx.AnySeller = "20000000800017", true }},
			{name: "left to the list of our companies", before: inv(func(i *connector.Invoice) { i.Seller.FiscalID = "DE111111125" })},
		},
		"E3006": {{name: "no buyer name", before: buyer(func(p *connector.Party) { p.Name = "" }), field: "recipient.name"}, {name: "buyer name"}},
		"E3007": {
			{name: "refused by default", before: buyer(func(p *connector.Party) { p.FiscalID = "" }), field: "recipient.fiscal_id"},
			{name: "foreigner with a number of his own", before: buyer(func(p *connector.Party) { p.FiscalID, p.Address.Country = "HRB 12345", "DE" }), field: "recipient.fiscal_id", value: "HRB 12345"},
			{name: "a public buyer without SIRET is never sent", before: func(i *connector.Invoice, ctx *Context) {
				anonymous(withoutSend)(i, ctx)
				i.PublicBuyer = true
			}, field: "recipient.fiscal_id"},
			{name: "a public buyer without SIRET is never left out", before: func(i *connector.Invoice, ctx *Context) {
				anonymous(withoutIgnore)(i, ctx)
				i.PublicBuyer = true
			}, field: "recipient.fiscal_id"},
			{name: "sent when asked for", before: anonymous(withoutSend)},
		},
		"E3017": {
			{name: "SIREN inside the VAT number", before: buyer(func(p *connector.Party) { p.FiscalID, p.VATID = "", "FR44732829320" }), field: "recipient.fiscal_id", expect: "732829320"},
			{name: "foreign VAT number", before: buyer(func(p *connector.Party) { p.FiscalID, p.VATID = "", "DE123456789" })},
		},
		"E3008": {
			{name: "left out when asked for", before: anonymous(withoutIgnore), field: "recipient.fiscal_id"},
			{name: "a mutilated SIRET is no private person", before: func(i *connector.Invoice, ctx *Context) {
				i.Buyer.FiscalID, ctx.Config.WithoutSIREN = "7328293200007", withoutIgnore
			}},
		},
		"E3009": {
			{name: "nothing to reach it by", before: func(i *connector.Invoice, ctx *Context) {
				anonymous(withoutSend)(i, ctx)
				i.Buyer.Email = ""
			}, field: "recipient.email"},
			{name: "e-mail", before: anonymous(withoutSend)},
		},
		"E3016": {
			{name: "asked for", before: func(i *connector.Invoice, ctx *Context) {
				i.Buyer.Email, ctx.Config.Severity = "", map[string]string{"E3016": "warn"}
			}, field: "recipient.email"},
			{name: "off by default", before: buyer(func(p *connector.Party) { p.Email = "" })},
		},
		"E3010": {{name: "no line", before: inv(func(i *connector.Invoice) { i.Lines = nil }), field: "invoice_lines"}, {name: "a line"}},
		"E3011": {{name: "no description", before: line(func(l *connector.Line) { l.Description = "" }), field: "invoice_lines[0].description"}, {name: "description"}},
		"E3012": {{name: "no quantity", before: line(func(l *connector.Line) { l.Quantity = connector.Amount{} }), field: "invoice_lines[0].quantity"}, {name: "quantity"}},
		"E3013": {{name: "no price", before: line(func(l *connector.Line) { l.UnitPrice = connector.Amount{} }), field: "invoice_lines[0].unit_price"}, {name: "price"}},
		"E3014": {
			{name: "no rate", before: line(func(l *connector.Line) { l.Rate = connector.Amount{} }), field: "invoice_lines[0].tax_rate"},
			{name: "outside the scope of VAT", before: line(func(l *connector.Line) { l.Category, l.Rate = "O", connector.Amount{} })},
		},
		"E3015": {
			{name: "no seller name", before: func(i *connector.Invoice, ctx *Context) {
				i.Seller.Name, ctx.Companies[0].Name = "", ""
			}, field: "sender.name"},
			{name: "name of the registered company", before: inv(func(i *connector.Invoice) { i.Seller.Name = "" })},
		},
	}
}
