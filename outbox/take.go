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
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"einvoice/connector/drop"
	"einvoice/connector/durable"
	"einvoice/connector/ledger"
)

// watch scans a drop until ctx ends. The scan is the truth; a hint only makes
// it come sooner.
func (o *Outbox) watch(ctx context.Context, d *Drop) error {
	d.stuck = true // an earlier run may have left originals to move
	for ctx.Err() == nil {
		if err := o.scan(ctx, d); err != nil && ctx.Err() == nil {
			return err
		}
		if err := d.Watcher.Wait(ctx); err != nil {
			return nil
		}
	}
	return nil
}

// scan takes every export of a drop that is whole. A place that cannot be read
// is logged and tried again; only a ledger or spool that fails is an error.
func (o *Outbox) scan(ctx context.Context, d *Drop) error {
	if !o.owned(ctx, d) {
		d.Watcher.Skip()
		return nil
	}
	if d.stuck {
		d.stuck = false
		if err := o.recoverDrop(ctx, d); err != nil {
			return fmt.Errorf("recover drop %s: %w", d.Config.Name, err)
		}
	}
	ready, pending, err := d.Watcher.Scan(ctx)
	if err != nil {
		o.Log.Warn().Err(err).Str("drop", d.Config.Name).Msg("drop cannot be read")
		d.read.Store(true) // as in owned: a run that ends waits for no place that is away
		return nil
	}
	soon := len(ready) > 0
	for _, p := range pending {
		soon = soon || p.Soon
		if p.New {
			o.tell("pending", "drop", d.Config.Name, "file", p.Entry.Name,
				"reason", p.Why.Message(o.Lang), "remedy", p.Why.Remedy(o.Lang))
		}
	}
	if err := o.takeAll(ctx, d, ready); err != nil {
		return err
	}
	d.read.Store(!soon)
	return nil
}

// owned claims the drop, or renews the claim. A drop that is away or that
// another ledger serves is left alone, said once, and tried again by the next
// scan: it never stops the others.
func (o *Outbox) owned(ctx context.Context, d *Drop) bool {
	if d.Beat == nil {
		return true
	}
	err := d.Beat(ctx)
	if err == nil {
		d.unserved.Store(false)
		return true
	}
	if !d.unserved.Swap(true) && ctx.Err() == nil {
		o.Log.Error().Err(err).Str("drop", d.Config.Name).Msg("drop not served; trying again")
		o.tell("unserved", "drop", d.Config.Name, "reason", err.Error())
	}
	d.read.Store(true)
	return false
}

// parallel is how many exports a place hands out at once; 1 where it does not say.
func parallel(p Place) int {
	if s, ok := p.(interface{ Parallel() int }); ok {
		return max(1, s.Parallel())
	}
	return 1
}

// ahead is how many copies stand in the spool unrecorded, for each that is made
// at once: a stop in between copies these again.
const ahead = 4

// takeAll takes exports in their order. Where a place is far away, copying and
// moving overlap; recording does not.
func (o *Outbox) takeAll(ctx context.Context, d *Drop, ready []drop.Entry) error {
	n := parallel(d.Place)
	for batch := range slices.Chunk(ready, n*ahead) {
		blobs := make([]durable.Blob, len(batch))
		var away atomic.Bool
		_ = each(n, len(batch), func(i int) (err error) {
			blobs[i], err = o.copy(ctx, d, batch[i])
			if errors.Is(err, drop.ErrBusy) {
				away.Store(true)
			}
			return nil // said, and tried again
		})
		files := make([]ledger.File, len(batch))
		for i, e := range batch {
			if blobs[i].SHA256 == "" {
				continue
			}
			var err error
			if files[i], err = o.record(ctx, d, e, blobs[i]); err != nil {
				return err
			}
		}
		if err := each(n, len(batch), func(i int) error {
			if blobs[i].SHA256 == "" {
				return nil
			}
			return o.retire(ctx, d, files[i])
		}); err != nil {
			return err
		}
		if n > 1 && away.Load() { // the server is away: it need not be said for every file
			return nil
		}
	}
	return nil
}

// each calls work for 0 to count-1, n at once.
func each(n, count int, work func(i int) error) error {
	var g errgroup.Group
	g.SetLimit(n)
	for i := range count {
		g.Go(func() error { return work(i) })
	}
	return g.Wait()
}

