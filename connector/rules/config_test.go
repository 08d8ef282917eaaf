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
		{name: "a warning made strict, a refusal made mild", cfg: Config{Profile: profilePlatform, WithoutSIREN: "send", Severity: map[string]string{"E3702": "refuse", "E3601": "warn", "E3204": "off"}}},
		{name: "unknown code", cfg: Config{Profile: profilePlatform, WithoutSIREN: "send", Severity: map[string]string{"E9": "off"}}, wrong: []string{"severity.E9"}},
		{name: "unknown word", cfg: Config{Profile: profilePlatform, WithoutSIREN: "send", Severity: map[string]string{"E3702": "error"}}, wrong: []string{"severity.E3702"}},
		{name: "arithmetic weakened", cfg: Config{Profile: profilePlatform, WithoutSIREN: "send", Severity: map[string]string{"E3106": "warn"}}, wrong: []string{"severity.E3106"}},
		{name: "arithmetic said twice", cfg: Config{Profile: profilePlatform, WithoutSIREN: "send", Severity: map[string]string{"E3106": "refuse"}}},
		{name: "unknown profile", cfg: Config{Profile: "mild", WithoutSIREN: "send"}, wrong: []string{"profile"}},
		{name: "recipients that are none", cfg: Config{Profile: profileStrict, WithoutSIREN: "send", ServiceCode: []string{"217500016", "2175"}, Commitment: []string{"x"}},
			wrong: []string{"service_code_required", "commitment_required"}},
		{name: "unknown way without SIREN", cfg: Config{Profile: profilePlatform, WithoutSIREN: "perhaps"}, wrong: []string{"without_siren"}},
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

func TestAProfileMovesWhatNoSettingNames(t *testing.T) {
	for _, c := range []struct {
		profile string
		want    map[string]problem.Severity
	}{
		{profilePlatform, map[string]problem.Severity{"E3601": refuse, "E3702": warn, "E3901": off, "E3106": refuse, "E3708": off}},
		{profileStrict, map[string]problem.Severity{"E3601": refuse, "E3702": refuse, "E3901": warn, "E3106": refuse, "E3708": off}},
		{profileLenient, map[string]problem.Severity{"E3601": warn, "E3702": warn, "E3901": off, "E3106": refuse, "E3708": off}},
	} {
		cfg := Config{Profile: c.profile, Severity: map[string]string{"E3708": "off"}}
		for code, want := range c.want {
			if got := cfg.severity(find(code)); got != want {
				t.Errorf("%s: %s is %q, want %q", c.profile, code, got, want)
			}
		}
	}
}

// What the platform cannot see it cannot refuse.
func TestChecksOfTermsThatTheAPIDoesNotCarryAreOff(t *testing.T) {
	for _, r := range Catalogue() {
		if r.Mute && r.Severity != off {
			t.Errorf("%s is %s by default", r.Code, r.Severity)
		}
	}
}
