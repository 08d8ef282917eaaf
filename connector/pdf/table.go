package pdf

import (
	"fmt"

	"einvoice/connector"
)

// maxPages bounds the table; beyond it the page refers to the document itself.
const maxPages = 300

const (
	rowPoints = 8.5
	headPad   = 1.6
)

// cell is a column of the table of lines.
type cell struct {
	w     float64
	align string
}

func cells() [7]cell {
	return [7]cell{{9, "L"}, {70, "L"}, {20, "R"}, {16, "L"}, {25, "R"}, {15, "R"}, {25, "R"}}
}

// lines draws the table. Its head comes again on each page.
func (s *sheet) lines() {
	s.room(20)
	s.tableHead()
	whole := true
	for i, l := range s.inv.Lines {
		if whole = s.PageCount() < maxPages; !whole {
			break
		}
		s.line(i+1, l)
	}
	s.rule(s.y, 0.4)
	if !whole {
		s.y += 1
		s.style(strong, rowPoints)
		s.paragraph(left, width, s.t.more)
	}
}

func (s *sheet) tableHead() {
	h := lineHeight(8) + 2*headPad
	s.fill(left, s.y, width, h, pale)
	s.ruleFrom(left, right, s.y+h, 0.4)
	s.style(strong, 8)
	s.ink(accent)
	s.row(s.y+headPad, s.t.columns)
	s.ink(black)
	s.y += h + 1
	s.style(plain, rowPoints)
}

// row writes one line of text in each column.
func (s *sheet) row(y float64, values [7]string) {
	const pad = 1.2
	x := left
	for i, c := range cells() {
		if values[i] != "" {
			s.text(x+pad, y, c.w-2*pad, c.align, values[i])
		}
		x += c.w
	}
}

// line draws one invoice line. Its description may go over several lines of
// text and, where it is longer than what is left, over pages.
func (s *sheet) line(n int, l connector.Line) {
	s.style(plain, rowPoints)
	described := s.wrap(l.Description, cells()[1].w-2.4)
	if l.Item != "" {
		described = append(described, s.t.item+l.Item)
	}
	if len(described) == 0 {
		described = []string{""}
	}
	const together = 8 // lines of text that are kept on one page
	h := lineHeight(rowPoints)
	s.tableRoom(h * float64(min(len(described), together)))
	values := [7]string{
		fmt.Sprint(n), "", s.t.number(l.Quantity, 0), s.t.unit(l.Unit),
		s.money(l.UnitPrice), s.t.rate(l.Category, l.Rate), s.money(l.Net),
	}
	for _, txt := range described {
		s.tableRoom(h)
		values[1] = txt
		s.row(s.y, values)
		values = [7]string{}
		s.y += h
	}
	s.SetDrawColor(215, 220, 226)
	s.SetLineWidth(0.1)
	s.Line(left, s.y+0.7, right, s.y+0.7)
	s.y += 1.4
}

func (s *sheet) tableRoom(h float64) {
	if s.room(h + 1.4) {
		s.tableHead()
	}
}
