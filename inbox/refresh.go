package inbox

import (
	"context"
	"errors"
	"fmt"

	"einvoice/connector/api"
	"einvoice/connector/ledger"
)

// Refresh reads our sent invoices of a number, API id or ERP key at the platform
// again, which is asked to look itself, and records their status. It spends
// calls of the day's budget and may exceed it: a person asks.
func (in *Inbox) Refresh(ctx context.Context, text string) (ids []int64, err error) {
	in.round.Lock()
	defer in.round.Unlock()
	found, err := in.opt.Ledger.Find(ctx, text)
	if err != nil {
		return nil, err
	}
	for _, inv := range found {
		if inv.State != ledger.Sent || inv.APIID == "" {
			continue
		}
		if err := in.refresh(ctx, inv); err != nil {
			return ids, fmt.Errorf("ask the platform about invoice %s: %w", inv.Key.Number, err)
		}
		ids = append(ids, inv.ID)
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("%q: no invoice of this number or id was sent", text)
	}
	return ids, nil
}

func (in *Inbox) refresh(ctx context.Context, inv ledger.Invoice) error {
	if err := in.count(ctx); err != nil {
		return err
	}
	remote, err := in.platform(inv.Company).Get(ctx, inv.APIID, true)
	if errors.Is(err, api.ErrNotFound) {
		return fmt.Errorf("the platform does not know id %s: %w", inv.APIID, err)
	}
	if err != nil {
		return err
	}
	return in.statusRead(ctx, inv, remote.Status, true)
}
