package ledger

import (
	"errors"
	"slices"
	"testing"
	"time"

	"einvoice/connector"
	"einvoice/connector/problem"
)

const day = 24 * time.Hour

func refusedBill(number string) StagedInvoice {
	return StagedInvoice{Company: acme, Invoice: bill(number, "7"), Verdict: VerdictRefused, Problems: []problem.Problem{{Code: "E3001", Severity: problem.Refuse}}}
}

// oneOfEach has an invoice in each state in which it can be left.
func oneOfEach(w *world) map[string]Invoice {
	w.t.Helper()
	ctx := w.t.Context()
	invs := w.release(queued(bill("SENT", "1"), bill("POLLED", "2"), bill("HELD", "3"), bill("SENDING", "4"), bill("DOUBT", "5"), bill("REJECTED", "6"))...)
	w.sent(invs[0], "id-sent")
	w.ok(w.Polled(ctx, []int64{invs[0].ID}, time.Time{}))
	w.sent(invs[1], "id-polled")
	w.ok(w.Polled(ctx, []int64{invs[1].ID}, w.clock.now().Add(1000*day)))
	w.ok(w.Hold(ctx, []int64{invs[2].ID}, "by hand"))
	w.sending(invs[3], invs[4], invs[5])
	w.settle(Outcome{ID: invs[4].ID, State: Uncertain, Retry: w.clock.now()})
	w.settle(Outcome{ID: invs[5].ID, State: Rejected, HTTP: 422})
	more := w.release(append(queued(bill("QUEUED", "8"), credit1("WAITING", "1", connector.Ref{Number: "SENDING", Date: "2026-10-01"})), refusedBill("REFUSED"))...)
	w.state(more[1], Waiting)
	all := map[string]Invoice{}
	for _, inv := range slices.Concat(invs, more) {
		all[inv.Key.Number] = inv
	}
	return all
}

// TestContentsGoOnlyOfWhatNothingWaitsFor: whatever its age, the content of what
// may still be sent, looked for or followed stays; keys stay for all.
func TestContentsGoOnlyOfWhatNothingWaitsFor(t *testing.T) {
	w := newWorld(t)
	all := oneOfEach(w)
	made := w.clock.now()
	w.clock.turn(5000 * day)
	n, err := w.TrimDocuments(t.Context(), made)
	w.ok(err)
	want(t, "trimmed before their time", n, 0)
	n, err = w.TrimDocuments(t.Context(), made.Add(time.Second))
	w.ok(err)
	want(t, "trimmed", n, 3)
	for number, inv := range all {
		_, err := w.Document(t.Context(), inv.ID)
		gone := errors.Is(err, ErrNotFound)
		if !gone {
			w.ok(err)
		}
		if may := slices.Contains([]string{"SENT", "REJECTED", "REFUSED"}, number); gone != may {
			t.Errorf("the content of %s is gone: %v", number, gone)
		}
		if again := w.again(inv); again.Key != inv.Key {
			t.Errorf("the key of %s changed: %+v", number, again)
		}
	}
	dup := w.release(queued(bill("SENT", "1"))...)
	w.verdict(dup[0], VerdictDuplicate, Duplicate, "E5001")
}

// TestSpooledCopiesThatAPromiseNeedsAreNotListed: one export after another needs
// its bytes for one reason more than the one that may go.
func TestSpooledCopiesThatAPromiseNeedsAreNotListed(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	settled := func(f File, copies bool) File {
		if copies {
			w.ok(w.CopyDone(ctx, f.ID, nil))
		}
		w.ok(w.FileSettled(ctx, f.ID, nil))
		return f
	}
	taken := func(archived string, sha string) File {
		w.files++
		f, err := w.TakeFile(ctx, NewFile{Drop: "main", Place: "results", Name: sha + ".csv", SHA256: sha, Size: 10})
		w.ok(err)
		if archived != "" {
			w.ok(w.FileArchived(ctx, f.ID, archived))
		}
		return f
	}
	sentOf := func(f File, number string) File {
		w.sent(w.releaseFile(f, append(queued(bill(number, "1")), refusedBill(number+"-REFUSED"))...)[0], "id-"+number)
		return f
	}
	settled(sentOf(taken("archive/a", "may-go"), "A"), true)
	settled(sentOf(taken("archive/b", "copy-owed"), "B"), false)
	settled(sentOf(taken("", "not-archived"), "C"), true)
	settled(sentOf(taken("spool:d", "spool-is-the-archive"), "D"), true)
	settled(sentOf(taken("drop:e", "left-in-the-drop"), "E"), true)
	sentOf(taken("archive/f", "not-settled"), "F")
	held := taken("archive/g", "held")
	inv := w.releaseFile(held, queued(bill("G", "1"))...)
	w.ok(w.Hold(ctx, []int64{inv[0].ID}, "by hand"))
	settled(held, true)
	taken("archive/h", "not-mapped")
	settled(sentOf(taken("archive/i", "taken-again"), "I"), true)
	taken("archive/i2", "taken-again")

	moment := w.clock.now().Add(time.Second)
	got, err := w.SpoolDone(ctx, moment)
	w.ok(err)
	if !slices.Equal(got, []string{"may-go"}) {
		t.Errorf("may go: %v", got)
	}
	if got, _ := w.SpoolDone(ctx, moment.Add(-time.Minute)); len(got) > 0 {
		t.Errorf("may go before their time: %v", got)
	}
}

