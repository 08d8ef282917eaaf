package inbox

import (
	"bytes"
	"context"
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
	insideMost  = len("/"+dirApart+"/") + nameLeast + len(".txt") // room kept for what is in the folder
	monthLayout = "2006-01"
)

// buildFetched builds and delivers what was fetched. An invoice that cannot be
// built waits; the others go on.
func (in *Inbox) buildFetched(ctx context.Context) error {
	rows, err := in.opt.Ledger.ReceivedIn(ctx, ledger.ReceivedFetched, atOnce)
	if err != nil {
		return fmt.Errorf("list supplier invoices to build: %w", err)
	}
	promised, err := in.promised(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range rows {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := in.build(ctx, &r, promised); err != nil {
			errs = append(errs, fmt.Errorf("build supplier invoice %s: %w", r.APIID, err))
			continue
		}
		if err := in.deliver(ctx, r); err != nil {
			errs = append(errs, fmt.Errorf("deliver supplier invoice %s: %w", r.APIID, err))
		}
	}
	return errors.Join(errs...)
}

// promised are the final names of folders that could not be renamed yet.
func (in *Inbox) promised(ctx context.Context) (names, error) {
	rows, err := in.opt.Ledger.ReceivedIn(ctx, ledger.ReceivedBuilt, atOnce)
	if err != nil {
		return nil, fmt.Errorf("list supplier invoices to deliver: %w", err)
	}
	list := names{}
	for _, r := range rows {
		list[fold(filepath.Join(in.opt.Folder(r.Company), filepath.FromSlash(r.Folder)))] = true
	}
	return list, nil
}

// build makes the hidden folder and commits its final name; r gets both.
func (in *Inbox) build(ctx context.Context, r *ledger.Received, promised names) error {
	raw, inv, err := in.original(*r)
	if err != nil {
		return err
	}
	root := in.opt.Folder(r.Company)
	if _, err := os.Stat(root); err != nil {
		return fmt.Errorf("find inbox folder: %w", err) // a share that is away must not be made anew
	}
	r.BuildName = fmt.Sprintf("%s%d", buildPrefix, r.ID)
	if err := os.RemoveAll(filepath.Join(root, r.BuildName)); err != nil {
		return fmt.Errorf("remove unfinished folder: %w", err)
	}
	folder, there, err := in.place(root, *r, promised)
	if err != nil {
		return err
	}
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

// fill writes every file into the hidden folder.
func (in *Inbox) fill(root string, r *ledger.Received, raw []byte, inv connector.Invoice) error {
	hidden := filepath.Join(root, r.BuildName)
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
	var lines []string // the note is drawn as a warning: none without a reason
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
		if b.err == nil {
			durable.MarkForeign(filepath.Join(b.path, filepath.FromSlash(dir), a.name))
		}
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
