// Package ledger remembers, on disk, what happened to every file, invoice and
// event: the database behind every promise.
//
// One goroutine writes, in group commits; readers are apart. States change only
// through guarded verbs (UPDATE ... WHERE state = ...), so that no caller can
// move an invoice from a state it is not in.
package ledger

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"einvoice/connector/setting"
)

// Errors that callers tell apart with errors.Is.
var (
	ErrInUse       = errors.New("ledger in use by another process")
	ErrNewerSchema = errors.New("ledger written by a newer version")
	ErrOtherAPI    = errors.New("ledger belongs to another API base URL")
	ErrOpenCompany = errors.New("company removed while it has open invoices")
	ErrState       = errors.New("not in a state that allows this")
	ErrNotFound    = errors.New("not in the ledger")
	ErrReadOnly    = errors.New("ledger opened for reading only")
	ErrClosed      = errors.New("ledger closed")
)

// Ledger is the open database. Its methods may be called from any goroutine.
type Ledger struct {
	id    string
	file  string // path of the database
	now   clock
	lock  *os.File // nil when opened for reading
	write *writer  // nil when opened for reading
	read  *reader

	generations generations
}

// clock tells the time; tests inject one.
type clock func() time.Time

// reader is the pool of connections that cannot write. Every text of SQL is
// prepared once and kept.
type reader struct {
	db    *sql.DB
	mu    sync.Mutex
	stmts map[string]*sql.Stmt
}

// Config is the [ledger] section.
type Config struct {
	// Path is the folder of the database and its backups. Must be a local disk.
	Path string `toml:"path"`
}

// Validate reports a missing path and one that TOML's double quotes mangled.
func (c Config) Validate(r setting.Report) {
	r.Required("path", c.Path)
	r.Path("path", c.Path)
}

// File is the path of the database itself.
func (c Config) File() string { return filepath.Join(c.Path, "ledger.db") }

// ID is the ledger's own random id, made once; it goes into the drops' owner markers.
func (l *Ledger) ID() string { return l.id }

// Close ends the writer after the commit under way and gives up the lock.
// Verbs called later return ErrClosed.
func (l *Ledger) Close() error {
	var errs []error
	if l.write != nil {
		errs = append(errs, l.write.close())
	}
	if l.read != nil {
		errs = append(errs, l.read.close())
	}
	if l.lock != nil {
		errs = append(errs, l.lock.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close ledger: %w", err)
	}
	return nil
}
