package rules

import (
	"slices"
	"testing"

	"einvoice/connector"
	"einvoice/connector/problem"
	"einvoice/connector/setting"
)

func TestSettings(t *testing.T) {
	for _, c := range []struct {
		name  string
		cfg   Config
		wrong []string
	}{
		{name: "defaults", cfg: Defaults()},
		{name: "a warning made strict, a refusal made mild", cfg: Config{WithoutSIREN: "send", Severity: map[string]string{"E3702": "refuse", "E3601": "warn", "E3204": "off"}}},
		{name: "unknown code", cfg: Config{WithoutSIREN: "send", Severity: map[string]string{"E9": "off"}}, wrong: []string{"severity.E9"}},
		{name: "unknown word", cfg: Config{WithoutSIREN: "send", Severity: map[string]string{"E3702": "error"}}, wrong: []string{"severity.E3702"}},
		{name: "arithmetic weakened", cfg: Config{WithoutSIREN: "send", Severity: map[string]string{"E3106": "warn"}}, wrong: []string{"severity.E3106"}},
		{name: "arithmetic said twice", cfg: Config{WithoutSIREN: "send", Severity: map[string]string{"E3106": "refuse"}}},
		{name: "unknown way without SIREN", cfg: Config{WithoutSIREN: "perhaps"}, wrong: []string{"without_siren"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := setting.NewReport()
			c.cfg.Validate(r)
			var keys []string
			for _, m := range r.Mistakes() {
				keys = append(keys, m.Key)
			}
			if !slices.Equal(keys, c.wrong) {
				t.Errorf("got %v, want mistakes about %v", r.Mistakes(), c.wrong)
			}
		})
	}
}

func TestASettingChangesTheSeverityOfACheck(t *testing.T) {
	for word, want := range map[string]problem.Severity{"refuse": refuse, "warn": warn, "off": ""} {
		ps := check(t, func(i *connector.Invoice, ctx *Context) {
			i.Buyer.FiscalID, ctx.Config.Severity = "732829321", map[string]string{"E3702": word}
		}, nothing)
		got := problem.Severity("")
		if found := withCode(ps, "E3702"); len(found) > 0 {
			got = found[0].Severity
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", word, got, want)
		}
	}
}
