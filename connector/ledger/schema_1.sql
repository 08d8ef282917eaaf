-- Times are UTC, RFC 3339, of one width, so that they sort as text. Problems and
-- documents are JSON. Amounts are exact decimals as text.

-- identity: what this ledger is and belongs to.
CREATE TABLE identity (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- fact: small things a component remembers over restarts.
CREATE TABLE fact (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE company (
  id             TEXT PRIMARY KEY,
  fiscal_id      TEXT NOT NULL,
  siren          TEXT NOT NULL,
  name           TEXT NOT NULL,
  active         INTEGER NOT NULL DEFAULT 1,
  swept_at       TEXT,               -- NULL: nothing is sent before its invoices at the platform were read
  received_since TEXT
) STRICT, WITHOUT ROWID;

-- place: where results go. Sequence numbers run without gaps per place.
CREATE TABLE place (
  name     TEXT PRIMARY KEY,
  next_seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- file: an export that was taken from a drop.
CREATE TABLE file (
  id            INTEGER PRIMARY KEY,
  drop_name     TEXT NOT NULL,
  take          INTEGER NOT NULL,
  place         TEXT NOT NULL,
  name          TEXT NOT NULL,
  sha256        TEXT NOT NULL,
  size          INTEGER NOT NULL,
  modified_at   TEXT,
  owner         TEXT NOT NULL,
  state         TEXT NOT NULL CHECK (state IN ('taken', 'mapped', 'failed')),
  first_file_id INTEGER NOT NULL DEFAULT 0,
  taken_at      TEXT NOT NULL,
  archived_at   TEXT,
  archived_path TEXT NOT NULL DEFAULT '',
  mapped_at     TEXT,
  mapping       TEXT NOT NULL DEFAULT '',
  encoding      TEXT NOT NULL DEFAULT '',
  problems      TEXT NOT NULL DEFAULT '[]',
  controls      TEXT NOT NULL DEFAULT '[]',
  copy_owed     INTEGER NOT NULL DEFAULT 0, -- 1: the correctable copy of the local refusals is not made yet
  settled_at    TEXT,
  mended_at    TEXT, -- all that its correctable copies hold went through in the end
  UNIQUE (drop_name, take)
) STRICT;
CREATE INDEX file_by_hash ON file (sha256, place);
CREATE INDEX file_by_name ON file (name);
CREATE INDEX file_to_archive ON file (id) WHERE archived_at IS NULL;
CREATE INDEX file_to_map ON file (id) WHERE state = 'taken';
CREATE INDEX file_to_settle ON file (id) WHERE state = 'mapped' AND settled_at IS NULL;
CREATE INDEX file_to_copy ON file (id) WHERE copy_owed = 1;

-- invoice: one document of an export, and where it stands.
CREATE TABLE invoice (
  id              INTEGER PRIMARY KEY,
  company         TEXT NOT NULL,
  state           TEXT NOT NULL CHECK (state IN ('staged', 'queued', 'waiting', 'held', 'sending', 'uncertain',
                    'sent', 'rejected', 'refused', 'duplicate', 'conflict', 'superseded', 'ignored')),
  platform_state  TEXT NOT NULL DEFAULT '',
  file_id         INTEGER NOT NULL REFERENCES file (id),
  ordinal         INTEGER NOT NULL,
  source_rows     TEXT NOT NULL,
  source_row      INTEGER NOT NULL,
  erp_key         TEXT,
  seller_siren    TEXT NOT NULL,
  document_number TEXT NOT NULL,
  issue_year      INTEGER NOT NULL,
  issue_date      TEXT NOT NULL,
  is_credit       INTEGER NOT NULL,
  buyer_siren     TEXT NOT NULL,
  gross           TEXT NOT NULL,
  gross_plain     TEXT NOT NULL,           -- gross without trailing zeros: compares as text
  currency        TEXT NOT NULL,
  fingerprint     TEXT NOT NULL,
  verdict         TEXT NOT NULL,           -- what the acknowledgement says; never changes after release
  holds_key       INTEGER NOT NULL DEFAULT 0,
  first_id        INTEGER,                 -- of a duplicate, conflict or question: the invoice that holds the key
  superseded_by   INTEGER,
  waits_for       INTEGER,                 -- of a credit note: the invoice whose acceptance it waits for
  not_before      TEXT,                    -- queued or waiting for time; NULL once that time has come
  attempts        INTEGER NOT NULL DEFAULT 0,
  attempted_at    TEXT,
  api_id          TEXT,
  external_status TEXT NOT NULL DEFAULT '',
  status_code     INTEGER NOT NULL DEFAULT 0,
  reason_code     TEXT NOT NULL DEFAULT '',
  reason          TEXT NOT NULL DEFAULT '',
  status_at       TEXT,
  sent_at         TEXT,
  next_poll_at    TEXT,
  polled_at       TEXT,
  problems        TEXT NOT NULL,           -- at release: the acknowledgement quotes them
  answer_problems TEXT NOT NULL DEFAULT '[]', -- since then
  created_at      TEXT NOT NULL,
  UNIQUE (file_id, ordinal)
) STRICT;
CREATE UNIQUE INDEX invoice_key ON invoice (seller_siren, document_number, issue_year) WHERE holds_key = 1;
CREATE UNIQUE INDEX invoice_by_api_id ON invoice (api_id) WHERE api_id IS NOT NULL;
CREATE INDEX invoice_by_number ON invoice (document_number, seller_siren);
CREATE INDEX invoice_by_erp_key ON invoice (erp_key) WHERE erp_key IS NOT NULL;
CREATE INDEX invoice_to_send ON invoice (company, ordinal, file_id) WHERE state = 'queued' AND not_before IS NULL;
CREATE INDEX invoice_to_wake ON invoice (not_before) WHERE not_before IS NOT NULL;
CREATE INDEX invoice_waiting_for ON invoice (waits_for) WHERE waits_for IS NOT NULL;
CREATE INDEX invoice_in_flight ON invoice (file_id) WHERE state IN ('queued', 'waiting', 'sending', 'uncertain');
CREATE INDEX invoice_to_poll ON invoice (next_poll_at) WHERE next_poll_at IS NOT NULL;
CREATE INDEX invoice_counts ON invoice (company, state, platform_state);

-- document: the invoice itself, apart, so that a change of state does not rewrite
-- it and old ones can be trimmed.
CREATE TABLE document (
  invoice_id INTEGER PRIMARY KEY REFERENCES invoice (id) ON DELETE CASCADE,
  json       TEXT NOT NULL
) STRICT;

-- correction: the invoices that a credit note corrects; year 0 when not stated.
CREATE TABLE correction (
  invoice_id      INTEGER NOT NULL REFERENCES invoice (id) ON DELETE CASCADE,
  document_number TEXT NOT NULL,
  issue_year      INTEGER NOT NULL,
  PRIMARY KEY (invoice_id, document_number, issue_year)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempt (
  invoice_id INTEGER NOT NULL REFERENCES invoice (id),
  number     INTEGER NOT NULL,
  started_at TEXT NOT NULL,
  ended_at   TEXT,
  outcome    TEXT NOT NULL DEFAULT '',    -- the state it led to, '' while it runs
  http       INTEGER NOT NULL DEFAULT 0,
  note       TEXT NOT NULL DEFAULT '',
  problems   TEXT NOT NULL DEFAULT '[]',
  PRIMARY KEY (invoice_id, number)
) STRICT, WITHOUT ROWID;

-- doubt: an invoice whose answer is not known, and the evidence so far.
CREATE TABLE doubt (
  invoice_id     INTEGER PRIMARY KEY REFERENCES invoice (id),
  next_lookup_at TEXT NOT NULL,
  lookups        INTEGER NOT NULL DEFAULT 0,
  proofs         INTEGER NOT NULL DEFAULT 0, -- look-ups that found nothing although a witness was visible
  first_proof_at TEXT
) STRICT;
CREATE INDEX doubt_due ON doubt (next_lookup_at);

CREATE TABLE lookup (
  id         INTEGER PRIMARY KEY,
  invoice_id INTEGER NOT NULL REFERENCES invoice (id),
  at         TEXT NOT NULL,
  finding    TEXT NOT NULL
) STRICT;
CREATE INDEX lookup_by_invoice ON lookup (invoice_id);

-- swept: what the platform had before this ledger sent anything.
CREATE TABLE swept (
  api_id          TEXT PRIMARY KEY,
  company         TEXT NOT NULL,
  seller_siren    TEXT NOT NULL,
  document_number TEXT NOT NULL,
  issue_year      INTEGER NOT NULL,
  gross           TEXT NOT NULL,
  gross_plain     TEXT NOT NULL,
  platform_state  TEXT NOT NULL,
  external_status TEXT NOT NULL,
  status_code     INTEGER NOT NULL,
  reason_code     TEXT NOT NULL,
  reason          TEXT NOT NULL,
  status_at       TEXT,
  found_at        TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX swept_by_key ON swept (seller_siren, document_number, issue_year);

-- event: what became of an invoice after its acknowledgement; one line of a status file.
CREATE TABLE event (
  id              INTEGER PRIMARY KEY,
  place           TEXT NOT NULL,
  company         TEXT NOT NULL,
  seq             INTEGER,               -- NULL until it belongs to a publication
  invoice_id      INTEGER NOT NULL REFERENCES invoice (id),
  kind            TEXT NOT NULL,
  platform_state  TEXT NOT NULL DEFAULT '',
  external_status TEXT NOT NULL DEFAULT '',
  status_code     INTEGER NOT NULL DEFAULT 0,
  reason_code     TEXT NOT NULL DEFAULT '',
  reason          TEXT NOT NULL DEFAULT '',
  status_at       TEXT,
  problem         TEXT,
  note            TEXT NOT NULL DEFAULT '',
  occurred_at     TEXT NOT NULL,
  recorded_at     TEXT NOT NULL
) STRICT;
CREATE INDEX event_to_number ON event (place, company, id) WHERE seq IS NULL;
CREATE UNIQUE INDEX event_by_seq ON event (place, seq) WHERE seq IS NOT NULL;
CREATE INDEX event_by_invoice ON event (invoice_id);

-- publication: a file that we owe a place.
CREATE TABLE publication (
  id           INTEGER PRIMARY KEY,
  place        TEXT NOT NULL,
  folder       TEXT NOT NULL,
  kind         TEXT NOT NULL,
  name         TEXT NOT NULL,
  company      TEXT NOT NULL DEFAULT '',
  file_id      INTEGER NOT NULL DEFAULT 0,
  seq_from     INTEGER NOT NULL DEFAULT 0,
  seq_to       INTEGER NOT NULL DEFAULT 0,
  sha256       TEXT NOT NULL DEFAULT '',
  due_at       TEXT NOT NULL,
  tries        INTEGER NOT NULL DEFAULT 0,
  made_at      TEXT NOT NULL,
  published_at TEXT,
  UNIQUE (place, folder, name)
) STRICT;
CREATE INDEX publication_due ON publication (place, folder, id) WHERE published_at IS NULL;
CREATE INDEX publication_by_file ON publication (file_id);
CREATE INDEX publication_of_copies ON publication (file_id) WHERE kind = 'copy' AND folder = 'refused';

-- callback: a call of the platform, recorded before it got its 200.
CREATE TABLE callback (
  id          INTEGER PRIMARY KEY,
  company     TEXT NOT NULL,
  event       TEXT NOT NULL,
  api_id      TEXT NOT NULL,
  body_sha256 TEXT NOT NULL,
  received_at TEXT NOT NULL,
  due_at      TEXT NOT NULL,
  done_at     TEXT,
  UNIQUE (company, event, body_sha256)
) STRICT;
CREATE INDEX callback_due ON callback (id) WHERE done_at IS NULL;
CREATE INDEX callback_by_api_id ON callback (api_id);

-- get_budget: GETs made per day; they may be billed.
CREATE TABLE get_budget (
  day  TEXT PRIMARY KEY,
  gets INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- received: a supplier invoice.
CREATE TABLE received (
  id              INTEGER PRIMARY KEY,
  api_id          TEXT NOT NULL UNIQUE,
  company         TEXT NOT NULL,
  state           TEXT NOT NULL CHECK (state IN ('seen', 'fetched', 'built', 'delivered')),
  seen_at         TEXT NOT NULL,
  received_at     TEXT,
  raw_sha256      TEXT NOT NULL DEFAULT '',
  supplier        TEXT NOT NULL DEFAULT '',
  supplier_id     TEXT NOT NULL DEFAULT '',
  document_number TEXT NOT NULL DEFAULT '',
  document_type   TEXT NOT NULL DEFAULT '',
  issue_date      TEXT NOT NULL DEFAULT '',
  gross           TEXT NOT NULL DEFAULT '',
  currency        TEXT NOT NULL DEFAULT '',
  iban            TEXT NOT NULL DEFAULT '',
  to_check        INTEGER NOT NULL DEFAULT 0,
  alerts          TEXT NOT NULL DEFAULT '[]',
  build_name      TEXT NOT NULL DEFAULT '',
  folder          TEXT NOT NULL DEFAULT '',
  delivered_at    TEXT
) STRICT;
CREATE INDEX received_undelivered ON received (state, id) WHERE state <> 'delivered';
CREATE INDEX received_by_supplier ON received (company, supplier_id, id);
CREATE INDEX received_by_month ON received (company, received_at);

-- One view per question of a support person.

CREATE VIEW open_invoices AS
  SELECT i.company, i.document_number, i.state, i.attempts, i.not_before, i.gross, i.currency,
         f.name AS source_file, i.source_row, i.created_at, i.id
    FROM invoice i JOIN file f ON f.id = i.file_id
   WHERE i.state IN ('queued', 'waiting', 'sending', 'uncertain');

CREATE VIEW uncertain_invoices AS
  SELECT i.company, i.document_number, i.attempted_at, d.lookups, d.proofs, d.next_lookup_at, i.gross, i.currency,
         f.name AS source_file, i.source_row, i.id
    FROM doubt d JOIN invoice i ON i.id = d.invoice_id JOIN file f ON f.id = i.file_id;

CREATE VIEW held_invoices AS
  SELECT i.company, i.document_number, i.gross, i.currency, i.attempts,
         CASE i.answer_problems WHEN '[]' THEN i.problems ELSE i.answer_problems END AS why,
         f.name AS source_file, i.source_row, i.id
    FROM invoice i JOIN file f ON f.id = i.file_id
   WHERE i.state = 'held';

CREATE VIEW refused_invoices AS
  SELECT i.company, i.document_number, i.state, i.gross, i.currency,
         CASE i.answer_problems WHEN '[]' THEN i.problems ELSE i.answer_problems END AS why,
         f.name AS source_file, i.source_row, f.taken_at, i.id
    FROM invoice i JOIN file f ON f.id = i.file_id
   WHERE i.state IN ('refused', 'rejected', 'conflict');

CREATE VIEW sent_invoices AS
  SELECT i.company, i.document_number, i.api_id, i.sent_at, i.platform_state, i.external_status, i.status_code,
         i.reason_code, i.reason, i.status_at, f.name AS source_file, i.source_row, i.id
    FROM invoice i JOIN file f ON f.id = i.file_id
   WHERE i.state = 'sent';

CREATE VIEW files_today AS
  SELECT f.drop_name, f.take, f.name, f.state, f.taken_at, f.mapped_at, f.settled_at, f.archived_path,
         (SELECT COUNT(*) FROM invoice i WHERE i.file_id = f.id) AS invoices, f.id
    FROM file f
   WHERE f.taken_at >= strftime('%Y-%m-%dT00:00:00.000Z', 'now');

CREATE VIEW unpublished_files AS
  SELECT place, folder, kind, name, seq_from, seq_to, due_at, tries, made_at, id
    FROM publication
   WHERE published_at IS NULL;

CREATE VIEW undelivered_supplier_invoices AS
  SELECT company, state, supplier, document_number, gross, currency, seen_at, api_id, id
    FROM received
   WHERE state <> 'delivered';
