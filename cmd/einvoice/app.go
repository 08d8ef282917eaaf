package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"einvoice/cmd/einvoice/admin"
	"einvoice/connector/alarm"
	"einvoice/connector/api"
	"einvoice/connector/drop"
	"einvoice/connector/drop/sftpplace"
	"einvoice/connector/durable"
	"einvoice/connector/ledger"
	"einvoice/connector/results"
	"einvoice/connector/setting"
	"einvoice/inbox"
	"einvoice/outbox"
)

// app is the daemon: every part, wired in the order in which a file travels.
type app struct {
	cfg       *Config
	log       zerolog.Logger
	journal   outbox.Journal
	level     *gate // of the technical log; nil outside the daemon
	places    places
	ledger    *ledger.Ledger
	spool     *durable.Store // exports as taken
	blobs     *durable.Store // files we owe, callback bodies, received originals
	client    *accounts      // of the way back, which counts its calls itself
	sending   *accounts      // of the way out
	outbox    *outbox.Outbox
	publisher *results.Publisher
	inbox     *inbox.Inbox
	listener  net.Listener // for callbacks; nil without them
	publish   chan struct{}
	said      said
	alarms    *alarm.Board
	metrics   *admin.Metrics
	pagesAt   time.Time // when the status pages were written
	once      bool      // it does what is due and ends

	connect    func(path, user string, password setting.Secret) error // a share of Windows
	sharesAway []ShareConfig                                          // not connected yet

	mu      sync.Mutex
	cleanup []func()
}

