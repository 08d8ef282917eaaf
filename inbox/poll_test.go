package inbox

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"einvoice/connector"
	"einvoice/connector/ledger"
)

func TestPollingAloneFindsWhatACallbackWouldHaveSaid(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Callback.Enabled = false })
	w.outgoing("F-1", ledger.Sent, "id1")
	w.platform.put(issued("id1", "F-1", connector.Status{State: connector.StateDone, External: "approved"}))
	w.platform.put(supplied("in1", "S-1"))
	w.pass(2 * time.Minute)
	w.rounds(1)
	if got := w.found("F-1").Status; got.State != connector.StateDone || got.External != "approved" {
		t.Errorf("status %+v", got)
	}
	if n := len(w.received(ledger.ReceivedDelivered)); n != 1 {
		t.Errorf("%d supplier invoices delivered", n)
	}
}

// story is what the platform shows, step after step.
func story() []connector.Status {
	return []connector.Status{
		{State: connector.StateNew, External: "submitted"},
		{State: connector.StateSent, External: "issued"},
		{State: connector.StateDone, External: "something new"},
		{State: connector.StateDone, External: "paid"},
	}
}

func TestBothModesEndInTheSameStatuses(t *testing.T) {
	ends := map[bool]connector.Status{}
	for _, callbacks := range []bool{true, false} {
		w := newWorld(t, func(c *Config) { c.Callback.Enabled = callbacks })
		w.outgoing("F-1", ledger.Sent, "id1")
		for i, s := range story() {
			w.platform.put(issued("id1", "F-1", s))
			if callbacks && i != 1 { // one is lost
				w.ring(EventCustomer, fmt.Sprintf(`{"data":{"id":"id1","state":%q,"n":%d}}`, s.State, i))
			}
			w.pass(90 * time.Minute)
			w.rounds(1)
		}
		ends[callbacks] = w.found("F-1").Status
		left, err := w.ledger.Watch(w.ctx, 10)
		w.must(err)
		w.pass(100 * 24 * time.Hour)
		if later, _ := w.ledger.Watch(w.ctx, 10); len(left)+len(later) != 0 {
			t.Errorf("callbacks %v: still watched after it was paid", callbacks)
		}
	}
	if !ends[true].Same(ends[false]) || ends[true].External != "paid" {
		t.Errorf("with callbacks %+v, without %+v", ends[true], ends[false])
	}
}

func TestACallThatWasNeverMadeIsMadeGood(t *testing.T) {
	w := newWorld(t)
	w.outgoing("F-1", ledger.Sent, "id1")
	w.platform.put(issued("id1", "F-1", connector.Status{State: connector.StateError, External: "refused"}))
	w.pass(15 * time.Minute)
	w.rounds(1)
	if got := w.found("F-1").Status.State; got != connector.StateError {
		t.Errorf("state %s", got)
	}
}

