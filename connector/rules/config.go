package rules

import (
	"maps"
	"slices"

	"einvoice/connector/problem"
	"einvoice/connector/setting"
)

// off is the severity of a check that is not made.
const off problem.Severity = "off"

// The profiles: what is done with the checks that no setting names.
const (
	profilePlatform = "platform"
	profileStrict   = "strict"
	profileLenient  = "lenient"
)

// What becomes of an invoice whose recipient has no SIREN.
const (
	withoutRefuse = "refuse"
	withoutSend   = "send"
	withoutIgnore = "ignore"
)

// Config is the [rules] section.
type Config struct {
	// Profile is "platform": refuse what would surely be rejected, and any
	// arithmetic mismatch; warn on the rest. "strict" refuses what that warns
	// of, and warns of what is off. "lenient" refuses only what cannot be sent
	// or does not add up, and warns on the rest.
	Profile string `toml:"profile"`
	// Severity changes how severe a check is, by its code: "refuse", "warn" or
	// "off". RULES.md lists the codes; arithmetic always refuses.
	Severity map[string]string `toml:"severity"`
	// WithoutSIREN says what becomes of invoices to private, foreign and
	// incomplete recipients: "refuse" them, "send" them to the recipient's VAT
	// id or e-mail address, or "ignore" them, which the acknowledgement says.
	WithoutSIREN string `toml:"without_siren"`
	// ServiceCode and Commitment are the public recipients, by SIRET or SIREN,
	// that take no invoice without a service code, or without a commitment
	// number. The directory of Chorus Pro says which they are.
	ServiceCode []string `toml:"service_code_required"`
	Commitment  []string `toml:"commitment_required"`
}

// Defaults are the settings of an empty section.
func Defaults() Config { return Config{Profile: profilePlatform, WithoutSIREN: withoutRefuse} }

// Validate reports unknown codes and words, and attempts to weaken a check that
// no setting may weaken.
func (c Config) Validate(r setting.Report) {
	r.OneOf("profile", c.Profile, profilePlatform, profileStrict, profileLenient)
	validateNumbers(r, "service_code_required", c.ServiceCode)
	validateNumbers(r, "commitment_required", c.Commitment)
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

func validateNumbers(r setting.Report, key string, numbers []string) {
	for _, n := range numbers {
		if !isSIREN(n) && !isSIRET(n) {
			r.Wrong(key, "has %q, which is neither a SIREN (9 digits) nor a SIRET (14 digits)", n)
		}
	}
}

// SeverityOf is how severe a check is under these settings; "off" where it is
// not made, or there is none of this code.
func (c Config) SeverityOf(code string) problem.Severity {
	if r := find(code); r != nil {
		return c.severity(r)
	}
	return off
}

// severity is how severe a check is under these settings. A fixed one stays as
// it is even if nobody called Validate.
func (c Config) severity(r *rule) problem.Severity {
	if r.fixed {
		return r.severity
	}
	if len(c.Severity) > 0 {
		switch s := problem.Severity(c.Severity[r.code]); s {
		case problem.Refuse, problem.Warn, off:
			return s
		}
	}
	switch {
	case c.Profile == profileStrict && r.severity == warn:
		return refuse
	case c.Profile == profileStrict && r.severity == off, c.Profile == profileLenient && r.severity == refuse:
		return warn
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
