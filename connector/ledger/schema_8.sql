-- A person names a supplier invoice by its number or by the platform's id.
CREATE INDEX received_by_number ON received (document_number);