func TestHowLongAnInvoiceIsWatched(t *testing.T) {
	w := newWorld(t)
	day := 24 * time.Hour
	sent := connector.Status{State: connector.StateSent}
	tests := []struct {
		name   string
		age    time.Duration
		status connector.Status
		want   time.Duration
		ok     bool
	}{
		{"just sent", time.Minute, sent, time.Minute, true},
		{"of today", 2 * time.Hour, sent, 15 * time.Minute, true},
		{"of this month", 2 * day, sent, 6 * time.Hour, true},
		{"old", 31 * day, sent, day, true},
		{"too old", 91 * day, sent, 0, false},
		{"refused by the platform", time.Minute, connector.Status{State: connector.StateError}, 0, false},
		{"delivered may still be refused", 2 * day, connector.Status{State: connector.StateDone}, 6 * time.Hour, true},
		{"paid", time.Minute, connector.Status{State: connector.StateDone, Code: 212}, 0, false},
		{"paid in words", time.Minute, connector.Status{State: connector.StateDone, External: "Paid"}, 0, false},
		{"refused by the buyer", time.Minute, connector.Status{State: connector.StateDone, Code: 210}, 0, false},
		{"paid but not done yet", time.Minute, connector.Status{State: connector.StateSent, Code: 212}, time.Minute, true},
		{"a word nobody knows", time.Minute, connector.Status{State: "FROZEN"}, time.Minute, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := w.interval(w.clock.Add(-tt.age), tt.status)
			if got != tt.want || ok != tt.ok {
				t.Errorf("got %v %v, want %v %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestManyInvoicesAreReadByListNotOneByOne(t *testing.T) {
	w := newWorld(t)
	for i := range 80 {
		id := fmt.Sprintf("id%d", i)
		w.outgoing(fmt.Sprintf("F-%d", i), ledger.Sent, id)
		w.platform.put(issued(id, fmt.Sprintf("F-%d", i), connector.Status{State: connector.StateSent}))
	}
	w.rounds(1) // the first sweep
	before := w.platform.calls()
	for range 10 {
		w.pass(time.Minute)
		w.rounds(2)
	}
	if n := w.platform.calls() - before; n > 10+4 {
		t.Errorf("%d calls in ten minutes for 80 invoices that one list shows", n)
	}
}

func TestTheBudgetIsNeverExceeded(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Poll.Budget = 40; c.Callback.Enabled = false })
	for i := range 30 {
		w.outgoing(fmt.Sprintf("F-%d", i), ledger.Sent, fmt.Sprintf("id%d", i))
	}
	for range 14 * 12 { // until 23:00
		w.pass(5 * time.Minute)
		w.rounds(1)
	}
	if n := w.platform.calls(); n > 30 || n < 20 {
		t.Errorf("%d calls, want no more than three quarters of 40", n)
	}
	total, err := w.ledger.Spend(w.ctx, "2026-05-14", 0)
	w.must(err)
	if total != w.platform.calls() {
		t.Errorf("counted %d of %d calls", total, w.platform.calls())
	}
	w.platform.put(supplied("in1", "S-1"))
	_, err = w.ledger.SeeReceived(w.ctx, acme.ID, "in1")
	w.must(err)
	w.rounds(1)
	if n := len(w.received(ledger.ReceivedDelivered)); n != 1 {
		t.Errorf("polling left nothing of the budget for a supplier invoice")
	}
	w.pass(2 * time.Hour)
	before := w.platform.calls()
	w.rounds(1)
	if w.platform.calls() == before {
		t.Error("the next day brought no new budget")
	}
}

func TestOverBudgetIsSaidOnceADay(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Poll.Budget = 1 })
	w.rounds(1)
	w.pass(10 * time.Minute)
	for range 5 {
		w.rounds(1)
		w.pass(10 * time.Minute)
	}
	n := 0
	for _, line := range w.journal {
		if line == "budget" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("said %d times", n)
	}
}

func TestALateInvoiceWithAnOldDateIsFound(t *testing.T) {
	w := newWorld(t)
	w.rounds(1)
	late := supplied("late", "S-0", func(inv *connector.Invoice) { inv.IssueDate = "2025-01-01" })
	w.platform.put(late)
	for i := range 250 { // it is far below the newest page
		w.platform.put(issued(fmt.Sprintf("id%d", i), fmt.Sprintf("F-%d", i+1), connector.Status{State: connector.StateNew}))
	}
	for range 26 {
		w.pass(time.Hour)
		w.rounds(1)
	}
	for _, s := range []ledger.ReceivedState{ledger.ReceivedSeen, ledger.ReceivedDelivered} {
		list, err := w.ledger.ReceivedIn(w.ctx, s, 1000)
		w.must(err)
		for _, r := range list {
			if r.APIID == "late" {
				return
			}
		}
	}
	t.Error("the late invoice was never seen")
}

func TestInvoicesFromBeforeTheFirstSynchronisationStayWhereTheyAre(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.ReceivedSince = "2026-05-01" })
	old := supplied("old", "S-0")
	old.Created = time.Date(2026, 4, 30, 12, 0, 0, 0, time.UTC)
	undated := supplied("undated", "S-1", func(inv *connector.Invoice) { inv.IssueDate = "2026-04-02" })
	undated.Created = time.Time{}
	w.platform.put(old)
	w.platform.put(undated)
	w.platform.put(supplied("new", "S-2"))
	w.rounds(1)
	if got := w.received(ledger.ReceivedDelivered); len(got) != 1 || got[0].APIID != "new" {
		t.Errorf("delivered %+v", got)
	}
	whole, err := w.FetchSince(w.ctx, acme.ID, "2026-04-30")
	w.must(err)
	w.rounds(1)
	if n := len(w.received(ledger.ReceivedDelivered)); n != 2 || !whole {
		t.Errorf("fetch --since delivered %d in all, want the older one as well; whole %v", n, whole)
	}
}

