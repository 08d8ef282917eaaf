-- answer: the bytes of an answer of few lines, so that no file of its own has to
-- be made durable before it is published; those of longer ones are blobs.
CREATE TABLE answer (
  publication_id INTEGER PRIMARY KEY REFERENCES publication (id),
  body           BLOB NOT NULL
) STRICT;
