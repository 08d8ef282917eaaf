package facturx

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/norm"
)

func regularTTF() []byte { return goregular.TTF }
func boldTTF() []byte    { return gobold.TTF }

// typeface is an embedded font; it remembers the glyphs that were drawn.
type typeface struct {
	name string
	ttf  []byte
	font *sfnt.Font
	buf  sfnt.Buffer
	used map[sfnt.GlyphIndex]rune
}

func newTypeface(name string, ttf []byte) (*typeface, error) {
	f, err := sfnt.Parse(ttf)
	if err != nil {
		return nil, fmt.Errorf("read font %s: %w", name, err)
	}
	return &typeface{name: name, ttf: ttf, font: f, used: map[sfnt.GlyphIndex]rune{}}, nil
}

// glyphs turns a text into glyphs, a question mark for what the font lacks:
// PDF/A forbids to show the glyph of the unknown.
func (t *typeface) glyphs(s string) []sfnt.GlyphIndex {
	var list []sfnt.GlyphIndex
	for _, r := range norm.NFC.String(s) {
		switch r {
		case '\u202f', '\u2009', '\t', '\n', '\r':
			r = ' '
		}
		if unicode.IsControl(r) {
			continue
		}
		g, err := t.font.GlyphIndex(&t.buf, r)
		if err != nil || g == 0 {
			r = '?'
			g, _ = t.font.GlyphIndex(&t.buf, r)
		}
		if _, known := t.used[g]; !known {
			t.used[g] = r
		}
		list = append(list, g)
	}
	return list
}

// advance is a glyph's width in thousandths of the font size.
func (t *typeface) advance(g sfnt.GlyphIndex) float64 {
	units := int(t.font.UnitsPerEm())
	a, err := t.font.GlyphAdvance(&t.buf, g, fixed.I(units), font.HintingNone)
	if err != nil {
		return 0
	}
	return float64(a) / 64 * 1000 / float64(units)
}

func (t *typeface) width(s string, size float64) float64 {
	w := 0.0
	for _, g := range t.glyphs(s) {
		w += t.advance(g)
	}
	return w * size / 1000
}

// show is a text as a hexadecimal string of glyph numbers.
func (t *typeface) show(s string) string {
	var b strings.Builder
	for _, g := range t.glyphs(s) {
		fmt.Fprintf(&b, "%04X", g)
	}
	return "<" + b.String() + ">"
}

// write adds the font's objects and returns the number of the font itself.
func (t *typeface) write(w *writer) int {
	order := make([]sfnt.GlyphIndex, 0, len(t.used))
	for g := range t.used {
		order = append(order, g)
	}
	slices.Sort(order)
	var widths, texts strings.Builder
	for i, g := range order {
		fmt.Fprintf(&widths, "%d [%.2f] ", g, t.advance(g))
		if i%100 == 0 {
			if i > 0 {
				texts.WriteString("endbfchar\n")
			}
			fmt.Fprintf(&texts, "%d beginbfchar\n", min(100, len(order)-i))
		}
		fmt.Fprintf(&texts, "<%04X> <%04X>\n", g, t.used[g])
	}
	name := "EINVOI+" + t.name
	small := subset(t.ttf, order)
	data := w.stream(fmt.Sprintf("/Length1 %d", len(small)), small)
	descriptor := w.object(fmt.Sprintf("<< /Type /FontDescriptor /FontName /%s /Flags 4 /FontBBox [-441 -432 2160 1283] /ItalicAngle 0 "+
		"/Ascent 935 /Descent -211 /CapHeight 723 /StemV 80 /FontFile2 %d 0 R >>", name, data))
	cid := w.object(fmt.Sprintf("<< /Type /Font /Subtype /CIDFontType2 /BaseFont /%s /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> "+
		"/FontDescriptor %d 0 R /DW 1000 /W [%s] /CIDToGIDMap /Identity >>", name, descriptor, widths.String()))
	cmap := w.stream("", fmt.Appendf(nil, toUnicode, texts.String()+"endbfchar\n"))
	return w.object(fmt.Sprintf("<< /Type /Font /Subtype /Type0 /BaseFont /%s /Encoding /Identity-H /DescendantFonts [%d 0 R] /ToUnicode %d 0 R >>", name, cid, cmap))
}

const toUnicode = `/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <FFFF>
endcodespacerange
%sendcmap
CMapName currentdict /CMap defineresource pop
end
end
`

