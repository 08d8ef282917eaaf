package ledger

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"einvoice/connector"
	"einvoice/connector/problem"
)

func TestTakeIsTheSameUntilItsOriginalIsArchived(t *testing.T) {
	w := newWorld(t)
	nf := NewFile{Drop: "main", Place: "results", Name: "a.csv", SHA256: "sha-1", Size: 5, Modified: w.clock.now(), Owner: "erp"}
	one, err := w.TakeFile(t.Context(), nf)
	w.ok(err)
	same, err := w.TakeFile(t.Context(), nf)
	w.ok(err)
	want(t, "again", same.ID, one.ID)
	other := nf
	other.SHA256 = "sha-2"
	two, err := w.TakeFile(t.Context(), other)
	w.ok(err)
	want(t, "rewritten meanwhile: next take", two.Take, one.Take+1)
	w.ok(w.FileArchived(t.Context(), one.ID, "archive/a.csv"))
	w.wantErr(w.FileArchived(t.Context(), one.ID, "elsewhere"), ErrState)
	waiting, err := w.FilesToArchive(t.Context())
	w.ok(err)
	want(t, "to archive", len(waiting), 1)
	three, err := w.TakeFile(t.Context(), nf)
	w.ok(err)
	want(t, "dropped again: next take", three.Take, two.Take+1)
	nf.Drop = "second"
	four, err := w.TakeFile(t.Context(), nf)
	w.ok(err)
	want(t, "takes run through all drops", four.Take, three.Take+1)
	got, err := w.FileByID(t.Context(), one.ID)
	w.ok(err)
	want(t, "modified", got.Modified, w.clock.now())
	want(t, "owner, archive", got.Owner+" "+got.Archived, "erp archive/a.csv")
	_, err = w.FileByID(t.Context(), 99)
	w.wantErr(err, ErrNotFound)
}

func TestSameBytesThatCouldChangeNothing(t *testing.T) {
	for name, c := range map[string]struct {
		after func(*world, Invoice)
		first bool
	}{
		"queued":    {func(*world, Invoice) {}, true},
		"sent":      {func(w *world, inv Invoice) { w.sent(inv, "api-1") }, true},
		"uncertain": {func(w *world, inv Invoice) { w.sending(inv); w.settle(Outcome{ID: inv.ID, State: Uncertain}) }, true},
		"rejected":  {func(w *world, inv Invoice) { w.sending(inv); w.settle(Outcome{ID: inv.ID, State: Rejected}) }, false},
		"held":      {func(w *world, inv Invoice) { w.ok(w.Hold(w.t.Context(), []int64{inv.ID}, "x")) }, false},
		"in error": {func(w *world, inv Invoice) {
			w.sent(inv, "api-1")
			_, err := w.ApplyStatus(w.t.Context(), inv.ID, connector.Status{State: connector.StateError}, true)
			w.ok(err)
		}, false},
		"superseded": {func(w *world, inv Invoice) { w.release(queued(bill("F1", "2.00"))...) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			inv := w.release(queued(bill("F1", "1.00"))...)[0]
			c.after(w, inv)
			for _, place := range []string{"results", "elsewhere"} {
				f, err := w.TakeFile(t.Context(), NewFile{Drop: "main", Place: place, Name: "again.csv", SHA256: "sha-export1.csv"})
				w.ok(err)
				want(t, "first file known at "+place, f.FirstFile != 0, c.first && place == "results")
			}
		})
	}
}

