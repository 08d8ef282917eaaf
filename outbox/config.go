package outbox

import (
	"time"

	"einvoice/connector/setting"
)

// Config is the [outbox] section.
type Config struct {
	// Workers is the number of invoices under way at once, per credential.
	Workers int `toml:"workers"`
	// RetryMin and RetryMax bound the wait before another try of an invoice
	// that surely did not arrive. The wait doubles, with full jitter.
	RetryMin setting.Duration `toml:"retry_min"`
	RetryMax setting.Duration `toml:"retry_max"`
	// MaxAge is how long an invoice that surely did not arrive is tried before
	// a person must look.
	MaxAge setting.Duration `toml:"max_age"`
	// Probe is how often a stopped lane (bad token, no credit, company not
	// registered) tries again.
	Probe setting.Duration `toml:"probe"`
	// Lookups are the waits before each look-up of an invoice whose POST had
	// no clear answer; the last one repeats.
	Lookups []setting.Duration `toml:"lookups"`
	// ProofsOver is how long three proofs of absence must span before an
	// uncertain invoice may be sent a second time.
	ProofsOver setting.Duration `toml:"proofs_over"`
	// DoubtMax is how long an uncertain invoice is looked for without a
	// witness before a person must decide.
	DoubtMax setting.Duration `toml:"doubt_max"`
}

// proofs is the number of proofs of absence that allow a second POST.
const proofs = 3

// Defaults of the [outbox] section.
func Defaults() Config {
	d := func(v time.Duration) setting.Duration { return setting.Duration(v) }
	return Config{
		Workers:    16,
		RetryMin:   d(2 * time.Second),
		RetryMax:   d(15 * time.Minute),
		MaxAge:     d(72 * time.Hour),
		Probe:      d(time.Minute),
		Lookups:    []setting.Duration{d(30 * time.Second), d(2 * time.Minute), d(10 * time.Minute), d(30 * time.Minute), d(time.Hour)},
		ProofsOver: d(15 * time.Minute),
		DoubtMax:   d(24 * time.Hour),
	}
}

// Validate reports settings out of bounds.
func (c Config) Validate(r setting.Report) {
	if c.Workers < 1 || c.Workers > 256 {
		r.Wrong("workers", "is %d, but must be from 1 to 256", c.Workers)
	}
	day := setting.Duration(24 * time.Hour)
	ms := setting.Duration(time.Millisecond)
	r.Between("retry_min", c.RetryMin, ms, day)
	r.Between("retry_max", c.RetryMax, c.RetryMin, day)
	r.Between("max_age", c.MaxAge, c.RetryMin, 365*day)
	r.Between("probe", c.Probe, ms, day)
	r.Between("proofs_over", c.ProofsOver, 0, 7*day)
	r.Between("doubt_max", c.DoubtMax, ms, 30*day)
	if len(c.Lookups) == 0 {
		r.Wrong("lookups", `is empty; write at least one wait, such as ["30s", "2m", "1h"]`)
	}
	for _, l := range c.Lookups {
		r.Between("lookups", l, ms, day)
	}
}

// lookupWait is the wait before the look-up that follows n others.
func (c Config) lookupWait(n int) time.Duration {
	return c.Lookups[min(n, len(c.Lookups)-1)].Std()
}

// backoff is the wait before the try that follows n others: it doubles from
// RetryMin to RetryMax, and jitter (0 to 1) picks a point of it, so that many
// invoices do not come back at once.
func (c Config) backoff(n int, jitter float64) time.Duration {
	wait := c.RetryMin.Std()
	for ; n > 1 && wait < c.RetryMax.Std(); n-- {
		wait *= 2
	}
	wait = min(wait, c.RetryMax.Std())
	return time.Duration(float64(wait) * jitter)
}
