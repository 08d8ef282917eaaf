package inbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"einvoice/connector"
	"einvoice/connector/durable"
	"einvoice/connector/ledger"
	"einvoice/connector/pdf"
	"einvoice/connector/problem"
)

// A supplier invoice appears by one rename of a folder that was built, whole
// and durable, under a hidden name in the same tree: rights inherit, and nobody
// ever sees a part of it. The ledger is told "built" before the rename, so that
// after a crash a missing build folder means that it was delivered, and staff
// who moved the folder on never get a second one.

const (
	buildPrefix = ".einvoice-build-"
	fileJSON    = "invoice.json"
	fileCSV     = "invoice.csv"
	dirAttached = "attachments"
	dirApart    = "attachments/quarantine"
	insideMost  = len("/"+dirApart+"/") + nameLeast // room kept for what is in the folder
	monthLayout = "2006-01"
)

// buildFetched builds and delivers what was fetched. An invoice that cannot be
// built waits; the others go on.
func (in *Inbox) buildFetched(ctx context.Context) error {
	rows, err := in.opt.Ledger.ReceivedIn(ctx, ledger.ReceivedFetched, atOnce)
	if err != nil {
		return fmt.Errorf("list supplier invoices to build: %w", err)
	}
	var errs []error
	for _, r := range rows {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := in.build(ctx, &r); err != nil {
			errs = append(errs, fmt.Errorf("build supplier invoice %s: %w", r.APIID, err))
			continue
		}
		if err := in.deliver(ctx, r); err != nil {
			errs = append(errs, fmt.Errorf("deliver supplier invoice %s: %w", r.APIID, err))
		}
	}
	return errors.Join(errs...)
}

// build makes the hidden folder and commits its final name; r gets both.
func (in *Inbox) build(ctx context.Context, r *ledger.Received) error {
	raw, inv, err := in.original(*r)
	if err != nil {
		return err
	}
	root := in.opt.Folder(r.Company)
	if _, err := os.Stat(root); err != nil {
		return fmt.Errorf("find inbox folder: %w", err) // a share that is away must not be made anew
	}
	r.BuildName = fmt.Sprintf("%s%d", buildPrefix, r.ID)
	folder, there := in.place(root, *r)
	r.Folder = folder
	// Made before "built" is committed: see delivered.
	if err := durable.MkdirAll(filepath.Join(root, filepath.FromSlash(path.Dir(folder))), folderMode(in.mode)); err != nil {
		return err
	}
	if !there {
		if err := in.fill(root, r, raw, inv); err != nil {
			return err
		}
	}
	return in.opt.Ledger.Built(ctx, r.ID, r.BuildName, r.Folder)
}

// fill writes every file into the hidden folder, anew.
func (in *Inbox) fill(root string, r *ledger.Received, raw []byte, inv connector.Invoice) error {
	hidden := filepath.Join(root, r.BuildName)
	if err := os.RemoveAll(hidden); err != nil {
		return fmt.Errorf("remove unfinished folder: %w", err)
	}
	if err := durable.MkdirAll(hidden, folderMode(in.mode)); err != nil {
		return err
	}
	b := &folder{path: hidden, file: in.mode, dir: folderMode(in.mode)}
	w := wordsOf(in.opt.Lang)
	taken := names{}
	for _, name := range []string{fileJSON, fileCSV, w.readable, w.alerts, dirAttached} {
		taken[fold(name)] = true
	}
	room := pathMost - length(filepath.Join(root, r.Folder)) - len("/"+dirApart+"/") - len(".txt")
	sorted := sortAttachments(inv.Attached, inv.Number, taken, min(max(room, nameLeast), nameMost))
	found := append(r.Alerts, apart(sorted)...)

	b.bytes(fileJSON, raw)
	b.attachments(sorted, w)
	if err := in.readable(b, w, *r, inv, found); err != nil {
		in.opt.Log.Warn().Err(err).Str("api_id", r.APIID).Msg("cannot make the readable copy; delivered without it")
		found = append(found, problem.Problem{Code: codeNoPDF, Severity: problem.Warn, Invoice: inv.Number})
	}
	if len(found) > 0 {
		b.bytes(w.alerts, alertText(w, in.opt.Lang, r.ToCheck, found))
	}
	b.stream(fileCSV, func(out io.Writer) error { return writeCSV(out, *r, inv, found, in.opt.Location) })
	if b.err == nil {
		b.err = durable.SyncDir(hidden)
	}
	return b.err
}

// readable draws our page in memory first: a document that cannot be drawn
// must not cost the delivery.
func (in *Inbox) readable(b *folder, w words, r ledger.Received, inv connector.Invoice, found []problem.Problem) error {
	lines := []string{w.note}
	for _, p := range found {
		lines = append(lines, p.Message(in.opt.Lang))
	}
	var page bytes.Buffer
	err := pdf.Write(&page, pdf.Document{
		Invoice: inv, Lang: in.opt.Lang, Received: r.ReceivedAt.In(in.opt.Location), Note: strings.Join(lines, "\n"),
	})
	if err == nil {
		b.bytes(w.readable, page.Bytes())
	}
	return err
}

