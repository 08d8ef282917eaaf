package outbox

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"einvoice/connector"
	"einvoice/connector/fault"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
	"einvoice/connector/results"
	"einvoice/mappers"
)

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
	loose   map[connector.Key]bool // the same, for the brake
	brake   *brake                 // nil: the invoices are kept together, for ReleaseAll
	broken  error                  // the ledger failed, as opposed to the file

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
		s.loose[staged.Invoice.Key()] = true
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
	if s.brake == nil {
		if len(s.batch) > stageBatch {
			s.broken = errNotFew
		}
		return
	}
	if s.broken == nil && len(s.batch) > 0 {
		s.broken = s.brake.hold(ctx, s.batch)
	}
	var batch ledger.Batch
	if s.broken == nil && len(s.batch) > 0 {
		batch, s.broken = ledger.Encode(s.f.ID, s.batch)
	}
	s.written()
	if s.broken == nil && len(s.batch) > 0 {
		done := make(chan error, 1)
		go func() { done <- s.stage(ctx, batch) }()
		s.writing = done
	}
	s.batch = s.batch[:0]
}

func (s *staging) stage(ctx context.Context, batch ledger.Batch) error {
	if err := s.o.Ledger.Stage(ctx, batch); err != nil {
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
// be sent with too few lines.
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
	if err := fault.Hit(fault.Release); err != nil {
		return err
	}
	sum, err := o.Ledger.Release(ctx, f.ID, s.mapped(report))
	if err != nil {
		return err
	}
	return s.released(ctx, sum)
}

// mapped is what the ledger keeps of the reading.
func (s *staging) mapped(report mappers.Report) ledger.Mapped {
	f, ext := s.f, s.o.ext(s.f.Place)
	controls := []ledger.Control{
		{Name: "documents", Computed: strconv.Itoa(report.Controls.Documents)},
		{Name: "ignored", Computed: strconv.Itoa(report.Controls.Ignored)},
		{Name: "lines", Computed: strconv.Itoa(report.Controls.Lines)},
	}
	for _, c := range report.Controls.Stated {
		controls = append(controls, ledger.Control(c))
	}
	return ledger.Mapped{
		Mapping: s.m.Name, Version: s.m.Version(), Encoding: report.Encoding, Problems: report.Problems, Controls: controls,
		AckName: results.AckName(f.Name, f.Take, ext), SummaryName: results.SummaryName(f.Name, f.Take, ext),
	}
}

// released says what became of the export's invoices.
func (s *staging) released(ctx context.Context, sum ledger.Summary) error {
	if err := fault.Hit(fault.Released); err != nil {
		return err
	}
	args := []string{"file", s.f.Name, "mapping", s.m.Name, "invoices", strconv.Itoa(sum.Invoices)}
	for v, n := range sum.Counts {
		args = append(args, string(v), strconv.Itoa(n))
	}
	s.o.tell("mapped", args...)
	s.o.tellAdopted(sum.Adopted)
	if sum.Counts[ledger.VerdictQueued] == sum.Invoices {
		return nil // nothing to say of any of them
	}
	return s.o.tellVerdicts(ctx, s.f)
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
