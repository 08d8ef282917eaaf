package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"einvoice/connector/ledger"
	"einvoice/connector/sandbox"
)

// TestKilledAtRandomInstantsNothingIsLostOrSentTwice kills the real daemon with
// SIGKILL again and again while exports flow, then lets it finish: every number
// is at the platform exactly once, and every export has one acknowledgement.
// The platform takes duplicates, so that a second POST would show.
//
// EINVOICE_KILLS and EINVOICE_KILL_INVOICES make it as heavy as one likes.
func TestKilledAtRandomInstantsNothingIsLostOrSentTwice(t *testing.T) {
	kills, invoices := fromEnv("EINVOICE_KILLS", 24), fromEnv("EINVOICE_KILL_INVOICES", 300)
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d, %d kills, %d invoices", seed, kills, invoices)

	box, url := playPlatform(t)
	dir := killRig(t, url)
	config := filepath.Join(dir, "einvoice.toml")
	if out, err := exec.Command("einvoice", "register", "-c", config).CombinedOutput(); err != nil {
		t.Fatalf("register: %v\n%s", err, out)
	}
	files := max(1, invoices/100)
	for k := range max(kills, files-1) {
		if k < files-1 {
			dropKillFile(t, dir, k, invoices/files)
		}
		if k < kills {
			runAndKill(t, config, time.Duration(30+random.IntN(500))*time.Millisecond)
		}
	}
	// Whatever the last kill left in doubt is only proven absent by a later invoice.
	dropKillFile(t, dir, files-1, invoices/files)
	finish(t, config)
	checkBooks(t, box, dir, files, invoices/files*files)
}

func fromEnv(env string, def int) int {
	if n, err := strconv.Atoi(os.Getenv(env)); err == nil {
		return n
	}
	return def
}

func killRig(t *testing.T, url string) string {
	t.Helper()
	dir := t.TempDir()
	_, err := initialise(dir, "en", frenchStarter, func(config string) string {
		for _, s := range [][3]string{
			{"api", "base_url", `"` + url + `"`}, {"drop", "complete", `"on-appearance"`}, {"drop", "scan", `"100ms"`},
			{"outbox", "lookups", `["50ms"]`}, {"outbox", "retry_min", `"10ms"`}, {"outbox", "retry_max", `"100ms"`},
			{"outbox", "proofs_over", `"100ms"`}, {"outbox", "probe", `"50ms"`}, {"inbox.poll", "budget", "1"}, {"log", "level", `"error"`},
			{"safety", "other_year", `"send"`}, // the export has the dates that it was written at
		} {
			config = setKey(config, s[0], s[1], s[2])
		}
		return config
	})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "mappings", "bench.toml"), []byte(benchMapping), 0o644)
	}
	if err == nil {
		err = os.Remove(filepath.Join(dir, "mappings", "ventes.toml"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// dropKillFile renames an export into place.
func dropKillFile(t *testing.T, dir string, k, n int) {
	t.Helper()
	var buf bytes.Buffer
	buf.WriteString("number;date;client;siret;item;qty;price;vat;total\n")
	for i := range n {
		fmt.Fprintf(&buf, "K%03d-%05d;2026-11-02;Client;20000000800017;Article;1;10.00;20;12.00\n", k, i)
	}
	path := filepath.Join(dir, "drop", fmt.Sprintf("bench%03d.csv", k))
	if err := os.WriteFile(path+".tmp", buf.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		t.Fatal(err)
	}
}

func runAndKill(t *testing.T, config string, after time.Duration) {
	t.Helper()
	cmd := exec.Command("einvoice", "run", "-c", config)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(after)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// finish runs until nothing is left in doubt.
func finish(t *testing.T, config string) {
	t.Helper()
	for end := time.Now().Add(3 * time.Minute); ; {
		out, err := exec.Command("einvoice", "run", "--once", "-c", config).CombinedOutput()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("not settled: %v\n%s", err, out)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func checkBooks(t *testing.T, box *sandbox.Sandbox, dir string, files, invoices int) {
	t.Helper()
	books := box.Books()
	if twice := books.Twice(); len(twice) > 0 {
		t.Errorf("%d invoices were sent twice, such as %+v", len(twice), twice[0])
	}
	if len(books.Documents) != invoices {
		t.Errorf("the platform has %d invoices, want %d", len(books.Documents), invoices)
	}
	if acks, _ := filepath.Glob(filepath.Join(dir, "results", "*.ack.csv")); len(acks) != files {
		t.Errorf("%d acknowledgements for %d exports", len(acks), files)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "drop", "*.csv")); len(left) > 0 {
		t.Errorf("left in the drop: %v", left)
	}
	if kept, _ := filepath.Glob(filepath.Join(dir, "archive", "*", "*.csv")); len(kept) != files {
		t.Errorf("%d originals in the archive for %d exports", len(kept), files)
	}
	l, err := ledger.OpenReader(t.Context(), ledger.Config{Path: filepath.Join(dir, "data")})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	states, err := l.Pending(t.Context())
	if err != nil || states[ledger.Sent] != invoices || len(states) != 1 {
		t.Errorf("the ledger says %v, %v", states, err)
	}
}
