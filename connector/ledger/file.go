package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

const fileColumns = `f.id, f.drop_name, f.place, f.name, f.sha256, f.size, f.modified_at, f.owner, f.take, f.state, f.archived_path,
	f.mapping, f.mapping_version, f.encoding, f.first_file_id, f.taken_at, f.mapped_at, f.settled_at, f.problems, f.controls`

func scanFile(r row) (f File, err error) {
	err = r.Scan(&f.ID, &f.Drop, &f.Place, &f.Name, &f.SHA256, &f.Size, instant{&f.Modified}, &f.Owner, &f.Take, textTo(&f.State), &f.Archived,
		&f.Mapping, &f.MappingVersion, &f.Encoding, &f.FirstFile, instant{&f.TakenAt}, instant{&f.MappedAt}, instant{&f.SettledAt}, jsonTo{&f.Problems}, jsonTo{&f.Controls})
	return f, err
}

// files reads files by what follows FROM file f.
func (l *Ledger) files(ctx context.Context, where string, args ...any) ([]File, error) {
	all, err := list(ctx, l.read, scanFile, "SELECT "+fileColumns+" FROM file f "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read files: %w", err)
	}
	return all, nil
}

// TakeFile records a spooled export and gives it its take number. Takes run
// through all drops of the ledger: drops that share an archive or a results
// place may both have a ventes.csv. Calling it again for the same drop, name and
// hash while that row is not archived yet returns that row (a crash came
// between). FirstFile is set when an earlier file of the same place has the same
// bytes and processing them again could change nothing: every invoice of it was
// taken in charge or is on its way.
func (l *Ledger) TakeFile(ctx context.Context, f NewFile) (File, error) {
	taken, err := l.TakeFiles(ctx, []NewFile{f})
	if err != nil {
		return File{}, fmt.Errorf("record file %s: %w", f.Name, err)
	}
	return taken[0], nil
}

