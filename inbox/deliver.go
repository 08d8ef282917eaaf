package inbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"einvoice/connector/drop"
	"einvoice/connector/fault"
	"einvoice/connector/ledger"
)

// deliverBuilt ends deliveries that a crash, or somebody holding a file, cut short.
func (in *Inbox) deliverBuilt(ctx context.Context) error {
	rows, err := in.opt.Ledger.ReceivedIn(ctx, ledger.ReceivedBuilt, atOnce)
	if err != nil {
		return fmt.Errorf("list supplier invoices to deliver: %w", err)
	}
	return each(ctx, rows, func(r ledger.Received) error {
		if err := in.deliver(ctx, r); err != nil {
			return fmt.Errorf("deliver supplier invoice %s: %w", r.APIID, err)
		}
		return nil
	})
}

// each does something with every invoice. One that fails stops nobody; a tree
// that is away, where every try may last until its deadline, is left alone until
// the next round, so that the other companies do not wait for it.
func each(ctx context.Context, rows []ledger.Received, do func(ledger.Received) error) error {
	var errs []error
	away := map[string]int{} // failures in a row, by company
	for _, r := range rows {
		if away[r.Company] >= outageRow {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		err := do(r)
		if err != nil {
			errs = append(errs, err)
		}
		away[r.Company]++
		if !errors.Is(err, drop.ErrBusy) {
			away[r.Company] = 0
		}
	}
	return errors.Join(errs...)
}

// deliver puts what was built into place.
func (in *Inbox) deliver(ctx context.Context, r ledger.Received) error {
	t := in.tree(r.Company)
	final, err := in.put(ctx, t, r)
	if err != nil {
		return err
	}
	if err := fault.Hit(fault.Renamed); err != nil {
		return err
	}
	if err := in.opt.Ledger.Delivered(ctx, r.ID, final); err != nil {
		return err
	}
	in.dirty[month{r.Company, r.ReceivedAt.In(in.opt.Location).Format(monthLayout)}] = true
	in.opt.Journal("received", map[string]string{
		"supplier_id": sirenOf(r), "company": r.Company, "api_id": r.APIID, "number": r.Number, "gross": money(r.Gross, r.Currency), "currency": r.Currency,
		"month": r.ReceivedAt.In(in.opt.Location).Format(monthLayout), "to_check": fmt.Sprint(r.ToCheck),
	})
	return fault.Hit(fault.Delivered)
}

// sirenOf names the supplier in the journal: by number, as a name may be a person's.
func sirenOf(r ledger.Received) string {
	if r.SupplierID == r.Supplier {
		return "?"
	}
	return r.SupplierID
}

// put renames what was built. A build folder that is gone was renamed before;
// where to, staff may have changed since.
func (in *Inbox) put(ctx context.Context, t tree, r ledger.Received) (final string, err error) {
	if !fs.ValidPath(r.Folder) || !strings.HasPrefix(r.BuildName, buildPrefix) || strings.Contains(r.BuildName, "/") {
		return "", fmt.Errorf("folder %q is not inside the inbox", r.Folder)
	}
	built, err := t.Has(ctx, r.BuildName)
	if err != nil {
		return "", err
	}
	if !built {
		// Its month's folder was there when it was built. If that is gone as
		// well, the whole share may be away: decide nothing.
		if there, err := t.Has(ctx, path.Dir(r.Folder)); err != nil || !there {
			return "", fmt.Errorf("find folder of the month %s: %w", path.Dir(r.Folder), cmp.Or(err, fs.ErrNotExist))
		}
		return r.Folder, nil
	}
	// What was built tells its layout: the setting may have changed since.
	folder, err := t.Has(ctx, path.Join(r.BuildName, fileJSON))
	switch {
	case err != nil:
		return "", err
	case folder:
		// Staff may have moved the month away since it was built.
		if err := t.MakeAll(ctx, path.Dir(r.Folder)); err != nil {
			return "", err
		}
		return in.rename(ctx, t, r.BuildName, r.Folder, r.APIID)
	}
	return r.Folder, in.spread(ctx, t, r)
}

// spread moves the files of the flat layout out of their build folder.
func (in *Inbox) spread(ctx context.Context, t tree, r ledger.Received) error {
	files, err := spreadOrder(ctx, t, r)
	if err != nil {
		return err
	}
	dir := path.Dir(r.Folder)
	for _, name := range files {
		if err := t.MakeAll(ctx, path.Join(dir, path.Dir(name))); err != nil {
			return err
		}
		if _, err := in.rename(ctx, t, path.Join(r.BuildName, name), path.Join(dir, name), r.APIID); err != nil {
			return err
		}
	}
	return t.Remove(ctx, r.BuildName)
}

// spreadOrder lists what is left in a build folder, the file that an import
// waits for last.
func spreadOrder(ctx context.Context, t tree, r ledger.Received) (files []string, err error) {
	last := path.Base(withoutExt(r.Folder)) + path.Ext(fileCSV)
	for _, sub := range []string{flatApart, "."} {
		entries, err := t.List(ctx, path.Join(r.BuildName, sub))
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if !e.IsDir() {
				files = append(files, path.Join(sub, e.Name()))
			}
		}
	}
	slices.SortStableFunc(files, func(a, b string) int {
		switch {
		case a == last:
			return 1
		case b == last:
			return -1
		}
		return 0
	})
	return files, nil
}

// rename never replaces: whoever took the name meanwhile keeps it.
func (in *Inbox) rename(ctx context.Context, t tree, from, to, apiID string) (string, error) {
	final := to
	err := t.Move(ctx, from, final)
	for i := 1; errors.Is(err, fs.ErrExist) && i < 10; i++ {
		final = path.Join(path.Dir(to), told(path.Base(to), apiID, i))
		err = t.Move(ctx, from, final)
	}
	return final, err
}

// told puts what tells two names apart before an extension, if there is one.
func told(name, apiID string, i int) string {
	stem, ext := split(name)
	return withTail(stem, apiID, i, nameMost-length(ext)) + ext
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
		t := in.tree(c.ID)
		entries, err := t.List(ctx, ".")
		if err != nil {
			return fmt.Errorf("look for leftovers: %w", err)
		}
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), buildPrefix) || needed[e.Name()] {
				continue
			}
			if err := t.Remove(ctx, e.Name()); err != nil {
				return fmt.Errorf("remove leftover: %w", err)
			}
		}
	}
	return nil
}
