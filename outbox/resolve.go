package outbox

import (
	"context"
	"errors"
	"slices"
	"time"

	"einvoice/connector"
	"einvoice/connector/api"
	"einvoice/connector/fault"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
)

// doubtBatch is the number of uncertain invoices looked up in one round.
const doubtBatch = 500

// resolve looks for uncertain invoices at the platform until ctx ends.
func (o *Outbox) resolve(ctx context.Context) error {
	for {
		n, err := o.resolveDue(ctx)
		var next time.Time
		if err == nil {
			next, err = o.Ledger.NextWake(ctx)
		}
		if err != nil {
			if o.endure(ctx, "resolve", err) {
				continue
			}
			return cause(ctx, err)
		}
		o.well("resolve")
		pause := min(o.untilNext(next), 5*time.Second)
		if n == doubtBatch {
			pause = 0
		}
		if !o.doubtWake.wait(ctx, pause) {
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
	for _, group := range byDay(doubts) {
		if err := o.lookUp(ctx, group); err != nil {
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

// byDay groups doubts that one walk of a company's list can settle.
func byDay(doubts []ledger.Doubt) [][]ledger.Doubt {
	type day struct {
		company string
		issued  connector.Date
	}
	at := map[day]int{}
	var groups [][]ledger.Doubt
	for _, d := range doubts {
		k := day{d.Company, d.IssueDate}
		if _, known := at[k]; !known {
			at[k] = len(groups)
			groups = append(groups, nil)
		}
		groups[at[k]] = append(groups[at[k]], d)
	}
	return groups
}

// sighting is what the platform showed of uncertain invoices of one day.
type sighting struct {
	found    map[connector.Key][]connector.Remote // nil: looked for, not found
	others   []string                             // ids of invoices that nobody looked for: perhaps witnesses
	nameless []string                             // ids without a number: perhaps those looked for
}

func newSighting(wanted []ledger.Doubt) *sighting {
	s := &sighting{found: map[connector.Key][]connector.Remote{}}
	for _, d := range wanted {
		s.found[d.Key] = nil
	}
	return s
}

// whole tells whether all that was looked for was found.
func (s *sighting) whole() bool {
	for _, hits := range s.found {
		if len(hits) == 0 {
			return false
		}
	}
	return true
}

// lookUp decides what became of the uncertain invoices of one company and day.
// A list that cannot be read decides nothing.
func (o *Outbox) lookUp(ctx context.Context, doubts []ledger.Doubt) error {
	seen, err := o.sight(ctx, doubts)
	if err != nil {
		return o.blind(ctx, doubts, err)
	}
	if err := fault.Hit(fault.LookedUp); err != nil {
		return err
	}
	last, err := o.Ledger.LastSent(ctx, doubts[0].Company, seen.others)
	if err != nil {
		return err
	}
	var outcomes []ledger.Outcome
	var looks []ledger.Look
	for _, d := range doubts {
		witness := last.After(d.AttemptedAt) && len(seen.nameless) == 0
		if out := o.weigh(d, seen.found[d.Key], witness); out.State != "" {
			outcomes = append(outcomes, out)
		} else {
			looks = append(looks, o.look(d, witness))
		}
	}
	if err := errors.Join(o.lookedUp(ctx, looks), o.concluded(ctx, outcomes)); err != nil {
		return err
	}
	return fault.Hit(fault.DoubtSettled)
}

// blind puts off doubts when the platform showed nothing; for DoubtMax, while
// others can be sent to it: then it is not away, and a person must look. Until each
// wait was tried, it may be our network that is not up after a machine was off.
func (o *Outbox) blind(ctx context.Context, doubts []ledger.Doubt, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	o.Log.Warn().Err(err).Int("invoices", len(doubts)).Msg("uncertain invoices not looked up; trying again")
	var outcomes []ledger.Outcome
	var looks []ledger.Look
	for _, d := range doubts {
		if o.lanes.shut(d.Company) || !o.tooLong(d) || d.Lookups < len(o.Config.Lookups) {
			look := o.look(d, false)
			if asked := o.Now().Add(api.RetryAfter(err)); asked.After(look.Next) {
				look.Next = asked
			}
			looks = append(looks, look)
			continue
		}
		outcomes = append(outcomes, o.held(d, problem.Problem{Code: "E5102", Value: o.Config.DoubtMax.String()}))
	}
	return errors.Join(o.lookedUp(ctx, looks), o.concluded(ctx, outcomes))
}

// tooLong tells whether an invoice has been in doubt for DoubtMax. One of a time
// that is still to come was tried by a wrong clock: it would find no witness till then.
func (o *Outbox) tooLong(d ledger.Doubt) bool {
	return o.Now().Sub(d.AttemptedAt).Abs() >= o.Config.DoubtMax.Std()
}

// concluded records what look-ups led to. ErrState: a callback or a sweep was
// quicker and settled it already.
func (o *Outbox) concluded(ctx context.Context, outcomes []ledger.Outcome) error {
	if len(outcomes) == 0 {
		return nil
	}
	if err := o.Ledger.Settle(ctx, outcomes); err != nil && !errors.Is(err, ledger.ErrState) {
		return err
	}
	return nil
}

func (o *Outbox) look(d ledger.Doubt, proof bool) ledger.Look {
	return ledger.Look{ID: d.ID, Proof: proof, Next: o.Now().Add(o.Config.lookupWait(d.Lookups + 1))}
}

func (o *Outbox) lookedUp(ctx context.Context, looks []ledger.Look) error {
	if len(looks) == 0 {
		return nil
	}
	return o.Ledger.LookedUp(ctx, looks)
}

// few is the number of doubts that are asked for one by one before their whole
// day is walked.
const few = 3

// sight asks for a few by number. What that does not show, and many at once, it
// looks for among all invoices of the day: a number may be there after all (a
// filter that the server does not know), and so may a witness. What a number did
// show is there, even where the day lacks it (dates may be stored in another zone).
func (o *Outbox) sight(ctx context.Context, doubts []ledger.Doubt) (*sighting, error) {
	s, first := newSighting(doubts), doubts[0]
	q := api.Query{FiscalID: o.company(first.Company).FiscalID, Direction: connector.Outgoing}
	if len(doubts) <= few {
		for _, d := range doubts {
			q.Number = d.Key.Number
			if err := o.collect(ctx, s, q, first.IssueDate); err != nil {
				return s, err
			}
		}
		if err := o.leaveOut(ctx, s); err != nil || s.whole() {
			return s, err
		}
		s.others = nil // only the day's own are witnesses of what it lacks
	}
	q.Number, q.IssuedFrom, q.IssuedTo = "", first.IssueDate, first.IssueDate
	if err := o.collect(ctx, s, q, first.IssueDate); err != nil {
		return s, err
	}
	return s, o.leaveOut(ctx, s)
}

// collect walks a list of the company's own. What it shows without a date has
// that of the day: to take it for another invoice would prove an absence.
func (o *Outbox) collect(ctx context.Context, s *sighting, q api.Query, day connector.Date) error {
	for r, err := range o.Platform.List(ctx, q) {
		if err != nil {
			return err
		}
		k := r.Invoice.Key()
		k.SIREN = connector.Party{FiscalID: q.FiscalID}.SIREN()
		if k.Year == 0 {
			k.Year = day.Year()
		}
		hits, wanted := s.found[k]
		switch {
		case k.Number == "":
			s.nameless, s.others = append(s.nameless, r.ID), append(s.others, r.ID)
		case !wanted:
			s.others = append(s.others, r.ID)
		case !slices.ContainsFunc(hits, func(f connector.Remote) bool { return f.ID == r.ID }):
			s.found[k] = append(hits, r)
		}
	}
	return nil
}

// leaveOut forgets what other invoices of ours are at the platform, such as one
// that was rejected there and whose number this one took.
func (o *Outbox) leaveOut(ctx context.Context, s *sighting) error {
	ids := slices.Clone(s.nameless)
	for _, hits := range s.found {
		for _, r := range hits {
			ids = append(ids, r.ID)
		}
	}
	ours, err := o.Ledger.Known(ctx, ids)
	if err != nil {
		return err
	}
	s.nameless = slices.DeleteFunc(s.nameless, func(id string) bool { return ours[id] })
	for k, hits := range s.found {
		s.found[k] = slices.DeleteFunc(hits, func(r connector.Remote) bool { return ours[r.ID] })
	}
	return nil
}

// weigh decides one doubt by what was seen of it. Without an outcome it goes on.
func (o *Outbox) weigh(d ledger.Doubt, hits []connector.Remote, witness bool) ledger.Outcome {
	switch len(hits) {
	case 0:
		return o.absent(d, witness)
	case 1:
		return o.adopt(d, hits[0])
	}
	return o.held(d, problem.Problem{Code: "E5104", Value: hits[0].ID + ", " + hits[1].ID})
}

// adopt takes the one hit for ours if its total is, within what a platform may
// normalise; otherwise a person must look.
func (o *Outbox) adopt(d ledger.Doubt, r connector.Remote) ledger.Outcome {
	if !near(r.Invoice.Totals.Gross, d.Gross, r.Invoice.Currency) {
		return o.held(d, problem.Problem{Code: "E5103", Value: d.Gross.String(), Expected: r.Invoice.Totals.Gross.String(),
			Args: map[string]string{"api_id": r.ID}})
	}
	o.tell("found", "company", d.Company, "number", d.Key.Number, "id", r.ID)
	return ledger.Outcome{ID: d.ID, State: ledger.Sent, APIID: r.ID, Status: r.Status, Note: "found at the platform by its number"}
}

// near tells whether two totals are the same but for a cent of rounding, or a yen.
func near(a, b connector.Amount, currency string) bool {
	coin := connector.MustAmount("0.01")
	if connector.MinorUnit(currency) == 0 {
		coin = connector.MustAmount("1")
	}
	diff, err := a.Or0().SubAbs(b.Or0())
	return err == nil && a.Present() && diff.Cmp(coin.Or0()) <= 0
}

// absent weighs a look-up that found nothing. Only a proof allows a second
// POST, three of them, spread over ProofsOver; without any for DoubtMax a
// person must decide. So must one where the platform said that it has the invoice:
// sent again it would say so again, for ever, or take it a second time.
func (o *Outbox) absent(d ledger.Doubt, witness bool) ledger.Outcome {
	now := o.Now()
	if witness && d.Proofs+1 >= proofs && !d.FirstProof.IsZero() && now.Sub(d.FirstProof) >= o.Config.ProofsOver.Std() {
		if d.Exists {
			return o.held(d, problem.Problem{Code: "E5106", Value: d.Said})
		}
		o.tell("absent", "company", d.Company, "number", d.Key.Number)
		return ledger.Outcome{ID: d.ID, State: ledger.Queued, Retry: now, Note: "proven absent at the platform; sent again"}
	}
	if !witness && o.tooLong(d) {
		return o.held(d, problem.Problem{Code: "E5102", Value: o.Config.DoubtMax.String()})
	}
	return ledger.Outcome{}
}

// held leaves an uncertain invoice to a person.
func (o *Outbox) held(d ledger.Doubt, p problem.Problem) ledger.Outcome {
	p.Severity, p.Invoice = problem.Hold, d.Key.Number
	o.tell("held", "company", d.Company, "number", d.Key.Number, "reason", p.Message(o.Lang), "remedy", p.Remedy(o.Lang))
	return ledger.Outcome{ID: d.ID, State: ledger.Held, Problems: []problem.Problem{p}}
}
