package ledger

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"einvoice/connector"
	"einvoice/connector/problem"
)

// codes are the codes of an invoice's problems.
func codes(inv Invoice) string {
	var c []string
	for _, p := range inv.Problems {
		c = append(c, p.Code)
	}
	return strings.Join(c, " ")
}

func (w *world) verdict(inv Invoice, v Verdict, s State, code string) {
	w.t.Helper()
	inv = w.again(inv)
	if inv.Verdict != v || inv.State != s || codes(inv) != code {
		w.t.Errorf("invoice %s: %s, %s, problems %q; want %s, %s, %q", inv.Key.Number, inv.Verdict, inv.State, codes(inv), v, s, code)
	}
}

func (w *world) ackOf(p Publication) []AckLine {
	w.t.Helper()
	f, err := w.FileByID(w.t.Context(), p.FileID)
	w.ok(err)
	return all(w.t, w.AckLines(w.t.Context(), p, f))
}

func TestReleaseOfPlainFile(t *testing.T) {
	w := newWorld(t)
	f := w.take()
	staged := queued(bill("F1", "10.00"), bill("F2", "20.00"), bill("F3", "30.00"), bill("F4", "1.00"))
	staged[1].Verdict, staged[1].Problems = VerdictRefused, []problem.Problem{{Code: "E3001", Severity: problem.Refuse}}
	staged[2].Verdict = VerdictIgnored
	staged[3].Verdict, staged[3].Problems = VerdictHeld, []problem.Problem{{Code: "W", Severity: problem.Warn}, {Code: "H", Severity: problem.Hold}}
	got := w.releaseFile(f, staged...)
	w.verdict(got[0], VerdictQueued, Queued, "")
	w.verdict(got[1], VerdictRefused, Refused, "E3001")
	w.verdict(got[2], VerdictIgnored, Ignored, "")
	w.verdict(got[3], VerdictHeld, Held, "W H")
	want(t, "event of the held one", w.kinds(got[3]), "HELD")
	want(t, "gross", got[0].Gross.String(), "10.00")
	want(t, "ERP key", got[0].ERPKey, "erp-F1")
	want(t, "key", got[0].Key, connector.Key{SIREN: siren, Number: "F1", Year: 2026})

	file, err := w.FileByID(t.Context(), f.ID)
	w.ok(err)
	want(t, "file", file.State, FileMapped)
	_, err = w.Release(t.Context(), f.ID, Mapped{})
	w.wantErr(err, ErrState)
	w.wantErr(w.Stage(t.Context(), f.ID, staged), ErrState)
	s, err := w.SummaryOf(t.Context(), f.ID)
	w.ok(err)
	want(t, "invoices", s.Invoices, 4)
	want(t, "queued", s.Counts[VerdictQueued], 1)
}

func TestSameDocumentAgainIsDuplicate(t *testing.T) {
	w := newWorld(t)
	one := w.release(queued(bill("F1", "10.00"))...)[0]
	w.sent(one, "api-1")
	same := bill("F1", "10.0") // printed otherwise, the same amount
	same.Lines[0].Description = "other label"
	two := w.release(queued(same)...)[0]
	w.verdict(two, VerdictDuplicate, Duplicate, "E5001")
	want(t, "first", two.FirstID, one.ID)
	pubs, err := w.PublicationsOf(t.Context(), two.FileID)
	w.ok(err)
	line := w.ackOf(pubs[0])[0]
	want(t, "first file", line.FirstFile, "export1.csv")
	want(t, "first row", line.FirstRow, 2)
	want(t, "first API id", line.FirstAPI, "api-1")
	want(t, "message", line.Problem.Message(problem.English), "Invoice F1 was taken before with the same content (file export1.csv, row 2): it is sent.")
}

