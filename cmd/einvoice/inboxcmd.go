package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"einvoice/connector"
)

// inboxCommands are about what came back: they need the ledger for themselves.
func inboxCommands(s streams) []*cobra.Command {
	return []*cobra.Command{redeliverCommand(s), fetchCommand(s), registersCommand(s), slipCommand(s)}
}

func redeliverCommand(s streams) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use: "redeliver NUMBER|ID", Short: "Write a delivered supplier invoice again (while the daemon is stopped)", Args: exactly(1),
		Long: `Redeliver writes the folder of a supplier invoice again, from the original in the
blob store, when somebody moved, changed or lost it. A folder that still stands
in the inbox is left alone: move it away first.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return withApp(cmd.Context(), path, s, func(a *app) error {
				folders, err := a.inbox.Redeliver(cmd.Context(), args[0])
				for _, f := range folders {
					fmt.Fprintln(s.out, "delivered again:", f)
				}
				return err
			})
		},
	}
	configFlag(cmd, &path)
	return cmd
}

func fetchCommand(s streams) *cobra.Command {
	var path, since string
	cmd := &cobra.Command{
		Use: "fetch --since DATE", Short: "Bring supplier invoices from a day on (while the daemon is stopped)", Args: none,
		Long: `Fetch reads the lists of all companies down to a day and delivers the supplier
invoices that are not known yet. It spends the day's budget of calls; what that
does not allow is left to a later call (exit code 6).`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			day, err := connector.ParseDate(since)
			if err != nil {
				return fmt.Errorf("%w: --since %w", errUsage, err)
			}
			return withApp(cmd.Context(), path, s, func(a *app) error { return a.fetch(cmd.Context(), day) })
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().StringVar(&since, "since", "", "first day, as 2026-09-01")
	return cmd
}

// fetchRounds bounds how often fetch goes on while rounds deliver something.
const fetchRounds = 1000

func (a *app) fetch(ctx context.Context, since connector.Date) error {
	all := true
	for _, c := range a.cfg.companies() {
		whole, err := a.inbox.FetchSince(ctx, c.ID, since)
		if err != nil {
			return fmt.Errorf("fetch invoices of %s: %w", c.ID, err)
		}
		all = all && whole
	}
	settled := false
	for i := 0; i < fetchRounds && !settled; i++ {
		before, err := a.ledger.Spend(ctx, time.Now().In(a.cfg.location()).Format(time.DateOnly), 0)
		if err != nil {
			return err
		}
		if err := a.inbox.Round(ctx); err != nil {
			return err
		}
		if settled, err = a.inbox.Settled(ctx); err != nil {
			return err
		}
		after, err := a.ledger.Spend(ctx, time.Now().In(a.cfg.location()).Format(time.DateOnly), 0)
		if err != nil || after == before && !settled {
			return errors.Join(err, exitError(exitUnfinished)) // nobody may be asked now
		}
	}
	if !all || !settled {
		return exitError(exitUnfinished)
	}
	return nil
}

func registersCommand(s streams) *cobra.Command {
	var path, month string
	cmd := &cobra.Command{
		Use: "registers", Short: "Write the registers again from the ledger (while the daemon is stopped)", Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if month != "" && !regexp.MustCompile(`^\d{4}-(0[1-9]|1[0-2])$`).MatchString(month) {
				return fmt.Errorf("%w: --month is %q, but must be written as 2026-09", errUsage, month)
			}
			return withApp(cmd.Context(), path, s, func(a *app) error {
				n, err := a.inbox.Rebuild(cmd.Context(), month)
				if err == nil {
					_, err = fmt.Fprintf(s.out, "registers: %d written\n", n)
				}
				return err
			})
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().StringVar(&month, "month", "", "only this month, as 2026-09 (default: all)")
	return cmd
}

// withApp opens everything, but runs nothing of it.
func withApp(ctx context.Context, path string, s streams, do func(*app) error) error {
	cfg, err := loadConfig(path)
	if err != nil {
		return err
	}
	a, err := newApp(ctx, cfg, openLog(cfg.Log, os.Stderr), journalTo(s.out, cfg.lang(), time.Now))
	if err != nil {
		return err
	}
	defer a.Close()
	return do(a)
}
