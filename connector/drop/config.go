package drop

import (
	"path"
	"regexp"
	"strings"
	"time"

	"einvoice/connector/setting"
)

// Ways to know that a file is whole (Config.Complete).
const (
	Settle       = "settle"        // its size and time stay unchanged for Config.Settle
	OnAppearance = "on-appearance" // the ERP renames it into place
	Trigger      = "trigger"       // a second file says so
)

// What becomes of an export that was taken (Config.After).
const (
	Archive = "archive"
	Leave   = "leave"
	Delete  = "delete"
)

// What a refused invoice does to the rest of its export (Config.OnError).
const (
	RefuseInvoice = "invoice"
	RefuseFile    = "file"
)

// Config is one [[drop]] section.
type Config struct {
	// Name is the short key of the drop, in the ledger and in messages.
	Name string `toml:"name"`
	// Company is the id of the company whose invoices it brings; "" chooses by seller.
	Company string `toml:"company"`
	// Path is the folder.
	Path string `toml:"path"`
	// Include lists glob patterns of names, letter case ignored; empty takes all but junk.
	Include []string `toml:"include"`
	// Mapping lists the mappings that may read it; empty chooses among all by their [match].
	Mapping []string `toml:"mapping"`
	// Settle is how long size and time must stay unchanged while we look.
	Settle setting.Duration `toml:"settle"`
	// Scan is the time between two looks; 0 takes 60 s where the folder gives events and 10 s elsewhere.
	Scan setting.Duration `toml:"scan"`
	// Complete says how a file is known to be whole: settle, on-appearance, trigger.
	Complete string `toml:"complete"`
	// Trigger lists patterns of trigger files' names, with {name} and {ext} of the export.
	Trigger []string `toml:"trigger"`
	// TailHold is how long the last invoice waits where nothing proves a file's end.
	TailHold setting.Duration `toml:"tail_hold"`
	// Deadline is how long a file that is not whole, or whose companions are
	// missing, waits before an answer says so; an attachment is waited for as long.
	Deadline setting.Duration `toml:"deadline"`
	// OnError says what a refused invoice takes with it: invoice (itself) or file.
	OnError string `toml:"on_error"`
	// After says what becomes of an export once taken: archive, leave, delete.
	After string `toml:"after"`
}

// Defaults is a drop whose name and path are still to be set.
func Defaults() Config {
	return Config{
		Settle:   setting.Duration(5 * time.Second),
		Complete: Settle,
		Trigger:  []string{"{name}{ext}.done", "{name}.done"},
		TailHold: setting.Duration(10 * time.Minute),
		Deadline: setting.Duration(30 * time.Minute),
		OnError:  RefuseInvoice,
		After:    Archive,
	}
}

// dropName keeps the name usable as a key, in file names and on a command line.
var dropName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// Validate reports every mistake of the section.
func (c Config) Validate(r setting.Report) {
	r.Required("name", c.Name)
	if c.Name != "" && !dropName.MatchString(c.Name) {
		r.Wrong("name", "is %q, but must be up to 64 letters without accents, digits, - and _", c.Name)
	}
	r.Required("path", c.Path)
	r.Path("path", c.Path)
	c.validateInclude(r)
	c.validateTrigger(r)
	r.Between("settle", c.Settle, setting.Duration(10*time.Millisecond), setting.Duration(time.Hour))
	if c.Scan != 0 {
		r.Between("scan", c.Scan, setting.Duration(10*time.Millisecond), setting.Duration(time.Hour))
	}
	r.Between("tail_hold", c.TailHold, 0, setting.Duration(24*time.Hour))
	r.Between("deadline", c.Deadline, setting.Duration(10*time.Millisecond), setting.Duration(7*24*time.Hour))
	r.OneOf("complete", c.Complete, Settle, OnAppearance, Trigger)
	r.OneOf("on_error", c.OnError, RefuseInvoice, RefuseFile)
	r.OneOf("after", c.After, Archive, Leave, Delete)
}

func (c Config) validateInclude(r setting.Report) {
	for _, p := range c.Include {
		switch _, err := path.Match(p, "x"); {
		case strings.TrimSpace(p) == "":
			r.Wrong("include", `has an empty pattern; "*" takes every name`)
		case strings.ContainsAny(p, `/\`):
			r.Wrong("include", "has %q, but a pattern is about names: sub-folders are not read", p)
		case err != nil:
			r.Wrong("include", "has %q, which is no pattern: use *, ? and [abc]", p)
		case Junk(p):
			r.Wrong("include", "has %q, but such names are temporary or hidden files, which are never read", p)
		}
	}
}

func (c Config) validateTrigger(r setting.Report) {
	if c.Complete == Trigger && len(c.Trigger) == 0 {
		r.Wrong("trigger", `is empty, but complete = "trigger" needs a pattern such as "{name}{ext}.done"`)
	}
	for _, p := range c.Trigger {
		if _, ok := parseTrigger(p); !ok {
			r.Wrong("trigger", `has %q, but a pattern must hold {name}, may hold {ext} right after it, and must differ from the export's own name: "{name}{ext}.done" or "{name}.done"`, p)
		}
	}
}
