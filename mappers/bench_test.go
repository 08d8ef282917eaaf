package mappers

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/xuri/excelize/v2"
)

// processor states the processor time of what follows, all goroutines together:
// other processes do not disturb it as they do the clock.
func processor(b *testing.B) (stop func()) {
	begin := processorTime()
	return func() { b.ReportMetric((processorTime()-begin).Seconds()*1000/float64(b.N), "cpu-ms/op") }
}

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
	b.ReportAllocs()
	defer processor(b)()
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
	b.ReportAllocs()
	defer processor(b)()
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

func BenchmarkWideCSV(b *testing.B) {
	const rows = 30_000
	data, m := sageExport(rows), mustLoad(b, sageMapping)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	defer processor(b)()
	for b.Loop() {
		n := 0
		report, err := m.Read(context.Background(), exportOf("x.csv", data), func(r Result) error {
			if r.Refused() {
				b.Fatal(r.Problems)
			}
			n += len(r.Invoice.Lines)
			return nil
		})
		if err != nil || n != rows {
			b.Fatal(n, report, err)
		}
	}
	b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkWideCSVRecords is the splitter alone, to the same records of texts as
// those that encoding/csv gives.
func BenchmarkWideCSVRecords(b *testing.B) {
	const rows = 30_000
	data := sageExport(rows)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	defer processor(b)()
	for b.Loop() {
		n := 0
		s := newSplitter(bytes.NewReader(data), int64(len(data)), ';', '"', '\n')
		for ; s.next() == nil; n++ {
			record, text := make([]string, len(s.spans)), string(s.record)
			for i, c := range s.spans { // the file has no quotes
				record[i] = text[c.start:c.end]
			}
		}
		if n != rows+1 {
			b.Fatal(n)
		}
	}
	b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkWideCSVBareEncodingCSV(b *testing.B) {
	const rows = 30_000
	data := sageExport(rows)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	defer processor(b)()
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

// benchXML is a batch of small invoices.
func benchXML(n int) []byte {
	var out bytes.Buffer
	out.WriteString("<Invoices>")
	for i := range n {
		fmt.Fprintf(&out, `<Invoice><ID>F%d</ID><IssueDate>2026-01-15</IssueDate><DocumentCurrencyCode>EUR</DocumentCurrencyCode>`, i)
		for range 3 {
			out.WriteString(`<InvoiceLine><InvoicedQuantity unitCode="C62">3</InvoicedQuantity><LineExtensionAmount>37.50</LineExtensionAmount><Item><Name>Vis</Name><ClassifiedTaxCategory><ID>S</ID><Percent>20</Percent></ClassifiedTaxCategory></Item><Price><PriceAmount>12.50</PriceAmount></Price></InvoiceLine>`)
		}
		out.WriteString("</Invoice>\n")
	}
	out.WriteString("</Invoices>")
	return out.Bytes()
}

func BenchmarkReadXML(b *testing.B) {
	data, m := benchXML(2000), preset(b, "ubl")
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	defer processor(b)()
	for b.Loop() {
		if _, err := m.Read(context.Background(), exportOf("x.xml", data), func(Result) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBareEncodingXML(b *testing.B) {
	data := benchXML(2000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	defer processor(b)()
	for b.Loop() {
		d := xml.NewDecoder(bytes.NewReader(data))
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkUBL reads full invoices, beside a bare loop over the tokens of the
// same file.
func BenchmarkUBL(b *testing.B) {
	const invoices = 1000
	data, m := ublExport(invoices), preset(b, "ubl")
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	defer processor(b)()
	for b.Loop() {
		n := 0
		if _, err := m.Read(context.Background(), exportOf("x.xml", data), func(r Result) error {
			if r.Refused() {
				b.Fatal(r.Problems)
			}
			n++
			return nil
		}); err != nil || n != invoices {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(invoices*float64(b.N)/b.Elapsed().Seconds(), "invoices/s")
}

// BenchmarkUBLTokens is our own scanner alone.
func BenchmarkUBLTokens(b *testing.B) {
	data := ublExport(1000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	defer processor(b)()
	for b.Loop() {
		s := newXMLScanner(bytes.NewReader(data))
		for {
			if err := s.next(); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkUBLBareEncodingXML(b *testing.B) {
	data := ublExport(1000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	defer processor(b)()
	for b.Loop() {
		d := xml.NewDecoder(bytes.NewReader(data))
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}

// benchXLSX is benchCSV as a workbook.
func benchXLSX(b *testing.B, rows int) []byte {
	book := excelize.NewFile()
	w, err := book.NewStreamWriter("Sheet1")
	if err != nil {
		b.Fatal(err)
	}
	for i, line := range bytes.Split(bytes.TrimSpace(benchCSV(rows)), []byte("\r\n")) {
		var cells []any
		for _, c := range bytes.Split(line, []byte(";")) {
			cells = append(cells, string(c))
		}
		if err := w.SetRow(fmt.Sprintf("A%d", i+1), cells); err != nil {
			b.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := errors.Join(w.Flush(), book.Write(&out)); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}

func BenchmarkReadXLSX(b *testing.B) {
	const rows = 5000
	data, m := benchXLSX(b, rows), preset(b, "generic-fr")
	b.ReportAllocs()
	defer processor(b)()
	for b.Loop() {
		if _, err := m.Read(context.Background(), exportOf("x.xlsx", data), func(Result) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkBareExcelize(b *testing.B) {
	const rows = 5000
	data := benchXLSX(b, rows)
	b.ReportAllocs()
	defer processor(b)()
	for b.Loop() {
		book, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{RawCellValue: true})
		if err != nil {
			b.Fatal(err)
		}
		r, err := book.Rows("Sheet1")
		if err != nil {
			b.Fatal(err)
		}
		for r.Next() {
			if _, err := r.Columns(); err != nil {
				b.Fatal(err)
			}
		}
		r.Close()
		book.Close()
	}
	b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
