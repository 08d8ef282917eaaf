package mappers

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// bookParts copies a workbook part by part. Who gets a copy of some invoices
// must not find the others in it: Excel keeps the texts of all sheets in one
// part, and copies of rows in pivot caches and logs of changes.
type bookParts struct {
	in     map[string]*zip.File // by the lower case of its name, as Excel compares them
	out    *zip.Writer
	tables map[string]*bookTable // sheets that are written anew
	kinds  map[string]string     // what a part that stays is, such as "worksheet"
	shared numberSet             // texts that a cell still has
}

// copyBook writes a workbook with some of its sheets anew, and nothing that
// speaks of rows which are gone.
func copyBook(in *zip.Reader, w io.Writer, tables map[string]*bookTable) error {
	b := &bookParts{in: map[string]*zip.File{}, out: zip.NewWriter(w), tables: map[string]*bookTable{}, kinds: map[string]string{}}
	for _, f := range in.File {
		b.in[strings.ToLower(f.Name)] = f
	}
	for name, t := range tables {
		t.shared = &b.shared
		b.tables[strings.ToLower(name)] = t
	}
	for _, name := range []string{"[content_types].xml", "xl/workbook.xml", ""} {
		if err := b.keep(name, ""); err != nil {
			return err
		}
	}
	var texts []*zip.File
	for _, f := range in.File {
		kind, stays := b.kinds[strings.ToLower(f.Name)]
		if kind == "sharedStrings" {
			texts = append(texts, f) // once it is known which are used
		} else if stays {
			if err := b.part(f, kind); err != nil {
				return fmt.Errorf("copy %s: %w", f.Name, err)
			}
		}
	}
	for _, f := range texts {
		if err := b.through(f, b.texts); err != nil {
			return fmt.Errorf("copy %s: %w", f.Name, err)
		}
	}
	return b.out.Close()
}

// telling are kinds of parts that repeat what stands, or stood, in cells; and
// the order of formulas, of which the copy has none.
var telling = map[string]bool{"calcChain": true, "pivotTable": true, "pivotCacheDefinition": true, "revisionHeaders": true, "usernames": true}

// relationship is what one part says of another.
type relationship struct {
	Type   string `xml:"Type,attr"`
	Target string `xml:"Target,attr"`
	Mode   string `xml:"TargetMode,attr"`
}

// keep keeps a part and what hangs on it: of a sheet that is written anew, nothing.
func (b *bookParts) keep(name, kind string) error {
	if _, known := b.kinds[name]; known && kind == "" {
		return nil
	} else if known {
		b.kinds[name] = kind
		return nil
	}
	b.kinds[name] = kind
	rels := relsOf(name)
	f := b.in[rels]
	if f == nil || b.tables[name] != nil {
		return nil
	}
	b.kinds[rels] = "rels"
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	var all struct {
		Of []relationship `xml:"Relationship"`
	}
	if err := xml.NewDecoder(io.LimitReader(r, maxUnzippedBytes)).Decode(&all); err != nil {
		return fmt.Errorf("read %s: %w", f.Name, err)
	}
	for _, to := range all.Of {
		if kind := path.Base(to.Type); !telling[kind] && to.Mode != "External" {
			if err := b.keep(targetOf(path.Dir(name), to.Target), kind); err != nil {
				return err
			}
		}
	}
	return nil
}

// relsOf is the part that says what another one refers to.
func relsOf(name string) string {
	dir, base := path.Split(name)
	return dir + "_rels/" + base + ".rels"
}

func targetOf(dir, target string) string {
	target = strings.ToLower(target)
	if rooted, ok := strings.CutPrefix(target, "/"); ok {
		return rooted
	}
	return path.Join(dir, target)
}

func (b *bookParts) part(f *zip.File, kind string) error {
	name := strings.ToLower(f.Name)
	t := b.tables[name]
	switch {
	case t != nil:
		return b.through(f, t.write)
	case kind == "rels", name == "[content_types].xml", name == "xl/workbook.xml":
		return b.through(f, func(r io.Reader, w io.Writer) error { return b.mentions(name, r, w) })
	case kind == "worksheet":
		if err := b.use(f); err != nil {
			return err
		}
	}
	return b.out.Copy(f)
}