func TestNewVersionSupersedesWhatWasNeverAttempted(t *testing.T) {
	w := newWorld(t)
	staged := queued(bill("F1", "10.00"), bill("F2", "10.00"), bill("F3", "10.00"))
	staged[1].Verdict, staged[1].NotBefore = VerdictWaiting, w.clock.now().Add(time.Minute)
	staged[2].Verdict = VerdictHeld
	old := w.release(staged...)
	cn := w.release(queued(credit1("C1", "-10.00", connector.Ref{Number: "F1"}))...)[0]
	w.state(cn, Waiting)
	now := w.release(queued(bill("F1", "11.00"), bill("F2", "11.00"), bill("F3", "11.00"))...)
	for i := range old {
		w.state(old[i], Superseded)
		w.verdict(now[i], VerdictQueued, Queued, "")
	}
	want(t, "event", w.kinds(old[0]), "SUPERSEDED")
	want(t, "credit note waits for the new version", w.again(cn).WaitsFor, now[0].ID)
	w.sent(now[0], "api-1")
	w.state(cn, Queued)
}

func TestTakenBackIntentCountsAsNeverAttempted(t *testing.T) {
	w := newWorld(t)
	old := w.release(queued(bill("F1", "10.00"))...)[0]
	w.sending(old)
	w.ok(w.Unsend(t.Context(), []int64{old.ID}))
	w.wantErr(w.Unsend(t.Context(), []int64{old.ID}), ErrState)
	w.release(queued(bill("F1", "11.00"))...)
	w.state(old, Superseded)
}

func TestOtherContentOfSentInvoiceIsConflict(t *testing.T) {
	w := newWorld(t)
	one := w.release(queued(bill("F1", "10.00"))...)[0]
	w.sending(one)
	during := w.release(queued(bill("F1", "12.00"))...)[0]
	w.verdict(during, VerdictConflict, Conflict, "E5012")
	w.settle(Outcome{ID: one.ID, State: Sent, APIID: "api-1"})
	after := w.release(queued(bill("F1", "12.00"))...)[0]
	w.verdict(after, VerdictConflict, Conflict, "E5004")
	p := after.Problems[0]
	want(t, "field", p.Field, "totals.total_amount_including_tax")
	want(t, "was and is", p.Expected+" "+p.Value, "10 12")
	want(t, "message", p.Message(problem.French), "Le numéro F1 a déjà été transmis le 05/10/2026 (fichier export1.csv, ligne 2) avec un autre contenu : le total TTC valait 10, vaut maintenant 12.")
	want(t, "severity", p.Severity, problem.Refuse)
}

func TestRefusedInvoiceMayBeReplaced(t *testing.T) {
	sentWith := func(s connector.Status) func(*world, Invoice) {
		return func(w *world, inv Invoice) {
			w.sent(inv, "api-old")
			_, err := w.ApplyStatus(w.t.Context(), inv.ID, s, true)
			w.ok(err)
		}
	}
	for name, c := range map[string]struct {
		refuse  func(*world, Invoice)
		gross   string
		verdict Verdict
		code    string
	}{
		"rejected at once, other content": {func(w *world, inv Invoice) { w.sending(inv); w.settle(Outcome{ID: inv.ID, State: Rejected}) }, "11.00", VerdictQueued, ""},
		"rejected at once, same content":  {func(w *world, inv Invoice) { w.sending(inv); w.settle(Outcome{ID: inv.ID, State: Rejected}) }, "10.00", VerdictQueued, ""},
		"inadmissible (501)":              {sentWith(connector.Status{State: connector.StateError, Code: 501}), "11.00", VerdictQueued, ""},
		"routing (221), replayed":         {sentWith(connector.Status{State: connector.StateError, Code: 221}), "10.00", VerdictQueued, ""},
		"rejected later (213)":            {sentWith(connector.Status{State: connector.StateError, Code: 213}), "11.00", VerdictConflict, "E5004"},
		"rejected later (213), same":      {sentWith(connector.Status{State: connector.StateError, Code: 213}), "10.00", VerdictDuplicate, "E5001"},
		"cause unknown":                   {sentWith(connector.Status{State: connector.StateError}), "11.00", VerdictHeld, "E5006"},
		"cause unknown, same":             {sentWith(connector.Status{State: connector.StateError}), "10.00", VerdictHeld, "E5006"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			old := w.release(queued(bill("F1", "10.00"))...)[0]
			c.refuse(w, old)
			now := w.release(queued(bill("F1", c.gross))...)[0]
			want(t, "verdict", now.Verdict, c.verdict)
			want(t, "codes", codes(now), c.code)
			if c.verdict == VerdictQueued {
				w.sent(now, "api-new")
			}
		})
	}
}

