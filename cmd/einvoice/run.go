package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"einvoice/cmd/einvoice/doctor"
	"einvoice/cmd/einvoice/service"
	"einvoice/connector/ledger"
	"einvoice/outbox"
)

func runCommand(s streams) *cobra.Command {
	var path string
	var once bool
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the daemon: watch, send, bring back",
		Long: `Run watches the drops, sends invoices, follows them and delivers supplier
invoices until it is interrupted; it then finishes what is under way. SIGHUP, or
einvoice reload, makes it read its configuration again: a wrong one is refused
whole, and the daemon goes on with the one it has.

With --once it does what is due now, writes the status page and ends, for
schedulers; alarms are raised as by the daemon. Exit codes:
0 nothing left, 3 some invoices were refused, 6 some are unfinished (held,
uncertain, waiting or stopped); of 3 and 6 the higher one.`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			limitMemory()
			if !once {
				return service.Run(cmd.Context(), func(ctx context.Context, ready func(), reload <-chan struct{}) error {
					return daemon(ctx, path, s.out, ready, reload)
				})
			}
			cfg, err := loadGuarded(path)
			if err != nil {
				return err
			}
			return runDue(cmd.Context(), cfg, s.out)
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&once, "once", false, "do what is due now, then end")
	return cmd
}

// softMemory is from where on garbage is collected sooner rather than more memory
// taken, in bytes. What is alive needs some 10 MiB in a flood and, while a workbook
// of many rows is written, 50 for a moment; the collector's share of the processor
// stays bounded should something need more. SQLite's pages come on top.
const softMemory = 64 << 20

// limitMemory leaves a limit alone that the administrator has set.
func limitMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemory)
	}
}

// runDue does what is due now.
func runDue(ctx context.Context, cfg *Config, out io.Writer) error {
	l, err := openLogs(cfg.Log, out, os.Stderr)
	if err != nil {
		return err
	}
	defer l.Close()
	a, err := newApp(ctx, cfg, l.log, l.tell(cfg))
	if err != nil {
		return err
	}
	defer a.Close()
	a.announce()
	return a.Once(ctx)
}

// announce says in both logs where invoices go, a sandbox in capitals.
func (a *app) announce() {
	a.log.Info().Str("environment", environment(a.cfg)).Str("api", a.cfg.API.BaseURL).Str("version", version()).Msg("started")
	if a.cfg.Environment == "sandbox" {
		a.journal("sandbox", map[string]string{"api": a.cfg.API.BaseURL})
	}
	if why := a.ledger.Doubt(); why != "" {
		a.log.Warn().Str("reason", why).Msg("the ledger may not know all that was sent; it is read from the platform first")
		a.journal("doubted", map[string]string{"reason": a.cfg.Ledger.Path})
	}
}

// environment is how people see the environment: a sandbox cannot be overlooked.
func environment(cfg *Config) string {
	if cfg.Environment == "sandbox" {
		return "SANDBOX"
	}
	return cfg.Environment
}

// Once does everything that is due now. Its error is an exit code when
// invoices were refused or are unfinished.
func (a *app) Once(ctx context.Context) error {
	before, err := a.ledger.Pending(ctx)
	if err != nil {
		return err
	}
	start := time.Now()
	a.once = true
	if err := a.runUntilIdle(ctx); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, err := a.goOn(ctx, a.inbox.Bring); err != nil {
		a.log.Error().Err(err).Msg("way back")
	}
	if err := a.outbox.Settle(ctx); err != nil { // it may have found the last invoice of an export
		a.log.Error().Err(err).Msg("copies not written; the next run writes them")
	}
	for n := 1; n > 0; { // a stop bounds the time for this; what is merely much is written
		if n, err = a.publisher.Flush(ctx); err != nil {
			a.log.Error().Err(err).Msg("answers not written; trying once more")
			break
		}
	}
	if err := a.inbox.Registers(ctx); err != nil { // the ERP need not wait for them
		a.log.Error().Err(err).Msg("registers")
	}
	if err := a.writeSlips(ctx, start); err != nil {
		a.log.Error().Err(err).Msg("slip")
	}
	if err := a.tidy(ctx, start, doctor.DiskOf); err != nil {
		a.log.Error().Err(err).Msg("old copies not removed")
	}
	err = a.flush()
	a.lookAround(ctx, time.Now())
	a.writePages(ctx, time.Now())
	if err != nil {
		return err
	}
	return a.verdict(ctx, before, start)
}

// idleCheck is how often a run with --once looks whether all is done.
const idleCheck = 100 * time.Millisecond

// runUntilIdle runs the way out until every drop was read and nothing more can
// be sent now. Acknowledgements need not wait for that, nor do status files that are
// full: a slow platform may take hours over what an ERP sent.
func (a *app) runUntilIdle(ctx context.Context) error {
	running, stop := context.WithCancel(ctx)
	var answering sync.WaitGroup
	answering.Go(func() { a.publishing(running, func() (int, error) { return a.publisher.Answers(ctx) }) })
	defer answering.Wait()
	defer stop()
	done := make(chan error, 1)
	go func() { done <- a.outbox.Run(running) }()
	ticker := time.NewTicker(idleCheck)
	defer ticker.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-ticker.C:
		}
		idle, err := a.outbox.Idle(ctx)
		if err != nil || idle {
			stop()
			return errors.Join(ignoreCancelled(ctx, err), <-done)
		}
	}
}

func ignoreCancelled(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// verdict turns what is left into an exit code. Refusals of earlier runs were
// told then; they do not count again.
func (a *app) verdict(ctx context.Context, before map[ledger.State]int, start time.Time) error {
	after, err := a.ledger.Pending(ctx)
	if err != nil {
		return err
	}
	owed, err := a.ledger.Owed(ctx)
	if err != nil {
		return err
	}
	if owed > 0 || len(a.outbox.Unserved()) > 0 || a.outbox.Unreadable() || a.outbox.Waiting() > 0 {
		return exitError(exitUnfinished)
	}
	if unread, err := a.ledger.ToMap(ctx, 1); err != nil || len(unread) > 0 { // taken, and not read yet
		return cmp.Or(err, error(exitError(exitUnfinished)))
	}
	for _, c := range a.cfg.Companies { // nothing may be queued that could tell
		why, err := a.ledger.Get(ctx, outbox.StoppedFact(c.ID))
		if err != nil {
			return err
		}
		if why != "" {
			return exitError(exitUnfinished)
		}
	}
	for _, s := range []ledger.State{ledger.Queued, ledger.Waiting, ledger.Held, ledger.Sending, ledger.Uncertain} {
		if after[s] > 0 {
			return exitError(exitUnfinished)
		}
	}
	for _, s := range []ledger.State{ledger.Refused, ledger.Rejected, ledger.Conflict} {
		if after[s] > before[s] {
			return exitError(exitRefused)
		}
	}
	files, err := a.ledger.Files(ctx, 10_000)
	if err != nil {
		return err
	}
	for _, f := range files {
		if f.State == ledger.FileFailed && !f.MappedAt.Before(start.Truncate(time.Second)) {
			return exitError(exitRefused)
		}
	}
	return nil
}

func versionCommand(s streams) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print version, commit and Go version", Args: none,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(s.out, versionText())
			return err
		},
	}
}
