package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"einvoice/connector"
	"einvoice/connector/drop"
	"einvoice/connector/drop/sftpplace"
	"einvoice/connector/ledger"
	"einvoice/connector/setting"
	"einvoice/inbox"
	"einvoice/mappers"
	"einvoice/outbox"
)

// peopleFolders are all folders of this machine that people or the ERP look into.
func (c *Config) peopleFolders() []string {
	f := c.Folders
	var dirs []string
	for _, co := range c.Companies {
		for _, name := range []string{f.Results, f.Refused, f.ToCheck, f.Archive, f.Inbox} {
			dirs = append(dirs, c.tree(co.ID, name))
		}
		if at := c.erpPlace(co.ID); at != "" {
			dirs = append(dirs, at)
		}
	}
	for _, d := range c.Drops {
		dirs = append(dirs, d.Path)
		if d.Company == "" {
			for _, name := range []string{f.Results, f.Refused, f.ToCheck, f.Archive} {
				dirs = append(dirs, c.tree("", name))
			}
		}
	}
	return local(dirs)
}

// resultFolder is where a publication of a results place goes; a place is a
// company's id, or "" for the shared tree of a drop that serves several.
func (c *Config) resultFolder(place string, f ledger.Folder) string {
	name := map[ledger.Folder]string{
		ledger.FolderResults: c.Folders.Results,
		ledger.FolderRefused: c.Folders.Refused,
		ledger.FolderToCheck: c.Folders.ToCheck,
	}[f]
	return c.tree(place, name)
}

// openDrops opens every drop with its watcher, its mappings and its owner marker.
func (a *app) openDrops(ctx context.Context) ([]*outbox.Drop, error) {
	all, err := loadMappings(a.cfg)
	if err != nil {
		return nil, err
	}
	var drops []*outbox.Drop
	for _, d := range a.cfg.Drops {
		one, err := a.openDrop(ctx, d, all)
		if err != nil {
			return nil, fmt.Errorf("open drop %s: %w", d.Name, err)
		}
		drops = append(drops, one)
	}
	return drops, nil
}

func (a *app) openDrop(ctx context.Context, d drop.Config, all tiers) (*outbox.Drop, error) {
	place, err := a.places.drop(d.Path, a.cfg.tree(d.Company, a.cfg.Folders.Archive))
	if err != nil {
		return nil, err
	}
	mappings, err := all.named(d.Mapping)
	if err != nil {
		return nil, err
	}
	sellers, err := inbox.Complete(ctx, a.ledger, a.cfg.sellers(d))
	if err != nil {
		return nil, err
	}
	out := &outbox.Drop{Config: d, Place: place, Mappings: mappings, Explicit: len(d.Mapping) > 0, Results: d.Company, Companies: sellers}
	if !readsOnce(place) { // a mailbox would hand the marker out
		out.Beat = a.own(place, out)
	}
	var hint <-chan struct{}
	if !sftpplace.Is(d.Path) {
		hint = a.watch(ctx, d)
	}
	out.Watcher = drop.NewWatcher(place, d, drop.WatcherOptions{Whole: whole, Beside: out.IsBeside, Hint: hint})
	return out, nil
}

// watch asks for change events of a folder.
func (a *app) watch(ctx context.Context, d drop.Config) <-chan struct{} {
	hctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	a.onClose(stop)
	hint, err := drop.Notify(hctx, d.Path, a.log)
	if err != nil {
		a.log.Info().Err(err).Str("drop", d.Name).Msg("no change events here; the folder is scanned instead")
	}
	return hint
}

// own claims a drop for this ledger when it is first looked at, and renews the
// claim after that. A marker of another ledger, or of a later generation of this
// one, means that more was sent from here than we know: everything sent so far
// is read before anything new goes out.
func (a *app) own(place drop.Place, d *outbox.Drop) func(context.Context) error {
	var held *drop.Claim
	owner := drop.Owner{ID: a.ledger.ID(), Generation: a.ledger.Generation, Run: rand.Text()}
	return func(ctx context.Context) error {
		if held != nil {
			return held.Beat(ctx, time.Now())
		}
		claim, foreign, err := drop.ClaimOwner(ctx, place, owner, time.Now)
		if errors.Is(err, fs.ErrPermission) && d.Config.After == drop.Leave {
			return nil // we may only read there
		}
		if err != nil {
			return err
		}
		for _, c := range d.Companies {
			if !foreign {
				break
			}
			if err := a.ledger.RequireSweep(ctx, c.ID); err != nil {
				claim.Release()
				return err
			}
		}
		if foreign {
			a.log.Warn().Str("drop", d.Config.Name).Msg("its marker is another ledger's, or a later state's of this one; what was sent is read from the platform first")
			a.journal("doubted", map[string]string{"reason": place.String()})
		}
		held = claim
		a.onClose(claim.Release)
		return claim.Beat(ctx, time.Now())
	}
}

