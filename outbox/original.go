package outbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"einvoice/connector/drop"
	"einvoice/connector/fault"
	"einvoice/connector/ledger"
)

// original is a file of a drop that was recorded and is to be moved away: an
// export, or a part of one.
type original struct {
	file ledger.File
	part ledger.Part // zero: the export itself
}

func (x original) name() string {
	if x.part.Name != "" {
		return x.part.Name
	}
	return x.file.Name
}

func (x original) sha256() string {
	if x.part.Name != "" {
		return x.part.SHA256
	}
	return x.file.SHA256
}

// spooled says of an original that is nowhere else that the spool holds it.
func (x original) spooled() string { return "spool:" + x.sha256() }

// to is where an original goes: a folder per month, and the take in the name, so
// that no name comes twice. Parts share a folder.
func (x original) to() string {
	ext := path.Ext(x.file.Name)
	stem := fmt.Sprintf("%s/%s.%06d", x.file.TakenAt.Format("2006-01"), strings.TrimSuffix(x.file.Name, ext), x.file.Take)
	if x.part.Name != "" {
		return stem + "/" + x.part.Name
	}
	return stem + ext
}

// moved records where an original went.
func (o *Outbox) moved(ctx context.Context, x original, to string) error {
	if x.part.Name != "" {
		err := o.Ledger.PartArchived(ctx, x.file.ID, x.part.Name, to)
		if errors.Is(err, ledger.ErrState) { // the scan and the mapping both move attachments: the other was quicker
			return nil
		}
		return err
	}
	return o.Ledger.FileArchived(ctx, x.file.ID, to)
}

// retire moves the original of a recorded export away, then looks at what was
// moved: other bytes mean that the ERP wrote the file again in between, and
// that is a new export.
func (o *Outbox) retire(ctx context.Context, d *Drop, x original) error {
	if d.Config.After == drop.Leave {
		return o.moved(ctx, x, "drop:"+x.name())
	}
	if readsOnce(d.Place) {
		return o.removeRead(ctx, d, x)
	}
	if ok, err := o.gone(ctx, d, x, d.Place.Retire(ctx, x.name(), x.to())); err != nil || !ok {
		return err
	}
	return o.postpone(d, x, o.archived(ctx, d, x))
}

// gone deals with what moving an original to the archive gave; ok when it is there now.
func (o *Outbox) gone(ctx context.Context, d *Drop, x original, moved error) (ok bool, err error) {
	if absent(moved) {
		return false, o.postpone(d, x, o.vanished(ctx, d, x))
	}
	if moved != nil { // locked or away: the ledger knows the file, and the next scan tries again
		return false, o.postpone(d, x, fmt.Errorf("%w: %w", drop.ErrBusy, moved))
	}
	d.forget(x.name())
	return true, fault.Hit(fault.OriginalMoved)
}

// absent tells a file that is gone from a drop or an archive that is away, whose
// error says both that it passes and that there is no such file.
func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) && !errors.Is(err, drop.ErrBusy) }

// mover is a place that moves several originals for the price of one.
type mover interface {
	RetireAll(ctx context.Context, all []drop.Moved) []error
}

// retireAll is retire of a batch of recorded exports.
func (o *Outbox) retireAll(ctx context.Context, d *Drop, files []ledger.File) error {
	place, near := d.Place.(mover)
	if !near || d.Config.After == drop.Leave || readsOnce(d.Place) {
		return each(parallel(d.Place), len(files), func(i int) error { return o.retire(ctx, d, original{file: files[i]}) })
	}
	moves := make([]drop.Moved, len(files))
	for i, f := range files {
		x := original{file: f}
		moves[i] = drop.Moved{Name: x.name(), Archived: x.to()}
	}
	moved := place.RetireAll(ctx, moves)
	where := make([]string, len(files)) // "": not there, or dealt with
	if err := each(parallel(d.Place), len(files), func(i int) error {
		x := original{file: files[i]}
		ok, err := o.gone(ctx, d, x, moved[i])
		if err == nil && ok {
			where[i], err = o.compared(ctx, d, x)
		}
		return o.postpone(d, x, err)
	}); err != nil {
		return err
	}
	return o.recordArchived(ctx, files, where)
}

