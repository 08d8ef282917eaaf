package results

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"
	"testing"
	"time"

	"einvoice/connector"
	"einvoice/connector/durable"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
)

const ackHead = "seq;source_file;source_row;erp_key;document_number;verdict;code;field;column;value;message;what_to_do;first_file;api_id\r\n"

func orders() ledger.File {
	return ledger.File{NewFile: ledger.NewFile{Name: "orders.csv", SHA256: "ab12"}, Take: 7}
}

// unknownCode is no code of the catalogue: its text is the code itself, which
// keeps these tests apart from the wording of others.
const unknownCode = "E9999"

func TestAcknowledgementHasOneLineForEachInvoice(t *testing.T) {
	b := newBench(t)
	name := b.acknowledged(orders(),
		ledger.AckLine{Seq: 41, Invoice: ledger.Invoice{ID: 1, Row: 2, ERPKey: "K1", Key: connector.Key{Number: "F1"}, Verdict: ledger.VerdictQueued}},
		ledger.AckLine{
			Seq: 42, Invoice: ledger.Invoice{ID: 2, Row: 3, Key: connector.Key{Number: "F2"}, Verdict: ledger.VerdictRefused},
			Problem: problem.Problem{Code: unknownCode, Severity: problem.Refuse, Field: "invoice_lines[1].tax_rate", Value: "2O", Position: problem.Position{File: "orders.csv", Row: 4, Column: "TVA"}},
		},
		ledger.AckLine{
			Seq: 43, Invoice: ledger.Invoice{ID: 3, Row: 6, Key: connector.Key{Number: "F3"}, Verdict: ledger.VerdictDuplicate},
			FirstFile: "orders_old.csv", FirstRow: 9, FirstAPI: "api-3",
		},
		ledger.AckLine{
			Seq: 44, Invoice: ledger.Invoice{ID: 4, Row: 7, Key: connector.Key{Number: "F4"}, Verdict: ledger.VerdictQueued},
			Problem: problem.Problem{Code: unknownCode, Severity: problem.Warn, Position: problem.Position{Row: 8, Column: "IBAN"}},
		},
	)
	b.round(1)
	sameText(t, b.main().files[name], ackHead+
		"41;orders.csv;2;K1;F1;QUEUED;;;;;;;;\r\n"+
		"42;orders.csv;4;;F2;REFUSED;E9999;invoice_lines[1].tax_rate;TVA;2O;E9999;;;\r\n"+
		"43;orders.csv;6;;F3;DUPLICATE;;;;;Déjà déposée, rien n'est envoyé;;orders_old.csv;api-3\r\n"+
		"44;orders.csv;7;;F4;QUEUED;E9999;;IBAN;;E9999;;;\r\n")
}

// TestAnInvoiceThatGoesShowsEachOfItsWarnings: that a value is not carried stands
// in no other file. What is said of each line is said once.
func TestAnInvoiceThatGoesShowsEachOfItsWarnings(t *testing.T) {
	b := newBench(t)
	warn := func(code, field string) problem.Problem {
		return problem.Problem{Code: code, Severity: problem.Warn, Field: field}
	}
	all := []problem.Problem{warn("E9991", "recipient"), warn("E9992", "invoice_lines[0].tax_category"), warn("E9992", "invoice_lines[1].tax_category"),
		warn("E9993", "notes"), warn("E9993", "preceding[0].number")}
	refused := append(all[:len(all):len(all)], problem.Problem{Code: unknownCode, Severity: problem.Refuse})
	name := b.acknowledged(orders(),
		ledger.AckLine{Seq: 1, Invoice: ledger.Invoice{ID: 1, Row: 2, Verdict: ledger.VerdictQueued, Problems: all}, Problem: all[0]},
		ledger.AckLine{Seq: 2, Invoice: ledger.Invoice{ID: 2, Row: 3, Verdict: ledger.VerdictRefused, Problems: refused}, Problem: refused[5]})
	b.round(1)
	sameText(t, b.main().files[name], ackHead+
		"1;orders.csv;2;;;QUEUED;E9991;recipient;;;E9991 / E9992 / E9993 / E9993;;;\r\n"+
		"2;orders.csv;3;;;REFUSED;E9999;;;;E9999;;;\r\n")
}

