package outbox

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"einvoice/connector/drop"
	"einvoice/connector/ledger"
	"einvoice/mappers"
)

// asWorkbooks gives refused CSV invoices back as workbooks; the mapping expects
// the names of the ERP's exports, and so does the drop.
func asWorkbooks(t *testing.T, text string) func(*Options, *drop.Config) {
	set := reading(t, text)
	return func(opt *Options, cfg *drop.Config) {
		set(opt, cfg)
		opt.RefusedAsXLSX = true
		cfg.Include = []string{"export.csv"}
	}
}

var exactName = strings.Replace(mapping, `name = ["*.csv"]`, `name = ["export.csv"]`, 1)

// refusedBook is the copy that was given back.
func (r *rig) refusedBook() (name string, data []byte) {
	r.t.Helper()
	r.must(r.settleFiles(r.t.Context()))
	for _, p := range r.due() {
		if p.Kind == ledger.KindCopy {
			var err error
			name = p.Name
			data, err = os.ReadFile(r.Blobs.Path(p.SHA256))
			r.must(err)
		}
	}
	return name, data
}

// edit changes cells of a workbook with one sheet.
func edit(t *testing.T, data []byte, cells map[string]any) []byte {
	t.Helper()
	return edited(t, data, func(book *excelize.File, sheet string) error {
		for cell, value := range cells {
			if err := book.SetCellValue(sheet, cell, value); err != nil {
				return err
			}
		}
		return nil
	})
}

func edited(t *testing.T, data []byte, change func(book *excelize.File, sheet string) error) []byte {
	t.Helper()
	book, err := excelize.OpenReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	if err := change(book, book.GetSheetName(0)); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := book.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestARefusedCSVComesBackAsAWorkbookAndIsReadByTheSameMapping(t *testing.T) {
	r := newRig(t, asWorkbooks(t, exactName))
	r.sweep()
	r.drop("export.csv", header+row("F1", "10")+row("F2", "ten"))
	r.intake()
	r.sendAll()
	name, data := r.refusedBook()
	if name != "export.000001.refused.1.xlsx" || !bytes.HasPrefix(data, []byte("PK")) {
		t.Fatalf("copy %q of %d bytes", name, len(data))
	}

	// Unedited it refuses the same invoice, and changes nothing else.
	r.drop(name, string(data))
	r.intake()
	r.sendAll()
	found, err := r.Ledger.Find(t.Context(), "F2")
	r.must(err)
	if len(found) != 2 || found[0].State != ledger.Refused || found[0].Problems[0].Value != "ten" || r.files()[0].Mapping != "test" {
		t.Fatalf("dropped back: %+v", found)
	}
	if r.api.posts["F1"] != 1 || r.api.posts["F2"] != 0 || r.state("F1") != ledger.Sent {
		t.Errorf("posts %v", r.api.posts)
	}

	// Edited, with its three columns left in place, it goes through.
	again, copied := r.refusedBook()
	if again != "export.000002.refused.1.xlsx" {
		t.Errorf("the copy of the copy is %q", again)
	}
	r.drop(again, string(edit(t, copied, map[string]any{"G2": "12.50"})))
	r.intake()
	r.sendAll()
	if r.state("F2") != ledger.Sent || r.api.posts["F2"] != 1 || r.api.posts["F1"] != 1 {
		t.Errorf("F2 is %s, posts %v", r.state("F2"), r.api.posts)
	}
}

func TestAnUneditedWorkbookGoesThroughOnceTheMappingWasMended(t *testing.T) {
	coded := strings.Replace(exactName, `unit_price = "price"`, `unit_price = { from = "price", map = "price" }`, 1)
	r := newRig(t, asWorkbooks(t, coded+"[map.price]\nA = \"10\"\n"))
	r.sweep()
	r.drop("export.csv", header+row("F1", "A")+row("F2", "B"))
	r.intake()
	name, data := r.refusedBook()
	if r.state("F2") != ledger.Refused {
		t.Fatalf("F2 is %s", r.state("F2"))
	}
	r.restart(asWorkbooks(t, coded+"[map.price]\nA = \"10\"\nB = \"11\"\n"))
	r.drop(name, string(data))
	r.intake()
	r.sendAll()
	if r.state("F2") != ledger.Sent || r.api.posts["F1"] != 1 {
		t.Errorf("F2 is %s, posts %v", r.state("F2"), r.api.posts)
	}
}

func TestAnUneditedWorkbookGoesThroughOnceTheLookUpWasMended(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) {
		if err := os.WriteFile(dir+"/clients.csv", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("code;siret\nC1;20000000800017\n")
	looked := strings.Replace(exactName, `recipient.fiscal_id = "siret"`, `recipient.fiscal_id = { from = "siret", lookup = "clients.siret" }`, 1) +
		"[lookup.clients]\nfile = \"clients.csv\"\nkey = \"code\"\n"
	m, err := mappers.LoadIn(dir, "test", []byte(looked))
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, func(opt *Options, cfg *drop.Config) {
		asWorkbooks(t, exactName)(opt, cfg)
		opt.Drops[0].Mappings = [][]*mappers.Mapping{{m}}
	})
	r.sweep()
	r.drop("export.csv", header+strings.Replace(row("F1", "10"), "20000000800017", "C1", 1)+strings.Replace(row("F2", "10"), "20000000800017", "C2", 1))
	r.intake()
	name, data := r.refusedBook()
	if r.state("F1") != ledger.Queued || r.state("F2") != ledger.Refused {
		t.Fatalf("F1 %s, F2 %s", r.state("F1"), r.state("F2"))
	}
	write("code;siret\nC1;20000000800017\nC2;20000000800017\n")
	r.drop(name, string(data))
	r.intake()
	if r.state("F2") != ledger.Queued {
		t.Errorf("F2 is %s", r.state("F2"))
	}
}
