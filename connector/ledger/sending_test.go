package ledger

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"einvoice/connector"
	"einvoice/connector/problem"
)

func numbers(next []ToSend) string {
	var n []string
	for _, s := range next {
		n = append(n, s.Invoice.Number)
	}
	return strings.Join(n, " ")
}

func (w *world) next(n int) string {
	w.t.Helper()
	next, err := w.NextToSend(w.t.Context(), acme, n)
	w.ok(err)
	return numbers(next)
}

func TestSendingIsFairBetweenFiles(t *testing.T) {
	w := newWorld(t)
	w.release(queued(bill("A1", "1.00"), bill("A2", "1.00"), bill("A3", "1.00"))...)
	w.release(queued(bill("B1", "1.00"), bill("B2", "1.00"))...)
	want(t, "order", w.next(10), "A1 B1 A2 B2 A3")
	want(t, "bounded", w.next(2), "A1 B1")
	other, err := w.NextToSend(t.Context(), bakery, 10)
	w.ok(err)
	want(t, "other company", len(other), 0)
}

func TestTailHoldIsPromotedInTime(t *testing.T) {
	w := newWorld(t)
	staged := queued(bill("A1", "1.00"), bill("A2", "1.00"))
	until := w.clock.now().Add(10 * time.Minute)
	staged[1].Verdict, staged[1].NotBefore = VerdictWaiting, until
	got := w.release(staged...)
	want(t, "now", w.next(10), "A1")
	wake, err := w.NextWake(t.Context())
	w.ok(err)
	want(t, "wake", wake, until)
	w.clock.turn(10 * time.Minute)
	want(t, "later", w.next(10), "A1 A2")
	w.state(got[1], Queued)
	wake, err = w.NextWake(t.Context())
	w.ok(err)
	want(t, "no more wake", wake.IsZero(), true)
}

func TestOnlyQueuedInvoicesAreMarked(t *testing.T) {
	w := newWorld(t)
	staged := queued(bill("A1", "1.00"), bill("A2", "1.00"), bill("A3", "1.00"))
	staged[1].Verdict = VerdictHeld
	staged[2].Verdict, staged[2].NotBefore = VerdictWaiting, w.clock.now().Add(time.Hour)
	got := w.release(staged...)
	marked, err := w.MarkSending(t.Context(), []int64{got[0].ID, got[1].ID, got[2].ID, got[0].ID, 99})
	w.ok(err)
	want(t, "marked", fmt.Sprint(marked), fmt.Sprint([]int64{got[0].ID}))
	w.state(got[0], Sending)
	want(t, "attempts", w.again(got[0]).Attempts, 1)
}

func TestSettleOnlyWhatIsUnderWay(t *testing.T) {
	w := newWorld(t)
	got := w.release(queued(bill("A1", "1.00"), bill("A2", "1.00"), bill("A3", "1.00"))...)
	w.sending(got[0], got[2])
	err := w.Settle(t.Context(), []Outcome{
		{ID: got[0].ID, State: Sent, APIID: "api-1"}, {ID: got[1].ID, State: Sent, APIID: "api-2"},
		{ID: got[2].ID, State: Sent}, {ID: 999, State: Held},
	})
	w.wantErr(err, ErrState)
	w.state(got[0], Sent)
	w.state(got[1], Queued)
	w.state(got[2], Sending) // sent without an id is no outcome
	w.wantErr(w.Settle(t.Context(), []Outcome{{ID: got[0].ID, State: Rejected}}), ErrState)
	w.state(got[0], Sent) // a refusal never overwrites an acceptance
}

