package ledger

import (
	"context"
	"fmt"
	"iter"
	"time"
)

// doneFile says that export f needs its spooled bytes no more: all of it is
// settled, its copies are made, nothing of it waits for a person, and the archive
// has the original. Where the spool is the archive, it stays.
const doneFile = `f.copy_owed = 0 AND f.archived_at IS NOT NULL AND f.archived_path NOT LIKE 'spool:%' AND f.archived_path NOT LIKE 'drop:%'
	AND COALESCE(f.settled_at, CASE f.state WHEN 'failed' THEN f.mapped_at END, '9999') < ?1
	AND NOT EXISTS (SELECT 1 FROM invoice i WHERE i.file_id = f.id AND i.state IN ` + openStates + `)`

// SpoolDone lists the hashes of spooled files that no promise needs any more and
// that were settled before a moment.
func (l *Ledger) SpoolDone(ctx context.Context, before time.Time) ([]string, error) {
	return l.hashes(ctx, `SELECT f.sha256 FROM file f WHERE `+doneFile+`
		UNION SELECT p.sha256 FROM part p JOIN file f ON f.id = p.file_id WHERE p.archived_at IS NOT NULL
			AND p.archived_path NOT LIKE 'spool:%' AND p.archived_path NOT LIKE 'drop:%' AND `+doneFile+`
		EXCEPT SELECT f.sha256 FROM file f WHERE NOT (`+doneFile+`)
		EXCEPT SELECT p.sha256 FROM part p LEFT JOIN file f ON f.id = p.file_id WHERE p.archived_at IS NULL
			OR p.archived_path LIKE 'spool:%' OR p.archived_path LIKE 'drop:%' OR f.id IS NULL OR NOT (`+doneFile+")", before)
}

// BlobsDone lists the hashes of answers that were published, and of callbacks that
// were processed, all of them before a moment. Received originals are not among them.
func (l *Ledger) BlobsDone(ctx context.Context, before time.Time) ([]string, error) {
	return l.hashes(ctx, `SELECT sha256 FROM (
		SELECT sha256, COALESCE(published_at, '9999') AS done FROM publication WHERE sha256 <> ''
		UNION ALL SELECT body_sha256, COALESCE(done_at, '9999') FROM callback)
		GROUP BY sha256 HAVING MAX(done) < ?1 EXCEPT SELECT raw_sha256 FROM received`, before)
}

func (l *Ledger) hashes(ctx context.Context, query string, before time.Time) ([]string, error) {
	found, err := list(ctx, l.read, scanOne[string], query, stamp(before))
	if err != nil {
		return nil, fmt.Errorf("list what is kept no longer: %w", err)
	}
	return found, nil
}

// trimStep bounds a transaction that deletes documents.
const trimStep = 2000

// TrimDocuments deletes the content of invoices that were made before a moment
// and that nothing waits for. Their keys, fingerprints and events stay.
func (l *Ledger) TrimDocuments(ctx context.Context, before time.Time) (trimmed int64, err error) {
	for after := int64(0); ; {
		last, n := int64(-1), int64(0)
		err := l.commit(ctx, func(t *tx) (err error) {
			if last, err = first(context.Background(), t, scanOne[int64], `SELECT COALESCE(MAX(id), -1) FROM (SELECT d.invoice_id AS id FROM document d
				JOIN invoice i ON i.id = d.invoice_id WHERE d.invoice_id > ? AND i.created_at < ? ORDER BY d.invoice_id LIMIT ?)`, after, stamp(before), trimStep); err != nil || last < 0 {
				return err
			}
			n, err = t.exec(`DELETE FROM document WHERE invoice_id > ?1 AND invoice_id <= ?2 AND invoice_id IN (SELECT id FROM invoice
				WHERE created_at < ?3 AND next_poll_at IS NULL AND state NOT IN ('staged', 'queued', 'waiting', 'held', 'sending', 'uncertain'))`,
				after, last, stamp(before))
			return err
		})
		if err != nil {
			return trimmed, fmt.Errorf("trim documents: %w", err)
		}
		if trimmed += n; last < 0 {
			return trimmed, nil
		}
		after = last
	}
}

// TrimAnswers deletes the bytes of answers that were published before a moment.
func (l *Ledger) TrimAnswers(ctx context.Context, before time.Time) (trimmed int64, err error) {
	for n := int64(trimStep); n == trimStep; trimmed += n {
		err := l.commit(ctx, func(t *tx) (err error) {
			n, err = t.exec(`DELETE FROM answer WHERE publication_id IN (SELECT a.publication_id FROM answer a
				JOIN publication p ON p.id = a.publication_id WHERE p.published_at < ? LIMIT ?)`, stamp(before), trimStep)
			return err
		})
		if err != nil {
			return trimmed, fmt.Errorf("trim answers: %w", err)
		}
	}
	return trimmed, nil
}

// Kept is an original that stands in the archive, or that was received.
type Kept struct {
	At       time.Time
	Received bool
	Name     string // of the export, or supplier and number
	SHA256   string
	Where    string // below the archive, or the inbox
}

// KeptIn lists what a place archived, and its company received, in a span of time.
func (l *Ledger) KeptIn(ctx context.Context, place string, from, to time.Time) iter.Seq2[Kept, error] {
	return func(yield func(Kept, error) bool) {
		all, err := list(ctx, l.read, func(r row) (k Kept, err error) {
			err = r.Scan(instant{&k.At}, &k.Received, &k.Name, &k.SHA256, &k.Where)
			return k, err
		}, `SELECT archived_at AS at, 0, name, sha256, archived_path FROM file WHERE place = ?1 AND archived_at >= ?2 AND archived_at < ?3
			UNION ALL SELECT p.archived_at, 0, p.name, p.sha256, p.archived_path FROM part p JOIN file f ON f.id = p.file_id
				WHERE f.place = ?1 AND p.archived_at >= ?2 AND p.archived_at < ?3
			UNION ALL SELECT received_at, 1, supplier || ' ' || document_number, raw_sha256, folder FROM received
				WHERE company = ?1 AND received_at >= ?2 AND received_at < ?3 ORDER BY at`, place, stamp(from), stamp(to))
		if err != nil {
			yield(Kept{}, fmt.Errorf("list what was kept: %w", err))
			return
		}
		for _, k := range all {
			if !yield(k, nil) {
				return
			}
		}
	}
}
