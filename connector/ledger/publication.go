package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path"
	"strings"
	"time"

	"einvoice/connector/problem"
)

const publicationColumns = "p.id, p.place, p.folder, p.kind, p.name, p.file_id, p.seq_from, p.seq_to, p.sha256, p.due_at, p.tries"

func scanPublication(r row) (p Publication, err error) {
	err = r.Scan(&p.ID, &p.Place, textTo(&p.Folder), textTo(&p.Kind), &p.Name, &p.FileID, &p.SeqFrom, &p.SeqTo, &p.SHA256, instant{&p.DueAt}, &p.Tries)
	return p, err
}

// publish adds a publication, due now unless it says when. The same file's
// publication of that name and content is there already: it is returned. Two
// drops with one place can ask for one name (their take numbers run apart): the
// later one gets a suffix, since names never repeat.
func (l *Ledger) publish(t *tx, p Publication) (Publication, error) {
	ctx := context.Background()
	if p.Place == "" && p.FileID != 0 { // "" is a place as well: the one of drops that serve several companies
		place, err := first(ctx, t, scanOne[string], "SELECT place FROM file WHERE id = ?", p.FileID)
		if err != nil {
			return p, err
		}
		p.Place = place
	}
	if p.DueAt.IsZero() {
		p.DueAt = l.now()
	}
	asked := p.Name
	for n := 2; ; n++ {
		known, err := first(ctx, t, scanPublication, "SELECT "+publicationColumns+" FROM publication p WHERE p.place = ? AND p.folder = ? AND p.name = ?",
			p.Place, string(p.Folder), p.Name)
		if errors.Is(err, ErrNotFound) {
			break
		}
		if err != nil || (known.FileID == p.FileID && known.SHA256 == p.SHA256 && known.SeqFrom == p.SeqFrom) {
			return known, err
		}
		ext := path.Ext(asked)
		p.Name = fmt.Sprintf("%s_%d%s", strings.TrimSuffix(asked, ext), n, ext)
	}
	return first(ctx, t, scanPublication, `INSERT INTO publication (place, folder, kind, name, file_id, seq_from, seq_to, sha256, due_at, made_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id, place, folder, kind, name, file_id, seq_from, seq_to, sha256, due_at, tries`,
		p.Place, string(p.Folder), string(p.Kind), p.Name, p.FileID, p.SeqFrom, p.SeqTo, p.SHA256, stamp(p.DueAt), stamp(l.now()))
}

// publishAnswer makes a file's acknowledgement of n lines and its summary.
func (l *Ledger) publishAnswer(t *tx, fileID int64, m Mapped, n int64) error {
	ack := Publication{FileID: fileID, Folder: FolderResults, Kind: KindAck, Name: m.AckName}
	if n > 0 && m.AckName != "" {
		place, err := first(context.Background(), t, scanOne[string], "SELECT place FROM file WHERE id = ?", fileID)
		if err != nil {
			return err
		}
		if ack.SeqFrom, err = takeSeqs(t, place, n); err != nil {
			return err
		}
		ack.SeqTo = ack.SeqFrom + n - 1
	}
	summary := Publication{FileID: fileID, Folder: FolderResults, Kind: KindSummary, Name: m.SummaryName}
	for _, p := range []Publication{ack, summary} {
		if p.Name == "" {
			continue
		}
		if _, err := l.publish(t, p); err != nil {
			return err
		}
	}
	return nil
}

// PublicationsDue are files not published yet whose DueAt has come, oldest first
// within each place. A numbered file waits for those numbered before it in its
// folder: readers ignore what comes with a seq below the last they saw.
func (l *Ledger) PublicationsDue(ctx context.Context, n int) ([]Publication, error) {
	now := stamp(l.now())
	due, err := list(ctx, l.read, scanPublication, `WITH later AS MATERIALIZED (SELECT place, folder, MIN(id) AS id FROM publication INDEXED BY publication_later
			WHERE published_at IS NULL AND seq_from > 0 AND due_at > ?1 GROUP BY place, folder)
		SELECT `+publicationColumns+` FROM publication p INDEXED BY publication_open LEFT JOIN later ON later.place = p.place AND later.folder = p.folder
		WHERE p.published_at IS NULL AND p.due_at <= ?1 AND NOT (p.seq_from > 0 AND COALESCE(later.id < p.id, 0))
		ORDER BY p.id LIMIT ?2`, now, n)
	if err != nil {
		return nil, fmt.Errorf("read publications due: %w", err)
	}
	return due, nil
}