func TestOutcomesAndTheirEvents(t *testing.T) {
	refused := []problem.Problem{{Code: "E4001", Severity: problem.Refuse, Value: "x"}}
	for name, c := range map[string]struct {
		outcomes []Outcome
		state    State
		kinds    string
	}{
		"sent":                     {[]Outcome{{State: Sent, APIID: "a"}}, Sent, "SENT"},
		"rejected":                 {[]Outcome{{State: Rejected, Problems: refused}}, Rejected, "REFUSED"},
		"held":                     {[]Outcome{{State: Held}}, Held, "HELD"},
		"later":                    {[]Outcome{{State: Queued}}, Queued, ""},
		"uncertain, still, found":  {[]Outcome{{State: Uncertain}, {State: Uncertain}, {State: Sent, APIID: "a"}}, Sent, "UNCERTAIN RESOLVED SENT"},
		"uncertain, absent":        {[]Outcome{{State: Uncertain}, {State: Queued}}, Queued, "UNCERTAIN RESOLVED"},
		"uncertain, other totals":  {[]Outcome{{State: Uncertain}, {State: Held}}, Held, "UNCERTAIN RESOLVED HELD"},
		"uncertain, then rejected": {[]Outcome{{State: Uncertain}, {State: Rejected, Problems: refused}}, Rejected, "UNCERTAIN RESOLVED REFUSED"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			inv := w.release(queued(bill("A1", "1.00"))...)[0]
			w.sending(inv)
			for _, o := range c.outcomes {
				o.ID = inv.ID
				w.settle(o)
			}
			w.state(inv, c.state)
			want(t, "events", w.kinds(inv), c.kinds)
			doubts, err := w.Doubts(t.Context(), 10)
			w.ok(err)
			want(t, "doubts left", len(doubts), 0)
		})
	}
}

func TestLaterWaitsForItsTime(t *testing.T) {
	w := newWorld(t)
	inv := w.release(queued(bill("A1", "1.00"))...)[0]
	w.sending(inv)
	w.settle(Outcome{ID: inv.ID, State: Queued, Retry: w.clock.now().Add(time.Minute), Problems: []problem.Problem{{Code: "E5105"}}})
	want(t, "now", w.next(1), "")
	want(t, "why", codes(w.again(inv)), "E5105")
	marked, err := w.MarkSending(t.Context(), []int64{inv.ID})
	w.ok(err)
	want(t, "marked before its time", len(marked), 0)
	w.clock.turn(time.Minute)
	next, err := w.NextToSend(t.Context(), acme, 1)
	w.ok(err)
	want(t, "attempt", next[0].Attempt, 2)
}

func TestInterruptedAttemptIsDoubtedAtTheNextStart(t *testing.T) {
	w := newWorld(t)
	inv := w.release(queued(bill("A1", "1.50"), bill("A2", "1.00"))...)
	w.sending(inv[0])
	at := w.clock.now()
	w.ok(w.Close())
	w.clock.turn(time.Hour)
	w.open()
	w.state(inv[0], Uncertain)
	w.state(inv[1], Queued)
	want(t, "events", w.kinds(inv[0]), "UNCERTAIN")
	doubts, err := w.Doubts(t.Context(), 10)
	w.ok(err)
	want(t, "doubts", len(doubts), 1)
	d := doubts[0]
	want(t, "begun", d.AttemptedAt, at)
	want(t, "key", d.Key, connector.Key{SIREN: siren, Number: "A1", Year: 2026})
	want(t, "gross", d.Gross.String()+" "+d.BuyerSIREN+" "+string(d.IssueDate), "1.50 732829320 2026-10-01")
	open, err := w.OpenByKey(t.Context(), d.Key)
	w.ok(err)
	want(t, "by key", open.ID, inv[0].ID)
	w.ok(w.Close())
	w.open() // a second crash changes nothing
	want(t, "events", w.kinds(inv[0]), "UNCERTAIN")
}

