package mappers

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"einvoice/connector/problem"
)

// peakOf reads an export of n invoices and gives the most heap in use, in bytes.
func peakOf(t *testing.T, m *Mapping, n int) uint64 {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.csv")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	w.WriteString("N° facture;Date facture;Nom client;Désignation;Quantité;PU HT;TVA\n")
	for i := range n {
		fmt.Fprintf(w, "FA%08d;15/01/2026;Société Générale de Vis;Vis à bois;3;12,50;20\n", i)
	}
	w.Flush()
	f.Close()
	e := Export{Name: "x.csv", Open: func() (io.ReadSeekCloser, error) { return os.Open(path) }}
	var peak, read uint64
	_, err = m.Read(context.Background(), e, func(Result) error {
		if read++; read%20_000 == 0 {
			runtime.GC()
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapAlloc)
		}
		return nil
	})
	if err != nil || read != uint64(n) {
		t.Fatal(read, err)
	}
	return peak
}

func TestAMillionInvoicesTakeTheMemoryOfATenth(t *testing.T) {
	if testing.Short() || os.Getenv("EINVOICE_LARGE") == "" {
		t.Skip("a million invoices take half a minute; set EINVOICE_LARGE=1")
	}
	m := preset(t, "generic-fr")
	small, large := peakOf(t, m, 100_000), peakOf(t, m, 1_000_000)
	t.Logf("100,000 invoices: %d KiB; 1,000,000: %d KiB", small>>10, large>>10)
	if large > 96<<20 || large > small+small/10 {
		t.Errorf("100,000 invoices take %d KiB, 1,000,000 take %d KiB", small>>10, large>>10)
	}
}

// TestACutFileNeverLosesLinesUnseen cuts a CSV without totals after every row:
// of what is left, every invoice but the last is as in the whole file, and the
// caller is told to let the last one wait.
func TestACutFileNeverLosesLinesUnseen(t *testing.T) {
	m := preset(t, "generic-fr")
	rows := []string{"N° facture;Date facture;Nom client;Désignation;Quantité;PU HT;TVA\n"}
	for i := range 12 {
		for j := range i%4 + 1 {
			rows = append(rows, fmt.Sprintf("F%d;15/01/2026;Duval;Article %d;1;10,00;20\n", i, j))
		}
	}
	lines := func(text string) (numbers []string, count map[string]int) {
		count = map[string]int{}
		results, _, err := readAll(t, m, exportOf("x.csv", []byte(text)))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			numbers = append(numbers, r.Invoice.Number)
			count[r.Invoice.Number] = len(r.Invoice.Lines)
		}
		return numbers, count
	}
	_, whole := lines(strings.Join(rows, ""))
	if m := mustLoad(t, small); m.ProvesEnd() {
		t.Error("nothing proves the end of this file")
	}
	for cut := 1; cut <= len(rows); cut++ {
		numbers, got := lines(strings.Join(rows[:cut], ""))
		for _, n := range numbers[:max(0, len(numbers)-1)] {
			if got[n] != whole[n] {
				t.Errorf("cut after row %d: %s has %d lines of %d", cut, n, got[n], whole[n])
			}
		}
	}
}

// What Excel and LibreOffice make of cells when a CSV is opened and saved; the
// story lost_zeros tells of the zeros.
func TestCellsSavedByASpreadsheetHaveCodesOfTheirOwn(t *testing.T) {
	for _, c := range []struct{ date, siret, code string }{
		{"15/01/2026", "7,32829E+13", codeFloatID},
		{"46037", "73282932000074", codeSerialDate},
	} {
		text := "N° facture;Date facture;Nom client;SIRET client;Désignation;PU HT;TVA\nF1;" + c.date + ";Duval;" + c.siret + ";Savon;10;20\n"
		results, _, err := readAll(t, preset(t, "generic-fr"), exportOf("x.csv", []byte(text)))
		if err != nil || len(results) != 1 {
			t.Fatal(results, err)
		}
		if ps := results[0].Problems; len(ps) != 1 || ps[0].Code != c.code || !results[0].Refused() {
			t.Errorf("%s, %s: %v", c.date, c.siret, ps)
		}
	}
}

func TestACopyOfAFileWithATrailerIsWhole(t *testing.T) {
	m := mustLoad(t, small+`
[complete]
trailer = 'col("Facture") == "FIN"'
count   = "Date"
`)
	e := exportOf("x.csv", []byte("Facture;Date;Texte;PU\nF1;01/01/2026;x;1\nF2;01/01/2026;x;un\nFIN;2;;\n"))
	var out bytes.Buffer
	if err := m.WriteCopy(context.Background(), e, func(n int) ([]problem.Problem, bool) { return nil, n == 2 }, &out, CopyOptions{}); err != nil {
		t.Fatal(err)
	}
	mended := strings.Replace(out.String(), ";un;", ";1;", 1)
	results, report, err := readAll(t, m, exportOf("x.csv.000001.refused.1.csv", []byte(mended)))
	if err != nil || report.Refused() || len(results) != 1 || results[0].Refused() {
		t.Errorf("%v %v %v\n%s", results, report.Problems, err, mended)
	}
}
