package outbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"einvoice/connector/fault"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
	"einvoice/connector/results"
	"einvoice/mappers"
)

// settleFiles gives back what cannot be sent: at once what we refused or hold,
// and, when nothing of the file is under way any more, what the platform
// refused.
func (o *Outbox) settleFiles(ctx context.Context) error {
	owed, err := o.Ledger.FilesWithoutCopy(ctx)
	if err != nil {
		return err
	}
	var errs []error // one that cannot be written for now keeps no other from its turn
	for _, f := range owed {
		if err := o.giveBackLocal(ctx, f); err != nil {
			errs = append(errs, fmt.Errorf("write correctable copy of %s: %w", f.Name, err))
		}
	}
	done, err := o.Ledger.FilesToSettle(ctx)
	if err != nil {
		return err
	}
	if len(done) > 0 { // only the end of a file can mend another
		o.notesOwed.Store(true)
	}
	blemished, err := o.settlePlain(ctx, done)
	errs = append(errs, err)
	failed := make([]error, len(blemished)) // several at once share their commits
	_ = each(settledTogether, len(blemished), func(i int) error {
		if err := o.settleFile(ctx, blemished[i]); err != nil {
			failed[i] = fmt.Errorf("settle %s: %w", blemished[i].Name, err)
		}
		return nil
	})
	errs = append(errs, failed...)
	if len(owed)+len(done) > 0 {
		o.Published()
	}
	if o.notesOwed.Load() {
		err := o.noteMended(ctx)
		o.notesOwed.Store(err != nil)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

const settledTogether = 8

// settlePlain closes the small files that give nothing back, many in one commit,
// and returns the others. To look at a large one would keep the ledger's writer.
func (o *Outbox) settlePlain(ctx context.Context, done []ledger.File) (others []ledger.File, err error) {
	var small []ledger.File
	for _, f := range done {
		if f.Size <= fewBytes {
			small = append(small, f)
		} else {
			others = append(others, f)
		}
	}
	for batch := range slices.Chunk(small, batchFiles) {
		ids := make([]int64, len(batch))
		for i, f := range batch {
			if err := fault.Hit(fault.FileSettle); err != nil {
				return others, err
			}
			ids[i] = f.ID
		}
		settled, err := o.Ledger.SettlePlain(ctx, ids)
		if err != nil {
			return others, err
		}
		for _, f := range batch {
			if !slices.Contains(settled, f.ID) {
				others = append(others, f)
				continue
			}
			if err := fault.Hit(fault.FileSettled); err != nil {
				return others, err
			}
			o.tell("settled", "file", f.Name)
		}
	}
	return others, nil
}

// noteMended puts a note beside the copies whose invoices all went through in
// the end, so that nobody corrects them again.
func (o *Outbox) noteMended(ctx context.Context) error {
	files, err := o.Ledger.FilesMended(ctx)
	if err != nil {
		return err
	}
	for _, f := range files {
		text := "All invoices of this file have been sent. There is nothing left to correct; the copies may be deleted.\r\n"
		if o.Lang == problem.French {
			text = "Toutes les factures de ce fichier ont été envoyées. Il n'y a plus rien à corriger ; les copies peuvent être supprimées.\r\n"
		}
		blob, err := o.Blobs.Put(ctx, strings.NewReader(text))
		if err != nil {
			return err
		}
		note := ledger.Publication{Place: f.Place, Folder: ledger.FolderRefused, Kind: ledger.KindNote,
			Name: results.DoneName(f.Name, f.Take), SHA256: blob.SHA256}
		if err := o.Ledger.MendedDone(ctx, f.ID, []ledger.Publication{note}); err != nil {
			return err
		}
		o.Published()
	}
	return nil
}

// giveBackLocal writes the copies that go out with the acknowledgement.
func (o *Outbox) giveBackLocal(ctx context.Context, f ledger.File) error {
	if f.State == ledger.FileFailed {
		return o.giveBackWhole(ctx, f)
	}
	refused, err := o.copies(ctx, f, func(inv ledger.Invoice) bool {
		return inv.Verdict == ledger.VerdictRefused || inv.Verdict == ledger.VerdictConflict
	})
	if err != nil {
		return err
	}
	held, err := o.heldCopy(ctx, f, func(inv ledger.Invoice) bool { return inv.Verdict == ledger.VerdictHeld })
	if err != nil {
		return err
	}
	if err := fault.Hit(fault.CopiesRendered); err != nil {
		return err
	}
	if err := o.Ledger.CopyDone(ctx, f.ID, append(refused, held...)); err != nil {
		return err
	}
	return fault.Hit(fault.CopiesOwed)
}

// giveBackWhole returns an export that could not be read at all: the original,
// and a report of what is wrong with it.
func (o *Outbox) giveBackWhole(ctx context.Context, f ledger.File) error {
	originals, err := o.originals(ctx, f)
	if err != nil {
		return err
	}
	report, err := o.render(ctx, func(w io.Writer) error { return mappers.WriteReport(w, o.Lang, f.Problems) })
	if err != nil {
		return err
	}
	o.tell("returned", "file", f.Name, "copy", originals[0].Name)
	return o.Ledger.CopyDone(ctx, f.ID, append(originals, ledger.Publication{
		Place: f.Place, Folder: ledger.FolderRefused, Kind: ledger.KindReport, Name: results.ReportName(f.Name, f.Take, 1), FileID: f.ID, SHA256: report}))
}

// originals are an export as it came: its file, or its several files, whose
// names go on belonging together.
func (o *Outbox) originals(ctx context.Context, f ledger.File) (pubs []ledger.Publication, err error) {
	parts, err := o.members(ctx, f.ID)
	if err != nil {
		return nil, err
	}
	if len(parts) == 0 {
		parts = []ledger.Part{{Name: f.Name, SHA256: f.SHA256}}
	}
	for _, p := range parts {
		body, err := o.render(ctx, func(w io.Writer) error {
			r, err := o.Spool.Open(p.SHA256)
			if err != nil {
				return err
			}
			defer r.Close()
			_, err = io.Copy(w, r)
			return err
		})
		if err != nil {
			return nil, err
		}
		name := results.CopyName(p.Name, f.Take, "refused", 1, strings.TrimPrefix(path.Ext(p.Name), "."))
		pubs = append(pubs, ledger.Publication{Place: f.Place, Folder: ledger.FolderRefused, Kind: ledger.KindCopy, Name: name, FileID: f.ID, SHA256: body})
	}
	return pubs, nil
}

// settleFile writes the second copies, of what the platform refused at once and
// of what came to be held on its way, and closes the file.
func (o *Outbox) settleFile(ctx context.Context, f ledger.File) error {
	pubs, err := o.copies(ctx, f, func(inv ledger.Invoice) bool { return inv.State == ledger.Rejected })
	if err != nil {
		return err
	}
	held, err := o.heldCopy(ctx, f, func(inv ledger.Invoice) bool {
		return inv.State == ledger.Held && inv.Verdict != ledger.VerdictHeld
	})
	if err != nil {
		return err
	}
	pubs = append(pubs, held...)
	if err := fault.Hit(fault.FileSettle); err != nil {
		return err
	}
	err = o.Ledger.FileSettled(ctx, f.ID, pubs)
	if errors.Is(err, ledger.ErrState) { // a person let something go meanwhile: this is not its end
		return nil
	}
	if err != nil {
		return err
	}
	if err := fault.Hit(fault.FileSettled); err != nil {
		return err
	}
	o.tell("settled", "file", f.Name)
	return nil
}

// copies renders the next correctable copy, of the chosen invoices, and its
// report into the blob store. No invoices, no copy.
func (o *Outbox) copies(ctx context.Context, f ledger.File, choose func(ledger.Invoice) bool) ([]ledger.Publication, error) {
	failing, err := o.choose(ctx, f, choose)
	if err != nil || len(failing) == 0 {
		return nil, err
	}
	m := o.mappingOf(f)
	if m == nil {
		return nil, nil
	}
	n, err := o.nextCopy(ctx, f)
	if err != nil {
		return nil, err
	}
	if !o.spooled(f) {
		return o.reportOnly(ctx, f, failing, ledger.FolderRefused, results.ReportName(f.Name, f.Take, n))
	}
	body, ext, err := o.renderCopy(ctx, f, m, failing, mappers.CopyOptions{Lang: o.Lang})
	if err != nil {
		return nil, err
	}
	report, err := o.render(ctx, func(w io.Writer) error { return mappers.WriteReport(w, o.Lang, failing.problems()) })
	if err != nil {
		return nil, err
	}
	names := results.CopyName(f.Name, f.Take, "refused", n, ext)
	o.tell("copy", "file", f.Name, "copy", names, "invoices", strconv.Itoa(len(failing)))
	return []ledger.Publication{
		{Place: f.Place, Folder: ledger.FolderRefused, Kind: ledger.KindCopy, Name: names, FileID: f.ID, SHA256: body},
		{Place: f.Place, Folder: ledger.FolderRefused, Kind: ledger.KindReport, Name: results.ReportName(f.Name, f.Take, n), FileID: f.ID, SHA256: report},
	}, nil
}

// renderCopy writes a correctable copy into the blob store and tells its
// extension.
func (o *Outbox) renderCopy(ctx context.Context, f ledger.File, m *mappers.Mapping, c chosen, opt mappers.CopyOptions) (body, ext string, err error) {
	opt.Workbook = o.RefusedAsXLSX
	e, err := o.export(ctx, f)
	if err != nil {
		return "", "", err
	}
	if ext, err = m.CopyExtOf(e, opt); err != nil {
		return "", "", err
	}
	body, err = o.render(ctx, func(w io.Writer) error { return m.WriteCopy(ctx, e, c.lookup, w, opt) })
	return body, ext, err
}

// spooled tells whether the export's bytes are still in the spool: long after it
// was settled they go, and a person may yet have an invoice tried again.
func (o *Outbox) spooled(f ledger.File) bool {
	_, err := os.Stat(o.Spool.Path(f.SHA256))
	return !errors.Is(err, fs.ErrNotExist)
}

// reportOnly says what is wrong with invoices of an export that only the archive
// has any more.
func (o *Outbox) reportOnly(ctx context.Context, f ledger.File, failing chosen, folder ledger.Folder, name string) ([]ledger.Publication, error) {
	report, err := o.render(ctx, func(w io.Writer) error { return mappers.WriteReport(w, o.Lang, failing.problems()) })
	if err != nil {
		return nil, err
	}
	return []ledger.Publication{{Place: f.Place, Folder: folder, Kind: ledger.KindReport, Name: name, FileID: f.ID, SHA256: report}}, nil
}

// nextCopy is the number of a file's next copy of refused invoices, from 1: a
// file can be settled again after a person let an invoice go.
func (o *Outbox) nextCopy(ctx context.Context, f ledger.File) (int, error) {
	pubs, err := o.Ledger.PublicationsOf(ctx, f.ID)
	n := 1
	for _, p := range pubs {
		if p.Kind == ledger.KindCopy && p.Folder == ledger.FolderRefused {
			n++
		}
	}
	return n, err
}

// heldCopy renders a copy of held invoices, with the column by which a person
// lets them go.
func (o *Outbox) heldCopy(ctx context.Context, f ledger.File, choose func(ledger.Invoice) bool) ([]ledger.Publication, error) {
	held, err := o.choose(ctx, f, choose)
	m := o.mappingOf(f)
	if err != nil || len(held) == 0 || m == nil {
		return nil, err
	}
	if !o.spooled(f) {
		return o.reportOnly(ctx, f, held, ledger.FolderToCheck, results.CopyName(f.Name, f.Take, "held", 0, "report.csv"))
	}
	body, ext, err := o.renderCopy(ctx, f, m, held, mappers.CopyOptions{Lang: o.Lang, Release: true})
	if err != nil {
		return nil, err
	}
	return []ledger.Publication{{Place: f.Place, Folder: ledger.FolderToCheck, Kind: ledger.KindCopy,
		Name: results.CopyName(f.Name, f.Take, "held", 0, ext), FileID: f.ID, SHA256: body}}, nil
}

// chosen are the problems of failing invoices, by their place in the export.
type chosen map[int][]problem.Problem

func (c chosen) lookup(ordinal int) ([]problem.Problem, bool) {
	ps, ok := c[ordinal]
	return ps, ok
}

// problems lists them all in the order of the export.
func (c chosen) problems() []problem.Problem {
	var all []problem.Problem
	for _, ordinal := range slices.Sorted(maps.Keys(c)) {
		all = append(all, c[ordinal]...)
	}
	return all
}

func (o *Outbox) choose(ctx context.Context, f ledger.File, choose func(ledger.Invoice) bool) (chosen, error) {
	c := chosen{}
	for inv, err := range o.Ledger.ExceptionsOf(ctx, f.ID) {
		if err != nil {
			return nil, err
		}
		if choose(inv) {
			c[inv.Ordinal] = slices.SortedStableFunc(slices.Values(inv.Problems), func(a, b problem.Problem) int { return rank(a) - rank(b) })
		}
	}
	return c, nil
}

func (o *Outbox) mappingOf(f ledger.File) *mappers.Mapping {
	d := o.dropOf(f)
	if d == nil {
		return nil
	}
	return d.mapping(f.Mapping)
}

// mapping is a mapping of the drop by its name, nil if it is none.
func (d *Drop) mapping(name string) *mappers.Mapping {
	for _, m := range slices.Concat(d.Mappings...) {
		if m.Name == name {
			return m
		}
	}
	return nil
}

// render streams into the blob store and returns the SHA-256.
func (o *Outbox) render(ctx context.Context, write func(io.Writer) error) (string, error) {
	r, w := io.Pipe()
	go func() { w.CloseWithError(write(w)) }()
	defer r.Close()
	blob, err := o.Blobs.Put(ctx, r)
	return blob.SHA256, err
}