func TestFileIsSettledWhenNothingIsInFlight(t *testing.T) {
	w := newWorld(t)
	staged := queued(bill("F1", "1.00"), bill("F2", "1.00"))
	staged[1].Verdict = VerdictHeld
	got := w.release(staged...)
	fileID := got[0].FileID
	due := func() int {
		files, err := w.FilesToSettle(t.Context())
		w.ok(err)
		return len(files)
	}
	want(t, "while queued", due(), 0)
	w.wantErr(w.FileSettled(t.Context(), fileID, nil), ErrState)
	w.sending(got[0])
	want(t, "while sending", due(), 0)
	w.settle(Outcome{ID: got[0].ID, State: Rejected})
	want(t, "then", due(), 1)
	copies := []Publication{{Folder: FolderRefused, Kind: KindCopy, Name: "a.refused.2.csv", SHA256: "s"}}
	w.ok(w.FileSettled(t.Context(), fileID, copies))
	w.ok(w.FileSettled(t.Context(), fileID, copies))
	want(t, "settled", due(), 0)
	pubs, err := w.PublicationsOf(t.Context(), fileID)
	w.ok(err)
	want(t, "publications", len(pubs), 3)
	want(t, "place of the copy", pubs[2].Place, "results")
	w.ok(w.ReleaseHeld(t.Context(), []int64{got[1].ID}, ""))
	w.sent(got[1], "api-2")
	want(t, "a released invoice opens its file again", due(), 1)

	owed, err := w.FilesWithoutCopy(t.Context())
	w.ok(err)
	want(t, "copy owed", len(owed), 1)
	w.ok(w.CopyDone(t.Context(), fileID, []Publication{{Folder: FolderToCheck, Kind: KindCopy, Name: "a.held.csv", SHA256: "s"}}))
	w.ok(w.CopyDone(t.Context(), fileID, nil))
	owed, err = w.FilesWithoutCopy(t.Context())
	w.ok(err)
	want(t, "copy owed", len(owed), 0)
}

func TestNamesNeverRepeatInAPlace(t *testing.T) {
	w := newWorld(t)
	var names []string
	for _, drop := range []string{"one", "two", "three"} {
		f, err := w.TakeFile(t.Context(), NewFile{Drop: drop, Place: "results", Name: "a.csv", SHA256: drop})
		w.ok(err)
		w.releaseFile(f)
		pubs, err := w.PublicationsOf(t.Context(), f.ID)
		w.ok(err)
		names = append(names, pubs[0].Name)
	}
	want(t, "names", strings.Join(names, " "), "a.csv.000001.ack.csv a.csv.000002.ack.csv a.csv.000003.ack.csv")
}

// TestSeqsHaveNoGaps publishes acks and status files of two places at once.
func TestSeqsHaveNoGaps(t *testing.T) {
	w := newWorld(t)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			f, err := w.TakeFile(t.Context(), NewFile{Drop: "main", Place: fmt.Sprint("place", i%2), Name: fmt.Sprint(i), SHA256: fmt.Sprint(i)})
			w.ok(err)
			s := queued(bill(fmt.Sprint("F", i), "1.00"), bill(fmt.Sprint("G", i), "1.00"))
			s[0].Ordinal, s[1].Ordinal, s[1].Verdict = 1, 2, VerdictHeld
			w.ok(w.Stage(t.Context(), f.ID, s))
			_, err = w.Release(t.Context(), f.ID, mappedOf(f))
			w.ok(err)
			for _, place := range []string{"place0", "place1"} {
				_, _, err := w.NumberEvents(t.Context(), place, acme, 3, func(first int64) string { return fmt.Sprintf("status_%d.csv", first) })
				w.ok(err)
			}
		})
	}
	wg.Wait()
	due, err := w.PublicationsDue(t.Context(), 1000)
	w.ok(err)
	next := map[string]int64{"place0": 1, "place1": 1}
	for _, p := range due {
		if p.SeqFrom == 0 {
			continue
		}
		if p.SeqFrom != next[p.Place] {
			t.Errorf("%s of %s begins at %d, want %d", p.Name, p.Place, p.SeqFrom, next[p.Place])
		}
		next[p.Place] = p.SeqTo + 1
		if p.Kind == KindStatus {
			for i, e := range all(t, w.EventsOf(t.Context(), p)) {
				want(t, "seq of event", e.Seq, p.SeqFrom+int64(i))
			}
		}
	}
}

