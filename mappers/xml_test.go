package mappers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"einvoice/connector/problem"
)

func TestXMLThatIsNestedTooDeepIsRefused(t *testing.T) {
	deep := "<lot>" + strings.Repeat("<a>", maxElementDepth+1)
	_, _, err := readAll(t, mustLoad(t, xmlMapping), exportOf("x.xml", []byte(deep)))
	if p, ok := errors.AsType[problem.Problem](err); !ok || p.Code != codeDeepXML {
		t.Errorf("got %v", err)
	}
}

func TestXMLWithAnUnknownEncodingIsRefused(t *testing.T) {
	_, _, err := readAll(t, mustLoad(t, xmlMapping), exportOf("x.xml", []byte(`<?xml version="1.0" encoding="ebcdic"?><lot/>`)))
	if p, ok := errors.AsType[problem.Problem](err); !ok || p.Code != codeBrokenXML {
		t.Errorf("got %v", err)
	}
}

func TestXPathsWithPrefixesAndAxes(t *testing.T) {
	for path, want := range map[string]string{
		"cbc:ID":                               "ID",
		"cac:Party[cbc:ID='urn:x:y']/cbc:Name": "Party[ID='urn:x:y']/Name",
		"ancestor::cac:Batch/@ext:id":          "ancestor::Batch/@id",
		`self::*[local-name()="a:b"]/following-sibling::x:y`: `self::*[local-name()="a:b"]/following-sibling::y`,
	} {
		if got := stripPrefixes(path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

// repeated gives a part again and again, without holding the whole.
type repeated struct {
	*bytes.Reader
	parts []string
}

func (r *repeated) Read(p []byte) (int, error) {
	for r.Len() == 0 {
		if len(r.parts) == 0 {
			return 0, io.EOF
		}
		r.Reset([]byte(r.parts[0]))
		r.parts = r.parts[1:]
	}
	return r.Reader.Read(p)
}

func (*repeated) Close() error { return nil }

// TestMemoryDoesNotGrowWithTheFile reads 50,000 invoices, CSV and XML, and looks
// at what is held near the end.
func TestMemoryDoesNotGrowWithTheFile(t *testing.T) {
	const invoices = 50_000
	for name, c := range map[string]struct {
		mapping, before, each, after string
	}{
		"csv": {small, "Facture;Date;Texte;PU\n", "F%d;15/01/2026;" + strings.Repeat("x", 500) + ";1\n", ""},
		"xml": {xmlMapping, "<lot>", "<facture num='F%d'><date>2026-01-15</date><t>" + strings.Repeat("x", 500) + "</t><ligne q='1'/></facture>\n", "</lot>"},
	} {
		t.Run(name, func(t *testing.T) {
			parts := []string{c.before}
			for i := range invoices {
				parts = append(parts, fmt.Sprintf(c.each, i))
			}
			parts = append(parts, c.after)
			m := mustLoad(t, strings.Replace(c.mapping, "decimal", "encoding = \"utf-8\"\ndecimal", 1))
			e := Export{Name: "x", Open: func() (io.ReadSeekCloser, error) {
				return &repeated{Reader: bytes.NewReader(nil), parts: parts}, nil
			}}
			var early, late uint64
			if _, err := m.Read(context.Background(), e, func(r Result) error {
				switch r.Ordinal {
				case invoices / 2:
					early = heap()
				case invoices:
					late = heap()
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			// Not even the numbers that were seen are held.
			if grown := int64(late) - int64(early); early == 0 || late == 0 || grown > 3<<20 {
				t.Errorf("held %d bytes more after %d invoices", grown, invoices)
			}
		})
	}
}

func heap() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}
