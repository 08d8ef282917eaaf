package mappers

import (
	"bytes"
	"context"
	"errors"
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
	held := func(invoices int) uint64 {
		e := exportOf("x.csv", twoRounds(invoices))
		e.TempDir = t.TempDir()
		heap := func() uint64 {
			runtime.GC()
			var s runtime.MemStats
			runtime.ReadMemStats(&s)
			return s.HeapAlloc
		}
		before, at, enough := heap(), uint64(0), errors.New("enough")
		if _, err := m.Read(context.Background(), e, func(r Result) error {
			if r.Refused() || len(r.Invoice.Lines) != 2 {
				t.Errorf("%s: %d lines, %v", r.Invoice.Number, len(r.Invoice.Lines), r.Problems)
			}
			at = heap()
			return enough
		}); err != enough {
			t.Fatal(err)
		}
		if left, err := os.ReadDir(e.TempDir); err != nil || len(left) > 0 {
			t.Errorf("left %v behind, %v", left, err)
		}
		return at - min(at, before)
	}
	few, many := held(25_000), held(100_000)
	t.Logf("%d KiB with 25,000 invoices, %d KiB with 100,000", few>>10, many>>10)
	if many > few+1<<20 {
		t.Errorf("%d KiB with 25,000 invoices, %d KiB with 100,000", few>>10, many>>10)
	}
}
