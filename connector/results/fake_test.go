package results

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"einvoice/connector/drop"
	"einvoice/connector/durable"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
)

var errCrash = errors.New("crash")

// fakeLedger keeps publications in memory, as the real one does on disk: it
// outlives the publishers of a test.
type fakeLedger struct {
	mu        sync.Mutex
	now       func() time.Time
	files     map[int64]ledger.File
	sums      map[int64]ledger.Summary
	lines     map[int64][]ledger.AckLine // by publication
	events    []ledger.Event             // without a number yet
	numbered  []ledger.Event
	pubs      []ledger.Publication
	published map[int64]bool
	bodies    map[int64][]byte
	crashAt   string // "FixPublication:before", "MarkPublished:after" ...
}

func newFakeLedger(now func() time.Time) *fakeLedger {
	return &fakeLedger{
		now: now, files: map[int64]ledger.File{}, sums: map[int64]ledger.Summary{},
		lines: map[int64][]ledger.AckLine{}, published: map[int64]bool{}, bodies: map[int64][]byte{},
	}
}

// verb runs one change, unless the test's crash comes before or after it.
func (l *fakeLedger) verb(name string, change func()) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.crashAt == name+":before" {
		return errCrash
	}
	change()
	if l.crashAt == name+":after" {
		return errCrash
	}
	return nil
}

func (l *fakeLedger) add(p ledger.Publication) ledger.Publication {
	p.ID = int64(len(l.pubs) + 1)
	if p.Folder == "" {
		p.Folder = ledger.FolderResults
	}
	p.DueAt = l.now()
	l.pubs = append(l.pubs, p)
	return p
}

func (l *fakeLedger) PlacesWithEvents(context.Context) (pairs [][2]string, err error) {
	for _, e := range l.events {
		if pair := [2]string{"main", e.Company}; !slices.Contains(pairs, pair) {
			pairs = append(pairs, pair)
		}
	}
	return pairs, nil
}

func (l *fakeLedger) OldestEvent(_ context.Context, _, company string) (time.Time, error) {
	for _, e := range l.events {
		if e.Company == company {
			return e.OccurredAt, nil
		}
	}
	return time.Time{}, nil
}

func (l *fakeLedger) EventsWaiting(_ context.Context, _, company string, most int) (n int, err error) {
	for _, e := range l.events {
		if e.Company == company && n < most {
			n++
		}
	}
	return n, nil
}

func (l *fakeLedger) NumberEvents(_ context.Context, place, company string, limit int, name func(int64) string) (p ledger.Publication, ok bool, err error) {
	err = l.verb("NumberEvents", func() {
		first := int64(len(l.numbered) + 1)
		var rest []ledger.Event
		for _, e := range l.events {
			if e.Company != company || limit == 0 {
				rest = append(rest, e)
				continue
			}
			limit--
			e.Seq = int64(len(l.numbered) + 1)
			l.numbered = append(l.numbered, e)
		}
		l.events = rest
		if last := int64(len(l.numbered)); last >= first {
			p, ok = l.add(ledger.Publication{Place: place, Kind: ledger.KindStatus, Name: name(first), SeqFrom: first, SeqTo: last}), true
		}
	})
	return p, ok, err
}

func (l *fakeLedger) PublicationsDue(_ context.Context, n int) (due []ledger.Publication, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	held := map[laneID]bool{} // a numbered file waits for those numbered before it
	for _, p := range l.pubs {
		id := laneID{p.Place, p.Folder}
		switch {
		case l.published[p.ID]:
		case p.DueAt.After(l.now()):
			held[id] = held[id] || p.SeqFrom > 0
		case len(due) < n && !(p.SeqFrom > 0 && held[id]):
			due = append(due, p)
		}
	}
	return due, nil
}

func (l *fakeLedger) UnreadyOf(_ context.Context, p ledger.Publication) (string, problem.Problem, error) {
	return "a.csv", problem.Problem{Code: "E1007", Severity: problem.Warn, Expected: "a.done", Position: problem.Position{File: "a.csv"}}, nil
}

func (l *fakeLedger) AckLines(_ context.Context, p ledger.Publication, _ ledger.File) iter.Seq2[ledger.AckLine, error] {
	return func(yield func(ledger.AckLine, error) bool) {
		for _, line := range l.lines[p.ID] {
			if !yield(line, nil) {
				return
			}
		}
	}
}

func (l *fakeLedger) EventsOf(_ context.Context, p ledger.Publication) iter.Seq2[ledger.Event, error] {
	return func(yield func(ledger.Event, error) bool) {
		for _, e := range l.numbered {
			if e.Seq >= p.SeqFrom && e.Seq <= p.SeqTo && !yield(e, nil) {
				return
			}
		}
	}
}

func (l *fakeLedger) SummaryOf(_ context.Context, id int64) (ledger.Summary, error) {
	return l.sums[id], nil
}

func (l *fakeLedger) FileByID(_ context.Context, id int64) (ledger.File, error) {
	f, ok := l.files[id]
	if !ok {
		return f, ledger.ErrNotFound
	}
	return f, nil
}

func (l *fakeLedger) FilesByID(_ context.Context, ids []int64) (map[int64]ledger.File, error) {
	found := map[int64]ledger.File{}
	for _, id := range ids {
		f, ok := l.files[id]
		if !ok {
			return nil, ledger.ErrNotFound
		}
		found[id] = f
	}
	return found, nil
}

