package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"einvoice/connector"
)

// source is what rows can be read from: the reader pool or the open transaction.
type source interface {
	rows(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

var (
	_ source = (*reader)(nil)
	_ source = (*tx)(nil)
)

func (r *reader) rows(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := r.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

func (r *reader) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.stmts[query]; s != nil {
		return s, nil
	}
	s, err := r.db.PrepareContext(ctx, strings.TrimSpace(query))
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", query, err)
	}
	r.stmts[query] = s
	return s, nil
}

func (r *reader) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, s := range r.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, r.db.Close())...)
}

// row is one result row about to be scanned.
type row interface{ Scan(dest ...any) error }

// list reads all rows of a query.
func list[T any](ctx context.Context, s source, scan func(row) (T, error), query string, args ...any) (all []T, err error) {
	rows, err := s.rows(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// first reads the first row of a query; ErrNotFound when there is none.
func first[T any](ctx context.Context, s source, scan func(row) (T, error), query string, args ...any) (T, error) {
	all, err := list(ctx, s, scan, query, args...)
	if err == nil && len(all) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		var none T
		return none, err
	}
	return all[0], nil
}

// scanOne scans a single column.
func scanOne[T any](r row) (v T, err error) {
	err = r.Scan(&v)
	return v, err
}

// scanTime scans a single time.
func scanTime(r row) (t time.Time, err error) {
	err = r.Scan(instant{&t})
	return t, err
}

// pageSize rows are read at a time where callers stream.
const pageSize = 500

// pages streams a long list page by page, so that no read transaction stays open
// (and the log of the database cannot be folded back) while the caller writes to
// a slow place. next gets the last value of the previous page, nil at first; each
// page is read while the caller is at the one before.
func pages[T any](next func(last *T) ([]T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		page, err := next(nil)
		for err == nil && len(page) == pageSize {
			rest := readAhead(next, &page[pageSize-1])
			going := each(page, yield)
			if page, err = rest(); !going {
				return
			}
		}
		if err != nil {
			var none T
			yield(none, err)
			return
		}
		each(page, yield)
	}
}

// readAhead begins to read the page after last; what it returns waits for it.
func readAhead[T any](next func(last *T) ([]T, error), last *T) (rest func() ([]T, error)) {
	var page []T
	var err error
	done := make(chan struct{})
	go func() {
		page, err = next(last)
		close(done)
	}()
	return func() ([]T, error) { <-done; return page, err }
}

// each yields values for as long as they are wanted.
func each[T any](values []T, yield func(T, error) bool) bool {
	for _, v := range values {
		if !yield(v, nil) {
			return false
		}
	}
	return true
}

// Status columns stand in invoice and event alike.
const statusColumns = "%[1]s.platform_state, %[1]s.external_status, %[1]s.status_code, %[1]s.reason_code, %[1]s.reason, %[1]s.status_at"

func statusInto(s *connector.Status) []any {
	return []any{textTo(&s.State), textTo(&s.External), numberTo(&s.Code), textTo(&s.ReasonCode), textTo(&s.Reason), instant{&s.At}}
}

func statusArgs(s connector.Status) []any {
	return []any{string(s.State), s.External, s.Code, s.ReasonCode, s.Reason, stamp(s.At)}
}