func TestQuestionAboutErrorIsAskedOnce(t *testing.T) {
	w := newWorld(t)
	old := w.release(queued(bill("F1", "10.00"))...)[0]
	w.sent(old, "api-1")
	_, err := w.ApplyStatus(t.Context(), old.ID, connector.Status{State: connector.StateError}, true)
	w.ok(err)
	first := w.release(queued(bill("F1", "11.00"))...)[0]
	again := w.release(queued(bill("F1", "11.00"))...)[0]
	w.verdict(again, VerdictDuplicate, Duplicate, "E5001")
	want(t, "first of the repeated one", again.FirstID, first.ID)
	other := w.release(queued(bill("F1", "12.00"))...)[0]
	w.state(first, Superseded)
	w.verdict(other, VerdictHeld, Held, "E5006")
	w.wantErr(w.ReleaseHeld(t.Context(), []int64{first.ID}, "no"), ErrState)
	w.ok(w.ReleaseHeld(t.Context(), []int64{other.ID}, "checked by phone"))
	w.sent(other, "api-2")
	want(t, "events", w.kinds(other), "HELD RELEASED SENT")
	dup := w.release(queued(bill("F1", "12.00"))...)[0]
	want(t, "the released one holds the key now", dup.FirstID, other.ID)
}

func TestQuestionCannotBeReleasedWhileTheFirstStillCounts(t *testing.T) {
	w := newWorld(t)
	old := w.release(queued(bill("F1", "10.00"))...)[0]
	w.sent(old, "api-1")
	_, err := w.ApplyStatus(t.Context(), old.ID, connector.Status{State: connector.StateError}, true)
	w.ok(err)
	held := w.release(queued(bill("F1", "11.00"))...)[0]
	_, err = w.ApplyStatus(t.Context(), old.ID, connector.Status{State: connector.StateDone}, true)
	w.ok(err)
	w.wantErr(w.ReleaseHeld(t.Context(), []int64{held.ID}, "no"), ErrState)
	w.state(held, Held)
}

func TestNumberTwiceInOneFile(t *testing.T) {
	w := newWorld(t)
	got := w.release(queued(bill("F1", "10.00"), bill("F2", "1.00"), bill("F2", "2.00"), bill("F1", "10.00"), bill("F3", "5.00"))...)
	w.verdict(got[0], VerdictQueued, Queued, "")
	w.verdict(got[1], VerdictRefused, Refused, "E5003")
	w.verdict(got[2], VerdictRefused, Refused, "E5003")
	w.verdict(got[3], VerdictDuplicate, Duplicate, "E5002")
	w.verdict(got[4], VerdictQueued, Queued, "")
	want(t, "first", got[3].FirstID, got[0].ID)
	want(t, "rows", got[1].Problems[0].Args["rows"], "3, 4")

	again := w.release(queued(bill("F1", "10.00"), bill("F1", "10.00"))...)
	want(t, "both point to the first file", [2]int64{again[0].FirstID, again[1].FirstID}, [2]int64{got[0].ID, got[0].ID})
}

