// Package pdf draws the readable page of an invoice or credit note: what an
// accountant prints, files and ticks off. It is a copy for reading; the original
// is the electronic document.
package pdf

import (
	"fmt"
	"io"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"

	"einvoice/connector"
	"einvoice/connector/problem"
)

// Document is what a readable page shows.
type Document struct {
	Invoice connector.Invoice
	Lang    problem.Lang
	// Received is when the invoice came, in the zone it is to be shown in. It is
	// the file's creation date too: the same document gives the same bytes.
	Received time.Time
	// Note stands out at the top of the first page, such as a warning that the
	// bank account has changed; "" for none.
	Note string
}

// Measures of the page, in millimetres.
const (
	left, right   = 15.0, 195.0
	width         = right - left
	top, bottom   = 15.0, 278.0
	runningTop    = 24.0 // where text starts on the second page and later ones
	fontFamily    = "go"
	plain, strong = "", "B"
)

// sheet is a document being drawn from top to bottom.
type sheet struct {
	*fpdf.Fpdf
	inv   *connector.Invoice
	doc   Document
	t     texts
	glyph *glyphs
	y     float64 // where the next thing goes
}

// Write draws the document as PDF, A4, on as many pages as it takes. The text
// comes from strangers: what the font lacks is replaced, what is endless is cut.
func Write(w io.Writer, d Document) error {
	s, err := newSheet(d)
	if err != nil {
		return fmt.Errorf("draw readable page: %w", err)
	}
	s.head()
	s.note()
	s.facts()
	s.parties()
	s.lines()
	s.sums()
	s.payment()
	s.remarks()
	s.frames()
	if err := s.Output(w); err != nil {
		return fmt.Errorf("write readable page: %w", err)
	}
	return nil
}

func newSheet(d Document) (*sheet, error) {
	glyph, err := newGlyphs()
	if err != nil {
		return nil, err
	}
	f := fpdf.New("P", "mm", "A4", "")
	f.AddUTF8FontFromBytes(fontFamily, plain, goregular.TTF)
	f.AddUTF8FontFromBytes(fontFamily, strong, gobold.TTF)
	s := &sheet{Fpdf: f, inv: &d.Invoice, doc: d, t: textsIn(d.Lang), glyph: glyph}
	s.describe()
	f.SetMargins(left, top, 210-right)
	f.SetCellMargin(0)
	f.SetAutoPageBreak(false, 0)
	f.AddPage()
	s.y = top
	return s, nil
}

// describe sets the file's own data. Nothing of it may come from the clock or
// from chance.
func (s *sheet) describe() {
	when := s.doc.Received.UTC()
	if when.IsZero() {
		when = time.Unix(0, 0).UTC()
	}
	s.SetCreationDate(when)
	s.SetModificationDate(when)
	s.SetCatalogSort(true)
	s.SetTitle(s.clean(s.title()+" "+s.inv.Number, 200), true)
	s.SetAuthor(s.clean(s.inv.Seller.Name, 200), true)
	s.SetCreator("einvoice", true)
	s.SetLang(s.t.lang)
}

// room starts a new page when less than h millimetres are left.
func (s *sheet) room(h float64) (fresh bool) {
	if s.y+h <= bottom {
		return false
	}
	s.AddPage()
	s.y = runningTop
	return true
}

// frames draws what stands on every page, when their number is known.
func (s *sheet) frames() {
	total := s.PageCount()
	for page := 1; page <= total; page++ {
		s.SetPage(page)
		s.ink(grey)
		if page > 1 {
			s.style(plain, 8)
			s.text(left, 13, 120, "L", s.title()+" "+s.inv.Number+" · "+s.inv.Seller.Name)
			s.text(right-55, 13, 55, "R", copyMark)
			s.rule(18, 0.2)
		}
		s.style(plain, 7.5)
		s.rule(283, 0.2)
		s.text(left, 284.5, 140, "L", s.footer())
		s.text(right-30, 284.5, 30, "R", fmt.Sprintf("%s %d/%d", s.t.page, page, total))
	}
}

func (s *sheet) footer() string {
	if s.doc.Received.IsZero() {
		return s.t.original
	}
	return s.t.original + " " + s.t.received + " " + s.t.date(connector.DateOf(s.doc.Received)) + "."
}
