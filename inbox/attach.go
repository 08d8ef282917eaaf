package inbox

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"strings"

	"einvoice/connector"
)

// Attachments come from strangers. What they are is decided by their content,
// never by their name or stated type; what is not on the list is kept, untouched,
// in a folder apart and under a name that no double click starts.

// kind gives the extension of a content that may be delivered, "" for any other.
func kind(content []byte, name string) string {
	switch {
	case bytes.HasPrefix(content, []byte("%PDF-")):
		return ".pdf"
	case bytes.HasPrefix(content, []byte("\x89PNG\r\n\x1a\n")):
		return ".png"
	case bytes.HasPrefix(content, []byte("\xff\xd8\xff")):
		return ".jpg"
	case bytes.HasPrefix(content, []byte("PK\x03\x04")):
		return sheetKind(content)
	case !isText(content):
		return ""
	case bytes.HasPrefix(bytes.TrimLeft(content, "\ufeff \t\r\n"), []byte("<")):
		if plainXML(content) {
			return ".xml"
		}
		return ""
	}
	switch ext := strings.ToLower(path.Ext(name)); ext {
	case ".csv":
		return ext
	case ".txt", "":
		return ".txt"
	}
	return "" // a script is text as well
}

// sheetKind knows XLSX and ODS by their parts; one with macros is neither.
func sheetKind(content []byte) string {
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return ""
	}
	ext := ""
	for _, f := range z.File {
		name := strings.ToLower(f.Name)
		switch {
		case strings.Contains(name, "vbaproject"), strings.HasPrefix(name, "basic/"), strings.HasPrefix(name, "scripts/"),
			strings.Contains(name, "activex"), strings.Contains(name, "macrosheets/"):
			return ""
		case name == "xl/workbook.xml":
			ext = ".xlsx"
		case name == "mimetype" && entryIs(f, "application/vnd.oasis.opendocument.spreadsheet"):
			ext = ".ods"
		}
	}
	return ext
}

func entryIs(f *zip.File, want string) bool {
	r, err := f.Open()
	if err != nil {
		return false
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, int64(len(want))+1))
	return err == nil && string(b) == want
}

// isText accepts UTF-8 and the one-byte encodings of old ERPs: anything
// without control characters.
func isText(content []byte) bool {
	for _, c := range content {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' {
			return false
		}
	}
	return true
}

// plainXML accepts a document that a browser or Office only shows: no DTD, no
// instruction that opens a program or a stylesheet, no page or drawing that may
// carry script.
func plainXML(content []byte) bool {
	d := xml.NewDecoder(bytes.NewReader(content))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	roots := 0
	for {
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return roots > 0
		}
		switch t := t.(type) {
		case nil:
			return false
		case xml.Directive:
			return false
		case xml.ProcInst:
			if t.Target != "xml" {
				return false
			}
		case xml.StartElement:
			roots++
			switch strings.ToLower(t.Name.Local) {
			case "html", "svg", "script", "stylesheet", "transform", "application":
				return false
			}
		}
	}
}

// attached is an attachment with the name it is delivered under.
type attached struct {
	content    []byte
	original   string // as the supplier named it, for people
	name       string
	quarantine bool
	main       bool // the supplier's own PDF of the invoice: stands beside ours
}

// sortAttachments decides where each attachment goes. most bounds a name.
func sortAttachments(list []connector.Attachment, number string, taken names, most int) (sorted []attached) {
	own := ownPDF(list, number)
	apart := names{}
	for i, a := range list {
		if len(a.Content) == 0 {
			continue
		}
		ext := kind(a.Content, a.Filename)
		f := attached{content: a.Content, original: a.Filename, quarantine: ext == "", main: i == own}
		switch {
		case f.quarantine:
			f.name = apart.take(extended(a.Filename, ".bin", most), most)
			apart[fold(f.name+".txt")] = true // its notice
		default: // one list of names, whether they share a folder or not
			f.name = taken.take(extended(a.Filename, ext, most), most)
		}
		sorted = append(sorted, f)
	}
	return sorted
}

// extended makes a safe name that ends in the extension of the content.
func extended(name, ext string, most int) string {
	name = safeName(name, 1<<10)
	stem, has := split(name)
	if !strings.EqualFold(has, ext) && !(ext == ".jpg" && strings.EqualFold(has, ".jpeg")) {
		stem, has = name, ext
	}
	stem = safeName(shorten(stem, most-length(has)), most)
	return stem + has
}

// ownPDF is the index of the PDF that is the invoice itself: the one with the
// Factur-X data, else the one named after the invoice, else the only one; -1
// when it cannot be told.
func ownPDF(list []connector.Attachment, number string) int {
	found, rank := -1, 0
	for i, a := range list {
		if kind(a.Content, a.Filename) != ".pdf" {
			continue
		}
		r := 1
		switch {
		case bytes.Contains(a.Content, []byte("factur-x.xml")), bytes.Contains(a.Content, []byte("zugferd-invoice.xml")):
			r = 3
		case number != "" && strings.Contains(a.Filename, number):
			r = 2
		}
		switch {
		case r > rank:
			found, rank = i, r
		case r == rank:
			found = -1
		}
	}
	return found
}