// copy copies an export into the spool. Nothing is returned for one that cannot
// be had now, or that is not the one that was listed; the error was said.
func (o *Outbox) copy(ctx context.Context, d *Drop, e drop.Entry) (durable.Blob, error) {
	r, err := d.Place.Open(ctx, e.Name)
	if err != nil {
		o.Log.Warn().Err(err).Str("drop", d.Config.Name).Str("file", e.Name).Msg("export cannot be opened")
		return durable.Blob{}, err
	}
	blob, err := o.Spool.Put(ctx, r)
	r.Close()
	if err != nil { // a share that died, or a full disk: the original stays, and the next scan tries again
		o.sayTrouble(d, fmt.Errorf("copy %s to the spool: %w", e.Name, err))
		return durable.Blob{}, err
	}
	o.sayTrouble(d, nil)
	if blob.Size != e.Size { // it changed between the listing and the copy: wait until it is whole
		return durable.Blob{}, nil
	}
	return blob, nil
}

// record enters a copied export in the ledger; only after that may the original
// move. The same bytes after a crash give the same record.
func (o *Outbox) record(ctx context.Context, d *Drop, e drop.Entry, blob durable.Blob) (ledger.File, error) {
	f, err := o.Ledger.TakeFile(ctx, ledger.NewFile{
		Drop: d.Config.Name, Place: d.Results, Name: e.Name, SHA256: blob.SHA256,
		Size: blob.Size, Modified: e.Modified, Owner: e.Owner,
	})
	if err != nil {
		return f, fmt.Errorf("record %s: %w", e.Name, err)
	}
	if f.State == ledger.FileTaken {
		o.tell("taken", "file", f.Name, "drop", f.Drop, "take", fmt.Sprint(f.Take))
		o.mapWake.set()
	}
	if err := d.Watcher.Taken(ctx, e); err != nil {
		o.Log.Warn().Err(err).Str("file", e.Name).Msg("trigger file not removed")
	}
	return f, nil
}

// retire moves the original of a recorded export away, then looks at what was
// moved: other bytes mean that the ERP wrote the file again in between, and
// that is a new export.
func (o *Outbox) retire(ctx context.Context, d *Drop, f ledger.File) error {
	if d.Config.After == drop.Leave {
		return o.Ledger.FileArchived(ctx, f.ID, "drop:"+f.Name)
	}
	to := archiveName(f)
	if readsOnce(d.Place) {
		return o.removeRead(ctx, d, f)
	}
	err := d.Place.Retire(ctx, f.Name, to)
	if errors.Is(err, fs.ErrNotExist) {
		return o.postpone(d, f, o.vanished(ctx, d, f, to))
	}
	if err != nil { // locked or away: the ledger knows the file, and the next scan tries again
		return o.postpone(d, f, fmt.Errorf("%w: %w", drop.ErrBusy, err))
	}
	d.moved(f.Name)
	return o.postpone(d, f, o.archived(ctx, d, f, to))
}

// readsOnce tells a mailbox: it moves nothing, keeps no archive, and a file may
// vanish by being read. The spool's copy is the only one.
func readsOnce(p Place) bool {
	m, ok := p.(interface{ ReadsOnce() bool })
	return ok && m.ReadsOnce()
}

// removeRead removes a recorded export from a mailbox.
func (o *Outbox) removeRead(ctx context.Context, d *Drop, f ledger.File) error {
	if err := d.Place.Remove(ctx, f.Name); err != nil {
		return o.postpone(d, f, fmt.Errorf("%w: %w", drop.ErrBusy, err))
	}
	d.moved(f.Name)
	return o.Ledger.FileArchived(ctx, f.ID, "spool:"+f.SHA256)
}

// postpone leaves to the next scan what a place that is away or a locked file
// stopped; other errors are the caller's.
func (o *Outbox) postpone(d *Drop, f ledger.File, err error) error {
	if !errors.Is(err, drop.ErrBusy) {
		return err
	}
	return o.later(d, fmt.Errorf("move %s to the archive: %w", f.Name, err))
}

// moved forgets an original that is gone: the next file of that name is a new one.
func (d *Drop) moved(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.Watcher.Forget(name)
}

// archived checks what lies in the archive under the name of f and records it.
func (o *Outbox) archived(ctx context.Context, d *Drop, f ledger.File, to string) error {
	sum, err := o.hashArchived(ctx, d, to)
	if err != nil {
		return o.later(d, fmt.Errorf("read %s back from the archive: %w", to, err))
	}
	if sum == f.SHA256 {
		if d.Config.After == drop.Delete {
			to = "spool:" + f.SHA256
			if err := d.Place.RemoveArchived(ctx, archiveName(f)); err != nil {
				o.Log.Warn().Err(err).Str("file", f.Name).Msg("original not deleted")
			}
		}
		return o.Ledger.FileArchived(ctx, f.ID, to)
	}
	o.tell("rewritten", "file", f.Name)
	return o.takeRewritten(ctx, d, f, to)
}

