package alarm

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"einvoice/connector/mail"
	"einvoice/connector/mail/mailtest"
	"einvoice/connector/setting"
)

// memory is what outlives a restart.
type memory map[string]string

func (m memory) Get(ctx context.Context, key string) (string, error) { return m[key], ctx.Err() }
func (m memory) Put(ctx context.Context, key, value string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m[key] = value
	return nil
}

// ear is a channel that keeps what it heard, and may be deaf.
type ear struct {
	name  string
	heard []string
	deaf  bool
}

func (e *ear) Name() string { return e.name }
func (e *ear) Say(_ context.Context, n Notice) error {
	if e.deaf {
		return errors.New("deaf")
	}
	e.heard = append(e.heard, n.Title)
	return nil
}

var held = Condition{Kind: Held, Subject: "acme", Detail: "3"}

// clock is turned by tests.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func TestAlarmIsSaidOnceAndClearedOnceOverRestarts(t *testing.T) {
	m, c, e := memory{}, &clock{time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)}, &ear{name: "ear"}
	start := func() *Board { return New(m, "en", c.now, e) }
	b := start()
	step := func(wait time.Duration, wrong ...Condition) {
		t.Helper()
		c.t = c.t.Add(wait)
		if err := b.Update(t.Context(), wrong); err != nil {
			t.Fatal(err)
		}
	}
	step(0, held)
	step(time.Minute, Condition{Kind: Held, Subject: "acme", Detail: "4"}) // another number is no other alarm
	b = start()
	step(time.Minute, held)
	step(time.Second) // flickers
	step(time.Second, held)
	if len(e.heard) != 1 {
		t.Fatalf("heard %q, want one", e.heard)
	}
	step(time.Second)
	b = start()
	step(linger)
	step(time.Minute)
	step(time.Minute, held)
	want := "Invoices of acme wait for a decision|Over: Invoices of acme wait for a decision|Invoices of acme wait for a decision"
	if got := strings.Join(e.heard, "|"); got != want {
		t.Errorf("heard %q, want %q", got, want)
	}
	up, err := b.Up(t.Context())
	if err != nil || len(up) != 1 || up[0].Subject != "acme" {
		t.Errorf("up %v %v", up, err)
	}
}

// stopping is a channel during whose notice the daemon is told to stop.
type stopping struct {
	*ear
	stop func()
}

func (s stopping) Say(ctx context.Context, n Notice) error {
	s.stop()
	return s.ear.Say(ctx, n)
}

func TestAStopWhileAnAlarmIsSaidDoesNotSayItAgain(t *testing.T) {
	m, c, e := memory{}, &clock{time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)}, &ear{name: "ear"}
	ctx, stop := context.WithCancel(t.Context())
	_ = New(m, "en", c.now, stopping{e, stop}).Update(ctx, []Condition{held})
	if err := New(m, "en", c.now, e).Update(t.Context(), []Condition{held}); err != nil {
		t.Fatal(err)
	}
	if len(e.heard) != 1 {
		t.Errorf("heard %q, want one", e.heard)
	}
}

func TestDeafChannelHearsLaterAndOthersNotTwice(t *testing.T) {
	m, c := memory{}, &clock{time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)}
	good, deaf := &ear{name: "good"}, &ear{name: "deaf", deaf: true}
	b := New(m, "fr", c.now, good, deaf)
	for range 3 {
		if err := b.Update(t.Context(), []Condition{held}); err == nil {
			t.Fatal("no error of the deaf channel")
		}
	}
	b, deaf.deaf = New(m, "fr", c.now, good, deaf), false
	for range 2 {
		if err := b.Update(t.Context(), []Condition{held}); err != nil {
			t.Fatal(err)
		}
	}
	if len(good.heard) != 1 || len(deaf.heard) != 1 {
		t.Errorf("heard %q and %q, want one each", good.heard, deaf.heard)
	}
}

func TestWhatWasNeverSaidIsNotCleared(t *testing.T) {
	m, c, e := memory{}, &clock{time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)}, &ear{name: "ear", deaf: true}
	b := New(m, "en", c.now, e)
	_ = b.Update(t.Context(), []Condition{held})
	_ = b.Update(t.Context(), nil)
	c.t, e.deaf = c.t.Add(2*linger), false
	if err := b.Update(t.Context(), nil); err != nil || len(e.heard) > 0 || len(m) > 0 && m[memoryKey] != "" {
		t.Errorf("heard %q, remembered %v, error %v", e.heard, m, err)
	}
}

