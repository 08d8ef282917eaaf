-- What a person must look at first (kept) stays out of the ERP's delivery until
-- it is released. erp: '' not meant for it, 'due', 'done'.
ALTER TABLE received ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;
ALTER TABLE received ADD COLUMN released_at TEXT;
ALTER TABLE received ADD COLUMN released_note TEXT NOT NULL DEFAULT '';
ALTER TABLE received ADD COLUMN erp TEXT NOT NULL DEFAULT '';
ALTER TABLE received ADD COLUMN erp_at TEXT;
UPDATE received SET kept = to_check;
CREATE INDEX received_for_erp ON received (id) WHERE erp = 'due' AND kept = 0;

CREATE VIEW kept_supplier_invoices AS
  SELECT company, supplier, document_number, gross, currency, alerts, received_at, api_id, id
    FROM received
   WHERE kept = 1;
