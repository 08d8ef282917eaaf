package outbox

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"einvoice/connector/drop"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
)

// office is LibreOffice without a window, with a French profile of its own.
type office struct {
	t       *testing.T
	profile string
}

func newOffice(t *testing.T) office {
	t.Helper()
	if _, err := exec.LookPath("soffice"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("LibreOffice is not here: apt-get install libreoffice-calc")
		}
		t.Skip("LibreOffice is not here")
	}
	profile := t.TempDir()
	if err := os.MkdirAll(filepath.Join(profile, "user"), 0o755); err != nil {
		t.Fatal(err)
	}
	const french = `<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Setup/L10N"><prop oor:name="ooSetupSystemLocale" oor:op="fuse"><value>fr-FR</value></prop></item>
</oor:items>`
	if err := os.WriteFile(filepath.Join(profile, "user", "registrymodifications.xcu"), []byte(french), 0o644); err != nil {
		t.Fatal(err)
	}
	return office{t, profile}
}

// frenchCSV is how a person in France saves and opens a CSV: semicolons, UTF-8,
// cells as they are shown; opening it recognises numbers and dates.
const frenchCSV = "59,34,76,1,,1036,false,true"

// save opens files and saves them in another format, as a person does.
func (o office) save(format, infilter string, files ...string) (saved []string) {
	o.t.Helper()
	dir := o.t.TempDir()
	args := []string{"-env:UserInstallation=file://" + filepath.ToSlash(o.profile), "--headless", "--convert-to", format, "--outdir", dir}
	if infilter != "" {
		args = append(args, "--infilter="+infilter)
	}
	cmd := exec.CommandContext(o.t.Context(), "soffice", append(args, files...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		o.t.Fatalf("%v\n%s", err, out)
	}
	ext, _, _ := strings.Cut(format, ":")
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, strings.TrimSuffix(filepath.Base(f), filepath.Ext(f))+"."+ext))
		if err != nil {
			o.t.Fatal(err)
		}
		saved = append(saved, string(data))
	}
	return saved
}

func (o office) asXLSX(infilter string, files ...string) []string {
	return o.save("xlsx", infilter, files...)
}
func (o office) asCSV(files ...string) []string {
	return o.save("csv:Text - txt - csv (StarCalc):"+frenchCSV, "", files...)
}

// corrected are the invoices whose copy a person corrects: the SIRET of the
// first begins with a zero, and so does the number of the second.
const (
	corrected    = "number;date;client;siret;item;qty;price;vat\n"
	correctedTop = "F1;03/11/2026;Épicerie;01234567400001;Vis;2;dix;20\n"
	correctedEnd = "F2;02/11/2026;Client;20000000800017;Clou;1;dix;5,5\n"
)

var frenchMapping = strings.NewReplacer(`decimal = "."`, `decimal = ","`, "yyyy-mm-dd", "dd/mm/yyyy").Replace(mapping)

// given is the copy of both invoices, as it was given back under its name.
func given(t *testing.T, workbook bool) (r *rig, name string, data []byte) {
	r = newRig(t, func(opt *Options, cfg *drop.Config) {
		reading(t, frenchMapping)(opt, cfg)
		opt.RefusedAsXLSX = workbook
		opt.Lang = problem.French
	})
	r.sweep()
	r.drop("ventes.csv", corrected+correctedTop+correctedEnd)
	r.intake()
	name, data = r.refusedBook()
	return r, name, data
}

// copyOfABook is the copy of a workbook of which one invoice is refused.
func copyOfABook(t *testing.T) []byte {
	t.Helper()
	book := bookOf(t, strings.Split(strings.TrimSpace(corrected+strings.Replace(correctedTop, "dix", "10,00", 1)+correctedEnd), "\n"), ";")
	r := newRig(t, func(opt *Options, cfg *drop.Config) {
		reading(t, strings.Replace(frenchMapping, "*.csv", "*.xlsx", 1))(opt, cfg)
		opt.Lang = problem.French
	})
	r.sweep()
	r.drop("ventes.xlsx", string(book))
	r.intake()
	_, data := r.refusedBook()
	return data
}

