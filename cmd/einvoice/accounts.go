package main

import (
	"context"
	"fmt"
	"iter"

	"github.com/rs/zerolog"

	"einvoice/connector"
	"einvoice/connector/api"
)

// accounts is the platform as each company's own credential shows it. An
// accounting firm has companies under several; each call goes out with the token
// of the company that it is about.
type accounts struct {
	clients   map[string]*api.Client // by credential
	of        map[string]*api.Client // by company
	companies []connector.Company
}

// newClient makes the API clients of a configuration.
func newClient(cfg *Config, log zerolog.Logger) (*accounts, error) {
	return newCountingClient(cfg, api.Options{Log: log})
}

// newCountingClient tells the options' hooks of every request.
func newCountingClient(cfg *Config, opt api.Options) (*accounts, error) {
	a := &accounts{clients: map[string]*api.Client{}, of: map[string]*api.Client{}, companies: cfg.companies()}
	for _, c := range cfg.Companies {
		name := cfg.credential(c.ID)
		if a.clients[name] == nil {
			client, err := api.New(cfg.apiOf(c), opt)
			if err != nil {
				a.Close()
				return nil, fmt.Errorf("prepare API client: %w", err)
			}
			a.clients[name] = client
		}
		a.of[c.ID] = a.clients[name]
	}
	return a, nil
}

// keepPaceWith shares each credential's requests per second between the way out
// and the way back.
func (a *accounts) keepPaceWith(other *accounts) {
	for name, c := range a.clients {
		if o := other.clients[name]; o != nil {
			c.KeepPaceWith(o)
		}
	}
}

// apiOf is the [api] section with the company's own token, if it has one.
func (c *Config) apiOf(co Company) api.Config {
	cfg := c.API
	if co.TokenFile != "" || co.TokenEnv != "" {
		cfg.TokenFile, cfg.TokenEnv, cfg.OAuth.URL = co.TokenFile, co.TokenEnv, ""
	}
	return cfg
}

// credential names what the calls of a company are made with. It is no secret.
func (c *Config) credential(company string) string {
	for _, co := range c.Companies {
		if co.ID == company {
			cfg := c.apiOf(co)
			return cfg.TokenFile + "|" + cfg.TokenEnv + "|" + cfg.OAuth.URL
		}
	}
	return ""
}

// Close closes idle connections.
func (a *accounts) Close() {
	for _, c := range a.clients {
		c.Close()
	}
}

// about is the client of the company that a SIREN or SIRET belongs to; that of
// the first company for any other.
func (a *accounts) about(fiscalID string) *api.Client {
	want := connector.Company{FiscalID: fiscalID}.SIREN()
	for _, c := range a.companies {
		if c.SIREN() == want {
			return a.of[c.ID]
		}
	}
	return a.of[a.companies[0].ID]
}

// Submit sends an invoice with the seller's credential.
func (a *accounts) Submit(ctx context.Context, inv connector.Invoice) api.Answer {
	return a.about(inv.Seller.FiscalID).Submit(ctx, inv)
}

// List reads a company's invoices.
func (a *accounts) List(ctx context.Context, q api.Query) iter.Seq2[connector.Remote, error] {
	return a.about(q.FiscalID).List(ctx, q)
}

// Get reads an invoice with the first company's credential: inbox.Options.Account
// is for those that have others.
func (a *accounts) Get(ctx context.Context, id string, refresh bool) (connector.Remote, error) {
	return a.of[a.companies[0].ID].Get(ctx, id, refresh)
}

// Registered reads a company's registration.
func (a *accounts) Registered(ctx context.Context, fiscalID string) (api.Registration, bool, error) {
	return a.about(fiscalID).Registered(ctx, fiscalID)
}

// Register registers a company.
func (a *accounts) Register(ctx context.Context, r api.Registration) error {
	return a.about(r.Company.FiscalID).Register(ctx, r)
}
