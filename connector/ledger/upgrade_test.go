package ledger

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"einvoice/connector/durable"
)

// rowsOfSchema1 are rows as the first version wrote them.
const rowsOfSchema1 = `
INSERT INTO identity VALUES ('ledger_id', 'first-one'), ('api', 'https://api.example/v1');
INSERT INTO fact VALUES ('kept', 'yes');
INSERT INTO company VALUES ('acme', '100000009', '100000009', 'ACME', 1, '2026-01-02T08:00:00.000Z', NULL), ('bakery', '200000008', '200000008', 'Bakery', 1, '2026-01-02T08:00:00.000Z', NULL);
INSERT INTO place VALUES ('acme', 5);
INSERT INTO file (id, drop_name, take, place, name, sha256, size, owner, state, taken_at, mapped_at, mapping)
  VALUES (1, 'acme', 1, 'acme', 'old.csv', 'ab', 10, 'erp', 'mapped', '2026-01-02T08:00:00.000Z', '2026-01-02T08:00:01.000Z', 'ventes');
INSERT INTO invoice (id, file_id, ordinal, source_rows, source_row, company, seller_siren, document_number, issue_year, issue_date, is_credit, buyer_siren,
  gross, gross_plain, currency, fingerprint, verdict, state, holds_key, api_id, sent_at, problems, created_at)
  VALUES (1, 1, 1, '2', 2, 'acme', '100000009', 'OLD-1', 2026, '2026-01-02', 0, '200000008', '12.00', '12', 'EUR', 'f', 'QUEUED', 'sent', 1, 'api-1', '2026-01-02T08:00:02.000Z', '[]', '2026-01-02T08:00:01.000Z'),
         (2, 1, 2, '3', 3, 'acme', '100000009', 'OLD-2', 2026, '2026-01-02', 0, '200000008', '13.00', '13', 'EUR', 'g', 'QUEUED', 'queued', 1, NULL, NULL, '[]', '2026-01-02T08:00:01.000Z');
INSERT INTO document VALUES (2, '{"number":"OLD-2"}');
INSERT INTO attempt (invoice_id, number, started_at, ended_at, outcome, http) VALUES (1, 1, '2026-01-02T08:00:01.000Z', '2026-01-02T08:00:02.000Z', 'sent', 200);
INSERT INTO event (place, company, seq, invoice_id, kind, occurred_at, recorded_at) VALUES ('acme', 'acme', 4, 1, 'SENT', '2026-01-02T08:00:02.000Z', '2026-01-02T08:00:02.000Z');
INSERT INTO publication (place, folder, kind, name, file_id, due_at, made_at, published_at) VALUES ('acme', 'results', 'ack', 'old.csv.000001.ack.csv', 1, '2026-01-02T08:00:01.000Z', '2026-01-02T08:00:01.000Z', '2026-01-02T08:00:02.000Z');
INSERT INTO callback (company, event, api_id, body_sha256, received_at, due_at) VALUES ('acme', 'customer-invoice', 'api-1', 'cd', '2026-01-02T08:00:03.000Z', '2026-01-02T08:00:03.000Z');
INSERT INTO received (api_id, company, state, seen_at, supplier, document_number, gross, currency) VALUES ('sup-1', 'acme', 'delivered', '2026-01-02T08:00:03.000Z', 'Fournisseur', 'S-1', '5.00', 'EUR');
`

// oldLedger makes a ledger as the first version left it.
func oldLedger(t *testing.T, dir string) {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(Config{Path: dir}.File()))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := upgrade(t.Context(), conn, dir, steps()[:1], time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(t.Context(), rowsOfSchema1); err != nil {
		t.Fatal(err)
	}
}

// TestLedgerOfTheFirstVersionIsUpgradedWithAllItsRows: everything is there
// afterwards, everything can be read, and a backup of the former state stands
// beside it that is a whole ledger of the former version.
func TestLedgerOfTheFirstVersionIsUpgradedWithAllItsRows(t *testing.T) {
	dir := t.TempDir()
	oldLedger(t, dir)
	w := &world{t: t, clock: &hand{t: time.Date(2026, 10, 5, 8, 0, 0, 0, time.UTC)}, dir: dir}
	w.open()
	t.Cleanup(func() { _ = w.Close() })
	want(t, "id", w.ID(), "first-one")
	kept, err := w.Get(t.Context(), "kept")
	w.ok(err)
	want(t, "fact", kept, "yes")
	story, err := w.Story(t.Context(), 1)
	w.ok(err)
	want(t, "steps of the story", len(story), 8) // taken mapped released sending answered event callback published
	received, err := w.FindReceived(t.Context(), "S-1")
	w.ok(err)
	want(t, "supplier invoices", len(received), 1)
	next, err := w.NextToSend(t.Context(), acme, 10)
	w.ok(err)
	want(t, "to send", len(next), 1)
	calls, err := w.CallbacksDue(t.Context(), 10)
	w.ok(err)
	want(t, "callbacks", len(calls), 1)

	backups, err := filepath.Glob(filepath.Join(dir, "ledger-before-v*.db"))
	w.ok(err)
	if len(backups) != 1 {
		t.Fatalf("backups: %v", backups)
	}
	old := t.TempDir()
	w.ok(durable.Move(backups[0], Config{Path: old}.File()))
	db, err := sql.Open("sqlite", dsn(Config{Path: old}.File()))
	w.ok(err)
	defer db.Close()
	var version, invoices int
	w.ok(db.QueryRowContext(t.Context(), "PRAGMA user_version").Scan(&version))
	w.ok(db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM invoice").Scan(&invoices))
	want(t, "version of the backup", version, 1)
	want(t, "invoices in the backup", invoices, 2)
}
