package inbox

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"einvoice/connector"
	"einvoice/connector/ledger"
)

const flatMartin = martin // the files of an invoice share what a folder would be called

func flatWorld(t *testing.T) *world {
	return newWorld(t, func(c *Config) { c.Layout = layoutFlat })
}

// laden is an invoice with a file of each kind.
func laden(id, number string) connector.Remote {
	return supplied(id, number, func(inv *connector.Invoice) {
		inv.Attached = []connector.Attachment{
			{Filename: number + ".pdf", Content: []byte("%PDF-1.7 theirs")},
			{Filename: number + ".pdf", Content: []byte("%PDF-1.7 other terms")},
			{Filename: "..\\run.exe", Content: []byte("MZ\x00")},
		}
	})
}

func flatFiles(base string) []string {
	return []string{
		base + " - S-1 (2).pdf", base + " - S-1.pdf", base + " - alertes.txt",
		base + ".csv", base + ".json", base + ".pdf",
		path.Dir(base) + "/quarantine/" + path.Base(base) + " - -run.exe.bin", path.Dir(base) + "/quarantine/" + path.Base(base) + " - -run.exe.bin.txt",
	}
}

// delivered are all files but the registers.
func (w *world) delivered() []string {
	return slices.DeleteFunc(w.files(), func(s string) bool { return strings.HasPrefix(s, "registre-") })
}