func TestStatusFileTellsEventsInOrder(t *testing.T) {
	w := newWorld(t)
	inv := w.release(queued(bill("F1", "1.00"))...)[0]
	w.sending(inv)
	w.settle(Outcome{ID: inv.ID, State: Uncertain, Problems: []problem.Problem{{Code: "E5101", Value: "timeout"}}})
	w.settle(Outcome{ID: inv.ID, State: Sent, APIID: "api-1"})
	pairs, err := w.PlacesWithEvents(t.Context())
	w.ok(err)
	want(t, "pairs", fmt.Sprint(pairs), "[[results acme]]")
	waiting := func(place, company string, most, n int) {
		t.Helper()
		got, err := w.EventsWaiting(t.Context(), place, company, most)
		w.ok(err)
		want(t, fmt.Sprintf("waiting of %s, %s, up to %d", place, company, most), got, n)
	}
	waiting("results", acme, 100, 3)
	waiting("results", acme, 2, 2)
	waiting("results", "other", 100, 0)
	waiting("elsewhere", acme, 100, 0)
	pub, ok, err := w.NumberEvents(t.Context(), "results", acme, 100, func(first int64) string { return fmt.Sprintf("status_%d.csv", first) })
	w.ok(err)
	want(t, "made", ok, true)
	want(t, "name", pub.Name, "status_2.csv") // 1 is the line of the ack
	events := all(t, w.EventsOf(t.Context(), pub))
	want(t, "kinds", fmt.Sprint(events[0].Kind, events[1].Kind, events[2].Kind), "UNCERTAINRESOLVEDSENT")
	e := events[2]
	want(t, "event", fmt.Sprint(e.Number, e.ERPKey, e.APIID, e.SourceFile, e.SourceRow, e.Status.State), "F1erp-F1api-1export1.csv2NEW")
	want(t, "problem", events[0].Problem.Value, "timeout")
	waiting("results", acme, 100, 0)
	_, ok, err = w.NumberEvents(t.Context(), "results", acme, 100, nil)
	w.ok(err)
	want(t, "nothing left", ok, false)
}

func TestPublicationsKeepTheirOrderWhenOneIsPostponed(t *testing.T) {
	w := newWorld(t)
	w.release(queued(bill("F1", "1.00"))...)
	w.release(queued(bill("F2", "1.00"))...)
	f, err := w.TakeFile(t.Context(), NewFile{Drop: "main", Place: "other", Name: "x", SHA256: "x"})
	w.ok(err)
	w.releaseFile(f, queued(bill("F3", "1.00"))...)
	kinds := func() string {
		due, err := w.PublicationsDue(t.Context(), 100)
		w.ok(err)
		var k []string
		for _, p := range due {
			k = append(k, fmt.Sprint(p.Place, ":", p.Kind, p.SeqFrom))
		}
		return strings.Join(k, " ")
	}
	want(t, "all", kinds(), "results:ack1 results:summary0 results:ack2 results:summary0 other:ack1 other:summary0")
	due, err := w.PublicationsDue(t.Context(), 1)
	w.ok(err)
	first := due[0]
	w.ok(w.PostponePublication(t.Context(), first.ID, w.clock.now().Add(time.Minute)))
	want(t, "a later number never overtakes", kinds(), "results:summary0 results:summary0 other:ack1 other:summary0")
	w.clock.turn(time.Minute)
	w.ok(w.FixPublications(t.Context(), []Rendered{{ID: first.ID, SHA256: "sha", Body: []byte("body")}}))
	w.ok(w.FixPublications(t.Context(), []Rendered{{ID: first.ID, SHA256: "sha", Body: []byte("body")}}))
	w.wantErr(w.FixPublications(t.Context(), []Rendered{{ID: first.ID, SHA256: "other bytes"}}), ErrState)
	w.ok(w.MarkPublished(t.Context(), first.ID))
	w.ok(w.MarkPublished(t.Context(), first.ID))
	w.wantErr(w.PostponePublication(t.Context(), first.ID, w.clock.now()), ErrState)
	want(t, "the rest", kinds(), "results:summary0 results:ack2 results:summary0 other:ack1 other:summary0")
}

func TestCallbacksAreRecordedOnceAndAgainWhenTheyComeBack(t *testing.T) {
	w := newWorld(t)
	cb := Callback{Company: acme, Event: "customer-invoice", APIID: "api-1", BodySHA256: "sha", ReceivedAt: w.clock.now()}
	due := func() []Callback {
		cs, err := w.CallbacksDue(t.Context(), 10)
		w.ok(err)
		return cs
	}
	w.ok(w.RecordCallback(t.Context(), cb))
	w.ok(w.RecordCallback(t.Context(), cb))
	want(t, "rows", len(due()), 1)
	id := due()[0].ID
	w.ok(w.PostponeCallbacks(t.Context(), []int64{id}, w.clock.now().Add(time.Minute)))
	want(t, "postponed", len(due()), 0)
	w.clock.turn(time.Minute)
	w.ok(w.CallbacksDone(t.Context(), []int64{id}))
	want(t, "done", len(due()), 0)
	w.ok(w.RecordCallback(t.Context(), cb))
	want(t, "the same state came back", len(due()), 1)
}

