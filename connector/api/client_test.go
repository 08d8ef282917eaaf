package api

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.uber.org/goleak"

	"einvoice/connector"
	"einvoice/connector/setting"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testToken = "0123456789abcdef01234567"

// newTestClient makes a client of our own transport, with a fixed token.
func newTestClient(t *testing.T, base string, opt Options) *Client {
	t.Helper()
	cfg := Defaults()
	cfg.BaseURL = base
	cfg.Timeout = setting.Duration(5 * time.Second)
	return clientOf(t, cfg, opt)
}

func clientOf(t *testing.T, cfg Config, opt Options) *Client {
	t.Helper()
	if opt.Token == nil {
		opt.Token = func(context.Context, bool) (setting.Secret, error) { return testToken, nil }
	}
	c, err := New(cfg, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func usualInvoice() connector.Invoice {
	inv := connector.Invoice{
		Number: "FA-2026-0001", Type: "380", IssueDate: "2026-11-20", Currency: "EUR",
		Seller: connector.Party{Name: "Atelier Témoin SARL", FiscalID: "10000000900017"},
		Buyer:  connector.Party{Name: "Menuiserie Exemple SAS", FiscalID: "20000000800017"},
		Lines: []connector.Line{{
			Description: "Réglage", Quantity: connector.MustAmount("2"),
			UnitPrice: connector.MustAmount("25.5"), Rate: connector.MustAmount("20"), Category: "S",
		}},
	}
	if err := inv.Complete(); err != nil {
		panic(err)
	}
	return inv
}

func collect(seq iter.Seq2[connector.Remote, error]) (ids []string, err error) {
	for r, e := range seq {
		if e != nil {
			return ids, e
		}
		ids = append(ids, r.ID)
	}
	return ids, nil
}

func wantNotFound(t *testing.T, err error) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok || !errors.Is(err, ErrNotFound) || e.Fate != Refused {
		t.Errorf("error %v, want ErrNotFound", err)
	}
}
