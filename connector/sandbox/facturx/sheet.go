package facturx

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/govalues/decimal"

	"einvoice/connector/cii"
)

// file is what newFile makes: pages of drawing commands and the fonts they use.
type file struct {
	opt           Options
	title, author string
	plain, bold   *typeface
	pages         [][]byte
}

// sheet draws a document from top to bottom, in points from the upper left.
type sheet struct {
	*file
	doc cii.Document
	out strings.Builder
	y   float64
}

// Where things stand.
const (
	left, right  = 42.0, 553.0
	top, bottom  = 48.0, 770.0
	pageHeight   = 841.89
	small, usual = 8.0, 9.0
	maxText      = 4000 // characters of one text on the page; the data have it whole
)

func title(d cii.Document) string {
	switch d.Type {
	case "381", "261", "262", "396", "502", "503":
		return "Avoir " + d.Number
	}
	return "Facture " + d.Number
}

func (s *sheet) draw() {
	s.y = top
	if s.opt.Mark != "" {
		s.text(s.bold, left, usual, s.opt.Mark)
		s.y += 20
	}
	s.text(s.bold, left, 18, title(s.doc))
	s.y += 22
	facts := "Date : " + day(s.doc.IssueDate)
	if !s.doc.DueDate.IsZero() {
		facts += "    Échéance : " + day(s.doc.DueDate)
	}
	s.text(s.plain, left, usual, facts+"    Devise : "+s.doc.Currency)
	s.y += 24
	s.parties()
	s.references()
	s.lines()
	s.taxes()
	s.totals()
	s.footnotes()
	s.flush()
}

// text draws one line at the height y.
func (s *sheet) text(face *typeface, x, size float64, txt string) {
	fmt.Fprintf(&s.out, "BT /%s %.4g Tf %.2f %.2f Td %s Tj ET\n", s.label(face), size, x, pageHeight-s.y, face.show(txt))
}

func (s *sheet) label(face *typeface) string {
	if face == s.bold {
		return "F2"
	}
	return "F1"
}

func (s *sheet) textRight(face *typeface, x, size float64, txt string) {
	s.text(face, x-face.width(txt, size), size, txt)
}

func (s *sheet) rule() {
	fmt.Fprintf(&s.out, "0.5 w %.2f %.2f m %.2f %.2f l S\n", left, pageHeight-s.y-3, right, pageHeight-s.y-3)
}

// room starts a new page when less than h points are left.
func (s *sheet) room(h float64) {
	if s.y+h <= bottom {
		return
	}
	s.flush()
	s.y = top
	s.text(s.plain, left, small, title(s.doc)+" · "+clip(s.doc.Seller.Name, 60))
	s.y += 24
}

// flush ends a page.
func (s *sheet) flush() {
	s.y = 806
	s.text(s.plain, left, small, "Les données de la facture sont dans le fichier joint factur-x.xml.")
	s.textRight(s.plain, right, small, fmt.Sprintf("page %d", len(s.pages)+1))
	s.pages = append(s.pages, []byte(s.out.String()))
	s.out.Reset()
}

func (s *sheet) paragraph(face *typeface, x, width, size float64, txt string) {
	for _, l := range wrap(face, clip(txt, maxText), size, width) {
		s.room(size * 1.4)
		s.text(face, x, size, l)
		s.y += size * 1.4
	}
}

// wrap breaks at spaces, and inside a word that is too wide by itself.
func wrap(face *typeface, txt string, size, width float64) []string {
	var lines []string
	current := ""
	for _, word := range strings.Fields(txt) {
		if joined := strings.TrimSpace(current + " " + word); face.width(joined, size) <= width {
			current = joined
			continue
		}
		if current != "" {
			lines = append(lines, current)
		}
		for face.width(word, size) > width {
			runes := []rune(word)
			n := len(runes)
			for n > 1 && face.width(string(runes[:n]), size) > width {
				n--
			}
			lines = append(lines, string(runes[:n]))
			word = string(runes[n:])
		}
		current = word
	}
	return append(lines, current)
}

func clip(s string, n int) string {
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n]) + "…"
	}
	return s
}