// subset keeps the outlines of the glyphs in use, and of the parts that they
// are composed of; glyphs keep their numbers.
func subset(ttf []byte, used []sfnt.GlyphIndex) []byte {
	tables := tablesOf(ttf)
	head, loca, glyf := tables["head"], tables["loca"], tables["glyf"]
	long := binary.BigEndian.Uint16(head[50:]) == 1
	count := int(binary.BigEndian.Uint16(tables["maxp"][4:]))
	at := func(i int) uint32 {
		if long {
			return binary.BigEndian.Uint32(loca[4*i:])
		}
		return 2 * uint32(binary.BigEndian.Uint16(loca[2*i:]))
	}
	keep := map[int]bool{0: true}
	for todo := used; len(todo) > 0; {
		g := int(todo[0])
		todo = todo[1:]
		if !keep[g] {
			keep[g] = true
			todo = append(todo[:len(todo):len(todo)], parts(glyf[at(g):at(g+1)])...)
		}
	}
	var outlines, places []byte
	for g := range count + 1 {
		places = binary.BigEndian.AppendUint32(places, uint32(len(outlines)))
		if g < count && keep[g] {
			outlines = append(outlines, glyf[at(g):at(g+1)]...)
			outlines = append(outlines, make([]byte, -len(outlines)&3)...)
		}
	}
	head = bytes.Clone(head)
	binary.BigEndian.PutUint16(head[50:], 1) // places are 32 bits now
	binary.BigEndian.PutUint32(head[8:], 0)
	tables["head"], tables["loca"], tables["glyf"] = head, places, outlines
	return assemble(tables)
}

// parts are the glyphs that a composite glyph is made of.
func parts(outline []byte) []sfnt.GlyphIndex {
	if len(outline) < 10 || int16(binary.BigEndian.Uint16(outline)) >= 0 {
		return nil
	}
	var list []sfnt.GlyphIndex
	for b := outline[10:]; len(b) >= 4; {
		flags := binary.BigEndian.Uint16(b)
		list = append(list, sfnt.GlyphIndex(binary.BigEndian.Uint16(b[2:])))
		size := 6
		if flags&0x1 != 0 { // arguments are words
			size = 8
		}
		switch {
		case flags&0x8 != 0: // one scale
			size += 2
		case flags&0x40 != 0: // two scales
			size += 4
		case flags&0x80 != 0: // a matrix
			size += 8
		}
		if flags&0x20 == 0 || len(b) < size { // no more parts
			break
		}
		b = b[size:]
	}
	return list
}

func tablesOf(ttf []byte) map[string][]byte {
	tables := map[string][]byte{}
	for i := range int(binary.BigEndian.Uint16(ttf[4:])) {
		entry := ttf[12+16*i:]
		at, size := binary.BigEndian.Uint32(entry[8:]), binary.BigEndian.Uint32(entry[12:])
		tables[string(entry[:4])] = ttf[at : at+size]
	}
	return tables
}

// assemble writes the tables that a PDF needs as a TrueType file.
func assemble(tables map[string][]byte) []byte {
	names := []string{"cvt ", "fpgm", "glyf", "head", "hhea", "hmtx", "loca", "maxp", "prep"}
	names = slices.DeleteFunc(names, func(n string) bool { return tables[n] == nil })
	out := []byte{0, 1, 0, 0}
	power, log := 1, 0
	for power*2 <= len(names) {
		power, log = power*2, log+1
	}
	for _, v := range []int{len(names), 16 * power, log, 16 * (len(names) - power)} {
		out = binary.BigEndian.AppendUint16(out, uint16(v))
	}
	at := 12 + 16*len(names)
	var body []byte
	headAt := 0
	for _, n := range names {
		t := tables[n]
		if n == "head" {
			headAt = at + len(body)
		}
		out = append(out, n...)
		for _, v := range []uint32{checksum(t), uint32(at + len(body)), uint32(len(t))} {
			out = binary.BigEndian.AppendUint32(out, v)
		}
		body = append(body, t...)
		body = append(body, make([]byte, -len(body)&3)...)
	}
	out = append(out, body...)
	binary.BigEndian.PutUint32(out[headAt+8:], 0xb1b0afba-checksum(out))
	return out
}

func checksum(b []byte) uint32 {
	var s uint32
	for i := 0; i < len(b); i += 4 {
		var word [4]byte
		copy(word[:], b[i:])
		s += binary.BigEndian.Uint32(word[:])
	}
	return s
}
