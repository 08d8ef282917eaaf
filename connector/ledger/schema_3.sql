-- part: a file that came with an export: a member of one that consists of several
-- files, or an attachment that stood beside it.
CREATE TABLE part (
  file_id       INTEGER NOT NULL REFERENCES file (id),
  name          TEXT NOT NULL,
  kind          TEXT NOT NULL CHECK (kind IN ('member', 'beside')),
  sha256        TEXT NOT NULL,
  size          INTEGER NOT NULL,
  taken_at      TEXT NOT NULL,
  archived_at   TEXT,
  archived_path TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (file_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX part_to_archive ON part (file_id) WHERE archived_at IS NULL;
CREATE INDEX part_beside ON part (name, file_id) WHERE kind = 'beside';

-- unready: a file of a drop that was not whole for so long that an answer said so.
CREATE TABLE unready (
  publication_id INTEGER PRIMARY KEY REFERENCES publication (id),
  source_file    TEXT NOT NULL,
  problem        TEXT NOT NULL
) STRICT;
