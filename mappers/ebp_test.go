package mappers

import (
	"bytes"
	"context"
	"io"
	"os"
	"testing"

	"einvoice/connector"
)

type nopCloser struct{ *bytes.Reader }

func (nopCloser) Close() error { return nil }

// exportOf is an export held in memory.
func exportOf(name string, data []byte) Export {
	return Export{Name: name, Size: int64(len(data)), Open: func() (io.ReadSeekCloser, error) {
		return nopCloser{bytes.NewReader(data)}, nil
	}}
}

func TestX(t *testing.T) {
	data, _ := os.ReadFile("/tmp/ebp.toml")
	m, err := Load("ebp", data)
	if err != nil {
		t.Fatal(err)
	}
	csv, _ := os.ReadFile("/work/shared/erp-samples/ebp/factures.csv")
	rep, err := m.Read(context.Background(), exportOf("factures.csv", csv), func(r Result) error {
		stated := r.Invoice.Totals.Gross
		inv := r.Invoice
		inv.Totals = connector.Totals{}
		if err := inv.Complete(); err != nil {
			t.Error(err)
		}
		t.Log(r.Ordinal, r.Rows, r.Ignored, inv.Number, stated, inv.Totals.Gross, len(inv.Lines), r.Problems)
		return nil
	})
	t.Log(rep, err)
}
