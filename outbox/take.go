package outbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"einvoice/connector"
	"einvoice/connector/drop"
	"einvoice/connector/durable"
	"einvoice/connector/fault"
	"einvoice/connector/ledger"
)

// watch scans a drop until ctx ends. The scan is the truth; a hint only makes
// it come sooner.
func (o *Outbox) watch(ctx context.Context, d *Drop) error {
	d.again() // an earlier run may have left originals to move
	for ctx.Err() == nil {
		if err := o.scan(ctx, d); err != nil {
			if d.again(); o.endure(ctx, "drop "+d.Config.Name, err) {
				continue
			}
			return cause(ctx, err)
		}
		o.well("drop " + d.Config.Name)
		if err := d.Watcher.Wait(ctx); err != nil {
			return nil
		}
	}
	return nil
}

// again makes the next scan look for what a broken one recorded and did not move.
func (d *Drop) again() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stuck = true
}

// unstick tells whether there is something that a broken scan left.
func (d *Drop) unstick() (stuck bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	stuck, d.stuck = d.stuck, false
	return stuck
}

// unopened is a file that a scan offered and that could not be opened.
type unopened struct {
	entry drop.Entry
	err   error
}

// scan takes every export of a drop that is whole. A place that cannot be read
// is logged and tried again; only a ledger or spool that fails is an error.
func (o *Outbox) scan(ctx context.Context, d *Drop) error {
	if !o.owned(ctx, d) {
		d.Watcher.Skip()
		return nil
	}
	if d.unstick() {
		if err := o.recoverDrop(ctx, d); err != nil {
			return fmt.Errorf("recover drop %s: %w", d.Config.Name, err)
		}
	}
	d.catchUp()
	ready, pending, err := d.Watcher.Scan(ctx)
	if err != nil {
		o.unserved(ctx, d, err)
		return nil
	}
	d.unserved.Store(false)
	found := o.sort(d, ready, pending)
	whole, before := found.whole(d.Watcher.Failing), d.troubled()
	if err := o.sayPending(ctx, d, found.pending, ready); err != nil {
		return err
	}
	news, err := o.unread(ctx, d, found.single)
	if err != nil {
		return err
	}
	if err := o.takeAll(ctx, d, news); err != nil {
		return err
	}
	for _, g := range found.groups {
		if err := o.takeNew(ctx, d, g); err != nil {
			return err
		}
	}
	d.catchUp()
	lasting := whole && before && d.troubled() // our own disk is full, say: an end does not wait for space
	d.unreadable.Store(lasting || slices.ContainsFunc(ready, d.Watcher.Failing) ||
		slices.ContainsFunc(pending, func(p drop.Pending) bool { return d.Watcher.Failing(p.Entry) }))
	d.read.Store(!found.soon() && (!whole || lasting))
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
	refused := drop.IsOtherOwner(err)
	if ctx.Err() == nil && d.claimed.Swap(!refused) == refused {
		o.sendWake.set()
	}
	if err == nil {
		return true
	}
	o.unserved(ctx, d, err)
	return false
}

// unserved says once that a drop is not read, until it is again. A run that ends
// waits for no place that is away.
func (o *Outbox) unserved(ctx context.Context, d *Drop, err error) {
	if ctx.Err() == nil && !d.unserved.Swap(true) {
		o.Log.Error().Err(err).Str("drop", d.Config.Name).Msg("drop not served; trying again")
		o.tell("unserved", "drop", d.Config.Name, "reason", err.Error())
	}
	d.read.Store(true)
}

// entitled tells whether a company's invoices may be sent: not before each place
// that it sells through was looked at, whose marker may say that more was sent
// than we know; and not while another ledger serves one, which may be a copy of
// this one with the same queue. A place that is away says nothing.
func (o *Outbox) entitled(company string) bool {
	for _, d := range o.Drops {
		if d.Beat == nil || d.claimed.Load() {
			continue
		}
		if slices.ContainsFunc(d.Companies, func(c connector.Company) bool { return c.ID == company }) {
			return false
		}
	}
	return true
}

// unread drops exports that were taken before this start and stayed as they
// are, where originals are left: reading them again would answer each at every
// start. The ledger keeps times to the millisecond. One that failed as a whole is
// tried again, as its mapping may be mended.
func (o *Outbox) unread(ctx context.Context, d *Drop, ready []drop.Entry) (news []drop.Entry, err error) {
	if d.Config.After != drop.Leave {
		return ready, nil
	}
	for _, e := range ready {
		known, err := o.knows(ctx, d, e)
		switch {
		case err != nil:
			return nil, err
		case known:
			d.Watcher.Leave(e)
		default:
			news = append(news, e)
		}
	}
	return news, nil
}

