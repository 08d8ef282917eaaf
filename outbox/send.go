package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"einvoice/connector"
	"einvoice/connector/api"
	"einvoice/connector/fault"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
)

// sender carries invoices from the ledger to the API and outcomes back. At most
// 2N intents and N outcomes are ever pending for N workers, and no worker waits
// for a commit:
//
//	feed    commits intents in batches, hands them to the workers
//	work    N of them; each POSTs one invoice at a time
//	record  commits outcomes in batches
type sender struct {
	o        *Outbox
	work     chan ledger.ToSend
	outcomes chan ledger.Outcome
	recorded signal     // room for more
	broken   chan error // the ledger could not record an outcome
	mu       sync.Mutex
	pending  int   // intents committed whose outcome is not
	shelf    shelf // of feed alone
	sweeps   sweeps
}

// send runs until ctx ends, then takes back the intents that no worker has
// started and waits for those under way, at most Drain.
func (o *Outbox) send(ctx context.Context) error {
	for _, c := range o.Companies { // what an earlier run met may be over
		o.note(ctx, c.ID)
	}
	n := o.Config.Workers
	s := &sender{o: o, work: make(chan ledger.ToSend, 2*n), outcomes: make(chan ledger.Outcome, n),
		recorded: newSignal(), broken: make(chan error, 1), shelf: newShelf()}
	post, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var workers sync.WaitGroup
	for range n {
		workers.Go(func() { s.post(post) })
	}
	var recorder sync.WaitGroup
	recorder.Go(func() { s.record(post) })

	reading, stop := context.WithCancel(ctx)
	s.sweeps = sweeps{going: map[string]bool{}, wake: o.sendWake, read: func(company string) error {
		_, err := o.swept(reading, company)
		return err
	}}
	err := s.feed(ctx)
	stop()
	s.sweeps.work.Wait()
	s.unsend(post)
	drained := time.AfterFunc(o.Drain, cancel)
	defer drained.Stop()
	workers.Wait()
	close(s.outcomes)
	recorder.Wait()
	return err
}

// unsend takes back the intents whose POST has not started.
func (s *sender) unsend(ctx context.Context) {
	var ids []int64
	for t := range s.work {
		ids = append(ids, t.ID)
	}
	if len(ids) == 0 {
		return
	}
	s.add(-len(ids))
	if err := s.o.Ledger.Unsend(ctx, ids); err != nil {
		s.o.Log.Error().Err(err).Msg("intents not taken back; the next start will look them up")
	}
}

// post sends invoices until there are no more.
func (s *sender) post(ctx context.Context) {
	for t := range s.work {
		s.outcomes <- s.o.outcome(ctx, t, s.submit(ctx, t.Invoice))
	}
}

// submit sends one invoice with its attachments. One that cannot be read from
// our own disk surely did not arrive anywhere.
func (s *sender) submit(ctx context.Context, inv connector.Invoice) api.Answer {
	whole, err := s.o.bringBack(inv)
	if err == nil {
		err = fault.Hit(fault.Post)
	}
	if err != nil {
		s.o.Log.Error().Err(err).Str("number", inv.Number).Msg("invoice not sent; trying again")
		return api.Answer{Fate: api.Later, Note: err.Error()}
	}
	answer := s.o.Platform.Submit(ctx, whole)
	if err := fault.Hit(fault.Posted); err != nil {
		return api.Answer{Fate: api.Unsure, Scope: api.ScopeInvoice, Note: err.Error()}
	}
	return answer
}

// record commits outcomes, as many at a time as have come meanwhile. A known
// outcome is recorded even while stopping; what cannot be recorded until ctx
// ends is uncertain at the next start.
func (s *sender) record(ctx context.Context) {
	for out := range s.outcomes {
		batch := s.gather(out)
		if err := s.settle(ctx, batch); err != nil {
			select {
			case s.broken <- fmt.Errorf("record outcomes: %w", err):
			default:
			}
		}
		s.add(-len(batch))
		s.recorded.set()
		if slices.ContainsFunc(batch, func(out ledger.Outcome) bool { return out.State == ledger.Uncertain }) {
			s.o.doubtWake.set()
		}
		s.o.settleWake.set()
		s.o.Published()
	}
}

// settle records outcomes, and keeps them in memory while the ledger's disk is full.
func (s *sender) settle(ctx context.Context, batch []ledger.Outcome) error {
	for {
		err := fault.Hit(fault.OutcomeRecord)
		if err == nil {
			err = s.o.Ledger.Settle(context.WithoutCancel(ctx), batch)
		}
		if err == nil {
			err = fault.Hit(fault.OutcomeKept)
		}
		// ErrState: a callback was quicker than the answer and settled it already.
		if err == nil || errors.Is(err, ledger.ErrState) {
			s.o.well("record")
			return nil
		}
		if !s.o.endure(ctx, "record", err) {
			return err
		}
	}
}

// linger is how long an outcome may wait for others to share its commit.
const linger = 10 * time.Millisecond

// gather adds to an outcome those that wait behind it, and those that are about
// to come until the commit is worth its fsync.
func (s *sender) gather(first ledger.Outcome) []ledger.Outcome {
	batch := []ledger.Outcome{first}
	late := time.NewTimer(linger)
	defer late.Stop()
	for len(batch) < cap(s.outcomes) {
		var wait <-chan time.Time
		if len(batch) < s.least() && len(batch) < s.underWay() {
			wait = late.C
		}
		out, ok := s.another(wait)
		if !ok {
			return batch
		}
		batch = append(batch, out)
	}
	return batch
}

