package mappers

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
)

// twoRounds is an export whose invoices have a line in each of two rounds, so
// that no rows of one invoice are adjacent.
func twoRounds(invoices int) []byte {
	var out bytes.Buffer
	out.WriteString("Facture;Date;Texte;PU\n")
	for round := range 2 {
		for i := range invoices {
			fmt.Fprintf(&out, "FA%07d;01/01/2026;ligne %d;%d\n", i, round, round+1)
		}
	}
	return out.Bytes()
}

// TestRowsInAnyOrderTakeTheSameMemory measures when all rows were read and their
// order is known: neither keys nor places are held then.
func TestRowsInAnyOrderTakeTheSameMemory(t *testing.T) {
	m := mustLoad(t, strings.Replace(small, "[input]", "[input]\nrows = \"any\"", 1))
	held := func(invoices int) int {
		e := exportOf("x.csv", twoRounds(invoices))
		e.TempDir = t.TempDir()
		before := heapHeld()
		in, err := m.open(e, false)
		if err != nil {
			t.Fatal(err)
		}
		d, err := in.source.next()
		if err != nil || len(d.lines) != 2 {
			t.Fatal(len(d.lines), err)
		}
		at := heapHeld()
		if err := in.close(); err != nil {
			t.Fatal(err)
		}
		if left, err := os.ReadDir(e.TempDir); err != nil || len(left) > 0 {
			t.Errorf("left %v behind, %v", left, err)
		}
		return int(at) - int(before)
	}
	few, many := held(20_000), held(100_000)
	t.Logf("%d KiB with 20,000 invoices, %d KiB with 100,000", few>>10, many>>10)
	if many > few+512<<10 {
		t.Errorf("%d KiB with 20,000 invoices, %d KiB with 100,000", few>>10, many>>10)
	}
}

// TestJoinedTablesHoldTheirKeys is the figure that the manual states: what is
// held for each invoice with one line, whatever its columns.
func TestJoinedTablesHoldTheirKeys(t *testing.T) {
	const stated = 200
	held := func(invoices int) int {
		var heads, lines bytes.Buffer
		heads.WriteString("NumeroPiece;Date;MontantTTC\n")
		lines.WriteString("NumeroPiece;Libelle;Quantite;PrixUnitaire;TotalHT;TauxTVA\n")
		for i := range invoices {
			fmt.Fprintf(&heads, "FA%07d;01/02/2026;12\n", i)
			fmt.Fprintf(&lines, "FA%07d;%s;1;10;10;20\n", i, strings.Repeat("Savon ", 50))
		}
		e := Export{Name: "x", TempDir: t.TempDir(), Parts: []Export{exportOf("Documents_1.csv", heads.Bytes()), exportOf("Lignes_1.csv", lines.Bytes())}}
		n, before, at := 0, heapHeld(), uint64(0)
		if _, err := preset(t, "gestimum").Read(context.Background(), e, func(r Result) error {
			if n++; n == invoices {
				at = heapHeld()
			}
			return nil
		}); err != nil || n != invoices {
			t.Fatal(n, err)
		}
		return int(at - min(at, before))
	}
	const few, many = 20_000, 45_000
	each := (held(many) - held(few)) / (many - few)
	t.Logf("%d bytes for each invoice", each)
	if each > stated {
		t.Errorf("%d bytes for each invoice, the manual says %d", each, stated)
	}
}

func heapHeld() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

// TestBatchesAreAsLargeAsTheirRows: what is read ahead is bounded in bytes, which
// rows that were put aside, or came out of a workbook, once did not tell.
func TestBatchesAreAsLargeAsTheirRows(t *testing.T) {
	text := strings.Repeat("ligne", 100)
	file := []byte("Facture;Date;Texte;PU\n" + strings.Repeat("F1;01/01/2026;"+text+";1\n", 5))
	table := [][]any{{"Facture", "Date", "Texte", "PU"}}
	for range 5 {
		table = append(table, []any{"F1", "01/01/2026", text, "1"})
	}
	for name, c := range map[string]struct {
		input string
		file  []byte
	}{
		"adjacent":   {`format = "csv"`, file},
		"any":        {"format = \"csv\"\nrows = \"any\"", file},
		"a workbook": {"format = \"xlsx\"\nsheet = \"Ventes\"", workbook(t, table...)},
	} {
		e := exportOf("x.csv", c.file)
		e.TempDir = t.TempDir()
		in, err := mustLoad(t, strings.Replace(small, `format = "csv"`, c.input, 1)).open(e, false)
		if err != nil {
			t.Fatal(err)
		}
		d, err := in.source.next()
		if err != nil || d.bytes < 5*len(text) {
			t.Errorf("%s: %d rows count %d bytes, %v", name, len(d.lines), d.bytes, err)
		}
		if err := in.close(); err != nil {
			t.Error(err)
		}
	}
}