// knows tells whether an export is what was taken last under its name.
func (o *Outbox) knows(ctx context.Context, d *Drop, e drop.Entry) (bool, error) {
	f, err := o.Ledger.LastTake(ctx, d.Config.Name, e.Name)
	if errors.Is(err, ledger.ErrNotFound) {
		return false, nil
	}
	return f.State != ledger.FileFailed && f.Size == e.Size && f.Modified.Equal(e.Modified.Truncate(time.Millisecond)), err
}

// parallel is how many exports a place hands out at once; 1 where it does not say.
func parallel(p Place) int {
	if s, ok := p.(interface{ Parallel() int }); ok {
		return max(1, s.Parallel())
	}
	return 1
}

// A batch of exports is copied, then recorded, then moved, each step sharing its
// fsyncs and its commit. A stop in between copies a batch again, so that of a
// place far away, or of large files, it is small.
const (
	batchFiles = 256
	batchBytes = 64 << 20
	ahead      = 4 // files of a far place, for each that is copied at once
)

// batches cuts exports into batches, in their order.
func batches(p Place, ready []drop.Entry) (all [][]drop.Entry) {
	most := parallel(p) * ahead
	if _, near := p.(mover); near {
		most = batchFiles
	}
	size := int64(0)
	for i, e := range ready {
		size += e.Size
		if n := len(all) - 1; i == 0 || len(all[n]) == most || size > batchBytes {
			all, size = append(all, nil), e.Size
		}
		all[len(all)-1] = append(all[len(all)-1], e)
	}
	return all
}

// takeAll takes exports in their order: copies them, records them, moves the
// originals. What is on disk after each step, and what the next start does:
//
//	bytes in the spool, folders not synced   the original is there: it is taken again
//	spool synced, not recorded               the same; the spool's copy is known again, or removed as old
//	recorded, in one commit, not moved       the same bytes are known: recoverDrop moves the original
//	moved, folders not synced                the file has its old name or its new one: recoverDrop finds it
//	moved, not recorded as archived          recoverDrop looks into the archive
func (o *Outbox) takeAll(ctx context.Context, d *Drop, ready []drop.Entry) error {
	for _, batch := range batches(d.Place, ready) {
		entries, blobs, away := o.copyAll(ctx, d, batch)
		if len(entries) > 0 {
			files, err := o.recordAll(ctx, d, entries, blobs)
			if err != nil {
				return err
			}
			if err := o.retireAll(ctx, d, files); err != nil {
				return err
			}
		}
		if away && parallel(d.Place) > 1 { // the server is away: it need not be said for every file
			return nil
		}
	}
	return nil
}

// copyAll copies exports into the spool and returns those that are there, on
// disk. What kept the others was said; they are tried again. Where the disk fails
// a batch, each goes on its own: one must not keep back the others.
func (o *Outbox) copyAll(ctx context.Context, d *Drop, batch []drop.Entry) (entries []drop.Entry, copied []durable.Blob, away bool) {
	entries, copied, away, err := o.copyBatch(ctx, d, batch)
	if err != nil && len(batch) > 1 {
		err = nil
		for i := range batch {
			one, blob, gone, failed := o.copyBatch(ctx, d, batch[i:i+1])
			entries, copied, away = append(entries, one...), append(copied, blob...), away || gone
			if err == nil {
				err = failed
			}
		}
	}
	if err != nil {
		o.sayTrouble(d, err)
	}
	return entries, copied, away
}

// copyBatch copies exports and makes them durable together: all that could be
// read, or with an error none.
func (o *Outbox) copyBatch(ctx context.Context, d *Drop, batch []drop.Entry) (entries []drop.Entry, copied []durable.Blob, away bool, err error) {
	spool := o.Spool.Batch()
	blobs, failed := make([]durable.Blob, len(batch)), make([]error, len(batch))
	var busy atomic.Bool
	_ = each(parallel(d.Place), len(batch), func(i int) error {
		blobs[i], failed[i] = o.copy(ctx, d, batch[i], spool)
		if errors.Is(failed[i], drop.ErrBusy) {
			busy.Store(true)
		}
		return nil // said, and tried again
	})
	for i, err := range failed {
		if errors.Is(err, errUnopened) && !errors.Is(err, drop.ErrBusy) {
			d.cannotOpen(batch[i], err)
		}
	}
	if err := spool.Sync(); err != nil {
		return nil, nil, busy.Load(), fmt.Errorf("copy %s to the spool: %w", batch[0].Name, err)
	}
	for i, e := range batch {
		if blobs[i].SHA256 == "" || fault.Hit(fault.Spooled) != nil {
			continue
		}
		entries, copied = append(entries, e), append(copied, blobs[i])
	}
	return entries, copied, busy.Load(), nil
}