func TestLookUpsGatherProofs(t *testing.T) {
	w := newWorld(t)
	inv := w.release(queued(bill("A1", "1.00"))...)[0]
	w.lookedUp(inv, true)
	story, err := w.Story(t.Context(), inv.ID)
	w.ok(err)
	for _, step := range story {
		if strings.Contains(step.What, "visible") {
			t.Errorf("a look-up of an invoice that is not in doubt is told: %v", step)
		}
	}
	w.sending(inv)
	w.settle(Outcome{ID: inv.ID, State: Uncertain, Retry: w.clock.now().Add(30 * time.Second)})
	doubts, err := w.Doubts(t.Context(), 10)
	w.ok(err)
	want(t, "not due yet", len(doubts), 0)
	w.clock.turn(30 * time.Second)
	w.lookedUp(inv, false)
	w.clock.turn(time.Minute)
	proven := w.clock.now()
	w.lookedUp(inv, true)
	w.clock.turn(time.Minute)
	w.lookedUp(inv, true)
	doubts, err = w.Doubts(t.Context(), 10)
	w.ok(err)
	want(t, "evidence", fmt.Sprint(doubts[0].Lookups, doubts[0].Proofs, doubts[0].FirstProof.Equal(proven)), "3 2 true")
	w.settle(Outcome{ID: inv.ID, State: Queued})
	w.sending(inv)
	w.settle(Outcome{ID: inv.ID, State: Uncertain})
	doubts, err = w.Doubts(t.Context(), 10)
	w.ok(err)
	want(t, "a new doubt starts without evidence", fmt.Sprint(doubts[0].Lookups, doubts[0].Proofs, doubts[0].FirstProof.IsZero()), "0 0 true")
}

func TestOneAPIIDBelongsToOneInvoice(t *testing.T) {
	w := newWorld(t)
	got := w.release(queued(bill("A1", "1.00"), bill("A2", "1.00"))...)
	w.sent(got[0], "api-1")
	w.sending(got[1])
	w.settle(Outcome{ID: got[1].ID, State: Sent, APIID: "api-1"})
	w.state(got[1], Held)
	want(t, "why", codes(w.again(got[1])), "E5010")
	owner, err := w.OutgoingByAPIID(t.Context(), "api-1")
	w.ok(err)
	want(t, "owner", owner.ID, got[0].ID)
}

func TestOnlyInvoicesSentLaterAreWitnesses(t *testing.T) {
	w := newWorld(t)
	got := w.release(queued(bill("A1", "1.00"), bill("A2", "1.00"), bill("A3", "1.00"), bill("A4", "1.00"))...)
	w.sent(got[0], "before")
	w.clock.turn(time.Second)
	doubted := w.clock.now()
	w.clock.turn(time.Second)
	w.sent(got[1], "after")
	w.sending(got[2])
	w.settle(Outcome{ID: got[2].ID, State: Uncertain})
	w.settle(Outcome{ID: got[2].ID, State: Sent, APIID: "adopted"})
	w.sending(got[3])
	w.settle(Outcome{ID: got[3].ID, State: Sent, APIID: "existed", HTTP: 409})
	for ids, is := range map[string]bool{"before": false, "after": true, "adopted": false, "existed": false, "foreign": false, "before after adopted": true, "": false} {
		last, err := w.LastSent(t.Context(), acme, strings.Fields(ids))
		w.ok(err)
		want(t, ids+" is a witness", last.After(doubted), is)
	}
	last, err := w.LastSent(t.Context(), bakery, []string{"after"})
	w.ok(err)
	want(t, "of another company", last.IsZero(), true)
}

func TestNothingIsSentBeforeTheSweep(t *testing.T) {
	w := newWorld(t)
	inv := w.release(queued(bill("A1", "1.00"))...)[0]
	w.ok(w.RequireSweep(t.Context(), acme))
	want(t, "to send", w.next(1), "")
	marked, err := w.MarkSending(t.Context(), []int64{inv.ID})
	w.ok(err)
	want(t, "marked", len(marked), 0)
	w.sweepDone(acme)
	want(t, "to send", w.next(1), "A1")
	w.wantErr(w.RequireSweep(t.Context(), "nobody"), ErrState)
	needed, err := w.SweepNeeded(t.Context(), "nobody")
	w.ok(err)
	want(t, "unknown company", needed, true)
}

