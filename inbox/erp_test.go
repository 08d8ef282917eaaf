package inbox

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"einvoice/connector"
	"einvoice/connector/cii"
	"einvoice/connector/drop"
	"einvoice/connector/ledger"
	"einvoice/connector/results"
)

// erpWorld delivers to an ERP as well, from a folder of its own.
func erpWorld(t *testing.T, change ...func(*Config)) (*world, string) {
	t.Helper()
	w := newWorld(t, append([]func(*Config){func(c *Config) {
		c.XML, c.ERP.Formats = xmlCII, []string{"csv", "json", "xml", "pdf"}
	}}, change...)...)
	dir := t.TempDir()
	w.opt.ERP = func(company string) (drop.Place, error) { return drop.NewFolder(filepath.Join(dir, company), "") }
	w.must(os.Mkdir(filepath.Join(dir, acme.ID), 0o755))
	w.restart()
	return w, filepath.Join(dir, acme.ID)
}

func contents(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestTheERPGetsItsOwnDeliveryBesideTheAccountants(t *testing.T) {
	w, dir := erpWorld(t, func(c *Config) { c.ERP.OKFile = true })
	r := supplied("in1", "S-1")
	w.arrive(r)
	w.rounds(1)
	const stem = "received_acme_20260514T090000_00000001"
	want := []string{stem + ".csv", stem + ".json", stem + ".ok", stem + ".pdf", stem + ".xml"}
	if got := contents(t, dir); !slices.Equal(got, want) {
		t.Fatalf("the ERP has %v, want %v", got, want)
	}
	for ext, inside := range map[string]string{".csv": "invoice.csv", ".json": "invoice.json", ".xml": "invoice.xml", ".pdf": "copie_lisible.pdf"} {
		got, err := os.ReadFile(filepath.Join(dir, stem+ext))
		w.must(err)
		if string(got) != w.read(martin+"/"+inside) {
			t.Errorf("%s is not what the accountant has", stem+ext)
		}
	}
	ok, err := os.ReadFile(filepath.Join(dir, stem+".ok"))
	w.must(err)
	if lines := strings.Split(strings.TrimSpace(string(ok)), "\r\n"); len(lines) != 4 || !strings.HasSuffix(lines[0], "  "+stem+".csv") {
		t.Errorf("ok file: %q", ok)
	}
	w.must(os.RemoveAll(dir))
	w.must(os.Mkdir(dir, 0o755))
	w.rounds(2)
	if got := contents(t, dir); len(got) > 0 {
		t.Errorf("delivered again although the ERP took it: %v", got)
	}
	if n, err := w.RedeliverToERP(w.ctx, "S-1"); err != nil || n != 1 || !slices.Equal(contents(t, dir), want) {
		t.Errorf("on demand: %d, %v, %v", n, err, contents(t, dir))
	}
}

func TestWhatAPersonMustSeeFirstIsKeptFromTheERPUntilReleased(t *testing.T) {
	w, dir := erpWorld(t, func(c *Config) { c.ERP.Formats = []string{"csv"} })
	w.arrive(supplied("in1", "S-1"))
	w.arrive(supplied("in2", "S-1")) // perhaps a duplicate
	w.arrive(supplied("in3", "S-3", func(inv *connector.Invoice) { inv.Totals.Gross = connector.MustAmount("99") }))
	w.rounds(2)
	if got := contents(t, dir); len(got) != 1 {
		t.Fatalf("the ERP has %v, want the first invoice alone", got)
	}
	if n := len(w.received(ledger.ReceivedDelivered)); n != 3 {
		t.Fatalf("the accountant has %d, want all", n)
	}
	for i, id := range []string{"in2", "in3"} {
		found, err := w.ledger.FindReceived(w.ctx, id)
		w.must(err)
		w.must(w.ledger.ReleaseReceived(w.ctx, []int64{found[0].ID}, "einvoice release "+id))
		w.rounds(1)
		if got := contents(t, dir); len(got) != i+2 {
			t.Errorf("after the release of %s the ERP has %v", id, got)
		}
	}
	w.Outdated(w.received(ledger.ReceivedDelivered))
	w.rounds(1)
	if text := w.read("registre-2026-05.csv"); strings.Contains(text, "doublon possible") || strings.Contains(text, "à vérifier") {
		t.Errorf("the register still tells released ones apart:\n%s", text)
	}
}

// TestAnERPsPlaceThatIsAwayKeepsNobodyElseWaiting: the accountant is served, and
// what is owed comes when the place is back.
func TestAnERPsPlaceThatIsAwayKeepsNobodyElseWaiting(t *testing.T) {
	w, dir := erpWorld(t)
	w.must(os.RemoveAll(dir))
	w.arrive(supplied("in1", "S-1"))
	w.rounds(2)
	if n := len(w.received(ledger.ReceivedDelivered)); n != 1 {
		t.Fatal("the accountant waits for the ERP")
	}
	if settled, err := w.Settled(w.ctx); err != nil || settled {
		t.Errorf("settled %v, %v, although the ERP lacks a file", settled, err)
	}
	w.must(os.Mkdir(dir, 0o755))
	w.restart()
	w.rounds(1)
	if got := contents(t, dir); len(got) != 4 {
		t.Errorf("the ERP has %v", got)
	}
	w.must(os.RemoveAll(filepath.Join(w.root, acme.ID)))
	w.arrive(supplied("in2", "S-2"))
	_ = w.Round(w.ctx) // says that the inbox is away
	if got := contents(t, dir); len(got) != 8 {
		t.Errorf("the ERP waits for the accountant: %v", got)
	}
}

func TestOneInvoiceThatCannotBePublishedStopsNoOther(t *testing.T) {
	w, dir := erpWorld(t, func(c *Config) { c.ERP.Formats = []string{"json"} })
	w.must(os.RemoveAll(dir))
	w.arrive(supplied("in1", "S-1"))
	w.arrive(supplied("in2", "S-2"))
	w.rounds(1)
	first := w.received(ledger.ReceivedDelivered)[0]
	w.must(os.Remove(w.opt.Blobs.Path(first.RawSHA256))) // damaged, or taken by an antivirus
	w.must(os.Mkdir(dir, 0o755))
	if err := w.Round(w.ctx); err == nil || !strings.Contains(err.Error(), "in1") {
		t.Errorf("nothing is said of the first: %v", err)
	}
	if got := contents(t, dir); len(got) != 1 || !strings.HasSuffix(got[0], "00000002.json") {
		t.Errorf("the ERP has %v, want the second invoice", got)
	}
}

// TestACrashBetweenTheERPsFilesPublishesTheSameBytesAgain stops after each file.
func TestACrashBetweenTheERPsFilesPublishesTheSameBytesAgain(t *testing.T) {
	var want []string
	for stop := range 5 {
		w, dir := erpWorld(t)
		folder := w.opt.ERP
		n := 0
		w.opt.ERP = func(company string) (drop.Place, error) {
			p, err := folder(company)
			return cutPlace{p, &n, stop}, err
		}
		w.restart()
		w.arrive(supplied("in1", "S-1"))
		_ = w.Round(w.ctx)
		if got := len(contents(t, dir)); got != min(stop, 4) {
			t.Fatalf("stopped after %d: %d files", stop, got)
		}
		w.opt.ERP = folder
		w.restart()
		w.rounds(1)
		got := contents(t, dir)
		for i, name := range got {
			b, err := os.ReadFile(filepath.Join(dir, name))
			w.must(err)
			got[i] += fmt.Sprintf(" %x", b)
		}
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Errorf("stopped after %d: other names or bytes", stop)
		}
	}
}

