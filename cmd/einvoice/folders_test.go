package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/rs/zerolog"

	"einvoice/cmd/einvoice/admin"
	"einvoice/connector/setting"
)

// reopened starts and ends an app, as at a restart.
func reopened(t *testing.T, cfg *Config) error {
	t.Helper()
	a, err := newApp(t.Context(), cfg, zerolog.Nop(), func(string, map[string]string) {})
	if err == nil {
		a.Close()
	}
	return err
}

// TestAShareThatIsAwayAtAStart: what is written below its mount point would be
// hidden once it is back, and what cannot be made must not stop the rest.
func TestAShareThatIsAwayAtAStart(t *testing.T) {
	for _, where := range []string{"elsewhere", "below the root"} {
		t.Run(where, func(t *testing.T) {
			cfg := appConfig(t, "http://127.0.0.1:1")
			dir := cfg.Folders.Root
			if where == "elsewhere" {
				dir = t.TempDir()
			}
			shareAway(t, cfg, filepath.Join(dir, "share"))
		})
	}
}

func shareAway(t *testing.T, cfg *Config, share string) {
	t.Helper()
	inbox := filepath.Join(share, "inbox")
	cfg.Folders.Inbox = inbox
	if err := reopened(t, cfg); err != nil {
		t.Fatal(err)
	}
	there := func() bool { _, err := os.Stat(inbox); return err == nil }
	if !there() {
		t.Fatal("the first start did not make the inbox")
	}
	if err := os.Remove(inbox); err != nil { // what is left is the mount point
		t.Fatal(err)
	}
	if err := reopened(t, cfg); err != nil || there() {
		t.Errorf("share not mounted: error %v, folder made below the mount point: %v", err, there())
	}
	if err := os.Mkdir(filepath.Join(share, "other"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := reopened(t, cfg); err != nil || !there() {
		t.Errorf("inbox removed by somebody: error %v, made again: %v", err, there())
	}
	if err := errors.Join(os.RemoveAll(share), os.Symlink(share, share)); err != nil { // answers with an error
		t.Skip("no links here:", err)
	}
	if err := reopened(t, cfg); err != nil {
		t.Errorf("a share that answers with errors stopped everything: %v", err)
	}
}

// TestACompanyAddedLaterGetsItsTree although none of it is there yet.
func TestACompanyAddedLaterGetsItsTree(t *testing.T) {
	cfg := appConfig(t, "http://127.0.0.1:1")
	if err := reopened(t, cfg); err != nil {
		t.Fatal(err)
	}
	inbox := filepath.Join(cfg.Folders.Root, "second", cfg.Folders.Inbox)
	if err := remake(inbox, cfg.around(inbox)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(inbox); err != nil {
		t.Error(err)
	}
}

// TestFoldersOnAShareAreMadeOnceItIsConnected: before, nobody lets us in.
func TestFoldersOnAShareAreMadeOnceItIsConnected(t *testing.T) {
	cfg := appConfig(t, "http://127.0.0.1:1")
	share, password := filepath.Join(t.TempDir(), "nas"), filepath.Join(t.TempDir(), "password")
	cfg.Folders.Inbox = filepath.Join(share, "inbox")
	cfg.Shares = []ShareConfig{{Path: `\\nas\erp`, User: "u", PasswordFile: password}}
	write(t, password, "secret\r\n")
	write(t, share, "no folder before it is connected")
	connect := func(_, user string, secret setting.Secret) error {
		if user != "u" || secret.Reveal() != "secret" {
			return errors.New("log-on failure")
		}
		return errors.Join(os.Remove(share), os.Mkdir(share, 0o755))
	}
	a := &app{cfg: cfg, publish: make(chan struct{}, 1), metrics: admin.NewMetrics("test"), connect: connect, journal: func(string, map[string]string) {}}
	defer a.Close()
	if err := a.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(cfg.Folders.Inbox); err != nil {
		t.Error(err)
	}
}

// TestAShareIsTriedUntilItIsThere: after a power cut a server is up before its NAS.
func TestAShareIsTriedUntilItIsThere(t *testing.T) {
	password := filepath.Join(t.TempDir(), "password")
	write(t, password, "secret")
	synctest.Test(t, func(t *testing.T) {
		tries := map[string]int{}
		a := &app{log: zerolog.Nop(), connect: func(path, _ string, _ setting.Secret) error {
			if tries[path]++; path == `\\nas\slow` && tries[path] < 5 {
				return errors.New("the network path was not found")
			}
			return nil
		}}
		a.sharesAway = a.connectShares([]ShareConfig{{`\\nas\quick`, "u", password}, {`\\nas\slow`, "u", password}})
		if err := a.shareLoop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if tries[`\\nas\quick`] != 1 || tries[`\\nas\slow`] != 5 {
			t.Errorf("tries %v", tries)
		}
		stopped, stop := context.WithCancel(t.Context())
		stop()
		a.sharesAway = []ShareConfig{{Path: `\\nas\gone`}}
		if err := a.shareLoop(stopped); err != nil {
			t.Error(err)
		}
	})
}
