package ledger

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"einvoice/connector"
	"einvoice/connector/durable"
)

// Identity is what a ledger belongs to; Open refuses another one.
type Identity struct {
	BaseURL   string // of the API; loopback URLs are all the same one, whatever their port
	Companies []connector.Company
}

// Options of Open.
type Options struct {
	Identity Identity
	Now      func() time.Time // nil: time.Now
	Host     string           // of this machine; "": asked from the system
}

// Open opens or creates the ledger for the one process that may write, and
// upgrades its schema after a backup. A database that is older than the one that
// ran last, or a copy, has all companies swept: see Doubt. Invoices found in state Sending become
// Uncertain, with an event. Errors: ErrInUse, ErrNewerSchema, ErrOtherAPI, ErrOpenCompany.
func Open(ctx context.Context, cfg Config, opt Options) (l *Ledger, err error) {
	l = &Ledger{file: cfg.File(), now: opt.Now}
	if l.now == nil {
		l.now = time.Now
	}
	l.generations = newGenerations(cfg.Path, opt.Host)
	defer func() {
		if err != nil {
			err = fmt.Errorf("open ledger %s: %w", cfg.Path, errors.Join(err, l.Close()))
			l = nil
		}
	}()
	if err := durable.MkdirAll(cfg.Path, 0o700); err != nil {
		return l, err
	}
	if l.lock, err = takeLock(filepath.Join(cfg.Path, "ledger.lock")); err != nil {
		return l, err
	}
	if err := l.openWriter(ctx, cfg); err != nil {
		return l, err
	}
	if err := l.openReaders(cfg); err != nil {
		return l, err
	}
	if err := l.commit(ctx, func(t *tx) error { return l.begin(t, opt.Identity) }); err != nil {
		return l, err
	}
	return l, l.testify()
}

// begin checks whose ledger this is, then turns the intents that an interrupted
// process left into doubts.
func (l *Ledger) begin(t *tx, id Identity) error {
	if err := l.settleIdentity(t, id.BaseURL); err != nil {
		return err
	}
	if err := l.syncCompanies(t, id.Companies); err != nil {
		return err
	}
	if err := l.settleGeneration(t); err != nil {
		return err
	}
	// A try that an earlier process put off says nothing about now.
	if _, err := t.exec("UPDATE publication SET due_at = ? WHERE published_at IS NULL AND due_at > ?", stamp(l.now()), stamp(l.now())); err != nil {
		return err
	}
	if err := l.endRequests(t); err != nil {
		return err
	}
	return l.doubtIntents(t)
}

// OpenReader opens the ledger for reading only, beside a running daemon
// (status, trace, preview). Writing verbs then return ErrReadOnly.
func OpenReader(ctx context.Context, cfg Config) (l *Ledger, err error) {
	l = &Ledger{file: cfg.File(), now: time.Now}
	defer func() {
		if err != nil {
			err = fmt.Errorf("open ledger %s for reading: %w", cfg.Path, errors.Join(err, l.Close()))
			l = nil
		}
	}()
	if _, err := os.Stat(cfg.File()); err != nil {
		return l, err
	}
	if err := l.openReaders(cfg); err != nil {
		return l, err
	}
	conn, err := l.read.db.Conn(ctx)
	if err != nil {
		return l, err
	}
	defer func() { _ = conn.Close() }() // goes back to the pool
	newest := len(steps())
	version, err := versionOf(ctx, conn, newest)
	if err == nil && version < newest {
		err = fmt.Errorf("its schema is %d, this program reads %d; start the service once, it upgrades the ledger", version, newest)
	}
	if err != nil {
		return l, err
	}
	l.id, err = first(ctx, l.read, scanOne[string], "SELECT value FROM identity WHERE name = 'ledger_id'")
	return l, err
}

// takeLock holds the lock file for this process, and writes who holds it.
func takeLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	ok, err := tryLock(f)
	if err == nil && !ok {
		pid, _ := io.ReadAll(io.LimitReader(f, 20))
		err = fmt.Errorf("%w: process %s has it", ErrInUse, strings.TrimSpace(string(pid)))
	}
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = f.WriteAt(fmt.Appendln(nil, os.Getpid()), 0)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (l *Ledger) openWriter(ctx context.Context, cfg Config) error {
	// After most commits SQLite goes through its whole page cache (a page moved by a
	// balance leaves a high number behind): a large cache costs more than it saves.
	db, err := sql.Open("sqlite", dsn(cfg.File(), "foreign_keys(1)", "synchronous(FULL)", "temp_store(MEMORY)", "cache_size(-8000)", "journal_size_limit(67108864)"))
	if err != nil {
		return err
	}
	conn, err := db.Conn(ctx)
	if err == nil {
		err = prepareWriter(ctx, conn, cfg.Path, l.now())
	}
	counts := new(tally)
	if err == nil {
		err = counts.watch(ctx, conn)
	}
	if err != nil {
		return errors.Join(err, db.Close())
	}
	l.write = newWriter(db, conn, counts)
	return nil
}