// another takes one more outcome: one that is there, or one that comes before late.
func (s *sender) another(late <-chan time.Time) (ledger.Outcome, bool) {
	if late == nil {
		select {
		case out, ok := <-s.outcomes:
			return out, ok
		default:
			return ledger.Outcome{}, false
		}
	}
	select {
	case out, ok := <-s.outcomes:
		return out, ok
	case <-late:
		return ledger.Outcome{}, false
	}
}

// outcome turns an answer into what the ledger records, and closes or opens the
// lane accordingly.
func (o *Outbox) outcome(ctx context.Context, t ledger.ToSend, a api.Answer) ledger.Outcome {
	now := o.Now()
	out := ledger.Outcome{ID: t.ID, Problems: a.Problems, HTTP: a.HTTP, Note: a.Note}
	args := []string{"company", t.Company, "number", t.Invoice.Number}
	if a.Fate != api.Sent {
		why := first(a.Problems).Discreet()
		args = append(args, "code", why.Code, "reason", why.Message(o.Lang), "remedy", why.Remedy(o.Lang))
	}
	switch a.Fate {
	case api.Sent:
		out.State, out.APIID, out.Status = ledger.Sent, a.Remote.ID, a.Remote.Status
		o.tell("sent", append(args, "id", a.Remote.ID, "gross", t.Invoice.Totals.Gross.String(), "currency", t.Invoice.Currency)...)
	case api.Refused:
		out.State = ledger.Rejected
		o.tell("rejected", args...)
	case api.Stopped:
		out.State, out.Retry = ledger.Queued, now
		if a.Doubt {
			out.State, out.Retry = ledger.Uncertain, now.Add(o.Config.lookupWait(0))
		}
		if o.lanes.stopped(t.Company, a.Scope, o.since(now, first(a.Problems)), now, a.RetryAfter) {
			o.tell("stopped", args...)
			o.note(ctx, t.Company)
		}
		return out
	case api.Later:
		wait := max(a.RetryAfter, o.Config.backoff(t.Attempt, jitter()))
		out.State, out.Retry = ledger.Queued, now.Add(wait)
		if o.lanes.failed(t.Company, now, wait) {
			o.tell("unreachable", args...)
		}
		if o.tooOld(ctx, t.ID, now) {
			p := problem.Problem{Code: "E5105", Severity: problem.Hold, Invoice: t.Invoice.Number, Value: o.Config.MaxAge.String()}
			out.State, out.Problems = ledger.Held, append([]problem.Problem{p}, a.Problems...)
			o.tell("held", "company", t.Company, "number", t.Invoice.Number, "reason", p.Message(o.Lang), "remedy", p.Remedy(o.Lang))
		}
		return out
	default: // uncertain, and "exists", which is looked up and adopted rather than believed
		out.State, out.Retry = ledger.Uncertain, now.Add(o.Config.lookupWait(0))
		if len(out.Problems) == 0 {
			out.Problems = []problem.Problem{{Code: "E5101", Severity: problem.Warn, Invoice: t.Invoice.Number, Value: a.Note}}
		}
		if a.Fate == api.Exists {
			out.Retry = now
		}
		o.tell("uncertain", append(args, "note", a.Note)...)
	}
	if a.Fate == api.Unsure {
		// It proves nothing about the lane, but many in a row would make a doubt of
		// every invoice that waits.
		if o.lanes.failed(t.Company, now, max(a.RetryAfter, o.Config.backoff(t.Attempt, jitter()))) {
			o.tell("unreachable", args...)
		}
		return out
	}
	if o.lanes.worked(t.Company) {
		o.tell("resumed", "company", t.Company)
		o.note(ctx, t.Company)
	}
	return out
}

// StoppedFact is the name under which the ledger keeps why a company's sending
// is stopped, for status.
func StoppedFact(company string) string { return "outbox.stopped." + company }

// since says in a line what stops a company, and from when on.
func (o *Outbox) since(now time.Time, p problem.Problem) string {
	format := "since %s, %s: %s"
	if o.Lang == problem.French {
		format = "depuis le %s, %s : %s"
	}
	return fmt.Sprintf(format, now.In(o.Location).Format(time.DateTime), p.Code, p.Message(o.Lang))
}

// note keeps where status can read it what stops a company and those under its
// credential. It is for people only: lanes start open, and the first answer tells
// again. Two workers may note at once what they met: each writes what the lanes
// say then, so that the last one is right. It is written while stopping too: a run
// with --once ends as soon as nothing may be sent, and tells why from here.
func (o *Outbox) note(ctx context.Context, company string) {
	ctx = context.WithoutCancel(ctx)
	o.noting.Lock()
	defer o.noting.Unlock()
	for _, c := range o.Companies {
		if !o.lanes.together(c.ID, company) {
			continue
		}
		if err := o.Ledger.Put(ctx, StoppedFact(c.ID), o.lanes.why(c.ID)); err != nil {
			o.Log.Warn().Err(err).Msg("stop or resumption not noted for status")
		}
	}
}

// tooOld tells whether an invoice has been tried for longer than MaxAge; what it
// waited before, for a person or a machine that was off, does not count. A
// ledger that does not answer says no: the next try asks again.
func (o *Outbox) tooOld(ctx context.Context, id int64, now time.Time) bool {
	since, err := o.Ledger.TriedSince(ctx, id)
	return err == nil && !since.IsZero() && now.Sub(since) >= o.Config.MaxAge.Std()
}

func (o *Outbox) company(id string) connector.Company {
	for _, c := range o.Companies {
		if c.ID == id {
			return c
		}
	}
	return connector.Company{ID: id}
}

// earlier is the earlier of two times, where zero means none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
