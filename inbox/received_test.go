package inbox

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"einvoice/connector"
	"einvoice/connector/drop/sftpplace/sftptest"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
)

const martin = "2026-05/2026-05-12 Fournitures Martin SARL S-1 61,20 EUR"

// arrive brings an invoice up to seen, as callbacks and lists do.
func (w *world) arrive(r connector.Remote) {
	w.t.Helper()
	w.platform.put(r)
	_, err := w.ledger.SeeReceived(w.ctx, acme.ID, r.ID)
	w.must(err)
}

func (w *world) read(name string) string {
	w.t.Helper()
	b, err := os.ReadFile(filepath.Join(w.root, acme.ID, filepath.FromSlash(name)))
	w.must(err)
	return string(b)
}

func TestASupplierInvoiceIsDeliveredWhole(t *testing.T) {
	w := newWorld(t)
	r := supplied("in1", "S-1", func(inv *connector.Invoice) {
		inv.Attached = []connector.Attachment{
			{Filename: "S-1.pdf", Content: []byte("%PDF-1.7 theirs"), MIME: "application/pdf"},
			{Filename: "détail.csv", Content: []byte("a;b\r\n"), MIME: "text/csv"},
			{Filename: "..\\run.exe", Content: []byte("MZ\x00"), MIME: "application/pdf"},
		}
	})
	w.platform.put(r)
	w.ring(EventSupplier, `{"data":{"id":"in1"}}`)
	w.rounds(1)
	want := []string{
		martin + "/S-1.pdf", martin + "/alertes.txt", martin + "/attachments/détail.csv",
		martin + "/attachments/quarantine/-run.exe.bin", martin + "/attachments/quarantine/-run.exe.bin.txt",
		martin + "/copie_lisible.pdf", martin + "/invoice.csv", martin + "/invoice.json", "registre-2026-05.csv", "registre-2026-05.xlsx",
	}
	if got := w.files(); !slices.Equal(got, want) {
		t.Errorf("delivered\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if w.read(martin+"/invoice.json") != string(r.Raw) {
		t.Error("the original is not the bytes as received")
	}
	if w.read(martin+"/S-1.pdf") != "%PDF-1.7 theirs" {
		t.Error("the supplier's PDF was touched")
	}
	if !strings.HasPrefix(w.read(martin+"/copie_lisible.pdf"), "%PDF-") {
		t.Error("our readable copy is no PDF")
	}
	if text := w.read(martin + "/alertes.txt"); !strings.Contains(text, codeQuarantine) || !strings.Contains(text, "-run.exe") {
		t.Errorf("alerts: %s", text)
	}
	if len(w.platform.gets) != 1 {
		t.Errorf("GETs %v: one is enough for the call and the fetching", w.platform.gets)
	}
	if settled, err := w.Settled(w.ctx); err != nil || !settled {
		t.Errorf("settled %v, %v", settled, err)
	}
}

func TestTheCSVForTheERPIsExact(t *testing.T) {
	w := newWorld(t)
	w.arrive(supplied("in1", "=S-1", func(inv *connector.Invoice) {
		inv.Lines = append(inv.Lines, connector.Line{Description: "Remise;\n\"fin\"", Quantity: connector.MustAmount("1"),
			UnitPrice: connector.MustAmount("0.000"), Net: connector.MustAmount("0"), Rate: connector.MustAmount("5.5")})
	}))
	w.rounds(1)
	folder := w.received(ledger.ReceivedDelivered)[0].Folder
	text := w.read(folder + "/invoice.csv")
	c := csv.NewReader(strings.NewReader(text))
	c.Comma = ';'
	rows, err := c.ReadAll()
	w.must(err)
	if len(rows) != 3 || !slices.Equal(rows[0], Columns()) {
		t.Fatalf("rows %q", rows)
	}
	at := func(row int, column string) string { return rows[row][slices.Index(rows[0], column)] }
	for _, tt := range []struct {
		row          int
		column, want string
	}{
		{1, "document_number", "=S-1"}, {1, "total_including_tax", "61.20"}, {1, "line", "1"}, {2, "line", "2"},
		{2, "api_id", "in1"}, {2, "description", "Remise;\n\"fin\""}, {1, "unit_price", "25.50"}, {2, "tax_rate", "5.5"},
		{1, "supplier_fiscal_id", "100000009"}, {1, "iban", "FR7630006000011234567890189"}, {1, "to_check", "no"},
	} {
		if got := at(tt.row, tt.column); got != tt.want {
			t.Errorf("row %d, %s: %q, want %q", tt.row, tt.column, got, tt.want)
		}
	}
}

func TestTheRegisterIsSafeForExcel(t *testing.T) {
	w := newWorld(t)
	w.arrive(supplied("in1", "=cmd|'/c calc'!A1", func(inv *connector.Invoice) { inv.Seller.Name = "＝SOMME(A1)" }))
	w.arrive(supplied("in2", "S-2", func(inv *connector.Invoice) { inv.Type = "381" }))
	w.rounds(1)
	text := w.read("registre-2026-05.csv")
	if !strings.HasPrefix(text, "\ufeffReçue le;Fournisseur;") {
		t.Errorf("register begins %q", text[:40])
	}
	for _, want := range []string{"'=cmd|", "'＝SOMME(A1)", ";Avoir;2026-05-12;;EUR;-51,00;-10,20;-61,20;-61,20;-51,00;-10,20;",
		"Total à comptabiliser;;;;;;;;EUR;0,00;0,00;0,00;"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestATotalThatCannotBeExactIsNotShown(t *testing.T) {
	w := newWorld(t)
	for i, gross := range []string{"99999999999999999.99", "99999999999999999.99", "61.20"} {
		w.arrive(supplied(fmt.Sprint("in", i), fmt.Sprint("S-", i), func(inv *connector.Invoice) {
			inv.Lines, inv.Totals = nil, connector.Totals{Gross: connector.MustAmount(gross), Tax: connector.MustAmount("1.00")}
			inv.Taxes = []connector.Tax{{Tax: connector.MustAmount("1.00")}}
		}))
	}
	w.rounds(1)
	text := w.read("registre-2026-05.csv")
	if want := "Total à comptabiliser;;;;;;;;EUR;;3,00;;;"; !strings.Contains(text, want) {
		t.Errorf("no %q in\n%s", want, text)
	}
}

func TestARegisterThatIsHeldOpenWaits(t *testing.T) {
	w := newWorld(t)
	held := filepath.Join(w.root, acme.ID, "registre-2026-05.csv")
	w.must(os.MkdirAll(filepath.Join(held, "x"), 0o755)) // a folder cannot be replaced by a file
	w.arrive(supplied("in1", "S-1"))
	w.rounds(2)
	if n := len(w.received(ledger.ReceivedDelivered)); n != 1 {
		t.Fatalf("a held register stopped the delivery")
	}
	w.must(os.RemoveAll(held))
	w.rounds(1)
	if !strings.Contains(w.read("registre-2026-05.csv"), "S-1") {
		t.Error("the register was not written once it could be")
	}
}

func TestWhatIsRemarkable(t *testing.T) {
	iban := func(s string) func(*connector.Invoice) { return func(inv *connector.Invoice) { inv.IBAN = s } }
	prior := []ledger.Received{
		{APIID: "p2", Number: "S-9", IssueDate: "2026-04-01", IBAN: "FR76 3000 6000 0112 3456 7890 189", Folder: "2026-04/x"},
		{APIID: "p1", Number: "S-8", IssueDate: "2025-04-01", IBAN: "DE89370400440532013000"},
		{APIID: "p3", Number: "S-7", IssueDate: "2026-05-01", IBAN: "DE89370400440532013000"}, // not delivered yet
	}
	tests := []struct {
		name   string
		change func(*connector.Invoice)
		prior  []ledger.Received
		want   string
		check  bool
	}{
		{"nothing", iban("FR7630006000011234567890189"), prior, "", false},
		{"first of a supplier", iban("GB82WEST12345698765432"), nil, "", false},
		{"a number again", func(inv *connector.Invoice) { inv.Number = "s 9" }, prior, "E5901", false},
		{"a number that came with it", func(inv *connector.Invoice) { inv.Number = "S-7" }, prior, "E5901", false},
		{"a number of another year", func(inv *connector.Invoice) { inv.Number = "S-8" }, prior, "", false},
		{"an account of last year", iban("DE89370400440532013000"), prior, "", false},
		{"a new account", iban("GB82WEST12345698765432"), prior, "E5902", false},
		{"no account at all", iban(""), prior, "", false},
		{"lines that do not add up", func(inv *connector.Invoice) { inv.Lines[0].Net = connector.MustAmount("50.98") }, nil, "E5903", true},
		{"a cent is rounding", func(inv *connector.Invoice) { inv.Lines[0].Net = connector.MustAmount("51.01") }, nil, "", false},
		{"VAT that does not add up", func(inv *connector.Invoice) { inv.Taxes[0].Tax = connector.MustAmount("10") }, nil, "E5903", true},
		{"a gross of its own", func(inv *connector.Invoice) { inv.Totals.Gross = connector.MustAmount("612") }, nil, "E5903", true},
		{"no lines is no contradiction", func(inv *connector.Invoice) { inv.Lines = nil }, nil, "", false},
		{"for somebody else", func(inv *connector.Invoice) { inv.Buyer.FiscalID = "100000009" }, nil, "E5904", true},
		{"for nobody", func(inv *connector.Invoice) { inv.Buyer = connector.Party{} }, nil, "E5904", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inv := supplied("in1", "S-1").Invoice
			inv.Lines = slices.Clone(inv.Lines)
			tt.change(&inv)
			got := alerts(&inv, []connector.Company{acme, other}, tt.prior)
			if codes(got) != tt.want || held(got) != tt.check {
				t.Errorf("got %q to check %v, want %q %v", codes(got), held(got), tt.want, tt.check)
			}
			for _, p := range got {
				for _, lang := range []problem.Lang{problem.French, problem.English} {
					if text := p.Message(lang) + p.Remedy(lang); strings.ContainsAny(text, "{}") || strings.Contains(text, " ,") || strings.Contains(text, "totals.") {
						t.Errorf("%s text: %q", lang, text)
					}
				}
			}
		})
	}
}

func TestADoubtfulInvoiceGoesToTheFolderToCheck(t *testing.T) {
	w := newWorld(t)
	w.arrive(supplied("in1", "S-1", func(inv *connector.Invoice) { inv.Totals.Gross = connector.MustAmount("612.00") }))
	w.rounds(1)
	folder := "a_verifier/2026-05/2026-05-12 Fournitures Martin SARL S-1 612,00 EUR"
	if text := w.read(folder + "/alertes.txt"); !strings.Contains(text, "À vérifier") || !strings.Contains(text, codeTotals) {
		t.Errorf("alerts: %s", text)
	}
	if !strings.Contains(w.read(folder+"/invoice.csv"), ";yes;E5903;") {
		t.Error("the ERP is not told that it is to be checked")
	}
}

func TestTheSameNumberTwiceIsDeliveredAndMarked(t *testing.T) {
	w := newWorld(t)
	w.arrive(supplied("in1", "S-1"))
	w.rounds(1)
	w.arrive(supplied("in2", "S-1"))
	w.arrive(supplied("in3", "S-1"))
	w.rounds(1)
	got := w.received(ledger.ReceivedDelivered)
	if len(got) != 3 || got[1].Folder != martin+" (in2)" || got[2].Folder != martin+" (in3)" {
		t.Fatalf("delivered %+v", got)
	}
	if text := w.read(martin + " (in2)/alertes.txt"); !strings.Contains(text, codeAgain) || !strings.Contains(text, martin) {
		t.Errorf("alerts: %s", text)
	}
}

// TestACrashAtAnyStepGivesExactlyOneFolder stops after each step of a delivery
// and starts anew.
func TestACrashAtAnyStepGivesExactlyOneFolder(t *testing.T) {
	first := func(w *world, s ledger.ReceivedState) *ledger.Received { r := w.received(s)[0]; return &r }
	fetch := func(w *world) { w.must(w.fetchSeen(w.ctx)) }
	build := func(w *world) { fetch(w); w.must(w.build(w.ctx, first(w, ledger.ReceivedFetched), names{})) }
	rename := func(w *world) {
		build(w)
		r := first(w, ledger.ReceivedBuilt)
		_, err := w.put(w.ctx, w.tree(acme.ID), *r)
		w.must(err)
	}
	tests := []struct {
		name  string
		until func(w *world)
		want  int // folders in the inbox
	}{
		{"seen", func(w *world) {}, 1},
		{"fetched", fetch, 1},
		{"a part of the folder written", func(w *world) {
			fetch(w)
			dir := filepath.Join(w.root, acme.ID, buildPrefix+"1", "attachments")
			w.must(os.MkdirAll(dir, 0o755))
			w.must(os.WriteFile(filepath.Join(dir, "half"), []byte("x"), 0o600))
		}, 1},
		{"built", build, 1},
		{"renamed", rename, 1},
		{"renamed, and staff moved it on", func(w *world) {
			rename(w)
			w.must(os.Rename(filepath.Join(w.root, acme.ID, filepath.FromSlash(martin)), filepath.Join(w.t.TempDir(), "booked")))
		}, 0},
		{"delivered", func(w *world) { w.rounds(1) }, 1},
	}
	for i := range 2 * len(tests) {
		tt, far := tests[i/2], i%2 == 1
		t.Run(fmt.Sprintf("%s, on a server %t", tt.name, far), func(t *testing.T) {
			w := newWorld(t)
			if far {
				w.over(sftptest.Start(t, sftptest.Options{}))
			}
			w.arrive(supplied("in1", "S-1"))
			tt.until(w)
			w.restart()
			w.rounds(2)
			n := 0
			for _, name := range w.files() {
				if strings.HasSuffix(name, "/invoice.json") {
					n++
				}
				if strings.HasSuffix(name, "half") {
					t.Error("a file of the interrupted build was delivered")
				}
			}
			if n != tt.want || len(w.received(ledger.ReceivedDelivered)) != 1 {
				t.Errorf("%d folders, %d delivered; want %d and 1", n, len(w.received(ledger.ReceivedDelivered)), tt.want)
			}
		})
	}
}

// TestNothingIsInPlaceBeforeBuiltIsCommitted: staff may move a folder on as soon
// as they see it, and nobody would know after a crash that it was there.
func TestNothingIsInPlaceBeforeBuiltIsCommitted(t *testing.T) {
	w := newWorld(t)
	w.arrive(supplied("in1", "S-1"))
	w.must(w.fetchSeen(w.ctx))
	r := w.received(ledger.ReceivedFetched)[0]
	w.must(w.build(w.ctx, &r, names{}))
	if _, err := os.Stat(filepath.Join(w.root, acme.ID, filepath.FromSlash(martin))); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder is in place before its row says so: %v", err)
	}
	if _, err := os.Stat(filepath.Join(w.root, acme.ID, r.BuildName, "invoice.json")); err != nil {
		t.Errorf("not built: %v", err)
	}
}

func TestAShareThatIsAwayIsNotTakenForADelivery(t *testing.T) {
	w := newWorld(t)
	w.arrive(supplied("in1", "S-1"))
	w.must(w.fetchSeen(w.ctx))
	r := w.received(ledger.ReceivedFetched)[0]
	w.must(w.build(w.ctx, &r, names{}))
	root := filepath.Join(w.root, acme.ID)
	w.must(os.Rename(root, root+".away"))
	w.must(os.Mkdir(root, 0o755)) // the empty mount point
	if err := w.Round(w.ctx); err == nil || len(w.received(ledger.ReceivedBuilt)) != 1 {
		t.Fatalf("round said %v with the share away", err)
	}
	w.must(os.RemoveAll(root))
	w.must(os.Rename(root+".away", root))
	w.rounds(1)
	if !strings.Contains(w.read(martin+"/invoice.json"), "S-1") {
		t.Error("not delivered after the share came back")
	}
}

func TestARestoredLedgerMakesNoSecondCopy(t *testing.T) {
	w := newWorld(t)
	w.arrive(supplied("in1", "S-1"))
	w.rounds(1)
	before := w.files()
	w2 := newWorld(t) // a ledger that has forgotten
	w2.root = w.root
	w2.opt.Folder = w.opt.Folder
	w2.restart()
	w2.arrive(supplied("in1", "S-1"))
	w2.rounds(2)
	if after := w2.files(); !slices.Equal(after, before) {
		t.Errorf("before\n%s\nafter\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
}

func TestLeftoversOfNobodyAreRemoved(t *testing.T) {
	w := newWorld(t)
	w.must(os.MkdirAll(filepath.Join(w.root, acme.ID, buildPrefix+"99", "attachments"), 0o755))
	w.must(os.MkdirAll(filepath.Join(w.root, acme.ID, "2026-05"), 0o755))
	w.rounds(1)
	w.files() // fails on what is left
}

func TestOnePoisonedInvoiceStopsNobody(t *testing.T) {
	w := newWorld(t)
	w.arrive(supplied("bad", "S-0"))
	w.platform.fail["bad"] = errAway
	w.arrive(supplied("in1", "S-1"))
	for range 4 {
		w.rounds(1)
		w.pass(10 * time.Minute)
	}
	if got := w.received(ledger.ReceivedDelivered); len(got) != 1 || got[0].APIID != "in1" {
		t.Errorf("delivered %+v", got)
	}
	if got := w.received(ledger.ReceivedSeen); len(got) != 1 {
		t.Errorf("the poisoned one was dropped")
	}
}

// TestNobodySeesAPartOfADelivery reads the inbox every millisecond while
// invoices arrive. EINVOICE_DELIVERIES is their number.
func TestNobodySeesAPartOfADelivery(t *testing.T) {
	count, err := strconv.Atoi(os.Getenv("EINVOICE_DELIVERIES"))
	if err != nil {
		count = 24
	}
	for _, layout := range []string{layoutFolder, layoutFlat} {
		t.Run(layout, func(t *testing.T) {
			w := newWorld(t, func(c *Config) { c.Layout, c.Poll.Budget = layout, 1<<20 })
			r := &watcher{t: t, dir: filepath.Join(w.root, acme.ID, "2026-05"), flat: layout == layoutFlat, sizes: map[string]int64{}, done: make(chan struct{})}
			var wg sync.WaitGroup
			wg.Go(r.read)
			for i := range count {
				w.arrive(supplied(fmt.Sprint("in", i), fmt.Sprint("S-", i), func(inv *connector.Invoice) {
					inv.Attached = []connector.Attachment{{Filename: "x.csv", Content: []byte("a;b\r\n")}}
				}))
				if i%8 == 7 || i == count-1 {
					w.rounds(1)
				}
			}
			close(r.done)
			wg.Wait()
			if n := len(w.deliveredCount()); n != count {
				t.Errorf("%d delivered, want %d", n, count)
			}
			if r.whole < count {
				t.Errorf("the reader saw %d of %d invoices", r.whole, count)
			}
			r.compare()
			t.Logf("%s: %d deliveries, %d looks", layout, count, r.looks)
		})
	}
}

func (w *world) deliveredCount() []ledger.Received {
	list, err := w.ledger.ReceivedIn(w.ctx, ledger.ReceivedDelivered, 1<<20)
	w.must(err)
	return list
}

// watcher is a reader in a hurry: it looks at each name the moment it appears.
type watcher struct {
	t            *testing.T
	dir          string
	flat         bool
	sizes        map[string]int64 // of files, when they were first seen
	looks, whole int
	done         chan struct{}
}

func (r *watcher) read() {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	seen := map[string]bool{}
	for last := false; !last; {
		select {
		case <-r.done:
			last = true
		case <-tick.C:
		}
		r.looks++
		entries, _ := os.ReadDir(r.dir)
		for _, e := range entries {
			if !seen[e.Name()] {
				seen[e.Name()] = true
				r.look(e.Name())
			}
		}
	}
}

// look notes the files of an invoice that has just appeared; all must be there.
func (r *watcher) look(name string) {
	var want []string
	switch stem, isCSV := strings.CutSuffix(name, ".csv"); {
	case !r.flat:
		for _, inside := range []string{"invoice.json", "invoice.csv", "copie_lisible.pdf", "attachments/x.csv"} {
			want = append(want, name+"/"+inside)
		}
	case isCSV && !strings.Contains(name, " - "): // it comes last
		want = []string{name, stem + ".json", stem + ".pdf", stem + " - x.csv"}
	default: // each file by itself is whole
		r.note(name)
		return
	}
	r.whole++
	for _, file := range want {
		r.note(file)
	}
}

func (r *watcher) note(name string) {
	info, err := os.Stat(filepath.Join(r.dir, filepath.FromSlash(name)))
	if err != nil {
		r.t.Errorf("not whole: %v", err)
		return
	}
	r.sizes[name] = info.Size()
}

// compare finds files that grew after they were first seen.
func (r *watcher) compare() {
	for name, size := range r.sizes {
		info, err := os.Stat(filepath.Join(r.dir, filepath.FromSlash(name)))
		if err != nil || info.Size() != size || size == 0 {
			r.t.Errorf("%s had %d bytes when it appeared: %v %v", name, size, info, err)
		}
	}
}

func TestDeepFoldersKeepPathsShort(t *testing.T) {
	w := newWorld(t)
	r := ledger.Received{ID: 1, APIID: "in1", Supplier: strings.Repeat("Société ", 30), Number: strings.Repeat("9", 80),
		IssueDate: "2026-05-12", Currency: "EUR", Gross: connector.MustAmount("61.20"), ReceivedAt: w.clock}
	tree := tree{Tree: folder{"/" + strings.Repeat("d", 90), w.mode}}
	for _, check := range []bool{false, true} {
		r.ToCheck = check
		_, err := w.place(w.ctx, tree, &r, names{})
		w.must(err)
		longest := path.Join(tree.Path(r.Folder), dirApart, strings.Repeat("x", nameLeast)+".txt")
		if n := length(longest); n > pathMost {
			t.Errorf("a path of %d characters: %s", n, longest)
		}
	}
}

func TestFilesGetTheModeOfTheSettings(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.FileMode = "0664" })
	w.arrive(supplied("in1", "S-1"))
	w.rounds(1)
	info, err := os.Stat(filepath.Join(w.root, acme.ID, filepath.FromSlash(martin), "invoice.json"))
	w.must(err)
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o600 != 0o600 || runtime.GOOS != "windows" && info.Mode().Perm()&0o007 != 0o004 {
		t.Errorf("mode %v", info.Mode())
	}
	if folderMode(0o640) != 0o750 || folderMode(0o664) != 0o775 {
		t.Errorf("folder modes %v %v", folderMode(0o640), folderMode(0o664))
	}
}
