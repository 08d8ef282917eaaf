package mappers

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"einvoice/connector/problem"
)

// endless is a file that is made while it is read: a beginning, something over
// and over, an end.
type endless struct {
	begin, again, end string
	times             int64
	at                int64
}

func (f *endless) size() int64 {
	return int64(len(f.begin)) + f.times*int64(len(f.again)) + int64(len(f.end))
}

func (f *endless) Read(p []byte) (int, error) {
	if f.at >= f.size() {
		return 0, io.EOF
	}
	n := 0
	for n < len(p) && f.at < f.size() {
		part, off := f.begin, f.at
		if off >= int64(len(f.begin)) {
			off -= int64(len(f.begin))
			if part = f.again; off < f.times*int64(len(f.again)) {
				off %= int64(len(f.again))
			} else {
				part, off = f.end, off-f.times*int64(len(f.again))
			}
		}
		c := copy(p[n:], part[off:])
		n, f.at = n+c, f.at+int64(c)
	}
	return n, nil
}

func (f *endless) Seek(offset int64, whence int) (int64, error) {
	if whence != io.SeekStart {
		return 0, errors.ErrUnsupported
	}
	f.at = offset
	return offset, nil
}

func (f *endless) Close() error { return nil }

func long(begin, again string, bytes int64, end string) Export {
	chunk := again
	if len(again) < 64<<10 {
		chunk = strings.Repeat(again, (64<<10)/len(again))
	}
	times := bytes / int64(len(chunk))
	f := endless{begin: begin, again: chunk, end: end, times: times}
	return Export{Name: "bomb", Size: f.size(), Open: func() (io.ReadSeekCloser, error) { g := f; return &g, nil }}
}

