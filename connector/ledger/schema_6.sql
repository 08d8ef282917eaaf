-- What later invoices are compared with before they go: see the safety holds.

-- proven: companies and mappings of which an invoice was ever let go.
CREATE TABLE proven (
  kind TEXT NOT NULL CHECK (kind IN ('company', 'mapping')),
  name TEXT NOT NULL,
  PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

-- day_total: the largest total of the invoices let go on a day (UTC).
CREATE TABLE day_total (
  company  TEXT NOT NULL,
  currency TEXT NOT NULL,
  day      TEXT NOT NULL,
  largest  TEXT NOT NULL,
  invoices INTEGER NOT NULL,
  PRIMARY KEY (company, currency, day)
) STRICT, WITHOUT ROWID;

-- buyer_total: the total of the last invoice to each buyer.
CREATE TABLE buyer_total (
  company     TEXT NOT NULL,
  buyer_siren TEXT NOT NULL,
  currency    TEXT NOT NULL,
  gross       TEXT NOT NULL,
  PRIMARY KEY (company, buyer_siren, currency)
) STRICT, WITHOUT ROWID;

INSERT INTO proven SELECT DISTINCT 'company', company FROM invoice WHERE attempts > 0;
INSERT INTO proven SELECT DISTINCT 'mapping', f.mapping FROM file f JOIN invoice i ON i.file_id = f.id WHERE i.attempts > 0;
INSERT INTO day_total SELECT company, currency, day, gross_plain, n FROM (
  SELECT company, currency, SUBSTR(created_at, 1, 10) AS day, gross_plain, MAX(CAST(gross_plain AS REAL)), COUNT(*) AS n
    FROM invoice WHERE attempts > 0 AND is_credit = 0 GROUP BY 1, 2, 3);
INSERT INTO buyer_total SELECT company, buyer_siren, currency, gross_plain FROM invoice
  WHERE id IN (SELECT MAX(id) FROM invoice WHERE attempts > 0 AND is_credit = 0 AND buyer_siren <> '' GROUP BY company, buyer_siren, currency);