func (l *fakeLedger) FixPublications(_ context.Context, all []ledger.Rendered) error {
	return l.verb("FixPublication", func() {
		for _, r := range all {
			l.pubs[r.ID-1].SHA256 = r.SHA256
			if r.Body != nil {
				l.bodies[r.ID] = r.Body
			}
		}
	})
}

func (l *fakeLedger) BodyOf(_ context.Context, id int64) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if body := l.bodies[id]; body != nil {
		return body, nil
	}
	return nil, ledger.ErrNotFound
}

func (l *fakeLedger) MarkPublished(_ context.Context, ids ...int64) error {
	return l.verb("MarkPublished", func() {
		for _, id := range ids {
			l.published[id] = true
		}
	})
}

func (l *fakeLedger) PostponePublication(_ context.Context, id int64, due time.Time) error {
	return l.verb("PostponePublication", func() { l.pubs[id-1].DueAt = due; l.pubs[id-1].Tries++ })
}

// fakePlace is a folder in memory. It embeds the interface for the verbs that
// the publisher does not use.
type fakePlace struct {
	drop.Place
	mu      sync.Mutex
	away    error
	crash   string // "before" or "after" a file appears
	written []string
	batches []int // sizes
	files   map[string]string
}

func (f *fakePlace) String() string { return "fake" }

func (f *fakePlace) Publish(_ context.Context, name string, content io.Reader) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away != nil {
		return f.away
	}
	if f.crash == "before" {
		return errCrash
	}
	b, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	if old, ok := f.files[name]; ok && old != string(b) {
		return fmt.Errorf("%s changed its bytes", name)
	}
	f.files[name] = string(b)
	f.written = append(f.written, name)
	if f.crash == "after" {
		return errCrash
	}
	return nil
}

func (f *fakePlace) Open(_ context.Context, name string) (io.ReadCloser, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	content, ok := f.files[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return io.NopCloser(strings.NewReader(content)), nil
}

// bench is a publisher with its surroundings.
type bench struct {
	t       *testing.T
	clock   time.Time
	ledger  *fakeLedger
	blobs   *durable.Store
	places  map[string]*fakePlace // by place and folder
	cfg     Config
	lang    problem.Lang
	several bool // places publish several files at once
	log     bytes.Buffer
	*Publisher
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, clock: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC), cfg: Defaults(), lang: problem.French, places: map[string]*fakePlace{}}
	b.ledger = newFakeLedger(b.now)
	store, err := durable.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b.blobs = store
	b.restart()
	return b
}

func (b *bench) now() time.Time { return b.clock }

// restart forgets all that a process forgets.
func (b *bench) restart() {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		b.t.Fatal(err)
	}
	b.Publisher = New(b.cfg, Options{
		Ledger: b.ledger, Blobs: b.blobs, Lang: b.lang, Location: paris, Now: b.now, Log: zerolog.New(&b.log),
		Place: func(place string, f ledger.Folder) (drop.Place, error) {
			if b.several {
				return fakeSeveral{b.at(place, f)}, nil
			}
			return b.at(place, f), nil
		},
	})
}

// fakeSeveral is a place that publishes several files at once.
type fakeSeveral struct{ *fakePlace }

func (f fakeSeveral) PublishAll(ctx context.Context, files []drop.File) (n int, err error) {
	f.batches = append(f.batches, len(files))
	for i, file := range files {
		if err := f.Publish(ctx, file.Name, file.Content); err != nil {
			return i, err
		}
	}
	return len(files), nil
}

func (b *bench) at(place string, f ledger.Folder) *fakePlace {
	b.ledger.mu.Lock()
	defer b.ledger.mu.Unlock()
	id := place + "/" + string(f)
	if b.places[id] == nil {
		b.places[id] = &fakePlace{files: map[string]string{}}
	}
	return b.places[id]
}

func (b *bench) main() *fakePlace { return b.at("main", ledger.FolderResults) }

// round publishes and expects n files.
func (b *bench) round(n int) {
	b.t.Helper()
	got, err := b.Publish(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	if got != n {
		b.t.Fatalf("published %d files, want %d", got, n)
	}
}

// rendered adds a publication that comes rendered, with the given bytes.
func (b *bench) rendered(place string, folder ledger.Folder, name, content string) {
	b.t.Helper()
	blob, err := b.blobs.Put(b.t.Context(), strings.NewReader(content))
	if err != nil {
		b.t.Fatal(err)
	}
	b.ledger.add(ledger.Publication{Place: place, Folder: folder, Kind: ledger.KindCopy, Name: name, SHA256: blob.SHA256})
}

// numbered is rendered for a file whose lines have the number seq.
func (b *bench) numbered(name string, seq int64) {
	b.t.Helper()
	b.rendered("main", ledger.FolderResults, name, name)
	p := &b.ledger.pubs[len(b.ledger.pubs)-1]
	p.SeqFrom, p.SeqTo = seq, seq
}

// acknowledged adds an export with its acknowledgement of the given lines.
func (b *bench) acknowledged(f ledger.File, lines ...ledger.AckLine) string {
	f.ID = int64(len(b.ledger.files) + 1)
	b.ledger.files[f.ID] = f
	p := b.ledger.add(ledger.Publication{Place: "main", Kind: ledger.KindAck, Name: AckName(f.Name, f.Take, CSV), FileID: f.ID})
	b.ledger.lines[p.ID] = lines
	return p.Name
}

func sameText(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
