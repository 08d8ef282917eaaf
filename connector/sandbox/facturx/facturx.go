// Package facturx makes the hybrid invoice: a readable page and the CII file
// inside it, as one Factur-X PDF/A-3B.
package facturx

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"einvoice/connector/cii"
)

// Options of a file. The same ones give the same bytes.
type Options struct {
	Made time.Time // when the platform made it
	Mark string    // stands out at the top of the first page; "": nothing
	Pad  int       // at least so many bytes, for tests with large files
}

// Write writes the PDF of a document. The embedded file is what cii.Write
// makes of the same document.
func Write(w io.Writer, d cii.Document, opt Options) error {
	var data bytes.Buffer
	if err := cii.Write(&data, d); err != nil {
		return err
	}
	f, err := newFile(d, opt)
	if err != nil {
		return fmt.Errorf("make Factur-X of %s: %w", d.Number, err)
	}
	if _, err := w.Write(f.bytes(data.Bytes())); err != nil {
		return fmt.Errorf("write Factur-X of %s: %w", d.Number, err)
	}
	return nil
}

func newFile(d cii.Document, opt Options) (*file, error) {
	f := &file{opt: opt, title: printable(title(d)), author: printable(d.Seller.Name)}
	var err error
	if f.plain, err = newTypeface("Go-Regular", regularTTF()); err != nil {
		return nil, err
	}
	if f.bold, err = newTypeface("Go-Bold", boldTTF()); err != nil {
		return nil, err
	}
	(&sheet{file: f, doc: d}).draw()
	return f, nil
}

// printable is a text without what neither XML nor a title can hold.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

// bytes puts the objects together. Their order is fixed: catalog, pages, fonts,
// then what PDF/A-3 and Factur-X add.
func (f *file) bytes(data []byte) []byte {
	w := newWriter()
	catalog, pages, info := w.reserve(), w.reserve(), w.reserve()
	fonts := fmt.Sprintf("<< /F1 %d 0 R /F2 %d 0 R >>", f.plain.write(w), f.bold.write(w))
	kids := ""
	for _, content := range f.pages {
		c := w.stream("", content)
		kids += fmt.Sprintf("%d 0 R ", w.object(fmt.Sprintf(
			"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 595.28 841.89] /Resources << /Font %s >> /Contents %d 0 R >>", pages, fonts, c)))
	}
	w.set(pages, fmt.Sprintf("<< /Type /Pages /Kids [%s] /Count %d >>", kids, len(f.pages)))
	made := f.opt.Made.UTC()
	w.set(info, fmt.Sprintf("<< /Title %s /Author %s /Creator %s /Producer %s /CreationDate %s /ModDate %s >>",
		text(f.title), text(f.author), text(producer), text(producer), pdfDate(made), pdfDate(made)))
	profile := w.stream("/N 3", iccProfile())
	intent := w.object(fmt.Sprintf("<< /Type /OutputIntent /S /GTS_PDFA1 /OutputConditionIdentifier (sRGB) /Info (sRGB) /DestOutputProfile %d 0 R >>", profile))
	metadata := w.raw("/Type /Metadata /Subtype /XML", f.xmp())
	embedded := w.stream(fmt.Sprintf("/Type /EmbeddedFile /Subtype /text#2Fxml /Params << /Size %d /ModDate %s >>", len(data), pdfDate(made)), data)
	spec := w.object(fmt.Sprintf("<< /Type /Filespec /F (factur-x.xml) /UF (factur-x.xml) /Desc (Factur-X) /AFRelationship /Alternative /EF << /F %d 0 R /UF %d 0 R >> >>", embedded, embedded))
	w.set(catalog, fmt.Sprintf("<< /Type /Catalog /Pages %d 0 R /Metadata %d 0 R /OutputIntents [%d 0 R] /AF [%d 0 R] "+
		"/Names << /EmbeddedFiles << /Names [(factur-x.xml) %d 0 R] >> >> /Lang (fr-FR) /ViewerPreferences << /DisplayDocTitle true >> >>",
		pages, metadata, intent, spec, spec))
	return w.finish(catalog, info, f.opt.Pad)
}
