package outbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"einvoice/connector"
	"einvoice/connector/drop"
	"einvoice/connector/fault"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
	"einvoice/connector/results"
	"einvoice/mappers"
)

// stageBatch is the number of invoices staged in one transaction.
const stageBatch = 500

// mapFiles maps every export that was taken and not mapped yet, in their order.
func (o *Outbox) mapFiles(ctx context.Context) error {
	files, err := o.Ledger.FilesToMap(ctx)
	if err != nil {
		return err
	}
	var errs []error // one that cannot be read for now keeps no other from its turn
	for len(files) > 0 && ctx.Err() == nil {
		n, err := o.mapFew(ctx, files)
		if n == 0 && err == nil {
			n, err = 1, o.mapNamed(ctx, files[0])
		}
		errs = append(errs, err)
		if n == 0 { // the ledger cannot be read
			break
		}
		o.Published()
		o.sendWake.set()
		o.settleWake.set()
		files = files[n:]
	}
	return errors.Join(errs...)
}

func (o *Outbox) mapNamed(ctx context.Context, f ledger.File) error {
	if err := o.mapFile(ctx, f); err != nil {
		return fmt.Errorf("map %s: %w", f.Name, err)
	}
	return nil
}

// mapFile turns one spooled export into released invoices. What an interrupted
// run staged is deleted first: mapping is repeated from the spool, never from
// the drop.
func (o *Outbox) mapFile(ctx context.Context, f ledger.File) error {
	if err := o.Ledger.Unstage(ctx, f.ID); err != nil {
		return err
	}
	if err := fault.Hit(fault.Mapping); err != nil {
		return err
	}
	d := o.dropOf(f)
	if d == nil {
		return o.fail(ctx, f, "", problem.Problem{Code: "E5204", Severity: problem.Refuse, Value: f.Drop})
	}
	e, err := o.export(ctx, f)
	if err != nil {
		return err
	}
	m, err := o.mappingOfCopy(ctx, d, f)
	if err != nil {
		return err
	}
	if m == nil {
		if m, err = d.choose(e); err != nil {
			return o.failBecause(ctx, f, "", err)
		}
	}
	if ready, err := o.gather(ctx, d, f, m, e); err != nil || !ready {
		return err
	}
	if e.Beside, err = o.opener(ctx, d, f); err != nil {
		return err
	}
	s := o.staging(f, d, m)
	s.brake = o.newBrake(f.Name, m.Name, s.loose, o.Ledger.History())
	report, err := s.run(ctx, e)
	if s.broken != nil {
		return s.broken
	}
	if err != nil {
		return o.failBecause(ctx, f, m.Name, err)
	}
	if report.Refused() { // a missing column spoils every invoice
		return o.fail(ctx, f, m.Name, report.Problems...)
	}
	return s.release(ctx, report)
}

func (o *Outbox) staging(f ledger.File, d *Drop, m *mappers.Mapping) *staging {
	return &staging{o: o, f: f, d: d, m: m, checks: o.checks(d), loose: map[connector.Key]bool{}}
}

// mappingOfCopy is the mapping that read the export of which f is a correctable
// copy, whatever the copy's name and format; nil where f is none.
func (o *Outbox) mappingOfCopy(ctx context.Context, d *Drop, f ledger.File) (*mappers.Mapping, error) {
	of, err := o.copied(ctx, f)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, nil
	}
	return d.mapping(of.Mapping), err
}

// copied is the export of which f is a correctable copy; ErrNotFound where f is
// none, or one of another drop.
func (o *Outbox) copied(ctx context.Context, f ledger.File) (ledger.File, error) {
	take, ok := drop.CopyOf(f.Name)
	if !ok {
		return ledger.File{}, ledger.ErrNotFound
	}
	of, err := o.Ledger.FileByTake(ctx, f.Drop, take)
	if err == nil && !results.IsCopy(f.Name, of.Name, take) {
		err = ledger.ErrNotFound
	}
	return of, err
}