func TestTheFlatLayoutPutsFilesSideBySide(t *testing.T) {
	w := flatWorld(t)
	r := laden("in1", "S-1")
	w.arrive(r)
	w.rounds(1)
	if got, want := w.delivered(), flatFiles(flatMartin); !slices.Equal(got, want) {
		t.Errorf("delivered\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if w.read(flatMartin+".json") != string(r.Raw) {
		t.Error("the original is not the bytes as received")
	}
	if got := w.received(ledger.ReceivedDelivered)[0].Folder; got != flatMartin+".pdf" {
		t.Errorf("the register leads to %q", got)
	}
	w.arrive(laden("in2", "S-1"))
	w.rounds(1)
	if got := len(w.delivered()); got != 2*len(flatFiles("")) {
		t.Errorf("%d files after a second invoice of that name:\n%s", got, strings.Join(w.delivered(), "\n"))
	}
}

// TestACrashWhileFilesMoveSideBySide stops after each rename. Staff take away
// what is there: none of it may come a second time, and nothing may be missing.
func TestACrashWhileFilesMoveSideBySide(t *testing.T) {
	all := flatFiles(flatMartin)
	for moved := 0; moved <= len(all); moved++ {
		w := flatWorld(t)
		w.arrive(laden("in1", "S-1"))
		w.must(w.fetchSeen(w.ctx))
		r := w.received(ledger.ReceivedFetched)[0]
		w.must(w.build(w.ctx, &r, names{}))
		hidden, month := filepath.Join(w.root, acme.ID, r.BuildName), filepath.Join(w.root, acme.ID, "2026-05")
		booked := t.TempDir()
		for i, name := range renameOrder(t, hidden) {
			if i == moved {
				break
			}
			w.must(os.MkdirAll(filepath.Join(month, filepath.Dir(name)), 0o755))
			w.must(os.Rename(filepath.Join(hidden, name), filepath.Join(month, name)))
			w.must(os.Rename(filepath.Join(month, name), filepath.Join(booked, filepath.Base(name))))
		}
		w.restart()
		w.rounds(2)
		if got := len(w.delivered()); got != len(all)-moved {
			t.Errorf("stopped after %d: %d files came, want %d", moved, got, len(all)-moved)
		}
		if n := len(w.received(ledger.ReceivedDelivered)); n != 1 {
			t.Errorf("stopped after %d: %d delivered", moved, n)
		}
	}
}

// renameOrder lists the files of a build folder as spread moves them.
func renameOrder(t *testing.T, hidden string) (list []string) {
	t.Helper()
	for _, pattern := range []string{"quarantine/*", "* - *", "*.json", "*.pdf", "*.csv"} {
		found, err := filepath.Glob(filepath.Join(hidden, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			name, _ := filepath.Rel(hidden, f)
			if !slices.Contains(list, name) {
				list = append(list, name)
			}
		}
	}
	return list
}

// TestWhatAnImportWaitsForComesLast watches the moves themselves.
func TestWhatAnImportWaitsForComesLast(t *testing.T) {
	w := flatWorld(t)
	w.arrive(laden("in1", "S-1"))
	w.must(w.fetchSeen(w.ctx))
	r := w.received(ledger.ReceivedFetched)[0]
	w.must(w.build(w.ctx, &r, names{}))
	order, err := spreadOrder(w.ctx, w.tree(acme.ID), r)
	w.must(err)
	if want := renameOrder(t, filepath.Join(w.root, acme.ID, r.BuildName)); len(order) != len(want) || order[len(order)-1] != path.Base(flatMartin)+".csv" {
		t.Errorf("order %q", order)
	}
	// What cannot be placed keeps the CSV back.
	blocked := filepath.Join(w.root, acme.ID, "2026-05", "quarantine")
	w.must(os.WriteFile(blocked, nil, 0o600)) // no folder can be made here
	if err := w.Round(w.ctx); err == nil {
		t.Error("a round with a file that cannot be placed said nothing")
	}
	if _, err := os.Stat(filepath.Join(w.root, acme.ID, flatMartin+".csv")); err == nil {
		t.Fatal("the CSV stands there although other files are missing")
	}
	w.must(os.Remove(blocked))
	w.rounds(1)
	if got, want := w.delivered(), flatFiles(flatMartin); !slices.Equal(got, want) {
		t.Errorf("delivered\n%s", strings.Join(got, "\n"))
	}
}

func TestTheLayoutMayChangeBetweenBuildingAndPlacing(t *testing.T) {
	for _, layout := range []string{layoutFlat, layoutFolder} {
		w := newWorld(t, func(c *Config) { c.Layout = layout })
		w.arrive(laden("in1", "S-1"))
		w.must(w.fetchSeen(w.ctx))
		r := w.received(ledger.ReceivedFetched)[0]
		w.must(w.build(w.ctx, &r, names{}))
		w.cfg.Layout = map[string]string{layoutFlat: layoutFolder, layoutFolder: layoutFlat}[layout]
		w.restart()
		w.rounds(1)
		want := martin + "/invoice.csv"
		if layout == layoutFlat {
			want = flatMartin + ".csv"
		}
		if !slices.Contains(w.files(), want) {
			t.Errorf("built as %s: no %s in\n%s", layout, want, strings.Join(w.files(), "\n"))
		}
	}
}

func TestAFlatInvoiceIsDeliveredAgainAndOnlyOnce(t *testing.T) {
	w := flatWorld(t)
	w.arrive(laden("in1", "S-1"))
	w.rounds(1)
	before := w.files()
	if _, err := w.Redeliver(w.ctx, "S-1"); err == nil {
		t.Error("delivered again over what stands there")
	}
	w.must(os.RemoveAll(filepath.Join(w.root, acme.ID, "2026-05")))
	again, err := w.Redeliver(w.ctx, "S-1")
	w.must(err)
	if after := w.files(); !slices.Equal(before, after) || !strings.HasSuffix(filepath.ToSlash(again[0]), flatMartin+".pdf") {
		t.Errorf("delivered again to %v:\n%s", again, strings.Join(after, "\n"))
	}
	w2 := flatWorld(t) // a ledger that has forgotten
	w2.root, w2.opt.Folder = w.root, w.opt.Folder
	w2.restart()
	w2.arrive(laden("in1", "S-1"))
	w2.rounds(2)
	if after := w2.files(); !slices.Equal(before, after) {
		t.Errorf("a restored ledger made\n%s", strings.Join(after, "\n"))
	}
}

func TestFlatNamesFitWhereverTheyStand(t *testing.T) {
	w := flatWorld(t)
	for _, name := range []string{strings.Repeat("Société ", 40), strings.Repeat("株式会社", 40), strings.Repeat("𝕏", 90)} {
		r := laden("in1", "S-1")
		r.Invoice.Seller.Name = name
		r.Invoice.Attached = append(r.Invoice.Attached, connector.Attachment{Filename: name + ".exe", Content: []byte("MZ\x00")})
		r.Raw = wire(r.ID, r.Invoice)
		received := ledger.Received{ID: 1, APIID: "in1", Supplier: name, Number: name, IssueDate: "2026-05-12", Currency: "EUR",
			Gross: connector.MustAmount("61.20"), ReceivedAt: w.clock, ToCheck: true}
		tree := tree{folder{"/" + strings.Repeat("d", 80), w.mode}, true}
		_, err := w.place(w.ctx, tree, &received, names{})
		w.must(err)
		files, err := w.parcel(received, r.Raw, r.Invoice, tree.insideMost())
		w.must(err)
		w.flatten(&received, files)
		for _, f := range files {
			if why := badOnWindows(path.Base(f.name)); why != "" || len(path.Base(f.name)) > byteMost {
				t.Errorf("%q: %s, %d bytes", f.name, why, len(path.Base(f.name)))
			}
		}
	}
}
