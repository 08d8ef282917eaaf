package facturx

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/govalues/decimal"
	"golang.org/x/image/font/sfnt"

	"einvoice/connector/cii"
)

func file1(t *testing.T, opt Options) []byte {
	t.Helper()
	var b bytes.Buffer
	d := cii.Document{Number: "FA-1", Type: "380", Currency: "EUR", Gross: decimal.MustParse("1234567.8"),
		Seller: cii.Party{Name: "Éts \x00<Œuvre> & Cie"}, Lines: []cii.Line{{Name: strings.Repeat("long", 200), Category: "O"}}}
	if err := Write(&b, d, opt); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestTheFileHasWhatPDFA3Demands names the parts; whether they are right is for
// validators to say.
func TestTheFileHasWhatPDFA3Demands(t *testing.T) {
	made := time.Date(2026, 11, 20, 9, 30, 0, 0, time.FixedZone("CET", 3600))
	b := file1(t, Options{Made: made, Mark: "BAC À SABLE"})
	for _, part := range []string{
		"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "/AFRelationship /Alternative", "/AF [", "/Subtype /text#2Fxml", "/S /GTS_PDFA1", "/DestOutputProfile",
		"<pdfaid:part>3</pdfaid:part>", "<pdfaid:conformance>B</pdfaid:conformance>", "<fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>",
		"<xmp:CreateDate>2026-11-20T08:30:00Z</xmp:CreateDate>", "/CreationDate (D:20261120083000+00'00')",
		"Éts &lt;Œuvre&gt; &amp; Cie", "/CIDToGIDMap /Identity", "/FontFile2", "/ID [<",
	} {
		if !bytes.Contains(b, []byte(part)) {
			t.Errorf("no %s", part)
		}
	}
	for _, part := range []string{"/Helvetica", "/Encrypt", "/JavaScript", "/CA ", "/LZWDecode"} {
		if bytes.Contains(b, []byte(part)) {
			t.Errorf("%s is forbidden", part)
		}
	}
	if n := len(file1(t, Options{Pad: 200_000})); n < 200_000 {
		t.Errorf("padded to %d bytes", n)
	}
}

func TestTheColourProfileIsWhole(t *testing.T) {
	p := iccProfile()
	if got := binary.BigEndian.Uint32(p); int(got) != len(p) {
		t.Fatalf("it says %d bytes, and has %d", got, len(p))
	}
	for i := range binary.BigEndian.Uint32(p[128:]) {
		entry := p[132+12*i:]
		at, size := binary.BigEndian.Uint32(entry[4:]), binary.BigEndian.Uint32(entry[8:])
		if int(at+size) > len(p) || at%4 != 0 {
			t.Errorf("tag %s is at %d, %d bytes", entry[:4], at, size)
		}
	}
}

// TestASubsetKeepsTheOutlinesInUse: what is drawn looks the same, and its parts
// come along.
func TestASubsetKeepsTheOutlinesInUse(t *testing.T) {
	face, err := newTypeface("Go-Regular", regularTTF())
	if err != nil {
		t.Fatal(err)
	}
	used := face.glyphs("Échéance œ Ÿ 5 €")
	small := tablesOf(subset(face.ttf, used))
	whole := tablesOf(face.ttf)
	outline := func(tables map[string][]byte, g sfnt.GlyphIndex) []byte {
		long := binary.BigEndian.Uint16(tables["head"][50:]) == 1
		at := func(i int) uint32 {
			if long {
				return binary.BigEndian.Uint32(tables["loca"][4*i:])
			}
			return 2 * uint32(binary.BigEndian.Uint16(tables["loca"][2*i:]))
		}
		return bytes.TrimRight(tables["glyf"][at(int(g)):at(int(g)+1)], "\x00")
	}
	for _, g := range used {
		all := append([]sfnt.GlyphIndex{g}, parts(outline(whole, g))...)
		for _, part := range all {
			if !bytes.Equal(outline(small, part), outline(whole, part)) {
				t.Errorf("glyph %d differs", part)
			}
		}
	}
	if len(small["glyf"]) > len(whole["glyf"])/3 {
		t.Errorf("%d bytes of outlines of %d", len(small["glyf"]), len(whole["glyf"]))
	}
}

func TestMoneyIsGrouped(t *testing.T) {
	for in, want := range map[string]string{"0": "0,00", "-1234.5": "-1\u00a0234,50", "1234567": "1\u00a0234\u00a0567,00", "1.234": "1,234"} {
		if got := money(decimal.MustParse(in)); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
