// Package inbox brings back what the platform has to say: the statuses of our
// invoices, and the invoices of suppliers, each delivered whole or not at all.
//
// Callbacks and polling feed one idempotent path. A callback is only a
// doorbell: it is recorded, answered, and the invoice is then read again with
// our own token. Polling alone is complete, so that nothing depends on being
// reachable from outside.
package inbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/time/rate"

	"einvoice/connector"
	"einvoice/connector/api"
	"einvoice/connector/drop"
	"einvoice/connector/durable"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
	"einvoice/connector/setting"
)

// Platform is what the inbox asks of the API.
type Platform interface {
	// Get reads one invoice; an absent one is api.ErrNotFound.
	Get(ctx context.Context, id string, refresh bool) (connector.Remote, error)
	// List reads a company's invoices, both directions, page after page.
	List(ctx context.Context, q api.Query) iter.Seq2[connector.Remote, error]
}

// Options are what New is given besides the configuration.
type Options struct {
	Ledger   *ledger.Ledger
	Blobs    *durable.Store // callback bodies and received originals
	Platform Platform
	// Account is the platform as a company's own credential shows it; nil: they
	// all have the same, Platform.
	Account   func(companyID string) Platform
	Companies []connector.Company
	Folder    func(companyID string) string // the inbox folder of a company
	// ERP is where a company's second delivery goes; nil: there is none.
	ERP func(companyID string) (drop.Place, error)
	// Tree is where the supplier invoices of a company stand; nil, or a nil
	// answer, is Folder.
	Tree     func(companyID string) Tree
	Lang     problem.Lang
	Location *time.Location   // of months, days and the budget; nil: time.Local
	Now      func() time.Time // nil: time.Now
	Log      zerolog.Logger
	// Journal tells the business journal; nil: nobody. Events and their args:
	// "status" (company, number, api_id, state, external, code), "adopted" (company, number, api_id),
	// "received" (supplier_id, number, gross, currency, month, to_check),
	// "budget" (spent, budget), "callbacks_silent" (since, changes), "callbacks_back".
	Journal func(event string, args map[string]string)
}

// Inbox is the way back. Handler may be served while Run runs.
type Inbox struct {
	cfg     Config
	opt     Options
	mode    fs.FileMode // of delivered files
	secrets []setting.Secret
	doors   []door
	wake    chan struct{} // a callback was recorded
	parsing chan struct{} // bounds the bodies held in memory

	lastCall atomic.Int64 // of an authentic call, in Unix nanoseconds; 0: none yet

	round   sync.Mutex // one round at a time; guards what follows
	unknown *rate.Limiter
	outages map[Platform]*pause         // of the platform as a whole, by credential
	later   map[string]pause            // of single invoices, by API id
	listed  map[string]time.Time        // last look at a company's newest invoices
	shown   map[string]bool             // companies whose list was read in this round
	starts  map[string]connector.Date   // of the first synchronisation, as the ledger keeps it
	onHand  map[string]connector.Remote // read in this round, so that fetching need not read again
	known   map[string]struct{}         // received ids already recorded, to spare writes
	dirty   map[month]bool              // registers to be written
	rests   map[month]rest              // registers not to be written again yet
	said    map[string]string           // what the log was told last, by subject
	started bool

	since0       time.Time // when we began to wait for calls
	listening    bool      // the ledger was asked for a silence
	silent       time.Time // since when callbacks are silent; zero: they are not
	missed       int       // changes that only polling saw, since the last call
	answeredCall int64     // lastCall, as the last round knew it

	issuedAt time.Time // when the workbooks of issued invoices were written
	activity string    // of the ledger, then
}

const (
	tick          = 15 * time.Second // between rounds when nobody rings
	unknownEvery  = 2 * time.Second  // GETs for ids that callbacks name and we do not know
	unknownBurst  = 10
	onHandEntries = 64
	onHandBytes   = 1 << 20
)

