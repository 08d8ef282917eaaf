package outbox

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"einvoice/connector/api"
	"einvoice/connector/ledger"
	"einvoice/mappers"
)

const pdf = "%PDF-1.7 of "

// withPDF is the rig's mapping with a PDF that each invoice needs.
const withPDF = mapping + "[[attachment]]\nfile = \"{document_number}.pdf\"\nrequired = true\n"

// sentAttachment is what the platform got with an invoice.
func (r *rig) sentAttachment(number string) string {
	r.t.Helper()
	r.api.mu.Lock()
	defer r.api.mu.Unlock()
	for _, remote := range r.api.invoices {
		if a := remote.Invoice.Attached; remote.Invoice.Number == number && len(a) == 1 {
			return string(a[0].Content)
		}
	}
	return ""
}

func (r *rig) sweep() {
	r.t.Helper()
	_, err := r.Ledger.SweepDone(r.t.Context(), "acme")
	r.must(err)
}

func TestThePDFBesideAnExportIsWaitedForSentAndArchivedWithIt(t *testing.T) {
	for name, where := range map[string]func(*rig, *testing.T){"folder": func(*rig, *testing.T) {}, "server": (*rig).onServer} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, reading(t, withPDF))
			where(r, t)
			r.sweep()
			r.drop("x.csv", header+row("F1", "10")+row("F2", "10"))
			r.drop("f2.PDF", pdf+"F2")
			r.intake()
			if r.state("F2") != "" || r.Waiting() != 1 {
				t.Fatalf("F2 is %q although F1's PDF is missing", r.state("F2"))
			}
			if idle, err := r.nothingToMap(t.Context()); err != nil || !idle {
				t.Error("a run with --once would never end")
			}
			r.drop("F1.pdf", pdf+"F1")
			r.intake()
			r.sendAll()
			for _, n := range []string{"F1", "F2"} {
				if got := r.sentAttachment(n); got != pdf+n {
					t.Errorf("%s went with %q", n, got)
				}
			}
			want := []string{"2026-11/x.000001/F1.pdf", "2026-11/x.000001/f2.PDF", "2026-11/x.000001.csv"}
			if got := r.archived(); !slices.Equal(got, want) || len(r.dropped()) > 0 || r.Waiting() > 0 {
				t.Errorf("archived %q, left %q", got, r.dropped())
			}
			inv, err := r.Ledger.Document(t.Context(), 1)
			r.must(err)
			if a := inv.Attached; len(a) != 1 || len(a[0].Content) > 0 || a[0].SHA256 == "" {
				t.Errorf("the ledger keeps %+v", a)
			}
		})
	}
}

func TestAnInvoiceIsRefusedWhenItsPDFHasNotComeByTheDeadline(t *testing.T) {
	r := newRig(t, reading(t, withPDF))
	r.drop("x.csv", header+row("F1", "10")+row("F2", "10")+row("F3", "ten"))
	r.drop("F2.pdf", pdf+"F2")
	r.intake()
	r.clock.add(20 * time.Minute)
	r.restart(reading(t, withPDF)) // which does not begin the wait again
	r.intake()
	if r.state("F2") != "" {
		t.Fatal("mapped before the deadline")
	}
	r.clock.add(10 * time.Minute)
	r.intake()
	found, err := r.Ledger.Find(t.Context(), "F1")
	r.must(err)
	if len(found) != 1 || found[0].State != ledger.Refused || found[0].Problems[0].Code != "E2217" || r.state("F2") != ledger.Queued {
		t.Fatalf("F1 %+v, F2 %s", found, r.state("F2"))
	}
	r.must(r.settleFiles(t.Context()))
	var copied string
	for _, p := range r.due() {
		if p.Kind == ledger.KindCopy {
			data, err := os.ReadFile(r.Blobs.Path(p.SHA256))
			r.must(err)
			copied = strings.Replace(string(data), "ten", "10", 1)
		}
	}
	// The corrected copy finds what came late, under the first export's number.
	r.drop("F1.pdf", pdf+"F1")
	r.drop("F3.pdf", pdf+"F3")
	r.drop("x.000001.refused.1.csv", copied)
	r.intake()
	if r.state("F1") != ledger.Queued || r.state("F3") != ledger.Queued {
		t.Errorf("F1 %s, F3 %s", r.state("F1"), r.state("F3"))
	}
}

