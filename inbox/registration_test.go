package inbox

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"einvoice/connector"
	"einvoice/connector/api"
	"einvoice/connector/problem"
)

// registry is a platform's registrations, completing as the real one does.
type registry struct {
	known map[string]api.Registration
	puts  int
}

func (r *registry) Registered(_ context.Context, id string) (api.Registration, bool, error) {
	reg, ok := r.known[id]
	return reg, ok, nil
}

func (r *registry) Register(_ context.Context, reg api.Registration) error {
	r.puts++
	if old, ok := r.known[reg.Company.FiscalID]; ok { // what identifies a company may not be edited
		reg.Company = old.Company
	}
	if reg.Company.Name == "" {
		reg.Company.Name, reg.Company.VATID = "AUTRE SAS", "FR40200000008"
		reg.Company.Address = connector.Address{Street: "1 rue X", ZIP: "75001", City: "Paris", Country: "FR"}
	}
	if r.known == nil {
		r.known = map[string]api.Registration{}
	}
	r.known[reg.Company.FiscalID] = reg
	return nil
}

func TestASIRENAloneSufficesAndWhatThePlatformAddsIsKept(t *testing.T) {
	w := newWorld(t)
	w.opt.Companies = []connector.Company{{ID: "acme", FiscalID: "200000008"}}
	w.restart()
	r := &registry{}
	e, err := w.Enrol(w.ctx, r, "acme", false, false)
	if err != nil || r.puts != 0 || len(e.Difference) == 0 || e.Difference[0] != "pas encore enregistrée" {
		t.Fatalf("shown without changing: %+v, %v, %d writes", e, err, r.puts)
	}
	e, err = w.Enrol(w.ctx, r, "acme", true, false)
	w.must(err)
	for i, want := range []string{"nom, d'après la plateforme : AUTRE SAS", "numéro de TVA, d'après la plateforme : FR40200000008",
		"adresse, d'après la plateforme : 1 rue X, 75001 Paris, FR"} {
		if i >= len(e.Completed) || e.Completed[i] != want {
			t.Errorf("completed %q, want %q", e.Completed, want)
		}
	}
	full, err := Complete(w.ctx, w.ledger, []connector.Company{{ID: "acme", FiscalID: "200000008", VATID: "ours"}})
	w.must(err)
	if c := full[0]; c.Name != "AUTRE SAS" || c.VATID != "ours" || c.Address.City != "Paris" {
		t.Errorf("completed to %+v", c)
	}
	if e, err = w.Enrol(w.ctx, r, "acme", true, false); err != nil || len(e.Difference) > 0 || r.puts != 1 {
		t.Errorf("a second time: %+v, %v, %d writes", e, err, r.puts)
	}
}

func TestOtherSoftwareIsNotCutOffUnasked(t *testing.T) {
	w := newWorld(t)
	theirs := api.Callback{Event: EventSupplier, URL: "https://pennyworth.example/hook"}
	odd := api.Callback{Event: "customer-notification", URL: "https://pennyworth.example/odd"}
	r := &registry{known: map[string]api.Registration{acme.FiscalID: {Company: acme, CustomerInvoice: true, Callbacks: []api.Callback{theirs, odd}}}}
	e, err := w.Enrol(w.ctx, r, acme.ID, true, false)
	if !errors.Is(err, ErrForeign) || r.puts != 0 || !strings.Contains(strings.Join(e.Foreign, ""), theirs.URL) {
		t.Fatalf("%+v, %v, %d writes", e, err, r.puts)
	}
	_, err = w.Enrol(w.ctx, r, acme.ID, true, true)
	w.must(err)
	got := r.known[acme.FiscalID].Callbacks
	if len(got) != 3 || got[1].URL == theirs.URL || !reflect.DeepEqual(got[2], odd) {
		t.Errorf("told to replace: %+v; the event of another kind must stay", got)
	}
	// A new secret is ours all the same.
	r.known[acme.FiscalID].Callbacks[0].URL = "https://erp.example" + callbackPath + "0123"
	if _, err = w.Enrol(w.ctx, r, acme.ID, true, false); err != nil {
		t.Errorf("after a change of the secret: %v", err)
	}
}

func TestWhatThePlatformDoesNotTakeIsSaid(t *testing.T) {
	w := newWorld(t)
	old := acme
	old.Name = "Ancien nom"
	r := &registry{known: map[string]api.Registration{acme.FiscalID: {Company: old}}}
	w.opt.Lang = problem.English
	w.restart()
	e, err := w.Enrol(w.ctx, r, acme.ID, true, false)
	w.must(err)
	if len(e.Remains) != 1 || e.Remains[0] != `name: "Ancien nom", should be "ACME"` {
		t.Errorf("remains %q", e.Remains)
	}
}

func TestWithoutAHeaderThePathAloneIsSecret(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Callback.Header = "" })
	if w.Headers() != nil {
		t.Error("headers are registered")
	}
	if rec := w.ring(EventSupplier, `{"data":{"id":"in1"}}`); rec.Code != 200 {
		t.Errorf("a call with the right path: %d", rec.Code)
	}
}
