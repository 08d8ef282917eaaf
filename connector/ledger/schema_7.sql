-- tally: how many released invoices stand where; kept in the transactions that
-- move them, so that nobody counts a million rows to show a status.
CREATE TABLE tally (
  company        TEXT NOT NULL,
  state          TEXT NOT NULL,
  platform_state TEXT NOT NULL,
  invoices       INTEGER NOT NULL,
  newest         INTEGER NOT NULL,     -- id of the newest invoice that ever stood there
  PRIMARY KEY (company, state, platform_state)
) STRICT, WITHOUT ROWID;
INSERT INTO tally SELECT company, state, platform_state, COUNT(*), MAX(id) FROM invoice WHERE state <> 'staged' GROUP BY 1, 2, 3;
DROP INDEX invoice_counts;

CREATE INDEX invoice_due ON invoice (company, id) WHERE state = 'queued' AND not_before IS NULL;
CREATE INDEX invoice_sending ON invoice (id) WHERE state = 'sending';

-- attempt: from now on written when it ended; until then the invoice says that it
-- is under way.
DELETE FROM attempt WHERE outcome = '';