func (s *sheet) parties() {
	start, end := s.y, s.y
	for i, p := range []cii.Party{s.doc.Seller, s.doc.Buyer} {
		x := left + float64(i)*265
		s.y = start
		s.text(s.plain, x, small, []string{"Émetteur", "Destinataire"}[i])
		s.y += 13
		s.paragraph(s.bold, x, 245, usual, clip(p.Name, 200))
		ids := []string{p.Street, strings.TrimSpace(p.ZIP + " " + p.City + " " + p.Country)}
		for _, id := range [][2]string{{"SIREN ", p.SIREN}, {"SIRET ", p.SIRET}, {"TVA ", p.VATID}} {
			if id[1] != "" {
				ids = append(ids, id[0]+id[1])
			}
		}
		for _, l := range append(ids, p.Email) {
			if l != "" {
				s.paragraph(s.plain, x, 245, usual, clip(l, 200))
			}
		}
		end = max(end, s.y)
	}
	s.y = end + 10
}

func (s *sheet) references() {
	for _, r := range [][2]string{{"Code service : ", s.doc.Reference}, {"Numéro d'engagement : ", s.doc.Order}} {
		if r[1] != "" {
			s.paragraph(s.plain, left, right-left, usual, r[0]+r[1])
		}
	}
	for _, p := range s.doc.Preceding {
		s.paragraph(s.plain, left, right-left, usual, "Facture d'origine : "+p.Number+" "+day(p.Date))
	}
	s.y += 8
}

// columns are the right edges of quantity, price, rate and net amount.
const quantityAt, priceAt, rateAt, netAt = 340.0, 415.0, 470.0, right

func (s *sheet) row(face *typeface, quantity, price, rate, net string) {
	for _, c := range []struct {
		at  float64
		txt string
	}{{quantityAt, quantity}, {priceAt, price}, {rateAt, rate}, {netAt, net}} {
		s.textRight(face, c.at, usual, c.txt)
	}
}

func (s *sheet) lines() {
	s.room(40)
	s.text(s.bold, left, usual, "Désignation")
	s.row(s.bold, "Quantité", "Prix HT", "TVA", "Montant HT")
	s.rule()
	s.y += 15
	for _, l := range s.doc.Lines {
		s.room(14)
		s.row(s.plain, figure(l.Quantity)+" "+clip(l.Unit, 6), figure(l.Price), percent(l.Category, l.Rate), money(l.Net))
		s.paragraph(s.plain, left, 235, usual, l.Name)
		s.y += 2
	}
	s.rule()
	s.y += 18
}

func (s *sheet) taxes() {
	for _, t := range s.doc.Taxes {
		s.room(14)
		s.text(s.plain, left, usual, "TVA "+percent(t.Category, t.Rate))
		s.textRight(s.plain, rateAt, usual, "base "+money(t.Taxable))
		s.textRight(s.plain, netAt, usual, money(t.Tax))
		s.y += 13
		if t.Reason != "" {
			s.paragraph(s.plain, left+10, 300, small, t.Reason)
		}
	}
	s.y += 6
}

func (s *sheet) totals() {
	s.room(60)
	rows := [][2]string{{"Total HT", money(s.doc.Net)}, {"Total TVA", money(s.doc.Tax)}, {"Total TTC", money(s.doc.Gross)}}
	if !s.doc.Prepaid.IsZero() {
		rows = append(rows, [2]string{"Acompte", money(s.doc.Prepaid)})
	}
	for _, r := range append(rows, [2]string{"Net à payer", money(s.doc.Payable)}) {
		s.textRight(s.bold, rateAt, usual, r[0])
		s.textRight(s.bold, netAt, usual, r[1]+" "+s.doc.Currency)
		s.y += 14
	}
	s.y += 10
}

func (s *sheet) footnotes() {
	if s.doc.IBAN != "" {
		s.paragraph(s.plain, left, right-left, usual, "Paiement sur le compte "+s.doc.IBAN)
	}
	for _, n := range s.doc.Notes {
		s.paragraph(s.plain, left, right-left, small, n.Text)
	}
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format("02/01/2006")
}

func figure(d decimal.Decimal) string {
	return strings.Replace(d.Trim(0).String(), ".", ",", 1)
}

func percent(category string, rate decimal.Decimal) string {
	if category == "O" {
		return "hors champ"
	}
	return figure(rate) + " %"
}

// money groups thousands as French texts do.
func money(d decimal.Decimal) string {
	whole, cents, _ := strings.Cut(d.Abs().Trim(2).Pad(2).String(), ".")
	var b strings.Builder
	for i, c := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteRune('\u00a0')
		}
		b.WriteRune(c)
	}
	sign := ""
	if d.IsNeg() {
		sign = "-"
	}
	return sign + b.String() + "," + cmp.Or(cents, "00")
}
