package outbox

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"einvoice/connector"
	"einvoice/connector/api"
	"einvoice/connector/drop"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
)

// The firm's companies: two under one credential, one under another.
var (
	firstOfOne = connector.Company{ID: "a1", FiscalID: "10000000900017", Name: "A 1"}
	otherOfOne = connector.Company{ID: "a2", FiscalID: "20000000800017", Name: "A 2"}
	ofAnother  = connector.Company{ID: "b1", FiscalID: "73282932000074", Name: "B 1"}
)

// newFirm has n invoices wait for each of three companies.
func newFirm(t *testing.T, n int) *rig {
	t.Helper()
	companies := []connector.Company{firstOfOne, otherOfOne, ofAnother}
	r := newRig(t, func(opt *Options, _ *drop.Config) {
		opt.Companies, opt.Drops[0].Companies = companies, companies
		opt.Credential = func(company string) string { return company[:1] }
		opt.Ledger = reopened(t, opt.Ledger, companies)
	})
	for _, c := range companies {
		r.queue(c, n)
	}
	return r
}

// saidOf counts the lines of a kind in the journal.
func (r *rig) saidOf(event string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.said {
		if strings.HasPrefix(s, event+" ") {
			n++
		}
	}
	return n
}

// sentOf counts the invoices of a company that are sent.
func (r *rig) sentOf(c connector.Company, of int) (n int) {
	r.t.Helper()
	for i := range of {
		if r.state(fmt.Sprintf("%s-%03d", c.ID, i)) == ledger.Sent {
			n++
		}
	}
	return n
}

// allPosts counts the requests for invoices of a company.
func (p *platform) allPosts(c connector.Company) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for number, times := range p.posts {
		if strings.HasPrefix(number, c.ID) {
			n += times
		}
	}
	return n
}

// TestAStopClosesNoMoreThanItMust: every reason for a stop, of a company or of a
// credential. It keeps every invoice, is told once, asks with one invoice a
// minute, and ends by itself.
func TestAStopClosesNoMoreThanItMust(t *testing.T) {
	for _, c := range []struct {
		name, code string
		http       int
		scope      api.Scope
	}{
		{"wrong token, after another was asked for", "E4001", 401, api.ScopeCredential},
		{"no credit", "E4005", 402, api.ScopeCredential},
		{"a proxy wants a password", "E4010", 407, api.ScopeCredential},
		{"company not registered", "E4006", 404, api.ScopeCompany},
		{"service not enabled", "E4008", 400, api.ScopeCompany},
		{"not this account's company", "E4007", 403, api.ScopeCompany},
	} {
		t.Run(c.name, func(t *testing.T) {
			const each, probes = 12, 10
			r := newFirm(t, each)
			broken := true
			r.api.answer = func(inv connector.Invoice, _ int) api.Answer {
				concerned := strings.HasPrefix(inv.Number, "a1") || c.scope == api.ScopeCredential && strings.HasPrefix(inv.Number, "a2")
				if broken && concerned {
					return api.Answer{Fate: api.Stopped, Scope: c.scope, HTTP: c.http, Problems: []problem.Problem{{Code: c.code, Severity: problem.Hold}}}
				}
				return api.Answer{Fate: api.Sent}
			}
			r.sendAll()
			for range probes {
				before := r.api.allPosts(firstOfOne) + r.api.allPosts(otherOfOne)
				other := r.sentOf(otherOfOne, each)
				r.clock.add(r.Config.Probe.Std())
				r.sendAll()
				if n := r.api.allPosts(firstOfOne) + r.api.allPosts(otherOfOne) - before; n != 1 && other == r.sentOf(otherOfOne, each) {
					t.Errorf("%d requests for one probe", n)
				}
			}
			want := map[connector.Company]int{firstOfOne: 0, otherOfOne: each, ofAnother: each}
			if c.scope == api.ScopeCredential {
				want[otherOfOne] = 0
			}
			for company, n := range want {
				if got := r.sentOf(company, each); got != n {
					t.Errorf("%s sent %d of %d, want %d", company.ID, got, each, n)
				}
				why, err := r.Ledger.Get(t.Context(), StoppedFact(company.ID))
				r.must(err)
				if stopped := n == 0; strings.Contains(why, c.code) != stopped {
					t.Errorf("status says of %s: %q", company.ID, why)
				}
			}
			pending, err := r.Ledger.Pending(t.Context())
			r.must(err)
			if pending[ledger.Queued]+pending[ledger.Sent] != 3*each {
				t.Errorf("invoices are neither waiting nor sent: %v", pending)
			}
			if n := r.saidOf("stopped"); n != 1 {
				t.Errorf("told %d times: %v", n, r.said)
			}
			broken = false
			r.clock.add(r.Config.Probe.Std())
			r.sendAll()
			for company := range want {
				if got := r.sentOf(company, each); got != each {
					t.Errorf("after it was mended %s sent %d of %d", company.ID, got, each)
				}
				if why, _ := r.Ledger.Get(t.Context(), StoppedFact(company.ID)); why != "" {
					t.Errorf("status still says of %s: %q", company.ID, why)
				}
			}
			if n := r.saidOf("resumed"); n != 1 {
				t.Errorf("its end was told %d times: %v", n, r.said)
			}
		})
	}
}

