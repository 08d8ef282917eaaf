package main

import (
	"fmt"
	"slices"
	"strings"

	"einvoice/connector"
	"einvoice/connector/problem"
	"einvoice/mappers"
)

// totalsCheck says whether the totals that the file states are those of its
// lines, as a person checks them before anything is sent.
func (p *preview) totalsCheck(inv connector.Invoice) {
	stated := inv.Totals
	inv.Totals = connector.Totals{Prepaid: stated.Prepaid, Rounded: stated.Rounded}
	inv.Lines = append([]connector.Line(nil), inv.Lines...)
	if inv.Complete() != nil {
		return // its problem says more
	}
	var parts []string
	for _, of := range []struct {
		name          string
		stated, lines connector.Amount
	}{
		{p.cfg.say("net"), stated.Net, inv.Totals.Net}, {p.cfg.say("VAT"), stated.Tax, inv.Totals.Tax}, {p.cfg.say("total"), stated.Gross, inv.Totals.Gross},
	} {
		switch {
		case !of.stated.Present():
		case of.stated.Equal(of.lines):
			parts = append(parts, p.cfg.say("%s %s as the lines", of.name, p.cfg.figure(of.stated)))
		default:
			parts = append(parts, p.cfg.say("%s %s, but the lines give %s", of.name, p.cfg.figure(of.stated), p.cfg.figure(of.lines)))
		}
	}
	if len(parts) == 0 {
		parts = []string{p.cfg.say("the file states none")}
	}
	fmt.Fprint(p.out, p.cfg.say("  totals check: %s\n", strings.Join(parts, "; ")))
}

// plain leaves out the zeros that an ERP writes behind a quantity, a price or a rate.
func plain(a connector.Amount, scale int) connector.Amount {
	d, ok := a.Get()
	if !ok {
		return a
	}
	return connector.AmountOf(d.Trim(scale))
}

// incomplete tells whether the lines lack a value, so that their sum says nothing.
func incomplete(r mappers.Result) bool {
	return slices.ContainsFunc(r.Problems, func(pr problem.Problem) bool { return pr.Severity == problem.Refuse && pr.Code != totalsProblem })
}

// totalsProblem is the code of a stated total that is not that of the lines.
const totalsProblem = "E2214"
