package results

import (
	"strings"
	"testing"

	"einvoice/connector/setting"
)

func TestDefaultsAreValid(t *testing.T) {
	r := setting.NewReport()
	Defaults().Validate(r, nil)
	if m := r.Mistakes(); len(m) > 0 {
		t.Errorf("mistakes: %v", m)
	}
}

func TestWrongSettingsAreNamed(t *testing.T) {
	for key, change := range map[string]func(*Config){
		"encoding":       func(c *Config) { c.Encoding = "latin-1" },
		"decimal":        func(c *Config) { c.Decimal = "'" },
		"status_every":   func(c *Config) { c.StatusEvery = 0 },
		"ack_columns":    func(c *Config) { c.AckColumns = []string{"verdict", "verdict"} },
		"status_columns": func(c *Config) { c.StatusColumns = []string{"verdict"} },
		"delimiter":      func(c *Config) { c.Delimiter = "," },
	} {
		c := Defaults()
		change(&c)
		r := setting.NewReport()
		c.Validate(r, nil)
		if m := r.Mistakes(); len(m) != 1 || m[0].Key != key {
			t.Errorf("%s: mistakes %v", key, m)
		}
	}
}

func TestDelimiterMustNotOccurInOrdinaryValues(t *testing.T) {
	for _, bad := range []string{"", ";;", "a", "0", "\"", "\n", " ", ".", "é"} {
		c := Defaults()
		c.Delimiter = bad
		r := setting.NewReport()
		c.Validate(r, nil)
		if len(r.Mistakes()) == 0 {
			t.Errorf("delimiter %q is accepted", bad)
		}
	}
	for _, good := range []string{";", "\t", "|"} {
		c := Defaults()
		c.Delimiter = good
		r := setting.NewReport()
		c.Validate(r, nil)
		if m := r.Mistakes(); len(m) > 0 {
			t.Errorf("delimiter %s: %v", strings.TrimSpace(good), m)
		}
	}
}