// TestAProbeThatGetsThroughIsNoEnd: a stopped company's probe is answered between
// the look at the paths and the look at what is under way. Each is right, and a
// run with --once that believed both would leave the rest in the queue.
func TestAProbeThatGetsThroughIsNoEnd(t *testing.T) {
	r := newFirm(t, 3)
	r.Drops[0].read.Store(true)
	for _, c := range r.Companies {
		_, err := r.swept(t.Context(), c.ID)
		r.must(err)
	}
	for _, c := range []connector.Company{firstOfOne, ofAnother} { // every credential
		r.lanes.stopped(c.ID, api.ScopeCredential, "E4001", r.clock.now(), 0)
	}
	idle := func(want bool) {
		t.Helper()
		if got, err := r.Idle(t.Context()); err != nil || got != want {
			t.Errorf("idle: %v, %v, want %v", got, err, want)
		}
	}
	idle(true)
	next, err := r.Ledger.NextToSend(t.Context(), firstOfOne.ID, 1)
	r.must(err)
	_, err = r.Ledger.MarkSending(t.Context(), []int64{next[0].ID})
	r.must(err)
	r.lanes.probing(firstOfOne.ID, r.clock.now())
	idle(false)
	looks := 0
	r.Now = func() time.Time {
		if looks++; looks == len(r.Companies) { // those of the probe were seen closed
			out := r.Outbox.outcome(t.Context(), next[0], r.api.Submit(t.Context(), next[0].Invoice))
			r.must(r.Ledger.Settle(t.Context(), []ledger.Outcome{out}))
		}
		return r.clock.now()
	}
	idle(false)
	if n := r.sentOf(firstOfOne, 3); n != 1 {
		t.Errorf("%d of its invoices are sent, want the probe", n)
	}
}

