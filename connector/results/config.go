package results

import (
	"slices"
	"time"
	"unicode/utf8"

	"einvoice/connector/problem"
	"einvoice/connector/setting"
)

// What the correctable copy of a CSV comes as.
const (
	RefusedCSV  = "csv"
	RefusedXLSX = "xlsx"
)

// The encodings that result files may have.
const (
	UTF8        = "utf-8"
	UTF8BOM     = "utf-8-bom"
	Windows1252 = "windows-1252"
)

// Config is the [results] section: how the files for the ERP are written.
type Config struct {
	// Format is "csv", "json", "xml" or "fixed" (width).
	Format string `toml:"format"`
	// Encoding is "utf-8", "utf-8-bom" or "windows-1252".
	Encoding string `toml:"encoding"`
	// Delimiter stands between columns: one character, such as ";" or "\t".
	Delimiter string `toml:"delimiter"`
	// Decimal is the decimal sign of amounts, "," or ".".
	Decimal string `toml:"decimal"`
	// OKFile adds "<name>.ok" to each result file, written last; it holds the
	// SHA-256 and the name of the file it vouches for.
	OKFile bool `toml:"ok_file"`
	// RefusedAs says how the correctable copy of a CSV is given back: "csv", byte
	// for byte, or "xlsx", a workbook of texts that Excel cannot mangle. "" is xlsx
	// where the language is French, else csv. Other formats come as they are.
	RefusedAs string `toml:"refused_as"`
	// Header begins a delimited or fixed-width file with the names of its columns.
	Header bool `toml:"header"`
	// Widths are those of a fixed-width file's columns, in characters, where they
	// shall not be ours.
	Widths map[string]int `toml:"widths"`
	// StatusEvery is how often status files are cut; changes in between go
	// into one file.
	StatusEvery setting.Duration `toml:"status_every"`
	// StatusPer is "batch", or "event" for a status file per line.
	StatusPer string `toml:"status_per"`
	// StatusAt are times of day, "06:00", at which status files are cut instead.
	StatusAt []string `toml:"status_at"`
	// AckName and StatusName are the one name under which an ERP reads each
	// acknowledgement and status file: the next waits until the last was taken.
	AckName    string `toml:"ack_name"`
	StatusName string `toml:"status_name"`
	// AckColumns and StatusColumns choose and order columns; empty means all.
	AckColumns    []string `toml:"ack_columns"`
	StatusColumns []string `toml:"status_columns"`
	// Places has the whole settings of results places that differ, by company.
	Places map[string]Config `toml:"place"`
}

const (
	perBatch = "batch"
	perEvent = "event"
)

// Of gives the settings of a results place.
func (c Config) Of(place string) Config {
	if own, ok := c.Places[place]; ok {
		return own
	}
	return c
}

// Defaults are what most ERPs in France read: UTF-8, semicolons, decimal comma.
func Defaults() Config {
	return Config{
		Format:      CSV,
		Header:      true,
		Encoding:    UTF8,
		Delimiter:   ";",
		Decimal:     ",",
		StatusEvery: setting.Duration(10 * time.Second),
		StatusPer:   perBatch,
	}
}

// RefusedAsXLSX tells whether correctable copies of CSV files are workbooks.
func (c Config) RefusedAsXLSX(lang problem.Lang) bool {
	return c.RefusedAs == RefusedXLSX || c.RefusedAs == "" && lang == problem.French
}

// Validate reports the section's mistakes; places are the configured companies.
func (c Config) Validate(r setting.Report, places []string) {
	c.validate(r)
	for name, own := range c.Places {
		at := r.In("place." + name)
		at.OneOf("", name, places...)
		own.validate(at)
		if len(own.Places) > 0 {
			at.Wrong("place", "cannot stand within a place")
		}
		if own.RefusedAs != c.RefusedAs {
			at.Wrong("refused_as", "is one for all places: set it in [results]")
		}
	}
}

func (c Config) validate(r setting.Report) {
	r.OneOf("format", c.Format, CSV, JSON, XML, Fixed)
	r.OneOf("status_per", c.StatusPer, perBatch, perEvent)
	if c.Format == JSON && c.Encoding != UTF8 {
		r.Wrong("encoding", "is %q, but JSON is always utf-8", c.Encoding)
	}
	for name, w := range c.Widths {
		if widths()[name] == 0 {
			r.Wrong("widths", "has no column %q", name)
		} else if w < 1 || w > 2000 {
			r.Wrong("widths", "gives %s %d, but a width is from 1 to 2000", name, w)
		}
	}
	for _, at := range c.StatusAt {
		if _, err := time.Parse("15:04", at); err != nil {
			r.Wrong("status_at", `has %q, but must have times of day such as "06:00"`, at)
		}
	}
	validateName(r, "ack_name", c.AckName)
	validateName(r, "status_name", c.StatusName)
	if c.AckName != "" && c.AckName == c.StatusName {
		r.Wrong("status_name", "is the same as ack_name")
	}
	r.OneOf("encoding", c.Encoding, UTF8, UTF8BOM, Windows1252)
	r.OneOf("decimal", c.Decimal, ",", ".")
	r.Between("status_every", c.StatusEvery, setting.Duration(time.Second), setting.Duration(24*time.Hour))
	r.OneOf("refused_as", c.RefusedAs, "", RefusedCSV, RefusedXLSX)
	validateDelimiter(r, c)
	validateColumns(r, "ack_columns", c.AckColumns, names(ackColumns()))
	validateColumns(r, "status_columns", c.StatusColumns, names(statusColumns()))
}

func validateDelimiter(r setting.Report, c Config) {
	d, size := utf8.DecodeRuneInString(c.Delimiter)
	switch {
	case size == 0 || size != len(c.Delimiter):
		r.Wrong("delimiter", `is %q, but must be one character, such as ";" or "\t"`, c.Delimiter)
	case d > '~' || d < ' ' && d != '\t' || d == '"' || isWordy(d):
		r.Wrong("delimiter", `is %q, which occurs in ordinary values; use ";", ",", "|" or "\t"`, c.Delimiter)
	case c.Delimiter == c.Decimal:
		r.Wrong("delimiter", "is %q, the same as the decimal sign; change one of them", c.Delimiter)
	}
}

// isWordy tells signs that numbers, dates and names are made of.
func isWordy(d rune) bool {
	return d >= '0' && d <= '9' || d >= 'A' && d <= 'Z' || d >= 'a' && d <= 'z' ||
		slices.Contains([]rune{' ', '.', '-', '+', '_'}, d)
}

func validateColumns(r setting.Report, key string, chosen, all []string) {
	for i, name := range chosen {
		r.OneOf(key, name, all...)
		if slices.Contains(chosen[:i], name) {
			r.Wrong(key, "names %q twice", name)
		}
	}
}

// validateName wants a plain name of a file, if any.
func validateName(r setting.Report, key, name string) {
	if name != "" && safe(name) != name {
		r.Wrong(key, "is %q, which cannot be the name of a file; write one such as \"statuses.csv\"", name)
	}
}
