-- What a register says of a supplier invoice, without reading the original,
-- attachments and all, for each row. Empty for those received before.
ALTER TABLE received ADD COLUMN head TEXT NOT NULL DEFAULT '';