func TestStatusesNeverRunBackwards(t *testing.T) {
	at := func(h int) time.Time { return time.Date(2026, 10, 5, h, 0, 0, 0, time.UTC) }
	w := newWorld(t)
	inv := w.release(queued(bill("F1", "1.00"))...)[0]
	_, err := w.ApplyStatus(t.Context(), inv.ID, connector.Status{State: connector.StateDone}, false)
	w.wantErr(err, ErrState)
	w.sent(inv, "api-1")
	for i, c := range []struct {
		s       connector.Status
		fresh   bool
		changed bool
	}{
		{connector.Status{State: connector.StateNew, At: at(1)}, false, false}, // says what is known
		{connector.Status{State: connector.StateSent, Code: 201, At: at(3)}, false, true},
		{connector.Status{State: connector.StateSent, Code: 200, At: at(2)}, false, false}, // older
		{connector.Status{State: connector.StateDone, Code: 205, At: at(4)}, false, true},
		{connector.Status{State: connector.StateSent, Code: 202}, false, false}, // would undo a final state
		{connector.Status{State: connector.StateDone, Code: 205, At: at(5)}, false, false},
		{connector.Status{State: connector.StateDone, Code: 212, External: "Encaissée", At: at(6)}, false, true},
		{connector.Status{State: connector.StateError, Code: 210, At: at(7)}, false, true},
		{connector.Status{State: "NEWS_TO_US", At: at(8)}, true, true}, // re-read: the platform says so
	} {
		changed, err := w.ApplyStatus(t.Context(), inv.ID, c.s, c.fresh)
		w.ok(err)
		want(t, fmt.Sprint("step ", i), changed, c.changed)
	}
	want(t, "events", w.kinds(inv), "SENT STATUS STATUS STATUS STATUS STATUS")
	now := w.again(inv).Status
	want(t, "last", now, connector.Status{State: "NEWS_TO_US", At: at(8)})
}

func TestWatchReturnsWhatWasJustSent(t *testing.T) {
	w := newWorld(t)
	got := w.release(queued(bill("F1", "1.00"), bill("F2", "1.00"))...)
	w.sent(got[0], "api-1")
	watched, err := w.Watch(t.Context(), 10)
	w.ok(err)
	want(t, "watched", len(watched), 1)
	want(t, "watched", watched[0].APIID+" "+string(watched[0].Status.State), "api-1 NEW")
	want(t, "sent at", watched[0].SentAt, w.clock.now())
	w.ok(w.Polled(t.Context(), []int64{got[0].ID, got[1].ID}, w.clock.now().Add(time.Minute)))
	watched, err = w.Watch(t.Context(), 10)
	w.ok(err)
	want(t, "too early", len(watched), 0)
	w.clock.turn(time.Minute)
	watched, err = w.Watch(t.Context(), 10)
	w.ok(err)
	want(t, "due again", len(watched), 1)
	w.ok(w.Polled(t.Context(), []int64{got[0].ID}, time.Time{}))
	w.clock.turn(1000 * time.Hour)
	watched, err = w.Watch(t.Context(), 10)
	w.ok(err)
	want(t, "never again", len(watched), 0)
}

func TestOneCompanyDoesNotFillTheListOfSupplierInvoices(t *testing.T) {
	w := newWorld(t)
	for _, one := range [][2]string{{acme, "a1"}, {acme, "a2"}, {acme, "a3"}, {bakery, "b1"}} {
		_, err := w.SeeReceived(t.Context(), one[0], one[1])
		w.ok(err)
	}
	seen, err := w.ReceivedIn(t.Context(), ReceivedSeen, 2)
	w.ok(err)
	ids := ""
	for _, r := range seen {
		ids += r.APIID + " "
	}
	want(t, "two of each", ids, "a1 a2 b1 ")
}

