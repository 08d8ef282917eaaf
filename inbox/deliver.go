package inbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"einvoice/connector/durable"
	"einvoice/connector/ledger"
)

// deliverBuilt ends deliveries that a crash, or somebody holding a file, cut short.
func (in *Inbox) deliverBuilt(ctx context.Context) error {
	rows, err := in.opt.Ledger.ReceivedIn(ctx, ledger.ReceivedBuilt, atOnce)
	if err != nil {
		return fmt.Errorf("list supplier invoices to deliver: %w", err)
	}
	var errs []error
	for _, r := range rows {
		if err := in.deliver(ctx, r); err != nil {
			errs = append(errs, fmt.Errorf("deliver supplier invoice %s: %w", r.APIID, err))
		}
	}
	return errors.Join(errs...)
}

// deliver renames the built folder into place. A build folder that is gone was
// renamed before; where to, staff may have changed since.
func (in *Inbox) deliver(ctx context.Context, r ledger.Received) error {
	root := in.opt.Folder(r.Company)
	if !filepath.IsLocal(filepath.FromSlash(r.Folder)) || !strings.HasPrefix(r.BuildName, buildPrefix) || !filepath.IsLocal(r.BuildName) {
		return fmt.Errorf("folder %q is not inside the inbox", r.Folder)
	}
	hidden, final := filepath.Join(root, r.BuildName), filepath.Join(root, filepath.FromSlash(r.Folder))
	switch _, err := os.Lstat(hidden); {
	case err == nil:
		if final, err = in.rename(hidden, final, r.APIID); err != nil {
			return err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	default:
		// Its month's folder was there when it was built. If that is gone as
		// well, the whole share may be away: decide nothing.
		if _, err := os.Stat(filepath.Dir(final)); err != nil {
			return fmt.Errorf("find folder of the month: %w", err)
		}
	}
	if err := in.opt.Ledger.Delivered(ctx, r.ID); err != nil {
		return err
	}
	in.dirty[month{r.Company, r.ReceivedAt.In(in.opt.Location).Format(monthLayout)}] = true
	in.opt.Journal("received", map[string]string{
		"supplier": r.Supplier, "number": r.Number, "gross": money(r.Gross, r.Currency), "currency": r.Currency,
		"folder": final, "to_check": fmt.Sprint(r.ToCheck),
	})
	return nil
}

// rename never replaces: whoever took the name meanwhile keeps it.
func (in *Inbox) rename(hidden, final, apiID string) (string, error) {
	err := durable.Move(hidden, final)
	for i := 1; errors.Is(err, fs.ErrExist) && i < 10; i++ {
		dir, name := filepath.Split(final)
		final = filepath.Join(dir, withTail(name, apiID, i, nameMost))
		err = durable.Move(hidden, final)
	}
	return final, err
}

// removeLeftovers removes build folders that belong to nothing. Those of
// invoices fetched or built are needed, or made anew.
func (in *Inbox) removeLeftovers(ctx context.Context) error {
	needed := map[string]bool{}
	for _, s := range []ledger.ReceivedState{ledger.ReceivedFetched, ledger.ReceivedBuilt} {
		rows, err := in.opt.Ledger.ReceivedIn(ctx, s, 1<<20)
		if err != nil {
			return fmt.Errorf("list supplier invoices: %w", err)
		}
		for _, r := range rows {
			needed[fmt.Sprintf("%s%d", buildPrefix, r.ID)] = true
		}
	}
	for _, c := range in.opt.Companies {
		root := in.opt.Folder(c.ID)
		entries, err := os.ReadDir(root)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("look for leftovers: %w", err)
		}
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), buildPrefix) || needed[e.Name()] {
				continue
			}
			if err := os.RemoveAll(filepath.Join(root, e.Name())); err != nil {
				return fmt.Errorf("remove leftover: %w", err)
			}
		}
	}
	return nil
}