// cutPlace fails after so many files, as a crash would.
type cutPlace struct {
	drop.Place
	n    *int
	stop int
}

func (p cutPlace) Publish(ctx context.Context, name string, content io.Reader) error {
	if *p.n++; *p.n > p.stop {
		return fmt.Errorf("cut: %w", drop.ErrBusy)
	}
	return p.Place.Publish(ctx, name, content)
}

func TestTheColumnsOfTheCSVAreChosen(t *testing.T) {
	inv := invoice("12.50")
	inv.Seller.Name = "Où; \"là\"\nfin"
	inv.Lines = append(inv.Lines, inv.Lines[0])
	write := func(c CSVConfig) string {
		var b bytes.Buffer
		if err := c.write(&b, ledger.Received{APIID: "in1"}, inv, nil, newWorld(t).opt.Location); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	all := Defaults().CSV
	tests := []struct {
		name   string
		change func(*CSVConfig)
		want   string
	}{
		{"one row without columns of lines", func(c *CSVConfig) { c.Columns = []string{"total_including_tax", "document_number"} },
			"total_including_tax;document_number\r\n61.20;12.50\r\n"},
		{"a row per line with them", func(c *CSVConfig) { c.Columns = []string{"document_number", "line"} },
			"document_number;line\r\n12.50;1\r\n12.50;2\r\n"},
		{"another dialect, in amounts alone", func(c *CSVConfig) {
			c.Columns, c.Delimiter, c.Decimal = []string{"document_number", "total_tax"}, "|", ","
		}, "document_number|total_tax\r\n12.50|10,20\r\n"},
		{"no header", func(c *CSVConfig) { c.Columns, c.Header = []string{"api_id"}, false }, "in1\r\n"},
		{"line ends inside a value stay", func(c *CSVConfig) {
			c.Columns, c.Header, c.Encoding = []string{"supplier_name"}, false, results.Windows1252
		},
			"\"O\xf9; \"\"l\xe0\"\"\nfin\"\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := all
			tt.change(&c)
			if got := write(c); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if got := strings.Split(strings.SplitN(write(all), "\r\n", 2)[0], ";"); !slices.Equal(got, Columns()) {
		t.Errorf("all columns: %v", got)
	}
}

// TestTheManualListsEveryColumn keeps README.md in step.
func TestTheManualListsEveryColumn(t *testing.T) {
	manual, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	for _, c := range csvColumns() {
		fmt.Fprintf(&table, "| `%s` | %s |\n", c.name, c.about)
	}
	if !strings.Contains(strings.ReplaceAll(string(manual), "\r\n", "\n"), table.String()) {
		t.Errorf("README.md does not have the columns as they are:\n%s", table.String())
	}
}

func TestTheXMLCopySaysWhatTheInvoiceSays(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.XML = xmlCII })
	w.arrive(supplied("in1", "S-1"))
	w.rounds(1)
	facts, err := cii.Read(strings.NewReader(w.read(martin + "/invoice.xml")))
	w.must(err)
	inv := supplied("in1", "S-1").Invoice
	if len(differences(&inv, facts)) > 0 || facts.Number != "S-1" || facts.SellerID != "100000009" || facts.Gross != "61.20" {
		t.Errorf("the copy says %+v", facts)
	}
	w.cfg.XML = xmlUBL
	w.restart()
	w.arrive(supplied("in2", "S-2", func(inv *connector.Invoice) { inv.Type = "381" }))
	w.rounds(1)
	text := w.read(strings.Replace(martin, "S-1", "S-2", 1) + "/invoice.xml")
	for _, want := range []string{"<CreditNote ", ">S-2<", ">381<", `<cbc:TaxInclusiveAmount currencyID="EUR">61.20<`, ">Fournitures Martin SARL<"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}