func remote(id, number, gross string, s connector.Status) connector.Remote {
	inv := bill(number, gross)
	inv.Seller = connector.Party{} // lists do not say
	return connector.Remote{ID: id, Invoice: inv, Status: s}
}

func TestSweepSettlesWhatThePlatformHas(t *testing.T) {
	for _, order := range []string{"exported before the sweep", "exported after it"} {
		t.Run(order, func(t *testing.T) {
			w := newWorld(t)
			export := func() []Invoice {
				return w.release(queued(bill("A1", "1.00"), bill("A2", "1.00"), bill("A3", "1.00"), bill("A4", "1.00"), bill("A5", "1.00"),
					credit1("C1", "-1.00", connector.Ref{Number: "A1"}))...)
			}
			w.ok(w.RequireSweep(t.Context(), acme))
			var got []Invoice
			if order == "exported before the sweep" {
				got = export()
			}
			found := []connector.Remote{
				remote("api-1", "A1", "1.0", connector.Status{State: connector.StateDone}),
				remote("api-2", "A2", "9.00", connector.Status{State: connector.StateDone}),
				remote("api-3", "A3", "1.00", connector.Status{}), remote("api-3b", "A3", "1.00", connector.Status{}),
				remote("api-4", "A4", "9.00", connector.Status{State: connector.StateError, Code: 501}),
			}
			w.ok(w.AddSwept(t.Context(), acme, found))
			w.ok(w.AddSwept(t.Context(), acme, found))
			w.sweepDone(acme)
			if got == nil {
				got = export()
			}
			w.state(got[0], Sent)
			want(t, "id", w.again(got[0]).APIID+" "+string(w.again(got[0]).Status.State), "api-1 DONE")
			w.state(got[1], Held)
			want(t, "why", codes(w.again(got[1])), "E5008")
			w.state(got[2], Held)
			want(t, "why", codes(w.again(got[2])), "E5009")
			w.state(got[3], Queued) // 501 is mended under the same number
			w.state(got[4], Queued)
			w.state(got[5], Queued)
			want(t, "events", w.kinds(got[0])+" "+w.kinds(got[1]), "SENT HELD")
			want(t, "adopted", fmt.Sprint(w.adopted), "[{acme A1 api-1}]")
		})
	}
}

// One document without a date may be one of two unsent invoices of that number
// and total, of two years: it is one of them, and the other is held.
func TestOneDocumentIsAdoptedOnce(t *testing.T) {
	old := bill("A1", "1.00")
	old.IssueDate = "2025-10-01"
	undated := remote("api-1", "A1", "1.00", connector.Status{})
	undated.Invoice.IssueDate = ""
	for _, order := range []string{"exported before the sweep", "exported after it"} {
		t.Run(order, func(t *testing.T) {
			w := newWorld(t)
			w.ok(w.RequireSweep(t.Context(), acme))
			var got []Invoice
			export := func() { got = w.release(queued(bill("A1", "1.00"), old)...) }
			if order == "exported before the sweep" {
				export()
			}
			w.ok(w.AddSwept(t.Context(), acme, []connector.Remote{undated}))
			w.sweepDone(acme)
			if got == nil {
				export()
			}
			w.state(got[0], Sent)
			w.state(got[1], Held)
			want(t, "adopted", fmt.Sprint(w.adopted), "[{acme A1 api-1}]")
		})
	}
}

