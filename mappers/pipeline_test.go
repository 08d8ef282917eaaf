package mappers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"einvoice/connector/problem"

	"go.uber.org/goleak"
)

// A file that is read ahead of its binding gives what a file gives that is read
// document by document, in the same order.
func TestReadingAheadChangesNothing(t *testing.T) {
	defer goleak.VerifyNone(t)
	data := sageExport(4_000)
	m := mustLoad(t, sageMapping)
	var all []Result
	origins := map[int]string{}
	report, err := m.Read(context.Background(), exportOf("x.csv", data), func(r Result) error {
		if all = append(all, r); len(all)%50 == 0 {
			origins[len(all)] = fmt.Sprint(r.Origins.All())
		}
		return nil
	})
	if err != nil || report.Controls.Lines != 4_000 {
		t.Fatal(report, err)
	}
	in, err := m.open(exportOf("x.csv", data), false)
	if err != nil {
		t.Fatal(err)
	}
	defer in.close()
	in.apart = false
	n := 0
	err = m.bindAll(context.Background(), in, Export{Name: "x.csv"}, func(r *Result) error {
		got := all[n]
		n++
		if got.Ordinal != n || fmt.Sprint(got.Invoice) != fmt.Sprint(r.Invoice) || got.Rows != r.Rows {
			t.Fatalf("%d: %v\n%v", n, got, r)
		}
		if now := fmt.Sprint(r.Origins.All()); n%50 == 0 && origins[n] != now {
			t.Fatalf("%d: %v\n%v", n, origins[n], now)
		}
		return nil
	})
	if err != nil || n != len(all) {
		t.Fatal(n, len(all), err)
	}
}

func TestWhoStopsInTheMiddleLeavesNothingRunning(t *testing.T) {
	defer goleak.VerifyNone(t)
	data, m := sageExport(4_000), mustLoad(t, sageMapping)
	enough := errors.New("enough")
	n := 0
	if _, err := m.Read(context.Background(), exportOf("x.csv", data), func(Result) error {
		if n++; n == 700 {
			return enough
		}
		return nil
	}); err != enough || n != 700 {
		t.Fatal(n, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	n = 0
	if _, err := m.Read(ctx, exportOf("x.csv", data), func(Result) error {
		if n++; n == 700 {
			cancel()
		}
		return nil
	}); !errors.Is(err, context.Canceled) || n != 700 {
		t.Fatal(n, err)
	}
}

// scripted is a source of documents, the third of which breaks its reader.
type scripted struct{ n int }

func (s *scripted) next() (document, error) {
	if s.n++; s.n > 1000 {
		return document{}, io.EOF
	}
	return document{ordinal: s.n, head: breaking{s.n == 500}}, nil
}

type breaking struct{ now bool }

func (b breaking) cell(int) (string, bool) {
	if b.now {
		panic("broken")
	}
	return "x", true
}
func (breaking) where(int) problem.Position { return problem.Position{} }
func (breaking) children(int) []node        { return nil }

// What breaks where nobody looks comes up where somebody does.
func TestAPanicReachesTheCaller(t *testing.T) {
	defer goleak.VerifyNone(t)
	defer func() {
		if recover() != "broken" {
			t.Error("nobody learned of it")
		}
	}()
	m := mustLoad(t, small)
	m.bindAll(context.Background(), &opened{source: &scripted{}, apart: true}, Export{}, func(*Result) error { return nil })
}

const tinyXML = `
[input]
format = "xml"
date = "yyyy-mm-dd"
[invoice]
each = "/a/b"
[invoice.fields]
document_number = "%s"
issue_date = { value = "2026-01-02" }
currency = { value = "EUR" }
recipient.name = { value = "X" }
[lines]
each = "l"
[lines.fields]
description = "x"
quantity = "x"
unit_price = "x"
tax_rate = "x"
`

// The XPath engine breaks on a function that gets nodes where it wants a text,
// and only when it gets that far.
func TestASelectorOnWhichTheEngineBreaksRefusesTheFile(t *testing.T) {
	defer goleak.VerifyNone(t)
	m := mustLoad(t, fmt.Sprintf(tinyXML, "c[starts-with(normalize-space(.), d)]"))
	e := exportOf("a.xml", []byte("<a><b><c>1</c><d>1</d></b></a>"))
	var p problem.Problem
	if _, err := m.Read(t.Context(), e, func(Result) error { return nil }); !errors.As(err, &p) || p.Code != codeBroken || p.Position.File != "a.xml" {
		t.Errorf("got %v", err)
	}
	defer func() {
		if recover() != "mine" {
			t.Error("what breaks in the caller is not the file's")
		}
	}()
	fine := mustLoad(t, fmt.Sprintf(tinyXML, "c"))
	fine.Read(t.Context(), e, func(Result) error { panic("mine") })
}

// Rows are used again, but none while a batch that was not taken may need it.
func TestRowsAreUsedAgainWhenTheyWereTaken(t *testing.T) {
	const rows = 30_000
	in, err := preset(t, "generic-fr").open(exportOf("x.csv", benchCSV(rows)), false)
	if err != nil {
		t.Fatal(err)
	}
	defer in.close()
	free, distinct, n := make(chan *batch, 1), map[*row]bool{}, 0
	check := func(b *batch) {
		for _, d := range b.documents {
			for i, line := range d.lines {
				r := line.(*row)
				distinct[r] = true
				if number := fmt.Sprintf("FA%07d", n/3); r.Num != n+2 || r.Cells[r.grid.slots[numberPlace(t, in)]] != number {
					t.Fatalf("line %d of document %d: row %d %v, not of %s", i, d.ordinal, r.Num, r.Cells, number)
				}
				n++
			}
		}
	}
	var ahead []*batch
	for more := true; more || len(ahead) > 0; {
		if more {
			b := readBatch(context.Background(), in.source, free)
			ahead, more = append(ahead, b), b.end == nil
		}
		if len(ahead) > 2 || !more {
			check(ahead[0])
			free <- ahead[0]
			ahead = ahead[1:]
			if !more {
				<-free
			}
		}
	}
	if n != rows || len(distinct) > rows/10 {
		t.Errorf("%d rows, in %d places", n, len(distinct))
	}
}

// Who reads document by document gives nothing back, and nothing is held for it.
func TestRowsThatNobodyGivesBackAreForgotten(t *testing.T) {
	in, err := preset(t, "generic-fr").open(exportOf("x.csv", benchCSV(3000)), false)
	if err != nil {
		t.Fatal(err)
	}
	defer in.close()
	for err == nil {
		_, err = in.source.next()
	}
	if room := in.source.(*grouper).rows.(*csvReader).room(); err != io.EOF || len(room.filled) > 0 {
		t.Errorf("%d slabs are held, %v", len(room.filled), err)
	}
}

// numberPlace is the place that the number of an invoice was found at.
func numberPlace(t *testing.T, in *opened) int {
	for place, column := range in.grid.columns {
		if column == 0 {
			return place
		}
	}
	t.Fatal("the first column is not read")
	return 0
}
