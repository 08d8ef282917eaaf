package main

import (
	"context"
	"errors"
	"time"

	"einvoice/connector/mail"
)

// digestKey and a company is until when its last digest reached, RFC 3339.
const digestKey = "digest."

// digestLoop sends the digests that come due until ctx ends.
func (a *app) digestLoop(ctx context.Context) error {
	if len(a.cfg.Inbox.Digest.To) == 0 {
		return nil
	}
	ticker := time.NewTicker(slipEvery)
	defer ticker.Stop()
	for {
		err := a.sendDigests(ctx, time.Now())
		if ctx.Err() == nil {
			a.said.say(a.log, "digest", err, "digest of supplier invoices not sent; trying again")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// sendDigests sends what is due: one mail per company with all since the last
// one, none where nothing came. A crash after sending sends it again.
func (a *app) sendDigests(ctx context.Context, now time.Time) error {
	due, ok := a.cfg.Inbox.Digest.Clock().Due(now.In(a.cfg.location()))
	if !ok {
		return nil
	}
	var errs []error
	for _, c := range a.cfg.Companies {
		errs = append(errs, a.sendDigest(ctx, c.ID, due))
	}
	return errors.Join(errs...)
}

func (a *app) sendDigest(ctx context.Context, company string, due time.Time) error {
	text, err := a.ledger.Get(ctx, digestKey+company)
	if err != nil {
		return err
	}
	from, err := time.Parse(time.RFC3339, text)
	if err == nil && !from.Before(due) {
		return nil
	}
	if err == nil { // the first start has no day yet
		subject, body, err := a.inbox.Digest(ctx, company, from.In(due.Location()), due)
		if err == nil && body != "" {
			err = a.cfg.Mail.Send(ctx, mail.Message{To: a.cfg.Inbox.Digest.To, Subject: subject, Text: body})
		}
		if err != nil {
			return err
		}
	}
	return a.ledger.Put(ctx, digestKey+company, due.Format(time.RFC3339))
}
