package outbox

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"runtime"
	"slices"

	"einvoice/connector/drop"
	"einvoice/connector/fault"
	"einvoice/connector/ledger"
	"einvoice/mappers"
)

// Exports of few invoices are mapped side by side, and staged and released in one
// commit for many. On disk, before that commit: the exports "taken", and of an
// earlier try at most staged rows, which it deletes; after it: all released, each
// with its answers owed. There is nothing in between, so that a crash maps them
// all again from the spool.
const (
	fewFiles = 64
	fewBytes = 64 << 10 // of an export; larger ones are streamed
)

// errNotFew says that an export has more invoices than are kept together.
var errNotFew = errors.New("more invoices than are released together")

// mapFew maps and releases the exports at the head of the list that are small and
// plain, and tells how many were dealt with; the next one takes the ordinary way.
func (o *Outbox) mapFew(ctx context.Context, files []ledger.File) (int, error) {
	n := 0
	for n < min(len(files), fewFiles) && files[n].Size <= fewBytes {
		n++
	}
	if n < 2 {
		return 0, nil
	}
	ready, err := o.readAll(ctx, files[:n])
	if err != nil || len(ready) == 0 {
		return 0, err
	}
	err = o.releaseFew(ctx, ready)
	if err == nil || ctx.Err() != nil {
		return len(ready), err
	}
	var errs []error // one of them has a fault, or the ledger: which, each on its own shows
	for _, s := range ready {
		errs = append(errs, o.mapNamed(ctx, s.f))
	}
	return len(ready), errors.Join(errs...)
}

// readAll maps exports side by side, up to the first that is not plain.
func (o *Outbox) readAll(ctx context.Context, files []ledger.File) ([]*small, error) {
	several, err := o.Ledger.FilesWithParts(ctx, files[0].ID, files[len(files)-1].ID)
	if err != nil {
		return nil, err
	}
	all := make([]*small, len(files))
	_ = each(runtime.GOMAXPROCS(0), len(files), func(i int) error {
		if !several[files[i].ID] {
			all[i] = o.readFew(ctx, files[i])
		}
		return nil
	})
	if first := slices.Index(all, nil); first >= 0 {
		all = all[:first]
	}
	return all, nil
}

// small is an export whose invoices are all mapped, none written.
type small struct {
	*staging
	report mappers.Report
}

// readFew maps an export. Whatever is not plain about it gives nil: the ordinary
// way reads it again, and says what is wrong.
func (o *Outbox) readFew(ctx context.Context, f ledger.File) *small {
	d := o.dropOf(f)
	if _, copied := drop.CopyOf(f.Name); d == nil || copied || fault.Hit(fault.Mapping) != nil {
		return nil
	}
	e := o.single(f)
	m, err := d.choose(e)
	if err != nil || len(m.Besides()) > 0 {
		return nil
	}
	e.Beside = func(string) (io.ReadCloser, error) { return nil, fs.ErrNotExist }
	s := o.staging(f, d, m)
	report, err := s.run(ctx, e)
	if err != nil || s.broken != nil || report.Refused() || len(s.freed) > 0 {
		return nil
	}
	return &small{s, report}
}

// releaseFew lets the invoices of these exports go, all at once or none.
func (o *Outbox) releaseFew(ctx context.Context, all []*small) error {
	ready := make([]ledger.Ready, len(all))
	for i, s := range all {
		if err := fault.Hit(fault.Release); err != nil {
			return err
		}
		ready[i] = ledger.Ready{FileID: s.f.ID, Invoices: s.batch, Mapped: s.mapped(s.report),
			Hold: func(past ledger.History, invoices []ledger.StagedInvoice) error {
				return o.newBrake(s.f.Name, s.m.Name, s.loose, past).hold(context.WithoutCancel(ctx), invoices)
			}}
	}
	sums, err := o.Ledger.ReleaseAll(ctx, ready)
	if err != nil {
		return err
	}
	for i, s := range all {
		if err := s.released(ctx, sums[i]); err != nil {
			o.Log.Error().Err(err).Str("file", s.f.Name).Msg("released, but not told")
		}
	}
	return nil
}
