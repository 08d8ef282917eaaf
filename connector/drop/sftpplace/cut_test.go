package sftpplace_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"einvoice/connector/drop"
	"einvoice/connector/drop/sftpplace"
	"einvoice/connector/drop/sftpplace/sftptest"
	"einvoice/connector/setting"
)

// TestCutPublicationIsWholeOrAbsent cuts the way of a file to the server at ever
// later places, until it arrives; readers see all of it or none.
func TestCutPublicationIsWholeOrAbsent(t *testing.T) {
	cuts := 120
	if testing.Short() {
		cuts = 30
	}
	if n, err := strconv.Atoi(os.Getenv("EINVOICE_SFTP_CUTS")); err == nil {
		cuts = n
	}
	s := sftptest.Start(t, sftptest.Options{})
	cutter := sftptest.NewCutter(t, s.Addr)
	section := s.Section()
	section.Host = cutter.Addr
	content := bytes.Repeat([]byte("0123456789abcdef"), cuts*1024/16)
	dir := t.TempDir()
	final := filepath.Join(dir, "status_1.csv")
	attempt := func(after int64) error {
		cutter.After(after, 0)
		hosts := sftpplace.NewHosts([]sftpplace.Config{section})
		defer hosts.Close()
		p, err := hosts.Place("sftp://erp@"+cutter.Addr+filepath.ToSlash(dir), "")
		if err != nil {
			t.Fatal(err)
		}
		return p.Publish(t.Context(), "status_1.csv", bytes.NewReader(content))
	}
	for after := int64(1 << 10); ; after += 1 << 10 {
		err := attempt(after)
		seen, absent := os.ReadFile(final)
		if absent == nil && !bytes.Equal(seen, content) {
			t.Fatalf("after %d bytes a reader sees %d of %d bytes", after, len(seen), len(content))
		}
		if err == nil {
			if absent != nil {
				t.Fatal("published, and not there")
			}
			break
		}
		if !errors.Is(err, drop.ErrBusy) {
			t.Fatalf("after %d bytes: %v, want ErrBusy: the publish queue tries again", after, err)
		}
	}
	t.Logf("%d cuts", cutter.Cuts.Load())
}

// TestGrowingFilesAreNeverReadEarly: 1,000 files grow in the directory, with
// pauses; none is ready before it stayed unchanged for the settle time.
func TestGrowingFilesAreNeverReadEarly(t *testing.T) {
	files := 1000
	if testing.Short() {
		files = 200
	}
	s := sftptest.Start(t, sftptest.Options{})
	p, dir := place(t, s, s.Section())
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	cfg := drop.Defaults()
	cfg.Settle = setting.Duration(10 * time.Second)
	w := drop.NewWatcher(p, cfg, drop.WatcherOptions{Now: func() time.Time { return now }})
	parts, grown := make([]int, files), make([]time.Time, files)
	for i := range parts {
		parts[i] = 1 + rand.IntN(6)
	}
	ready := map[string]bool{}
	for len(ready) < files {
		for i := range parts {
			if parts[i] == 0 || rand.IntN(2) == 0 { // done, or it stalls for this while
				if parts[i] == 0 || now.Sub(grown[i]) < 8*time.Second {
					continue
				}
			}
			grow(t, filepath.Join(dir, strconv.Itoa(i)+".csv"))
			parts[i]--
			grown[i] = now
		}
		found, _, err := w.Scan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range found {
			i, _ := strconv.Atoi(e.Name[:len(e.Name)-len(".csv")])
			if parts[i] > 0 || now.Sub(grown[i]) < 10*time.Second {
				t.Fatalf("%s was ready early: %d parts to come, grown %s ago", e.Name, parts[i], now.Sub(grown[i]))
			}
			ready[e.Name] = true
		}
		now = now.Add(4 * time.Second)
	}
}

func grow(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("ligne;1;2\n"); err != nil {
		t.Fatal(err)
	}
}