// sellers are the companies that may sell through a drop.
func (c *Config) sellers(d drop.Config) []connector.Company {
	var out []connector.Company
	for _, co := range c.companies() {
		if d.Company == "" || d.Company == co.ID {
			out = append(out, co)
		}
	}
	return out
}

// whole asks the format whether an export has its end.
func whole(ctx context.Context, p drop.Place, e drop.Entry) (ok bool, why string, err error) {
	format := strings.TrimPrefix(strings.ToLower(filepath.Ext(e.Name)), ".")
	if format != "xlsx" && format != "xml" || readsOnce(p) {
		return true, "", nil
	}
	r, err := p.Open(ctx, e.Name)
	if err != nil {
		return false, "", err
	}
	defer r.Close()
	at, ok := r.(io.ReaderAt)
	if !ok {
		return true, "", nil
	}
	ok, err = mappers.Whole(ctx, format, at, e.Size)
	return ok, format, err
}

// errMapping wraps a mapping that cannot be used.
var errMapping = fmt.Errorf("%w: mapping", errConfig)

// tiers are mappings by preference: the customer's own, then the presets.
type tiers [][]*mappers.Mapping

// loadMappings reads the mapping files of the configuration, and the presets
// that none of them replaces by its name. Every mistake of every file comes at
// once.
func loadMappings(cfg *Config) (tiers, error) {
	all := make(tiers, 2)
	var errs []error
	own := map[string]bool{}
	var files []string
	if cfg.Mappings.Folder != "" { // without a configuration the working folder is nobody's
		var err error
		files, err = filepath.Glob(filepath.Join(escapeGlob(cfg.Mappings.Folder), "*.toml"))
		if err != nil {
			return nil, fmt.Errorf("%w: list %s: %w", errMapping, cfg.Mappings.Folder, err)
		}
	}
	sort.Strings(files)
	for _, path := range files {
		m, err := loadMapping(path, cfg.Language)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		own[m.Name] = true
		all[0] = append(all[0], m)
	}
	for _, name := range mappers.Presets() {
		data, _ := mappers.Preset(name)
		m, err := mappers.Load(name, data)
		if err != nil {
			errs = append(errs, fmt.Errorf("preset %s: %w", name, err))
		} else if !own[name] {
			all[1] = append(all[1], m)
		}
	}
	return all, errors.Join(errs...)
}

// escapeGlob keeps a folder name with brackets from being a pattern.
func escapeGlob(dir string) string {
	if os.PathSeparator == '\\' {
		return dir
	}
	return strings.NewReplacer(`\`, `\\`, `[`, `\[`, `*`, `\*`, `?`, `\?`).Replace(dir)
}

// loadMapping reads one mapping file; its name is the file's without .toml.
func loadMapping(path, lang string) (*mappers.Mapping, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: read %s: %w", errMapping, path, err)
	}
	m, err := mappers.LoadIn(filepath.Dir(path), strings.TrimSuffix(filepath.Base(path), ".toml"), setting.Text(data))
	var mistakes mappers.Errors
	if errors.As(err, &mistakes) {
		faults := setting.Faults{File: path, Lang: lang}
		for _, x := range mistakes {
			faults.List = append(faults.List, setting.Fault{Spot: setting.Spot{Line: x.Line, Column: x.Col}, Mistake: setting.Mistake{Text: x.Text, French: x.French}})
		}
		return nil, misconfigured{errMapping, faults}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errMapping, path, err)
	}
	return m, nil
}

// choose picks the mapping of an export as a drop does: a single one that is
// named reads everything.
func (t tiers) choose(e mappers.Export, explicit bool) (*mappers.Mapping, error) {
	if all := slices.Concat(t...); explicit && len(all) == 1 {
		return all[0], nil
	}
	return mappers.Choose(e, t...)
}

// named picks mappings by name, as one tier. Without names the customer's own
// mappings may match, and presets only where there are none: an export whose
// columns changed must be refused by its mapping, not read by a looser one.
func (t tiers) named(names []string) (tiers, error) {
	if len(names) == 0 && len(t[0]) > 0 {
		return t[:1], nil
	}
	if len(names) == 0 {
		return t, nil
	}
	all := slices.Concat(t...)
	known := make([]string, len(all))
	for i, m := range all {
		known[i] = m.Name
	}
	var chosen []*mappers.Mapping
	for _, name := range names {
		i := slices.Index(known, name)
		if i < 0 {
			missing := setting.Say("no mapping %q in the mappings folder nor among the presets", name)
			if n := setting.Nearest(name, known); n != "" {
				missing = setting.Say("no mapping %q in the mappings folder nor among the presets; did you mean %s?", name, n)
			}
			return nil, fmt.Errorf("%w: %w", errMapping, missing)
		}
		chosen = append(chosen, all[i])
	}
	return tiers{chosen}, nil
}
