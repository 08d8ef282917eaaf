package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"einvoice/connector/drop"
	"einvoice/connector/drop/sftpplace"
	"einvoice/connector/problem"
	"einvoice/connector/results"
	"einvoice/connector/setting"
)

// errConfig wraps every mistake of the configuration: exit code 4.
var errConfig = errors.New("configuration invalid")

// misconfigured are the mistakes of one file, told in its language.
type misconfigured struct {
	of     error // errConfig, or what wraps it
	faults setting.Faults
}

// Error heads the mistakes with what is wrong.
func (e misconfigured) Error() string {
	lang := problem.Lang(e.faults.Lang)
	return translated(lang, "%s:\n", translated(lang, e.of.Error())) + e.faults.Error()
}

// Unwrap gives both: what it is about, and the mistakes.
func (e misconfigured) Unwrap() []error { return []error{e.of, e.faults} }

// loadConfig reads and checks a configuration file. All mistakes come at once,
// as setting.Faults.
func loadConfig(path string) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: read %s: %w (name yours with -c FILE, or make one with: einvoice init --dir FOLDER)", errConfig, path, err)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errConfig, err)
	}
	c, faults := parseConfig(setting.Text(data))
	if len(faults) > 0 {
		all := setting.Faults{File: path, Lang: c.Language, List: faults}
		all.Sort()
		return nil, misconfigured{errConfig, all}
	}
	c.file, c.dir = abs, filepath.Dir(abs)
	c.resolvePaths()
	c.takeCredentials(os.Getenv)
	return c, nil
}

func parseConfig(data []byte) (*Config, []setting.Fault) {
	c := defaultConfig()
	c.Folders = Folders{}
	known := keysOf(reflect.TypeOf(c), "")
	data, faults := decodeAll(data, &c, known)
	if err := decodeItems(data, &c); err != nil && len(faults) == 0 {
		faults = append(faults, setting.Fault{Spot: setting.Spot{Line: 1, Column: 1}, Mistake: setting.MistakeOf("", setting.Syntax(err.Error()))})
	}
	c.complete()
	if syntax(faults) { // the rest was not read: what looks missing may be there
		return &c, faults
	}
	spots := setting.Positions(data)
	r := setting.NewReport()
	c.validate(r)
	for _, m := range r.Mistakes() {
		faults = append(faults, setting.Fault{Spot: setting.At(spots, m.Key), Mistake: m})
	}
	return &c, faults
}

// maxTypeFaults bounds how many values of a wrong type are told at once.
const maxTypeFaults = 50

// decodeAll decodes and, as the decoder stops at the first value of a wrong
// type, blanks that line and goes on, so that all mistakes come at once. It
// returns the text that could be read in the end.
func decodeAll(data []byte, c *Config, known []string) ([]byte, []setting.Fault) {
	var told []setting.Fault
	for range maxTypeFaults {
		faults := setting.Decode(data, c, known)
		wrong := slices.IndexFunc(faults, func(f setting.Fault) bool { return f.Key != "" && !strings.HasPrefix(f.Text, "unknown key") })
		if wrong < 0 {
			return data, append(told, faults...)
		}
		told = append(told, faults[wrong])
		lines := bytes.SplitAfter(data, []byte("\n"))
		lines[faults[wrong].Line-1] = []byte("\n")
		data = bytes.Join(lines, nil)
	}
	return data, told
}

// syntax tells whether decoding stopped early.
func syntax(faults []setting.Fault) bool {
	for _, f := range faults {
		if f.Key == "" {
			return true
		}
	}
	return false
}

// settleSFTP is the time between two listings of a server that find a file
// unchanged, where the drop does not say otherwise.
const settleSFTP = 10 * time.Second

// decodeItems reads each [[drop]] and [[sftp]] again over the defaults: the
// decoder starts every element of an array of tables empty.
func decodeItems(data []byte, c *Config) error {
	var raw struct {
		Drops []map[string]any `toml:"drop"`
		SFTP  []map[string]any `toml:"sftp"`

		Results struct {
			Place map[string]map[string]any `toml:"place"`
		} `toml:"results"`
	}
	if err := toml.Unmarshal(data, &raw); err != nil {
		return err
	}
	if err := overResults(raw.Results.Place, &c.Results); err != nil {
		return err
	}
	err := overDefaults(raw.Drops, c.Drops, func(m map[string]any) drop.Config {
		d := drop.Defaults()
		if at, _ := m["path"].(string); sftpplace.Is(at) {
			d.Settle = setting.Duration(settleSFTP)
		}
		return d
	})
	return errors.Join(err, overDefaults(raw.SFTP, c.SFTP, func(map[string]any) sftpplace.Config { return sftpplace.Defaults() }))
}

// overResults reads the settings of each results place over those of [results].
func overResults(raw map[string]map[string]any, c *results.Config) error {
	for name, m := range raw {
		one, err := toml.Marshal(m)
		if err != nil {
			return err
		}
		own := *c
		own.Places, own.Widths = nil, maps.Clone(c.Widths)
		if err := toml.Unmarshal(one, &own); err != nil {
			return err
		}
		c.Places[name] = own
	}
	return nil
}

func overDefaults[T any](raw []map[string]any, items []T, defaults func(map[string]any) T) error {
	for i, m := range raw {
		one, err := toml.Marshal(m)
		if err != nil {
			return err
		}
		item := defaults(m)
		if err := toml.Unmarshal(one, &item); err != nil {
			return err
		}
		if i < len(items) {
			items[i] = item
		}
	}
	return nil
}
