package inbox

import (
	"context"
	"errors"
	"fmt"
	"path"

	"einvoice/connector/ledger"
)

// ErrStillThere is wrapped when the folder to deliver again was never moved away.
var ErrStillThere = errors.New("it still stands in the inbox")

// Redeliver writes delivered invoices again, found by number or API id, from
// their stored originals, and gives the new folders. It asks the platform
// nothing and changes nothing that is there: a folder that still stands is an
// error that wraps ErrStillThere.
func (in *Inbox) Redeliver(ctx context.Context, text string) (folders []string, err error) {
	in.round.Lock()
	defer in.round.Unlock()
	found, err := in.opt.Ledger.FindReceived(ctx, text)
	if err != nil {
		return nil, err
	}
	n := 0
	for _, r := range found {
		if r.State != ledger.ReceivedDelivered {
			continue
		}
		n++
		folder, one := in.writeAgain(ctx, r)
		if one != nil {
			err = errors.Join(err, fmt.Errorf("deliver invoice %s of %s again: %w", r.Number, r.Supplier, one))
			continue
		}
		folders = append(folders, folder)
	}
	if n == 0 {
		return nil, fmt.Errorf("%q: no delivered supplier invoice has this number or id", text)
	}
	return folders, err
}

func (in *Inbox) writeAgain(ctx context.Context, r ledger.Received) (string, error) {
	raw, inv, err := in.original(r)
	if err != nil {
		return "", err
	}
	t := in.tree(r.Company)
	if err := t.There(ctx); err != nil {
		return "", err
	}
	if t, err = t.chosen(ctx); err != nil {
		return "", err
	}
	there, err := in.place(ctx, t, &r, names{})
	if err != nil {
		return "", err
	}
	if there {
		return "", fmt.Errorf("%w: %s", ErrStillThere, t.Path(r.Folder))
	}
	// The prefix makes what a crash leaves behind go at the next start.
	r.BuildName = fmt.Sprintf("%sagain-%d", buildPrefix, r.ID)
	if err := t.Remove(ctx, r.BuildName); err != nil {
		return "", fmt.Errorf("remove unfinished folder: %w", err)
	}
	if err := t.MakeAll(ctx, path.Dir(r.Folder)); err != nil {
		return "", err
	}
	if err := in.fill(ctx, t, &r, raw, inv); err != nil {
		return "", err
	}
	final, err := in.put(ctx, t, r)
	return t.Path(final), err
}
