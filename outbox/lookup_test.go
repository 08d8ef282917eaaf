package outbox

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"einvoice/connector"
	"einvoice/connector/api"
	"einvoice/connector/drop"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
	"einvoice/connector/sandbox"
	"einvoice/connector/setting"
)

// newBoxed is an outbox with the real client and the sandbox, which has the
// rig's clock.
func newBoxed(t *testing.T) (*rig, *sandbox.Sandbox) {
	t.Helper()
	var box *sandbox.Sandbox
	r := newRig(t, nil)
	box, err := sandbox.New(sandbox.Options{Now: r.clock.now, Switches: sandbox.Switches{Limit: 100}})
	r.must(err)
	platform := httptest.NewServer(box)
	t.Cleanup(func() { platform.Close(); box.Close() })
	registerSeller(t, platform.URL)
	cfg := api.Defaults()
	cfg.BaseURL = platform.URL
	client, err := api.New(cfg, api.Options{Now: r.clock.now, Token: func(context.Context, bool) (setting.Secret, error) { return "any", nil }})
	r.must(err)
	t.Cleanup(client.Close)
	r.must(r.Ledger.Close())
	r.dir = t.TempDir()
	r.open(func(o *Options, _ *drop.Config) { o.Platform = client })
	return r, box
}

// pass lets time go by, with all that is due in it.
func (r *rig) pass(d time.Duration) {
	r.t.Helper()
	for ; d > 0; d -= 10 * time.Minute {
		r.clock.add(min(d, 10*time.Minute))
		_, err := r.resolveDue(context.Background())
		r.must(err)
		r.sendAll()
	}
}

// timesAt counts the invoices of a number at the platform.
func timesAt(box *sandbox.Sandbox, number string) int {
	for _, d := range box.Books().Documents {
		if d.Number == number {
			return len(d.IDs)
		}
	}
	return 0
}

// TestLookUpsSurviveListsThatLie: through the real client, one invoice arrived
// and another did not, no answer told which; lists lie in all the ways a platform
// may. Each invoice is in the end at the platform once, and ours knows it.
func TestLookUpsSurviveListsThatLie(t *testing.T) {
	list := func(kind string) sandbox.Fault { return sandbox.Fault{On: "GET /FR-invoices", Kind: kind} }
	for _, c := range []struct {
		name   string
		faults []sandbox.Fault
	}{
		{"honest", nil},
		{"filters are ignored", []sandbox.Fault{list("ignore_filters")}},
		{"pages lack their second half", []sandbox.Fault{list("truncate_list")}},
		{"both", []sandbox.Fault{list("ignore_filters"), list("truncate_list")}},
		{"what is new shows 20 minutes later", []sandbox.Fault{{On: "POST /FR-invoices", Kind: "visibility_delay", Delay: 20 * time.Minute}}},
		{"the same, without filters", []sandbox.Fault{list("ignore_filters"), {On: "POST /FR-invoices", Kind: "visibility_delay", Delay: 20 * time.Minute}}},
		{"totals are a cent higher", []sandbox.Fault{{On: "POST /FR-invoices", Kind: "normalise_cent"}}},
		{"lists fail for a while", []sandbox.Fault{{On: "GET /FR-invoices", Kind: "status", Status: 500, Count: 4}}},
		{"lists are web pages for a while", []sandbox.Fault{{On: "GET /FR-invoices", Kind: "html", Count: 4}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, box := newBoxed(t)
			r.drop("before.csv", numbers("BEFORE", 30))
			r.intake()
			r.sendAll()
			for _, f := range c.faults {
				box.AddFault(f)
			}
			box.AddFault(sandbox.Fault{On: "POST /FR-invoices", Kind: "reset_after", Number: "ARRIVED", Count: 1})
			box.AddFault(sandbox.Fault{On: "POST /FR-invoices", Kind: "reset_before", Number: "LOST", Count: 1})
			r.drop("doubtful.csv", header+row("ARRIVED", "10.00")+row("LOST", "10.00"))
			r.intake()
			r.sendAll()
			if got := r.pending(ledger.Uncertain); got != 2 {
				t.Fatalf("%d are in doubt, want 2", got)
			}
			r.clock.add(time.Second)
			r.drop("after.csv", numbers("AFTER", 10)) // witnesses
			r.intake()
			r.pass(6 * time.Hour)
			for _, number := range []string{"ARRIVED", "LOST"} {
				r.want(number, ledger.Sent)
				if n := timesAt(box, number); n != 1 {
					t.Errorf("%s is at the platform %d times", number, n)
				}
			}
		})
	}
}