func TestSupplierInvoiceGoesThroughItsStates(t *testing.T) {
	w := newWorld(t)
	first, err := w.SeeReceived(t.Context(), acme, "in-1")
	w.ok(err)
	again, err := w.SeeReceived(t.Context(), bakery, "in-1")
	w.ok(err)
	want(t, "first, again", fmt.Sprint(first, again), "true false")
	seen, err := w.ReceivedIn(t.Context(), ReceivedSeen, 10)
	w.ok(err)
	r := seen[0]
	w.wantErr(w.Built(t.Context(), r.ID, "b", "f"), ErrState)
	w.wantErr(w.Delivered(t.Context(), r.ID, "2026-10/x"), ErrState)
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		paris = time.FixedZone("CEST", 2*3600)
	}
	r.ReceivedAt = time.Date(2026, 10, 1, 0, 30, 0, 0, paris) // still September in UTC
	r.Supplier, r.SupplierID, r.Number, r.Gross, r.Currency, r.IssueDate, r.ToCheck, r.Kept, r.ERP = "Fournisseur", "732829320", "S1", connector.MustAmount("12.50"), "EUR", "2026-09-30", true, true, ERPDue
	r.Alerts = []problem.Problem{{Code: "E4900", Severity: problem.Warn}}
	w.ok(w.Fetched(t.Context(), r))
	w.wantErr(w.Fetched(t.Context(), r), ErrState)
	w.ok(w.Built(t.Context(), r.ID, ".build/1", "2026-10/x"))
	w.ok(w.Delivered(t.Context(), r.ID, "2026-10/x"))
	october := all(t, w.ReceivedOfMonth(t.Context(), acme, "2026-10", paris))
	want(t, "october", len(october), 1)
	got := october[0]
	want(t, "as fetched", fmt.Sprint(got.Supplier, got.Gross, got.ToCheck, got.Alerts[0].Code, got.Folder, got.BuildName, got.State), "Fournisseur12.50 trueE49002026-10/x.build/1delivered")
	want(t, "september", len(all(t, w.ReceivedOfMonth(t.Context(), acme, "2026-09", paris))), 0)
	prior, err := w.PriorReceived(t.Context(), acme, "732829320", 5)
	w.ok(err)
	want(t, "prior", len(prior), 1)
	forERP := func() int {
		due, err := w.ReceivedForERP(t.Context(), acme, 9)
		w.ok(err)
		return len(due)
	}
	want(t, "kept out of the ERP's delivery", forERP(), 0)
	w.ok(w.ReleaseReceived(t.Context(), []int64{r.ID}, "looked at"))
	w.wantErr(w.ReleaseReceived(t.Context(), []int64{r.ID}, ""), ErrState)
	want(t, "released", forERP(), 1)
	w.ok(w.DeliveredToERP(t.Context(), r.ID))
	w.wantErr(w.DeliveredToERP(t.Context(), r.ID), ErrState)
	want(t, "done", forERP(), 0)
	w.ok(w.OfferToERP(t.Context(), []int64{r.ID}))
	want(t, "offered again", forERP(), 1)
	for _, ask := range []connector.Date{"2026-09-01", "2020-01-01"} {
		since, err := w.ReceivedSince(t.Context(), acme, ask)
		w.ok(err)
		want(t, "since", since, "2026-09-01")
	}
}

