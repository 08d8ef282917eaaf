package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// TestTheEveningSlipProvesThatTheDayLeft sends an export, then lets the evening come.
func TestTheEveningSlipProvesThatTheDayLeft(t *testing.T) {
	_, url := playPlatform(t)
	cfg := appConfig(t, url)
	cfg.Slip.At = time.Now().Add(-time.Hour).In(cfg.location()).Format("15:04")
	runOnce(t, cfg) // its first start: no slip, only a beginning
	a, err := newApp(t.Context(), cfg, zerolog.Nop(), journalTo(io.Discard, "en", time.Now, false))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	slips := func() []string {
		found, err := filepath.Glob(filepath.Join(cfg.dir, "results", "slip_*"))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	for _, tt := range []struct {
		after time.Duration
		want  int // files
	}{{0, 0}, {20 * time.Hour, 0}, {24 * time.Hour, 2}, {24*time.Hour + time.Minute, 2}, {72 * time.Hour, 6}} {
		if err := a.writeSlips(t.Context(), time.Now().Add(tt.after)); err != nil {
			t.Fatal(err)
		}
		if got := slips(); len(got) != tt.want {
			t.Fatalf("%s later there are %v, want %d", tt.after, got, tt.want)
		}
	}
	text, err := os.ReadFile(slips()[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\ufeffAbout;Detail;", "Dropped;;EUR;2;", "of which;sent;EUR;2;", "of which;waiting;;0;", "Export;lot.xml;"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
