package main

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"einvoice/connector/alarm"
	"einvoice/connector/ledger"
	"einvoice/connector/setting"
	"einvoice/outbox"
)

// TestTheDaemonSeesWhatNeedsAPerson spoils one thing at a time and looks for its
// alarm, and for no other.
func TestTheDaemonSeesWhatNeedsAPerson(t *testing.T) {
	_, url := playPlatform(t)
	cfg := appConfig(t, url)
	cfg.Alarm.DiskFree = 0
	runOnce(t, cfg)
	l, _, _ := bothLogs("info")
	a, err := newApp(t.Context(), cfg, l.log, l.tell(cfg))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	token, err := os.ReadFile(cfg.API.TokenFile)
	if err != nil {
		t.Fatal(err)
	}
	sent, err := a.ledger.InvoicesIn(t.Context(), ledger.Sent, "", 10)
	if err != nil || len(sent) == 0 {
		t.Fatal(sent, err)
	}
	soon := time.Now().Add(48 * time.Hour)
	jwt := "x." + base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"exp":%d}`, soon.Unix())) + ".y"
	results, drop := filepath.Join(cfg.dir, "results"), filepath.Join(cfg.dir, "drop")
	for _, c := range []struct {
		name        string
		spoil, mend func() error
		want        alarm.Condition
	}{
		{"sending stopped", func() error { return a.ledger.Put(t.Context(), outbox.StoppedFact("demo"), "since today") },
			func() error { return a.ledger.Put(t.Context(), outbox.StoppedFact("demo"), "") }, alarm.Condition{Kind: alarm.LaneStopped, Subject: "demo", Detail: "since today"}},
		{"no export", func() error { cfg.Alarm.NoExport = 1; return nil }, func() error { cfg.Alarm.NoExport = 0; return nil },
			alarm.Condition{Kind: alarm.NoExport, Subject: "demo"}},
		{"disk", func() error { cfg.Alarm.DiskFree = 1 << 40; return nil }, func() error { cfg.Alarm.DiskFree = 0; return nil },
			alarm.Condition{Kind: alarm.Disk, Subject: cfg.Ledger.Path}},
		{"token by its own word", func() error { return os.WriteFile(cfg.API.TokenFile, []byte(jwt), 0o600) },
			func() error { return os.WriteFile(cfg.API.TokenFile, token, 0o600) }, alarm.Condition{Kind: alarm.Token, Subject: url, Detail: soon.Format(time.DateOnly)}},
		{"token by the configuration", func() error { cfg.Alarm.TokenExpires = soon.Format(time.DateOnly); return nil },
			func() error { cfg.Alarm.TokenExpires = ""; return nil }, alarm.Condition{Kind: alarm.Token, Subject: url, Detail: soon.Format(time.DateOnly)}},
		{"nobody calls", func() error {
			cfg.Inbox.Callback.Enabled, cfg.Alarm.CallbackSilence = true, setting.Duration(time.Hour)
			s := sent[0].Status
			s.External, s.At = "delivered", time.Now()
			_, err := a.ledger.ApplyStatus(t.Context(), sent[0].ID, s, true)
			return err
		}, func() error {
			return a.ledger.RecordCallback(t.Context(), ledger.Callback{Company: "demo", Event: "customer-invoice", APIID: "x", BodySHA256: strings.Repeat("0", 64)})
		}, alarm.Condition{Kind: alarm.CallbackSilence, Subject: "demo"}},
		{"answers cannot be written", func() error {
			if _, _, err := a.ledger.Republish(t.Context(), time.Now().Add(-time.Hour), a.blobs.Has); err != nil {
				return err
			}
			return errors.Join(away(results), flushed(a))
		}, func() error { return errors.Join(back(results), awaited(a)) }, alarm.Condition{Kind: alarm.PlaceAway, Subject: "demo/results"}},
		{"a drop cannot be read", func() error { return errors.Join(away(drop), ran(a)) }, func() error { return errors.Join(back(drop), ran(a)) },
			alarm.Condition{Kind: alarm.PlaceAway, Subject: "demo"}},
	} {
		if err := c.spoil(); err != nil {
			t.Fatal(c.name, err)
		}
		wrong, err := a.wrong(t.Context(), time.Now())
		i := slices.IndexFunc(wrong, func(w alarm.Condition) bool { return w.Kind == c.want.Kind && w.Subject == c.want.Subject })
		if err != nil || i < 0 || c.want.Detail != "" && wrong[i].Detail != c.want.Detail || slices.ContainsFunc(wrong, func(w alarm.Condition) bool { return w.Kind != c.want.Kind }) {
			t.Errorf("%s: %+v %v, want %+v", c.name, wrong, err, c.want)
		}
		if err := c.mend(); err != nil {
			t.Fatal(c.name, err)
		}
		if wrong, err := a.wrong(t.Context(), time.Now()); err != nil || len(wrong) > 0 {
			t.Errorf("%s: mended, but %+v %v", c.name, wrong, err)
		}
	}
}

// heard remembers the ends that were said.
type heard struct{ raised, cleared int }

func (*heard) Name() string { return "heard" }

func (h *heard) Say(_ context.Context, n alarm.Notice) error {
	if n.Cleared {
		h.cleared++
	} else {
		h.raised++
	}
	return nil
}

// TestAnAlarmThatCannotBeLookedIntoIsNotOver: the ledger cannot be read for a while.
func TestAnAlarmThatCannotBeLookedIntoIsNotOver(t *testing.T) {
	cfg := appConfig(t, "http://127.0.0.1:1")
	cfg.Alarm.DiskFree = 0
	l, _, _ := bothLogs("info")
	a, err := newApp(t.Context(), cfg, l.log, l.tell(cfg))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	now, h := time.Now(), &heard{}
	a.alarms = alarm.New(a.ledger, cfg.lang(), func() time.Time { return now }, h)
	if err := a.ledger.Put(t.Context(), outbox.StoppedFact("demo"), "since today"); err != nil {
		t.Fatal(err)
	}
	a.lookAround(t.Context(), now)
	if err := a.ledger.Close(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		now = now.Add(5 * time.Minute)
		a.lookAround(t.Context(), now)
	}
	if h.raised != 1 || h.cleared != 0 {
		t.Errorf("raised %d times and said to be over %d times, want 1 and 0", h.raised, h.cleared)
	}
}

// TestAWeekendIsNoSilenceOfADropOfManyExports: one every minute of the working
// hours, from Monday to Friday for four weeks, as many in each of two other drops.
func TestAWeekendIsNoSilenceOfADropOfManyExports(t *testing.T) {
	cfg := appConfig(t, "http://127.0.0.1:1")
	l, _, _ := bothLogs("info")
	a, err := newApp(t.Context(), cfg, l.log, l.tell(cfg))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	friday := time.Date(2026, 11, 20, 18, 0, 0, 0, time.UTC)
	db, err := sql.Open("sqlite", cfg.Ledger.File())
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec(`WITH RECURSIVE minute(n, at) AS (SELECT 1, ?1 UNION ALL SELECT n + 1, at + 60 FROM minute WHERE at < ?2),
		busy AS (SELECT n, at FROM minute WHERE strftime('%H', at, 'unixepoch') BETWEEN '08' AND '17' AND strftime('%w', at, 'unixepoch') BETWEEN '1' AND '5')
		INSERT INTO file (drop_name, take, place, name, sha256, size, owner, state, taken_at)
		SELECT 'demo', 3 * ROW_NUMBER() OVER (ORDER BY n), 'demo', 'x.csv', hex(n), 1, '', 'mapped', strftime('%Y-%m-%dT%H:%M:%S.000000Z', at, 'unixepoch') FROM busy`,
		friday.AddDate(0, 0, -28).Unix(), friday.Unix())
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		now  time.Time
		want int
	}{
		{"Saturday night", friday.Add(30 * time.Hour), 0},
		{"Monday before work", friday.Add(61 * time.Hour), 0},
		{"Monday noon", friday.Add(66 * time.Hour), 1},
	} {
		if silent, err := a.dropsSilent(t.Context(), c.now); err != nil || len(silent) != c.want {
			t.Errorf("%s: %+v %v, want %d", c.name, silent, err, c.want)
		}
	}
}

// away puts a file where a folder was, as a mount that failed can leave it; back
// mends it.
func away(dir string) error {
	return errors.Join(os.Rename(dir, dir+".was"), os.WriteFile(dir, []byte("x"), 0o644))
}

func back(dir string) error { return errors.Join(os.Remove(dir), os.Rename(dir+".was", dir)) }

func flushed(a *app) error {
	_, err := a.publisher.Flush(context.Background())
	return err
}

// awaited publishes until nothing is owed: a place that failed has a rest first.
func awaited(a *app) error {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		owed, err := a.ledger.Owed(context.Background())
		if err != nil || owed == 0 {
			return err
		}
		if err := flushed(a); err != nil {
			return err
		}
	}
	return errors.New("answers are still not written")
}

// ran lets the way out look at its drops once more.
func ran(a *app) error { return a.runUntilIdle(context.Background()) }