func TestSameNumberAndTotalInAnotherYear(t *testing.T) {
	w := newWorld(t)
	last := bill("F1", "10.00")
	last.IssueDate = "2025-12-31"
	w.release(queued(last, bill("F2", "10.00"))...)
	got := w.release(queued(bill("F1", "10.0"), func() connector.Invoice { i := bill("F2", "11.00"); i.IssueDate = "2025-01-01"; return i }())...)
	w.verdict(got[0], VerdictHeld, Held, "E5005")
	w.verdict(got[1], VerdictQueued, Queued, "")
	w.ok(w.ReleaseHeld(t.Context(), []int64{got[0].ID}, "our numbers start again"))
	w.sent(got[0], "api-1")

	both := w.release(queued(bill("F9", "7.00"), func() connector.Invoice { i := bill("F9", "7.00"); i.IssueDate = "2025-01-01"; return i }())...)
	w.verdict(both[0], VerdictQueued, Queued, "")
	w.verdict(both[1], VerdictHeld, Held, "E5005")
}

func TestIncompleteKeyTakesNoPart(t *testing.T) {
	w := newWorld(t)
	got := w.release(queued(bill("", "10.00"), bill("", "11.00"))...)
	w.verdict(got[0], VerdictQueued, Queued, "")
	w.verdict(got[1], VerdictQueued, Queued, "")
}

func TestCreditNoteFollowsItsInvoice(t *testing.T) {
	w := newWorld(t)
	ref := func(n string) connector.Ref { return connector.Ref{Number: n, Date: "2026-10-01"} }
	bad := queued(bill("R1", "1.00"))
	bad[0].Verdict = VerdictRefused
	staged := append(bad, queued(bill("F1", "10.00"), bill("F2", "10.00"),
		credit1("C0", "-1.00", ref("R1")), credit1("C1", "-10.00", ref("F1")), credit1("C2", "-10.00", ref("F2")),
		credit1("C3", "-10.00", ref("F1"), ref("F2")), credit1("C4", "-10.00", ref("unknown")))...)
	got := w.release(staged...)
	f1, f2, c0, c1, c2, c3, c4 := got[1], got[2], got[3], got[4], got[5], got[6], got[7]
	w.verdict(c0, VerdictHeld, Held, "E5007")
	w.verdict(c1, VerdictWaiting, Waiting, "")
	w.verdict(c4, VerdictQueued, Queued, "")
	w.sent(f1, "api-1")
	w.state(c1, Queued)
	w.state(c3, Waiting) // F2 is still open
	w.sending(f2)
	w.settle(Outcome{ID: f2.ID, State: Rejected, Problems: []problem.Problem{{Code: "E4001", Severity: problem.Refuse}}})
	w.state(c2, Held)
	w.state(c3, Held)
	want(t, "events", w.kinds(c2), "HELD")
	w.verdict(w.release(queued(credit1("C5", "-1.00", ref("F1")))...)[0], VerdictQueued, Queued, "")
}

func TestCreditNoteOfTailHeldFileWaitsForBoth(t *testing.T) {
	w := newWorld(t)
	staged := queued(bill("F1", "10.00"), credit1("C1", "-10.00", connector.Ref{Number: "F1"}))
	staged[1].Verdict, staged[1].NotBefore = VerdictWaiting, w.clock.now().Add(10*time.Minute)
	got := w.release(staged...)
	w.sent(got[0], "api-1")
	w.state(got[1], Waiting)
	w.clock.turn(10 * time.Minute)
	next, err := w.NextToSend(t.Context(), acme, 10)
	w.ok(err)
	want(t, "to send", len(next), 1)
}

