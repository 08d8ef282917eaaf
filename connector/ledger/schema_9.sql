-- in_flight: how many of the file's invoices are queued, waiting, sending or
-- uncertain; kept with the tally, because an index of them was written at each step
-- of each invoice, and asked of every open file.
ALTER TABLE file ADD COLUMN in_flight INTEGER NOT NULL DEFAULT 0;
UPDATE file SET in_flight = n FROM (SELECT file_id, COUNT(*) AS n FROM invoice
  WHERE state IN ('queued', 'waiting', 'sending', 'uncertain') GROUP BY file_id) WHERE id = file_id;
DROP INDEX invoice_in_flight;
DROP INDEX file_to_settle;
CREATE INDEX file_to_settle ON file (id) WHERE state = 'mapped' AND settled_at IS NULL AND in_flight = 0;
