package outbox

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"einvoice/connector/drop"
	"einvoice/connector/durable"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
	"einvoice/mappers"
)

// Codes of files that wait for others (texts: connector/problem/file.go).
const (
	codeIncomplete  = "E1020" // an export of several files lacks one
	codeUnasked     = "E1021" // an attachment that no invoice names
	codeWaitsBeside = "E1022" // an export waits for an attachment
	codeSettling    = "E1012" // as the watcher's
	codeNotIncluded = "E1011"
)

// found is what one scan of a drop brought.
type found struct {
	single  []drop.Entry
	groups  []*group
	pending []drop.Pending
}

// whole tells whether something is taken now; what failed before may fail for ever.
func (f found) whole(failing func(drop.Entry) bool) bool {
	return slices.ContainsFunc(f.single, func(e drop.Entry) bool { return !failing(e) }) ||
		slices.ContainsFunc(f.groups, func(g *group) bool { return !slices.ContainsFunc(g.members, failing) })
}

// soon tells whether something will be whole by itself.
func (f found) soon() bool {
	return slices.ContainsFunc(f.pending, func(p drop.Pending) bool { return p.Soon })
}

// group is several files that are one export.
type group struct {
	mapping *mappers.Mapping
	name    string       // what the names of its files have in common
	members []drop.Entry // that are whole
	coming  []string     // that are there and not whole yet
}

// sort tells exports of one file from those of several and from what stands
// beside them.
func (o *Outbox) sort(d *Drop, ready []drop.Entry, pending []drop.Pending) found {
	f := found{pending: pending}
	d.waits.look()
	besides, groups := map[string]drop.Entry{}, map[string]*group{}
	for _, e := range ready {
		if d.IsBeside(e.Name) {
			if !o.left(d, e) {
				besides[fold(e.Name)] = e
			}
		} else if g := groupOf(groups, d, e.Name); g != nil {
			g.members = append(g.members, e)
		} else {
			f.single = append(f.single, e)
		}
	}
	for _, p := range pending {
		if g := groupOf(groups, d, p.Entry.Name); g != nil {
			g.coming = append(g.coming, p.Entry.Name)
		}
	}
	for _, key := range sorted(groups) {
		if g := groups[key]; o.complete(d, g, &f) {
			f.groups = append(f.groups, g)
		}
	}
	o.offer(d, besides, &f)
	return f
}

// groupOf is the group that a file belongs to, nil for an export of its own.
func groupOf(groups map[string]*group, d *Drop, name string) *group {
	m, common, ok := mappers.PartOf(name, d.Mappings...)
	if !ok {
		return nil
	}
	key := m.Name + "\x1f" + fold(common)
	if groups[key] == nil {
		groups[key] = &group{mapping: m, name: common}
		if common == "" { // names without a star
			groups[key].name = m.Name
		}
	}
	return groups[key]
}

// complete tells whether a group can be taken. One that lacks a file waits; one
// that lacks only what may be missing waits for the settle time, since programs
// write their files one after the other.
func (o *Outbox) complete(d *Drop, g *group, f *found) bool {
	var names []string
	for _, e := range g.members {
		names = append(names, e.Name)
	}
	why := problem.Problem{Code: codeIncomplete, Severity: problem.Hold}
	if lacks := append(g.mapping.Lacks(append(slices.Clone(names), g.coming...)), g.coming...); len(lacks) > 0 {
		why.Expected = strings.Join(lacks, ", ")
		f.wait(g.members, why, false)
		return false
	}
	if len(g.mapping.Optional(names)) > 0 {
		until := d.waits.whole(g.members, o.Now()).Add(d.Config.Settle.Std())
		if o.Now().Before(until) {
			f.wait(g.members, problem.Problem{Code: codeSettling, Severity: problem.Warn}, true)
			d.Watcher.Again(until)
			return false
		}
	}
	return true
}

// wait makes files pending.
func (f *found) wait(entries []drop.Entry, why problem.Problem, soon bool) {
	for _, e := range entries {
		why.Position.File = e.Name
		f.pending = append(f.pending, drop.Pending{Entry: e, Why: why, Soon: soon})
	}
}

