package inbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"einvoice/connector/drop"
	"einvoice/connector/ledger"
)

// The ERP may have a delivery of its own beside the accountant's: another place,
// other formats, flat, under names that old software reads. What a person must
// look at first does not go there before it is released. Publishing is at least
// once, with the same name and bytes.

// erpFormats are the formats and the files of a parcel that they are.
var erpFormats = []string{"csv", "json", "xml", "pdf"}

// deliverToERP publishes what is due. A place that is away keeps its company's
// files waiting, and nobody else's.
func (in *Inbox) deliverToERP(ctx context.Context) error {
	if in.opt.ERP == nil {
		return nil
	}
	var errs []error
	for _, c := range in.opt.Companies {
		err := in.deliverToERPOf(ctx, c.ID)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		in.sayOnce("erp "+c.ID, err)
		if err != nil && !errors.Is(err, drop.ErrBusy) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (in *Inbox) deliverToERPOf(ctx context.Context, company string) error {
	due, err := in.opt.Ledger.ReceivedForERP(ctx, company, atOnce)
	if err != nil || len(due) == 0 {
		return err
	}
	place, err := in.opt.ERP(company)
	if err != nil {
		return err
	}
	return each(ctx, due, func(r ledger.Received) error {
		if err := in.publish(ctx, place, r); err != nil {
			return fmt.Errorf("deliver supplier invoice %s to the ERP: %w", r.APIID, err)
		}
		return in.opt.Ledger.DeliveredToERP(ctx, r.ID)
	})
}

// RedeliverToERP has invoices, found by number or API id, published again to the
// ERP's delivery, or for the first time where there was none when they came. One
// that is kept waits for its release.
func (in *Inbox) RedeliverToERP(ctx context.Context, text string) (n int, err error) {
	in.round.Lock()
	defer in.round.Unlock()
	if in.opt.ERP == nil {
		return 0, errors.New("no delivery for the ERP is configured (inbox.erp.path)")
	}
	found, err := in.opt.Ledger.FindReceived(ctx, text)
	if err != nil {
		return 0, err
	}
	var ids []int64
	for _, r := range found {
		switch {
		case r.State == ledger.ReceivedSeen:
		case r.Kept:
			return 0, fmt.Errorf("invoice %s of %s is kept to be looked at; let it go with: einvoice release %s", r.Number, r.Supplier, r.APIID)
		default:
			ids = append(ids, r.ID)
		}
	}
	if len(ids) == 0 {
		return 0, fmt.Errorf("%q: no supplier invoice has this number or id", text)
	}
	if err := in.opt.Ledger.OfferToERP(ctx, ids); err != nil {
		return 0, err
	}
	return len(ids), in.deliverToERP(ctx)
}

func (in *Inbox) publish(ctx context.Context, place drop.Place, r ledger.Received) error {
	raw, inv, err := in.original(r)
	if err != nil {
		return err
	}
	files, err := in.parcel(r, raw, inv, nameMost)
	if err != nil {
		return err
	}
	stem, sums := in.erpName(r), ""
	for _, format := range in.cfg.ERP.Formats {
		i := slices.IndexFunc(files, func(f file) bool { return f.name == in.erpFile(format) })
		if i < 0 {
			continue // our page could not be drawn: the alerts say so
		}
		name := stem + "." + format
		if err := place.Publish(ctx, name, bytes.NewReader(files[i].content)); err != nil {
			return err
		}
		sum := sha256.Sum256(files[i].content)
		sums += hex.EncodeToString(sum[:]) + "  " + name + "\r\n"
	}
	if !in.cfg.ERP.OKFile {
		return nil
	}
	return place.Publish(ctx, stem+".ok", strings.NewReader(sums))
}

// erpFile is the file of a parcel that a format is.
func (in *Inbox) erpFile(format string) string {
	if format == "pdf" {
		return wordsOf(in.opt.Lang).readable
	}
	return strings.TrimSuffix(fileCSV, path.Ext(fileCSV)) + "." + format
}

// erpName never repeats: the time of reception tells two ledgers apart, the
// number two invoices.
func (in *Inbox) erpName(r ledger.Received) string {
	return fmt.Sprintf("received_%s_%s_%08d", r.Company, r.ReceivedAt.In(in.opt.Location).Format("20060102T150405"), r.ID)
}