// TakeFiles is TakeFile of several in one transaction, in their order.
func (l *Ledger) TakeFiles(ctx context.Context, files []NewFile) (taken []File, err error) {
	err = l.commit(ctx, func(t *tx) error {
		taken = make([]File, 0, len(files))
		for _, f := range files {
			one, err := takeFile(t, f, l.now)
			if err != nil {
				return err
			}
			taken = append(taken, one)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("record %d files: %w", len(files), err)
	}
	return taken, nil
}

func takeFile(t *tx, f NewFile, now clock) (File, error) {
	ctx := context.Background()
	again, err := first(ctx, t, scanFile, "SELECT "+fileColumns+` FROM file f
		WHERE f.sha256 = ? AND f.place = ? AND f.drop_name = ? AND f.name = ? AND f.archived_at IS NULL`, f.SHA256, f.Place, f.Drop, f.Name)
	if !errors.Is(err, ErrNotFound) {
		return again, err
	}
	earlier, err := first(ctx, t, scanOne[int64], "SELECT COALESCE(MAX(f.id), 0) FROM file f WHERE f.sha256 = ? AND f.place = ? AND "+nothingLeft, f.SHA256, f.Place)
	if err != nil {
		return File{}, err
	}
	taken, err := first(ctx, t, scanFile, `INSERT INTO file AS f (drop_name, take, place, name, sha256, size, modified_at, owner, state, first_file_id, taken_at)
		VALUES (?1, (SELECT COALESCE(MAX(id), 0) + 1 FROM file) + `+numbersAfter+`, ?2, ?3, ?4, ?5, ?6, ?7, 'taken', ?8, ?9)
		RETURNING id, drop_name, place, name, sha256, size, modified_at, owner, take, state, archived_path,
		mapping, mapping_version, encoding, first_file_id, taken_at, mapped_at, settled_at, problems, controls`,
		f.Drop, f.Place, f.Name, f.SHA256, f.Size, stamp(f.Modified), f.Owner, earlier, stamp(now()))
	for _, p := range f.Parts {
		if err == nil {
			err = addPart(t, taken.ID, p, now)
		}
	}
	return taken, err
}

// nothingLeft says of file f that mapping it again could change nothing. A
// duplicate counts as what it is a duplicate of.
const nothingLeft = `f.state = 'mapped'
	AND EXISTS (SELECT 1 FROM invoice i WHERE i.file_id = f.id AND i.state <> 'ignored')
	AND NOT EXISTS (SELECT 1 FROM invoice i LEFT JOIN invoice h ON h.id = i.first_id AND i.state = 'duplicate'
		WHERE i.file_id = f.id
		  AND (i.state IN ('refused', 'held', 'conflict', 'rejected', 'superseded') OR i.platform_state = 'ERROR'
		    OR h.state IN ('refused', 'held', 'conflict', 'rejected', 'superseded') OR h.platform_state = 'ERROR'))`

// FileArchived records where the original went. Once only.
func (l *Ledger) FileArchived(ctx context.Context, id int64, path string) error {
	if err := l.FilesArchived(ctx, []Archived{{id, path}}); err != nil {
		return fmt.Errorf("record archive of file %d: %w", id, err)
	}
	return nil
}

// Archived says where the original of a file went.
type Archived struct {
	FileID int64
	Path   string
}

// FilesArchived is FileArchived of several in one transaction.
func (l *Ledger) FilesArchived(ctx context.Context, files []Archived) error {
	return l.commit(ctx, func(t *tx) error {
		for _, f := range files {
			if err := must(t.exec("UPDATE file SET archived_at = ?, archived_path = ? WHERE id = ? AND archived_at IS NULL", stamp(l.now()), f.Path, f.FileID)); err != nil {
				return fmt.Errorf("file %d: %w", f.FileID, err)
			}
		}
		return nil
	})
}

// must turns "no row was in that state" into ErrState.
func must(n int64, err error) error {
	if err == nil && n == 0 {
		return ErrState
	}
	return err
}

// FilesToArchive are files taken whose original was not moved yet. Those that
// consist of several are not among them: see PartsToArchive.
func (l *Ledger) FilesToArchive(ctx context.Context) ([]File, error) {
	return l.files(ctx, "WHERE f.archived_at IS NULL AND NOT EXISTS (SELECT 1 FROM part p WHERE p.file_id = f.id AND p.kind = 'member') ORDER BY f.id")
}

// FilesToMap are files in state taken, oldest first.
func (l *Ledger) FilesToMap(ctx context.Context) ([]File, error) {
	return l.files(ctx, "WHERE f.state = 'taken' ORDER BY f.id")
}

// ToMap lists the ids of the first of them.
func (l *Ledger) ToMap(ctx context.Context, n int) ([]int64, error) {
	ids, err := list(ctx, l.read, scanOne[int64], "SELECT id FROM file WHERE state = 'taken' ORDER BY id LIMIT ?", n)
	if err != nil {
		return nil, fmt.Errorf("list files to map: %w", err)
	}
	return ids, nil
}

// FileByID, errors ErrNotFound.
func (l *Ledger) FileByID(ctx context.Context, id int64) (File, error) {
	f, err := first(ctx, l.read, scanFile, "SELECT "+fileColumns+" FROM file f WHERE f.id = ?", id)
	if err != nil {
		return File{}, fmt.Errorf("read file %d: %w", id, err)
	}
	return f, nil
}

// FilesByID reads several; one that is not there is ErrNotFound.
func (l *Ledger) FilesByID(ctx context.Context, ids []int64) (map[int64]File, error) {
	found := make(map[int64]File, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	which, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	files, err := l.files(ctx, "WHERE f.id IN (SELECT value FROM json_each(?))", string(which))
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		found[f.ID] = f
	}
	for _, id := range ids {
		if _, ok := found[id]; !ok {
			return nil, fmt.Errorf("read file %d: %w", id, ErrNotFound)
		}
	}
	return found, nil
}

// FileByTake reads a drop's export by its running number; ErrNotFound.
func (l *Ledger) FileByTake(ctx context.Context, drop string, take int64) (File, error) {
	f, err := first(ctx, l.read, scanFile, "SELECT "+fileColumns+" FROM file f WHERE f.drop_name = ? AND f.take = ?", drop, take)
	if err != nil {
		return File{}, fmt.Errorf("read take %d of %s: %w", take, drop, err)
	}
	return f, nil
}

// Files lists the newest files first.
func (l *Ledger) Files(ctx context.Context, limit int) ([]File, error) {
	return l.files(ctx, "ORDER BY f.id DESC LIMIT ?", limit)
}

// FindFiles lists files whose dropped name is the text, newest first.
func (l *Ledger) FindFiles(ctx context.Context, name string) ([]File, error) {
	return l.files(ctx, "WHERE f.name = ? ORDER BY f.id DESC", name)
}

// LastTake is what a drop took last under a name; ErrNotFound says never.
func (l *Ledger) LastTake(ctx context.Context, drop, name string) (File, error) {
	f, err := first(ctx, l.read, scanFile, "SELECT "+fileColumns+" FROM file f WHERE f.drop_name = ? AND f.name = ? ORDER BY f.id DESC LIMIT 1", drop, name)
	if err != nil {
		return File{}, fmt.Errorf("read last take of %s in %s: %w", name, drop, err)
	}
	return f, nil
}

// FilesToSettle are files mapped and not settled of which no invoice is in state
// queued, waiting, sending or uncertain any more.
func (l *Ledger) FilesToSettle(ctx context.Context) ([]File, error) {
	return l.files(ctx, "WHERE f.state = 'mapped' AND f.settled_at IS NULL AND f.in_flight = 0 ORDER BY f.id")
}

// FileSettled marks the file settled and adds the publications (SHA256 set) that
// go with it, in one transaction. A second call changes nothing. ReleaseHeld and
// Retry open a settled file again.
func (l *Ledger) FileSettled(ctx context.Context, fileID int64, pubs []Publication) error {
	return l.payFile(ctx, fileID, "settled", "settled_at IS NULL", pubs, "UPDATE file SET settled_at = ?1 WHERE id = ?2 AND state = 'mapped' AND settled_at IS NULL AND in_flight = 0")
}

// SettlePlain is FileSettled, in one transaction, of those of the files that give
// nothing back: none of their invoices was rejected, none is held. It returns the
// ids of those it settled.
func (l *Ledger) SettlePlain(ctx context.Context, ids []int64) (settled []int64, err error) {
	err = l.commit(ctx, func(t *tx) error {
		settled = make([]int64, 0, len(ids))
		for _, id := range ids {
			n, err := t.exec(`UPDATE file SET settled_at = ?1 WHERE id = ?2 AND state = 'mapped' AND settled_at IS NULL AND in_flight = 0
				AND NOT EXISTS (SELECT 1 FROM invoice WHERE file_id = ?2 AND state IN ('rejected', 'held'))`, stamp(l.now()), id)
			if err != nil {
				return err
			}
			if n > 0 {
				settled = append(settled, id)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("settle %d files: %w", len(ids), err)
	}
	return settled, nil
}

// FilesWithoutCopy are files whose correctable copy is still owed: mapped with
// verdicts REFUSED, CONFLICT or HELD, or failed, and CopyDone was not called.
func (l *Ledger) FilesWithoutCopy(ctx context.Context) ([]File, error) {
	return l.files(ctx, "WHERE f.copy_owed = 1 ORDER BY f.id")
}

// CopyDone marks that debt paid and adds the publications, in one transaction. A
// second call changes nothing.
func (l *Ledger) CopyDone(ctx context.Context, fileID int64, pubs []Publication) error {
	return l.payFile(ctx, fileID, "copied", "copy_owed = 1", pubs, "UPDATE file SET copy_owed = 0 WHERE ?1 <> '' AND id = ?2 AND copy_owed = 1")
}

// FilesMended are files whose correctable copies are done with: each invoice
// that was refused went through under its number in another export, and
// MendedDone was not called.
func (l *Ledger) FilesMended(ctx context.Context) ([]File, error) {
	return l.files(ctx, `WHERE f.state = 'mapped' AND f.mended_at IS NULL
		AND f.id IN (SELECT file_id FROM publication WHERE kind = 'copy' AND folder = 'refused')
		AND NOT EXISTS (SELECT 1 FROM invoice i WHERE i.file_id = f.id AND i.state IN ('refused', 'rejected', 'conflict')
			AND NOT EXISTS (SELECT 1 FROM invoice j WHERE j.document_number = i.document_number AND i.document_number <> ''
				AND j.company = i.company AND j.state = 'sent'))
		ORDER BY f.id`)
}

// MendedDone ends that and adds the publications, in one transaction. A second
// call changes nothing.
func (l *Ledger) MendedDone(ctx context.Context, fileID int64, pubs []Publication) error {
	return l.payFile(ctx, fileID, "mended", "mended_at IS NULL", pubs, "UPDATE file SET mended_at = ?1 WHERE id = ?2 AND mended_at IS NULL")
}

// payFile marks a debt of the file (owed) paid by update and adds its publications.
func (l *Ledger) payFile(ctx context.Context, fileID int64, what, owed string, pubs []Publication, update string) error {
	err := l.commit(ctx, func(t *tx) error {
		due, err := first(context.Background(), t, scanOne[bool], "SELECT "+owed+" FROM file WHERE id = ?", fileID)
		if err != nil || !due {
			return err
		}
		if err := must(t.exec(update, stamp(l.now()), fileID)); err != nil {
			return err
		}
		for _, p := range pubs {
			p.FileID = fileID
			if _, err := l.publish(t, p); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("mark file %d %s: %w", fileID, what, err)
	}
	return nil
}

// finishFile is the end of Release and FailFile: what was read of the file.
func finishFile(t *tx, fileID int64, state FileState, m Mapped, copyOwed bool, now clock) error {
	problems, err := problemList(m.Problems)
	if err != nil {
		return err
	}
	controls, err := json.Marshal(append([]Control{}, m.Controls...))
	if err != nil {
		return err
	}
	return must(t.exec(`UPDATE file SET state = ?, mapping = ?, mapping_version = ?, encoding = ?, problems = ?, controls = ?, mapped_at = ?, copy_owed = ?
		WHERE id = ? AND state = 'taken'`, string(state), m.Mapping, m.Version, m.Encoding, problems, string(controls), stamp(now()), copyOwed, fileID))
}
