package results

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"einvoice/connector/drop"
	"einvoice/connector/durable"
	"einvoice/connector/fault"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
)

// Ledger is what the publisher needs of the ledger.
type Ledger interface {
	PlacesWithEvents(ctx context.Context) ([][2]string, error)
	OldestEvent(ctx context.Context, place, company string) (time.Time, error)
	EventsWaiting(ctx context.Context, place, company string, most int) (int, error)
	NumberEvents(ctx context.Context, place, company string, limit int, name func(first int64) string) (ledger.Publication, bool, error)
	PublicationsDue(ctx context.Context, n int) ([]ledger.Publication, error)
	AckLines(ctx context.Context, p ledger.Publication, f ledger.File) iter.Seq2[ledger.AckLine, error]
	EventsOf(ctx context.Context, p ledger.Publication) iter.Seq2[ledger.Event, error]
	SummaryOf(ctx context.Context, fileID int64) (ledger.Summary, error)
	FileByID(ctx context.Context, id int64) (ledger.File, error)
	FilesByID(ctx context.Context, ids []int64) (map[int64]ledger.File, error)
	UnreadyOf(ctx context.Context, p ledger.Publication) (file string, why problem.Problem, err error)
	FixPublications(ctx context.Context, all []ledger.Rendered) error
	BodyOf(ctx context.Context, id int64) ([]byte, error)
	MarkPublished(ctx context.Context, ids ...int64) error
	PostponePublication(ctx context.Context, id int64, due time.Time) error
}

// Blobs keeps rendered files that are too long for the ledger.
type Blobs interface {
	Put(ctx context.Context, r io.Reader) (durable.Blob, error)
	Open(sha string) (*os.File, error)
}

// Options of New.
type Options struct {
	Ledger Ledger
	Blobs  Blobs
	// Place opens one folder of a results place. It is called for each file,
	// so it should keep what is costly to open.
	Place    func(place string, f ledger.Folder) (drop.Place, error)
	Lang     problem.Lang
	Location *time.Location   // of times and file names; nil: UTC
	Now      func() time.Time // nil: time.Now
	Log      zerolog.Logger
}

// Publisher cuts, renders and publishes result files.
type Publisher struct {
	cfg    Config
	ledger Ledger
	blobs  Blobs
	place  func(place string, f ledger.Folder) (drop.Place, error)
	lang   problem.Lang
	zone   *time.Location
	now    func() time.Time
	log    zerolog.Logger

	mu    sync.Mutex // one round at a time
	cutAt map[[2]string]time.Time
	askAt map[[2]string]time.Time // cutFull counted the events
	lanes map[laneID]*lane
}

// New makes a publisher of a valid Config.
func New(cfg Config, opt Options) *Publisher {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	return &Publisher{
		cfg: cfg, ledger: opt.Ledger, blobs: opt.Blobs, place: opt.Place,
		lang: opt.Lang, zone: cmp.Or(opt.Location, time.UTC), now: opt.Now, log: opt.Log,
		cutAt: map[[2]string]time.Time{}, askAt: map[[2]string]time.Time{}, lanes: map[laneID]*lane{},
	}
}

// Publish does one round: it cuts the status files whose time has come, and
// publishes every file that is due. It returns how many it published. A place
// that is away postpones its own files and is no error; errors are those of the
// ledger and the blob store.
func (p *Publisher) Publish(ctx context.Context) (n int, err error) {
	return p.round(ctx, false)
}

// Flush is Publish without waiting for status_every: for `run --once`, and
// before a stop.
func (p *Publisher) Flush(ctx context.Context) (n int, err error) {
	return p.round(ctx, true)
}

// Answers publishes what is due without cutting a status file that is not full: for
// `run --once` while it sends, whose last statuses then are one file at its end.
func (p *Publisher) Answers(ctx context.Context) (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	cutErr := p.cutFull(ctx)
	n, err = p.deliverDue(ctx)
	return n, errors.Join(cutErr, err)
}

func (p *Publisher) round(ctx context.Context, force bool) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	cutErr := p.cut(ctx, force)
	n, err := p.deliverDue(ctx)
	return n, errors.Join(cutErr, err)
}

// eventsPerFile bounds a status file, and the transaction that numbers its lines.
const eventsPerFile = 20_000

// cut gives events their numbers and their file.
func (p *Publisher) cut(ctx context.Context, force bool) error {
	pairs, err := p.ledger.PlacesWithEvents(ctx)
	if err != nil {
		return err
	}
	for _, pair := range pairs {
		now := p.now()
		if due, err := p.cutDue(ctx, pair, now, force); err != nil {
			return err
		} else if !due {
			continue
		}
		if err := p.cutAll(ctx, pair[0], pair[1], now); err != nil {
			return err
		}
		p.cutAt[pair] = now
	}
	return nil
}

