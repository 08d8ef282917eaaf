package outbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"sync"

	"einvoice/connector"
	"einvoice/connector/drop"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
	"einvoice/mappers"
)

// stalled are the exports that wait for an attachment.
type stalled struct {
	mu    sync.Mutex
	ids   map[int64]bool
	freed int // how often some were let go, or attachments came
}

// all are those that wait now.
func (s *stalled) all() map[int64]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.ids)
}

// changes counts what ends a wait. Who saw an export wait has seen no end if it
// grew meanwhile.
func (s *stalled) changes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.freed
}

// wait has an export wait, unless attachments came since it was looked for them,
// when changes was seen: then late is true. news is, when it did not wait before.
func (s *stalled) wait(id int64, seen int) (news, late bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.freed != seen {
		return false, true
	}
	if s.ids == nil {
		s.ids = map[int64]bool{}
	}
	news = !s.ids[id]
	s.ids[id] = true
	return news, false
}

// end lets an export go.
func (s *stalled) end(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ids[id] {
		s.freed++
	}
	delete(s.ids, id)
}

// clear lets all go, and returns whether there were any.
func (s *stalled) clear() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	any := len(s.ids) > 0
	s.ids = nil
	s.freed++
	return any
}

// offer hands the attachments of a scan to the mapping, and reports those that
// nobody asks for.
func (o *Outbox) offer(d *Drop, besides map[string]drop.Entry, f *found) {
	d.mu.Lock()
	news := false
	for name, e := range besides {
		if d.besides[name] != e {
			news = true
		}
	}
	d.besides = besides
	d.mu.Unlock()
	for _, name := range sorted(besides) {
		f.wait([]drop.Entry{besides[name]}, problem.Problem{Code: codeUnasked, Severity: problem.Hold}, false)
	}
	if news && o.stalled.clear() {
		o.mapWake.set()
	}
}

// beside finds an attachment that waits in the drop.
func (d *Drop) beside(name string) (drop.Entry, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e, ok := d.besides[fold(name)]
	return e, ok
}

// left tells an attachment that was taken before this start and stays in place.
func (o *Outbox) left(d *Drop, e drop.Entry) bool {
	if d.Config.After != drop.Leave {
		return false
	}
	p, err := o.Ledger.EarlierBeside(context.Background(), d.Config.Name, e.Name)
	if err != nil || p.Size != e.Size { // of another size: the mapping asks for it again, or it is reported
		return false
	}
	d.Watcher.Leave(e)
	return true
}

// used notes that an attachment was taken.
func (d *Drop) used(e drop.Entry) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.besides, fold(e.Name))
	if d.Config.After == drop.Leave {
		d.kept = append(d.kept, e)
	}
}

// gather brings the attachments of an export into the spool and the archive. It
// returns false while one without which an invoice cannot go is missing and the
// deadline has not come.
func (o *Outbox) gather(ctx context.Context, d *Drop, f ledger.File, m *mappers.Mapping, e mappers.Export) (bool, error) {
	if len(m.Besides()) == 0 {
		return true, nil
	}
	seen := o.stalled.changes() // before the first look
	all, err := o.wantedBy(ctx, d, f, m, e)
	if err != nil {
		return false, err
	}
	have, err := o.besidesOf(ctx, f.ID)
	if err != nil {
		return false, err
	}
	missing := ""
	for _, b := range all {
		if _, ok := have[fold(b.name)]; ok {
			continue
		}
		got, err := o.takeBeside(ctx, d, f, b)
		if err != nil {
			return false, err
		}
		if !got && b.required && missing == "" {
			missing = b.name
		}
	}
	if missing != "" && o.Now().Before(f.TakenAt.Add(d.Config.Deadline.Std())) {
		news, late := o.stalled.wait(f.ID, seen)
		if late { // it may be there by now
			o.mapWake.set()
		}
		if news {
			p := problem.Problem{Code: codeWaitsBeside, Expected: missing, Position: problem.Position{File: f.Name}}
			o.tell("pending", "drop", f.Drop, "file", f.Name, "reason", p.Message(o.Lang), "remedy", p.Remedy(o.Lang))
		}
		return false, nil
	}
	delete(o.wanted, f.ID)
	o.stalled.end(f.ID)
	return true, nil
}

// wanted is an attachment that invoices of an export name.
type wanted struct {
	name     string
	shared   bool            // by every invoice of every export
	required bool            // by one that is not refused anyway
	by       []connector.Key // of the invoices
}

// wantedBy reads an export for the attachments that its invoices name, once. An
// invoice that is refused anyway waits for none. What makes the export unreadable
// is left to the mapping to say.
func (o *Outbox) wantedBy(ctx context.Context, d *Drop, f ledger.File, m *mappers.Mapping, e mappers.Export) ([]wanted, error) {
	if known, ok := o.wanted[f.ID]; ok {
		return known, nil
	}
	var all []wanted
	seen := map[string]int{}
	e.Beside = func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(nil)), nil }
	_, err := m.Read(ctx, e, func(r mappers.Result) error {
		if r.Ignored != "" {
			return nil
		}
		adoptSeller(&r.Invoice, d.Companies)
		for _, b := range m.Attachments(r.Invoice, e) {
			at, ok := seen[fold(b.Name)]
			if !ok {
				at, seen[fold(b.Name)] = len(all), len(all)
				all = append(all, wanted{name: b.Name, shared: b.Shared})
			}
			all[at].required = all[at].required || b.Required && !r.Refused()
			all[at].by = append(all[at].by, r.Invoice.Key())
		}
		return nil
	})
	if p := (problem.Problem{}); err != nil && !errors.As(err, &p) {
		return nil, err
	}
	o.wanted[f.ID] = all
	return all, nil
}

