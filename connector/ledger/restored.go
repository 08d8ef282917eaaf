package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// Verify reads a whole database file that nobody writes to, such as a backup,
// and says how many invoices it has. It refuses what is broken, not a ledger, or
// of a newer version.
func Verify(ctx context.Context, file string) (invoices int, err error) {
	err = alone(ctx, file, "mode=ro", func(conn *sql.Conn) error {
		version, err := versionOf(ctx, conn, len(steps()))
		if err != nil {
			return err
		}
		if version == 0 {
			return errors.New("it is empty")
		}
		var fault string
		if err := conn.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&fault); err != nil {
			return err
		}
		if fault != "ok" {
			return errors.New(fault)
		}
		return conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM invoice").Scan(&invoices)
	})
	if err != nil {
		return 0, fmt.Errorf("verify ledger %s: %w", file, err)
	}
	return invoices, nil
}

// Restored marks a database file that was put back from a backup: it knows
// nothing of what was sent since, so that every company's invoices at the
// platform are read before anything is sent.
func Restored(ctx context.Context, file string) error {
	err := alone(ctx, file, "", func(conn *sql.Conn) error {
		_, err := conn.ExecContext(ctx, "UPDATE company SET swept_at = NULL")
		return err
	})
	if err != nil {
		return fmt.Errorf("mark restored ledger: %w", err)
	}
	return nil
}

// alone opens a database file that nobody else has open.
func alone(ctx context.Context, file, mode string, do func(*sql.Conn) error) (err error) {
	name := dsn(file, "synchronous(FULL)")
	if mode != "" {
		name += "&" + mode
	}
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	return do(conn)
}

// Describe tells how the database is built and how many rows each table has,
// for a support person: no row's content.
func (l *Ledger) Describe(ctx context.Context) (string, error) {
	tables, err := list(ctx, l.read, func(r row) (d [2]string, err error) {
		err = r.Scan(&d[0], textTo(&d[1]))
		return d, err
	}, "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
	if err != nil {
		return "", fmt.Errorf("describe ledger: %w", err)
	}
	version, err := first(ctx, l.read, scanOne[int], "PRAGMA user_version")
	if err != nil {
		return "", fmt.Errorf("describe ledger: %w", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "-- schema %d\n", version)
	for _, t := range tables {
		n, err := first(ctx, l.read, scanOne[int], `SELECT COUNT(*) FROM "`+t[0]+`"`)
		if err != nil {
			return "", fmt.Errorf("describe ledger: %w", err)
		}
		fmt.Fprintf(&b, "-- %s: %d rows\n%s;\n", t[0], n, t[1])
	}
	return b.String(), nil
}
