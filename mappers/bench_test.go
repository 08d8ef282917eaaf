package mappers

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"testing"
)

// benchCSV is an export of three lines per invoice, 24 columns of which the
// mapping reads ten.
func benchCSV(rows int) []byte {
	var out bytes.Buffer
	out.WriteString("N° facture;Date facture;Nom client;SIRET client;Code postal;Ville;Désignation;Quantité;Prix unitaire HT;Taux TVA")
	for i := range 14 {
		fmt.Fprintf(&out, ";Libre %d", i)
	}
	out.WriteString("\r\n")
	for i := range rows {
		fmt.Fprintf(&out, "FA%07d;15/01/2026;Société Générale de Vis;73282932000074;75011;Paris;Vis à bois %d;3;12,50;20", i/3, i)
		out.WriteString(";valeur;valeur;valeur;valeur;valeur;valeur;valeur;valeur;valeur;valeur;valeur;valeur;valeur;valeur\r\n")
	}
	return out.Bytes()
}

func BenchmarkReadCSV(b *testing.B) {
	const rows = 30_000
	data := benchCSV(rows)
	m := preset(b, "generic-fr")
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		n := 0
		report, err := m.Read(context.Background(), exportOf("x.csv", data), func(r Result) error {
			n += len(r.Invoice.Lines)
			return nil
		})
		if err != nil || n != rows {
			b.Fatal(n, report, err)
		}
	}
	b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkBareEncodingCSV(b *testing.B) {
	const rows = 30_000
	data := benchCSV(rows)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		r := csv.NewReader(bytes.NewReader(data))
		r.Comma = ';'
		for {
			if _, err := r.Read(); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
