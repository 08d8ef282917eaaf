// Package alarm says once when something needs a person, and once when it is
// over, through every channel, restarts or not.
//
// Whoever watches hands over what is wrong now; the board remembers what was
// said. What was said is kept after it was said: a crash between may say it
// twice, never not at all.
package alarm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"einvoice/connector/problem"
)

// Kind is what an alarm is about.
type Kind string

// The kinds of alarm.
const (
	LaneStopped     Kind = "lane-stopped"     // sending for a company is stopped
	Held            Kind = "held"             // invoices wait for a person
	NoExport        Kind = "no-export"        // no export for longer than usual
	Disk            Kind = "disk"             // a disk is nearly full
	Token           Kind = "token"            // the token is about to expire
	CallbackSilence Kind = "callback-silence" // statuses came by polling, none by callback
	PlaceAway       Kind = "place-away"       // a drop cannot be read, or answers cannot be written
)

// Condition is something that is wrong now. Detail may change without being
// another alarm.
type Condition struct {
	Kind    Kind   `json:"kind"`
	Subject string `json:"subject"` // a company, a drop, a folder
	Detail  string `json:"detail,omitempty"`
}

// Alarm is a condition that was raised.
type Alarm struct {
	Condition
	Since time.Time `json:"since"`
	Over  time.Time `json:"over,omitzero"` // since when it is not there any more
	Told  []string  `json:"told"`          // channels that said it
}

// Notice is what a channel says.
type Notice struct {
	Alarm
	Cleared bool
	Title   string // one line
	Text    string // what it means and what to do
}

// Channel says a notice to somebody. An error has it tried again.
type Channel interface {
	Name() string
	Say(ctx context.Context, n Notice) error
}

// Memory keeps a small text over restarts; the ledger does.
type Memory interface {
	Get(ctx context.Context, key string) (string, error)
	Put(ctx context.Context, key, value string) error
}

const (
	memoryKey = "alarm.board"
	linger    = 2 * time.Minute // that a condition must be gone: what flickers is one alarm
)

// Board knows which alarms are up.
type Board struct {
	memory   Memory
	channels []Channel
	lang     problem.Lang
	now      func() time.Time

	mu     sync.Mutex
	loaded bool
	alarms []Alarm // up, and over but not said everywhere yet
}

// New makes a board; a nil now is the real clock.
func New(m Memory, lang problem.Lang, now func() time.Time, channels ...Channel) *Board {
	if now == nil {
		now = time.Now
	}
	return &Board{memory: m, channels: channels, lang: lang, now: now}
}

// Update compares what is wrong now with what was said, and says what is new and
// what is over. The error joins those of channels, which are tried again at the
// next update, and of the memory.
func (b *Board) Update(ctx context.Context, wrong []Condition) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.load(ctx); err != nil {
		return err
	}
	b.raise(wrong)
	var errs []error
	for i := range b.alarms {
		errs = append(errs, b.say(ctx, &b.alarms[i]))
	}
	b.alarms = slices.DeleteFunc(b.alarms, func(a Alarm) bool { return b.ended(a) && len(a.Told) == 0 })
	// What was said must be kept even if we are told to stop meanwhile.
	return errors.Join(append(errs, b.save(context.WithoutCancel(ctx)))...)
}

// Up lists the alarms that are up, oldest first.
func (b *Board) Up(ctx context.Context) ([]Alarm, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.load(ctx); err != nil {
		return nil, err
	}
	var up []Alarm
	for _, a := range b.alarms {
		if !b.ended(a) {
			up = append(up, a)
		}
	}
	slices.SortStableFunc(up, func(a, c Alarm) int { return cmp.Or(a.Since.Compare(c.Since), cmp.Compare(a.Subject, c.Subject)) })
	return up, nil
}

func (b *Board) raise(wrong []Condition) {
	now := b.now()
	for i := range b.alarms {
		a := &b.alarms[i]
		still := slices.IndexFunc(wrong, func(c Condition) bool { return c.Kind == a.Kind && c.Subject == a.Subject })
		switch {
		case still >= 0 && !b.ended(*a):
			a.Detail, a.Over = wrong[still].Detail, time.Time{}
		case still < 0 && a.Over.IsZero():
			a.Over = now
		}
	}
	for _, c := range wrong {
		known := slices.ContainsFunc(b.alarms, func(a Alarm) bool { return a.Kind == c.Kind && a.Subject == c.Subject && !b.ended(a) })
		if !known {
			b.alarms = append(b.alarms, Alarm{Condition: c, Since: now})
		}
	}
}

// ended tells whether an alarm is over for long enough.
func (b *Board) ended(a Alarm) bool { return !a.Over.IsZero() && b.now().Sub(a.Over) >= linger }

// say brings every channel up to date: one that said an alarm says its end.
func (b *Board) say(ctx context.Context, a *Alarm) error {
	cleared := b.ended(*a)
	if !cleared && !a.Over.IsZero() {
		return nil // perhaps over: nothing is said of it now
	}
	var errs []error
	for _, c := range b.channels {
		if slices.Contains(a.Told, c.Name()) != cleared {
			continue
		}
		if err := c.Say(ctx, b.notice(*a, cleared)); err != nil {
			errs = append(errs, fmt.Errorf("say alarm %s by %s: %w", a.Kind, c.Name(), err))
			continue
		}
		if cleared {
			a.Told = slices.DeleteFunc(a.Told, func(n string) bool { return n == c.Name() })
		} else {
			a.Told = append(a.Told, c.Name())
		}
	}
	if cleared { // a channel that is configured no more has nothing to hear
		a.Told = slices.DeleteFunc(a.Told, func(n string) bool {
			return !slices.ContainsFunc(b.channels, func(c Channel) bool { return c.Name() == n })
		})
	}
	return errors.Join(errs...)
}

func (b *Board) notice(a Alarm, cleared bool) Notice {
	n := Notice{Alarm: a, Cleared: cleared}
	n.Title, n.Text = Words(b.lang, a, cleared)
	return n
}

func (b *Board) load(ctx context.Context) error {
	if b.loaded {
		return nil
	}
	text, err := b.memory.Get(ctx, memoryKey)
	if err != nil {
		return fmt.Errorf("read alarms: %w", err)
	}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &b.alarms); err != nil {
			b.alarms = nil // of a version to come: they are said again
		}
	}
	b.loaded = true
	return nil
}

func (b *Board) save(ctx context.Context) error {
	text := ""
	if len(b.alarms) > 0 {
		data, err := json.Marshal(b.alarms)
		if err != nil {
			return err
		}
		text = string(data)
	}
	known, err := b.memory.Get(ctx, memoryKey)
	if err == nil && known != text {
		err = b.memory.Put(ctx, memoryKey, text)
	}
	if err != nil {
		return fmt.Errorf("keep alarms: %w", err)
	}
	return nil
}