// takeRewritten takes the bytes that the ERP wrote over an export between our
// copy and the move. The archive holds the new ones; the old ones are in the
// spool, which the ledger then names.
func (o *Outbox) takeRewritten(ctx context.Context, d *Drop, f ledger.File, to string) error {
	r, err := d.Place.OpenArchived(ctx, to)
	if err != nil {
		return o.later(d, fmt.Errorf("open %s in the archive: %w", to, err))
	}
	blob, err := o.Spool.Put(ctx, r)
	r.Close()
	if err != nil {
		return o.later(d, fmt.Errorf("copy %s to the spool: %w", to, err))
	}
	next := f.NewFile
	next.SHA256, next.Size = blob.SHA256, blob.Size
	second, err := o.Ledger.TakeFile(ctx, next)
	if err != nil {
		return fmt.Errorf("record %s: %w", f.Name, err)
	}
	if err := o.Ledger.FileArchived(ctx, second.ID, to); err != nil {
		return err
	}
	o.mapWake.set()
	return o.Ledger.FileArchived(ctx, f.ID, "spool:"+f.SHA256)
}

// later leaves what concerns an original to the next scan: a place that is away
// or a full disk is no reason to stop the other drops.
func (o *Outbox) later(d *Drop, err error) error {
	o.sayTrouble(d, err)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stuck = true
	return nil
}

// sayTrouble says what keeps a drop from being read, once for each cause; nil
// ends it.
func (o *Outbox) sayTrouble(d *Drop, err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	d.mu.Lock()
	news := d.trouble != text
	d.trouble = text
	d.mu.Unlock()
	if !news || err == nil {
		return
	}
	o.Log.Error().Err(err).Str("drop", d.Config.Name).Msg("drop not read; trying again")
	o.tell("trouble", "drop", d.Config.Name, "reason", err.Error())
}

// vanished settles an export whose original is not in the drop any more: we
// moved it before a crash, or somebody took it away.
func (o *Outbox) vanished(ctx context.Context, d *Drop, f ledger.File, to string) error {
	r, err := d.Place.OpenArchived(ctx, to)
	if err == nil {
		r.Close()
		return o.archived(ctx, d, f, to)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return o.later(d, fmt.Errorf("look for %s in the archive: %w", to, err))
	}
	o.Log.Warn().Str("file", f.Name).Msg("original vanished from the drop; the spool holds the copy")
	return o.Ledger.FileArchived(ctx, f.ID, "spool:"+f.SHA256)
}

// recoverDrop goes on with the originals that an earlier run recorded and did
// not move.
func (o *Outbox) recoverDrop(ctx context.Context, d *Drop) error {
	files, err := o.Ledger.FilesToArchive(ctx)
	if err != nil {
		return err
	}
	for _, f := range files {
		if f.Drop != d.Config.Name {
			continue
		}
		if err := o.postpone(d, f, o.recoverFile(ctx, d, f)); err != nil {
			return err
		}
	}
	return nil
}

// recoverFile moves an original only if its bytes are still those we took;
// others are left for the scan, which takes them as a new export.
func (o *Outbox) recoverFile(ctx context.Context, d *Drop, f ledger.File) error {
	if readsOnce(d.Place) {
		return o.recoverRead(ctx, d, f)
	}
	r, err := d.Place.Open(ctx, f.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return o.vanished(ctx, d, f, archiveName(f))
	}
	if err != nil {
		return o.later(d, fmt.Errorf("open %s: %w", f.Name, err))
	}
	sum, err := hash(r)
	r.Close()
	if err != nil {
		return o.later(d, fmt.Errorf("read %s: %w", f.Name, err))
	}
	if sum == f.SHA256 {
		return o.retire(ctx, d, f)
	}
	return o.Ledger.FileArchived(ctx, f.ID, "spool:"+f.SHA256)
}

// recoverRead looks for a recorded export in the listing of a mailbox: one that
// is there still is left for the scan, which knows its bytes again.
func (o *Outbox) recoverRead(ctx context.Context, d *Drop, f ledger.File) error {
	entries, err := d.Place.List(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", drop.ErrBusy, err)
	}
	if slices.ContainsFunc(entries, func(e drop.Entry) bool { return e.Name == f.Name }) {
		return nil
	}
	return o.Ledger.FileArchived(ctx, f.ID, "spool:"+f.SHA256)
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

// archiveName is where an original goes: a folder per month, and the take in
// the name, so that no name comes twice.
func archiveName(f ledger.File) string {
	ext := path.Ext(f.Name)
	return fmt.Sprintf("%s/%s.%06d%s", f.TakenAt.Format("2006-01"), strings.TrimSuffix(f.Name, ext), f.Take, ext)
}

// tell writes to the business journal; pairs are name, value, name, value.
func (o *Outbox) tell(event string, pairs ...string) {
	args := make(map[string]string, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		args[pairs[i]] = pairs[i+1]
	}
	o.Journal(event, args)
}
