package mail_test

import (
	"strings"
	"testing"
	"time"

	"einvoice/connector/mail"
	"einvoice/connector/mail/mailtest"
	"einvoice/connector/setting"
)

func TestMailArrives(t *testing.T) {
	server := mailtest.New(t)
	cfg := mail.Defaults()
	cfg.Host, cfg.Port, cfg.TLS, cfg.From = server.Host, server.Port, "none", "einvoice@example.com"
	err := cfg.Send(t.Context(), mail.Message{To: []string{"a@example.com", "b@example.com"}, Subject: "Été", Text: "Réponse à midi.\n"})
	if err != nil {
		t.Fatal(err)
	}
	got := server.Mails()
	if len(got) != 1 || strings.Join(got[0].To, " ") != "a@example.com b@example.com" || !strings.Contains(got[0].Data, "Subject: =?UTF-8?") {
		t.Errorf("got %+v", got)
	}
}

func TestNothingGoesOverAnOpenLineUnasked(t *testing.T) {
	server := mailtest.New(t) // which offers no TLS
	cfg := mail.Defaults()
	cfg.Host, cfg.Port, cfg.From = server.Host, server.Port, "einvoice@example.com"
	cfg.User, cfg.PasswordEnv, cfg.Timeout = "zoe", "CANARY_PASSWORD", setting.Duration(5*time.Second)
	t.Setenv("CANARY_PASSWORD", "canary")
	err := cfg.Send(t.Context(), mail.Message{To: []string{"a@example.com"}, Subject: "s", Text: "t"})
	if err == nil || strings.Contains(err.Error(), "canary") || len(server.Mails()) > 0 {
		t.Errorf("error %v, mails %v", err, server.Mails())
	}
}

func TestMistakesOfTheSection(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*mail.Config)
		want   string
	}{
		"all well":         {func(*mail.Config) {}, ""},
		"no sender":        {func(c *mail.Config) { c.From = "somebody" }, "from"},
		"password in open": {func(c *mail.Config) { c.TLS, c.User = "none", "zoe" }, "tls"},
		"no such port":     {func(c *mail.Config) { c.Port = 0 }, "port"},
		"no such mode":     {func(c *mail.Config) { c.TLS = "maybe" }, "tls"},
		"no time":          {func(c *mail.Config) { c.Timeout = 0 }, "timeout"},
	} {
		cfg := mail.Defaults()
		cfg.Host, cfg.From = "smtp.example.com", "einvoice@example.com"
		c.change(&cfg)
		r := setting.NewReport()
		cfg.Validate(r)
		var keys []string
		for _, m := range r.Mistakes() {
			keys = append(keys, m.Key)
		}
		if strings.Join(keys, " ") != c.want {
			t.Errorf("%s: mistakes %v, want %q", name, r.Mistakes(), c.want)
		}
	}
}