func TestASweepStopsWhereNothingCanChange(t *testing.T) {
	w := newWorld(t)
	for i := range 1000 { // a year of days, newest last put
		r := issued(fmt.Sprintf("id%d", i), fmt.Sprintf("F-%d", i), connector.Status{State: connector.StateDone})
		r.Created = w.clock.Add(-time.Duration(1000-i) * 9 * time.Hour)
		w.platform.put(r)
	}
	w.rounds(1)
	total, err := w.ledger.Spend(w.ctx, "2026-05-14", 0)
	w.must(err)
	// 240 invoices of 90 days, then a page of older ones; for each of two companies.
	if total > 2*4 {
		t.Errorf("%d pages read", total)
	}
}

func TestWhoseInvoiceIsIt(t *testing.T) {
	stranger := connector.Party{Name: "X", FiscalID: "100000009"}
	tests := []struct {
		name          string
		direction     connector.Direction
		state         connector.State
		seller, buyer connector.Party
		event         string
		want          connector.Direction
	}{
		{"the platform says incoming", connector.Incoming, "NEW", party(acme), stranger, EventCustomer, connector.Incoming},
		{"the platform says outgoing", connector.Outgoing, "RECEIVED", stranger, party(acme), EventSupplier, connector.Outgoing},
		{"only incoming ones are RECEIVED", "", connector.StateReceived, party(acme), party(acme), "", connector.Incoming},
		{"we sell", "", "NEW", party(acme), stranger, "", connector.Outgoing},
		{"we buy", "", "NEW", stranger, party(acme), "", connector.Incoming},
		{"we buy, with a SIRET", "", "NEW", stranger, connector.Party{FiscalID: "73282932000074"}, "", connector.Incoming},
		{"we buy, known by VAT number", "", "NEW", stranger, connector.Party{VATID: acme.VATID}, "", connector.Incoming},
		{"both ours, this one buys", "", "NEW", party(other), party(acme), EventCustomer, connector.Incoming},
		{"both ours, this one sells", "", "NEW", party(acme), party(other), EventSupplier, connector.Outgoing},
		{"to oneself, told as supplier", "", "NEW", party(acme), party(acme), EventSupplier, connector.Incoming},
		{"to oneself, told as customer", "", "NEW", party(acme), party(acme), EventCustomer, connector.Outgoing},
		{"to oneself, in a list", "", "NEW", party(acme), party(acme), "", connector.Outgoing},
		{"of nobody we know", "", "NEW", stranger, stranger, "", connector.Incoming},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := sighting{connector.Remote{Direction: tt.direction, Status: connector.Status{State: tt.state},
				Invoice: connector.Invoice{Seller: tt.seller, Buyer: tt.buyer}}, acme, tt.event}
			if got := s.direction(); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestASweepOfAClockThatWasWrongIsNoReasonToWait(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.ReceivedSince = "2026-01-01" })
	w.clock = w.clock.AddDate(12, 0, 0)
	w.rounds(1) // swept, by that clock
	w.clock = w.clock.AddDate(-12, 0, 0)
	w.restart()
	late := supplied("late", "S-1")
	for i := range 3 * pageSize { // newer ones of other software: the list's first page does not show it
		w.platform.put(issued(fmt.Sprint("id", i), fmt.Sprint("F-", i), connector.Status{State: connector.StateDone}))
	}
	w.platform.shelf = append(w.platform.shelf, late)
	w.rounds(1)
	if got := w.received(ledger.ReceivedDelivered); len(got) != 1 {
		t.Errorf("%d delivered, want the one that only a sweep finds", len(got))
	}
}

