package ledger

import (
	"context"
	"errors"
	"fmt"
	"path"

	"einvoice/connector"
	"einvoice/connector/problem"
)

const partColumns = "p.file_id, p.kind, p.name, p.sha256, p.size, p.archived_path"

func scanPart(r row) (p Part, err error) {
	err = r.Scan(&p.FileID, textTo(&p.Kind), &p.Name, &p.SHA256, &p.Size, &p.Archived)
	return p, err
}

func addPart(t *tx, fileID int64, p Part, now clock) error {
	archived := any(nil)
	if p.Archived != "" {
		archived = stamp(now())
	}
	_, err := t.exec(`INSERT INTO part (file_id, name, kind, sha256, size, taken_at, archived_at, archived_path) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (file_id, name) DO UPDATE SET sha256 = excluded.sha256, size = excluded.size`,
		fileID, p.Name, string(p.Kind), p.SHA256, p.Size, stamp(now()), archived, p.Archived)
	return err
}

// AddPart records a file that came with an export and is in the spool. One of
// that name takes the place of the one that is recorded.
func (l *Ledger) AddPart(ctx context.Context, p Part) error {
	err := l.commit(ctx, func(t *tx) error { return addPart(t, p.FileID, p, l.now) })
	if err != nil {
		return fmt.Errorf("record part %s of file %d: %w", p.Name, p.FileID, err)
	}
	return nil
}

// PartsOf lists the parts of an export by name.
func (l *Ledger) PartsOf(ctx context.Context, fileID int64) ([]Part, error) {
	return l.parts(ctx, "WHERE p.file_id = ? ORDER BY p.name", fileID)
}

// FilesWithParts are those of the exports from one id to another that have any.
func (l *Ledger) FilesWithParts(ctx context.Context, from, to int64) (map[int64]bool, error) {
	ids, err := list(ctx, l.read, scanOne[int64], "SELECT DISTINCT file_id FROM part WHERE file_id BETWEEN ? AND ?", from, to)
	if err != nil {
		return nil, fmt.Errorf("read parts: %w", err)
	}
	with := map[int64]bool{}
	for _, id := range ids {
		with[id] = true
	}
	return with, nil
}

// PartsToArchive are the parts whose original was not moved yet.
func (l *Ledger) PartsToArchive(ctx context.Context) ([]Part, error) {
	return l.parts(ctx, "WHERE p.archived_at IS NULL ORDER BY p.file_id, p.name")
}

// EarlierBeside finds the newest attachment of that name that came with an
// export of the drop; ErrNotFound.
func (l *Ledger) EarlierBeside(ctx context.Context, drop, name string) (Part, error) {
	p, err := first(ctx, l.read, scanPart, "SELECT "+partColumns+` FROM part p JOIN file f ON f.id = p.file_id
		WHERE p.kind = 'beside' AND p.name = ? AND f.drop_name = ? ORDER BY p.file_id DESC LIMIT 1`, name, drop)
	if err != nil {
		return Part{}, fmt.Errorf("look for %s of drop %s: %w", name, drop, err)
	}
	return p, nil
}

// BesideOf finds the newest attachment of that name that came with an export of
// the drop that had the invoice of that key; ErrNotFound.
func (l *Ledger) BesideOf(ctx context.Context, drop, name string, k connector.Key) (Part, error) {
	p, err := first(ctx, l.read, scanPart, "SELECT "+partColumns+` FROM invoice i JOIN part p ON p.file_id = i.file_id JOIN file f ON f.id = p.file_id
		WHERE i.document_number = ? AND i.seller_siren = ? AND i.issue_year = ? AND p.kind = 'beside' AND p.name = ? AND f.drop_name = ?
		ORDER BY p.file_id DESC LIMIT 1`, k.Number, k.SIREN, k.Year, name, drop)
	if err != nil {
		return Part{}, fmt.Errorf("look for %s of invoice %q: %w", name, k.Number, err)
	}
	return p, nil
}

// HasInvoice tells whether an export had the invoice of that key, whatever became
// of it.
func (l *Ledger) HasInvoice(ctx context.Context, fileID int64, k connector.Key) (bool, error) {
	n, err := first(ctx, l.read, scanOne[int], `SELECT COUNT(*) FROM invoice
		WHERE document_number = ? AND seller_siren = ? AND issue_year = ? AND file_id = ?`, k.Number, k.SIREN, k.Year, fileID)
	if err != nil {
		return false, fmt.Errorf("look for invoice %q in file %d: %w", k.Number, fileID, err)
	}
	return n > 0, nil
}

func (l *Ledger) parts(ctx context.Context, where string, args ...any) ([]Part, error) {
	all, err := list(ctx, l.read, scanPart, "SELECT "+partColumns+" FROM part p "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read parts: %w", err)
	}
	return all, nil
}

// PartArchived records where the original of a part went. Once only. With the
// last of its members an export of several files is archived as a whole.
func (l *Ledger) PartArchived(ctx context.Context, fileID int64, name, to string) error {
	err := l.commit(ctx, func(t *tx) error {
		now := stamp(l.now())
		if err := must(t.exec("UPDATE part SET archived_at = ?, archived_path = ? WHERE file_id = ? AND name = ? AND archived_at IS NULL", now, to, fileID, name)); err != nil {
			return err
		}
		_, err := t.exec(`UPDATE file SET archived_at = ?1, archived_path = ?2 WHERE id = ?3 AND archived_at IS NULL
			AND EXISTS (SELECT 1 FROM part WHERE file_id = ?3 AND kind = 'member')
			AND NOT EXISTS (SELECT 1 FROM part WHERE file_id = ?3 AND kind = 'member' AND archived_at IS NULL)`, now, path.Dir(to), fileID)
		return err
	})
	if err != nil {
		return fmt.Errorf("record archive of part %s of file %d: %w", name, fileID, err)
	}
	return nil
}

// Unready makes the answer that says why a file of a drop is not taken; name is
// that of the answer. An answer of that name is there already: nothing is done.
func (l *Ledger) Unready(ctx context.Context, place, name, file string, p problem.Problem) (made bool, err error) {
	err = l.commit(ctx, func(t *tx) error {
		ctx := context.Background()
		_, err := first(ctx, t, scanOne[int64], "SELECT id FROM publication WHERE place = ? AND folder = ? AND name = ?", place, string(FolderResults), name)
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		pub := Publication{Place: place, Folder: FolderResults, Kind: KindUnready, Name: name}
		if pub.SeqFrom, err = takeSeqs(t, place, 1); err != nil {
			return err
		}
		pub.SeqTo = pub.SeqFrom
		if pub, err = l.publish(t, pub); err != nil {
			return err
		}
		text, err := problemList([]problem.Problem{p})
		if err != nil {
			return err
		}
		made = true
		return must(t.exec("INSERT INTO unready (publication_id, source_file, problem) VALUES (?, ?, ?)", pub.ID, file, text))
	})
	if err != nil {
		return false, fmt.Errorf("answer for %s: %w", file, err)
	}
	return made, nil
}

// UnreadyOf reads what an answer of kind unready says: the file and why it is
// not taken.
func (l *Ledger) UnreadyOf(ctx context.Context, p Publication) (file string, why problem.Problem, err error) {
	var all []problem.Problem
	_, err = first(ctx, l.read, func(r row) (struct{}, error) {
		return struct{}{}, r.Scan(&file, jsonTo{&all})
	}, "SELECT source_file, problem FROM unready WHERE publication_id = ?", p.ID)
	if err != nil {
		return "", problem.Problem{}, fmt.Errorf("read answer %d: %w", p.ID, err)
	}
	return file, all[0], nil
}
