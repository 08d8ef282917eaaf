package ledger

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"einvoice/connector/durable"
)

//go:embed schema_*.sql
var schemas embed.FS

// applicationID marks the database as ours ("einv"), for people and tools that
// look at the file's header.
const applicationID = 0x65696e76

// steps are the numbered changes of the schema: steps[0] makes version 1. A
// published step never changes; a new version is a new step.
func steps() []string {
	var all []string
	for {
		step, err := schemas.ReadFile(fmt.Sprintf("schema_%d.sql", len(all)+1))
		if err != nil {
			return all
		}
		all = append(all, string(step))
	}
}

// versionOf reads the schema's version, 0 for a database that is still empty.
// It refuses one that a newer program made and one that is not ours.
func versionOf(ctx context.Context, conn *sql.Conn, newest int) (int, error) {
	var version, app int
	if err := conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	if err := conn.QueryRowContext(ctx, "PRAGMA application_id").Scan(&app); err != nil {
		return 0, fmt.Errorf("read application id: %w", err)
	}
	if version > 0 && app != applicationID {
		return 0, errors.New("the database there is not an einvoice ledger")
	}
	if version > newest {
		return 0, fmt.Errorf("%w: its schema is %d, this program knows %d; install the newer einvoice again, or restore the backup made before the upgrade", ErrNewerSchema, version, newest)
	}
	return version, nil
}

// upgrade brings the schema to the newest version, each step in its own
// transaction, after a backup of what was there.
func upgrade(ctx context.Context, conn *sql.Conn, dir string, steps []string, now time.Time) error {
	version, err := versionOf(ctx, conn, len(steps))
	if err != nil || version == len(steps) {
		return err
	}
	if version > 0 {
		name := fmt.Sprintf("ledger-before-v%d-%s.db", len(steps), now.UTC().Format("20060102T150405"))
		if err := backup(ctx, conn, filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("back up ledger before upgrade: %w", err)
		}
	}
	for v := version; v < len(steps); v++ {
		script := fmt.Sprintf("BEGIN IMMEDIATE;\n%s;\nPRAGMA application_id = %d;\nPRAGMA user_version = %d;\nCOMMIT", steps[v], applicationID, v+1)
		if _, err := conn.ExecContext(ctx, script); err != nil {
			_, _ = conn.ExecContext(ctx, "ROLLBACK") // the first error counts
			return fmt.Errorf("upgrade ledger to schema %d: %w", v+1, err)
		}
	}
	return nil
}

// backup writes a whole, compact copy of the database to path, which appears
// under its name only when it is complete. The copy sweeps before it sends.
func backup(ctx context.Context, conn *sql.Conn, path string) error {
	temp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".tmp")
	if err := durable.Remove(temp); err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, "VACUUM INTO '"+strings.ReplaceAll(temp, "'", "''")+"'"); err != nil {
		return errors.Join(err, durable.Remove(temp))
	}
	if _, err := conn.ExecContext(ctx, unsweep, temp); err != nil {
		return errors.Join(err, durable.Remove(temp))
	}
	return durable.Rename(temp, path)
}

// Backup writes a copy of the ledger to path while it is in use. A ledger put
// back from it sweeps before it sends.
func (l *Ledger) Backup(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", dsn(l.file))
	if err != nil {
		return fmt.Errorf("back up ledger: %w", err)
	}
	conn, err := db.Conn(ctx) // of its own: query_only forbids VACUUM INTO
	if err == nil {
		err = errors.Join(backup(ctx, conn, path), conn.Close())
	}
	if err := errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("back up ledger to %s: %w", path, err)
	}
	return nil
}
