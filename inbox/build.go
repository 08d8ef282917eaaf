package inbox

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"strings"

	"einvoice/connector"
	"einvoice/connector/fault"
	"einvoice/connector/ledger"
)

// A supplier invoice appears by one rename of a folder that was built, whole
// and durable, under a hidden name in the same tree: rights inherit, and nobody
// ever sees a part of it. The ledger is told "built" before the rename, so that
// after a crash a missing build folder means that it was delivered, and staff
// who moved the folder on never get a second one. In the flat layout each file
// is renamed out of the build folder, which goes last: what it still holds was
// not delivered yet.

const (
	buildPrefix = ".einvoice-build-"
	insideMost  = len("/"+dirApart+"/") + nameLeast + len(".txt") // room kept for what is in the folder
	monthLayout = "2006-01"
)

// buildFetched builds and delivers what was fetched. An invoice that cannot be
// built waits; the others go on.
func (in *Inbox) buildFetched(ctx context.Context) error {
	rows, err := in.opt.Ledger.ReceivedIn(ctx, ledger.ReceivedFetched, atOnce)
	if err != nil {
		return fmt.Errorf("list supplier invoices to build: %w", err)
	}
	promised, err := in.promised(ctx)
	if err != nil {
		return err
	}
	return each(ctx, rows, func(r ledger.Received) error {
		if err := in.build(ctx, &r, promised); err != nil {
			return fmt.Errorf("build supplier invoice %s: %w", r.APIID, err)
		}
		if err := in.deliver(ctx, r); err != nil {
			promised.promise(r)
			return fmt.Errorf("deliver supplier invoice %s: %w", r.APIID, err)
		}
		return nil
	})
}

// promised are the final names of what could not be renamed yet.
func (in *Inbox) promised(ctx context.Context) (names, error) {
	rows, err := in.opt.Ledger.ReceivedIn(ctx, ledger.ReceivedBuilt, atOnce)
	if err != nil {
		return nil, fmt.Errorf("list supplier invoices to deliver: %w", err)
	}
	list := names{}
	for _, r := range rows {
		list.promise(r)
	}
	return list, nil
}

// promise keeps the name of what was built from the next one.
func (n names) promise(r ledger.Received) {
	n[promise(r.Company, r.Folder)] = true
	n[promise(r.Company, withoutExt(r.Folder))] = true // in the flat layout
}

func promise(company, folder string) string { return fold(company + "/" + folder) }

// build makes the hidden folder and commits its final name; r gets both.
func (in *Inbox) build(ctx context.Context, r *ledger.Received, promised names) error {
	raw, inv, err := in.original(*r)
	if err != nil {
		return err
	}
	t := in.tree(r.Company)
	if err := t.There(ctx); err != nil {
		return err
	}
	if t, err = t.chosen(ctx); err != nil {
		return err
	}
	r.BuildName = fmt.Sprintf("%s%d", buildPrefix, r.ID)
	if err := t.Remove(ctx, r.BuildName); err != nil {
		return fmt.Errorf("remove unfinished folder: %w", err)
	}
	there, err := in.place(ctx, t, r, promised)
	if err != nil {
		return err
	}
	// Made before "built" is committed: see put.
	if err := t.MakeAll(ctx, path.Dir(r.Folder)); err != nil {
		return err
	}
	if !there {
		if err := in.fill(ctx, t, r, raw, inv); err != nil {
			return err
		}
	}
	if err := fault.Hit(fault.Filled); err != nil {
		return err
	}
	if err := in.opt.Ledger.Built(ctx, r.ID, r.BuildName, r.Folder); err != nil {
		return err
	}
	return fault.Hit(fault.Built)
}

// fill writes every file into the hidden folder.
func (in *Inbox) fill(ctx context.Context, t tree, r *ledger.Received, raw []byte, inv connector.Invoice) error {
	room := pathMost - t.length(r.Folder) - len("/"+dirApart+"/") - len(".txt")
	files, err := in.parcel(*r, raw, inv, min(max(room, nameLeast), t.insideMost()))
	if err != nil {
		return err
	}
	if t.flat {
		in.flatten(r, files)
	}
	made := names{}
	for _, f := range files {
		name := path.Join(r.BuildName, f.name)
		if dir := path.Dir(name); !made[dir] {
			if err := t.MakeAll(ctx, dir); err != nil {
				return err
			}
			made[dir] = true
		}
		if err := t.Write(ctx, name, bytes.NewReader(f.content)); err != nil {
			return err
		}
		if f.foreign {
			t.markForeign(name)
		}
	}
	return nil
}

// flatten gives the files the names that they have side by side with those of
// other invoices. r.Folder becomes the file that a person opens first.
func (in *Inbox) flatten(r *ledger.Received, files []file) {
	w, base := wordsOf(in.opt.Lang), path.Base(withoutExt(r.Folder))
	r.Folder = withoutExt(r.Folder) + ".json"
	for i, f := range files {
		switch f.name {
		case w.readable:
			files[i].name = base + ".pdf"
			r.Folder = withoutExt(r.Folder) + ".pdf"
		case fileJSON, fileXML, fileCSV:
			files[i].name = base + path.Ext(f.name)
		default:
			files[i].name = base + " - " + path.Base(f.name)
			if path.Dir(f.name) == dirApart {
				files[i].name = path.Join(flatApart, files[i].name)
			}
		}
	}
}

// withoutExt takes .pdf or .json off: the name that the files of an invoice in
// the flat layout share.
func withoutExt(name string) string {
	return strings.TrimSuffix(strings.TrimSuffix(name, ".pdf"), ".json")
}