// TestWhatASweepFoundIsNotToldAsWaitingOrHeld: its acknowledgement would say that
// it does not go, and its status that it is there.
func TestWhatASweepFoundIsNotToldAsWaitingOrHeld(t *testing.T) {
	w := newWorld(t)
	w.ok(w.AddSwept(t.Context(), acme, []connector.Remote{remote("api-1", "A1", "1.00", connector.Status{}), remote("api-2", "A2", "1.00", connector.Status{})}))
	s := queued(bill("A1", "1.00"), bill("A2", "1.00"))
	s[0].Verdict, s[0].NotBefore = VerdictWaiting, w.clock.now().Add(time.Hour)
	s[1].Verdict = VerdictHeld
	for _, inv := range w.release(s...) {
		w.state(inv, Sent)
		want(t, inv.Key.Number, string(inv.Verdict)+" "+w.kinds(inv), "QUEUED SENT")
	}
}

func TestHoldRetryAndResolveByAPerson(t *testing.T) {
	w := newWorld(t)
	got := w.release(queued(bill("A1", "1.00"), bill("A2", "1.00"), bill("A3", "1.00"), bill("A4", "1.00"))...)
	w.ok(w.Hold(t.Context(), []int64{got[0].ID}, "price in dispute"))
	want(t, "message", w.again(got[0]).Problems[0].Message(problem.English), "Held by a person: price in dispute")
	w.wantErr(w.Hold(t.Context(), []int64{got[0].ID}, ""), ErrState)
	w.wantErr(w.ReleaseHeld(t.Context(), []int64{got[0].ID, got[1].ID}, "fine"), ErrState)
	w.state(got[0], Queued)
	want(t, "events", w.kinds(got[0]), "HELD RELEASED")

	w.sending(got[1], got[2], got[3])
	w.settle(Outcome{ID: got[1].ID, State: Queued, Retry: w.clock.now().Add(time.Hour)})
	w.settle(Outcome{ID: got[2].ID, State: Uncertain, Retry: w.clock.now().Add(time.Hour)})
	w.settle(Outcome{ID: got[3].ID, State: Rejected})
	w.ok(w.Retry(t.Context(), []int64{got[1].ID, got[2].ID, got[3].ID}))
	want(t, "to send", w.next(9), "A1 A2 A4")
	doubts, err := w.Doubts(t.Context(), 9)
	w.ok(err)
	want(t, "doubts", len(doubts), 1)

	w.settle(Outcome{ID: got[2].ID, State: Held})
	w.wantErr(w.ResolveHeld(t.Context(), Outcome{ID: got[2].ID, State: Sent}), ErrState)
	w.ok(w.ResolveHeld(t.Context(), Outcome{ID: got[2].ID, State: Sent, APIID: "api-3", Note: "seen at the platform"}))
	w.state(got[2], Sent)
	want(t, "events", w.kinds(got[2]), "UNCERTAIN RESOLVED HELD RESOLVED SENT")
	w.wantErr(w.ResolveHeld(t.Context(), Outcome{ID: got[2].ID, State: Sent, APIID: "api-4"}), ErrState)
}

func TestHeldInvoiceThatThePlatformHasIsNotSentOnRelease(t *testing.T) {
	w := newWorld(t)
	staged := queued(bill("A1", "1.00"), bill("A2", "1.00"))
	staged[0].Verdict, staged[1].Verdict = VerdictHeld, VerdictHeld
	got := w.release(staged...)
	w.ok(w.RequireSweep(t.Context(), acme))
	w.ok(w.AddSwept(t.Context(), acme, []connector.Remote{remote("api-1", "A1", "1.00", connector.Status{}), remote("api-2", "A2", "2.00", connector.Status{})}))
	w.sweepDone(acme)
	w.sweepDone(acme)
	w.state(got[0], Sent)
	w.state(got[1], Held)
	want(t, "asked once more, about the platform", w.kinds(got[1]), "HELD HELD")
	w.ok(w.ReleaseHeld(t.Context(), []int64{got[1].ID}, "another invoice"))
	w.state(got[1], Queued)
}