// apart is the alert about attachments in quarantine.
func apart(sorted []attached) (list []problem.Problem) {
	for _, a := range sorted {
		if a.quarantine {
			list = append(list, problem.Problem{Code: codeQuarantine, Severity: problem.Warn, Value: safeName(a.original, nameMost)})
		}
	}
	return list
}

func alertText(w words, lang problem.Lang, toCheck bool, found []problem.Problem) []byte {
	var b strings.Builder
	if toCheck {
		b.WriteString(w.toCheckWhy + "\r\n\r\n")
	}
	for _, p := range found {
		fmt.Fprintf(&b, "%s  %s\r\n       %s\r\n", p.Code, p.Message(lang), p.Remedy(lang))
	}
	// The mark makes every Windows editor read the accents right.
	return []byte("\ufeff" + b.String())
}

// folder writes files below path; the first error stops the rest.
type folder struct {
	path      string
	file, dir fs.FileMode
	err       error
}

func (b *folder) bytes(name string, content []byte) {
	b.stream(name, func(w io.Writer) error { _, err := w.Write(content); return err })
}

// stream writes one file. Names were made safe before; this is the wall behind it.
func (b *folder) stream(name string, fill func(io.Writer) error) {
	if b.err != nil {
		return
	}
	local, err := filepath.Localize(name)
	if err != nil {
		b.err = fmt.Errorf("write %q: %w", name, err)
		return
	}
	b.err = writeTo(filepath.Join(b.path, local), b.file, fill)
}

func (b *folder) attachments(sorted []attached, w words) {
	for _, a := range sorted {
		dir := dirAttached
		switch {
		case a.main:
			dir = "."
		case a.quarantine:
			dir = dirApart
		}
		if b.err == nil {
			b.err = durable.MkdirAll(filepath.Join(b.path, filepath.FromSlash(dir)), b.dir)
		}
		b.bytes(path.Join(dir, a.name), a.content)
		if a.quarantine {
			b.bytes(path.Join(dir, a.name+".txt"), fmt.Appendf([]byte("\ufeff"), w.notice, safeName(a.original, nameMost)))
		}
	}
}

// writeTo gives a durable file a writer.
func writeTo(name string, mode fs.FileMode, fill func(io.Writer) error) error {
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.CloseWithError(fill(w))
	}()
	_, err := durable.WriteFrom(name, r, mode)
	r.CloseWithError(errors.New("reader gone"))
	<-done
	return err
}

// place decides the folder's final name, relative to root, with slashes. there
// is true when this very invoice stands there already: a ledger restored from
// a backup forgot that it was delivered.
func (in *Inbox) place(root string, r ledger.Received) (folder string, there bool) {
	w := wordsOf(in.opt.Lang)
	dir := r.ReceivedAt.In(in.opt.Location).Format(monthLayout)
	if r.ToCheck {
		dir = path.Join(w.toCheck, dir)
	}
	room := pathMost - length(filepath.Join(root, dir)) - len("/") - insideMost
	most := min(max(room, nameLeast), nameMost)
	name := folderName(w, r, most)
	free := name
	for i := 1; ; i++ {
		at := filepath.Join(root, dir, free)
		if _, err := os.Lstat(at); errors.Is(err, fs.ErrNotExist) {
			return path.Join(dir, free), false
		}
		if holds(at, r.APIID) {
			return path.Join(dir, free), true
		}
		free = withTail(name, r.APIID, i, most)
	}
}

// withTail tells two invoices of one name apart by the API id, and by a number
// after that.
func withTail(name, apiID string, i, most int) string {
	tail := " (" + safeName(apiID, nameLeast) + ")"
	if i > 1 {
		tail = fmt.Sprintf(" (%s-%d)", safeName(apiID, nameLeast), i)
	}
	return shorten(name, max(nameLeast/2, most-length(tail))) + tail
}

// folderName is what people sort and search by. The parts that only we control
// keep their place: a long supplier name is cut first, then the number.
func folderName(w words, r ledger.Received, most int) string {
	amount := strings.ReplaceAll(money(r.Gross, r.Currency), ".", w.decimal)
	tail := " " + safeName(amount+" "+r.Currency, 30)
	date := string(r.IssueDate)
	if date == "" {
		date = "0000-00-00"
	}
	number := safeName(or(r.Number, w.unnumbered), 40)
	room := most - length(date) - length(tail) - 2
	number = shorten(number, max(8, room/2))
	supplier := shorten(safeName(or(r.Supplier, w.nobody), 60), max(4, room-length(number)))
	return safeName(date+" "+supplier+" "+number+tail, most)
}

func or(text, instead string) string {
	if strings.TrimSpace(text) == "" {
		return instead
	}
	return text
}

// money pads an amount to its currency's minor unit: 61.2 EUR is 61.20.
func money(a connector.Amount, currency string) string {
	d, ok := a.Get()
	if !ok {
		return ""
	}
	return d.Pad(connector.MinorUnit(currency)).String()
}

// holds tells whether a folder is the delivered one of an API id.
func holds(folder, apiID string) bool {
	f, err := os.Open(filepath.Join(folder, fileJSON))
	if err != nil {
		return false
	}
	defer f.Close()
	var doc struct {
		ID string `json:"id"`
	}
	return json.NewDecoder(f).Decode(&doc) == nil && doc.ID == apiID
}
