-- request: a verb of a person, asked for by a second process while the daemon has
-- the ledger, or done directly while none has; who asked, when, what came of it.
CREATE TABLE request (
  id       INTEGER PRIMARY KEY,
  verb     TEXT NOT NULL,
  args     TEXT NOT NULL,
  who      TEXT NOT NULL,
  asked_at TEXT NOT NULL,
  taken_at TEXT,                        -- from here on it is being done, and cannot be withdrawn
  done_at  TEXT,
  answer   TEXT NOT NULL DEFAULT '',    -- what the person's terminal shows
  failure  TEXT NOT NULL DEFAULT '',
  exit_code INTEGER NOT NULL DEFAULT 0,
  invoices TEXT NOT NULL DEFAULT '[]'   -- ids of those it changed
) STRICT;
CREATE INDEX request_open ON request (id) WHERE done_at IS NULL;
-- Which text of the mapping an export was read with.
ALTER TABLE file ADD COLUMN mapping_version TEXT NOT NULL DEFAULT '';
