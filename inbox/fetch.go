package inbox

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"einvoice/connector"
	"einvoice/connector/api"
	"einvoice/connector/fault"
	"einvoice/connector/ledger"
)

const (
	atOnce    = 500 // supplier invoices of one round, company and state
	priorMost = 1000
)

// fetchSeen reads the supplier invoices whose ids we know and puts their
// originals into the blob store.
func (in *Inbox) fetchSeen(ctx context.Context) error {
	// What is on a pause takes no other's place in the round, nor its call.
	rows, err := in.opt.Ledger.ReceivedIn(ctx, ledger.ReceivedSeen, atOnce+len(in.later))
	if err != nil {
		return fmt.Errorf("list supplier invoices to fetch: %w", err)
	}
	slices.SortStableFunc(rows, func(a, b ledger.Received) int { return cmp.Compare(in.later[a.APIID].row, in.later[b.APIID].row) })
	for _, r := range rows {
		remote, ok := in.onHand[r.APIID]
		if !ok {
			remote, err = in.get(ctx, r.Company, r.APIID, in.fetching(r.APIID))
		}
		switch {
		case errors.Is(err, errNotNow):
			continue
		case err != nil && ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			in.opt.Log.Warn().Err(err).Str("api_id", r.APIID).Msg("cannot fetch supplier invoice; tried again later")
			continue
		}
		if err := in.fetched(ctx, r, remote); err != nil {
			return fmt.Errorf("keep supplier invoice %s: %w", r.APIID, err)
		}
	}
	return nil
}

// fetching is the purpose of a call for a supplier invoice.
func (in *Inbox) fetching(id string) purpose {
	if in.later[id].row > 0 {
		return again
	}
	return needed
}

// fetched keeps the original, byte for byte, and what is remarkable about it.
// Attachments are inside the original; they are taken out when the folder is built.
func (in *Inbox) fetched(ctx context.Context, r ledger.Received, remote connector.Remote) error {
	blob, err := in.opt.Blobs.Put(ctx, bytes.NewReader(remote.Raw))
	if err != nil {
		return err
	}
	if err := fault.Hit(fault.OriginalStored); err != nil {
		return err
	}
	inv := &remote.Invoice
	r.RawSHA256 = blob.SHA256
	r.ReceivedAt = in.opt.Now()
	r.Supplier, r.SupplierID = inv.Seller.Name, supplierID(inv.Seller)
	r.Number, r.Type, r.IssueDate = inv.Number, inv.Type, inv.IssueDate
	r.Gross, r.Currency, r.IBAN = inv.Totals.Gross, inv.Currency, inv.IBAN
	r.Head = *inv
	prior, err := in.opt.Ledger.PriorReceived(ctx, r.Company, r.SupplierID, priorMost)
	if err != nil {
		return fmt.Errorf("list earlier invoices of the supplier: %w", err)
	}
	r.Alerts = alerts(inv, in.opt.Companies, others(prior, r.APIID))
	r.ToCheck = held(r.Alerts)
	r.Kept = classOf(r) != classFine
	if in.opt.ERP != nil {
		r.ERP = ledger.ERPDue
	}
	if err := in.opt.Ledger.Fetched(ctx, r); err != nil {
		return err
	}
	return fault.Hit(fault.OriginalRecorded)
}

func others(list []ledger.Received, apiID string) (rest []ledger.Received) {
	for _, p := range list {
		if p.APIID != apiID {
			rest = append(rest, p)
		}
	}
	return rest
}

// supplierID is the SIREN, else the VAT number, else the name.
func supplierID(p connector.Party) string {
	for _, id := range []string{p.SIREN(), p.VATID, p.FiscalID} {
		if id != "" {
			return strings.ToUpper(id)
		}
	}
	return p.Name
}

// original reads a supplier invoice back from its stored bytes.
func (in *Inbox) original(r ledger.Received) (raw []byte, inv connector.Invoice, err error) {
	raw, err = in.blob(r.RawSHA256)
	if err != nil {
		return nil, inv, err
	}
	notice, err := api.ParseCallback("application/json", raw)
	if err != nil {
		return nil, inv, fmt.Errorf("read original: %w", err)
	}
	if notice.Remote != nil {
		inv = notice.Remote.Invoice
	}
	return raw, inv, nil
}