// TestACompanysOwnStopOutlivesThatOfItsCredential: money comes back to the
// account while one company is not registered.
func TestACompanysOwnStopOutlivesThatOfItsCredential(t *testing.T) {
	r := newFirm(t, 3)
	poor, unknown := true, true
	r.api.answer = func(inv connector.Invoice, _ int) api.Answer {
		switch {
		case unknown && strings.HasPrefix(inv.Number, "a1"):
			return api.Answer{Fate: api.Stopped, Scope: api.ScopeCompany, Problems: []problem.Problem{{Code: "E4006"}}}
		case poor && strings.HasPrefix(inv.Number, "a"):
			return api.Answer{Fate: api.Stopped, Scope: api.ScopeCredential, Problems: []problem.Problem{{Code: "E4005"}}}
		}
		return api.Answer{Fate: api.Sent}
	}
	r.sendAll()
	poor = false
	for probes := 0; r.sentOf(otherOfOne, 3) < 3; probes++ {
		if probes == 4 {
			t.Fatal("the company that is well never got its turn to probe")
		}
		r.clock.add(r.Config.Probe.Std())
		r.sendAll()
	}
	if n := r.sentOf(firstOfOne, 3); n != 0 {
		t.Errorf("%d sent of the company that is not registered", n)
	}
	if why, _ := r.Ledger.Get(t.Context(), StoppedFact("a1")); !strings.Contains(why, "E4006") {
		t.Errorf("status says of the company that is not registered: %q", why)
	}
	if why, _ := r.Ledger.Get(t.Context(), StoppedFact("a2")); why != "" {
		t.Errorf("status says of the company that sends: %q", why)
	}
	unknown = false
	r.clock.add(r.Config.Probe.Std())
	r.sendAll()
	if n := r.sentOf(firstOfOne, 3); n != 3 {
		t.Errorf("%d of 3 sent", n)
	}
}

// TestACompanysOwnStopIsToldInEitherOrder: two workers meet the company's stop
// and its credential's at about the same time.
func TestACompanysOwnStopIsToldInEitherOrder(t *testing.T) {
	own := api.Answer{Fate: api.Stopped, Scope: api.ScopeCompany, Problems: []problem.Problem{{Code: "E4006"}}}
	all := api.Answer{Fate: api.Stopped, Scope: api.ScopeCredential, Problems: []problem.Problem{{Code: "E4005"}}}
	mine, others := ledger.ToSend{Company: "a1"}, ledger.ToSend{Company: "a2"}
	for name, meet := range map[string]func(*rig){
		"company first": func(r *rig) {
			r.Outbox.outcome(t.Context(), mine, own)
			r.Outbox.outcome(t.Context(), others, all)
		},
		"credential first": func(r *rig) {
			r.Outbox.outcome(t.Context(), others, all)
			r.Outbox.outcome(t.Context(), mine, own)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newFirm(t, 0)
			meet(r)
			told := func(company, want string) {
				t.Helper()
				why, err := r.Ledger.Get(t.Context(), StoppedFact(company))
				if err != nil || !strings.Contains(why, want) || want == "" && why != "" {
					t.Errorf("%s: %q, %v, want %q", company, why, err, want)
				}
			}
			told("a1", "E4006")
			told("a2", "E4005")
			told("b1", "")
			r.Outbox.outcome(t.Context(), others, api.Answer{Fate: api.Sent})
			told("a1", "E4006")
			told("a2", "")
			r.Outbox.outcome(t.Context(), mine, api.Answer{Fate: api.Sent})
			told("a1", "")
		})
	}
}

// TestAPlatformThatIsDownIsNotAskedByEveryInvoice, be it that each would be in
// doubt, or only wait. The credential's lane waits as a whole, as long as the
// platform asks, tries with one invoice, and goes on by itself.
func TestAPlatformThatIsDownIsNotAskedByEveryInvoice(t *testing.T) {
	for name, bad := range map[string]api.Answer{
		"nothing clear": {Fate: api.Unsure, Scope: api.ScopeInvoice, HTTP: 503, RetryAfter: time.Hour},
		"too many":      {Fate: api.Later, Scope: api.ScopeCredential, HTTP: 429, RetryAfter: time.Hour},
	} {
		t.Run(name, func(t *testing.T) { testBreaker(t, bad) })
	}
}