// New makes an inbox and, when callbacks are enabled, reads their secrets.
func New(cfg Config, opt Options) (*Inbox, error) {
	mode, err := cfg.mode()
	if err != nil {
		return nil, fmt.Errorf("inbox: file_mode %w", err)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Location == nil {
		opt.Location = time.Local
	}
	if opt.Journal == nil {
		opt.Journal = func(string, map[string]string) {}
	}
	in := &Inbox{
		cfg: cfg, opt: opt, mode: mode,
		wake: make(chan struct{}, 1), parsing: make(chan struct{}, 1),
		unknown: rate.NewLimiter(rate.Every(unknownEvery), unknownBurst),
		later:   map[string]pause{}, outages: map[Platform]*pause{}, listed: map[string]time.Time{},
		shown: map[string]bool{}, starts: map[string]connector.Date{}, onHand: map[string]connector.Remote{}, known: map[string]struct{}{}, dirty: map[month]bool{}, rests: map[month]rest{}, said: map[string]string{},
	}
	in.since0 = opt.Now()
	if !cfg.Callback.Enabled {
		return in, nil
	}
	if in.secrets, err = cfg.Callback.secrets(); err != nil {
		return nil, err
	}
	in.doors = doors(in.secrets, opt.Companies)
	return in, nil
}

// Run works until ctx is cancelled, then returns nil. Callbacks wake it; what
// has come due is looked at every few seconds.
func (in *Inbox) Run(ctx context.Context) error {
	ticker := time.NewTicker(max(time.Second, min(tick, in.cfg.Poll.Young.Std())))
	defer ticker.Stop()
	for {
		err := in.Round(ctx)
		if ctx.Err() != nil {
			return nil
		}
		in.round.Lock() // people's errands say things as well
		in.sayOnce("round", err)
		in.round.Unlock()
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		case <-in.wake:
		}
	}
}

// Round does once everything that is due: callbacks, lists, single invoices,
// supplier invoices, registers. What cannot be done now is tried in a later
// round; the error is about our own ledger and disk, not about the platform.
func (in *Inbox) Round(ctx context.Context) error {
	err := in.Bring(ctx)
	if ctx.Err() != nil {
		return err
	}
	return errors.Join(err, in.Registers(ctx))
}

// Bring is Round without the registers.
func (in *Inbox) Bring(ctx context.Context) error {
	in.round.Lock()
	defer in.round.Unlock()
	clear(in.onHand)
	steps := []func(context.Context) error{
		in.start, in.hearken, in.deliverBuilt, in.answerCallbacks, in.list, in.watch,
		in.fetchSeen, in.buildFetched, in.deliverToERP,
	}
	var errs []error
	for _, step := range steps {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		// A broken step must not stop the others: a full inbox folder says
		// nothing about statuses.
		errs = append(errs, step(ctx))
	}
	return errors.Join(errs...)
}

// Registers writes those for which something happened.
func (in *Inbox) Registers(ctx context.Context) error {
	in.round.Lock()
	defer in.round.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return in.writeRegisters(ctx)
}

// Settled tells whether nothing is left to do on our side: no callback to
// process, no supplier invoice on its way to its folder or to the ERP. Invoices whose
// platform state may still change do not count.
func (in *Inbox) Settled(ctx context.Context) (bool, error) {
	callbacks, err := in.opt.Ledger.CallbacksDue(ctx, 1)
	if err != nil || len(callbacks) > 0 {
		return false, err
	}
	for _, s := range []ledger.ReceivedState{ledger.ReceivedSeen, ledger.ReceivedFetched, ledger.ReceivedBuilt} {
		rows, err := in.opt.Ledger.ReceivedIn(ctx, s, 1)
		if err != nil || len(rows) > 0 {
			return false, err
		}
	}
	for _, c := range in.opt.Companies {
		if in.opt.ERP == nil {
			break
		}
		if rows, err := in.opt.Ledger.ReceivedForERP(ctx, c.ID, 1); err != nil || len(rows) > 0 {
			return false, err
		}
	}
	return true, nil
}

// start cleans up after a crash, once.
func (in *Inbox) start(ctx context.Context) error {
	if in.started {
		return nil
	}
	if err := in.removeLeftovers(ctx); err != nil {
		return err
	}
	// Registers are derived: a crash may have come between a delivery and its line.
	now := in.now()
	for _, c := range in.opt.Companies {
		in.dirty[month{c.ID, now.Format(monthLayout)}] = true
		in.dirty[month{c.ID, now.AddDate(0, 0, -now.Day()).Format(monthLayout)}] = true
	}
	in.started = true
	return nil
}

// now is the time in the zone of months and days.
func (in *Inbox) now() time.Time { return in.opt.Now().In(in.opt.Location) }

// company finds a company by its key; one that left the configuration keeps its key.
func (in *Inbox) company(id string) connector.Company {
	for _, c := range in.opt.Companies {
		if c.ID == id {
			return c
		}
	}
	return connector.Company{ID: id}
}

// sayOnce logs an error when it is another one than last time, and its end.
func (in *Inbox) sayOnce(subject string, err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if in.said[subject] == text {
		return
	}
	in.said[subject] = text
	if err == nil {
		in.opt.Log.Info().Str("subject", subject).Msg("inbox works again")
		return
	}
	in.opt.Log.Error().Str("subject", subject).Err(err).Msg("inbox cannot go on; it tries again by itself")
}
