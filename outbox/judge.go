package outbox

import (
	"einvoice/connector"
	"einvoice/connector/api"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
	"einvoice/connector/rules"
	"einvoice/mappers"
)

// Checks are what an invoice is held against besides its own arithmetic.
type Checks struct {
	Companies []connector.Company // that may sell through the drop
	AnySeller bool                // nobody said which companies are ours: every seller may
	Rules     rules.Config
	Safety    Safety
	Today     connector.Date
	Earlier   func(*connector.Invoice) string // see rules.Context; nil leaves it to the ledger
}

func (o *Outbox) checks(d *Drop) Checks {
	return Checks{Companies: d.Companies, Rules: o.Rules, Safety: o.Safety, Today: connector.DateOf(o.Now().In(o.Location))}
}

// Judge decides what an invoice's own content allows: queued, refused, ignored
// or held. The ledger adds what only it knows: duplicates and conflicts. The
// file is the name of the export.
func Judge(r mappers.Result, file string, c Checks) ledger.StagedInvoice {
	s := ledger.StagedInvoice{Ordinal: r.Ordinal, Rows: r.Rows, Row: r.Row, Verdict: ledger.VerdictQueued,
		Problems: r.Problems, Invoice: r.Invoice}
	adoptSeller(&s.Invoice, c.Companies)
	s.Company = companyOf(c.Companies, s.Invoice.Seller)
	switch {
	case r.Ignored != "":
		s.Problems = append(s.Problems, problem.Problem{Code: "E5203", Severity: problem.Warn, Value: r.Ignored})
	case !fatal(s.Problems): // a value that could not be read would only cause false alarms
		s.Problems = append(s.Problems, c.run(&s.Invoice, s.Company, r.Origins)...)
	}
	for i := range s.Problems {
		place(&s.Problems[i], file, r)
	}
	switch {
	case r.Ignored != "" || outOfScope(s.Problems):
		s.Verdict = ledger.VerdictIgnored
	case fatal(s.Problems):
		s.Verdict = ledger.VerdictRefused
	case r.Release == "" && held(s.Problems):
		s.Verdict = ledger.VerdictHeld
	}
	return s
}

// run completes an invoice and holds it against the rules.
func (c Checks) run(inv *connector.Invoice, company string, origins mappers.Origins) []problem.Problem {
	if err := inv.Complete(); err != nil {
		return []problem.Problem{{Code: rules.CodeTooLarge, Severity: problem.Refuse, Value: err.Error()}}
	}
	ps := rules.Check(inv, rules.Context{Companies: c.Companies, AnySeller: c.AnySeller,
		Today: c.Today, Config: c.Rules, Earlier: c.Earlier})
	ps = append(ps, api.NotCarried(*inv)...)
	ps = append(ps, c.Safety.content(inv, company, c.Today)...)
	for i := range ps {
		at := origins.Find(ps[i].Field)
		ps[i].Position = at.Position
		if ps[i].Value == "" {
			ps[i].Value = at.Value
		}
	}
	return ps
}

// place completes a problem with what every problem of an invoice shares.
func place(p *problem.Problem, file string, r mappers.Result) {
	p.Invoice = r.Invoice.Number
	if p.Position.File == "" { // a value's own is one of several files
		p.Position.File = file
	}
	if p.Position.Row == 0 && p.Position.Path == "" {
		p.Position.Row = r.Row
	}
}

// adoptSeller fills in the seller from the configuration where the export does
// not name one and the drop serves a single company.
func adoptSeller(inv *connector.Invoice, companies []connector.Company) {
	for _, c := range companies {
		known := inv.Seller.SIREN() == c.SIREN()
		if !known && (inv.Seller.FiscalID != "" || len(companies) > 1 || another(inv.Seller.VATID, c)) {
			continue
		}
		fill(&inv.Seller.FiscalID, c.FiscalID)
		fill(&inv.Seller.Name, c.Name)
		fill(&inv.Seller.VATID, c.VATID)
		if inv.Seller.Address == (connector.Address{}) {
			inv.Seller.Address = c.Address
		}
		return
	}
}

// another tells whether a French VAT number is that of another seller than c: it
// ends in a SIREN, save those of Monaco (000). A group's number is ours where the
// settings name it.
func another(vat string, c connector.Company) bool {
	if len(vat) != len("FR40303265045") || vat[:2] != "FR" || vat[4:7] == "000" || vat == c.VATID {
		return false
	}
	return vat[4:] != c.SIREN()
}

func fill(s *string, v string) {
	if *s == "" {
		*s = v
	}
}

func companyOf(companies []connector.Company, seller connector.Party) string {
	for _, c := range companies {
		if c.SIREN() != "" && c.SIREN() == seller.SIREN() {
			return c.ID
		}
	}
	return ""
}

func held(ps []problem.Problem) bool {
	for _, p := range ps {
		if p.Severity == problem.Hold {
			return true
		}
	}
	return false
}

func fatal(ps []problem.Problem) bool {
	for _, p := range ps {
		if p.Severity == problem.Refuse {
			return true
		}
	}
	return false
}

func first(ps []problem.Problem) problem.Problem {
	for _, p := range ps {
		if p.Severity != problem.Warn {
			return p
		}
	}
	if len(ps) > 0 {
		return ps[0]
	}
	return problem.Problem{}
}

// outOfScope tells whether the rules leave an invoice out, as a setting asks.
func outOfScope(ps []problem.Problem) bool {
	for _, p := range ps {
		if p.Code == rules.CodeOutOfScope {
			return true
		}
	}
	return false
}