// cutFull cuts the status files whose last line has come already: a later round
// would make them of the same lines.
func (p *Publisher) cutFull(ctx context.Context) error {
	pairs, err := p.ledger.PlacesWithEvents(ctx)
	if err != nil {
		return err
	}
	for _, pair := range pairs {
		cfg, now := p.cfg.Of(pair[0]), p.now()
		if len(cfg.StatusAt) > 0 || cfg.StatusPer == perEvent || now.Sub(p.askAt[pair]) < cfg.StatusEvery.Std() {
			continue
		}
		p.askAt[pair] = now // counting takes time as well
		for {
			n, err := p.ledger.EventsWaiting(ctx, pair[0], pair[1], eventsPerFile)
			if err != nil {
				return err
			}
			if n < eventsPerFile {
				break
			}
			if _, err := p.cutOne(ctx, pair[0], pair[1], now); err != nil {
				return err
			}
		}
	}
	return nil
}

// cutDue tells whether a place's status lines are to be given their file now.
// With times of day it asks whether such a time has come since the oldest line:
// a stop or a restart in between changes nothing.
func (p *Publisher) cutDue(ctx context.Context, pair [2]string, now time.Time, force bool) (bool, error) {
	cfg := p.cfg.Of(pair[0])
	if len(cfg.StatusAt) == 0 {
		last, ok := p.cutAt[pair]
		return !ok || force || now.Sub(last) >= cfg.StatusEvery.Std(), nil
	}
	oldest, err := p.ledger.OldestEvent(ctx, pair[0], pair[1])
	return !oldest.IsZero() && !oldest.After(lastOf(cfg.StatusAt, now.In(p.zone))), err
}

// lastOf is the last moment up to now at which it was one of the times of day.
func lastOf(times []string, now time.Time) (last time.Time) {
	for _, text := range times {
		at, err := time.Parse("15:04", text)
		if err != nil {
			continue // Validate refuses it
		}
		t := time.Date(now.Year(), now.Month(), now.Day(), at.Hour(), at.Minute(), 0, 0, now.Location())
		if t.After(now) {
			t = time.Date(now.Year(), now.Month(), now.Day()-1, at.Hour(), at.Minute(), 0, 0, now.Location())
		}
		if t.After(last) {
			last = t
		}
	}
	return last
}

func (p *Publisher) cutAll(ctx context.Context, place, company string, now time.Time) error {
	for {
		if more, err := p.cutOne(ctx, place, company, now); err != nil || !more {
			return err
		}
	}
}

// cutOne makes one status file of the oldest events, if there are any.
func (p *Publisher) cutOne(ctx context.Context, place, company string, now time.Time) (made bool, err error) {
	name := func(first int64) string { return statusName(company, now.In(p.zone), first, p.cfg.Of(place).Ext()) }
	if err := fault.Hit(fault.EventsNumber); err != nil {
		return false, err
	}
	most := eventsPerFile
	if p.cfg.Of(place).StatusPer == perEvent {
		most = 1
	}
	_, made, err = p.ledger.NumberEvents(ctx, place, company, most, name)
	if err != nil {
		return false, err
	}
	return made, fault.Hit(fault.EventsNumbered)
}

// Bounds of one round: a ledger that keeps offering the same files must not keep
// us here for ever.
const (
	batch      = 256
	maxBatches = 200
)

func (p *Publisher) deliverDue(ctx context.Context) (published int, err error) {
	for range maxBatches {
		due, err := p.ledger.PublicationsDue(ctx, batch)
		if err != nil {
			return published, err
		}
		n, err := p.deliverBatch(ctx, due)
		published += n
		if err != nil || len(due) < batch {
			return published, err
		}
	}
	return published, nil
}

// deliverBatch serves each folder of each place on its own, so that a slow or
// dead one delays nobody else.
func (p *Publisher) deliverBatch(ctx context.Context, due []ledger.Publication) (int, error) {
	var (
		wg        sync.WaitGroup
		mu        sync.Mutex
		published int
		all       error
	)
	for id, pubs := range byLane(due) {
		l := p.lane(id)
		wg.Go(func() {
			n, err := l.deliver(ctx, pubs)
			mu.Lock()
			defer mu.Unlock()
			published += n
			all = errors.Join(all, err)
		})
	}
	wg.Wait()
	return published, all
}

// byLane groups publications by place and folder, in the order they were made.
func byLane(due []ledger.Publication) map[laneID][]ledger.Publication {
	groups := map[laneID][]ledger.Publication{}
	for _, pub := range due {
		id := laneID{pub.Place, pub.Folder}
		groups[id] = append(groups[id], pub)
	}
	for _, g := range groups {
		slices.SortFunc(g, func(a, b ledger.Publication) int { return cmp.Compare(a.ID, b.ID) })
	}
	return groups
}

func (p *Publisher) lane(id laneID) *lane {
	l := p.lanes[id]
	if l == nil {
		l = &lane{p: p, id: id}
		p.lanes[id] = l
	}
	return l
}

// Blocked is a folder that cannot be written to at present.
type Blocked struct {
	Place  string
	Folder ledger.Folder
	Until  time.Time // of the next try
	Err    error
}

// Blocked lists the folders whose last try failed, for health and alarms.
func (p *Publisher) Blocked() []Blocked {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Blocked
	for id, l := range p.lanes {
		if l.failures > 0 {
			out = append(out, Blocked{Place: id.place, Folder: id.folder, Until: l.until, Err: l.err})
		}
	}
	slices.SortFunc(out, func(a, b Blocked) int {
		return cmp.Or(cmp.Compare(a.Place, b.Place), cmp.Compare(a.Folder, b.Folder))
	})
	return out
}