// TestAnAbsenceIsNoProofWhileLaterInvoicesDoNotShowEither: the platform shows
// what is new after two hours, longer than the look-ups go on.
func TestAnAbsenceIsNoProofWhileLaterInvoicesDoNotShowEither(t *testing.T) {
	r, box := newBoxed(t)
	r.drop("before.csv", numbers("BEFORE", 3))
	r.intake()
	r.sendAll()
	r.clock.add(time.Second)
	box.AddFault(sandbox.Fault{On: "POST /FR-invoices", Kind: "visibility_delay", Delay: 3 * time.Hour})
	box.AddFault(sandbox.Fault{On: "POST /FR-invoices", Kind: "reset_after", Number: "ARRIVED", Count: 1})
	r.drop("doubtful.csv", header+row("ARRIVED", "10.00"))
	r.intake()
	r.sendAll()
	for i := range 4 {
		r.drop(fmt.Sprintf("later%d.csv", i), numbers(fmt.Sprintf("LATER%d", i), 2))
		r.intake()
		r.pass(40 * time.Minute)
		r.want("ARRIVED", ledger.Uncertain)
	}
	r.pass(2 * time.Hour)
	r.want("ARRIVED", ledger.Sent)
	if n := timesAt(box, "ARRIVED"); n != 1 {
		t.Errorf("it is at the platform %d times", n)
	}
}

// TestWhatComesToBeHeldOnItsWayIsInToCheckAsWell: an invoice about which nothing
// could be proven, one that could not leave for days, and one that a person
// holds. The copy says why and what to do; dropped back with its column filled
// in, it lets them go, which is recorded.
func TestWhatComesToBeHeldOnItsWayIsInToCheckAsWell(t *testing.T) {
	r := newRig(t, nil)
	away := true
	r.api.answer = func(inv connector.Invoice, _ int) api.Answer {
		switch {
		case !away:
			return api.Answer{Fate: api.Sent}
		case inv.Number == "DOUBT":
			return api.Answer{Fate: api.Unsure}
		}
		return api.Answer{Fate: api.Later, Scope: api.ScopeCredential}
	}
	r.drop("a.csv", header+row("DOUBT", "10.00")+row("STUCK", "10.00")+row("BY-HAND", "10.00"))
	r.intake()
	found, err := r.Ledger.Find(t.Context(), "BY-HAND")
	r.must(err)
	r.must(r.Ledger.Hold(t.Context(), []int64{found[0].ID}, "ask Anne"))
	for range 80 { // hours
		r.sendAll()
		_, err := r.resolveDue(t.Context())
		r.must(err)
		r.clock.add(time.Hour)
	}
	for _, number := range []string{"DOUBT", "STUCK", "BY-HAND"} {
		r.want(number, ledger.Held)
	}
	r.must(r.settleFiles(t.Context()))
	name, text := r.toCheck()
	for _, want := range []string{"DOUBT;", "STUCK;", "BY-HAND;", ";_release", "nothing has proven", "einvoice resolve", "we stopped trying", "ask Anne"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s:\n%s", want, name, text)
		}
	}
	away = false
	lines := strings.Split(strings.TrimRight(text, "\r\n"), "\n")
	for i := range lines[1:] {
		lines[i+1] = strings.TrimRight(lines[i+1], "\r") + "yes"
	}
	r.drop(name, strings.Join(lines, "\n")+"\n")
	r.intake()
	r.sendAll()
	for _, number := range []string{"DOUBT", "STUCK", "BY-HAND"} {
		found, err := r.Ledger.Find(t.Context(), number)
		r.must(err)
		first := found[len(found)-1]
		story, err := r.Ledger.Story(t.Context(), first.ID)
		r.must(err)
		if told := fmt.Sprintf("%+v", story); first.State != ledger.Sent || !strings.Contains(told, "released by dropping "+name) {
			t.Errorf("%s is %s: %s", number, first.State, told)
		}
	}
}

