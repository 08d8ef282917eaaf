// Package rules checks an invoice before it is sent: what it must have, its
// arithmetic, its dates, codes and identifiers. Every check is one row of one
// table, with its code, the official rule it stands for and how severe it is.
//
// Sources: EN 16931 (BR-*), the French rules of XP Z12-012 (BR-FR-*), Chorus
// Pro (BR-FR-CPRO-*), Peppol BIS (R*) and the DGFiP's external specifications
// (G*). RULES.md lists all checks.
package rules

import (
	"strconv"

	"einvoice/connector"
	"einvoice/connector/problem"
)

// Codes that callers act upon.
const (
	// CodeOutOfScope marks an invoice that the setting without_siren = "ignore"
	// leaves out. It then is the only problem, and a warning: the invoice is
	// neither sent nor refused.
	CodeOutOfScope = "E3008"
	// CodeTooLarge is for amounts beyond what can be computed exactly; use it
	// when Invoice.Complete fails.
	CodeTooLarge = "E3112"
)

// maxFindings bounds what one rule says about one invoice, so that a wrong
// column of a huge invoice does not fill the memory.
const maxFindings = 1000

// Context is what an invoice is checked against.
type Context struct {
	Companies []connector.Company // those that the drop may send for
	AnySeller bool                // nobody said which companies are ours: every seller is taken for one
	Today     connector.Date      // empty: nothing is in the future
	Config    Config

	// Earlier says where an invoice of the same seller, number and year stands,
	// "" where there is none. Nil asks nobody: the ledger knows better.
	Earlier func(*connector.Invoice) string
}

// Check says all that is wrong with an invoice, after Invoice.Complete. Without
// a problem of severity Refuse it may be sent. Fields are named as in mappings
// ("recipient.fiscal_id", "invoice_lines[0].tax_rate", from 0); the texts count
// lines from 1.
func Check(inv *connector.Invoice, ctx Context) []problem.Problem {
	s := newSheet(inv, ctx)
	c := collector{number: inv.Number}
	say := c.add // once for all rules: a closure for each would be most of the work
	for i := range table {
		c.rule, c.severity, c.found = &table[i], ctx.Config.severity(&table[i]), 0
		if c.severity == off {
			continue
		}
		c.rule.check(s, say)
		if c.rule.last && c.found > 0 {
			break
		}
	}
	return c.all
}

// collector turns findings into problems.
type collector struct {
	number   string
	rule     *rule // the one that is checked
	severity problem.Severity
	found    int // by this rule
	all      []problem.Problem
}

func (c *collector) add(f finding) {
	if c.found++; c.found <= maxFindings {
		c.all = append(c.all, f.problem(c.rule, c.severity, c.number))
	}
}

// rule is one row of the table.
type rule struct {
	code     string
	official string           // the rule it stands for, "" for one of our own
	severity problem.Severity // unless a setting says otherwise
	check    func(*sheet, report)
	fixed    bool // no setting changes the severity
	last     bool // once it finds something, nothing more is checked
	mute     bool // about a term that the API does not carry
}

// report receives what a check found.
type report func(finding)

// finding is one thing that a rule found.
type finding struct {
	field, bt       string
	value, expected string
	rule            string // official id where it differs from the row's
	line            int    // from 1, 0 when it is not about a line
	guess           bool   // the rule may not apply: a warning at most
	args            map[string]string
}

func (f finding) problem(r *rule, severity problem.Severity, number string) problem.Problem {
	p := problem.Problem{
		Code: r.code, Severity: severity, Rule: r.official, Invoice: number,
		Field: f.field, BT: f.bt, Value: f.value, Expected: f.expected, Args: f.args,
	}
	if f.rule != "" {
		p.Rule = f.rule
	}
	if f.guess {
		p.Severity = warn
	}
	if f.line > 0 {
		if p.Args == nil {
			p.Args = map[string]string{}
		}
		p.Args["line"] = strconv.Itoa(f.line)
	}
	return p
}

// Rule describes one check, for lists and documents. Its texts are in the
// catalogue of package problem.
type Rule struct {
	Code     string
	Official string           // "BR-CO-15"; "" for a rule of our own
	Severity problem.Severity // default; "off" when it must be asked for
	Fixed    bool             // no setting changes the severity
	Mute     bool             // about a term that the API does not carry
	Strict   problem.Severity // under that profile
	Lenient  problem.Severity // under that profile
}

// Catalogue lists all checks, in the order in which they run.
func Catalogue() []Rule {
	all := make([]Rule, len(table))
	for i, r := range table {
		all[i] = Rule{Code: r.code, Official: r.official, Severity: r.severity, Fixed: r.fixed, Mute: r.mute,
			Strict: Config{Profile: profileStrict}.severity(&r), Lenient: Config{Profile: profileLenient}.severity(&r)}
	}
	return all
}
