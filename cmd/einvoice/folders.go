package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"einvoice/connector/drop"
)

// openFolders makes the trees that people see. The first start makes all of
// them. A later one only remakes: what cannot be had then is a share that is
// away, whose drop or answers wait, and no reason to stop the others.
func (a *app) openFolders(context.Context) error {
	_, err := os.Lstat(a.cfg.Ledger.File())
	first := errors.Is(err, fs.ErrNotExist)
	for _, dir := range a.cfg.peopleFolders() {
		if first {
			if err := makeFolder(dir); err != nil {
				return err
			}
			continue
		}
		switch err := remake(dir, a.cfg.around(dir)); {
		case errors.Is(err, errConfig):
			return err
		case err != nil:
			a.log.Error().Err(err).Str("folder", dir).Msg("folder not there; what concerns it waits")
		}
	}
	return nil
}

// around is the folder that tells whether the place of dir is there: the one it
// stands in; in the tree of a new company, whose folders are all still to be
// made, the nearest one up to the root.
func (c *Config) around(dir string) string {
	at := filepath.Dir(dir)
	if inside, err := filepath.Rel(c.Folders.Root, at); err != nil || !filepath.IsLocal(inside) {
		return at
	}
	for at != c.Folders.Root {
		if _, err := os.Stat(at); err == nil {
			break
		}
		at = filepath.Dir(at)
	}
	return at
}

// remake makes a folder again that somebody removed. Where what is around it is
// empty or missing, a share is away rather: a folder made there would be hidden
// as soon as the share is back, with the answers and the supplier invoices in it.
func remake(dir, around string) error {
	if _, err := os.Stat(dir); err != nil {
		siblings, err := os.ReadDir(around)
		if err == nil && len(siblings) == 0 {
			err = fmt.Errorf("%s is empty: %w", around, fs.ErrNotExist)
		}
		if err != nil {
			return fmt.Errorf("%w: make folder %s: %w; is the share mounted?", drop.ErrBusy, dir, err)
		}
	}
	return makeFolder(dir)
}