func TestReleasedCreditNoteStaysBehindItsInvoice(t *testing.T) {
	w := newWorld(t)
	staged := queued(bill("A1", "1.00"), credit1("C1", "-1.00", connector.Ref{Number: "A1"}))
	staged[0].Verdict, staged[1].Verdict = VerdictHeld, VerdictHeld // a first run holds all
	got := w.release(staged...)
	w.ok(w.ReleaseHeld(t.Context(), []int64{got[1].ID, got[0].ID}, "looks right"))
	want(t, "to send", w.next(9), "A1")
	w.sending(got[0])
	w.settle(Outcome{ID: got[0].ID, State: Rejected})
	w.state(got[1], Held)
	w.ok(w.ReleaseHeld(t.Context(), []int64{got[1].ID}, "send it all the same"))
	want(t, "to send", w.next(9), "C1")
}

func TestPendingCountsAllCompanies(t *testing.T) {
	w := newWorld(t)
	staged := queued(bill("A1", "1.00"), bill("A2", "1.00"))
	staged[1].Company = bakery
	got := w.release(staged...)
	w.sent(got[0], "api-1")
	counts, err := w.Pending(t.Context())
	w.ok(err)
	want(t, "counts", fmt.Sprint(counts), "map[queued:1 sent:1]")
	figures, err := w.Status(t.Context())
	w.ok(err)
	want(t, "companies", figures[0].Company+" "+figures[1].Company, "acme bakery")
	want(t, "platform", figures[0].Platform[connector.StateNew], 1)
	want(t, "last file", figures[0].LastFile, w.clock.now())
	want(t, "oldest due", figures[1].OldestDue, w.clock.now())
}

func BenchmarkSending10000(b *testing.B) {
	const n = 10_000
	for b.Loop() {
		w := newWorld(b)
		f := w.take()
		began := time.Now()
		for from := 0; from < n; from += 500 {
			var staged []StagedInvoice
			for i := range 500 {
				s := queued(bill(fmt.Sprint("F", from+i), "10.00"))[0]
				s.Ordinal = from + i + 1
				staged = append(staged, s)
			}
			w.ok(w.Stage(b.Context(), f.ID, staged))
		}
		b.ReportMetric(n/time.Since(began).Seconds(), "staged/s")
		began = time.Now()
		_, err := w.Release(b.Context(), f.ID, mappedOf(f))
		w.ok(err)
		b.ReportMetric(n/time.Since(began).Seconds(), "released/s")
		began = time.Now()
		for done := 0; done < n; {
			next, err := w.NextToSend(b.Context(), acme, 200)
			w.ok(err)
			ids := make([]int64, len(next))
			outcomes := make([]Outcome, len(next))
			for i, s := range next {
				ids[i] = s.ID
				outcomes[i] = Outcome{ID: s.ID, State: Sent, APIID: fmt.Sprint("api-", s.ID), HTTP: 201}
			}
			_, err = w.MarkSending(b.Context(), ids)
			w.ok(err)
			w.ok(w.Settle(b.Context(), outcomes))
			done += len(next)
		}
		b.ReportMetric(n/time.Since(began).Seconds(), "sent/s")
		w.ok(w.Close())
	}
}

// The clock of a machine ran a year ahead when an invoice was put off and another
// one's look-up planned, and was set right: neither waits a year.
func TestAClockSetRightLeavesNothingWaitingForTheWrongTime(t *testing.T) {
	w := newWorld(t)
	invs := w.release(queued(bill("A1", "1.00"), bill("A2", "1.00"))...)
	const year = 365 * 24 * time.Hour
	w.clock.turn(year)
	w.sending(invs...)
	soon := w.clock.now().Add(time.Minute)
	w.settle(Outcome{ID: invs[0].ID, State: Queued, Retry: soon})
	w.settle(Outcome{ID: invs[1].ID, State: Uncertain, Retry: soon})
	w.clock.turn(-year)
	want(t, "sent", w.next(10), "A1")
	doubts, err := w.Doubts(t.Context(), 10)
	w.ok(err)
	want(t, "looked up", len(doubts), 1)
}
