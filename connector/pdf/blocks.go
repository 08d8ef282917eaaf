package pdf

import (
	"fmt"
	"math"
	"strings"

	"einvoice/connector"
)

// head writes the title, the number, and what the page is.
func (s *sheet) head() {
	const markWidth = 66.0
	s.style(strong, 20)
	s.ink(accent)
	s.text(left, s.y, width-markWidth-5, "L", s.title())
	s.style(strong, 12)
	s.ink(black)
	s.text(left, s.y+10, width-markWidth-5, "L", s.t.pick("N° ", "No. ")+s.inv.Number)

	x := right - markWidth
	s.box(x, s.y, markWidth, 13)
	s.style(strong, 9)
	s.ink(accent)
	s.text(x+2, s.y+2, markWidth-4, "C", copyMark)
	s.style(plain, 7.5)
	s.ink(grey)
	s.text(x+2, s.y+7, markWidth-4, "C", s.t.original)
	s.ink(black)
	s.y += 19
}

// note stands out: it is what the reader must know before paying.
func (s *sheet) note() {
	if strings.TrimSpace(s.doc.Note) == "" {
		return
	}
	const most = 12 // lines; a note is a sentence or two
	s.style(strong, 9)
	lines := s.wrap(s.doc.Note, width-6)
	lines = lines[:min(len(lines), most)]
	h := lineHeight(9)*float64(len(lines)) + 4
	s.fill(left, s.y, width, h, alert)
	s.box(left, s.y, width, h)
	for i, line := range lines {
		s.text(left+3, s.y+2+lineHeight(9)*float64(i), width-6, "L", line)
	}
	s.y += h + 4
}

// fact is a label and its value.
type fact struct{ label, value string }

func (s *sheet) facts() {
	inv, t := s.inv, s.t
	all := []fact{
		{t.issued, t.date(inv.IssueDate)}, {t.due, t.date(inv.DueDate)},
		{t.delivered, t.date(inv.Deliver)}, {t.currency, inv.Currency},
		{t.commitment, inv.CommitmentNumber}, {t.service, inv.ServiceCode},
		{t.frame, inv.Frame},
	}
	for _, ref := range inv.Preceding[:min(len(inv.Preceding), 8)] {
		all = append(all, fact{t.preceding, strings.TrimSpace(ref.Number + "  " + t.date(ref.Date))})
	}
	const columns, h = 4, 10.0
	const w = width / columns
	i := 0
	for _, f := range all {
		if f.value == "" {
			continue
		}
		x, y := left+w*float64(i%columns), s.y+h*float64(i/columns)
		s.style(plain, 7.5)
		s.ink(grey)
		s.text(x, y, w-3, "L", f.label)
		s.style(strong, 9)
		s.ink(black)
		s.text(x, y+3.6, w-3, "L", f.value)
		i++
	}
	s.y += h*math.Ceil(float64(i)/columns) + 2
}

// parties draws seller and buyer side by side, in boxes of one height.
func (s *sheet) parties() {
	const gap = 6.0
	const w = (width - gap) / 2
	seller, buyer := s.partyLines(s.inv.Seller, w-6), s.partyLines(s.inv.Buyer, w-6)
	h := 8.5 + lineHeight(9)*float64(max(len(seller), len(buyer)))
	s.room(h)
	s.party(left, w, h, s.t.seller, seller)
	s.party(left+w+gap, w, h, s.t.buyer, buyer)
	s.y += h + 6
}

func (s *sheet) party(x, w, h float64, label string, lines []fact) {
	s.box(x, s.y, w, h)
	s.style(plain, 7)
	s.ink(grey)
	s.text(x+3, s.y+2, w-6, "L", label)
	s.ink(black)
	y := s.y + 7
	for _, l := range lines {
		s.style(l.label, 9)
		s.text(x+3, y, w-6, "L", l.value)
		y += lineHeight(9)
	}
}

// partyLines are the lines of a party's box; a label is the style of its value.
func (s *sheet) partyLines(p connector.Party, w float64) []fact {
	var lines []fact
	add := func(style, txt string, most int) {
		s.style(style, 9)
		wrapped := s.wrap(strings.TrimSpace(txt), w)
		for _, line := range wrapped[:min(len(wrapped), most)] {
			if line != "" {
				lines = append(lines, fact{style, line})
			}
		}
	}
	add(strong, p.Name, 3)
	add(plain, p.Address.Street, 4)
	add(plain, town(p.Address), 2)
	if p.FiscalID != "" {
		add(plain, idLabel(p.FiscalID)+s.t.colon+p.FiscalID, 1)
	}
	if p.VATID != "" {
		add(plain, s.t.vatID+s.t.colon+p.VATID, 1)
	}
	add(plain, p.Email, 1)
	return lines
}

// town is the last line of an address: "33000 Bordeaux (FR)".
func town(a connector.Address) string {
	line := strings.TrimSpace(a.ZIP + " " + a.City)
	if a.Country == "" {
		return line
	}
	return strings.TrimSpace(line + " (" + a.Country + ")")
}