// recordArchived records in one commit where originals went.
func (o *Outbox) recordArchived(ctx context.Context, files []ledger.File, where []string) error {
	var all []ledger.Archived
	for i, f := range files {
		if where[i] != "" {
			all = append(all, ledger.Archived{FileID: f.ID, Path: where[i]})
		}
	}
	if len(all) == 0 {
		return nil
	}
	if err := o.Ledger.FilesArchived(ctx, all); err != nil {
		return fmt.Errorf("record archive: %w", err)
	}
	for range all {
		if err := fault.Hit(fault.Archived); err != nil {
			return err
		}
	}
	return nil
}

// readsOnce tells a mailbox: it moves nothing, keeps no archive, and a file may
// vanish by being read. The spool's copy is the only one.
func readsOnce(p Place) bool {
	m, ok := p.(interface{ ReadsOnce() bool })
	return ok && m.ReadsOnce()
}

// removeRead removes a recorded export from a mailbox.
func (o *Outbox) removeRead(ctx context.Context, d *Drop, x original) error {
	if err := d.Place.Remove(ctx, x.name()); err != nil {
		return o.postpone(d, x, fmt.Errorf("%w: %w", drop.ErrBusy, err))
	}
	d.forget(x.name())
	return o.moved(ctx, x, x.spooled())
}

// postpone leaves to the next scan what a place that is away or a locked file
// stopped; other errors are the caller's.
func (o *Outbox) postpone(d *Drop, x original, err error) error {
	if !errors.Is(err, drop.ErrBusy) {
		return err
	}
	return o.later(d, fmt.Errorf("move %s to the archive: %w", x.name(), err))
}

// forget notes an original that is gone: the next file of that name is a new
// one. The watcher hears of it before its next scan.
func (d *Drop) forget(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.gone = append(d.gone, name)
}

// archived checks what lies in the archive under the name of x and records it.
func (o *Outbox) archived(ctx context.Context, d *Drop, x original) error {
	to, err := o.compared(ctx, d, x)
	if err != nil || to == "" {
		return err
	}
	if err := o.moved(ctx, x, to); err != nil {
		return err
	}
	return fault.Hit(fault.Archived)
}

// compared tells where the original of x is now, if that is what was taken; ""
// when it is not, which then was dealt with, or cannot be seen now.
func (o *Outbox) compared(ctx context.Context, d *Drop, x original) (to string, err error) {
	to = x.to()
	sum, err := o.hashArchived(ctx, d, to)
	if err != nil {
		return "", o.later(d, fmt.Errorf("read %s back from the archive: %w", to, err))
	}
	if sum == x.sha256() {
		if d.Config.After == drop.Delete {
			if err := d.Place.RemoveArchived(ctx, to); err != nil {
				o.Log.Warn().Err(err).Str("file", x.name()).Msg("original not deleted")
			}
			to = x.spooled()
		}
		return to, nil
	}
	o.tell("rewritten", "file", x.name())
	return "", o.takeRewritten(ctx, d, x)
}

// takeRewritten takes the bytes that the ERP wrote over an export between our
// copy and the move. The archive holds the new ones; the old ones are in the
// spool, which the ledger then names.
func (o *Outbox) takeRewritten(ctx context.Context, d *Drop, x original) error {
	r, err := d.Place.OpenArchived(ctx, x.to())
	if err != nil {
		return o.later(d, fmt.Errorf("open %s in the archive: %w", x.to(), err))
	}
	blob, err := o.Spool.Put(ctx, r)
	r.Close()
	if err != nil {
		return o.later(d, fmt.Errorf("copy %s to the spool: %w", x.to(), err))
	}
	switch x.part.Kind {
	case ledger.PartBeside: // not mapped yet, so the new one goes
		x.part.SHA256, x.part.Size = blob.SHA256, blob.Size
		if err := o.Ledger.AddPart(ctx, x.part); err != nil {
			return err
		}
		return o.moved(ctx, x, x.to())
	case ledger.PartMember:
		err = o.takeGroupAgain(ctx, x, blob)
	default:
		next := x.file.NewFile
		next.SHA256, next.Size = blob.SHA256, blob.Size
		var second ledger.File
		if second, err = o.Ledger.TakeFile(ctx, next); err == nil {
			err = o.Ledger.FileArchived(ctx, second.ID, x.to())
		}
	}
	if err != nil {
		return fmt.Errorf("record %s: %w", x.name(), err)
	}
	o.mapWake.set()
	return o.moved(ctx, x, x.spooled())
}

