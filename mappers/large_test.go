package mappers

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"einvoice/connector/problem"
)

// writeInvoices makes an export of n invoices of one line.
func writeInvoices(t *testing.T, n int) string {
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
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestReadsWhatItIsGiven is what TestAMillionInvoices runs as a process of its
// own, whose memory is that of the mapping and nothing else.
func TestReadsWhatItIsGiven(t *testing.T) {
	path := os.Getenv("EINVOICE_LARGE_FILE")
	if path == "" {
		t.Skip("runs for TestAMillionInvoicesTakeTheMemoryOfATenth")
	}
	n := 0
	e := Export{Name: "x.csv", TempDir: t.TempDir(), Open: func() (io.ReadSeekCloser, error) { return os.Open(path) }}
	report, err := preset(t, "generic-fr").Read(context.Background(), e, func(r Result) error {
		if r.Refused() {
			return r.Problems[0]
		}
		n++
		return nil
	})
	if err != nil || report.Refused() {
		t.Fatal(report, err)
	}
	fmt.Printf("read %d peak %d\n", n, peakOfProcess(t))
}

// peakOfProcess is the most memory that this process ever had resident, in
// bytes; where the system does not tell, what Go took from it.
func peakOfProcess(t *testing.T) uint64 {
	status, err := os.ReadFile("/proc/self/status")
	if err == nil {
		if _, after, ok := strings.Cut(string(status), "VmHWM:"); ok {
			var kib uint64
			if _, err := fmt.Sscan(after, &kib); err == nil {
				return kib << 10
			}
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Log("no VmHWM: what Go took from the system instead")
	return m.Sys
}

func peakOf(t *testing.T, n int) uint64 {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestReadsWhatItIsGiven$")
	cmd.Env = append(os.Environ(), "EINVOICE_LARGE_FILE="+writeInvoices(t, n))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var read int
	var peak uint64
	if _, err := fmt.Sscanf(string(out), "read %d peak %d", &read, &peak); err != nil || read != n {
		t.Fatalf("%v, %d of %d\n%s", err, read, n, out)
	}
	return peak
}

func TestAMillionInvoicesTakeTheMemoryOfATenth(t *testing.T) {
	if testing.Short() || os.Getenv("EINVOICE_LARGE") == "" {
		t.Skip("a million invoices take half a minute; set EINVOICE_LARGE=1")
	}
	small, large := peakOf(t, 100_000), peakOf(t, 1_000_000)
	t.Logf("resident at most: %.1f MiB with 100,000 invoices, %.1f MiB with 1,000,000", float64(small)/(1<<20), float64(large)/(1<<20))
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
