package rules

import (
	"maps"
	"slices"

	"einvoice/connector/problem"
	"einvoice/connector/setting"
)

// off is the severity of a check that is not made.
const off problem.Severity = "off"

// What becomes of an invoice whose recipient has no SIREN.
const (
	withoutRefuse = "refuse"
	withoutSend   = "send"
	withoutIgnore = "ignore"
)

// Config is the [rules] section.
type Config struct {
	// Severity changes how severe a check is, by its code: "refuse", "warn" or
	// "off". RULES.md lists the codes; arithmetic always refuses.
	Severity map[string]string `toml:"severity"`
	// WithoutSIREN says what becomes of invoices to private, foreign and
	// incomplete recipients: "refuse" them, "send" them to the recipient's VAT
	// id or e-mail address, or "ignore" them, which the acknowledgement says.
	WithoutSIREN string `toml:"without_siren"`
}

// Defaults are the settings of an empty section.
func Defaults() Config { return Config{WithoutSIREN: withoutRefuse} }

// Validate reports unknown codes and words, and attempts to weaken a check that
// no setting may weaken.
func (c Config) Validate(r setting.Report) {
	r.OneOf("without_siren", c.WithoutSIREN, withoutRefuse, withoutSend, withoutIgnore)
	severity := r.In("severity")
	for _, code := range slices.Sorted(maps.Keys(c.Severity)) {
		row := find(code)
		if row == nil {
			severity.Wrong(code, "is not the code of a check; RULES.md and `einvoice rules` list them")
			continue
		}
		word := c.Severity[code]
		severity.OneOf(code, word, string(problem.Refuse), string(problem.Warn), string(off))
		if row.fixed && word != string(row.severity) {
			severity.Wrong(code, "cannot be changed: this check always says %q", row.severity)
		}
	}
}

// severity is how severe a check is under these settings. A fixed one stays as
// it is even if nobody called Validate.
func (c Config) severity(r *rule) problem.Severity {
	if r.fixed {
		return r.severity
	}
	switch s := problem.Severity(c.Severity[r.code]); s {
	case problem.Refuse, problem.Warn, off:
		return s
	}
	return r.severity
}

func find(code string) *rule {
	for i := range table {
		if table[i].code == code {
			return &table[i]
		}
	}
	return nil
}