func TestUnstageAndFail(t *testing.T) {
	w := newWorld(t)
	f := w.take()
	staged := queued(bill("F1", "10.00"), credit1("C1", "1.00", connector.Ref{Number: "F1"}))
	staged[0].Ordinal, staged[1].Ordinal = 1, 2
	w.ok(w.Stage(t.Context(), f.ID, staged))
	w.ok(w.Unstage(t.Context(), f.ID))
	want(t, "left", len(all(t, w.InvoicesOf(t.Context(), f.ID))), 0)
	w.ok(w.Stage(t.Context(), f.ID, staged))
	m := mappedOf(f)
	m.Problems = []problem.Problem{{Code: "E1001", Severity: problem.Refuse}, {Code: "E1002", Severity: problem.Refuse}}
	w.ok(w.FailFile(t.Context(), f.ID, m))
	w.wantErr(w.FailFile(t.Context(), f.ID, m), ErrState)
	pubs, err := w.PublicationsOf(t.Context(), f.ID)
	w.ok(err)
	lines := w.ackOf(pubs[0])
	want(t, "lines", len(lines), 1)
	want(t, "code", lines[0].Problem.Code, "E1001")
	want(t, "seq", lines[0].Seq, pubs[0].SeqTo)
	owed, err := w.FilesWithoutCopy(t.Context())
	w.ok(err)
	want(t, "copies owed", len(owed), 1)
	for _, v := range []Verdict{VerdictDuplicate, ""} {
		w.wantErr(w.Stage(t.Context(), w.take().ID, []StagedInvoice{{Ordinal: 1, Verdict: v}}), ErrState)
	}
	w.wantErr(w.Stage(t.Context(), w.take().ID, []StagedInvoice{{Ordinal: 1, Verdict: VerdictWaiting}}), ErrState)
}

func TestAcknowledgementQuotesTheRelease(t *testing.T) {
	w := newWorld(t)
	f := w.take()
	m := mappedOf(f)
	m.Problems = []problem.Problem{{Code: "E1003", Severity: problem.Warn}}
	staged := queued(bill("F1", "10.00"), bill("F2", "10.00"))
	staged[0].Ordinal, staged[1].Ordinal = 1, 2
	w.ok(w.Stage(t.Context(), f.ID, staged))
	_, err := w.Release(t.Context(), f.ID, m)
	w.ok(err)
	invs := all(t, w.InvoicesOf(t.Context(), f.ID))
	w.sending(invs[0])
	w.settle(Outcome{ID: invs[0].ID, State: Rejected, Problems: []problem.Problem{{Code: "E4001", Severity: problem.Refuse}}})
	pubs, err := w.PublicationsOf(t.Context(), f.ID)
	w.ok(err)
	want(t, "kinds", fmt.Sprint(pubs[0].Kind, pubs[1].Kind), "acksummary")
	lines := w.ackOf(pubs[0])
	want(t, "lines", len(lines), 3)
	want(t, "file problem first", lines[0].Problem.Code, "E1003")
	want(t, "the later refusal is not in it", lines[1].Problem.Code, "")
	want(t, "verdict", lines[1].Invoice.Verdict, VerdictQueued)
	want(t, "seqs", [2]int64{lines[0].Seq, lines[2].Seq}, [2]int64{pubs[0].SeqFrom, pubs[0].SeqTo})
}

func TestManyInvoicesStreamInOrder(t *testing.T) {
	w := newWorld(t)
	var staged []StagedInvoice
	for i := range 2*pageSize + 7 {
		staged = append(staged, queued(bill(fmt.Sprint("F", i), "10.00"))...)
	}
	f := w.take()
	got := w.releaseFile(f, staged...)
	want(t, "invoices", len(got), len(staged))
	pubs, err := w.PublicationsOf(t.Context(), f.ID)
	w.ok(err)
	for i, line := range w.ackOf(pubs[0]) {
		if line.Seq != pubs[0].SeqFrom+int64(i) || line.Invoice.Ordinal != i+1 {
			t.Fatalf("line %d has seq %d, ordinal %d", i, line.Seq, line.Invoice.Ordinal)
		}
	}
	for i := range staged {
		staged[i].Invoice.Currency = "USD" // every one of them becomes a conflict
		w.sent(got[i], fmt.Sprint("api-", i))
	}
	for _, inv := range w.release(staged...) {
		if inv.Verdict != VerdictConflict || inv.Problems[0].Field != "currency" {
			t.Fatalf("%s: %s %v", inv.Key.Number, inv.Verdict, inv.Problems)
		}
	}
}

