package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/DeRuina/timberjack"
	"github.com/rs/zerolog"

	"einvoice/cmd/einvoice/service"
	"einvoice/connector/setting"
	"einvoice/outbox"
)

// LogConfig is the [log] section.
type LogConfig struct {
	Level  string `toml:"level"`
	Format string `toml:"format"`
	// File and JournalFile are rotated by us; without them the service manager
	// keeps the lines (journald, Event Log).
	File        string           `toml:"file"`
	JournalFile string           `toml:"journal_file"`
	MaxSizeMiB  int              `toml:"max_size_mib"`
	RotateEvery setting.Duration `toml:"rotate_every"`
	MaxAge      setting.Duration `toml:"max_age"`
	MaxFiles    int              `toml:"max_files"`
}

func defaultLog() LogConfig {
	return LogConfig{Level: "info", Format: "auto", MaxSizeMiB: 50, RotateEvery: setting.Duration(7 * 24 * time.Hour),
		MaxAge: setting.Duration(90 * 24 * time.Hour), MaxFiles: 20}
}

func logLevels() []string { return []string{"debug", "info", "warn", "error"} }

// Validate reports what a log cannot be.
func (c LogConfig) Validate(r setting.Report) {
	r.OneOf("level", c.Level, logLevels()...)
	r.OneOf("format", c.Format, "auto", "json", "text")
	r.Path("file", c.File)
	r.Path("journal_file", c.JournalFile)
	if c.File != "" && c.File == c.JournalFile {
		r.Wrong("journal_file", "is the technical log's file as well; give the journal one of its own")
	}
	if c.MaxSizeMiB < 1 {
		r.Wrong("max_size_mib", "is %d, but must be at least 1", c.MaxSizeMiB)
	}
	if c.MaxFiles < 1 {
		r.Wrong("max_files", "is %d, but must be at least 1", c.MaxFiles)
	}
	for key, d := range map[string]setting.Duration{"rotate_every": c.RotateEvery, "max_age": c.MaxAge} {
		r.Between(key, d, setting.Duration(time.Hour), setting.Duration(10*365*24*time.Hour))
	}
}

// logs are the two logs of a process: the technical one, and the business
// journal in plain words.
type logs struct {
	log     zerolog.Logger
	level   *gate
	journal io.Writer
	dated   bool // the journal's lines carry the day
	files   []io.Closer
}

// openLogs opens the logs as configured; out gets the journal and errors the
// technical log where they have no file.
func openLogs(cfg LogConfig, out io.Writer, stderr *os.File) (*logs, error) {
	l := &logs{level: &gate{}, journal: out, dated: !isTerminal(out)}
	l.level.set(cfg.Level)
	var technical io.Writer = stderr
	format := cfg.Format
	if w := service.EventWriter(); w != nil {
		technical, format = w, "json"
		if cfg.JournalFile == "" {
			l.journal = service.EventText()
		}
	}
	var err error
	if cfg.File != "" {
		technical, err = l.open(cfg, cfg.File)
		if format == "auto" {
			format = "json"
		}
	}
	if err == nil && cfg.JournalFile != "" {
		l.journal, err = l.open(cfg, cfg.JournalFile)
		l.dated = true
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	if format == "text" || format == "auto" && terminal(stderr) {
		technical = zerolog.ConsoleWriter{Out: technical, NoColor: os.Getenv("NO_COLOR") != "" || cfg.File != "", TimeFormat: time.DateTime}
	}
	l.level.next = technical
	l.log = zerolog.New(l.level).With().Timestamp().Logger()
	return l, nil
}

// open makes a rotated file. A folder that cannot be written to must be told at
// the start: later there is no log to tell it in.
func (l *logs) open(cfg LogConfig, path string) (io.Writer, error) {
	w := &timberjack.Logger{Filename: path, MaxSize: cfg.MaxSizeMiB, MaxAge: int(cfg.MaxAge.Std() / (24 * time.Hour)), MaxBackups: cfg.MaxFiles,
		RotationInterval: cfg.RotateEvery.Std(), Compression: "gzip", LocalTime: true, FileMode: 0o640}
	l.files = append(l.files, w)
	if _, err := w.Write(nil); err != nil {
		return nil, fmt.Errorf("open log %s: %w", filepath.Base(path), err)
	}
	return w, nil
}

// Close ends the files.
func (l *logs) Close() error {
	var errs []error
	for _, f := range l.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// tell is the journal of the parts: each fact is a line in plain words, and one
// of names and numbers in the technical log.
func (l *logs) tell(cfg *Config) outbox.Journal {
	words := journalTo(l.journal, cfg.lang(), time.Now, l.dated)
	return func(event string, args map[string]string) {
		words(event, args)
		l.fact(event, args)
	}
}

// factKeys are what the technical log shows of a fact, in this order: nothing
// that is about a person.
func factKeys() []string {
	return []string{"file", "drop", "take", "copy", "company", "number", "id", "api_id", "verdict", "code", "state", "external", "mapping", "invoices"}
}

// fact writes one line about what happened.
func (l *logs) fact(event string, args map[string]string) {
	line := l.log.WithLevel(levelOf(event))
	for _, k := range factKeys() {
		if v := args[k]; v != "" {
			line = line.Str(k, v)
		}
	}
	switch event {
	case "stopped", "unreachable", "trouble", "unserved": // about places and the platform, not about people
		line = line.Str("reason", args["reason"])
	}
	line.Msg(event)
}

func levelOf(event string) zerolog.Level {
	switch event {
	case "stopped", "unserved":
		return zerolog.ErrorLevel
	case "refused", "rejected", "held", "uncertain", "unreachable", "trouble", "returned", "budget":
		return zerolog.WarnLevel
	}
	return zerolog.InfoLevel
}

// gate lets pass what is at least of a level, which may change while the process
// runs.
type gate struct {
	level atomic.Int32
	next  io.Writer
}

func (g *gate) set(level string) {
	l, err := zerolog.ParseLevel(level)
	if err != nil || level == "" {
		l = zerolog.InfoLevel
	}
	g.level.Store(int32(l))
}

// Write passes on what has no level.
func (g *gate) Write(p []byte) (int, error) { return g.next.Write(p) }

// WriteLevel is zerolog's way to write a line.
func (g *gate) WriteLevel(l zerolog.Level, p []byte) (int, error) {
	if l < zerolog.Level(g.level.Load()) {
		return len(p), nil
	}
	if w, ok := g.next.(zerolog.LevelWriter); ok {
		return w.WriteLevel(l, p)
	}
	return g.next.Write(p)
}

// openLog makes the technical log of a command that ends soon: on standard
// error, as a daemon may have the file.
func openLog(cfg LogConfig, w *os.File) zerolog.Logger {
	cfg.File, cfg.JournalFile = "", ""
	l, err := openLogs(cfg, io.Discard, w)
	if err != nil {
		return zerolog.Nop() // cannot be: there is no file
	}
	return l.log
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && terminal(f)
}

func terminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