// sparse shows less of invoices in its lists than it has, or cannot be read.
type sparse struct {
	*platform
	show func(*connector.Remote)
	err  error
}

func (p *sparse) List(ctx context.Context, q api.Query) iter.Seq2[connector.Remote, error] {
	return func(yield func(connector.Remote, error) bool) {
		if p.err != nil {
			yield(connector.Remote{}, p.err)
			return
		}
		for r, err := range p.platform.List(ctx, q) {
			if p.show != nil {
				p.show(&r)
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// TestListsThatShowLittleProveNoAbsence: the invoice arrived, its answer did not.
// Lists show it, but not by which it is known. Nor does a sweep send it again.
func TestListsThatShowLittleProveNoAbsence(t *testing.T) {
	for _, c := range []struct {
		lacks string
		show  func(*connector.Remote)
		want  ledger.State
	}{
		{"date", func(r *connector.Remote) { r.Invoice.IssueDate = "" }, ledger.Sent},
		{"number", func(r *connector.Remote) { r.Invoice.Number = "" }, ledger.Held},
	} {
		t.Run(c.lacks, func(t *testing.T) {
			r := newRig(t, nil)
			r.Platform = &sparse{platform: r.api, show: c.show}
			r.api.answer = func(inv connector.Invoice, post int) api.Answer {
				if inv.Number == "ARRIVED" && post == 1 {
					r.api.take(inv)
					return api.Answer{Fate: api.Unsure}
				}
				return api.Answer{Fate: api.Sent}
			}
			r.drop("a.csv", header+row("ARRIVED", "10.00"))
			r.intake()
			r.sendAll()
			r.witness("b.csv")
			r.pass(25 * time.Hour)
			r.want("ARRIVED", c.want)
			r.posts("ARRIVED", 1)
		})
	}
}

// witness drops an invoice that is posted after those in doubt.
func (r *rig) witness(file string) {
	r.t.Helper()
	r.clock.add(time.Second)
	r.drop(file, header+row("WITNESS", "10.00"))
	r.intake()
}

// byNumber shows an invoice to those who ask for its number, and on no day.
type byNumber struct {
	*platform
	number string
}

func (p *byNumber) List(ctx context.Context, q api.Query) iter.Seq2[connector.Remote, error] {
	return func(yield func(connector.Remote, error) bool) {
		for r, err := range p.platform.List(ctx, q) {
			if q.Number == "" && r.Invoice.Number == p.number {
				continue
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// TestWhatItsNumberShowsIsNotAbsentBesideAnotherDoubt: the list of the day, which
// is walked for the other one, lacks it.
func TestWhatItsNumberShowsIsNotAbsentBesideAnotherDoubt(t *testing.T) {
	r := newRig(t, nil)
	r.Platform = &byNumber{r.api, "ARRIVED"}
	r.api.answer = func(inv connector.Invoice, post int) api.Answer {
		if inv.Number == "WITNESS" || post > 1 {
			return api.Answer{Fate: api.Sent}
		}
		if inv.Number == "ARRIVED" {
			r.api.take(inv)
		}
		return api.Answer{Fate: api.Unsure}
	}
	r.drop("a.csv", header+row("ARRIVED", "10.00")+row("LOST", "10.00"))
	r.intake()
	r.sendAll()
	r.witness("b.csv")
	r.pass(6 * time.Hour)
	r.want("ARRIVED", ledger.Sent)
	r.posts("ARRIVED", 1)
	r.posts("LOST", 2)
}

// TestASweepKnowsAnInvoiceThatIsShownWithoutItsDate: else it would go again.
func TestASweepKnowsAnInvoiceThatIsShownWithoutItsDate(t *testing.T) {
	r := newRig(t, nil)
	r.Platform = &sparse{platform: r.api, show: func(r *connector.Remote) { r.Invoice.IssueDate = "" }}
	r.api.take(connector.Invoice{Number: "F1", IssueDate: "2026-11-02", Totals: connector.Totals{Gross: connector.MustAmount("12.00")}})
	r.drop("a.csv", header+row("F1", "10.00"))
	r.intake()
	r.sendAll()
	r.want("F1", ledger.Sent)
	r.posts("F1", 0)
}

// TestATotalRoundedByTheSmallestCoinIsTheSame: a yen has no cents.
func TestATotalRoundedByTheSmallestCoinIsTheSame(t *testing.T) {
	r := newRig(t, nil)
	for _, c := range []struct {
		currency, ours, theirs string
		want                   ledger.State
	}{
		{"EUR", "120.00", "120.01", ledger.Sent},
		{"EUR", "120.00", "120.02", ledger.Held},
		{"EUR", "120.00", "121.00", ledger.Held},
		{"", "120.00", "120.02", ledger.Held},
		{"JPY", "4446", "4446.00", ledger.Sent},
		{"JPY", "4446", "4447", ledger.Sent},
		{"JPY", "4446", "4448", ledger.Held},
		{"TND", "1.000", "1.001", ledger.Sent},
	} {
		found := connector.Remote{ID: "id", Invoice: connector.Invoice{Currency: c.currency, Totals: connector.Totals{Gross: connector.MustAmount(c.theirs)}}}
		if got := r.adopt(ledger.Doubt{Gross: connector.MustAmount(c.ours)}, found).State; got != c.want {
			t.Errorf("%s %s found as %s: %s, want %s", c.currency, c.ours, c.theirs, got, c.want)
		}
	}
}

// restless is a platform of whose list something is missed by who reads it once.
type restless struct{ *platform }

func (p *restless) List(ctx context.Context, q api.Query) iter.Seq2[connector.Remote, error] {
	return func(yield func(connector.Remote, error) bool) {
		for r, err := range p.platform.List(ctx, q) {
			if (q.Again || r.Invoice.Number != "MISSED") && !yield(r, err) {
				return
			}
		}
	}
}

// TestASweepReadsAListAgainWhoseItemsMove: else what was missed would go again.
func TestASweepReadsAListAgainWhoseItemsMove(t *testing.T) {
	r := newRig(t, nil)
	r.Platform = &restless{r.api}
	r.api.take(connector.Invoice{Number: "MISSED", IssueDate: "2026-11-02", Totals: connector.Totals{Gross: connector.MustAmount("12.00")}})
	r.drop("a.csv", header+row("MISSED", "10.00"))
	r.intake()
	r.sendAll()
	r.want("MISSED", ledger.Sent)
	r.posts("MISSED", 0)
}

// TestALookUpTellsAnInvoiceFromTheRejectedOneBeforeIt: the first of its number was
// found inadmissible (501); of the one that took its place no answer came.
func TestALookUpTellsAnInvoiceFromTheRejectedOneBeforeIt(t *testing.T) {
	for _, arrived := range []bool{true, false} {
		t.Run(fmt.Sprintf("arrived %v", arrived), func(t *testing.T) {
			r := newRig(t, nil)
			r.drop("a.csv", header+row("F1", "10.00"))
			r.intake()
			r.sendAll()
			found, err := r.Ledger.Find(t.Context(), "F1")
			r.must(err)
			_, err = r.Ledger.ApplyStatus(t.Context(), found[0].ID, connector.Status{State: connector.StateError, Code: 501}, true)
			r.must(err)
			r.api.answer = func(inv connector.Invoice, post int) api.Answer {
				if inv.Number != "F1" || post != 2 {
					return api.Answer{Fate: api.Sent}
				}
				if arrived {
					r.api.take(inv)
				}
				return api.Answer{Fate: api.Unsure}
			}
			r.drop("b.csv", header+row("F1", "10.00"))
			r.intake()
			r.sendAll()
			r.want("F1", ledger.Uncertain)
			r.witness("c.csv")
			r.pass(6 * time.Hour)
			r.want("F1", ledger.Sent)
			r.posts("F1", map[bool]int{true: 2, false: 3}[arrived])
			if n := len(r.api.invoices); n != 3 { // the rejected one, the new one, the witness
				t.Errorf("%d at the platform", n)
			}
		})
	}
}

// TestWhatThePlatformHasAndDoesNotShowIsHeld: it says "already exists" at each
// try, and no list shows the invoice.
func TestWhatThePlatformHasAndDoesNotShowIsHeld(t *testing.T) {
	r := newRig(t, nil)
	r.api.answer = func(inv connector.Invoice, _ int) api.Answer {
		if inv.Number != "HIDDEN" {
			return api.Answer{Fate: api.Sent}
		}
		return api.Answer{Fate: api.Exists, HTTP: 409, Problems: []problem.Problem{{Code: "E4019", Severity: problem.Hold, Value: "already declared"}}}
	}
	r.drop("a.csv", header+row("HIDDEN", "10.00"))
	r.intake()
	r.sendAll()
	r.witness("b.csv")
	r.pass(24 * time.Hour)
	r.want("HIDDEN", ledger.Held)
	r.posts("HIDDEN", 1)
	if _, text := r.settledToCheck(); !strings.Contains(text, "already declared") {
		t.Errorf("what the platform said is lost:\n%s", text)
	}
}

func (r *rig) settledToCheck() (name, text string) {
	r.t.Helper()
	r.must(r.settleFiles(r.t.Context()))
	return r.toCheck()
}

// TestADoubtWhoseListsAreNeverReadIsHeld: POSTs go through, lists never end. While
// the platform is away as a whole, it is waited for.
func TestADoubtWhoseListsAreNeverReadIsHeld(t *testing.T) {
	for _, away := range []bool{false, true} {
		t.Run(fmt.Sprintf("away %v", away), func(t *testing.T) {
			r := newRig(t, nil)
			r.Platform = &sparse{platform: r.api, err: api.ErrPaging}
			r.sweep()
			r.api.answer = func(connector.Invoice, int) api.Answer { return api.Answer{Fate: api.Unsure} }
			r.drop("a.csv", header+row("DOUBT", "10.00"))
			r.intake()
			r.sendAll()
			for range breakAfter {
				if away {
					r.lanes.failed("acme", r.clock.now(), 100*time.Hour)
				}
			}
			r.pass(23 * time.Hour)
			r.want("DOUBT", ledger.Uncertain)
			r.pass(2 * time.Hour)
			r.want("DOUBT", map[bool]ledger.State{false: ledger.Held, true: ledger.Uncertain}[away])
		})
	}
}

// toCheck is the one copy for the folder of what is held.
func (r *rig) toCheck() (name, text string) {
	r.t.Helper()
	pubs, err := r.Ledger.PublicationsDue(r.t.Context(), 100)
	r.must(err)
	for _, p := range pubs {
		if p.Folder != ledger.FolderToCheck {
			continue
		}
		if name != "" {
			r.t.Errorf("two copies, %s and %s", name, p.Name)
		}
		f, err := r.Blobs.Open(p.SHA256)
		r.must(err)
		data, err := io.ReadAll(f)
		f.Close()
		r.must(err)
		name, text = p.Name, string(data)
	}
	if name == "" {
		r.t.Fatal("no copy in to-check")
	}
	return name, text
}

// TestWhatIsHeldLongAfterItsExportWasSettledIsReported: its bytes left the spool,
// a person had a refused invoice tried again, and it came to be held. Without a
// copy to make, the file is settled all the same.
func TestWhatIsHeldLongAfterItsExportWasSettledIsReported(t *testing.T) {
	r := newRig(t, nil)
	r.api.answer = func(connector.Invoice, int) api.Answer { return api.Answer{Fate: api.Refused} }
	r.drop("a.csv", header+row("F1", "10.00"))
	r.intake()
	r.sendAll()
	r.must(r.settleFiles(t.Context()))
	done, err := r.Ledger.SpoolDone(t.Context(), r.clock.now().Add(time.Hour))
	r.must(err)
	for _, sha := range done {
		r.must(r.Spool.Remove(sha))
	}
	found, err := r.Ledger.Find(t.Context(), "F1")
	r.must(err)
	r.must(r.Ledger.Retry(t.Context(), []int64{found[0].ID}))
	r.must(r.Ledger.Hold(t.Context(), []int64{found[0].ID}, "ask Anne"))
	name, text := r.settledToCheck()
	if len(done) != 1 || !strings.HasSuffix(name, ".held.report.csv") || !strings.Contains(text, "ask Anne") {
		t.Errorf("%d were trimmed; %s:\n%s", len(done), name, text)
	}
	if left, err := r.Ledger.FilesToSettle(t.Context()); err != nil || len(left) > 0 {
		t.Errorf("not settled: %v, %v", left, err)
	}
}

// TestADoubtOfAWrongClockIsHeld: the clock ran a year ahead at the attempt, so that
// nothing sent since can be a witness.
func TestADoubtOfAWrongClockIsHeld(t *testing.T) {
	r := newRig(t, nil)
	r.api.answer = func(connector.Invoice, int) api.Answer { return api.Answer{Fate: api.Unsure} }
	r.drop("a.csv", header+row("DOUBT", "10.00"))
	r.intake()
	r.clock.add(365 * 24 * time.Hour)
	r.sendAll()
	r.clock.add(-365 * 24 * time.Hour)
	r.pass(time.Hour)
	r.want("DOUBT", ledger.Held)
}

// TestADoubtIsLookedUpAfterTheMachineWasOff: over a week-end, and its network comes
// up after it. That the platform shows nothing then is no reason to ask a person.
func TestADoubtIsLookedUpAfterTheMachineWasOff(t *testing.T) {
	r := newRig(t, nil)
	lists := &sparse{platform: r.api}
	r.Platform = lists
	r.api.answer = func(inv connector.Invoice, _ int) api.Answer {
		r.api.take(inv)
		return api.Answer{Fate: api.Unsure}
	}
	r.drop("a.csv", header+row("DOUBT", "10.00"))
	r.intake()
	r.sendAll()
	r.clock.add(60 * time.Hour) // off
	lists.err = api.ErrPaging
	r.pass(time.Minute)
	r.want("DOUBT", ledger.Uncertain)
	lists.err = nil
	r.pass(10 * time.Minute)
	r.want("DOUBT", ledger.Sent)
}

// TestALookUpWaitsAsLongAsThePlatformAsks, though its own turn would come sooner.
func TestALookUpWaitsAsLongAsThePlatformAsks(t *testing.T) {
	r := newRig(t, nil)
	lists := &sparse{platform: r.api}
	r.Platform = lists
	r.api.answer = func(inv connector.Invoice, _ int) api.Answer {
		r.api.take(inv)
		return api.Answer{Fate: api.Unsure}
	}
	r.drop("a.csv", header+row("DOUBT", "10.00"))
	r.intake()
	r.sendAll()
	lists.err = &api.Error{Fate: api.Later, Scope: api.ScopeCredential, HTTP: 429, RetryAfter: 3 * time.Hour}
	r.pass(10 * time.Minute)
	lists.err = nil
	r.pass(170 * time.Minute)
	r.want("DOUBT", ledger.Uncertain)
	r.pass(10 * time.Minute)
	r.want("DOUBT", ledger.Sent)
}
