package inbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"einvoice/connector"
	"einvoice/connector/ledger"
)

func TestTheRegisterTellsClassesApartInItsTotals(t *testing.T) {
	w := newWorld(t)
	w.arrive(supplied("in1", "S-1"))
	w.rounds(1)
	w.arrive(supplied("in2", "S-1")) // the same number again
	w.arrive(supplied("in3", "S-3", func(inv *connector.Invoice) { inv.Totals.Gross = connector.MustAmount("99") }))
	w.arrive(supplied("in4", "A-1", func(inv *connector.Invoice) { inv.Type = "381" }))
	w.rounds(1)
	text := w.read("registre-2026-05.csv")
	for _, want := range []string{
		"Total à comptabiliser;;;;;;;;EUR;0,00;0,00;0,00;", "Total des doublons possibles;;;;;;;;EUR;51,00;10,20;61,20;",
		"Total à vérifier;;;;;;;;EUR;51,00;10,20;99,00;", ";doublon possible;", ";à vérifier;",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	f, err := excelize.OpenFile(filepath.Join(w.root, acme.ID, "registre-2026-05.xlsx"))
	w.must(err)
	defer f.Close()
	rows, err := f.GetRows("2026-05")
	w.must(err)
	if got, twin := len(rows), strings.Count(text, "\r\n"); got != twin {
		t.Errorf("the workbook has %d rows, its twin %d", got, twin)
	}
	link, err := f.GetCellFormula("2026-05", "AB2")
	w.must(err)
	path, _, _ := strings.Cut(strings.TrimPrefix(link, `HYPERLINK("`), `"`)
	if _, err := os.Stat(filepath.Join(w.root, acme.ID, filepath.FromSlash(path))); err != nil {
		t.Errorf("link %s leads nowhere: %v", link, err)
	}
}

func TestAnOlderLedgersRegisterReadsTheOriginals(t *testing.T) {
	w := newWorld(t)
	w.arrive(supplied("in1", "S-1"))
	w.rounds(1)
	r := w.received(ledger.ReceivedDelivered)[0]
	head, err := w.head(r)
	w.must(err)
	if got, want := amountsOf(&head), amountsOf(&r.Head); len(got) != len(want) || !got[2].Equal(want[2]) || !got[4].Equal(want[4]) {
		t.Errorf("from the original %v, from the ledger %v", got, want)
	}
}

func TestRegistersAreRebuiltAtWill(t *testing.T) {
	w := newWorld(t)
	w.arrive(supplied("in1", "S-1"))
	w.outgoing("F-1", ledger.Sent, "out1")
	w.rounds(1)
	before := w.files()
	for _, name := range before {
		if strings.HasPrefix(name, "registre-") || strings.HasPrefix(name, "factures-") {
			w.must(os.Remove(filepath.Join(w.root, acme.ID, name)))
		}
	}
	if n, err := w.Rebuild(w.ctx, ""); err != nil || n < 2 {
		t.Fatalf("%d rebuilt: %v", n, err)
	}
	if after := w.files(); strings.Join(after, " ") != strings.Join(before, " ") {
		t.Errorf("before %v\nafter  %v", before, after)
	}
	if n, err := w.Rebuild(w.ctx, "2025-01"); err != nil || n != 0 {
		t.Errorf("of an empty month: %d, %v", n, err)
	}
}

func TestIssuedInvoicesStandInAWorkbookWithWhatToDo(t *testing.T) {
	w := newWorld(t)
	id := w.outgoing("F-1", ledger.Sent, "out1")
	w.rounds(1)
	const name = "factures-emises-2026-05.csv"
	if text := w.read(name); !strings.Contains(text, "F-1;2026-05-12;Autre;200000008;EUR;61,20;Prise en charge par la plateforme;") {
		t.Errorf("workbook:\n%s", text)
	}
	_, err := w.ledger.ApplyStatus(w.ctx, id, connector.Status{State: connector.StateDone, External: "refused", Code: 210, Reason: "TX_TVA_ERR"}, false)
	w.must(err)
	w.pass(time.Minute)
	w.rounds(1)
	if strings.Contains(w.read(name), "Refusée") {
		t.Error("written again within five minutes")
	}
	w.pass(issuedEvery)
	w.rounds(1)
	text := w.read(name)
	for _, want := range []string{";Refusée;", ";TX_TVA_ERR;", "F-1.csv;2;out1", "Total transmis;;;;EUR;61,20;"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestACreditNoteIsTakenOffTheTotal(t *testing.T) {
	for _, c := range []struct {
		gross  string
		credit bool
		want   string
	}{{"61.2", false, "61.20"}, {"61.2", true, "-61.20"}, {"-61.2", true, "-61.20"}, {"0", true, "0.00"}, {"", true, ""}} {
		line := ledger.IssuedLine{Credit: c.credit}
		line.Currency = "EUR"
		if c.gross != "" {
			line.Gross = connector.MustAmount(c.gross)
		}
		if got := signed(line).String(); got != c.want {
			t.Errorf("%q, credit %v: %s, want %s", c.gross, c.credit, got, c.want)
		}
	}
}
