package pdf

import "strings"

// colour is a shade that the page is drawn in.
type colour int

// The shades of the page; it must survive a black-and-white printer.
const (
	black colour = iota
	grey
	accent // titles and rules
	pale   // behind table heads and totals
	alert  // behind a note
)

func (c colour) rgb() (r, g, b int) {
	switch c {
	case grey:
		return 95, 99, 104
	case accent:
		return 31, 56, 84
	case pale:
		return 238, 242, 246
	case alert:
		return 255, 244, 214
	}
	return 0, 0, 0
}

func (s *sheet) ink(c colour) {
	r, g, b := c.rgb()
	s.SetTextColor(r, g, b)
}

func (s *sheet) style(style string, points float64) { s.SetFont(fontFamily, style, points) }

// text writes one line in a box of the width w whose top left corner is x, y.
// What is too long for it gets smaller, then cut.
func (s *sheet) text(x, y, w float64, align, txt string) {
	txt = strings.ReplaceAll(s.clean(txt, maxLine), "\n", " ")
	points, _ := s.GetFontSize()
	size := points
	for s.GetStringWidth(txt) > w && size > 4 {
		size -= 0.5
		s.SetFontSize(size)
	}
	for runes := []rune(txt); s.GetStringWidth(txt) > w && len(runes) > 1; {
		runes = runes[:len(runes)*9/10]
		txt = string(runes) + "…"
	}
	s.SetXY(x, y)
	s.CellFormat(w, lineHeight(points), txt, "", 0, align+"M", false, 0, "")
	s.SetFontSize(points)
}

// paragraph writes wrapped text from s.y on, over page breaks, and moves s.y.
func (s *sheet) paragraph(x, w float64, txt string) {
	points, _ := s.GetFontSize()
	for _, line := range s.wrap(txt, w) {
		s.room(lineHeight(points))
		s.text(x, s.y, w, "L", line)
		s.y += lineHeight(points)
	}
}

// wrap breaks a text into lines of the current font.
func (s *sheet) wrap(txt string, w float64) []string {
	return s.SplitText(s.clean(txt, maxText), w)
}

// lineHeight is the distance in millimetres between lines of a size in points.
func lineHeight(points float64) float64 { return points * 0.3528 * 1.35 }

func (s *sheet) fill(x, y, w, h float64, c colour) {
	r, g, b := c.rgb()
	s.SetFillColor(r, g, b)
	s.Rect(x, y, w, h, "F")
}

func (s *sheet) box(x, y, w, h float64) {
	r, g, b := accent.rgb()
	s.SetDrawColor(r, g, b)
	s.SetLineWidth(0.2)
	s.Rect(x, y, w, h, "D")
}

// rule draws a line across the page.
func (s *sheet) rule(y, thick float64) { s.ruleFrom(left, right, y, thick) }

func (s *sheet) ruleFrom(x1, x2, y, thick float64) {
	r, g, b := accent.rgb()
	s.SetDrawColor(r, g, b)
	s.SetLineWidth(thick)
	s.Line(x1, y, x2, y)
}

// heading writes the small title of a section and keeps it with what follows.
func (s *sheet) heading(txt string, follows float64) {
	s.room(8 + follows)
	s.y += 2
	s.style(strong, 9)
	s.ink(accent)
	s.text(left, s.y, width, "L", txt)
	s.y += 5
	s.style(plain, 8.5)
	s.ink(black)
}