func TestFindAndStory(t *testing.T) {
	w := newWorld(t)
	inv := w.release(queued(bill("F1", "1.00"))...)[0]
	w.clock.turn(time.Second)
	w.sending(inv)
	w.clock.turn(time.Second)
	w.settle(Outcome{ID: inv.ID, State: Uncertain, Note: "reset by peer"})
	w.clock.turn(time.Second)
	w.lookedUp(inv, true)
	w.clock.turn(time.Second)
	w.settle(Outcome{ID: inv.ID, State: Sent, APIID: "api-1"})
	pub, _, err := w.NumberEvents(t.Context(), "results", acme, 9, func(int64) string { return "status_x.csv" })
	w.ok(err)
	w.ok(w.MarkPublished(t.Context(), pub.ID))
	for _, text := range []string{"F1", "api-1", "erp-F1"} {
		found, err := w.Find(t.Context(), text)
		w.ok(err)
		want(t, "found by "+text, len(found), 1)
	}
	found, err := w.Find(t.Context(), "")
	w.ok(err)
	want(t, "found by nothing", len(found), 0)
	story, err := w.Story(t.Context(), inv.ID)
	w.ok(err)
	var what []string
	for _, s := range story {
		what = append(what, s.What)
	}
	want(t, "story", strings.Join(what, " "),
		"taken mapped released archived sending answered event lookup lookup event event published published published")
	if !strings.Contains(story[0].Text, "taken from drop") {
		t.Errorf("in English: %s", story[0].Text)
	}
	french, err := w.Story(t.Context(), inv.ID, problem.French)
	w.ok(err)
	for i, s := range french {
		switch {
		case strings.Contains(s.Text, "%!"):
			t.Errorf("%s: %s", s.What, s.Text)
		case s.Text == story[i].Text:
			t.Errorf("%s has no French: %s", s.What, s.Text)
		}
	}
	for _, text := range []string{"verdict : à envoyer (QUEUED)", "la tentative 1 a donné : sans réponse claire; reset by peer", "élucidée (RESOLVED)",
		"fichier de statuts status_x.csv écrit avec l'événement sans réponse claire (UNCERTAIN), seq 2", "introuvable, alors qu'une facture plus récente est visible"} {
		if !slices.ContainsFunc(french, func(s Step) bool { return strings.Contains(s.Text, text) }) {
			t.Errorf("nothing says %q in %v", text, french)
		}
	}
	files, err := w.FindFiles(t.Context(), "export1.csv")
	w.ok(err)
	want(t, "files", len(files), 1)
	_, err = w.Story(t.Context(), 99)
	w.wantErr(err, ErrNotFound)
}

func TestEveryViewAnswers(t *testing.T) {
	w := newWorld(t)
	w.release(queued(bill("F1", "1.00"))...)
	views, err := list(t.Context(), w.read, scanOne[string], "SELECT name FROM sqlite_master WHERE type = 'view'")
	w.ok(err)
	for _, v := range views {
		if _, err := first(t.Context(), w.read, scanOne[int], "SELECT COUNT(*) FROM (SELECT * FROM "+v+")"); err != nil {
			t.Errorf("%s: %v", v, err)
		}
	}
	n, err := first(t.Context(), w.read, scanOne[int], "SELECT COUNT(*) FROM open_invoices")
	w.ok(err)
	want(t, "open invoices", n, 1)
}

func TestBackupOpensAsALedger(t *testing.T) {
	w := newWorld(t)
	w.ok(w.Put(t.Context(), "a", "b"))
	dir := t.TempDir()
	w.ok(w.Backup(t.Context(), Config{Path: dir}.File()))
	r, err := OpenReader(t.Context(), Config{Path: dir})
	w.ok(err)
	want(t, "id", r.ID(), w.ID())
	w.ok(r.Close())
}

func TestTheSameBodyForTwoCompaniesIsTwoCallbacks(t *testing.T) {
	w := newWorld(t)
	for _, company := range []string{acme, bakery, acme} {
		w.ok(w.RecordCallback(t.Context(), Callback{Company: company, Event: "customer-invoice", BodySHA256: "same"}))
	}
	due, err := w.CallbacksDue(t.Context(), 10)
	w.ok(err)
	want(t, "rows", len(due), 2)
}

// TestAFileIsNotSettledBesideWhatIsReleased puts both verbs into one transaction:
// the counts of the first must be there for the second.
func TestAFileIsNotSettledBesideWhatIsReleased(t *testing.T) {
	for name, settle := range map[string]func(*world, int64) error{
		"alone": func(w *world, id int64) error {
			if err := w.FileSettled(t.Context(), id, nil); !errors.Is(err, ErrState) {
				return fmt.Errorf("settled: %v", err)
			}
			return nil
		},
		"with others": func(w *world, id int64) error {
			settled, err := w.SettlePlain(t.Context(), []int64{id})
			if len(settled) > 0 {
				return errors.New("settled")
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			staged := queued(bill("F1", "1.00"))
			staged[0].Verdict = VerdictHeld
			held := w.release(staged...)[0]
			real := w.write
			w.write = &writer{ops: make(chan *op)}
			released, settled := make(chan error, 1), make(chan error, 1)
			go func() { released <- w.ReleaseHeld(t.Context(), []int64{held.ID}, "") }()
			batch := []*op{<-w.write.ops}
			go func() { settled <- settle(w, held.FileID) }()
			batch = append(batch, <-w.write.ops)
			w.write = real
			real.together(batch)
			w.ok(<-released)
			w.ok(<-settled)
		})
	}
}

