package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"einvoice/connector/durable"
	"einvoice/connector/ledger"
)

// manifest stands in a backup, written last: what is there, and whole.
type manifest struct {
	Made     time.Time      `json:"made"`
	Version  string         `json:"version"`
	Ledger   string         `json:"ledger_sha256"`
	Invoices int            `json:"invoices"`
	Files    map[string]int `json:"files"` // of each store
}

const manifestName = "backup.json"

// stores are the folders of bytes beside the ledger, named by their hashes.
func stores() []string { return []string{"spool", "blobs"} }

func backupCommand(s streams) *cobra.Command {
	var path, to string
	cmd := &cobra.Command{
		Use: "backup --to FOLDER", Short: "Copy the ledger, the spool and the blobs, while the daemon runs", Args: none,
		Long: `Backup makes a folder einvoice-backup-<time> with a consistent copy of the ledger
and of the bytes that it names. The ledger is copied first, as of one instant;
every file is compared with its hash, the copy of the ledger is read whole, and
the folder appears under its name only then. Keep secrets and the configuration
with your other backups: they are not in it.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if to == "" {
				return fmt.Errorf("%w: --to FOLDER is missing", errUsage)
			}
			return reading(cmd.Context(), path, func(cfg *Config, l *ledger.Ledger) error {
				made, m, err := backup(cmd.Context(), cfg, l, to, time.Now())
				if err != nil {
					return fmt.Errorf("back up: %w", err)
				}
				_, err = fmt.Fprint(s.out, cfg.say("%s: %d invoices, %d spool files, %d blobs, verified\n", made, m.Invoices, m.Files["spool"], m.Files["blobs"]))
				return err
			})
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().StringVar(&to, "to", "", "folder that gets the backup, best on another disk")
	return cmd
}

// backup makes a backup in the folder to and returns where it stands.
func backup(ctx context.Context, cfg *Config, l *ledger.Ledger, to string, now time.Time) (made string, m manifest, err error) {
	if to, err = filepath.Abs(to); err != nil {
		return "", m, err
	}
	if inside(cfg.Ledger.Path, to) {
		return "", m, errors.New(cfg.say("%s is inside the ledger's own folder; name another one, best on another disk", to))
	}
	name := "einvoice-backup-" + now.Format("20060102T150405")
	made, hidden := filepath.Join(to, name), filepath.Join(to, "."+name)
	if err := durable.MkdirAll(hidden, 0o700); err != nil {
		return "", m, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(hidden))
		}
	}()
	m = manifest{Made: now.UTC(), Version: version(), Files: map[string]int{}}
	if err := l.Backup(ctx, filepath.Join(hidden, "ledger.db")); err != nil {
		return "", m, err
	}
	if m.Ledger, err = fileHash(filepath.Join(hidden, "ledger.db")); err != nil {
		return "", m, err
	}
	if m.Invoices, err = ledger.Verify(ctx, filepath.Join(hidden, "ledger.db")); err != nil {
		return "", m, err
	}
	for _, store := range stores() {
		if m.Files[store], err = copyStore(ctx, filepath.Join(cfg.Ledger.Path, store), filepath.Join(hidden, store)); err != nil {
			return "", m, err
		}
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err == nil {
		err = durable.WriteFile(filepath.Join(hidden, manifestName), append(text, '\n'), 0o600)
	}
	if err == nil {
		err = durable.Rename(hidden, made)
	}
	return made, m, err
}

// copyStore copies the blobs of a store, each compared with its hash. One that
// is removed meanwhile was not needed any more.
func copyStore(ctx context.Context, from, to string) (n int, err error) {
	source, err := durable.OpenStore(from)
	if err != nil {
		return 0, err
	}
	target, err := durable.OpenStore(to)
	if err != nil {
		return 0, err
	}
	err = source.Walk(func(sha string, _ int64, _ time.Time) error {
		f, err := source.Open(sha)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		defer f.Close()
		blob, err := target.Put(ctx, f)
		if err == nil && blob.SHA256 != sha {
			err = fmt.Errorf("%s has other bytes than its name says: the disk is failing, or somebody changed it", source.Path(sha))
		}
		n++
		return err
	})
	return n, err
}

func fileHash(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// inside tells whether a path is a folder or below it.
func inside(folder, path string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(rel)
}

func restoreCommand(s streams) *cobra.Command {
	var path string
	var replace bool
	cmd := &cobra.Command{
		Use: "restore BACKUP", Short: "Put a backup in the place of the ledger (the daemon must be stopped)", Args: exactly(1),
		Long: `Restore verifies a backup folder whole before it touches anything, then puts it in
the ledger's place. A ledger that is there is kept beside it, renamed, and only
with --replace. Before anything is sent again, the next start reads what the
platform has of every company: invoices sent after the backup are adopted, not
sent twice.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := loadConfig(path)
			if err != nil {
				return err
			}
			kept, m, err := restore(cmd.Context(), cfg, args[0], replace, time.Now())
			if err != nil {
				return fmt.Errorf("restore: %w", err)
			}
			if kept != "" {
				fmt.Fprint(s.out, cfg.say("the ledger that was there is now %s\n", kept))
			}
			_, err = fmt.Fprint(s.out, cfg.say("restored the ledger of %s: %d invoices; the next start reads what the platform has before it sends\n",
				m.Made.In(cfg.location()).Format(time.DateTime), m.Invoices))
			return err
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&replace, "replace", false, "keep the ledger that is there under another name")
	return cmd
}