func testBreaker(t *testing.T, bad api.Answer) {
	const each = 60
	r := newFirm(t, each)
	down := true
	r.api.answer = func(inv connector.Invoice, _ int) api.Answer {
		if down && strings.HasPrefix(inv.Number, "a") {
			return bad
		}
		return api.Answer{Fate: api.Sent}
	}
	asked := func() int { return r.api.allPosts(firstOfOne) + r.api.allPosts(otherOfOne) }
	r.sendAll()
	first := asked()
	if most := breakAfter + 2*r.Config.Workers; first < breakAfter || first > most {
		t.Errorf("%d invoices were tried, want %d to %d", first, breakAfter, most)
	}
	if n := r.sentOf(ofAnother, each); n != each {
		t.Errorf("the other credential sent %d of %d", n, each)
	}
	r.clock.add(50 * time.Minute)
	r.sendAll()
	if asked() != first {
		t.Error("asked again before the time that the platform gave")
	}
	r.clock.add(10 * time.Minute)
	r.sendAll()
	if n := asked() - first; n != 1 {
		t.Errorf("%d probes, want one", n)
	}
	if n := r.saidOf("unreachable"); n != 1 {
		t.Errorf("told %d times: %v", n, r.said)
	}
	down = false
	r.clock.add(time.Hour)
	r.sendAll()
	want := 2 * each
	if bad.Fate == api.Unsure {
		want -= first + 1 // are looked for
	}
	if n := r.sentOf(firstOfOne, each) + r.sentOf(otherOfOne, each); n != want {
		t.Errorf("%d sent, want %d", n, want)
	}
}

// TestANightWithoutClearAnswersLeavesFewInDoubt: the platform says nothing of
// when to try again, and each probe is another invoice.
func TestANightWithoutClearAnswersLeavesFewInDoubt(t *testing.T) {
	r := newFirm(t, 120)
	r.api.answer = func(connector.Invoice, int) api.Answer {
		return api.Answer{Fate: api.Unsure, Scope: api.ScopeInvoice, HTTP: 500}
	}
	r.sendAll()
	for range 10 * 15 { // look-ups rest, as nothing arrived that they could find
		r.clock.add(4 * time.Minute)
		r.sendAll()
	}
	asked := r.api.allPosts(firstOfOne) + r.api.allPosts(otherOfOne)
	if asked < 20 || asked > 110 { // 40 quarters of an hour, on average half as long, and the beginning
		t.Errorf("%d invoices were put in doubt in ten hours", asked)
	}
}

// TestAnInvoiceThatExistsIsLookedUpAtOnce while the loop of look-ups rests.
func TestAnInvoiceThatExistsIsLookedUpAtOnce(t *testing.T) {
	r := newRig(t, nil)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.resolve(ctx) }()
	defer func() { stop(); r.must(<-done) }()
	time.Sleep(50 * time.Millisecond) // it has looked, and found nothing to do
	r.api.answer = func(inv connector.Invoice, _ int) api.Answer {
		r.api.take(inv)
		return api.Answer{Fate: api.Exists}
	}
	r.drop("a.csv", header+row("F1", "10.00"))
	r.intake()
	r.sendAll()
	for end := time.Now().Add(time.Minute); r.state("F1") != ledger.Sent && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	r.want("F1", ledger.Sent)
	r.posts("F1", 1)
}

func TestWhatStopsACompanyIsToldInItsLanguage(t *testing.T) {
	p := problem.Problem{Code: "E4013", Value: "refused"}
	for lang, want := range map[problem.Lang]string{
		problem.French:  "depuis le 2026-11-23 08:00:00, E4013 : La plateforme est injoignable : refused.",
		problem.English: "since 2026-11-23 08:00:00, E4013: The platform cannot be reached: refused.",
	} {
		o := &Outbox{Options: Options{Lang: lang, Location: time.UTC}}
		if got := o.since(time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC), p); got != want {
			t.Errorf("%s: %s", lang, got)
		}
	}
}