// prepareWriter refuses a newer schema before it touches anything.
func prepareWriter(ctx context.Context, conn *sql.Conn, dir string, now time.Time) error {
	if _, err := versionOf(ctx, conn, len(steps())); err != nil {
		return err
	}
	var mode string
	if err := conn.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode); err != nil {
		return fmt.Errorf("set write-ahead log: %w", err)
	}
	if mode != "wal" {
		return fmt.Errorf("set write-ahead log: journal mode stays %q; the ledger must be on a local disk", mode)
	}
	if err := upgrade(ctx, conn, dir, steps(), now); err != nil {
		return err
	}
	_, err := conn.ExecContext(ctx, rivalTables)
	return err
}

func (l *Ledger) openReaders(cfg Config) error {
	db, err := sql.Open("sqlite", dsn(cfg.File(), "query_only(1)", "temp_store(MEMORY)"))
	if err != nil {
		return err
	}
	db.SetMaxIdleConns(4)
	l.read = &reader{db: db, stmts: map[string]*sql.Stmt{}}
	return nil
}

// dsn names the database as a URI, so that no character of the path is taken
// for an option.
func dsn(path string, pragmas ...string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	path = filepath.ToSlash(path)
	if runtime.GOOS == "windows" {
		path = "/" + path // file:/C:/data/ledger.db
	}
	q := url.Values{"_pragma": append([]string{"busy_timeout(15000)"}, pragmas...)}
	u := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: q.Encode()}
	return u.String()
}

// settleIdentity makes the ledger's id, and binds it to an API for good: under
// another base URL all its API ids would be somebody else's.
func (l *Ledger) settleIdentity(t *tx, baseURL string) error {
	if _, err := t.exec("INSERT INTO identity (name, value) VALUES ('ledger_id', ?) ON CONFLICT DO NOTHING", strings.ToLower(rand.Text())); err != nil {
		return err
	}
	var err error
	if l.id, err = first(context.Background(), t, scanOne[string], "SELECT value FROM identity WHERE name = 'ledger_id'"); err != nil {
		return err
	}
	if baseURL == "" {
		return nil
	}
	api, err := canonicalURL(baseURL)
	if err != nil {
		return err
	}
	if _, err := t.exec("INSERT INTO identity (name, value) VALUES ('api', ?) ON CONFLICT DO NOTHING", api); err != nil {
		return err
	}
	known, err := first(context.Background(), t, scanOne[string], "SELECT value FROM identity WHERE name = 'api'")
	if err == nil && known != api {
		err = fmt.Errorf("%w: it was made for %s, the configuration says %s; use another [ledger] path for another API", ErrOtherAPI, known, api)
	}
	return err
}

// canonicalURL writes one API in one way. All loopback hosts are one identity:
// the sandbox takes whatever port is free.
func canonicalURL(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("read base URL %q: not an absolute URL", s)
	}
	host := strings.ToLower(u.Hostname())
	if host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.") {
		return "loopback", nil
	}
	if p := u.Port(); p != "" && !(u.Scheme == "https" && p == "443") && !(u.Scheme == "http" && p == "80") {
		host += ":" + p
	}
	return strings.ToLower(u.Scheme) + "://" + host + strings.TrimRight(u.Path, "/"), nil
}

const openStates = "('queued', 'waiting', 'held', 'sending', 'uncertain')"

// syncCompanies records the configured companies and refuses to lose sight of
// one whose invoices are not done. A company that comes back sweeps again:
// somebody else may have sent for it meanwhile.
func (l *Ledger) syncCompanies(t *tx, companies []connector.Company) error {
	ctx := context.Background()
	if _, err := t.exec("UPDATE company SET active = 0 - active"); err != nil { // -1: active until now
		return err
	}
	for _, c := range companies {
		if _, err := t.exec(`INSERT INTO company (id, fiscal_id, siren, name) VALUES (?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET fiscal_id = excluded.fiscal_id, name = excluded.name,
			swept_at = CASE WHEN active = -1 AND siren = excluded.siren THEN swept_at END,
			active = CASE WHEN siren = excluded.siren THEN 1 ELSE -2 END, siren = excluded.siren`,
			c.ID, c.FiscalID, c.SIREN(), c.Name); err != nil {
			return fmt.Errorf("record company %q: %w", c.ID, err)
		}
	}
	lost, err := list(ctx, t, scanOne[string], `SELECT c.id || ': ' || SUM(n.invoices) FROM company c JOIN tally n ON n.company = c.id
		WHERE c.active < 0 AND n.state IN `+openStates+` AND n.invoices > 0 GROUP BY c.id`)
	if err != nil {
		return err
	}
	if len(lost) > 0 {
		return fmt.Errorf("%w (or its SIREN was changed): %s; put its [[company]] section back until they are settled", ErrOpenCompany, strings.Join(lost, ", "))
	}
	_, err = t.exec("UPDATE company SET active = (active = 1 OR active = -2)")
	return err
}