func TestACorrectedCopyFindsThePDFThatIsArchived(t *testing.T) {
	r := newRig(t, reading(t, strings.Replace(withPDF, "{document_number}", "{export}", 1)))
	r.sweep()
	r.drop("x.csv", header+row("F1", "ten"))
	r.drop("x.pdf", pdf+"x")
	r.intake()
	if r.state("F1") != ledger.Refused || len(r.dropped()) > 0 {
		t.Fatalf("F1 %s, left %q", r.state("F1"), r.dropped())
	}
	r.drop("x.000001.refused.1.csv", header+row("F1", "10"))
	r.intake()
	r.sendAll()
	if got := r.sentAttachment("F1"); got != pdf+"x" {
		t.Errorf("F1 went with %q", got)
	}
}

func TestAnAttachmentThatIsTooLargeIsNotEvenCopied(t *testing.T) {
	r := newRig(t, reading(t, withPDF))
	f, err := os.Create(filepath.Join(r.dir, "drop", "F1.pdf"))
	r.must(err)
	r.must(f.Truncate(mappers.MaxAttachmentBytes + 1))
	r.must(f.Close())
	r.drop("x.csv", header+row("F1", "10"))
	r.intake()
	found, err := r.Ledger.Find(t.Context(), "F1")
	r.must(err)
	if len(found) != 1 || found[0].Problems[0].Code != "E2218" || !slices.Equal(r.dropped(), []string{"F1.pdf"}) {
		t.Errorf("%+v, left %q", found, r.dropped())
	}
}

func TestAKillBetweenAnExportAndItsPDF(t *testing.T) {
	for moves := range 3 {
		r := newRig(t, reading(t, withPDF))
		r.sweep()
		r.drop("x.csv", header+row("F1", "10"))
		r.drop("F1.pdf", pdf+"F1")
		r.Drops[0].Place = &dying{r.Drops[0].Place, moves}
		r.must(r.scan(t.Context(), r.Drops[0]))
		r.must(r.mapFiles(t.Context()))
		r.restart(reading(t, withPDF))
		r.intake()
		r.sendAll()
		if got := r.archived(); len(got) != 2 || len(r.dropped()) > 0 || r.sentAttachment("F1") != pdf+"F1" || r.api.posts["F1"] != 1 {
			t.Errorf("after %d moves: archived %q, left %q", moves, got, r.dropped())
		}
	}
}

func TestAnAttachmentNobodyAsksForIsReported(t *testing.T) {
	r := newRig(t, reading(t, withPDF))
	r.drop("F9.pdf", pdf+"F9")
	r.intake()
	r.clock.add(30 * time.Minute)
	r.intake()
	due := r.due()
	if len(due) != 1 || !strings.HasPrefix(due[0].Name, "F9.pdf.") {
		t.Fatalf("answers %+v", due)
	}
	if _, why, err := r.Ledger.UnreadyOf(t.Context(), due[0]); err != nil || why.Code != codeUnasked {
		t.Errorf("%+v %v", why, err)
	}
}

// TestBase64OfAnXMLExportIsKeptOutOfTheLedger: embedded attachments go the same way.
func TestBase64OfAnXMLExportIsKeptOutOfTheLedger(t *testing.T) {
	r := newRig(t, reading(t, `
[input]
format = "xml"
[invoice]
each = "/batch/invoice"
[invoice.fields]
document_number = "@number"
issue_date = "@date"
currency = { value = "EUR" }
recipient.name = { value = "Client" }
recipient.fiscal_id = { value = "20000000800017" }
recipient.address.country = { value = "FR" }
[lines]
each = "line"
[lines.fields]
description = "@item"
quantity = { value = "1" }
unit_price = "@price"
tax_rate = { value = "20" }
tax_category = { value = "S" }
[[attachment]]
each = "file"
content = "text()"
filename = "@name"
`))
	r.sweep()
	r.drop("x.xml", `<batch><invoice number="F1" date="2026-11-02"><line item="Vis" price="10"/><file name="a.pdf">JVBERi0xLjcgb2YgRjE=</file></invoice></batch>`)
	r.intake()
	inv, err := r.Ledger.Document(t.Context(), 1)
	r.must(err)
	if len(inv.Attached) != 1 || len(inv.Attached[0].Content) > 0 {
		t.Fatalf("the ledger keeps %+v", inv.Attached)
	}
	r.sendAll()
	if got := r.sentAttachment("F1"); got != pdf+"F1" {
		t.Errorf("went with %q", got)
	}
}

