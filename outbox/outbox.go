package outbox

import (
	"context"
	"io"
	"iter"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"einvoice/connector"
	"einvoice/connector/api"
	"einvoice/connector/drop"
	"einvoice/connector/durable"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
	"einvoice/connector/rules"
	"einvoice/mappers"
)

// Platform is what the outbox needs of the API.
type Platform interface {
	// Submit sends one invoice; every failure is an answer with a fate.
	Submit(ctx context.Context, inv connector.Invoice) api.Answer
	// List walks invoices at the platform, all pages.
	List(ctx context.Context, q api.Query) iter.Seq2[connector.Remote, error]
	// Get reads one invoice whole; the error wraps api.ErrNotFound for an unknown id.
	Get(ctx context.Context, id string, refresh bool) (connector.Remote, error)
}

// Place is a drop: where exports come from and where their originals go.
type Place interface {
	drop.Place
	// OpenArchived reads what Retire moved, to see that it is what we took.
	OpenArchived(ctx context.Context, archived string) (io.ReadCloser, error)
	// RemoveArchived removes it again, for drops that keep no originals.
	RemoveArchived(ctx context.Context, archived string) error
}

// Drop is one place that is watched.
type Drop struct {
	Config    drop.Config
	Place     Place
	Watcher   *drop.Watcher
	Beat      func(context.Context) error // claims the place and renews the claim, at each scan; may be nil
	Explicit  bool                        // the configuration names the mappings of this drop
	Mappings  [][]*mappers.Mapping        // by preference: see mappers.Choose
	Companies []connector.Company         // that may sell through this drop
	Results   string                      // results place that gets the answers

	mu         sync.Mutex            // guards what parallel moves and the mapping touch: stuck, trouble, gone, kept, unopened, besides
	gone       []string              // originals that were moved, for the watcher to forget
	kept       []drop.Entry          // attachments taken and left in place
	unopened   []unopened            // files that could not be opened, for the watcher to know
	besides    map[string]drop.Entry // attachments that wait for an export, by folded name
	waits      waits                 // files that are not taken, and since when
	unserved   atomic.Bool           // the claim was refused, or the place is away
	unreadable atomic.Bool           // the last scan left a file that cannot be read, or copied
	claimed    atomic.Bool           // the place was claimed, or is away
	trouble    string                // what last kept it from being read
	stuck      bool                  // an original could not be moved to the archive yet
	read       atomic.Bool           // the last scan left nothing that will be ready by itself
}

// Journal tells the business log, in words that the caller chooses, what
// happened; args are named values such as file, number, company, reason.
type Journal func(event string, args map[string]string)

// Options of New.
type Options struct {
	Config   Config
	Ledger   *ledger.Ledger
	Spool    *durable.Store // exports as taken
	Blobs    *durable.Store // files that we owe somebody
	TempDir  string         // for what a reader must spill to disk
	Platform Platform
	// Account is the platform as a company's own credential shows it; nil: they
	// all have the same, Platform.
	Account func(companyID string) Platform
	// Credential names what a company's calls are made with, so that the stop of
	// one stops nobody else; nil: all have the same.
	Credential func(companyID string) string
	Drops      []*Drop
	Companies  []connector.Company
	Rules      rules.Config
	Safety     Safety
	Production bool // invoices are legal ones: see Safety.FirstRun
	Lang       problem.Lang
	// RefusedAsXLSX gives the correctable copy of a CSV as a workbook of texts.
	RefusedAsXLSX bool
	Location      *time.Location
	Now           func() time.Time
	Log           zerolog.Logger
	Journal       Journal
	ResultsExt    func(place string) string // extension of a place\'s answers; nil: csv
	Published     func()                    // called when there may be something to publish
	Drain         time.Duration             // how long a stop waits for invoices under way
	Endure        bool                      // a failing ledger or a full disk is waited for: for daemons
}

// Outbox runs the way out. Make it with New; Run it once.
type Outbox struct {
	Options
	mapWake    signal // a file was taken
	sendWake   signal // invoices were released
	settleWake signal // a verdict or an outcome was recorded
	doubtWake  signal // a look-up is due earlier than planned
	lanes      *lanes
	noting     sync.Mutex         // of why companies are stopped
	wanted     map[int64][]wanted // attachments of exports that wait for some
	stalled    stalled
	notesOwed  atomic.Bool // a file ended, and what that mends is not noted yet
	hardship   hardship
}

// New makes an outbox; it starts nothing.
func New(opt Options) *Outbox {
	if opt.Journal == nil {
		opt.Journal = func(string, map[string]string) {}
	}
	if opt.Published == nil {
		opt.Published = func() {}
	}
	if opt.Account == nil {
		opt.Account = func(string) Platform { return opt.Platform }
	}
	if opt.Credential == nil {
		opt.Credential = func(string) string { return "" }
	}
	o := &Outbox{Options: opt, mapWake: newSignal(), sendWake: newSignal(), settleWake: newSignal(), doubtWake: newSignal(),
		wanted: map[int64][]wanted{}}
	o.lanes = newLanes(opt.Companies, opt.Config, opt.Credential)
	return o
}

// Run works until ctx ends, then lets what is under way finish within Drain and
// returns nil. With Endure it has no other end: a ledger or disk that fails is
// said once and tried again. Without, its error is returned.
func (o *Outbox) Run(ctx context.Context) error {
	o.notesOwed.Store(true) // an earlier run may have ended in between
	g, ctx := errgroup.WithContext(ctx)
	for i := range o.Drops {
		g.Go(func() error { return o.watch(ctx, o.Drops[i]) })
	}
	g.Go(func() error { return o.loop(ctx, "map", o.mapWake, time.Minute, o.mapFiles) })
	g.Go(func() error { return o.loop(ctx, "settle", o.settleWake, time.Minute, sparing(o.settleFiles)) })
	g.Go(func() error { return o.resolve(ctx) })
	g.Go(func() error { return o.send(ctx) })
	err := g.Wait()
	for _, d := range o.Drops { // another run begins by reading them
		d.read.Store(false)
	}
	return err
}