// choose picks the mapping of an export. A single one that the configuration
// names reads everything: it then says what a file lacks.
func (d *Drop) choose(e mappers.Export) (*mappers.Mapping, error) {
	if named := slices.Concat(d.Mappings...); d.Explicit && len(named) == 1 {
		return named[0], nil
	}
	return mappers.Choose(e, d.Mappings...)
}

// export is how the mapping reads a file of the spool.
func (o *Outbox) export(ctx context.Context, f ledger.File) (mappers.Export, error) {
	return o.withParts(ctx, f, o.single(f))
}

// single is an export of one file.
func (o *Outbox) single(f ledger.File) mappers.Export {
	return mappers.Export{
		Name: f.Name, Original: drop.Original(f.Name), Size: f.Size, TempDir: o.TempDir,
		Open: func() (io.ReadSeekCloser, error) { return o.Spool.Open(f.SHA256) },
	}
}

func (o *Outbox) dropOf(f ledger.File) *Drop {
	for _, d := range o.Drops {
		if d.Config.Name == f.Drop {
			return d
		}
	}
	return nil
}

// failBecause ends an export that could not be read at all. Anything but a
// problem of the file is an error of ours and is returned, so that a full disk
// does not refuse an ERP's file.
func (o *Outbox) failBecause(ctx context.Context, f ledger.File, mapping string, err error) error {
	var p problem.Problem
	if !errors.As(err, &p) {
		return err
	}
	return o.fail(ctx, f, mapping, p)
}

func (o *Outbox) fail(ctx context.Context, f ledger.File, mapping string, ps ...problem.Problem) error {
	for i := range ps {
		if ps[i].Position.File == "" {
			ps[i].Position.File = f.Name
		}
	}
	// The first one heads the acknowledgement: it must be what refuses the file.
	slices.SortStableFunc(ps, func(a, b problem.Problem) int { return rank(a) - rank(b) })
	m := ledger.Mapped{Mapping: mapping, Problems: ps,
		AckName: results.AckName(f.Name, f.Take, o.ext(f.Place)), SummaryName: results.SummaryName(f.Name, f.Take, o.ext(f.Place))}
	if err := o.Ledger.FailFile(ctx, f.ID, m); err != nil {
		return err
	}
	for _, p := range ps {
		if p.Severity != problem.Warn {
			o.tellRefused(f, "", p)
		}
	}
	return nil
}

// ext is the extension of a place's answers.
func (o *Outbox) ext(place string) string {
	if o.ResultsExt == nil {
		return results.CSV
	}
	return o.ResultsExt(place)
}

// rank puts what refuses before what holds before what warns.
func rank(p problem.Problem) int {
	return slices.Index([]problem.Severity{problem.Refuse, problem.Hold, problem.Warn}, p.Severity)
}

// tellVerdicts says in the journal what will not be sent, and why.
func (o *Outbox) tellVerdicts(ctx context.Context, f ledger.File) error {
	for inv, err := range o.Ledger.ExceptionsOf(ctx, f.ID) {
		if err != nil {
			return err
		}
		switch inv.Verdict {
		case ledger.VerdictQueued:
		case ledger.VerdictRefused:
			for _, p := range inv.Problems {
				if p.Severity != problem.Warn {
					o.tellRefused(f, inv.Key.Number, p)
				}
			}
		default:
			p := inv.Cause().Discreet()
			o.tell("verdict", "code", p.Code, "verdict", string(inv.Verdict), "file", f.Name, "number", inv.Key.Number,
				"company", inv.Company, "reason", p.Message(o.Lang), "remedy", p.Remedy(o.Lang))
		}
	}
	return nil
}

func (o *Outbox) tellRefused(f ledger.File, number string, p problem.Problem) {
	p = p.Discreet()
	o.tell("refused", "file", f.Name, "number", number, "code", p.Code, "where", p.Where(o.Lang),
		"reason", p.Message(o.Lang), "remedy", p.Remedy(o.Lang))
}

// untilNext is how long to wait before t, at least a moment and at most a minute.
func (o *Outbox) untilNext(t time.Time) time.Duration {
	if t.IsZero() {
		return time.Minute
	}
	return max(10*time.Millisecond, min(t.Sub(o.Now()), time.Minute))
}