func TestAnAttachmentOfOursThatCannotBeReadIsTriedAgain(t *testing.T) {
	r := newRig(t, reading(t, withPDF))
	r.sweep()
	r.drop("x.csv", header+row("F1", "10"))
	r.drop("F1.pdf", pdf+"F1")
	r.intake()
	inv, err := r.Ledger.Document(t.Context(), 1)
	r.must(err)
	r.must(r.Blobs.Remove(inv.Attached[0].SHA256))
	s := &sender{o: r.Outbox}
	if a := s.submit(t.Context(), inv); a.Fate != api.Later || r.api.posts["F1"] > 0 {
		t.Errorf("%+v, posts %v", a, r.api.posts)
	}
}

// TestAPDFOfYesterdayIsNotGivenToTodaysInvoice: an ERP that writes the same names
// each day writes today's PDF a moment after its export.
func TestAPDFOfYesterdayIsNotGivenToTodaysInvoice(t *testing.T) {
	r := newRig(t, reading(t, strings.Replace(withPDF, "{document_number}", "{export}", 1)))
	r.sweep()
	for i, n := range []string{"F1", "F2"} {
		r.drop("x.csv", header+row(n, "10"))
		r.intake()
		if r.state(n) != "" || r.Waiting() != 1 {
			t.Errorf("day %d: %s is %q before its PDF came", i+1, n, r.state(n))
		}
		r.drop("x.pdf", pdf+n)
		r.intake()
		r.sendAll()
		if got := r.sentAttachment(n); got != pdf+n {
			t.Errorf("%s went with %q", n, got)
		}
	}
}

// TestAnEarlierPDFThatIsKeptNoMoreIsWaitedFor: the spool's copy goes with its
// retention, and then only the drop can bring it again.
func TestAnEarlierPDFThatIsKeptNoMoreIsWaitedFor(t *testing.T) {
	r := newRig(t, reading(t, withPDF))
	r.sweep()
	r.drop("x.csv", header+row("F1", "ten"))
	r.drop("F1.pdf", pdf+"F1")
	r.drop("y.csv", header+row("F1", "ten"))
	r.intake()
	parts, err := r.Ledger.PartsOf(t.Context(), 1)
	r.must(err)
	for _, p := range parts {
		r.must(r.Spool.Remove(p.SHA256))
	}
	r.drop("x.000001.refused.1.csv", header+row("F1", "10"))
	r.intake()
	if r.state("F1") != ledger.Refused || r.Waiting() != 1 {
		t.Fatalf("F1 is %s, %d waiting", r.state("F1"), r.Waiting())
	}
	r.drop("F1.pdf", pdf+"F1")
	r.intake()
	r.sendAll()
	if got := r.sentAttachment("F1"); got != pdf+"F1" {
		t.Errorf("F1 went with %q", got)
	}
}

// TestEachInvoiceGetsItsOwnPDFOfThatName: the copy of day one comes back after
// day two brought a PDF of the same name; and an export with the same invoice
// finds what came with it.
func TestEachInvoiceGetsItsOwnPDFOfThatName(t *testing.T) {
	r := newRig(t, reading(t, strings.Replace(withPDF, "{document_number}", "{export}", 1)))
	r.sweep()
	for _, rows := range []string{row("F1", "ten"), row("F2", "10") + row("F3", "ten")} {
		r.drop("x.csv", header+rows)
		r.drop("x.pdf", pdf+rows[:2])
		r.intake()
	}
	r.drop("x.000001.refused.1.csv", header+row("F1", "10"))
	r.intake()
	r.drop("x.csv", header+row("F3", "10"))
	r.intake()
	r.sendAll()
	for n, of := range map[string]string{"F1": "F1", "F2": "F2", "F3": "F2"} {
		if got := r.sentAttachment(n); got != pdf+of {
			t.Errorf("%s went with %q", n, got)
		}
	}
}

func TestTheGeneralTermsServeEveryExport(t *testing.T) {
	r := newRig(t, reading(t, strings.Replace(withPDF, "{document_number}", "conditions", 1)))
	r.sweep()
	r.drop("conditions.pdf", pdf+"conditions")
	for _, n := range []string{"F1", "F2"} {
		r.drop(n+".csv", header+row(n, "10"))
		r.intake()
	}
	r.sendAll()
	for _, n := range []string{"F1", "F2"} {
		if got := r.sentAttachment(n); got != pdf+"conditions" {
			t.Errorf("%s went with %q", n, got)
		}
	}
}
