package mappers

import (
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"einvoice/connector"
	"einvoice/connector/problem"
)

// corpus is the folder of published invoices, which is not part of this tree.
var corpus = filepath.Join("..", "..", "shared", "corpora")

type corpusFile struct {
	path, kind string
	valid      bool
}

// corpusFiles reads the manifest: kind 0, file, verdict.
func corpusFiles(t *testing.T) []corpusFile {
	t.Helper()
	f, err := os.Open(filepath.Join(corpus, "manifest.csv"))
	if err != nil && os.Getenv("CI") != "" {
		t.Fatalf("the corpora are missing: %v", err)
	}
	if err != nil {
		t.Skipf("the corpora are not here: %v", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var all []corpusFile
	for _, r := range rows[1:] {
		all = append(all, corpusFile{r[0], r[1], r[2] == "valid"})
	}
	return all
}

// inexpressible are valid invoices that the model of the API cannot carry, with
// the reason.
var inexpressible = map[string]string{
	"en16931-cen/examples-cii/huf_example_cii.xml": "VAT is rounded to whole forints, as Hungary allows; the API derives it to two decimals",
}

func TestEveryValidInvoiceOfTheCorporaComesToItsOwnTotals(t *testing.T) {
	presets := map[string]*Mapping{"ubl": preset(t, "ubl"), "cii": preset(t, "cii")}
	mapped, excepted := 0, 0
	for _, f := range corpusFiles(t) {
		m := presets[f.kind]
		if m == nil || !f.valid {
			continue
		}
		data, err := os.ReadFile(filepath.Join(corpus, filepath.FromSlash(f.path)))
		if err != nil {
			t.Fatal(err)
		}
		mapped++
		wrong := disagreements(t, m, f.path, data)
		reason, known := inexpressible[f.path]
		switch {
		case known && len(wrong) == 0:
			t.Errorf("%s is well mapped although listed: %s", f.path, reason)
		case known:
			excepted++
		case len(wrong) > 0:
			t.Errorf("%s: %s", f.path, strings.Join(wrong, "; "))
		}
	}
	if mapped < 100 || excepted*20 >= mapped {
		t.Errorf("%d of %d invoices are excepted; fewer than 5 %% may be", excepted, mapped)
	}
	t.Logf("%d invoices, %d excepted", mapped, excepted)
}

// disagreements says what is wrong with the invoice of a file.
func disagreements(t *testing.T, m *Mapping, path string, data []byte) (wrong []string) {
	results, report, err := readAll(t, m, exportOf(filepath.Base(path), data))
	if err != nil {
		return []string{err.Error()}
	}
	for _, p := range report.Problems {
		wrong = append(wrong, p.Error())
	}
	if len(results) != 1 {
		return append(wrong, "not one invoice")
	}
	for _, p := range results[0].Problems {
		if p.Severity == problem.Refuse {
			wrong = append(wrong, p.Error())
		}
	}
	inv := results[0].Invoice
	got := derived(t, inv)
	compare := func(what string, stated, lines connector.Amount) {
		if stated.Present() && !stated.Equal(lines) {
			wrong = append(wrong, what+" stated "+stated.String()+", lines come to "+lines.String())
		}
	}
	compare("net", inv.Totals.Net, got.Net)
	compare("tax", inv.Totals.Tax, got.Tax)
	compare("gross", inv.Totals.Gross, got.Gross)
	return wrong
}

func TestNoFileOfTheCorporaPanicsOrHangs(t *testing.T) {
	mappings := []*Mapping{preset(t, "ubl"), preset(t, "cii"), preset(t, "generic-fr")}
	for _, f := range corpusFiles(t) {
		data, err := os.ReadFile(filepath.Join(corpus, filepath.FromSlash(f.path)))
		if errors.Is(err, os.ErrNotExist) {
			continue // a fragment inside of a collection
		}
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range mappings {
			if i == 2 && f.kind == "fragment" {
				continue // as tables they are all alike
			}
			begin := time.Now()
			readAll(t, m, exportOf(filepath.Base(f.path), data))
			if took := time.Since(begin); took > 10*time.Second {
				t.Errorf("%s read by %s took %s", f.path, m.Name, took)
			}
		}
	}
}