// TestOnlyWhatWasTriedForLongIsHeld: the machine was off over a long week-end, and
// its network comes up after it. What was tried for max_age is held; released, it
// is tried for as long again.
func TestOnlyWhatWasTriedForLongIsHeld(t *testing.T) {
	r := newRig(t, nil)
	r.api.answer = func(connector.Invoice, int) api.Answer {
		return api.Answer{Fate: api.Later, Scope: api.ScopeCredential}
	}
	r.drop("a.csv", header+row("F1", "10.00"))
	r.intake()
	age := r.Config.MaxAge.Std()
	try := func(after time.Duration, want ledger.State) {
		t.Helper()
		r.clock.add(after)
		r.sendAll()
		r.want("F1", want)
	}
	try(age+time.Hour, ledger.Queued)
	try(age-time.Hour, ledger.Queued)
	try(time.Hour, ledger.Held)
	found, err := r.Ledger.Find(t.Context(), "F1")
	r.must(err)
	r.clock.add(time.Hour)
	r.must(r.Ledger.ReleaseHeld(t.Context(), []int64{found[0].ID}, "Anne"))
	try(time.Minute, ledger.Queued)
	try(age, ledger.Held)
}

// stuckList is a platform whose lists of one company do not answer.
type stuckList struct {
	*platform
	of string // fiscal id
}

func (p *stuckList) List(ctx context.Context, q api.Query) iter.Seq2[connector.Remote, error] {
	if q.FiscalID != p.of {
		return p.platform.List(ctx, q)
	}
	return func(yield func(connector.Remote, error) bool) {
		<-ctx.Done()
		yield(connector.Remote{}, ctx.Err())
	}
}

// TestASweepThatTakesItsTimeKeepsNoOtherCompanyWaiting: a new ledger reads what
// each company sent before; of one that never ends.
func TestASweepThatTakesItsTimeKeepsNoOtherCompanyWaiting(t *testing.T) {
	r := newFirm(t, 3)
	for _, c := range r.Companies {
		r.must(r.Ledger.RequireSweep(t.Context(), c.ID))
	}
	r.Platform = &stuckList{platform: r.api, of: firstOfOne.FiscalID}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.send(ctx) }()
	for end := time.Now().Add(time.Minute); r.sentOf(otherOfOne, 3)+r.sentOf(ofAnother, 3) < 6; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Error("others wait for the sweep of one")
			break
		}
	}
	stop()
	r.must(<-done)
	if r.api.allPosts(firstOfOne) > 0 || r.saidOf("unreachable") > 0 {
		t.Error("sent before its sweep, or a stop was told as a failure")
	}
}

// TestWhatAPersonTriesAgainIsTriedForAsLongAgain: what the platform refused days
// ago had not been tried for days when the network is down at the next try.
func TestWhatAPersonTriesAgainIsTriedForAsLongAgain(t *testing.T) {
	r := newRig(t, nil)
	fate := api.Refused
	r.api.answer = func(connector.Invoice, int) api.Answer { return api.Answer{Fate: fate, Scope: api.ScopeCredential} }
	r.drop("a.csv", header+row("F1", "10.00"))
	r.intake()
	r.sendAll()
	r.want("F1", ledger.Rejected)
	fate = api.Later
	r.clock.add(r.Config.MaxAge.Std())
	found, err := r.Ledger.Find(t.Context(), "F1")
	r.must(err)
	r.must(r.Ledger.Retry(t.Context(), []int64{found[0].ID}))
	r.sendAll()
	r.want("F1", ledger.Queued)
	for _, want := range []ledger.State{ledger.Queued, ledger.Held} { // the first of them has an attempt recorded
		r.clock.add(r.Config.MaxAge.Std() / 2)
		r.sendAll()
		r.want("F1", want)
	}
}

// TestAStopIsNotedWhileTheRunEnds: with --once, the stop itself is what ends it.
func TestAStopIsNotedWhileTheRunEnds(t *testing.T) {
	r := newFirm(t, 1)
	ended, end := context.WithCancel(t.Context())
	end()
	r.lanes.stopped(firstOfOne.ID, api.ScopeCompany, "E5205", r.clock.now(), 0)
	r.note(ended, firstOfOne.ID)
	why, err := r.Ledger.Get(t.Context(), StoppedFact(firstOfOne.ID))
	r.must(err)
	if why != "E5205" {
		t.Errorf("status says %q", why)
	}
}
