package workbook

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"einvoice/connector"
)

func table(rows ...Row) Table {
	return Table{
		Name: "2026-05", Decimal: ",",
		Columns: []Column{{"Reçue le", 20}, {"Fournisseur", 30}, {"Date", 12}, {"Montant", 12}, {"Dossier", 30}},
		Rows: func(yield func(Row, error) bool) {
			for _, r := range rows {
				if !yield(r, nil) {
					return
				}
			}
		},
	}
}

var paris = time.FixedZone("CEST", 2*3600)

func rows() []Row {
	a := connector.MustAmount
	return []Row{
		{Cells: []any{time.Date(2026, 5, 14, 9, 30, 1, 0, paris), "Électricité d'Azur", connector.Date("2026-05-12"), a("1234.50"), Link{"2026-05/a b #1"}}},
		{Cells: []any{time.Date(2026, 5, 14, 23, 59, 59, 0, paris), "=cmd|'/c calc'!A1", connector.Date(""), a("-61.20"), Link{`2026-05/dit "x"`}}},
		{Cells: []any{nil, "Ligne\nà deux", connector.Date("2026-02-31"), connector.Amount{}, nil}},
		{Cells: []any{"Total EUR", nil, nil, a("1173.30")}, Total: true},
	}
}

func TestAWorkbookHasRealDatesNumbersFilterAndFrozenHead(t *testing.T) {
	var b bytes.Buffer
	if err := table(rows()...).WriteXLSX(&b); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	raw := func(cell string) string {
		v, err := f.GetCellValue("2026-05", cell, excelize.Options{RawCellValue: true})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for cell, want := range map[string]string{"C2": "46154", "D2": "1234.5", "D3": "-61.2", "C4": "2026-02-31", "A6": "Total EUR", "D6": "1173.3", "B3": "=cmd|'/c calc'!A1"} {
		if got := raw(cell); got != want {
			t.Errorf("%s is %q, want %q", cell, got, want)
		}
	}
	for _, cell := range []string{"A2", "C2", "D2", "D6"} {
		if kind, _ := f.GetCellType("2026-05", cell); kind != excelize.CellTypeUnset && kind != excelize.CellTypeNumber {
			t.Errorf("%s is no number (%v)", cell, kind)
		}
	}
	if formula, _ := f.GetCellFormula("2026-05", "B3"); formula != "" {
		t.Errorf("a supplier's text became the formula %q", formula)
	}
	if formula, _ := f.GetCellFormula("2026-05", "E2"); formula != `HYPERLINK("2026-05/a b %231","2026-05/a b #1")` {
		t.Errorf("link %q", formula)
	}
	if panes, _ := f.GetPanes("2026-05"); !panes.Freeze || panes.YSplit != 1 {
		t.Errorf("head not frozen: %+v", panes)
	}
	if tables, _ := f.GetTables("2026-05"); len(tables) != 1 || tables[0].Range != "A1:E4" {
		t.Errorf("filter %+v: it must end above the totals", tables)
	}
}

// TestLibreOfficeReadsTheTwin opens the workbook in another program and has it
// write CSV: cell by cell the same as ours.
func TestLibreOfficeReadsTheTwin(t *testing.T) {
	soffice, err := exec.LookPath("soffice")
	if err != nil {
		t.Skip("LibreOffice is not installed (apt-get install libreoffice-calc-nogui)")
	}
	dir := t.TempDir()
	var x, c bytes.Buffer
	tb := table(rows()[0], rows()[3])
	if err := errors.Join(tb.WriteXLSX(&x), tb.WriteCSV(&c)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "r.xlsx"), x.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(soffice, "-env:UserInstallation=file://"+filepath.ToSlash(dir)+"/profile", "--headless", "--convert-to",
		"csv:Text - txt - csv (StarCalc):59,34,76,1,,1036,false,true,false", "--outdir", dir, filepath.Join(dir, "r.xlsx"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("convert: %v\n%s", err, out)
	}
	back, err := os.ReadFile(filepath.Join(dir, "r.csv"))
	if err != nil {
		t.Fatal(err)
	}
	got, want := cells(t, string(back)), cells(t, c.String())
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d:\n%q", len(got), len(want), got)
	}
	for i := range want {
		if !slices.EqualFunc(got[i], want[i], same) {
			t.Errorf("row %d is %q, our twin says %q", i+1, got[i], want[i])
		}
	}
}

// same compares amounts by value: how many zeros are shown is the program's locale.
func same(a, b string) bool {
	x, errX := connector.ParseAmount(strings.ReplaceAll(a, ",", "."))
	y, errY := connector.ParseAmount(strings.ReplaceAll(b, ",", "."))
	return a == b || errX == nil && errY == nil && x.Equal(y)
}

func cells(t *testing.T, text string) [][]string {
	t.Helper()
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
	r.Comma = ';'
	all, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTheTwinIsDefused(t *testing.T) {
	var b bytes.Buffer
	if err := table(rows()...).WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	got := cells(t, b.String())
	if got[2][1] != "'=cmd|'/c calc'!A1" || got[2][3] != "-61,20" || got[3][1] != "Ligne à deux" || got[4][0] != "" || got[5][0] != "Total EUR" {
		t.Errorf("twin %q", got)
	}
}

func TestAnErrorOfTheRowsEndsBothFiles(t *testing.T) {
	broken := errors.New("disk")
	tb := table()
	tb.Rows = func(yield func(Row, error) bool) { yield(Row{}, broken) }
	if err := tb.WriteXLSX(io.Discard); !errors.Is(err, broken) {
		t.Errorf("XLSX: %v", err)
	}
	if err := tb.WriteCSV(io.Discard); !errors.Is(err, broken) {
		t.Errorf("CSV: %v", err)
	}
}

// TestBothComeFromOneReading: what each of the two pays for when the other, or
// the reading itself, breaks.
func TestBothComeFromOneReading(t *testing.T) {
	readings := 0
	tb := table(rows()...)
	all := tb.Rows
	tb.Rows = func(yield func(Row, error) bool) { readings++; all(yield) }
	var alone, book, twin bytes.Buffer
	if err := tb.WriteCSV(&alone); err != nil {
		t.Fatal(err)
	}
	readings = 0
	if a, b := tb.WriteBoth(&book, &twin); a != nil || b != nil || readings != 1 {
		t.Fatalf("%v, %v, %d readings", a, b, readings)
	}
	if twin.String() != alone.String() {
		t.Errorf("twin\n%s\nalone\n%s", &twin, &alone)
	}
	if f, err := excelize.OpenReader(&book); err != nil {
		t.Errorf("workbook: %v", err)
	} else if v, _ := f.GetCellValue("2026-05", "A6"); v != "Total EUR" {
		t.Errorf("last row of the workbook: %q", v)
	}
	twin.Reset()
	if a, b := tb.WriteBoth(full{}, &twin); a == nil || b != nil || twin.String() != alone.String() {
		t.Errorf("without a workbook: %v, %v, twin\n%s", a, b, &twin)
	}
	if a, b := tb.WriteBoth(io.Discard, full{}); a != nil || b == nil {
		t.Errorf("without a twin: %v, %v", a, b)
	}
	tb.Rows = func(yield func(Row, error) bool) { _ = yield(rows()[0], nil) && yield(Row{}, errors.New("ledger")) }
	if a, b := tb.WriteBoth(io.Discard, io.Discard); a == nil || b == nil {
		t.Errorf("a broken reading: %v, %v; a half twin must not appear", a, b)
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space") }

// many is a register of n rows and 29 columns.
func many(n int) Table {
	tb := table()
	for len(tb.Columns) < 29 {
		tb.Columns = append(tb.Columns, Column{"Colonne " + strings.Repeat("x", len(tb.Columns)), 14})
	}
	row := rows()[0]
	for len(row.Cells) < 29 {
		row.Cells = append(row.Cells, connector.MustAmount("12345.67"))
	}
	tb.Rows = func(yield func(Row, error) bool) {
		for range n {
			if !yield(row, nil) {
				return
			}
		}
	}
	return tb
}

// TestMemoryIsFlat compares what a large and a small workbook keep alive at once.
func TestMemoryIsFlat(t *testing.T) {
	peak := func(n int) (most uint64) {
		tb := many(n)
		rows, i := tb.Rows, 0
		tb.Rows = func(yield func(Row, error) bool) {
			for r, err := range rows {
				if i++; i%(n/10) == 0 {
					var m runtime.MemStats
					runtime.GC()
					runtime.ReadMemStats(&m)
					most = max(most, m.HeapAlloc)
				}
				if !yield(r, err) {
					return
				}
			}
		}
		if err := tb.WriteXLSX(io.Discard); err != nil {
			t.Fatal(err)
		}
		return most
	}
	small, large := peak(4_000), peak(16_000)
	t.Logf("heap at most %d MB with 4,000 rows, %d MB with 16,000", small>>20, large>>20)
	if large > small+24<<20 {
		t.Errorf("heap grows with the rows: %d MB, then %d MB", small>>20, large>>20)
	}
}

func BenchmarkXLSXOf10000Rows(b *testing.B) {
	for b.Loop() {
		if err := many(10_000).WriteXLSX(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
