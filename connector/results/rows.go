package results

import (
	"io"

	"einvoice/connector/setting"
)

// Dialect is how a delimited file for the ERP is written, wherever it is made.
type Dialect struct {
	Encoding, Delimiter, Decimal string // as in Config
}

func (d Dialect) config() Config {
	return Config{Encoding: d.Encoding, Delimiter: d.Delimiter, Decimal: d.Decimal}
}

// Validate reports mistakes of the dialect and of the columns chosen from all.
func (d Dialect) Validate(r setting.Report, chosen, all []string) {
	r.OneOf("encoding", d.Encoding, UTF8, UTF8BOM, Windows1252)
	r.OneOf("decimal", d.Decimal, ",", ".")
	validateDelimiter(r, d.config())
	validateColumns(r, "columns", chosen, all)
}

// Figure gives a plain number the decimal sign; other texts stay.
func (d Dialect) Figure(s string) string { return d.config().figure(s) }

// Rows writes rows in a dialect: exact data, no cell defused for Excel.
type Rows struct{ t *table }

// NewRows starts a file.
func NewRows(w io.Writer, d Dialect) Rows { return Rows{newTable(w, d.config())} }

// Row writes one row; Flush gives its error.
func (r Rows) Row(cells ...string) { _ = r.t.row(cells...) }

// Flush ends the file and gives the first error of all.
func (r Rows) Flush() error { return r.t.flush() }