func idLabel(id string) string {
	switch len(id) {
	case 9:
		return "SIREN"
	case 14:
		return "SIRET"
	}
	return "ID"
}

// sums draws the VAT breakdown and, beside it, the totals.
func (s *sheet) sums() {
	const most = 30 // groups of VAT; more than that is no invoice
	taxes := s.inv.Taxes[:min(len(s.inv.Taxes), most)]
	h := 5.5
	totals := s.totals()
	s.room(6 + h*float64(max(len(taxes)+2, len(totals)+1)))
	s.y += 5
	start := s.y
	s.vat(left, 98, h, taxes)
	end := s.y
	s.y = start
	s.sumBox(right-72, 72, h, totals)
	s.y = max(s.y, end) + 3
	s.exemptions()
}

func (s *sheet) vat(x, w, h float64, taxes []connector.Tax) {
	if len(taxes) == 0 {
		return
	}
	cells := func(style, a, b, c string) {
		s.style(style, 8.5)
		s.text(x+2, s.y+0.8, w*0.3-2, "L", a)
		s.text(x+w*0.3, s.y+0.8, w*0.35-2, "R", b)
		s.text(x+w*0.65, s.y+0.8, w*0.35-2, "R", c)
		s.y += h
	}
	s.fill(x, s.y, w, h, pale)
	s.ink(accent)
	cells(strong, s.t.vat, s.t.base, s.t.tax)
	s.ink(black)
	for _, tax := range taxes {
		cells(plain, s.t.rate(tax.Category, tax.Rate), s.money(tax.Taxable), s.money(tax.Tax))
	}
	s.ruleFrom(x, x+w, s.y, 0.2)
}

// rate shows the category where it is not the standard one.
func (t texts) rate(category string, rate connector.Amount) string {
	if category == "" || category == "S" {
		return t.percent(rate)
	}
	return strings.TrimSpace(t.percent(rate) + " (" + category + ")")
}

func (s *sheet) money(a connector.Amount) string {
	return s.t.number(a, connector.MinorUnit(s.inv.Currency))
}

func (s *sheet) totals() []fact {
	t, in := s.t, s.inv.Totals
	due := t.payable
	if s.inv.IsCredit() {
		due = t.refund
	}
	rows := []fact{{t.net, s.money(in.Net)}, {t.vatTotal, s.money(in.Tax)}, {t.gross, s.money(in.Gross)}}
	if in.Prepaid.Present() && !in.Prepaid.Or0().IsZero() {
		rows = append(rows, fact{t.prepaid, s.money(in.Prepaid)})
	}
	if in.Rounded.Present() && !in.Rounded.Or0().IsZero() {
		rows = append(rows, fact{t.rounded, s.money(in.Rounded)})
	}
	return append(rows, fact{due, strings.TrimSpace(s.money(in.AmountDue()) + " " + s.inv.Currency)})
}

func (s *sheet) sumBox(x, w, h float64, rows []fact) {
	for i, row := range rows {
		s.style(plain, 9)
		if i == len(rows)-1 {
			h += 2
			s.fill(x, s.y, w, h, pale)
			s.ruleFrom(x, x+w, s.y, 0.4)
			s.style(strong, 10.5)
		}
		s.text(x+2, s.y+(h-lineHeight(9))/2, w*0.5-2, "L", row.label)
		s.text(x+w*0.45, s.y+(h-lineHeight(9))/2, w*0.55-2, "R", row.value)
		s.y += h
	}
}

// exemptions lists why no VAT is due, each reason once.
func (s *sheet) exemptions() {
	said := map[string]bool{"": true}
	s.style(plain, 8.5)
	for _, l := range s.inv.Lines {
		if said[l.Exemption] || len(said) > 20 {
			continue
		}
		said[l.Exemption] = true
		s.paragraph(left, width, l.Exemption)
	}
}

func (s *sheet) payment() {
	p, t := s.inv.Payment, s.t
	rows := []fact{{t.means, t.paying(p.Means)}, {t.due, t.date(s.inv.DueDate)}, {t.iban, grouped(p.IBAN)}, {t.bic, p.BIC}, {t.terms, p.Terms}}
	if p.Means+p.IBAN+p.BIC+p.Terms == "" {
		return
	}
	s.heading(t.payment, 10)
	for _, row := range rows {
		if row.value == "" {
			continue
		}
		s.room(5)
		s.ink(grey)
		s.text(left, s.y, 34, "L", row.label)
		s.ink(black)
		s.paragraph(left+36, width-36, row.value)
	}
}

func (s *sheet) remarks() {
	const most = 50
	if notes := s.inv.Notes[:min(len(s.inv.Notes), most)]; len(notes) > 0 {
		s.heading(s.t.remarks, 5)
		for _, note := range notes {
			s.paragraph(left, width, note)
			s.y += 1
		}
	}
	if attached := s.inv.Attached[:min(len(s.inv.Attached), most)]; len(attached) > 0 {
		s.heading(s.t.attaching, 5)
		for _, a := range attached {
			s.paragraph(left, width, strings.TrimSuffix(fmt.Sprintf("%s · %s", a.Filename, a.Description), " · "))
		}
	}
}
