package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"einvoice/connector/fault"
)

// maxBatch bounds how many verbs share a commit, and with it how much is done
// again when one of them fails.
const maxBatch = 256

// writer is the one goroutine that writes. Verbs that wait at the same time
// share a transaction and its fsync; a verb returns after that commit.
type writer struct {
	db    *sql.DB
	tx    *tx
	tally *tally
	ops   chan *op // unbuffered: once quit is closed, no verb can slip in
	quit  chan struct{}
	done  chan struct{}
	once  sync.Once
}

// op is one verb on its way. do must be safe to run twice: when a neighbour
// fails, the batch is rolled back and every verb runs again on its own.
type op struct {
	do    func(*tx) error
	taken atomic.Bool // by the writer, or by the caller who gave up
	done  chan error
}

func newWriter(db *sql.DB, conn *sql.Conn, counts *tally) *writer {
	w := &writer{
		db:    db,
		tx:    &tx{conn: conn, stmts: map[string]*sql.Stmt{}},
		tally: counts,
		ops:   make(chan *op),
		quit:  make(chan struct{}),
		done:  make(chan struct{}),
	}
	go w.run()
	return w
}

// commit runs do in a transaction and returns after its commit. ctx only ends the
// wait for the turn: what was begun is waited for, so that the caller never has
// to guess whether it was committed.
func (l *Ledger) commit(ctx context.Context, do func(*tx) error) error {
	w := l.write
	if w == nil {
		return ErrReadOnly
	}
	o := &op{do: do, done: make(chan error, 1)}
	select {
	case w.ops <- o:
	case <-w.quit:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-o.done:
		return err
	case <-ctx.Done():
		if o.taken.CompareAndSwap(false, true) {
			return ctx.Err()
		}
		return <-o.done
	}
}

func (w *writer) run() {
	defer close(w.done)
	for {
		select {
		case o := <-w.ops:
			w.together(w.gather(o))
		case <-w.quit:
			return
		}
	}
}

// gather adds whatever else waits already.
func (w *writer) gather(o *op) []*op {
	var batch []*op
	for {
		if o.taken.CompareAndSwap(false, true) {
			batch = append(batch, o)
		}
		if len(batch) == maxBatch {
			return batch
		}
		select {
		case o = <-w.ops:
		default:
			return batch
		}
	}
}

// together commits a batch; if that fails, each verb alone, so that one failure
// never hurts the others.
func (w *writer) together(batch []*op) {
	err := w.transact(batch)
	if err != nil && len(batch) > 1 {
		for _, o := range batch {
			o.done <- w.transact([]*op{o})
		}
		return
	}
	if err == nil {
		err = fault.Hit(fault.LedgerCommitted)
	}
	for _, o := range batch {
		o.done <- err
	}
}

func (w *writer) transact(batch []*op) error {
	if len(batch) == 0 {
		return nil
	}
	if err := fault.Hit(fault.LedgerBegin); err != nil {
		return fmt.Errorf("begin ledger transaction: %w", err)
	}
	if _, err := w.tx.exec("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin ledger transaction: %w", err)
	}
	w.tally.forget()
	for _, o := range batch {
		err := o.do(w.tx)
		if err == nil {
			err = w.tally.write(w.tx) // the next verb may read the counts
		}
		if err != nil {
			return errors.Join(err, w.rollback())
		}
	}
	err := fault.Hit(fault.LedgerCommit)
	if err == nil {
		_, err = w.tx.exec("COMMIT")
	}
	if err != nil {
		return errors.Join(fmt.Errorf("commit to ledger: %w", err), w.rollback())
	}
	return nil
}

// rollback is quiet about a transaction that SQLite ended by itself, as it does
// when the disk is full.
func (w *writer) rollback() error {
	_, err := w.tx.exec("ROLLBACK")
	if err != nil && !strings.Contains(err.Error(), "no transaction is active") {
		return fmt.Errorf("roll back ledger transaction: %w", err)
	}
	return nil
}

func (w *writer) close() error {
	w.once.Do(func() { close(w.quit) })
	<-w.done
	return errors.Join(w.tx.close(), w.db.Close())
}

// tx is the writer's connection within a transaction. Every text of SQL is
// prepared once and kept.
type tx struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

// statement trims the text: the driver would re-parse at every call what has
// white space after its last word.
func (t *tx) statement(query string) (*sql.Stmt, error) {
	if s := t.stmts[query]; s != nil {
		return s, nil
	}
	s, err := t.conn.PrepareContext(context.Background(), strings.TrimSpace(query))
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", query, err)
	}
	t.stmts[query] = s
	return s, nil
}

// exec runs a statement and returns how many rows it changed. It takes no
// context: within a transaction nothing may be interrupted half-way.
func (t *tx) exec(query string, args ...any) (int64, error) {
	r, err := t.result(query, args)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// insert adds one row and returns its id. RETURNING would cost a table of its own.
func (t *tx) insert(query string, args ...any) (int64, error) {
	r, err := t.result(query, args)
	if err != nil {
		return 0, err
	}
	return r.LastInsertId()
}

func (t *tx) result(query string, args []any) (sql.Result, error) {
	s, err := t.statement(query)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(context.Background(), args...)
}

func (t *tx) rows(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := t.statement(query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

func (t *tx) close() error {
	var errs []error
	for _, s := range t.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, t.conn.Close())...)
}