// cannotOpen notes a file for the watcher, which only the scan may use: the mapping
// copies attachments.
func (d *Drop) cannotOpen(e drop.Entry, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unopened = append(d.unopened, unopened{e, err})
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

// errUnopened is wrapped for an export that the place lists, and does not open,
// does not let be read, or gives in another size.
var errUnopened = errors.New("export cannot be opened")

// source remembers that reading failed, as opposed to our own disk.
type source struct {
	io.Reader
	err error
}

func (s *source) Read(b []byte) (int, error) {
	n, err := s.Reader.Read(b)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// copy copies an export into the spool, where it is on disk after the batch's
// Sync. Nothing is returned for one that cannot be had now, or that is not the
// one that was listed; the error was said.
func (o *Outbox) copy(ctx context.Context, d *Drop, e drop.Entry, spool *durable.Batch) (durable.Blob, error) {
	r, err := d.Place.Open(ctx, e.Name)
	if err != nil {
		o.Log.Warn().Err(err).Str("drop", d.Config.Name).Str("file", e.Name).Msg("export cannot be opened")
		return durable.Blob{}, fmt.Errorf("%w: %w", errUnopened, err)
	}
	from := source{Reader: r}
	blob, err := spool.Put(ctx, &from)
	r.Close()
	if err != nil { // a share that died, or a full disk: the original stays, and the next scan tries again
		o.sayTrouble(d, fmt.Errorf("copy %s to the spool: %w", e.Name, err))
		if from.err != nil && ctx.Err() == nil { // a run that ends must not wait for it for ever
			err = fmt.Errorf("%w: %w", errUnopened, err)
		}
		return durable.Blob{}, err
	}
	o.sayTrouble(d, nil)
	if blob.Size != e.Size { // it changed between the listing and the copy; or the place does not tell the truth
		return durable.Blob{}, fmt.Errorf("%w: %d bytes were listed, %d came", errUnopened, e.Size, blob.Size)
	}
	return blob, nil
}

// copyOne is copy of a single file, which is on disk when it returns.
func (o *Outbox) copyOne(ctx context.Context, d *Drop, e drop.Entry) (blob durable.Blob, ok bool) {
	_, blobs, _ := o.copyAll(ctx, d, []drop.Entry{e})
	if len(blobs) == 0 {
		return blob, false
	}
	return blobs[0], true
}

// recordAll enters copied exports in the ledger; only after that may the
// originals move. The same bytes after a crash give the same record.
func (o *Outbox) recordAll(ctx context.Context, d *Drop, entries []drop.Entry, blobs []durable.Blob) ([]ledger.File, error) {
	files := make([]ledger.NewFile, len(entries))
	for i, e := range entries {
		files[i] = ledger.NewFile{Drop: d.Config.Name, Place: d.Results, Name: e.Name, SHA256: blobs[i].SHA256,
			Size: blobs[i].Size, Modified: e.Modified, Owner: e.Owner}
	}
	taken, err := o.Ledger.TakeFiles(ctx, files)
	if err != nil {
		return nil, err
	}
	for i, f := range taken {
		if err := o.entered(ctx, d, f, entries[i]); err != nil {
			return nil, err
		}
	}
	return taken, nil
}

// enter makes the ledger's entry of an export that consists of these files.
func (o *Outbox) enter(ctx context.Context, d *Drop, n ledger.NewFile, entries ...drop.Entry) (ledger.File, error) {
	f, err := o.Ledger.TakeFile(ctx, n)
	if err != nil {
		return f, err
	}
	return f, o.entered(ctx, d, f, entries...)
}

// entered says that an export was recorded, which consists of these files.
func (o *Outbox) entered(ctx context.Context, d *Drop, f ledger.File, entries ...drop.Entry) error {
	if err := fault.Hit(fault.Recorded); err != nil {
		return err
	}
	if f.State == ledger.FileTaken {
		o.tell("taken", "file", f.Name, "drop", f.Drop, "take", fmt.Sprint(f.Take))
		o.mapWake.set()
	}
	for _, e := range entries {
		if err := d.Watcher.Taken(ctx, e); err != nil {
			o.Log.Warn().Err(err).Str("file", e.Name).Msg("trigger file not removed")
		}
	}
	return nil
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

// troubled tells whether something keeps the drop from being read.
func (d *Drop) troubled() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.trouble != ""
}

// tell writes to the business journal; pairs are name, value, name, value.
func (o *Outbox) tell(event string, pairs ...string) {
	args := make(map[string]string, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		args[pairs[i]] = pairs[i+1]
	}
	o.Journal(event, args)
}