// besidesOf are the attachments in the spool, by folded name.
func (o *Outbox) besidesOf(ctx context.Context, fileID int64) (map[string]ledger.Part, error) {
	parts, err := o.Ledger.PartsOf(ctx, fileID)
	have := map[string]ledger.Part{}
	for _, p := range parts {
		if p.Kind == ledger.PartBeside {
			have[fold(p.Name)] = p
		}
	}
	return have, err
}

// takeBeside takes one attachment out of the drop, else one that came earlier.
func (o *Outbox) takeBeside(ctx context.Context, d *Drop, f ledger.File, w wanted) (bool, error) {
	e, there := d.beside(w.name)
	if !there {
		return o.takeEarlier(ctx, f, w)
	}
	if e.Size > mappers.MaxAttachmentBytes {
		return true, nil // nothing to wait for: the mapping says that it is too large
	}
	blob, ok := o.copyOne(ctx, d, e)
	if !ok {
		return false, nil // said, and tried again
	}
	p := ledger.Part{FileID: f.ID, Kind: ledger.PartBeside, Name: e.Name, SHA256: blob.SHA256, Size: blob.Size}
	if err := o.Ledger.AddPart(ctx, p); err != nil {
		return false, err
	}
	d.used(e)
	return true, o.retire(ctx, d, original{f, p})
}

// takeEarlier has an attachment serve again that came with an earlier export: a
// corrected copy is dropped without it. A name alone proves nothing: an ERP that
// writes factures.pdf each day would have yesterday's sent with today's invoice.
func (o *Outbox) takeEarlier(ctx context.Context, f ledger.File, w wanted) (bool, error) {
	p, err := o.earlier(ctx, f, w)
	if errors.Is(err, ledger.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	kept, err := o.Spool.Open(p.SHA256)
	if errors.Is(err, fs.ErrNotExist) { // its retention is over: only the drop can bring it
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_ = kept.Close() // was only read
	if p.Archived == "" {
		p.Archived = "spool:" + p.SHA256
	}
	p.FileID = f.ID
	return true, o.Ledger.AddPart(ctx, p)
}

// earlier finds the attachment of the export that f is a copy of, else of one
// that had all the invoices that ask for it now; ErrNotFound. One that is the
// same for all invoices is the newest.
func (o *Outbox) earlier(ctx context.Context, f ledger.File, w wanted) (ledger.Part, error) {
	if w.shared {
		return o.Ledger.EarlierBeside(ctx, f.Drop, w.name)
	}
	of, err := o.copied(ctx, f)
	if err == nil {
		have, err := o.besidesOf(ctx, of.ID)
		if p, ok := have[fold(w.name)]; ok || err != nil {
			return p, err
		}
	} else if !errors.Is(err, ledger.ErrNotFound) {
		return ledger.Part{}, err
	}
	p, err := o.Ledger.BesideOf(ctx, f.Drop, w.name, w.by[0])
	if err != nil {
		return p, err
	}
	for _, k := range w.by[1:] {
		if has, err := o.Ledger.HasInvoice(ctx, p.FileID, k); err != nil || !has {
			return p, errors.Join(err, ledger.ErrNotFound)
		}
	}
	return p, nil
}

// opener opens the attachments of an export for its mapping.
func (o *Outbox) opener(ctx context.Context, d *Drop, f ledger.File) (func(name string) (io.ReadCloser, error), error) {
	have, err := o.besidesOf(ctx, f.ID)
	return func(name string) (io.ReadCloser, error) {
		if p, ok := have[fold(name)]; ok {
			return o.Spool.Open(p.SHA256)
		}
		if e, ok := d.beside(name); ok && e.Size > mappers.MaxAttachmentBytes {
			return nil, mappers.ErrTooBig
		}
		return nil, fs.ErrNotExist
	}, err
}

// putAside moves the content of attachments to the blob store: the ledger keeps
// their hashes only.
func (o *Outbox) putAside(ctx context.Context, inv *connector.Invoice) error {
	for i := range inv.Attached {
		a := &inv.Attached[i]
		if len(a.Content) == 0 {
			continue
		}
		blob, err := o.Blobs.Put(ctx, bytes.NewReader(a.Content))
		if err != nil {
			return fmt.Errorf("keep attachment %s: %w", a.Filename, err)
		}
		a.SHA256, a.Content = blob.SHA256, nil
	}
	return nil
}

// bringBack is the opposite, before an invoice is sent.
func (o *Outbox) bringBack(inv connector.Invoice) (connector.Invoice, error) {
	inv.Attached = append([]connector.Attachment(nil), inv.Attached...)
	for i := range inv.Attached {
		a := &inv.Attached[i]
		if a.SHA256 == "" {
			continue
		}
		f, err := o.Blobs.Open(a.SHA256)
		if err != nil {
			return inv, fmt.Errorf("open attachment %s: %w", a.Filename, err)
		}
		a.Content, err = io.ReadAll(f)
		f.Close()
		if err != nil {
			return inv, fmt.Errorf("read attachment %s: %w", a.Filename, err)
		}
		a.SHA256 = ""
	}
	return inv, nil
}

// withParts completes an export with its members, if it has any.
func (o *Outbox) withParts(ctx context.Context, f ledger.File, e mappers.Export) (mappers.Export, error) {
	parts, err := o.members(ctx, f.ID)
	for _, p := range parts {
		e.Parts = append(e.Parts, mappers.Export{Name: p.Name, Size: p.Size,
			Open: func() (io.ReadSeekCloser, error) { return o.Spool.Open(p.SHA256) }})
	}
	return e, err
}
