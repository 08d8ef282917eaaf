-- The files that are owed are few among all that ever were, and those put off are
-- few among them: looking for what is due must not read the others.
CREATE INDEX publication_open ON publication (id) WHERE published_at IS NULL;
CREATE INDEX publication_later ON publication (due_at) WHERE published_at IS NULL AND seq_from > 0;
