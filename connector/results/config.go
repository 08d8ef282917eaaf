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
	// StatusEvery is how often status files are cut; changes in between go
	// into one file.
	StatusEvery setting.Duration `toml:"status_every"`
	// AckColumns and StatusColumns choose and order columns; empty means all.
	AckColumns    []string `toml:"ack_columns"`
	StatusColumns []string `toml:"status_columns"`
}

// Defaults are what most ERPs in France read: UTF-8, semicolons, decimal comma.
func Defaults() Config {
	return Config{
		Encoding:    UTF8,
		Delimiter:   ";",
		Decimal:     ",",
		StatusEvery: setting.Duration(10 * time.Second),
	}
}

// RefusedAsXLSX tells whether correctable copies of CSV files are workbooks.
func (c Config) RefusedAsXLSX(lang problem.Lang) bool {
	return c.RefusedAs == RefusedXLSX || c.RefusedAs == "" && lang == problem.French
}

// Validate reports the section's mistakes.
func (c Config) Validate(r setting.Report) {
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
