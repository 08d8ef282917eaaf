package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Request is a verb of a person that changes what the ledger knows. Asked for
// beside a running daemon it is a row that the daemon carries out; otherwise it
// is done at once and noted.
type Request struct {
	ID       int64
	Verb     string
	Args     map[string]string
	Who      string // account and machine of the person
	AskedAt  time.Time
	DoneAt   time.Time // zero until there is an answer
	Answer   string    // for the person's terminal
	Failure  string    // "" where it worked
	Code     int       // exit code of the person's command
	Invoices []int64   // ids of those it changed
}

// requestLife is how long a request waits for a daemon to take it. One that is
// older was given up: nobody must be surprised by it later.
const requestLife = 2 * time.Minute

const requestColumns = "id, verb, args, who, asked_at, done_at, answer, failure, exit_code, invoices"

func scanRequest(r row) (q Request, err error) {
	err = r.Scan(&q.ID, &q.Verb, jsonTo{&q.Args}, &q.Who, instant{&q.AskedAt}, instant{&q.DoneAt}, &q.Answer, &q.Failure, &q.Code, jsonTo{&q.Invoices})
	return q, err
}

// Asked is a request on its way, as the process that asked sees it.
type Asked struct {
	db *sql.DB
	id int64
}

// Ask leaves a request for the daemon that has the ledger. It opens the database
// beside it, for this one row.
func Ask(ctx context.Context, cfg Config, q Request) (*Asked, error) {
	db, err := sql.Open("sqlite", dsn(cfg.File(), "synchronous(FULL)"))
	if err != nil {
		return nil, fmt.Errorf("ask the daemon: %w", err)
	}
	db.SetMaxOpenConns(1)
	a := &Asked{db: db}
	if a.id, err = ask(ctx, db, q); err != nil {
		return nil, fmt.Errorf("ask the daemon: %w", errors.Join(err, db.Close()))
	}
	return a, nil
}

func ask(ctx context.Context, db *sql.DB, q Request) (id int64, err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	version, err := versionOf(ctx, conn, len(steps()))
	if err == nil && version < len(steps()) {
		err = fmt.Errorf("the daemon is of an older version than this program; restart the service")
	}
	if err != nil {
		return 0, err
	}
	if q.AskedAt.IsZero() {
		q.AskedAt = time.Now()
	}
	args, err := json.Marshal(q.Args)
	if err != nil {
		return 0, err
	}
	err = conn.QueryRowContext(ctx, "INSERT INTO request (verb, args, who, asked_at) VALUES (?, ?, ?, ?) RETURNING id",
		q.Verb, string(args), q.Who, stamp(q.AskedAt)).Scan(&id)
	return id, err
}

// Answer reads the request again; its DoneAt is zero while there is no answer.
func (a *Asked) Answer(ctx context.Context) (Request, error) {
	q, err := scanRequest(a.db.QueryRowContext(ctx, "SELECT "+requestColumns+" FROM request WHERE id = ?", a.id))
	if err != nil {
		return q, fmt.Errorf("read the daemon's answer: %w", err)
	}
	return q, nil
}

// Withdraw takes the request back; ok is false when it is being done already.
func (a *Asked) Withdraw(ctx context.Context) (ok bool, err error) {
	r, err := a.db.ExecContext(ctx, "DELETE FROM request WHERE id = ? AND taken_at IS NULL", a.id)
	if err != nil {
		return false, fmt.Errorf("take back the request: %w", err)
	}
	n, err := r.RowsAffected()
	return n == 1, err
}

// Close ends the asking; the request itself stays.
func (a *Asked) Close() error { return a.db.Close() }

// TakeRequest gives the oldest request that nobody has taken; ErrNotFound when
// there is none.
func (l *Ledger) TakeRequest(ctx context.Context) (Request, error) {
	const open = "done_at IS NULL AND taken_at IS NULL ORDER BY id LIMIT 1"
	if _, err := first(ctx, l.read, scanOne[int64], "SELECT id FROM request WHERE "+open); err != nil {
		return Request{}, err // mostly there is none: no write for that
	}
	var q Request
	err := l.commit(ctx, func(t *tx) (err error) {
		if q, err = first(context.Background(), t, scanRequest, "SELECT "+requestColumns+" FROM request WHERE "+open); err != nil {
			return err
		}
		_, err = t.exec("UPDATE request SET taken_at = ? WHERE id = ?", stamp(l.now()), q.ID)
		return err
	})
	if err != nil {
		return Request{}, fmt.Errorf("take a request: %w", err)
	}
	return q, nil
}

// AnswerRequest records what came of a request.
func (l *Ledger) AnswerRequest(ctx context.Context, q Request) error {
	ids, err := invoiceIDs(q)
	if err == nil {
		err = l.commit(ctx, func(t *tx) error {
			return must(t.exec("UPDATE request SET done_at = ?, answer = ?, failure = ?, exit_code = ?, invoices = ? WHERE id = ?",
				stamp(l.now()), q.Answer, q.Failure, q.Code, ids, q.ID))
		})
	}
	if err != nil {
		return fmt.Errorf("answer request %d: %w", q.ID, err)
	}
	return nil
}

// NoteRequest records a verb that was done directly, for the story of its invoices.
func (l *Ledger) NoteRequest(ctx context.Context, q Request) error {
	ids, err := invoiceIDs(q)
	args, jsonErr := json.Marshal(q.Args)
	if err = errors.Join(err, jsonErr); err == nil {
		now := stamp(l.now())
		err = l.commit(ctx, func(t *tx) error {
			_, err := t.exec(`INSERT INTO request (verb, args, who, asked_at, taken_at, done_at, answer, failure, exit_code, invoices)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, q.Verb, string(args), q.Who, now, now, now, q.Answer, q.Failure, q.Code, ids)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("note %s: %w", q.Verb, err)
	}
	return nil
}

func invoiceIDs(q Request) (string, error) {
	if len(q.Invoices) == 0 {
		return "[]", nil
	}
	ids, err := json.Marshal(q.Invoices)
	return string(ids), err
}

// endRequests answers what an interrupted process left: what it had begun may be
// done or not, what is old is not done any more.
func (l *Ledger) endRequests(t *tx) error {
	if _, err := t.exec("UPDATE request SET done_at = ?, exit_code = 1, failure = 'the daemon ended while it did this; look with trace, then ask again' WHERE taken_at IS NOT NULL AND done_at IS NULL", stamp(l.now())); err != nil {
		return err
	}
	_, err := t.exec("UPDATE request SET done_at = ?, exit_code = 1, failure = 'no daemon took this in time' WHERE taken_at IS NULL AND done_at IS NULL AND asked_at < ?",
		stamp(l.now()), stamp(l.now().Add(-requestLife)))
	return err
}
