package pdf

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/unicode/norm"
)

// Bounds of what one text may bring onto the page, in characters.
const (
	maxLine = 400
	maxText = 6000
)

// glyphs knows which characters the embedded font can show.
type glyphs struct {
	font *sfnt.Font
	buf  sfnt.Buffer
	seen map[rune]bool
}

func newGlyphs() (*glyphs, error) {
	font, err := sfnt.Parse(goregular.TTF)
	if err != nil {
		return nil, err
	}
	return &glyphs{font: font, seen: map[rune]bool{}}, nil
}

func (g *glyphs) has(r rune) bool {
	ok, known := g.seen[r]
	if !known {
		// The PDF writer indexes its widths by character and knows the basic
		// plane only.
		if r <= 0xffff {
			i, err := g.font.GlyphIndex(&g.buf, r)
			ok = err == nil && i != 0
		}
		g.seen[r] = ok
	}
	return ok
}

// show is a character, or what stands best for one that the font lacks.
func (g *glyphs) show(r rune) string {
	switch {
	case r == '\n':
		return "\n"
	case r == '\u202f' || r == '\u2007' || r == '\u2009' || r == '\u00a0':
		return "\u00a0"
	case unicode.IsSpace(r) || r == '\ufeff':
		return " "
	case unicode.Is(unicode.C, r) || unicode.Is(unicode.Mn, r):
		return ""
	case g.has(r):
		return string(r)
	}
	if base, _ := utf8.DecodeRuneInString(norm.NFKD.String(string(r))); g.has(base) {
		return string(base)
	}
	return "?"
}

// clean makes a text from outside drawable: composed, without control
// characters, at most limit characters long.
func (s *sheet) clean(txt string, limit int) string {
	// The cut comes first: normalising megabytes of a hostile text is work too.
	if len(txt) > 4*limit {
		txt = txt[:4*limit]
	}
	txt = norm.NFC.String(strings.ToValidUTF8(strings.ReplaceAll(txt, "\r\n", "\n"), ""))
	var b strings.Builder
	n := 0
	for _, r := range txt {
		if n++; n > limit {
			b.WriteString("…")
			break
		}
		b.WriteString(s.glyph.show(r))
	}
	return b.String()
}