// through writes a part as change makes it.
func (b *bookParts) through(f *zip.File, change func(io.Reader, io.Writer) error) error {
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := b.out.Create(f.Name)
	if err != nil {
		return err
	}
	return change(io.LimitReader(r, maxUnzippedBytes), w)
}

var (
	mention = regexp.MustCompile(`<(?:\w+:)?(?:Override|Relationship)\b[^>]*?(?:/>|>\s*</[^>]*>)`)
	pivots  = regexp.MustCompile(`(?s)<(?:\w+:)?pivotCaches\b.*?</(?:\w+:)?pivotCaches>`)
	about   = regexp.MustCompile(`\b(?:PartName|Target)\s*=\s*["']([^"']*)["']`)
)

// mentions copies a list of parts without those that are gone.
func (b *bookParts) mentions(name string, r io.Reader, w io.Writer) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	dir := path.Dir(path.Dir(name)) // of the part that the relationships are of
	text = mention.ReplaceAllFunc(text, func(tag []byte) []byte {
		target := about.FindSubmatch(tag)
		if target == nil || bytes.Contains(tag, []byte("External")) {
			return tag
		}
		if _, stays := b.kinds[targetOf(dir, string(target[1]))]; stays {
			return tag
		}
		return nil
	})
	_, err = w.Write(pivots.ReplaceAll(text, nil))
	return err
}

// use notes the texts of a sheet that is copied as it is.
func (b *bookParts) use(f *zip.File) error {
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	d := xml.NewDecoder(io.LimitReader(r, maxUnzippedBytes))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "c" {
			cell := bookCell{}
			if err := d.DecodeElement(&cell, &start); err != nil {
				return err
			}
			cell.share(&b.shared)
		}
	}
}

// share notes the shared text of a cell.
func (c bookCell) share(used *numberSet) {
	if c.Type != "s" || c.Value == nil {
		return
	}
	if n, err := strconv.Atoi(strings.TrimSpace(*c.Value)); err == nil {
		used.set(n)
	}
}

// texts copies the shared texts byte for byte and empties those that no cell
// has any more: the others keep their numbers.
func (b *bookParts) texts(r io.Reader, w io.Writer) error {
	var raw bytes.Buffer // read by the decoder and not written yet
	d := xml.NewDecoder(io.TeeReader(r, &raw))
	written, depth, num, gone := int64(0), 0, 0, false
	for {
		token, err := d.RawToken()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		text := raw.Next(int(d.InputOffset() - written))
		written = d.InputOffset()
		start, opens := token.(xml.StartElement)
		end, closes := token.(xml.EndElement)
		if closes {
			depth--
		}
		if closes && depth == 1 && end.Name.Local == "si" {
			gone = false
			num++
		}
		if !gone {
			if _, err := w.Write(text); err != nil {
				return err
			}
		}
		if opens {
			if gone = gone || depth == 1 && start.Name.Local == "si" && !b.shared.has(num); gone && depth == 1 && !bytes.HasSuffix(text, []byte("/>")) {
				if _, err := io.WriteString(w, emptyText(start.Name.Space)); err != nil {
					return err
				}
			}
			depth++
		}
	}
}

func emptyText(prefix string) string {
	if prefix != "" {
		prefix += ":"
	}
	return "<" + prefix + "t/>"
}

// numberSet is a set of small numbers.
type numberSet []uint64

// maxBit bounds what a damaged cell may name.
const maxBit = 1 << 27

func (b *numberSet) set(n int) {
	if n < 0 || n > maxBit {
		return
	}
	if need := n/64 + 1; need > len(*b) {
		*b = append(*b, make([]uint64, need-len(*b))...)
	}
	(*b)[n/64] |= 1 << (n % 64)
}

func (b numberSet) has(n int) bool { return n/64 < len(b) && b[n/64]&(1<<(n%64)) != 0 }