// outcome is what became of both invoices when a copy came back: their states,
// with the codes of what was wrong, and what it was about.
func (r *rig) comesBack(name, content string) map[string]string {
	r.t.Helper()
	r.drop(name, content)
	r.intake()
	got := map[string]string{}
	for _, number := range []string{"F1", "F2"} {
		found, err := r.Ledger.Find(r.t.Context(), number)
		r.must(err)
		got[number] = string(found[0].State)
		for _, p := range found[0].Problems {
			if p.Position.Column != "" {
				got[number] += " " + p.Code + " " + p.Value
			}
		}
	}
	return got
}

// TestWhatLibreOfficeSavesGoesThroughOrIsRefusedForTheRightReason lets LibreOffice
// open the correctable copy and save it, as a workbook and as a CSV.
func TestWhatLibreOfficeSavesGoesThroughOrIsRefusedForTheRightReason(t *testing.T) {
	o := newOffice(t)
	_, bookName, book := given(t, true)
	_, csvName, text := given(t, false)
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	edited := write("edited.xlsx", edit(t, book, map[string]any{"G2": "10,00", "G3": "10,00"}))
	mangled := write("mangled.xlsx", mangle(t, edit(t, book, map[string]any{"G2": "10,00", "G3": "10,00"})))
	plain := write("plain.csv", []byte(strings.ReplaceAll(string(text), ";dix;", ";10,00;")))

	books := o.asXLSX("", edited)
	opened := o.asXLSX("CSV:"+frenchCSV, plain)
	texts := o.asCSV(edited, mangled, write("opened.xlsx", []byte(opened[0])), write("typed.xlsx", copyOfABook(t)))
	const typed = "number;date;client;siret;item;qty;price;vat;_erreur;_colonne;_correction\nF2;02/11/2026;Client;20000000800017;Clou;1;dix;5,5;"
	if !strings.Contains(texts[3], typed) || strings.Contains(texts[3], "Épicerie") {
		t.Errorf("the copy of a workbook, opened: %s", texts[3])
	}

	queued := string(ledger.Queued)
	zero := queued + " E2210 1234567400001" // mended, as its check digit proves
	for _, c := range []struct {
		what, name, content string
		f1, f2              string
	}{
		{"the workbook of texts, saved as such", bookName, books[0], queued, queued},
		{"the workbook of texts, saved as CSV", csvName, texts[0], queued, queued},
		{"the CSV, saved as a workbook", bookName, opened[0], zero, queued},
		// Saved as shown, years have two digits, which the mapping does not declare.
		{"the CSV, opened and saved as CSV", csvName, texts[2], "refused E2205 03/11/26 E2210 1234567400001", "refused E2205 02/11/26"},
		{"cells turned into numbers, saved as CSV", csvName, texts[1], "refused E2209 1,23E+12", "refused E2206 46328"},
	} {
		t.Run(c.what, func(t *testing.T) {
			r, _, _ := given(t, strings.HasSuffix(c.name, ".xlsx"))
			got := r.comesBack(c.name, c.content)
			if got["F1"] != c.f1 || got["F2"] != c.f2 {
				t.Errorf("F1 %s, want %s\nF2 %s, want %s\n%s", got["F1"], c.f1, got["F2"], c.f2, c.content)
			}
		})
	}
}

// mangle does what happens to columns in a spreadsheet: a SIRET shown in
// scientific notation, a date formatted as a number.
func mangle(t *testing.T, data []byte) []byte {
	t.Helper()
	return edited(t, data, func(f *excelize.File, sheet string) error {
		style, err := f.NewStyle(&excelize.Style{NumFmt: 11}) // 0.00E+00
		if err != nil {
			return err
		}
		if err := f.SetCellValue(sheet, "D2", 1234567400001); err != nil {
			return err
		}
		if err := f.SetCellStyle(sheet, "D2", "D2", style); err != nil {
			return err
		}
		return f.SetCellValue(sheet, "B3", 46328)
	})
}
