package rules

import (
	"testing"

	"einvoice/connector/problem"
)

func TestTheSoundInvoicePassesEveryCheck(t *testing.T) {
	inv, ctx := sound()
	ctx.Config.Severity = map[string]string{}
	for _, r := range Catalogue() {
		ctx.Config.Severity[r.Code] = string(refuse)
	}
	if err := inv.Complete(); err != nil {
		t.Fatal(err)
	}
	if ps := Check(inv, ctx); len(ps) > 0 {
		t.Errorf("got %v", ps)
	}
}

func TestEveryCheckHasAnExampleThatIsReal(t *testing.T) {
	for _, r := range Catalogue() {
		p, ok := Example(r.Code)
		if !ok {
			t.Errorf("%s has no example that breaks it", r.Code)
		}
		for _, lang := range []problem.Lang{problem.French, problem.English} {
			if p.Message(lang) == "" || p.Remedy(lang) == "" {
				t.Errorf("%s says nothing in %s", r.Code, lang)
			}
		}
	}
	if _, ok := Example("E9999"); ok {
		t.Error("an unknown code has an example")
	}
}
