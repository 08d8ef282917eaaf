package outbox

import (
	"context"
	"time"

	"einvoice/connector"
	"einvoice/connector/api"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
)

// doubtBatch is the number of uncertain invoices looked up in one round.
const doubtBatch = 50

// resolve looks for uncertain invoices at the platform until ctx ends.
func (o *Outbox) resolve(ctx context.Context) error {
	wake := newSignal()
	for {
		n, err := o.resolveDue(ctx)
		if err != nil && ctx.Err() == nil {
			return err
		}
		next, err := o.Ledger.NextWake(ctx)
		if err != nil && ctx.Err() == nil {
			return err
		}
		pause := min(o.untilNext(next), 5*time.Second)
		if n == doubtBatch {
			pause = 0
		}
		if !wake.wait(ctx, pause) {
			return nil
		}
	}
}

// resolveDue looks up every uncertain invoice whose time has come, and returns
// how many those were.
func (o *Outbox) resolveDue(ctx context.Context) (int, error) {
	doubts, err := o.Ledger.Doubts(ctx, doubtBatch)
	if err != nil {
		return 0, err
	}
	for _, d := range doubts {
		if err := o.lookUp(ctx, d); err != nil {
			return len(doubts), err
		}
	}
	if len(doubts) > 0 {
		o.Published()
		o.settleWake.set()
		o.sendWake.set()
	}
	return len(doubts), nil
}

// sighting is what a look-up saw.
type sighting struct {
	found   []connector.Remote
	witness bool // an invoice taken in charge after the uncertain attempt was visible to the same query
}

// lookUp decides what became of one uncertain invoice. A list that cannot be
// read decides nothing.
func (o *Outbox) lookUp(ctx context.Context, d ledger.Doubt) error {
	seen, err := o.sight(ctx, d)
	next := o.Now().Add(o.Config.lookupWait(d.Lookups + 1))
	switch {
	case err != nil:
		if ctx.Err() != nil {
			return ctx.Err()
		}
		o.Log.Warn().Err(err).Str("number", d.Key.Number).Msg("uncertain invoice not looked up; trying again")
		return o.Ledger.LookedUp(ctx, d.ID, false, next)
	case len(seen.found) > 1:
		return o.hold(ctx, d, problem.Problem{Code: "E5104", Value: seen.found[0].ID + ", " + seen.found[1].ID})
	case len(seen.found) == 1:
		return o.adopt(ctx, d, seen.found[0])
	}
	return o.absent(ctx, d, seen.witness, next)
}

// sight asks by number first. When that shows nothing, it walks all invoices of
// the same issue date: the number may be there after all (a filter that the
// server does not know), and so may a witness.
func (o *Outbox) sight(ctx context.Context, d ledger.Doubt) (sighting, error) {
	var s sighting
	fiscalID := o.company(d.Company).FiscalID
	err := o.collect(ctx, &s, d, api.Query{FiscalID: fiscalID, Direction: connector.Outgoing, Number: d.Key.Number}, nil)
	if err != nil || len(s.found) > 0 {
		return s, err
	}
	var others []string
	err = o.collect(ctx, &s, d, api.Query{FiscalID: fiscalID, Direction: connector.Outgoing,
		IssuedFrom: d.IssueDate, IssuedTo: d.IssueDate}, &others)
	if err != nil || len(s.found) > 0 || len(others) == 0 {
		return s, err
	}
	witnesses, err := o.Ledger.SentAfter(ctx, d.Company, d.AttemptedAt, others)
	s.witness = len(witnesses) > 0
	return s, err
}

func (o *Outbox) collect(ctx context.Context, s *sighting, d ledger.Doubt, q api.Query, others *[]string) error {
	for r, err := range o.Platform.List(ctx, q) {
		if err != nil {
			return err
		}
		if r.Invoice.Number == d.Key.Number && r.Invoice.IssueDate.Year() == d.Key.Year {
			s.found = append(s.found, r)
		} else if others != nil {
			*others = append(*others, r.ID)
		}
	}
	return nil
}

// adopt takes the one hit for ours if its total is, within what a platform may
// normalise; otherwise a person must look.
func (o *Outbox) adopt(ctx context.Context, d ledger.Doubt, r connector.Remote) error {
	if !near(r.Invoice.Totals.Gross, d.Gross) {
		return o.hold(ctx, d, problem.Problem{Code: "E5103", Value: d.Gross.String(), Expected: r.Invoice.Totals.Gross.String(),
			Args: map[string]string{"api_id": r.ID}})
	}
	err := o.Ledger.Settle(ctx, []ledger.Outcome{{ID: d.ID, State: ledger.Sent, APIID: r.ID, Status: r.Status,
		Note: "found at the platform by its number"}})
	if err == nil {
		o.tell("found", "company", d.Company, "number", d.Key.Number, "id", r.ID)
	}
	return err
}

// near tells whether two totals are the same but for a cent of rounding.
func near(a, b connector.Amount) bool {
	diff, err := a.Or0().SubAbs(b.Or0())
	return err == nil && a.Present() && diff.Cmp(connector.MustAmount("0.01").Or0()) <= 0
}

// absent weighs a look-up that found nothing. Only a proof allows a second
// POST, three of them, spread over ProofsOver; without any for DoubtMax a
// person must decide.
func (o *Outbox) absent(ctx context.Context, d ledger.Doubt, witness bool, next time.Time) error {
	now := o.Now()
	if witness && d.Proofs+1 >= proofs && !d.FirstProof.IsZero() && now.Sub(d.FirstProof) >= o.Config.ProofsOver.Std() {
		o.tell("absent", "company", d.Company, "number", d.Key.Number)
		return o.Ledger.Settle(ctx, []ledger.Outcome{{ID: d.ID, State: ledger.Queued, Retry: now,
			Note: "proven absent at the platform; sent again"}})
	}
	if !witness && now.Sub(d.AttemptedAt) >= o.Config.DoubtMax.Std() {
		return o.hold(ctx, d, problem.Problem{Code: "E5102", Value: o.Config.DoubtMax.String()})
	}
	return o.Ledger.LookedUp(ctx, d.ID, witness, next)
}

// hold leaves an uncertain invoice to a person.
func (o *Outbox) hold(ctx context.Context, d ledger.Doubt, p problem.Problem) error {
	p.Severity, p.Invoice = problem.Hold, d.Key.Number
	o.tell("held", "company", d.Company, "number", d.Key.Number, "reason", p.Message(o.Lang), "remedy", p.Remedy(o.Lang))
	return o.Ledger.Settle(ctx, []ledger.Outcome{{ID: d.ID, State: ledger.Held, Problems: []problem.Problem{p}, Note: p.Message(problem.English)}})
}