// vanished settles an export whose original is not in the drop any more: we
// moved it before a crash, or somebody took it away.
func (o *Outbox) vanished(ctx context.Context, d *Drop, x original) error {
	r, err := d.Place.OpenArchived(ctx, x.to())
	if err == nil {
		r.Close()
		return o.archived(ctx, d, x)
	}
	if !absent(err) {
		return o.later(d, fmt.Errorf("look for %s in the archive: %w", x.to(), err))
	}
	o.Log.Warn().Str("file", x.name()).Msg("original vanished from the drop; the spool holds the copy")
	return o.moved(ctx, x, x.spooled())
}

// recoverDrop goes on with the originals that an earlier run recorded and did
// not move.
func (o *Outbox) recoverDrop(ctx context.Context, d *Drop) error {
	left, err := o.toArchive(ctx)
	if err != nil {
		return err
	}
	for _, x := range left {
		if x.file.Drop != d.Config.Name {
			continue
		}
		if err := o.postpone(d, x, o.recoverOriginal(ctx, d, x)); err != nil {
			return err
		}
	}
	return nil
}

// toArchive lists the originals that were recorded and not moved.
func (o *Outbox) toArchive(ctx context.Context) (all []original, err error) {
	files, err := o.Ledger.FilesToArchive(ctx)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		all = append(all, original{file: f})
	}
	parts, err := o.Ledger.PartsToArchive(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range parts {
		f, err := o.Ledger.FileByID(ctx, p.FileID)
		if err != nil {
			return nil, err
		}
		all = append(all, original{f, p})
	}
	return all, nil
}

// recoverOriginal moves an original only if its bytes are still those we took;
// others are left for the scan, which takes them as a new export.
func (o *Outbox) recoverOriginal(ctx context.Context, d *Drop, x original) error {
	if readsOnce(d.Place) {
		return o.recoverRead(ctx, d, x)
	}
	r, err := d.Place.Open(ctx, x.name())
	if absent(err) {
		return o.vanished(ctx, d, x)
	}
	if err != nil {
		return o.later(d, fmt.Errorf("open %s: %w", x.name(), err))
	}
	sum, err := hash(r)
	r.Close()
	if err != nil {
		return o.later(d, fmt.Errorf("read %s: %w", x.name(), err))
	}
	if sum == x.sha256() {
		return o.retire(ctx, d, x)
	}
	return o.moved(ctx, x, x.spooled())
}

// recoverRead looks for a recorded export in the listing of a mailbox: one that
// is there still is left for the scan, which knows its bytes again.
func (o *Outbox) recoverRead(ctx context.Context, d *Drop, x original) error {
	entries, err := d.Place.List(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", drop.ErrBusy, err)
	}
	i := slices.IndexFunc(entries, func(e drop.Entry) bool { return e.Name == x.name() })
	switch {
	case i >= 0 && x.part.Name != "" && entries[i].Size == x.part.Size:
		return o.removeRead(ctx, d, x) // alone it would wait for the others for ever
	case i >= 0:
		return nil
	}
	return o.moved(ctx, x, x.spooled())
}

func (o *Outbox) hashArchived(ctx context.Context, d *Drop, name string) (string, error) {
	r, err := d.Place.OpenArchived(ctx, name)
	if err != nil {
		return "", err
	}
	defer r.Close()
	return hash(r)
}

func hash(r io.Reader) (sum string, err error) {
	h := sha256.New()
	_, err = io.Copy(h, r)
	return hex.EncodeToString(h.Sum(nil)), err
}
