package ledger

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// HeldBy is the process that has the ledger open for writing; 0 when none has.
// An absent ledger is fs.ErrNotExist.
func HeldBy(cfg Config) (pid int, err error) {
	f, err := os.OpenFile(filepath.Join(cfg.Path, "ledger.lock"), os.O_RDWR, 0)
	if err != nil {
		return 0, fmt.Errorf("ask who has the ledger: %w", err)
	}
	defer f.Close() // which gives the lock up, if we got it
	free, err := tryLock(f)
	if err != nil || free {
		return 0, err
	}
	text, err := io.ReadAll(io.LimitReader(f, 20))
	if err == nil {
		pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
	}
	if err != nil {
		return 0, fmt.Errorf("ask who has the ledger: %w", err)
	}
	return pid, nil
}

// Integrity reads the whole database and says what is broken in it, "" when
// nothing is. It takes about a second per GiB.
func (l *Ledger) Integrity(ctx context.Context) (fault string, err error) {
	fault, err = first(ctx, l.read, scanOne[string], "PRAGMA quick_check(1)")
	if err != nil {
		return "", fmt.Errorf("check integrity of ledger: %w", err)
	}
	if fault == "ok" {
		return "", nil
	}
	return fault, nil
}

// BelongsTo tells whether the ledger was made for the API at baseURL; the error
// wraps ErrOtherAPI when it was made for another one.
func (l *Ledger) BelongsTo(ctx context.Context, baseURL string) error {
	api, err := canonicalURL(baseURL)
	if err != nil {
		return err
	}
	known, err := first(ctx, l.read, scanOne[string], "SELECT COALESCE((SELECT value FROM identity WHERE name = 'api'), ?)", api)
	if err == nil && known != api {
		err = fmt.Errorf("%w: it was made for %s, the configuration says %s", ErrOtherAPI, known, api)
	}
	return err
}