func TestUnreadableExportIsRefusedAsAWhole(t *testing.T) {
	b := newBench(t)
	name := b.acknowledged(orders(), ledger.AckLine{Seq: 1, Problem: problem.Problem{Code: unknownCode, Severity: problem.Refuse}})
	b.round(1)
	sameText(t, b.main().files[name], ackHead+"1;orders.csv;;;;REFUSED;E9999;;;;E9999;;;\r\n")
}

func TestValuesComeBackExactly(t *testing.T) {
	b := newBench(t)
	value := "=1+1;\"x\"\nsecond\r\nthird"
	name := b.acknowledged(orders(), ledger.AckLine{
		Seq: 1, Invoice: ledger.Invoice{ID: 1, Row: 2, ERPKey: " 007", Verdict: ledger.VerdictRefused},
		Problem: problem.Problem{Code: unknownCode, Value: value},
	})
	b.round(1)
	sameText(t, b.main().files[name], ackHead+
		"1;orders.csv;2;\" 007\";;REFUSED;E9999;;;\"=1+1;\"\"x\"\"\nsecond\r\nthird\";E9999;;;\r\n")
}

func TestStatusFileSaysWhatHappenedAndWhatToDo(t *testing.T) {
	b := newBench(t)
	at := time.Date(2026, 11, 23, 7, 59, 1, 5e8, time.UTC)
	b.ledger.events = []ledger.Event{
		{
			Company: "acme", Number: "F1", ERPKey: "K1", APIID: "id-1", Kind: ledger.EventStatus, OccurredAt: at, SourceFile: "orders.csv", SourceRow: 2,
			Status: connector.Status{State: "ERROR", External: "rejected", Code: 213, ReasonCode: "CALCUL_ERR", Reason: "totals; differ"},
		},
		{Company: "acme", Number: "F2", Kind: ledger.EventHeld, OccurredAt: at, SourceFile: "orders.csv", SourceRow: 5, Problem: problem.Problem{Code: unknownCode}},
		{Company: "acme", Number: "F3", Kind: ledger.EventUncertain, OccurredAt: at},
		{Company: "acme", Number: "F4", Kind: ledger.EventStatus, OccurredAt: at, Status: connector.Status{State: "PARKED", External: "brand_new_word"}},
	}
	b.round(1)
	name := "status_acme_20261123T090000_1.csv"
	sameText(t, b.main().files[name],
		"seq;company;document_number;erp_key;api_id;event;state;external_status;status_code;label;reason_code;reason;what_to_do;occurred_at;source_file;source_row\r\n"+
			"1;acme;F1;K1;id-1;STATUS;ERROR;rejected;213;Rejetée;CALCUL_ERR;\"totals; differ\";"+WhatToDo(connector.Status{Code: 213}, problem.French)+";2026-11-23T08:59:01+01:00;orders.csv;2\r\n"+
			"2;acme;F2;;;HELD;;;;En attente d'une décision;E9999;E9999;;2026-11-23T08:59:01+01:00;orders.csv;5\r\n"+
			"3;acme;F3;;;UNCERTAIN;;;;Envoi incertain, vérification en cours;;;Rien : le connecteur cherche la réponse. Ne redéposez pas la facture.;2026-11-23T08:59:01+01:00;;\r\n"+
			"4;acme;F4;;;STATUS;PARKED;brand_new_word;;brand_new_word;;;;2026-11-23T08:59:01+01:00;;\r\n")
}

