package inbox

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"einvoice/connector"
	"einvoice/connector/api"
	"einvoice/connector/problem"
)

// enrolTexts tell a difference between a registration and the configuration, in
// one language.
type enrolTexts struct {
	unknown, differs                 string
	name, vat, email, address        string
	sending, receiving, on, off      string
	none, calls, otherSecret         string
	retried, otherHeader, noHeader   string
	callback, platformSays, separate string
}

func enrolTextsOf(lang problem.Lang) enrolTexts {
	if lang == problem.French {
		return enrolTexts{
			unknown: "pas encore enregistrée", differs: "%s : %q, devrait être %q",
			name: "nom", vat: "numéro de TVA", email: "courriel", address: "adresse",
			sending: "envoi de factures", receiving: "réception de factures", on: "activé", off: "désactivé",
			none: "%s : aucun, devrait être %s", calls: "%s : appelle %s, devrait appeler %s", otherSecret: " avec une autre partie secrète",
			retried:     "%s : répété %d fois, devrait l'être %d : un appel perdu l'est sinon pour toujours",
			otherHeader: "%s : envoie un autre en-tête secret", noHeader: "%s : n'envoie pas d'en-tête secret",
			callback: "callback ", platformSays: "%s, d'après la plateforme : %s", separate: ", ",
		}
	}
	return enrolTexts{
		unknown: "not registered yet", differs: "%s: %q, should be %q",
		name: "name", vat: "VAT number", email: "e-mail", address: "address",
		sending: "sending invoices", receiving: "receiving invoices", on: "on", off: "off",
		none: "%s: none, should be %s", calls: "%s: calls %s, should call %s", otherSecret: " with another secret part",
		retried:     "%s: retried %d times, should be %d: a call lost is lost for good otherwise",
		otherHeader: "%s: sends another secret header", noHeader: "%s: sends no secret header",
		callback: "callback ", platformSays: "%s, as the platform has it: %s", separate: ", ",
	}
}

// difference lists what a registration lacks. Fields that the platform leaves
// out of its answer cannot be compared and are not listed.
func (t enrolTexts) difference(have, want api.Registration) (lines []string) {
	add := func(what, from, to string) {
		if from != to && to != "" {
			lines = append(lines, fmt.Sprintf(t.differs, what, from, to))
		}
	}
	add(t.name, have.Company.Name, want.Company.Name)
	add(t.vat, have.Company.VATID, want.Company.VATID)
	add(t.email, have.Company.Email, want.Company.Email)
	add(t.sending, t.onOff(have.CustomerInvoice), t.onOff(want.CustomerInvoice))
	add(t.receiving, t.onOff(have.SupplierInvoice), t.onOff(want.SupplierInvoice))
	for _, w := range want.Callbacks {
		i := slices.IndexFunc(have.Callbacks, func(h api.Callback) bool { return h.Event == w.Event })
		if i < 0 {
			lines = append(lines, fmt.Sprintf(t.none, t.callback+w.Event, veiled(w.URL)))
			continue
		}
		lines = append(lines, t.callbackDifference(have.Callbacks[i], w)...)
	}
	return lines
}

func (t enrolTexts) callbackDifference(have, want api.Callback) (lines []string) {
	name := t.callback + want.Event
	if have.URL != want.URL {
		line := fmt.Sprintf(t.calls, name, veiled(have.URL), veiled(want.URL))
		if veiled(have.URL) == veiled(want.URL) {
			line += t.otherSecret
		}
		lines = append(lines, line)
	}
	if have.Retry != want.Retry {
		lines = append(lines, fmt.Sprintf(t.retried, name, have.Retry, want.Retry))
	}
	switch {
	case len(want.Headers) == 0:
	case len(have.Headers) == 0:
		lines = append(lines, fmt.Sprintf(t.noHeader, name))
	case !maps.Equal(have.Headers, want.Headers):
		lines = append(lines, fmt.Sprintf(t.otherHeader, name))
	}
	return lines
}

func (t enrolTexts) onOff(b bool) string {
	if b {
		return t.on
	}
	return t.off
}

// completed lists what the platform knows and the configuration does not say.
func (t enrolTexts) completed(have, want connector.Company) (lines []string) {
	add := func(what, value, said string) {
		if said == "" && value != "" {
			lines = append(lines, fmt.Sprintf(t.platformSays, what, value))
		}
	}
	add(t.name, have.Name, want.Name)
	add(t.vat, have.VATID, want.VATID)
	add(t.email, have.Email, want.Email)
	if want.Address == (connector.Address{}) {
		a := have.Address
		parts := slices.DeleteFunc([]string{a.Street, strings.TrimSpace(a.ZIP + " " + a.City), a.Country}, func(s string) bool { return s == "" })
		add(t.address, strings.Join(parts, t.separate), "")
	}
	return lines
}
