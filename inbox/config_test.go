package inbox

import (
	"fmt"
	"strings"
	"testing"

	"einvoice/connector/api"
	"einvoice/connector/problem"
	"einvoice/connector/setting"
)

func TestSettings(t *testing.T) {
	on := func(change func(*Config)) func(*Config) {
		return func(c *Config) {
			c.Callback.Enabled, c.Callback.PublicURL, c.Callback.SecretFile = true, "https://erp.example", "secret"
			change(c)
		}
	}
	tests := []struct {
		name   string
		change func(*Config)
		wrong  string // key, "" for none
	}{
		{"the defaults", func(*Config) {}, ""},
		{"callbacks", on(func(*Config) {}), ""},
		{"callbacks to this machine", on(func(c *Config) { c.Callback.PublicURL = "http://127.0.0.1:8480" }), ""},
		{"a digest to no address", func(c *Config) { c.Digest.To = []string{"compta@example.com, all"} }, "digest.to"},
		{"a digest at no hour", func(c *Config) { c.Digest.At = "" }, "digest.at"},
		{"XML for the ERP in no syntax", func(c *Config) { c.ERP.Path, c.ERP.Formats = "erp", []string{"xml"} }, "erp.formats"},
		{"a format that is none", func(c *Config) { c.ERP.Formats = []string{"doc"} }, "erp.formats"},
		{"a column that is none", func(c *Config) { c.CSV.Columns = []string{"colour"} }, "csv.columns"},
		{"a certificate without its key", on(func(c *Config) { c.Callback.CertFile = "cert.pem" }), "callback.cert_file"},
		{"another layout", func(c *Config) { c.Layout = "heap" }, "layout"},
		{"a mode in decimal", func(c *Config) { c.FileMode = "0o640" }, "file_mode"},
		{"a mode that hides files from us", func(c *Config) { c.FileMode = "0040" }, "file_mode"},
		{"a French date", func(c *Config) { c.ReceivedSince = "01/05/2026" }, "received_since"},
		{"plain http", on(func(c *Config) { c.Callback.PublicURL = "http://erp.example" }), "callback.public_url"},
		{"no address", on(func(c *Config) { c.Callback.PublicURL = "" }), "callback.public_url"},
		{"no secret", on(func(c *Config) { c.Callback.SecretFile = "" }), "callback.secret_file"},
		{"two secrets", on(func(c *Config) { c.Callback.SecretEnv = "X" }), "callback.secret_file"},
		{"a header that HTTP needs", on(func(c *Config) { c.Callback.Header = "host" }), "callback.header"},
		{"a header with a line end", on(func(c *Config) { c.Callback.Header = "a\r\nb" }), "callback.header"},
		{"an unknown verify", on(func(c *Config) { c.Callback.Verify = "maybe" }), "callback.verify"},
		{"no port", on(func(c *Config) { c.Callback.Listen = "127.0.0.1" }), "callback.listen"},
		{"no body", on(func(c *Config) { c.Callback.MaxBodyMiB = 0 }), "callback.max_body_mib"},
		{"no budget", func(c *Config) { c.Poll.Budget = 0 }, "poll.budget"},
		{"no interval", func(c *Config) { c.Poll.Young = 0 }, "poll.young"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := Defaults()
			tt.change(&c)
			r := setting.NewReport()
			c.Validate(r)
			var keys []string
			for _, m := range r.Mistakes() {
				keys = append(keys, m.Key)
			}
			if got := strings.Join(keys, " "); got != tt.wrong {
				t.Errorf("mistakes about %q, want %q: %v", got, tt.wrong, r.Mistakes())
			}
		})
	}
}

func TestTheDifferenceShowsNoSecret(t *testing.T) {
	w := newWorld(t)
	want := w.registration(acme)
	have := want
	have.Callbacks = []api.Callback{
		{Event: EventCustomer, URL: "https://erp.example" + callbackPath + "ffffffffffffffffffffffffffffffff", Headers: map[string]string{"X": "topsecret"}},
		{Event: EventSupplier, URL: "https://old.example/hook"},
	}
	have.SupplierInvoice = false
	have.Company.Name = "ACME SA"
	text := strings.Join(enrolTextsOf(problem.English).difference(have, want), "\n")
	for _, line := range []string{
		`name: "ACME SA", should be "ACME"`, `receiving invoices: "off", should be "on"`, "another secret part",
		"retried 0 times, should be 5", "sends another secret header", "https://old.example/hook", "sends no secret header",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("no %q in\n%s", line, text)
		}
	}
	secrets := []string{"topsecret", "ffffffff", w.Headers()["X-Einvoice-Secret"], testSecret}
	for _, c := range want.Callbacks {
		secrets = append(secrets, c.URL[strings.Index(c.URL, callbackPath)+len(callbackPath):])
	}
	everything := text + fmt.Sprintf("%v %+v", w.secrets, w.cfg)
	for _, s := range secrets {
		if strings.Contains(everything, s) {
			t.Errorf("%q shows", s)
		}
	}
}
