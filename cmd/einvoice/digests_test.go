package main

import (
	"context"
	"mime"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"einvoice/connector/mail/mailtest"
)

// TestTheDigestTellsOnceWhatArrived sends through a real SMTP server.
func TestTheDigestTellsOnceWhatArrived(t *testing.T) {
	box, url := playPlatform(t)
	cfg := appConfig(t, url)
	server := mailtest.New(t)
	cfg.Mail.Host, cfg.Mail.Port, cfg.Mail.TLS, cfg.Mail.From = server.Host, server.Port, "none", "einvoice@example.com"
	cfg.Inbox.Digest.To = []string{"compta@example.com"}
	cfg.Language = "fr"
	ctx := context.Background()
	a, err := newApp(ctx, cfg, zerolog.Nop(), func(string, map[string]string) {})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	company := cfg.Companies[0]
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err = a.inbox.Register(ctx, a.client, company.ID, true)
	must(err)
	must(a.sendDigests(ctx, time.Now().Add(-48*time.Hour))) // the first start only takes note
	must(a.sendDigests(ctx, time.Now().Add(-24*time.Hour)))
	if n := len(server.Mails()); n != 0 {
		t.Fatalf("%d mails about nothing", n)
	}
	body := `{"fiscal_id":"` + company.FiscalID + `","document_number":"S-1","amount":100,"tax_rate":20,"supplier_name":"Ferme\r\nBcc: all@example.com"}`
	rec := httptest.NewRecorder()
	box.ServeHTTP(rec, httptest.NewRequest("POST", "/sandbox/supplier-invoices", strings.NewReader(body)))
	for range 3 {
		must(a.inbox.Round(ctx))
	}
	later := time.Now().Add(26 * time.Hour)
	must(a.sendDigests(ctx, later))
	must(a.sendDigests(ctx, later))
	mails := server.Mails()
	if len(mails) != 1 {
		t.Fatalf("%d mails, want one", len(mails))
	}
	if len(mails[0].To) != 1 || mails[0].To[0] != "compta@example.com" {
		t.Errorf("sent to %v", mails[0].To)
	}
	for _, want := range []string{"S-1", "120,00 EUR", "fournisseur"} {
		if !strings.Contains(decoded(mails[0].Data), want) {
			t.Errorf("no %q in\n%s", want, decoded(mails[0].Data))
		}
	}
	if strings.Contains(mails[0].Data, "\nBcc:") {
		t.Errorf("a supplier wrote a header:\n%s", mails[0].Data)
	}
}

// decoded undoes what carries the letters of a mail.
func decoded(data string) string {
	text, err := new(mime.WordDecoder).DecodeHeader(strings.NewReplacer("=\r\n", "", "=\n", "", "=C3=A9", "é").Replace(data))
	if err != nil {
		return data
	}
	return text
}

func TestADigestThatCannotBeSentIsSentLater(t *testing.T) {
	box, url := playPlatform(t)
	cfg := appConfig(t, url)
	cfg.Mail.Host, cfg.Mail.Port, cfg.Mail.TLS, cfg.Mail.From = "127.0.0.1", 1, "none", "einvoice@example.com"
	cfg.Inbox.Digest.To = []string{"compta@example.com"}
	ctx := context.Background()
	a, err := newApp(ctx, cfg, zerolog.Nop(), func(string, map[string]string) {})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if err := a.sendDigests(ctx, time.Now().Add(-24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := a.inbox.Register(ctx, a.client, cfg.Companies[0].ID, true); err != nil {
		t.Fatal(err)
	}
	box.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/sandbox/supplier-invoices",
		strings.NewReader(`{"fiscal_id":"`+cfg.Companies[0].FiscalID+`","document_number":"S-1","amount":100}`)))
	for range 3 {
		if err := a.inbox.Round(ctx); err != nil {
			t.Fatal(err)
		}
	}
	later := time.Now().Add(26 * time.Hour)
	if a.sendDigests(ctx, later) == nil {
		t.Fatal("no error without a server")
	}
	server := mailtest.New(t)
	a.cfg.Mail.Host, a.cfg.Mail.Port = server.Host, server.Port
	if err := a.sendDigests(ctx, later); err != nil || len(server.Mails()) != 1 {
		t.Errorf("%v, %d mails", err, len(server.Mails()))
	}
}