// Idle tells whether nothing is left to do now: every drop was read, every
// export mapped and settled, and no invoice can be sent or looked up before
// somebody or time acts.
func (o *Outbox) Idle(ctx context.Context) (bool, error) {
	for _, d := range o.Drops {
		if !d.read.Load() {
			return false, nil
		}
	}
	// In the order in which work moves on, so that what leaves one step while we
	// look is seen in the next.
	return o.quiet(ctx, o.nothingToMap, o.nothingLeft, none(o.Ledger.FilesWithoutCopy), none(o.Ledger.FilesToSettle),
		func(context.Context) (bool, error) { return !o.notesOwed.Load(), nil })
}

// quiet tells whether no step has work. What waits behind a probe may be sent
// once the probe was, and then nothing is under way any more: a path that opened
// while we looked is work. So is an attachment that came meanwhile.
func (o *Outbox) quiet(ctx context.Context, steps ...func(context.Context) (bool, error)) (bool, error) {
	opened, came := o.lanes.openings(), o.stalled.changes()
	for _, idle := range steps {
		if ok, err := idle(ctx); err != nil || !ok {
			return false, err
		}
	}
	return o.lanes.openings() == opened && o.stalled.changes() == came, nil
}

// none tells whether a list of files is empty.
func none(list func(context.Context) ([]ledger.File, error)) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		files, err := list(ctx)
		return len(files) == 0, err
	}
}

// nothingToMap tells whether every export was mapped, but for those that wait
// for an attachment.
func (o *Outbox) nothingToMap(ctx context.Context) (bool, error) {
	waiting := o.stalled.all()
	ids, err := o.Ledger.ToMap(ctx, len(waiting)+1)
	if err != nil {
		return false, err
	}
	return !slices.ContainsFunc(ids, func(id int64) bool { return !waiting[id] }), nil
}

// Waiting counts the exports that wait for an attachment.
func (o *Outbox) Waiting() int { return len(o.stalled.all()) }

// Wake makes the outbox look at the ledger now, and a stopped lane try now: a
// person changed something.
func (o *Outbox) Wake() {
	o.lanes.hurry()
	for _, s := range []signal{o.sendWake, o.settleWake, o.doubtWake} {
		s.set()
	}
	o.Published()
}

// Settle closes the files that nothing is under way of any more, and gives back what
// was refused; for when Run has ended, and the way back found the last invoice of one.
func (o *Outbox) Settle(ctx context.Context) error { return o.settleFiles(ctx) }

// Adopted makes the outbox look at the ledger again: somebody else found an
// uncertain invoice, which may have been the last one of its file.
func (o *Outbox) Adopted() {
	o.settleWake.set()
	o.sendWake.set()
}

// Unreadable tells whether a drop holds a file that cannot be read, or copied.
func (o *Outbox) Unreadable() bool {
	return slices.ContainsFunc(o.Drops, func(d *Drop) bool { return d.unreadable.Load() })
}

// Unserved lists the drops that are not read: away, or served by another ledger.
func (o *Outbox) Unserved() []string {
	var names []string
	for _, d := range o.Drops {
		if d.unserved.Load() {
			names = append(names, d.Config.Name)
		}
	}
	return names
}

// nothingLeft tells whether no POST and no look-up is pending, and no invoice may
// start now. The ledger is seen at one moment: an answer lets credit notes go, a
// look-up lets an invoice go again, and between two looks neither would be seen.
// The paths come first: one that opens later is counted.
func (o *Outbox) nothingLeft(ctx context.Context) (bool, error) {
	var open []string
	for _, c := range o.Companies {
		if n, _ := o.lanes.open(c.ID, 1, o.Now()); n > 0 && o.entitled(c.ID) {
			open = append(open, c.ID)
		}
	}
	left, err := o.Ledger.Left(ctx)
	if err != nil || left.UnderWay {
		return false, err
	}
	return !slices.ContainsFunc(open, func(company string) bool { return !left.Nothing[company] }), nil
}

// loop calls work at each wake-up, and every pause in case one was missed.
func (o *Outbox) loop(ctx context.Context, subject string, wake signal, pause time.Duration, work func(context.Context) error) error {
	for {
		if err := work(ctx); err != nil {
			if o.endure(ctx, subject, err) {
				continue
			}
			return cause(ctx, err)
		}
		o.well(subject)
		if !wake.wait(ctx, pause) {
			return nil
		}
	}
}

// Work that is woken by every outcome, and mostly finds nothing, rests restFactor
// times as long as it took, at most restMost.
const (
	restFactor = 9
	restMost   = time.Second
)

// sparing makes work take no more than a tenth of the time.
func sparing(work func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		start := time.Now()
		err := work(ctx)
		if err == nil {
			newSignal().wait(ctx, min(restFactor*time.Since(start), restMost))
		}
		return err
	}
}

// jitter is a random number from 0 to 1 for back-offs.
func jitter() float64 { return rand.Float64() }

// signal wakes one waiter; signals that nobody waited for are one.
type signal chan struct{}

func newSignal() signal { return make(signal, 1) }

func (s signal) set() {
	select {
	case s <- struct{}{}:
	default:
	}
}

// wait returns at the signal or after at most d; false when ctx ended.
func (s signal) wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-s:
	case <-t.C:
	}
	return ctx.Err() == nil
}