// archived is an archive of parts; a part "@n" is n MiB of zeros.
func archived(t *testing.T, parts ...string) Export {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := 0; i < len(parts); i += 2 {
		f, err := w.Create(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		text := parts[i+1]
		n := 0
		if _, err := fmt.Sscanf(text, "@%d", &n); err == nil {
			mega := make([]byte, 1<<20)
			for range n {
				f.Write(mega)
			}
			continue
		}
		io.WriteString(f, text)
	}
	w.Close()
	return exportOf("bomb.xlsx", out.Bytes())
}

// lying is a workbook whose directory says that its sheet is small.
func lying(t *testing.T) Export {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	f, err := w.CreateRaw(&zip.FileHeader{Name: "xl/workbook.xml", Method: zip.Store, UncompressedSize64: 3, CompressedSize64: 30, CRC32: crc32.ChecksumIEEE([]byte("abc"))})
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(f, strings.Repeat("a", 30))
	w.Close()
	return exportOf("bomb.xlsx", out.Bytes())
}

const (
	contentTypes = `<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`
	rootRels     = `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`
	bookXML      = `<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="A" sheetId="1" r:id="rId1"/></sheets></workbook>`
	bookRels     = `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`
	sheetBegin   = `<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`
	sheetEnd     = `</sheetData></worksheet>`
)

// handmade is a workbook with one sheet of this XML.
func handmade(t *testing.T, sheet string, more ...string) Export {
	t.Helper()
	return archived(t, append([]string{"[Content_Types].xml", contentTypes, "_rels/.rels", rootRels, "xl/workbook.xml", bookXML,
		"xl/_rels/workbook.xml.rels", bookRels, "xl/worksheets/sheet1.xml", sheet}, more...)...)
}

func inline(ref, text string) string {
	return `<c r="` + ref + `" t="inlineStr"><is><t>` + text + `</t></is></c>`
}

// TestBombsAreRefused gives each a second of the processor, which a busy machine
// does not stretch, and 64 MiB. That no invoice comes out
// of them is what refused means; what remains of a row may be a refused one.
func TestBombsAreRefused(t *testing.T) {
	const giga = 1 << 30
	invoice := `<Invoice><ID>1</ID><IssueDate>2026-01-01</IssueDate>`
	header := "Facture;Date;Texte;PU\n"
	row := `<row r="1">` + inline("A1", "Facture") + inline("B1", "Date") + inline("C1", "Texte") + inline("D1", "PU") + `</row>`
	many := func(n int, format string) string {
		var out strings.Builder
		for i := range n {
			fmt.Fprintf(&out, format, i)
		}
		return out.String()
	}
	ole := func(name string) Export {
		var wide []byte
		for _, c := range []byte(name) {
			wide = append(wide, c, 0)
		}
		return exportOf("x.xlsx", append(append(bytes.Clone(oleMagic), make([]byte, 2000)...), wide...))
	}
	for name, e := range map[string]Export{
		"xml: a billion laughs":           exportOf("x.xml", []byte(`<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>`+invoice+`<Note>&b;</Note></Invoice>`)),
		"xml: quadratic entities":         exportOf("x.xml", []byte(`<!DOCTYPE l [<!ENTITY a "`+strings.Repeat("a", 1<<20)+`">]>`+invoice+`</Invoice>`)),
		"xml: an external entity":         exportOf("x.xml", []byte(`<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]>`+invoice+`<Note>&a;</Note></Invoice>`)),
		"xml: an external DTD":            exportOf("x.xml", []byte(`<!DOCTYPE l SYSTEM "http://127.0.0.1/x.dtd">`+invoice+`</Invoice>`)),
		"xml: a parameter entity":         exportOf("x.xml", []byte(`<!DOCTYPE l [<!ENTITY % a SYSTEM "file:///etc/passwd">%a;]>`+invoice+`</Invoice>`)),
		"xml: a doctype in lower case":    exportOf("x.xml", []byte(`<!doctype l>`+invoice+`</Invoice>`)),
		"xml: a doctype without end":      long(`<!DOCTYPE l [`, `<!ENTITY a "b">`, giga, ""),
		"xml: an unknown entity":          exportOf("x.xml", []byte(invoice+`<Note>&nope;</Note></Invoice>`)),
		"xml: an impossible character":    exportOf("x.xml", []byte(invoice+`<Note>&#x110000;</Note></Invoice>`)),
		"xml: a control character":        exportOf("x.xml", []byte(invoice+"<Note>\x01</Note></Invoice>")),
		"xml: nested a million deep":      long("<Invoice>", "<a>", 4<<20, ""),
		"xml: 1 GB of text":               long(invoice+"<Note>", "texte ", giga, "</Note></Invoice>"),
		"xml: 1 GB in an attribute":       long(invoice+`<Note a="`, "texte ", giga, `"/></Invoice>`),
		"xml: 1 GB of comment":            long(invoice+"<!--", "texte ", giga, "--></Invoice>"),
		"xml: 1 GB of instruction":        long(invoice+"<?x ", "texte ", giga, "?></Invoice>"),
		"xml: 1 GB of CDATA":              long(invoice+"<Note><![CDATA[", "texte ", giga, "]]></Note></Invoice>"),
		"xml: a name of 1 GB":             long(invoice+"<", "texte", giga, "/></Invoice>"),
		"xml: endless attributes":         long(invoice+"<Note ", `a="b" `, giga, "/></Invoice>"),
		"xml: endless elements":           long(invoice, "<a/>", giga, "</Invoice>"),
		"xml: an unknown encoding":        exportOf("x.xml", []byte(`<?xml version="1.0" encoding="utf-7"?>`+invoice+`</Invoice>`)),
		"xml: invalid UTF-8":              exportOf("x.xml", []byte(invoice+"<Note>\xff\xfe</Note></Invoice>")),
		"xml: crossed tags":               exportOf("x.xml", []byte(invoice+"<a><b></a></b></Invoice>")),
		"xml: cut":                        exportOf("x.xml", []byte(invoice)),
		"csv: 1 GB in a cell":             long(header+"F1;01/01/2026;", "texte ", giga, ";1\n"),
		"csv: 1 GB in quotes":             long(header+`F1;01/01/2026;"`, "texte\n", giga, ";1\n"),
		"csv: a billion columns":          long(header, ";", giga, "\n"),
		"csv: a billion quoted columns":   long(header, `"";`, giga, "\n"),
		"csv: a billion columns in front": long("", ";", giga, "\n"),
		"csv: a header without end":       long("Facture;Date;Texte;PU", "x", giga, "\n"),
		"csv: zeros":                      long("", "\x00", giga, ""),
		"csv: nothing but line ends":      long("", "\r", 1<<22, ""),
		"xlsx: an encrypted workbook":     ole("EncryptedPackage"),
		"xlsx: an old workbook":           ole("Workbook"),
		"xlsx: macros":                    handmade(t, sheetBegin+row+sheetEnd, "xl/vbaProject.bin", "x"),
		"xlsx: external links":            handmade(t, sheetBegin+row+sheetEnd, "xl/externalLinks/externalLink1.xml", "<x/>"),
		"xlsx: 150 MB of zeros":           handmade(t, "@150"),
		"xlsx: 100 MB of zeros elsewhere": handmade(t, sheetBegin+row+sheetEnd, "xl/media/image1.png", "@100"),
		"xlsx: ten thousand files":        handmade(t, sheetBegin+row+sheetEnd, strings.Split(strings.TrimSuffix(many(10_000, "xl/x%d.xml,x,"), ","), ",")...),
		"xlsx: a zip of something else":   archived(t, "word/document.xml", "<x/>"),
		"xlsx: a directory that lies":     lying(t),
		"xlsx: no sheet":                  archived(t, "[Content_Types].xml", contentTypes, "_rels/.rels", rootRels, "xl/workbook.xml", "<workbook/>"),
		"xlsx: a column beyond the last":  handmade(t, sheetBegin+`<row r="1">`+inline("ZZZZ1", "x")+`</row>`+sheetEnd),
		"xlsx: a row beyond the last":     handmade(t, sheetBegin+`<row r="99999999">`+inline("A99999999", "x")+`</row>`+sheetEnd),
		"xlsx: entities in the sheet":     handmade(t, `<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">]>`+sheetBegin[21:]+`<row r="1">`+inline("A1", "&a;")+`</row>`+sheetEnd),
		"xlsx: a sheet that is no XML":    handmade(t, "not XML"),
		"xlsx: nested deep":               handmade(t, sheetBegin+strings.Repeat("<row>", 100_000)),
		"xlsx: cut":                       exportOf("x.xlsx", []byte("PK\x03\x04 and nothing")),
		"xlsx: a cell of 20 MB":           handmade(t, sheetBegin+row+`<row r="2">`+inline("A2", strings.Repeat("x", 20<<20))+`</row>`+sheetEnd),
	} {
		t.Run(name, func(t *testing.T) {
			e.TempDir = t.TempDir()
			m := mustLoad(t, small)
			if strings.HasPrefix(name, "xml") {
				m = preset(t, "ubl")
			}
			took, peak, went := explode(m, e)
			if went > 0 {
				t.Errorf("%d invoices went", went)
			}
			t.Logf("%s of the processor, %d MiB", took.Round(time.Millisecond), peak>>20)
			if took > time.Second || peak > 64<<20 {
				t.Errorf("took %s of the processor and %d MiB", took, peak>>20)
			}
			if left, err := os.ReadDir(e.TempDir); err != nil || len(left) > 0 {
				t.Errorf("left %v behind, %v", left, err)
			}
		})
	}
}

// explode reads a bomb and says what processor time it took, how much the heap
// grew, and how many invoices were fit to go.
func explode(m *Mapping, e Export) (took time.Duration, peak uint64, went int) {
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	var top atomic.Uint64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			top.Store(max(top.Load(), now.HeapInuse))
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	begin := processorTime()
	report, err := m.Read(context.Background(), e, func(r Result) error {
		if !r.Refused() {
			went++
		}
		return nil
	})
	took = processorTime() - begin
	close(stop)
	<-done
	if _, is := errors.AsType[problem.Problem](err); err != nil && !is || report.Refused() {
		went = 0
	}
	return took, top.Load() - min(top.Load(), before.HeapInuse), went
}