func TestAnswersOfFewBytesAreKeptInTheLedgerUntilTheyAreTrimmed(t *testing.T) {
	w := newWorld(t)
	w.release(queued(bill("F1", "1.00"))...)
	due, err := w.PublicationsDue(t.Context(), 10)
	w.ok(err)
	if len(due) != 2 {
		t.Fatalf("due: %+v", due)
	}
	w.ok(w.FixPublications(t.Context(), []Rendered{{ID: due[0].ID, SHA256: "a", Body: []byte{}}, {ID: due[1].ID, SHA256: "b"}}))
	if body, err := w.BodyOf(t.Context(), due[0].ID); err != nil || body == nil || len(body) != 0 {
		t.Errorf("an empty answer is read as %v, %v", body, err)
	}
	_, err = w.BodyOf(t.Context(), due[1].ID)
	w.wantErr(err, ErrNotFound)
	w.ok(w.MarkPublished(t.Context(), due[0].ID))
	for _, c := range []struct {
		before time.Time
		want   int64
	}{{w.clock.now(), 0}, {w.clock.now().Add(time.Hour), 1}, {w.clock.now().Add(time.Hour), 0}} {
		if n, err := w.TrimAnswers(t.Context(), c.before); err != nil || n != c.want {
			t.Errorf("trimmed %d, want %d: %v", n, c.want, err)
		}
	}
	w.wantErr(w.FixPublications(t.Context(), []Rendered{{ID: due[0].ID, SHA256: "other"}, {ID: due[1].ID, SHA256: "b"}}), ErrState)
}

func TestOnlyFilesThatGiveNothingBackAreSettledTogether(t *testing.T) {
	w := newWorld(t)
	var ids []int64
	var invs []Invoice
	for i := range 3 {
		inv := w.release(queued(bill(fmt.Sprint("F", i), "1.00"))...)[0]
		ids, invs = append(ids, inv.FileID), append(invs, inv)
	}
	w.sent(invs[0], "id0")
	w.sending(invs[1])
	w.settle(Outcome{ID: invs[1].ID, State: Rejected, HTTP: 422})
	for range 2 {
		got, err := w.SettlePlain(t.Context(), ids)
		w.ok(err)
		if len(got) > 1 || len(got) == 1 && got[0] != ids[0] {
			t.Fatalf("settled %v of %v: one was rejected, one is queued", got, ids)
		}
	}
	f, err := w.FileByID(t.Context(), ids[0])
	w.ok(err)
	if f.SettledAt.IsZero() {
		t.Error("the plain one is not settled")
	}
	w.ok(w.Hold(t.Context(), []int64{invs[2].ID}, "by hand"))
	if got, err := w.SettlePlain(t.Context(), ids); err != nil || len(got) != 0 {
		t.Errorf("settled %v, %v: what is held on its way is given back", got, err)
	}
	left, err := w.FilesToSettle(t.Context())
	w.ok(err)
	if len(left) != 2 || left[0].ID != ids[1] {
		t.Errorf("left to settle: %+v", left)
	}
}

func TestExceptionsAreWhatWasNotMerelyQueuedAndWhatWasRejected(t *testing.T) {
	w := newWorld(t)
	staged := queued(bill("F1", "1.00"), bill("F2", "2.00"), bill("F3", "3.00"), bill("F4", "4.00"))
	staged[1].Verdict = VerdictIgnored
	staged[3].Verdict = VerdictHeld
	got := w.release(staged...)
	w.sending(got[2])
	w.settle(Outcome{ID: got[2].ID, State: Rejected, HTTP: 422})
	var numbers []string
	for _, inv := range all(t, w.ExceptionsOf(t.Context(), got[0].FileID)) {
		numbers = append(numbers, inv.Key.Number)
	}
	want(t, "exceptions", strings.Join(numbers, " "), "F2 F3 F4")
}