// TestWhenBothPartiesAreOursUnderOneID: each credential shows its own side.
func TestWhenBothPartiesAreOursUnderOneID(t *testing.T) {
	w := newWorld(t)
	w.outgoing("F-1", ledger.Sent, "id1")
	sale := issued("id1", "F-1", connector.Status{State: connector.StateSent})
	sale.Invoice.Buyer = party(other)
	sale.Raw = wire("id1", sale.Invoice)
	purchase := sale
	purchase.Direction, purchase.Status.State = connector.Incoming, connector.StateReceived
	buyers := &platform{shelf: []connector.Remote{purchase}}
	w.opt.Account = func(id string) Platform {
		if id == other.ID {
			return buyers
		}
		return w.platform
	}
	w.restart()
	w.platform.put(sale)
	for range 3 {
		w.pass(time.Hour)
		w.rounds(1)
	}
	if got := w.received(ledger.ReceivedDelivered); len(got) != 1 || got[0].Company != other.ID {
		t.Errorf("delivered %+v, want the buyer's", got)
	}
	sale.Status.State = connector.StateDone
	w.platform.put(sale)
	w.pass(time.Hour)
	w.rounds(1)
	want := []string{"status F-1 SENT", "received F-1", "status F-1 DONE"}
	if got := slices.DeleteFunc(w.journal, func(s string) bool { return s == "callbacks_silent" }); !slices.Equal(got, want) {
		t.Errorf("told %v, want %v: the buyer's side is no status of the sale", got, want)
	}
}

func TestWhenBothPartiesAreOursEachGetsItsOwn(t *testing.T) {
	w := newWorld(t)
	w.outgoing("F-1", ledger.Sent, "out1")
	sale := issued("out1", "F-1", connector.Status{State: connector.StateDone})
	sale.Direction, sale.Invoice.Buyer = "", party(other)
	purchase := sale
	purchase.ID, purchase.Status.State, purchase.Raw = "in1", connector.StateReceived, wire("in1", sale.Invoice)
	w.platform.put(sale)
	w.platform.put(purchase)
	w.pass(10 * time.Minute)
	w.rounds(2)
	got := w.received(ledger.ReceivedDelivered)
	if len(got) != 1 || got[0].Company != other.ID || got[0].APIID != "in1" {
		t.Errorf("delivered %+v", got)
	}
	if s := w.found("F-1").Status.State; s != connector.StateDone {
		t.Errorf("our sale is %s", s)
	}
}

func TestAnInvoiceToOurselvesUnderOneIDIsNoSupplierInvoice(t *testing.T) {
	w := newWorld(t)
	w.outgoing("F-1", ledger.Sent, "id1")
	r := issued("id1", "F-1", connector.Status{State: connector.StateReceived})
	r.Direction, r.Invoice.Buyer = connector.Incoming, party(acme)
	w.platform.put(r)
	w.pass(10 * time.Minute)
	w.rounds(2)
	if n := len(w.received(ledger.ReceivedDelivered)); n != 0 {
		t.Errorf("%d supplier invoices made of our own", n)
	}
}

func TestInvoicesOfOtherSoftwareAreLeftAlone(t *testing.T) {
	w := newWorld(t)
	w.platform.put(issued("foreign", "X-1", connector.Status{State: connector.StateDone}))
	w.rounds(2)
	if n := len(w.received(ledger.ReceivedSeen)) + len(w.received(ledger.ReceivedDelivered)); n != 0 {
		t.Errorf("%d supplier invoices made of another program's sale", n)
	}
}

func TestAnInvoiceJustSentIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	w.rounds(1) // the first sweep
	before := w.platform.calls()
	w.outgoing("F-1", ledger.Sent, "id1")
	w.platform.put(issued("id1", "F-1", connector.Status{State: connector.StateSent}))
	w.rounds(1)
	if n := w.platform.calls() - before; n != 0 {
		t.Errorf("%d calls right after the answer to the POST", n)
	}
	w.pass(time.Minute)
	w.rounds(1)
	if n := w.platform.calls() - before; n != 1 {
		t.Errorf("%d calls after a minute, want 1", n)
	}
}