func TestSummaryBalancesTheExport(t *testing.T) {
	b := newBench(t)
	b.ledger.files[1] = ledger.File{NewFile: ledger.NewFile{Name: "first.csv"}}
	b.ledger.files[2] = ledger.File{
		NewFile: ledger.NewFile{Name: "orders.csv", SHA256: "ab12"}, Take: 12, State: ledger.FileMapped, Mapping: "sage", Encoding: "windows-1252",
		TakenAt: b.clock, FirstFile: 1,
		Controls: []ledger.Control{{Name: "total", Stated: "1234.50", Computed: "1234.40"}, {Name: "count", Stated: "3", Computed: "3"}},
		Problems: []problem.Problem{{Code: unknownCode}},
	}
	b.ledger.sums[2] = ledger.Summary{Invoices: 3, Counts: map[ledger.Verdict]int{ledger.VerdictQueued: 2, ledger.VerdictRefused: 1}}
	b.ledger.add(ledger.Publication{Place: "main", Kind: ledger.KindSummary, Name: SummaryName("orders.csv", 12, CSV), FileID: 2})
	b.round(1)
	sameText(t, b.main().files["orders.csv.000012.summary.csv"], strings.ReplaceAll(`name;value
file;orders.csv
take;000012
sha256;ab12
mapping;sage
encoding;windows-1252
taken_at;2026-11-23T09:00:00+01:00
state;mapped
first_file;first.csv
invoices;3
QUEUED;2
REFUSED;1
DUPLICATE;0
CONFLICT;0
SUPERSEDED;0
IGNORED;0
HELD;0
WAITING;0
control.total.stated;1234,50
control.total.computed;1234,40
control.count.stated;3
control.count.computed;3
problem.1.code;E9999
problem.1.message;E9999
problem.1.what_to_do;
`, "\n", "\r\n"))
}

func TestEncodings(t *testing.T) {
	for encoding, want := range map[string]string{
		UTF8:        "Œuvre\u202f€ Ğ 漢",
		UTF8BOM:     "Œuvre\u202f€ Ğ 漢",
		Windows1252: "\x8cuvre \x80 G ?",
	} {
		b := newBench(t)
		b.cfg.Encoding, b.cfg.AckColumns = encoding, []string{"erp_key", "seq"}
		b.cfg.Delimiter = "\t"
		b.restart()
		name := b.acknowledged(orders(), ledger.AckLine{Seq: 1, Invoice: ledger.Invoice{ID: 1, ERPKey: "Œuvre\u202f€ Ğ 漢"}})
		b.round(1)
		bom := ""
		if encoding == UTF8BOM {
			bom = "\ufeff"
		}
		sameText(t, b.main().files[name], bom+"erp_key\tseq\r\n"+want+"\t1\r\n")
	}
}

// endless counts the lines it gave.
type endless struct {
	*fakeLedger
	given int
	fail  error
}

func (l *endless) AckLines(context.Context, ledger.Publication, ledger.File) iter.Seq2[ledger.AckLine, error] {
	return func(yield func(ledger.AckLine, error) bool) {
		for l.given = 1; l.given <= 50_000; l.given++ {
			if !yield(ledger.AckLine{Seq: int64(l.given), Invoice: ledger.Invoice{ID: 1}}, nil) {
				return
			}
		}
		if l.fail != nil {
			yield(ledger.AckLine{}, l.fail)
		}
	}
}

// eager notes how many lines had been asked for when the first bytes came.
type eager struct {
	*durable.Store
	lines   *endless
	atFirst int
}

func (e *eager) Put(ctx context.Context, r io.Reader) (durable.Blob, error) {
	var first [1]byte
	if _, err := io.ReadFull(r, first[:]); err != nil {
		return durable.Blob{}, err
	}
	e.atFirst = e.lines.given
	return e.Store.Put(ctx, io.MultiReader(strings.NewReader(string(first[:])), r))
}

func TestRenderingStreams(t *testing.T) {
	b := newBench(t)
	lines := &endless{fakeLedger: b.ledger}
	store := &eager{Store: b.blobs, lines: lines}
	b.acknowledged(orders())
	b.Publisher.ledger, b.Publisher.blobs = lines, store
	b.round(1)
	if store.atFirst > 5_000 {
		t.Errorf("the first bytes were written after %d lines had been gathered", store.atFirst)
	}
}

func TestHalfAnAcknowledgementIsNeverPublished(t *testing.T) {
	b := newBench(t)
	lines := &endless{fakeLedger: b.ledger, fail: errors.New("disk gone")}
	b.acknowledged(orders())
	b.Publisher.ledger = lines
	if _, err := b.Publish(t.Context()); !errors.Is(err, lines.fail) {
		t.Errorf("error %v", err)
	}
	if len(b.main().files) > 0 || b.ledger.pubs[0].SHA256 != "" {
		t.Error("an acknowledgement without its end was fixed or published")
	}
}