// restore puts a backup in place; kept is where the former ledger went.
func restore(ctx context.Context, cfg *Config, from string, replace bool, now time.Time) (kept string, m manifest, err error) {
	if err := unused(cfg); err != nil {
		return "", m, err
	}
	if m, err = verifyBackup(ctx, from); err != nil {
		return "", m, told{cfg.say("%s is no whole backup, and nothing was changed; name a folder einvoice-backup-...: %s", from, err), err}
	}
	at := filepath.Clean(cfg.Ledger.Path)
	there, err := os.ReadDir(at)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", m, err
	}
	if len(there) > 0 && !replace {
		return "", m, errors.New(cfg.say("there is a ledger in %s already; with --replace it is kept beside it under another name", at))
	}
	staged := at + ".restoring"
	if err := os.RemoveAll(staged); err != nil {
		return "", m, err
	}
	err = stageBackup(ctx, from, staged)
	if err == nil {
		err = unused(cfg) // copying took its time: the service may have been started again
	}
	if err != nil {
		return "", m, errors.Join(err, os.RemoveAll(staged))
	}
	if len(there) > 0 {
		kept = at + ".before-restore-" + now.Format("20060102T150405")
		if err := durable.Rename(at, kept); err != nil {
			return "", m, err
		}
	} else if err := durable.Remove(at); err != nil {
		return "", m, err
	}
	return kept, m, durable.Rename(staged, at)
}

// unused refuses a ledger that a process has, or may have.
func unused(cfg *Config) error {
	pid, err := ledger.HeldBy(cfg.Ledger)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err == nil && pid != 0:
		return told{cfg.say("the ledger is in use: process %d has it; stop the service first", pid), ledger.ErrInUse}
	}
	return err
}

// stageBackup copies a backup to where it only needs to be renamed.
func stageBackup(ctx context.Context, from, to string) error {
	if err := durable.MkdirAll(to, 0o700); err != nil {
		return err
	}
	f, err := os.Open(filepath.Join(from, "ledger.db"))
	if err != nil {
		return err
	}
	defer f.Close()
	db := filepath.Join(to, "ledger.db")
	if _, err := durable.WriteFrom(db, f, 0o600); err != nil {
		return err
	}
	if err := ledger.Restored(ctx, db); err != nil {
		return err
	}
	for _, store := range stores() {
		if _, err := copyStore(ctx, filepath.Join(from, store), filepath.Join(to, store)); err != nil {
			return err
		}
	}
	return nil
}

// verifyBackup reads a backup whole.
func verifyBackup(ctx context.Context, from string) (m manifest, err error) {
	text, err := os.ReadFile(filepath.Join(from, manifestName))
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("read %s: %w", manifestName, err)
	}
	db := filepath.Join(from, "ledger.db")
	sum, err := fileHash(db)
	if err == nil && sum != m.Ledger {
		err = errors.New("its ledger is not the one that was backed up: the copy was changed or damaged")
	}
	if err != nil {
		return m, err
	}
	if _, err := ledger.Verify(ctx, db); err != nil {
		return m, err
	}
	for _, store := range stores() {
		n, err := verifyStore(filepath.Join(from, store))
		if err == nil && n != m.Files[store] {
			err = fmt.Errorf("its %s has %d files, not %d", store, n, m.Files[store])
		}
		if err != nil {
			return m, err
		}
	}
	return m, nil
}

func verifyStore(dir string) (n int, err error) {
	if _, err := os.Stat(dir); err != nil {
		return 0, err
	}
	store, err := durable.OpenStore(dir)
	if err != nil {
		return 0, err
	}
	err = store.Walk(func(sha string, _ int64, _ time.Time) error {
		n++
		sum, err := fileHash(store.Path(sha))
		if err == nil && sum != sha {
			err = fmt.Errorf("%s has other bytes than its name says", store.Path(sha))
		}
		return err
	})
	return n, err
}
