package slip

import (
	"time"

	"einvoice/connector/setting"
)

// Config is the [slip] section.
type Config struct {
	// At is the hour of the day's slip, as "19:00"; "" makes none. A slip reaches
	// from one such hour to the next, so that nothing falls between two.
	At string `toml:"at"`
}

// Defaults are the settings of an empty section.
func Defaults() Config { return Config{At: "19:00"} }

// Validate reports the section's mistakes.
func (c Config) Validate(r setting.Report) {
	if _, err := time.Parse("15:04", c.At); err != nil && c.At != "" {
		r.Wrong("at", `is %q, but must be an hour of the day such as "19:00", or empty`, c.At)
	}
}

// Due is the last moment, not after now, at which a slip was due, in now's
// zone; ok is false when there are none.
func (c Config) Due(now time.Time) (due time.Time, ok bool) {
	at, err := time.Parse("15:04", c.At)
	if err != nil {
		return due, false
	}
	due = c.on(now, at, 0)
	if due.After(now) {
		due = c.on(now, at, -1)
	}
	return due, true
}

// Next is the moment after a due one. Days of 23 and 25 hours stay days.
func (c Config) Next(due time.Time) time.Time {
	at, _ := time.Parse("15:04", c.At) // Due checked it
	return c.on(due, at, 1)
}

func (Config) on(day, at time.Time, plus int) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day()+plus, at.Hour(), at.Minute(), 0, 0, day.Location())
}