// TestAConflictNamesTheFieldInWords: each field that can differ has words of its
// own in both languages, and its technical name in the problem's field.
func TestAConflictNamesTheFieldInWords(t *testing.T) {
	whole := func() connector.Invoice {
		inv := bill("F1", "12.00")
		inv.Lines = []connector.Line{{Net: connector.MustAmount("10.00")}, {Net: connector.MustAmount("0.00")}}
		inv.Taxes = []connector.Tax{{Category: "S", Rate: connector.MustAmount("20"), Taxable: connector.MustAmount("10.00"), Tax: connector.MustAmount("2.00")}}
		return inv
	}
	other := connector.MustAmount("99")
	seen := map[string]string{}
	for field, change := range map[string]func(*connector.Invoice){
		"type":                              func(i *connector.Invoice) { i.Type = "384" },
		"issue_date":                        func(i *connector.Invoice) { i.IssueDate = "2026-01-31" },
		"currency":                          func(i *connector.Invoice) { i.Currency = "USD" },
		"recipient.fiscal_id":               func(i *connector.Invoice) { i.Buyer.FiscalID = "100000009" },
		"recipient.vat_id":                  func(i *connector.Invoice) { i.Buyer.VATID = "FR88100000009" },
		"totals.total_amount_including_tax": func(i *connector.Invoice) { i.Totals.Gross = other },
		"totals.total_amount_excluding_tax": func(i *connector.Invoice) { i.Totals.Net = other },
		"totals.total_tax_amount":           func(i *connector.Invoice) { i.Totals.Tax = other },
		"invoice_lines":                     func(i *connector.Invoice) { i.Lines = i.Lines[:1] },
		"invoice_lines[1].total_net_amount": func(i *connector.Invoice) { i.Lines[1].Net = other },
		"tax_subtotals":                     func(i *connector.Invoice) { i.Taxes = nil },
		"tax_subtotals[0].tax_category":     func(i *connector.Invoice) { i.Taxes[0].Category = "Z" },
		"tax_subtotals[0].vat_rate":         func(i *connector.Invoice) { i.Taxes[0].Rate = other },
		"tax_subtotals[0].taxable_amount":   func(i *connector.Invoice) { i.Taxes[0].Taxable = other },
		"tax_subtotals[0].tax_amount":       func(i *connector.Invoice) { i.Taxes[0].Tax = other },
	} {
		a, b := whole(), whole()
		change(&b)
		got, _, _ := difference(&a, &b)
		want(t, "field", got, field)
		french, english := fieldWords(got)
		if before := seen[french]; before != "" || strings.Contains(french+english, "_") || french == english {
			t.Errorf("%s is %q and %q, %s as well", field, french, english, before)
		}
		seen[french] = field
	}
	want(t, "line", firstOf(fieldWords("invoice_lines[1].total_net_amount")), "le montant HT de la ligne 2")
}

func firstOf(a, _ string) string { return a }

// Credit notes that name each other, each with the number of the other, or with a
// third between them: one has to go first.
func TestCreditNotesThatNameEachOtherDoNotWaitForEver(t *testing.T) {
	ref := func(number string) connector.Ref { return connector.Ref{Number: number, Date: "2026-10-01"} }
	for _, cycle := range [][]StagedInvoice{
		queued(credit1("C1", "1.00", ref("C2")), credit1("C2", "1.00", ref("C1"))),
		queued(credit1("C1", "1.00", ref("C2")), credit1("C2", "1.00", ref("C3")), credit1("C3", "1.00", ref("C1"))),
	} {
		w := newWorld(t)
		invs := w.release(cycle...)
		for sent := 0; ; sent++ {
			next, err := w.NextToSend(t.Context(), acme, 10)
			w.ok(err)
			if len(next) == 0 {
				want(t, "sent", sent, len(invs))
				break
			}
			w.sent(Invoice{ID: next[0].ID}, "id-"+next[0].Invoice.Number)
		}
	}
}
