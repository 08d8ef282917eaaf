package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// stand is where invoices are counted.
type stand struct{ company, state, platform string }

// move is what a transaction did to one stand.
type move struct {
	invoices int64
	newest   int64
}

// tally notes, while rows of invoice are written, how the counts change. Whatever
// verb moves an invoice, and however many at once, is counted: nobody can forget.
type tally struct {
	moves                          map[stand]move
	open                           map[int64]int64 // by file: what came under way, less what is done
	company, state, platform, file int             // positions in a row of invoice
	err                            error
}

// watch makes SQLite tell the tally of every row that is about to change.
func (a *tally) watch(ctx context.Context, conn *sql.Conn) error {
	a.moves, a.open = map[stand]move{}, map[int64]int64{}
	for column, to := range map[string]*int{"company": &a.company, "state": &a.state, "platform_state": &a.platform, "file_id": &a.file} {
		if err := conn.QueryRowContext(ctx, "SELECT cid FROM pragma_table_info('invoice') WHERE name = ?", column).Scan(to); err != nil {
			return fmt.Errorf("find column %s: %w", column, err)
		}
	}
	return conn.Raw(func(driver any) error {
		c, ok := driver.(sqlite.HookRegisterer)
		if !ok {
			return errors.New("watch rows: the driver cannot")
		}
		c.RegisterPreUpdateHook(a.note)
		return nil
	})
}

func (a *tally) note(d sqlite.SQLitePreUpdateData) {
	if d.TableName != "invoice" {
		return
	}
	if d.Op != sqlite3.SQLITE_INSERT {
		a.count(d.Old, d.OldRowID, -1)
	}
	if d.Op != sqlite3.SQLITE_DELETE {
		a.count(d.New, d.NewRowID, 1)
	}
}

// count adds one row. What is staged is not released, and not counted.
func (a *tally) count(read func(...any) error, id int64, by int64) {
	row := make([]any, max(a.company, a.state, a.platform, a.file)+1)
	if err := read(row...); err != nil {
		a.err = errors.Join(a.err, fmt.Errorf("count invoice %d: %w", id, err))
		return
	}
	text := func(i int) string { s, _ := row[i].(string); return s }
	at := stand{text(a.company), text(a.state), text(a.platform)}
	switch State(at.state) {
	case Staged:
		return
	case Queued, Waiting, Sending, Uncertain:
		file, _ := row[a.file].(int64)
		a.open[file] += by
	}
	m := a.moves[at]
	m.invoices += by
	if by > 0 {
		m.newest = max(m.newest, id)
	}
	a.moves[at] = m
}

// forget starts a transaction anew.
func (a *tally) forget() {
	clear(a.moves)
	clear(a.open)
	a.err = nil
}

// write brings the counts up to date, as the last act of each verb.
func (a *tally) write(t *tx) error {
	for at, m := range a.moves {
		if m == (move{newest: m.newest}) {
			continue
		}
		if _, err := t.exec(`INSERT INTO tally (company, state, platform_state, invoices, newest) VALUES (?1, ?2, ?3, ?4, ?5)
			ON CONFLICT DO UPDATE SET invoices = invoices + ?4, newest = MAX(newest, ?5)`, at.company, at.state, at.platform, m.invoices, m.newest); err != nil {
			return fmt.Errorf("write counts: %w", err)
		}
	}
	for file, n := range a.open {
		if n == 0 {
			continue
		}
		if _, err := t.exec("UPDATE file SET in_flight = in_flight + ?1 WHERE id = ?2", n, file); err != nil {
			return fmt.Errorf("write counts of file %d: %w", file, err)
		}
	}
	err := a.err
	a.forget()
	return err
}
