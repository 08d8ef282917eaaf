// Package mappers turns an export into invoices and problems by a declarative
// mapping, and gives back the part of an export that somebody has to correct.
//
// Four kinds of export (CSV, XLSX, XML, fixed width) are read as documents made of
// nodes, a row, a record or an XML element; one binder turns a document into an invoice by the bindings that
// Load compiled. README.md beside this file is the manual of the language.
package mappers

import (
	"io"

	"einvoice/connector"
	"einvoice/connector/problem"
)

// Export is a file to read. Open may be called several times; every reader it
// gives is closed.
type Export struct {
	Name    string // as dropped; it stands in every position
	Open    func() (io.ReadSeekCloser, error)
	Size    int64  // bytes
	TempDir string // where a workbook or a regrouping may spill; "" is the system's

	// Parts are the files of an export that consists of several, each with its
	// own Name and Open; Name is then what they have in common.
	Parts []Export

	// Original is the name of the export that this one is a correctable copy of;
	// "" when it is none. It stands for {export} in the names of files beside it.
	Original string

	// Beside opens a file that stands beside the export, such as the PDF of an
	// invoice; nil: there is none. An error that is fs.ErrNotExist means absent.
	Beside func(name string) (io.ReadCloser, error)
}

func (e Export) called() string {
	if e.Original != "" {
		return e.Original
	}
	return e.Name
}

// Result is one document of an export: an invoice, or what is left of one, with
// what is wrong with it. An invoice with a problem that refuses must not go.
type Result struct {
	Ordinal  int               // 1 for the first document of the export
	Rows     string            // its rows as people write them: "14-18"
	Row      int               // its first row
	Invoice  connector.Invoice // as read; Complete derives the rest
	Problems []problem.Problem // with position, value and remedy
	Origins  Origins           // where each value came from; to be asked before yield returns
	Ignored  string            // not empty: the mapping leaves this document out, and why
	Release  string            // what stands in the _release (_liberer) column of a corrected copy
	Spoils   int               // not 0: the ordinal of an earlier result that this one proves to be incomplete; refuse that one too
}

// Refused tells whether a problem keeps the invoice from going.
func (r Result) Refused() bool { return refuses(r.Problems) }

func refuses(ps []problem.Problem) bool {
	for _, p := range ps {
		if p.Severity == problem.Refuse {
			return true
		}
	}
	return false
}

// Report is what there is to say about an export as a whole.
type Report struct {
	Encoding string            // that the file was read in; "" for XLSX
	Rows     int               // rows, or XML invoices, that were read
	Problems []problem.Problem // of the file: a missing column refuses it, a doubtful encoding warns
	Controls Controls
	Unused   []string // columns of the tables that the mapping does not name
}

// Refused tells whether a problem keeps every invoice of the export from going.
func (r Report) Refused() bool { return refuses(r.Problems) }

// Controls are the figures that let a person compare the export with its ERP.
type Controls struct {
	Documents int // invoices read, ignored ones not counted
	Ignored   int
	Lines     int
	Stated    []Stated // what the export's trailer gives
}

// Stated is a control total of the ERP beside ours, in plain figures: "count" of
// all documents, ignored ones too, or "total" including VAT of the others.
type Stated struct {
	Name, Stated, Computed string
}