// newApp opens everything that a run needs and takes it all back if one part
// cannot be had.
func newApp(ctx context.Context, cfg *Config, log zerolog.Logger, journal outbox.Journal) (*app, error) {
	a := &app{cfg: cfg, log: log, publish: make(chan struct{}, 1), metrics: admin.NewMetrics(version()), connect: connectShare}
	a.journal = func(event string, args map[string]string) {
		a.metrics.Event(event)
		journal(event, args)
	}
	if err := a.open(ctx); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// open opens the shares first: folders may stand on them.
func (a *app) open(ctx context.Context) error {
	for _, open := range []func(context.Context) error{
		a.openPlaces, a.openFolders, a.openLedger, a.openClient, a.openOutbox, a.openResults, a.openInbox, a.openAlarms,
	} {
		if err := open(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Close gives back what newApp opened, last first. It may be called twice.
func (a *app) Close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := len(a.cleanup) - 1; i >= 0; i-- {
		a.cleanup[i]()
	}
	a.cleanup = nil
}

// onClose adds something to take back.
func (a *app) onClose(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cleanup = append(a.cleanup, f)
}

func (a *app) openPlaces(context.Context) error {
	a.sharesAway = a.connectShares(a.cfg.Shares)
	a.places = places{sftpplace.NewHosts(a.cfg.SFTP)}
	a.onClose(a.places.hosts.Close)
	return nil
}

func (a *app) openLedger(ctx context.Context) (err error) {
	if err := durable.MkdirAll(a.cfg.Ledger.Path, 0o700); err != nil {
		return fmt.Errorf("make ledger folder: %w", err)
	}
	id := ledger.Identity{BaseURL: a.cfg.API.BaseURL, Companies: a.cfg.companies()}
	if a.ledger, err = ledger.Open(ctx, a.cfg.Ledger, ledger.Options{Identity: id}); err != nil {
		if errors.Is(err, ledger.ErrInUse) {
			pid, _ := ledger.HeldBy(a.cfg.Ledger) // 0 when it ended meanwhile
			return told{a.cfg.say("the ledger in %s is in use: process %d has it; only one einvoice may run with a configuration, stop the other first", a.cfg.Ledger.Path, pid), err}
		}
		return fmt.Errorf("open ledger in %s: %w", a.cfg.Ledger.Path, err)
	}
	a.onClose(func() {
		if err := a.ledger.Close(); err != nil {
			a.log.Error().Err(err).Msg("close ledger")
		}
	})
	if a.spool, err = durable.OpenStore(filepath.Join(a.cfg.Ledger.Path, "spool")); err != nil {
		return fmt.Errorf("open spool: %w", err)
	}
	if a.blobs, err = durable.OpenStore(filepath.Join(a.cfg.Ledger.Path, "blobs")); err != nil {
		return fmt.Errorf("open blob store: %w", err)
	}
	return durable.MkdirAll(a.tempDir(), 0o700)
}

func (a *app) tempDir() string { return filepath.Join(a.cfg.Ledger.Path, "tmp") }

func (a *app) openClient(context.Context) (err error) {
	if a.client, err = newCountingClient(a.cfg, api.Options{Log: a.log, OnAnswer: a.metrics.Call}); err != nil {
		return err
	}
	a.onClose(a.client.Close)
	if a.sending, err = newCountingClient(a.cfg, api.Options{Log: a.log, OnCall: a.count, OnAnswer: a.metrics.Call}); err == nil {
		a.sending.keepPaceWith(a.client)
		a.onClose(a.sending.Close)
	}
	return err
}

// count adds the GETs of look-ups and sweeps to the day's budget. They go first
// and may exceed it: what depends on them is that nothing is sent twice.
func (a *app) count(method string) {
	if method != http.MethodGet {
		return
	}
	day := time.Now().In(a.cfg.location()).Format(time.DateOnly)
	if _, err := a.ledger.Spend(context.Background(), day, 1); err != nil {
		a.log.Warn().Err(err).Msg("call not counted")
	}
}

func (a *app) openOutbox(ctx context.Context) error {
	drops, err := a.openDrops(ctx)
	if err != nil {
		return err
	}
	a.outbox = outbox.New(outbox.Options{
		Config: a.cfg.Outbox, Ledger: a.ledger, Spool: a.spool, Blobs: a.blobs, TempDir: a.tempDir(),
		Platform: a.sending, Account: func(company string) outbox.Platform { return a.sending.of[company] }, Credential: a.cfg.credential, Drops: drops, Companies: a.cfg.companies(), Rules: a.cfg.Rules,
		Safety: a.cfg.Safety, Production: a.cfg.Environment == "production",
		Lang: a.cfg.lang(), RefusedAsXLSX: a.cfg.Results.RefusedAsXLSX(a.cfg.lang()),
		ResultsExt: func(place string) string { return a.cfg.Results.Of(place).Ext() },
		Location:   a.cfg.location(), Now: time.Now, Log: a.log, Journal: a.journal,
		Published: a.wakePublisher, Drain: a.cfg.ShutdownTimeout.Std(),
	})
	return nil
}

func (a *app) wakePublisher() {
	select {
	case a.publish <- struct{}{}:
	default:
	}
}

func (a *app) openResults(context.Context) error {
	open := a.places.kept()
	a.publisher = results.New(a.cfg.Results, results.Options{
		Ledger: a.ledger, Blobs: a.blobs, Lang: a.cfg.lang(), Location: a.cfg.location(), Log: a.log,
		Place: func(place string, f ledger.Folder) (drop.Place, error) {
			path := a.cfg.resultFolder(place, f)
			if !sftpplace.Is(path) {
				_ = remake(path, filepath.Dir(path)) // what fails is told by the publishing itself
			}
			return open(path)
		},
	})
	return nil
}

// cameBack tells the journal what came from the platform.
func (a *app) cameBack(event string, args map[string]string) {
	a.journal(event, args)
	if event == "adopted" {
		a.outbox.Adopted()
	}
}

func (a *app) openInbox(ctx context.Context) (err error) {
	var erp func(string) (drop.Place, error)
	if a.cfg.Inbox.ERP.Path != "" {
		open := a.places.kept()
		erp = func(company string) (drop.Place, error) { return open(a.cfg.erpPlace(company)) }
	}
	trees, err := a.places.trees(a.cfg)
	if err != nil {
		return err
	}
	a.inbox, err = inbox.New(a.cfg.Inbox, inbox.Options{
		ERP:    erp,
		Ledger: a.ledger, Blobs: a.blobs, Platform: a.client, Companies: a.cfg.companies(),
		Account: func(company string) inbox.Platform { return a.client.of[company] },
		Folder:  func(company string) string { return a.cfg.tree(company, a.cfg.Folders.Inbox) },
		Tree:    func(company string) inbox.Tree { return trees[company] },
		Lang:    a.cfg.lang(), Location: a.cfg.location(), Log: a.log, Journal: a.cameBack,
	})
	if err != nil || !a.cfg.Inbox.Callback.Enabled {
		return err
	}
	var lc net.ListenConfig
	secure, err := a.cfg.Inbox.Callback.TLS()
	if err != nil {
		return err
	}
	if a.listener, err = lc.Listen(ctx, "tcp", a.cfg.Inbox.Callback.Listen); err != nil {
		return fmt.Errorf("listen for callbacks on %s: %w", a.cfg.Inbox.Callback.Listen, err)
	}
	if secure != nil {
		a.listener = tls.NewListener(a.listener, secure)
	}
	a.onClose(func() { a.listener.Close() })
	return nil
}

// Run works until ctx ends, then stops in the order in which nothing is lost:
// the way out and the way back first, the files we owe last.
func (a *app) Run(ctx context.Context) error {
	publishing, stopPublishing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopPublishing()
	var publisher errgroup.Group
	publisher.Go(func() error { return a.publishLoop(publishing) })

	a.enrolAtStart(ctx)
	g, gctx := errgroup.WithContext(ctx)
	a.outbox.Endure = true
	g.Go(func() error { return a.outbox.Run(gctx) })
	g.Go(func() error { return a.inbox.Run(gctx) })
	g.Go(func() error { return a.slipLoop(gctx) })
	g.Go(func() error { return a.tidyLoop(gctx) })
	g.Go(func() error { return a.digestLoop(gctx) })
	g.Go(func() error { return a.serveRequests(gctx) })
	g.Go(func() error { return a.watchLoop(gctx) })
	g.Go(func() error { return a.shareLoop(gctx) })
	g.Go(func() error { return admin.Serve(gctx, a.cfg.Admin, admin.Handler(a, a.metrics), a.log) })
	if a.listener != nil {
		g.Go(func() error { return a.serveCallbacks(gctx) })
	}
	err := g.Wait()
	stopPublishing()
	return errors.Join(err, publisher.Wait())
}

// publishEvery is how often the publisher looks for files that are due when
// nobody wakes it. Between two looks it rests publishRest times as long as the
// last one took, at most that long.
const (
	publishEvery = time.Second
	publishRest  = 9
)

// publishLoop publishes until ctx ends, then once more.
func (a *app) publishLoop(ctx context.Context) error {
	a.publishing(ctx, func() (int, error) { return a.publisher.Publish(ctx) })
	return a.flush()
}

// publishing publishes again and again until ctx ends.
func (a *app) publishing(ctx context.Context, publish func() (int, error)) {
	ticker := time.NewTicker(publishEvery)
	defer ticker.Stop()
	for {
		start := time.Now()
		if _, err := publish(); ctx.Err() == nil {
			a.said.say(a.log, "publish results", err, "results cannot be published; trying again")
		}
		// Every outcome wakes us: what finds nothing to publish must not take the
		// time of those who send.
		select {
		case <-ctx.Done():
			return
		case <-time.After(min(publishRest*time.Since(start), publishEvery)):
		}
		select {
		case <-ctx.Done():
			return
		case <-a.publish:
		case <-ticker.C:
		}
	}
}

// flush publishes what is due, in a bounded time.
func (a *app) flush() error {
	ctx, cancel := context.WithTimeout(context.Background(), max(a.cfg.ShutdownTimeout.Std(), time.Second))
	defer cancel()
	_, err := a.publisher.Flush(ctx)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("publish results: %w", err)
	}
	if owed, failed := a.ledger.Owed(context.WithoutCancel(ctx)); failed == nil && owed > 0 {
		a.log.Warn().AnErr("error", err).Int("files", owed).Msg("answers not written yet; the next start writes them")
	}
	return nil
}

// serveCallbacks answers the platform until ctx ends.
func (a *app) serveCallbacks(ctx context.Context) error {
	srv := &http.Server{Handler: a.metrics.Callbacks(a.inbox.Handler()), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	return serveUntil(ctx, srv, a.listener, a.cfg.ShutdownTimeout.Std())
}

// serveUntil answers until ctx ends and those under way are done, for patience at
// most. Serve itself returns when Shutdown begins: what handlers use is theirs
// until it ends.
func serveUntil(ctx context.Context, srv *http.Server, l net.Listener, patience time.Duration) error {
	drained := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(drained)
		sctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		if srv.Shutdown(sctx) != nil {
			srv.Close()
		}
	})
	err := srv.Serve(l)
	if stop() { // not by us
		return fmt.Errorf("serve callbacks: %w", err)
	}
	<-drained
	return nil
}
