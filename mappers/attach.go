package mappers

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"path"
	"regexp"
	"strings"

	"einvoice/connector"
)

// Limits of attachments: of one, and of all of an invoice.
const (
	MaxAttachmentBytes  = 10 << 20
	maxAttachmentsBytes = 20 << 20
)

// attachment is an [[attachment]]: base64 in the export, or a file beside it.
type attachment struct {
	each        *selector
	file        string // a name with {document_number} and {export} in it
	content     *rule
	filename    *rule
	mime        *rule
	description *rule
	required    bool
}

// placeholders of the name of a file beside the export.
var placeholder = regexp.MustCompile(`\{(\w+)\}`)

func (c *compiler) attachment(at string, f attachmentFile) attachment {
	a := attachment{file: f.File, required: f.Required}
	if (f.File == "") == (f.Content == nil) {
		c.wrong(at, `needs either file, as in "{document_number}.pdf", or content, where the base64 stands`)
	}
	for _, m := range placeholder.FindAllStringSubmatch(f.File, -1) {
		if m[1] != "document_number" && m[1] != "export" && m[1] != "erp_key" {
			c.wrong(at+".file", "%s is none of {document_number}, {erp_key} and {export}", m[0])
		}
	}
	if strings.ContainsAny(f.File, `/\`) {
		c.wrong(at+".file", "must be a name in the folder of the export, without / and \\")
	}
	if f.Each != "" {
		if c.places.shape != xmlShape {
			c.wrong(at+".each", "is for XML")
		}
		sel, _ := c.selector(at+".each", f.Each)
		a.each = &sel
	}
	a.content = c.optionalRule(at+".content", f.Content, textKind)
	a.filename = c.optionalRule(at+".filename", f.Filename, textKind)
	a.mime = c.optionalRule(at+".mime_type", f.MIME, textKind)
	a.description = c.optionalRule(at+".description", f.Description, textKind)
	return a
}

// Beside is a file beside the export that an invoice names as its attachment.
type Beside struct {
	Name     string
	Required bool // an invoice without it is refused; others go without
	Shared   bool // its name is the same for every invoice, such as that of the general terms
}

// ErrTooBig is what Export.Beside returns for a file beyond MaxAttachmentBytes.
var ErrTooBig = fmt.Errorf("attachment is larger than %d MB", MaxAttachmentBytes>>20)

// Attachments are the files beside the export that an invoice names, so that a
// caller can wait for them.
func (m *Mapping) Attachments(inv connector.Invoice, e Export) []Beside {
	var all []Beside
	for _, a := range m.attached {
		if a.file != "" && inv.Number != "" {
			all = append(all, Beside{a.name(inv, e), a.required, !placeholder.MatchString(a.file)})
		}
	}
	return all
}

// Besides are the name patterns of the files beside an export, such as "*.pdf":
// they are no exports themselves.
func (m *Mapping) Besides() []string {
	var patterns []string
	for _, a := range m.attached {
		if a.file != "" {
			patterns = append(patterns, placeholder.ReplaceAllString(a.file, "*"))
		}
	}
	return patterns
}

// name fills the placeholders in; what would leave the folder is taken out.
func (a attachment) name(inv connector.Invoice, e Export) string {
	return placeholder.ReplaceAllStringFunc(a.file, func(p string) string {
		text := inv.Number
		switch p {
		case "{export}":
			text = strings.TrimSuffix(e.called(), path.Ext(e.called()))
		case "{erp_key}":
			text = inv.ERPKey
		}
		return strings.NewReplacer("/", "_", `\`, "_", ":", "_").Replace(text)
	})
}

func (w *work) attachments() {
	for i, a := range w.b.m.attached {
		field := fmt.Sprintf("attachments[%d]", i)
		switch {
		case a.file != "":
			w.fileBeside(a, field)
		case a.each == nil:
			w.embedded(a, field)
		default:
			for _, n := range w.doc.head.children(a.each.place) {
				w.s.node = n
				w.embedded(a, field)
			}
			w.s.node = w.doc.head
		}
	}
}

// fileBeside reads a file that stands beside the export.
func (w *work) fileBeside(a attachment, field string) {
	inv := &w.res.Invoice
	if inv.Number == "" {
		return
	}
	name := a.name(*inv, w.b.export)
	fail := func(code, expected string) {
		w.add(problemOf(&flaw{code: code, expected: expected}, field, found{text: name, origin: w.originOf("document_number"), placed: true}))
	}
	var data []byte
	err := error(fs.ErrNotExist)
	if w.b.export.Beside != nil {
		var f io.ReadCloser
		if f, err = w.b.export.Beside(name); err == nil {
			data, err = io.ReadAll(io.LimitReader(f, MaxAttachmentBytes+1))
			err = errors.Join(err, f.Close())
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) && !a.required:
	case errors.Is(err, ErrTooBig):
		fail(codeBigAttachment, fmt.Sprintf("%d MB", MaxAttachmentBytes>>20))
	case err != nil:
		fail(codeNoAttachment, "")
	case len(data) > MaxAttachmentBytes:
		fail(codeBigAttachment, fmt.Sprintf("%d MB", MaxAttachmentBytes>>20))
	default:
		w.attach(connector.Attachment{Filename: name, Content: data}, a, field)
	}
}

// embedded reads base64 out of the export.
func (w *work) embedded(a attachment, field string) {
	text, from, ok, _ := a.content.evaluate(&w.s, textKind)
	if !ok {
		return
	}
	one := connector.Attachment{Filename: w.optional(a.filename)}
	if one.Filename == "" {
		one.Filename = field
	}
	fail := func(code, expected string) {
		p := problemOf(&flaw{code: code, expected: expected}, field, from)
		p.Value = one.Filename
		w.add(p)
	}
	raw := strings.Join(strings.Fields(text.text), "")
	if base64.StdEncoding.DecodedLen(len(raw)) > MaxAttachmentBytes+2 {
		fail(codeBigAttachment, fmt.Sprintf("%d MB", MaxAttachmentBytes>>20))
		return
	}
	var err error
	if one.Content, err = base64.StdEncoding.DecodeString(raw); err != nil {
		fail(codeBadAttachment, "")
		return
	}
	w.attach(one, a, field)
}

func (w *work) optional(r *rule) string {
	v, _, _, _ := evaluateOptional(r, &w.s, textKind)
	return v.text
}

func (w *work) attach(one connector.Attachment, a attachment, field string) {
	if one.MIME = w.optional(a.mime); one.MIME == "" {
		one.MIME, _, _ = strings.Cut(mime.TypeByExtension(strings.ToLower(path.Ext(one.Filename))), ";")
	}
	one.Description = w.optional(a.description)
	total := len(one.Content)
	for _, other := range w.res.Invoice.Attached {
		total += len(other.Content)
	}
	if total > maxAttachmentsBytes {
		w.add(problemOf(&flaw{code: codeBigAttachment, expected: fmt.Sprintf("%d MB", maxAttachmentsBytes>>20)}, field, found{text: one.Filename}))
		return
	}
	w.res.Invoice.Attached = append(w.res.Invoice.Attached, one)
}