// takeNew takes a group, unless its originals are left in place and are what was
// taken last.
func (o *Outbox) takeNew(ctx context.Context, d *Drop, g *group) error {
	if d.Config.After != drop.Leave {
		return o.takeGroup(ctx, d, g)
	}
	whole := drop.Entry{Name: g.name}
	for _, e := range g.members {
		whole.Size += e.Size
		if e.Modified.After(whole.Modified) {
			whole.Modified = e.Modified
		}
	}
	known, err := o.knows(ctx, d, whole)
	if err != nil {
		return err
	}
	if !known {
		return o.takeGroup(ctx, d, g)
	}
	for _, e := range g.members {
		d.Watcher.Leave(e)
	}
	return nil
}

// takeGroup takes the files of a group as one export: all are in the spool
// before one record names them, and only then are the originals moved.
func (o *Outbox) takeGroup(ctx context.Context, d *Drop, g *group) error {
	slices.SortFunc(g.members, func(a, b drop.Entry) int { return strings.Compare(a.Name, b.Name) })
	n := ledger.NewFile{Drop: d.Config.Name, Place: d.Results, Name: g.name}
	for _, e := range g.members {
		blob, ok := o.copyOne(ctx, d, e)
		if !ok {
			return nil // said, and tried again
		}
		n.Parts = append(n.Parts, ledger.Part{Kind: ledger.PartMember, Name: e.Name, SHA256: blob.SHA256, Size: blob.Size})
		n.Size += blob.Size
		n.Owner = e.Owner
		if e.Modified.After(n.Modified) {
			n.Modified = e.Modified
		}
	}
	var err error
	if n.SHA256, err = o.list(ctx, n.Parts); err != nil {
		o.sayTrouble(d, fmt.Errorf("copy %s to the spool: %w", g.name, err))
		return nil
	}
	f, err := o.enter(ctx, d, n, g.members...)
	if err != nil {
		return err
	}
	for _, p := range n.Parts {
		p.FileID = f.ID
		if err := o.retire(ctx, d, original{f, p}); err != nil {
			return err
		}
	}
	return nil
}

// list puts the list of an export's files into the spool, as sha256sum writes
// one: its hash stands for the export.
func (o *Outbox) list(ctx context.Context, parts []ledger.Part) (string, error) {
	var text strings.Builder
	for _, p := range parts {
		fmt.Fprintf(&text, "%s  %s\n", p.SHA256, p.Name)
	}
	blob, err := o.Spool.Put(ctx, strings.NewReader(text.String()))
	return blob.SHA256, err
}

// takeGroupAgain takes an export of which one file was rewritten between our
// copy and the move: the same as before, with the new bytes of that one.
func (o *Outbox) takeGroupAgain(ctx context.Context, x original, blob durable.Blob) error {
	parts, err := o.members(ctx, x.file.ID)
	if err != nil {
		return err
	}
	next := x.file.NewFile
	for _, p := range parts {
		p.Archived = "spool:" + p.SHA256
		if p.Name == x.part.Name {
			p.SHA256, p.Size, p.Archived = blob.SHA256, blob.Size, ""
		}
		next.Parts = append(next.Parts, p)
	}
	if next.SHA256, err = o.list(ctx, next.Parts); err != nil {
		return err
	}
	second, err := o.Ledger.TakeFile(ctx, next)
	if err != nil {
		return err
	}
	return o.Ledger.PartArchived(ctx, second.ID, x.part.Name, x.to())
}

// members are the files that an export of several consists of.
func (o *Outbox) members(ctx context.Context, fileID int64) ([]ledger.Part, error) {
	parts, err := o.Ledger.PartsOf(ctx, fileID)
	return slices.DeleteFunc(parts, func(p ledger.Part) bool { return p.Kind != ledger.PartMember }), err
}

// fold makes names comparable: old ERPs write EXPORT.CSV.
func fold(name string) string { return strings.ToLower(name) }

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// IsBeside tells whether a file is an attachment of an invoice by the mappings
// that may read the drop; the watcher asks it.
func (d *Drop) IsBeside(name string) bool {
	for _, ms := range d.Mappings {
		for _, m := range ms {
			for _, pattern := range m.Besides() {
				if ok, err := path.Match(fold(pattern), fold(name)); err == nil && ok {
					return true
				}
			}
		}
	}
	return false
}

// catchUp tells the watcher what became of files since it last looked.
func (d *Drop) catchUp() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range d.gone {
		d.Watcher.Forget(name)
	}
	for _, e := range d.kept {
		d.Watcher.Leave(e)
	}
	for _, u := range d.unopened {
		d.Watcher.Unreadable(u.entry, u.err)
	}
	d.gone, d.kept, d.unopened = nil, nil, nil
}