func TestEveryKindHasItsWordsInBothLanguages(t *testing.T) {
	for _, k := range []Kind{LaneStopped, Held, NoExport, Disk, Token, CallbackSilence, PlaceAway} {
		a := Alarm{Condition: Condition{Kind: k, Subject: "SUBJECT", Detail: "DETAIL"}}
		fr, frText := Words("fr", a, false)
		en, enText := Words("en", a, false)
		over, _ := Words("fr", a, true)
		if fr == en || !strings.Contains(fr, "SUBJECT") || !strings.Contains(en, "SUBJECT") || !strings.HasPrefix(frText, "DETAIL") || len(enText) < 20 || !strings.HasPrefix(over, "Terminé") {
			t.Errorf("%s: %q %q %q %q %q", k, fr, frText, en, enText, over)
		}
	}
}

func TestChannelsSayWhatHappened(t *testing.T) {
	var posted struct{ Kind, Title, Text string }
	status := http.StatusOK
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(data, &posted)
		w.WriteHeader(status)
	}))
	defer hook.Close()
	server := mailtest.New(t)
	cfg := mail.Defaults()
	cfg.Host, cfg.Port, cfg.TLS, cfg.From = server.Host, server.Port, "none", "einvoice@example.com"
	var log strings.Builder
	secret := hook.URL + "/canary"
	b := New(memory{}, "en", nil, Log{zerolog.New(&log)}, Mail{Server: cfg, To: []string{"admin@example.com"}}, Webhook{URL: secret})
	if err := b.Update(t.Context(), []Condition{held}); err != nil {
		t.Fatal(err)
	}
	mails := server.Mails()
	if len(mails) != 1 || !strings.Contains(mails[0].Data, "wait for a decision") || posted.Kind != "held" || !strings.Contains(posted.Text, "einvoice queue") ||
		!strings.Contains(log.String(), `"alarm":"held"`) {
		t.Errorf("mails %+v, posted %+v, log %s", mails, posted, log.String())
	}
	status = http.StatusForbidden
	err := (Webhook{URL: secret}).Say(t.Context(), Notice{})
	hook.Close()
	gone := (Webhook{URL: secret}).Say(t.Context(), Notice{})
	if err == nil || gone == nil || strings.Contains(err.Error()+gone.Error(), "canary") {
		t.Errorf("errors %v, %v", err, gone)
	}
}

func TestSilenceIsMeasuredByTheSameHoursOfOtherWeeks(t *testing.T) {
	friday := time.Date(2026, 11, 20, 18, 0, 0, 0, time.UTC)
	var daily []time.Time // at 18:00 or some minutes later, Monday to Friday, four weeks
	for d := friday.AddDate(0, 0, -28); !d.After(friday); d = d.AddDate(0, 0, 1) {
		if d.Weekday() != time.Saturday && d.Weekday() != time.Sunday {
			daily = append(daily, d.Add(time.Duration(d.Day())*time.Minute))
		}
	}
	for _, c := range []struct {
		name  string
		taken []time.Time
		now   time.Time
		want  bool
	}{
		{"Sunday", daily, friday.AddDate(0, 0, 2), false},
		{"Monday before the hour", daily, friday.AddDate(0, 0, 3).Add(-time.Hour), false},
		{"Monday night", daily, friday.AddDate(0, 0, 3).Add(4 * time.Hour), true},
		{"too few to know", daily[:4], friday.AddDate(1, 0, 0), false},
		{"young, within twice the longest gap", daily[len(daily)-5:], friday.AddDate(0, 0, 1), false},
		{"young, longer than that", daily[len(daily)-5:], friday.AddDate(0, 0, 3), true},
	} {
		if got := Silent(c.taken, c.now); got != c.want {
			t.Errorf("%s: silent %v, want %v", c.name, got, c.want)
		}
	}
	if got := Rhythm(daily); got < 23*time.Hour || got > 25*time.Hour {
		t.Errorf("rhythm %s", got)
	}
}

func TestMistakesOfTheSection(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"mail_to":          func(c *Config) { c.MailTo = []string{"nobody"} },
		"webhook":          func(c *Config) { c.Webhook = "host" },
		"token_expires":    func(c *Config) { c.TokenExpires = "soon" },
		"callback_silence": func(c *Config) { c.CallbackSilence = 0 },
	} {
		cfg := Defaults()
		change(&cfg)
		r := setting.NewReport()
		cfg.Validate(r, true)
		if all := r.Mistakes(); len(all) != 1 || all[0].Key != name {
			t.Errorf("%s: %v", name, all)
		}
	}
}