// TestBodiesOfCallbacksAndAnswersThatAreOwedStay.
func TestBodiesOfCallbacksAndAnswersThatAreOwedStay(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	for _, c := range []Callback{{APIID: "1", BodySHA256: "done"}, {APIID: "2", BodySHA256: "not-done"}, {APIID: "3", BodySHA256: "both"}, {APIID: "4", BodySHA256: "original"}} {
		c.Company, c.Event, c.ReceivedAt = acme, "customer-invoice", w.clock.now()
		w.ok(w.RecordCallback(ctx, c))
	}
	due, err := w.CallbacksDue(ctx, 10)
	w.ok(err)
	var ids []int64
	for _, c := range due {
		if c.BodySHA256 != "not-done" {
			ids = append(ids, c.ID)
		}
	}
	w.ok(w.CallbacksDone(ctx, ids))
	_, err = w.SeeReceived(ctx, acme, "r1")
	w.ok(err)
	seen, err := w.ReceivedIn(ctx, ReceivedSeen, 10)
	w.ok(err)
	seen[0].RawSHA256 = "original"
	w.ok(w.Fetched(ctx, seen[0]))
	f := w.take()
	w.releaseFile(f, refusedBill("A"))
	w.ok(w.CopyDone(ctx, f.ID, []Publication{{Kind: KindCopy, Folder: FolderRefused, Name: "owed.csv", SHA256: "owed"},
		{Kind: KindReport, Folder: FolderRefused, Name: "written.csv", SHA256: "written"}, {Kind: KindNote, Folder: FolderRefused, Name: "both.txt", SHA256: "both"}}))
	pubs, err := w.PublicationsDue(ctx, 10)
	w.ok(err)
	for _, p := range pubs {
		if p.SHA256 == "written" {
			w.ok(w.MarkPublished(ctx, p.ID))
		}
	}
	got, err := w.BlobsDone(ctx, w.clock.now().Add(time.Second))
	w.ok(err)
	slices.Sort(got)
	if !slices.Equal(got, []string{"done", "written"}) {
		t.Errorf("may go: %v", got)
	}
	if got, _ := w.BlobsDone(ctx, w.clock.now()); len(got) > 0 {
		t.Errorf("may go before their time: %v", got)
	}
}

// TestAnswersInTheLedgerGoOncePublished.
func TestAnswersInTheLedgerGoOncePublished(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.release(queued(bill("A", "1"))...)
	pubs, err := w.PublicationsDue(ctx, 10)
	w.ok(err)
	if len(pubs) != 2 {
		t.Fatalf("answers: %+v", pubs)
	}
	for _, p := range pubs {
		w.ok(w.FixPublications(ctx, []Rendered{{ID: p.ID, SHA256: "sha", Body: []byte("body")}}))
	}
	w.ok(w.MarkPublished(ctx, pubs[0].ID))
	if n, err := w.TrimAnswers(ctx, w.clock.now()); err != nil || n != 0 {
		t.Errorf("%d went before their time, %v", n, err)
	}
	if n, err := w.TrimAnswers(ctx, w.clock.now().Add(5000*day)); err != nil || n != 1 {
		t.Errorf("%d went, %v, want the one that was published", n, err)
	}
	if _, err := w.BodyOf(ctx, pubs[1].ID); err != nil {
		t.Errorf("an answer that nobody has yet: %v", err)
	}
}
