package inbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"einvoice/connector/durable"
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
		folder, one := in.writeAgain(r)
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

func (in *Inbox) writeAgain(r ledger.Received) (string, error) {
	raw, inv, err := in.original(r)
	if err != nil {
		return "", err
	}
	root := in.opt.Folder(r.Company)
	if _, err := os.Stat(root); err != nil {
		return "", fmt.Errorf("find inbox folder: %w", err)
	}
	folder, there, err := in.place(root, r, names{})
	if err != nil {
		return "", err
	}
	final := filepath.Join(root, filepath.FromSlash(folder))
	if there {
		return "", fmt.Errorf("%w: %s", ErrStillThere, final)
	}
	// The prefix makes what a crash leaves behind go at the next start.
	r.BuildName, r.Folder = fmt.Sprintf("%sagain-%d", buildPrefix, r.ID), folder
	hidden := filepath.Join(root, r.BuildName)
	if err := os.RemoveAll(hidden); err != nil {
		return "", fmt.Errorf("remove unfinished folder: %w", err)
	}
	if err := durable.MkdirAll(filepath.Join(root, filepath.FromSlash(path.Dir(folder))), folderMode(in.mode)); err != nil {
		return "", err
	}
	if err := in.fill(root, &r, raw, inv); err != nil {
		return "", err
	}
	return in.rename(hidden, final, r.APIID)
}
