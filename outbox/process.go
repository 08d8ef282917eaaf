package outbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"einvoice/connector"
	"einvoice/connector/api"
	"einvoice/connector/drop"
	"einvoice/connector/fault"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
	"einvoice/connector/results"
	"einvoice/connector/rules"
	"einvoice/mappers"
)

// stageBatch is the number of invoices staged in one transaction.
const stageBatch = 500

// mapFiles maps every export that was taken and not mapped yet.
func (o *Outbox) mapFiles(ctx context.Context) error {
	files, err := o.Ledger.FilesToMap(ctx)
	if err != nil {
		return err
	}
	var errs []error // one that cannot be read for now keeps no other from its turn
	for _, f := range files {
		if err := o.mapFile(ctx, f); err != nil {
			errs = append(errs, fmt.Errorf("map %s: %w", f.Name, err))
			if ctx.Err() != nil {
				break
			}
			continue
		}
		o.Published()
		o.sendWake.set()
		o.settleWake.set()
	}
	return errors.Join(errs...)
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
	s := &staging{o: o, f: f, d: d, m: m, checks: o.checks(d), brake: brake{o: o, file: f.Name, mapping: m.Name,
		freed: map[connector.Key]bool{}, first: map[string]string{}, largest: map[[2]string]largest{}}}
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

// mappingOfCopy is the mapping that read the export of which f is a correctable
// copy, whatever the copy's name and format; nil where f is none.
func (o *Outbox) mappingOfCopy(ctx context.Context, d *Drop, f ledger.File) (*mappers.Mapping, error) {
	take, ok := drop.CopyOf(f.Name)
	if !ok {
		return nil, nil
	}
	of, err := o.Ledger.FileByTake(ctx, f.Drop, take)
	if errors.Is(err, ledger.ErrNotFound) || err == nil && !results.IsCopy(f.Name, of.Name, take) {
		return nil, nil // of another drop
	}
	return d.mapping(of.Mapping), err
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
	return o.withParts(ctx, f, mappers.Export{
		Name: f.Name, Original: drop.Original(f.Name), Size: f.Size, TempDir: o.TempDir,
		Open: func() (io.ReadSeekCloser, error) { return o.Spool.Open(f.SHA256) },
	})
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

// staging is the mapping of one export on its way into the ledger.
type staging struct {
	o       *Outbox
	f       ledger.File
	d       *Drop
	m       *mappers.Mapping
	batch   []ledger.StagedInvoice
	last    *ledger.StagedInvoice // kept back: the last invoice may have to wait
	proven  bool                  // the last invoice states a total that its lines reach
	refused bool                  // an invoice was refused
	spoilt  bool                  // on_error = "file" and an invoice was refused
	freed   []connector.Key       // whose _release column a person filled in
	checks  Checks
	brake   brake
	broken  error // the ledger failed, as opposed to the file

	writing chan error // the batch before is being staged; nil when none is
}

// run maps and stages the whole export. With on_error = "file", one refused
// invoice refuses all: the export is then staged a second time.
func (s *staging) run(ctx context.Context, e mappers.Export) (mappers.Report, error) {
	report, err := s.m.Read(ctx, e, func(r mappers.Result) error { return s.add(ctx, r) })
	s.written()
	if err != nil || s.broken != nil {
		return report, err
	}
	if s.d.Config.OnError == "file" && s.refused && !s.spoilt {
		s.batch, s.last, s.spoilt = nil, nil, true
		if s.broken = s.o.Ledger.Unstage(ctx, s.f.ID); s.broken != nil {
			return report, nil
		}
		return s.run(ctx, e)
	}
	s.holdTail()
	if s.last != nil {
		s.batch = append(s.batch, *s.last)
	}
	s.flush(ctx)
	s.written()
	return report, nil
}

// add checks one mapped invoice and stages the one before it.
func (s *staging) add(ctx context.Context, r mappers.Result) error {
	staged := Judge(r, s.f.Name, s.checks)
	if err := s.o.putAside(ctx, &staged.Invoice); err != nil && s.broken == nil {
		s.broken = err
	}
	if staged.Verdict == ledger.VerdictRefused {
		s.refused = true
	}
	if s.spoilt && staged.Verdict == ledger.VerdictQueued {
		staged.Verdict = ledger.VerdictRefused
		staged.Problems = append(staged.Problems, problem.Problem{Code: "E5201", Severity: problem.Refuse,
			Invoice: r.Invoice.Number, Position: problem.Position{File: s.f.Name, Row: r.Row}})
	}
	if r.Release != "" && staged.Verdict == ledger.VerdictQueued {
		s.freed = append(s.freed, staged.Invoice.Key())
		s.brake.freed[staged.Invoice.Key()] = true
	}
	if s.last != nil {
		s.batch = append(s.batch, *s.last)
	}
	if r.Spoils != 0 {
		s.spoil(ctx, r.Spoils, first(staged.Problems))
	}
	_, s.proven = r.Origins.Get("total_amount_including_tax")
	s.last = &staged
	if len(s.batch) >= stageBatch {
		s.flush(ctx)
	}
	return s.broken
}

// spoil refuses an earlier invoice that the one at hand proves not to be whole.
func (s *staging) spoil(ctx context.Context, ordinal int, p problem.Problem) {
	for i := range s.batch {
		if s.batch[i].Ordinal == ordinal {
			s.batch[i].Verdict = ledger.VerdictRefused
			s.batch[i].Problems = append(s.batch[i].Problems, p)
			return
		}
	}
	s.written()
	if s.broken == nil {
		s.broken = s.o.Ledger.Spoil(ctx, s.f.ID, ordinal, p)
	}
}

// flush stages the batch while the next one is mapped.
func (s *staging) flush(ctx context.Context) {
	if s.broken == nil && len(s.batch) > 0 {
		s.broken = s.brake.hold(ctx, s.batch)
	}
	s.written()
	if s.broken == nil && len(s.batch) > 0 {
		batch, done := s.batch, make(chan error, 1)
		go func() { done <- s.stage(ctx, batch) }()
		s.batch, s.writing = make([]ledger.StagedInvoice, 0, cap(batch)), done
	}
	s.batch = s.batch[:0]
}

func (s *staging) stage(ctx context.Context, batch []ledger.StagedInvoice) error {
	if err := s.o.Ledger.Stage(ctx, s.f.ID, batch); err != nil {
		return err
	}
	return fault.Hit(fault.Staged)
}

// written waits until the batch before is staged.
func (s *staging) written() {
	if s.writing == nil {
		return
	}
	if err := <-s.writing; s.broken == nil {
		s.broken = err
	}
	s.writing = nil
}

// holdTail makes the last invoice wait where nothing proves that the export is
// whole: a file cut between two rows looks complete, and its last invoice would
// be sent with too few lines (DESIGN §5.2).
func (s *staging) holdTail() {
	wait := s.d.Config.TailHold.Std()
	if s.last == nil || wait == 0 || s.last.Verdict != ledger.VerdictQueued {
		return
	}
	if s.proven || s.m.ProvesEnd() || s.d.Config.Complete != "settle" {
		return
	}
	s.last.Verdict = ledger.VerdictWaiting
	s.last.NotBefore = s.o.Now().Add(wait)
	s.last.Problems = append(s.last.Problems, problem.Problem{Code: "E5202", Severity: problem.Warn,
		Invoice: s.last.Invoice.Number, Position: problem.Position{File: s.f.Name, Row: s.last.Row},
		Args: map[string]string{"wait": s.d.Config.TailHold.String()}})
}

// release lets all invoices of the export go at once: the barrier.
func (s *staging) release(ctx context.Context, report mappers.Report) error {
	if s.broken != nil {
		return s.broken
	}
	f, o := s.f, s.o
	if err := s.free(ctx); err != nil {
		return err
	}
	controls := []ledger.Control{
		{Name: "documents", Computed: strconv.Itoa(report.Controls.Documents)},
		{Name: "ignored", Computed: strconv.Itoa(report.Controls.Ignored)},
		{Name: "lines", Computed: strconv.Itoa(report.Controls.Lines)},
	}
	if err := fault.Hit(fault.Release); err != nil {
		return err
	}
	sum, err := o.Ledger.Release(ctx, f.ID, ledger.Mapped{
		Mapping: s.m.Name, Version: s.m.Version(), Encoding: report.Encoding, Problems: report.Problems, Controls: controls,
		AckName: results.AckName(f.Name, f.Take, o.ext(f.Place)), SummaryName: results.SummaryName(f.Name, f.Take, o.ext(f.Place)),
	})
	if err != nil {
		return err
	}
	if err := fault.Hit(fault.Released); err != nil {
		return err
	}
	args := []string{"file", f.Name, "mapping", s.m.Name, "invoices", strconv.Itoa(sum.Invoices)}
	for v, n := range sum.Counts {
		args = append(args, string(v), strconv.Itoa(n))
	}
	o.tell("mapped", args...)
	if sum.Counts[ledger.VerdictQueued] == sum.Invoices {
		return nil // nothing to say of any of them
	}
	return o.tellVerdicts(ctx, f)
}

// free lets go the held invoices that a person released by dropping their copy
// back. It comes before the barrier: repeated after a crash it changes nothing,
// and the copy's own rows then are duplicates of what was let go.
func (s *staging) free(ctx context.Context) error {
	for _, key := range s.freed {
		found, err := s.o.Ledger.Find(ctx, key.Number)
		if err != nil {
			return err
		}
		for _, inv := range found {
			if inv.Key != key || inv.State != ledger.Held {
				continue
			}
			note := strings.TrimSpace("released by dropping " + s.f.Name + " " + s.f.Owner)
			if err := s.o.Ledger.ReleaseHeld(ctx, []int64{inv.ID}, note); err != nil && !errors.Is(err, ledger.ErrState) {
				return err
			}
			s.o.tell("released", "number", key.Number, "file", s.f.Name)
		}
	}
	return nil
}

// tellVerdicts says in the journal what will not be sent, and why.
func (o *Outbox) tellVerdicts(ctx context.Context, f ledger.File) error {
	for inv, err := range o.Ledger.InvoicesOf(ctx, f.ID) {
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
			p := first(inv.Problems).Discreet()
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

// Checks are what an invoice is held against besides its own arithmetic.
type Checks struct {
	Companies []connector.Company // that may sell through the drop
	AnySeller bool                // nobody said which companies are ours: every seller may
	Rules     rules.Config
	Safety    Safety
	Today     connector.Date
	Earlier   func(*connector.Invoice) string // see rules.Context; nil leaves it to the ledger
}

func (o *Outbox) checks(d *Drop) Checks {
	return Checks{Companies: d.Companies, Rules: o.Rules, Safety: o.Safety, Today: connector.DateOf(o.Now().In(o.Location))}
}

// Judge decides what an invoice's own content allows: queued, refused, ignored
// or held. The ledger adds what only it knows: duplicates and conflicts. The
// file is the name of the export.
func Judge(r mappers.Result, file string, c Checks) ledger.StagedInvoice {
	s := ledger.StagedInvoice{Ordinal: r.Ordinal, Rows: r.Rows, Row: r.Row, Verdict: ledger.VerdictQueued,
		Problems: r.Problems, Invoice: r.Invoice}
	adoptSeller(&s.Invoice, c.Companies)
	s.Company = companyOf(c.Companies, s.Invoice.Seller)
	switch {
	case r.Ignored != "":
		s.Problems = append(s.Problems, problem.Problem{Code: "E5203", Severity: problem.Warn, Value: r.Ignored})
	case !fatal(s.Problems): // a value that could not be read would only cause false alarms
		s.Problems = append(s.Problems, c.run(&s.Invoice, s.Company, r.Origins)...)
	}
	for i := range s.Problems {
		place(&s.Problems[i], file, r)
	}
	switch {
	case r.Ignored != "" || outOfScope(s.Problems):
		s.Verdict = ledger.VerdictIgnored
	case fatal(s.Problems):
		s.Verdict = ledger.VerdictRefused
	case r.Release == "" && held(s.Problems):
		s.Verdict = ledger.VerdictHeld
	}
	return s
}

// run completes an invoice and holds it against the rules.
func (c Checks) run(inv *connector.Invoice, company string, origins mappers.Origins) []problem.Problem {
	if err := inv.Complete(); err != nil {
		return []problem.Problem{{Code: rules.CodeTooLarge, Severity: problem.Refuse, Value: err.Error()}}
	}
	ps := rules.Check(inv, rules.Context{Companies: c.Companies, AnySeller: c.AnySeller,
		Today: c.Today, Config: c.Rules, Earlier: c.Earlier})
	ps = append(ps, api.NotCarried(*inv)...)
	ps = append(ps, c.Safety.content(inv, company, c.Today)...)
	for i := range ps {
		at := origins.Find(ps[i].Field)
		ps[i].Position = at.Position
		if ps[i].Value == "" {
			ps[i].Value = at.Value
		}
	}
	return ps
}

// place completes a problem with what every problem of an invoice shares.
func place(p *problem.Problem, file string, r mappers.Result) {
	p.Invoice = r.Invoice.Number
	if p.Position.File == "" { // a value's own is one of several files
		p.Position.File = file
	}
	if p.Position.Row == 0 && p.Position.Path == "" {
		p.Position.Row = r.Row
	}
}

// adoptSeller fills in the seller from the configuration where the export does
// not name one and the drop serves a single company.
func adoptSeller(inv *connector.Invoice, companies []connector.Company) {
	for _, c := range companies {
		known := inv.Seller.SIREN() == c.SIREN()
		if !known && (inv.Seller.FiscalID != "" || len(companies) > 1) {
			continue
		}
		fill(&inv.Seller.FiscalID, c.FiscalID)
		fill(&inv.Seller.Name, c.Name)
		fill(&inv.Seller.VATID, c.VATID)
		if inv.Seller.Address == (connector.Address{}) {
			inv.Seller.Address = c.Address
		}
		return
	}
}

func fill(s *string, v string) {
	if *s == "" {
		*s = v
	}
}

func companyOf(companies []connector.Company, seller connector.Party) string {
	for _, c := range companies {
		if c.SIREN() != "" && c.SIREN() == seller.SIREN() {
			return c.ID
		}
	}
	return ""
}

func held(ps []problem.Problem) bool {
	for _, p := range ps {
		if p.Severity == problem.Hold {
			return true
		}
	}
	return false
}

func fatal(ps []problem.Problem) bool {
	for _, p := range ps {
		if p.Severity == problem.Refuse {
			return true
		}
	}
	return false
}

func first(ps []problem.Problem) problem.Problem {
	for _, p := range ps {
		if p.Severity != problem.Warn {
			return p
		}
	}
	if len(ps) > 0 {
		return ps[0]
	}
	return problem.Problem{}
}

// untilNext is how long to wait before t, at least a moment and at most a minute.
func (o *Outbox) untilNext(t time.Time) time.Duration {
	if t.IsZero() {
		return time.Minute
	}
	return max(10*time.Millisecond, min(t.Sub(o.Now()), time.Minute))
}

// outOfScope tells whether the rules leave an invoice out, as a setting asks.
func outOfScope(ps []problem.Problem) bool {
	for _, p := range ps {
		if p.Code == rules.CodeOutOfScope {
			return true
		}
	}
	return false
}