// PublicationsOf lists all files published, or to be, about an export, oldest first.
func (l *Ledger) PublicationsOf(ctx context.Context, fileID int64) ([]Publication, error) {
	all, err := list(ctx, l.read, scanPublication, "SELECT "+publicationColumns+" FROM publication p WHERE p.file_id = ? ORDER BY p.id", fileID)
	if err != nil {
		return nil, fmt.Errorf("read publications of file %d: %w", fileID, err)
	}
	return all, nil
}

// Rendered is what a publication's bytes are.
type Rendered struct {
	ID     int64
	SHA256 string
	Body   []byte // nil: they are in the blob store
}

// FixPublications sets what the rendered bytes are, once, of all in one transaction.
func (l *Ledger) FixPublications(ctx context.Context, all []Rendered) error {
	err := l.commit(ctx, func(t *tx) error {
		for _, r := range all {
			if err := must(t.exec("UPDATE publication SET sha256 = ?1 WHERE id = ?2 AND sha256 IN ('', ?1)", r.SHA256, r.ID)); err != nil {
				return fmt.Errorf("publication %d: %w", r.ID, err)
			}
			if r.Body == nil {
				continue
			}
			if _, err := t.exec("INSERT INTO answer (publication_id, body) VALUES (?, ?) ON CONFLICT DO NOTHING", r.ID, r.Body); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("fix %d publications: %w", len(all), err)
	}
	return nil
}

// BodyOf reads the bytes of a publication that has them in the ledger; ErrNotFound.
func (l *Ledger) BodyOf(ctx context.Context, id int64) ([]byte, error) {
	body, err := first(ctx, l.read, scanOne[[]byte], "SELECT body FROM answer WHERE publication_id = ?", id)
	if err != nil {
		return nil, fmt.Errorf("read bytes of publication %d: %w", id, err)
	}
	return append([]byte{}, body...), nil // an empty one is not nil
}

// MarkPublished ends publications, all in one transaction. A second call changes
// nothing.
func (l *Ledger) MarkPublished(ctx context.Context, ids ...int64) error {
	err := l.commit(ctx, func(t *tx) error {
		for _, id := range ids {
			if err := must(t.exec("UPDATE publication SET published_at = COALESCE(published_at, ?) WHERE id = ?", stamp(l.now()), id)); err != nil {
				return fmt.Errorf("publication %d: %w", id, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("end %d publications: %w", len(ids), err)
	}
	return nil
}

// PostponePublication notes a try that did not work.
func (l *Ledger) PostponePublication(ctx context.Context, id int64, due time.Time) error {
	err := l.commit(ctx, func(t *tx) error {
		return must(t.exec("UPDATE publication SET due_at = ?, tries = tries + 1 WHERE id = ? AND published_at IS NULL", stamp(due), id))
	})
	if err != nil {
		return fmt.Errorf("postpone publication %d: %w", id, err)
	}
	return nil
}

// AckLines streams the lines of a publication of kind ack about file f: first the
// problems of the file as a whole, then its invoices.
func (l *Ledger) AckLines(ctx context.Context, p Publication, f File) iter.Seq2[AckLine, error] {
	return func(yield func(AckLine, error) bool) {
		seq := p.SeqFrom
		for _, whole := range ackProblems(f.State, f.Problems) {
			if !yield(AckLine{Seq: seq, Problem: whole}, nil) {
				return
			}
			seq++
		}
		for line, err := range l.invoiceLines(ctx, p.FileID) {
			line.Seq = seq
			if !yield(line, err) {
				return
			}
			seq++
		}
	}
}

// Owed counts the files that nobody has been given yet.
func (l *Ledger) Owed(ctx context.Context) (int, error) {
	n, err := first(ctx, l.read, scanOne[int], "SELECT COUNT(*) FROM publication WHERE published_at IS NULL")
	if err != nil {
		return 0, fmt.Errorf("count unpublished files: %w", err)
	}
	return n, nil
}

// ackProblems are the problems of a file that get a line of their own.
func ackProblems(s FileState, ps []problem.Problem) []problem.Problem {
	if s == FileFailed && len(ps) > 1 {
		return ps[:1]
	}
	return ps
}

func (l *Ledger) invoiceLines(ctx context.Context, fileID int64) iter.Seq2[AckLine, error] {
	return pages(func(last *AckLine) ([]AckLine, error) {
		after := 0
		if last != nil {
			after = last.Invoice.Ordinal
		}
		lines, err := list(ctx, l.read, scanAckLine, "SELECT "+invoiceColumns+`, COALESCE(ff.name, ''), COALESCE(h.source_row, 0), h.api_id
			FROM invoice i LEFT JOIN invoice h ON h.id = i.first_id LEFT JOIN file ff ON ff.id = h.file_id
			WHERE i.file_id = ? AND i.ordinal > ? AND i.state <> 'staged' ORDER BY i.ordinal LIMIT ?`, fileID, after, pageSize)
		if err != nil {
			return nil, fmt.Errorf("read acknowledgement of file %d: %w", fileID, err)
		}
		return lines, nil
	})
}

// scanAckLine leaves out problems that came after the release: the
// acknowledgement says what was decided then, whenever it is written.
func scanAckLine(r row) (a AckLine, err error) {
	var later []problem.Problem
	err = r.Scan(append(invoiceDest(&a.Invoice, &later), &a.FirstFile, &a.FirstRow, textTo(&a.FirstAPI))...)
	a.Problem = foremost(a.Invoice.Problems)
	if a.Invoice.Verdict == VerdictDuplicate && len(a.Invoice.Problems) > 0 {
		a.Problem = a.Invoice.Problems[0] // Release put it there; a doubt about the content no longer matters
	}
	return a, err
}

// SummaryOf counts a file's verdicts, for the publication summary.
func (l *Ledger) SummaryOf(ctx context.Context, fileID int64) (Summary, error) {
	s, err := summaryOf(ctx, l.read, fileID)
	if err != nil {
		return Summary{}, fmt.Errorf("count verdicts of file %d: %w", fileID, err)
	}
	return s, nil
}

func summaryOf(ctx context.Context, from source, fileID int64) (Summary, error) {
	s := Summary{Counts: map[Verdict]int{}}
	_, err := list(ctx, from, func(r row) (struct{}, error) {
		var v Verdict
		var n int
		err := r.Scan(textTo(&v), &n)
		s.Counts[v] = n
		s.Invoices += n
		return struct{}{}, err
	}, "SELECT verdict, COUNT(*) FROM invoice WHERE file_id = ? GROUP BY verdict", fileID)
	return s, err
}

// Republish makes the acknowledgements, summaries and status files that were
// published since a time due again, under the same names and with the same
// bytes, and counts them. Those whose bytes are kept no longer, neither here nor, as
// blob tells, in the blob store, are left out, and counted as gone: they would keep
// back for ever what comes after them.
func (l *Ledger) Republish(ctx context.Context, since time.Time, blob func(sha string) bool) (n, gone int, err error) {
	type answer struct {
		id   int64
		sha  string
		here bool
	}
	found, err := list(ctx, l.read, func(r row) (a answer, err error) {
		err = r.Scan(&a.id, &a.sha, &a.here)
		return a, err
	}, `SELECT id, sha256, EXISTS (SELECT 1 FROM answer WHERE publication_id = id) FROM publication
		WHERE published_at >= ? AND kind IN ('ack', 'summary', 'status') ORDER BY id`, stamp(since))
	if err != nil {
		return 0, 0, fmt.Errorf("look for results to publish again: %w", err)
	}
	var ids []int64
	for _, a := range found {
		if a.here || blob(a.sha) {
			ids = append(ids, a.id)
		}
	}
	if err := l.each(ctx, "make results due again", ids, "UPDATE publication SET published_at = NULL, due_at = ? WHERE id = ?", l.now()); err != nil {
		return 0, 0, err
	}
	return len(ids), len(found) - len(ids), nil
}
