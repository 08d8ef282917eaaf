package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"einvoice/connector"
)

// inboxCommands are about what came back.
func inboxCommands(s streams) []*cobra.Command {
	return []*cobra.Command{redeliverCommand(s), fetchCommand(s), registersCommand(s), slipCommand(s)}
}

func redeliverCommand(s streams) *cobra.Command {
	var path string
	var erp bool
	cmd := &cobra.Command{
		Use: "redeliver NUMBER|ID", Short: "Write a delivered supplier invoice again", Args: exactly(1),
		Long: `Redeliver writes the folder of a supplier invoice again, from the original in the
blob store, when somebody moved, changed or lost it. A folder that still stands
in the inbox is left alone: move it away first. With --erp the ERP's own delivery
([inbox.erp]) gets its files again instead, under the same names.` + besideDaemon,
		RunE: func(cmd *cobra.Command, args []string) error {
			return carryOut(cmd.Context(), path, "redeliver", map[string]string{"invoice": args[0], "erp": map[bool]string{true: "yes"}[erp]}, s)
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&erp, "erp", false, "to the ERP's own delivery")
	return cmd
}

func doRedeliver(ctx context.Context, a *app, args map[string]string, out io.Writer) ([]int64, error) {
	if args["erp"] != "" {
		n, err := a.inbox.RedeliverToERP(ctx, args["invoice"])
		if err == nil {
			_, err = fmt.Fprint(out, a.cfg.say("delivered to the ERP again: %d invoice(s)\n", n))
		}
		return nil, err
	}
	folders, err := a.inbox.Redeliver(ctx, args["invoice"])
	for _, f := range folders {
		fmt.Fprint(out, a.cfg.say("delivered again: %s\n", f))
	}
	return nil, err
}

func fetchCommand(s streams) *cobra.Command {
	var path, since string
	cmd := &cobra.Command{
		Use: "fetch --since DATE", Short: "Bring supplier invoices from a day on", Args: none,
		Long: `Fetch reads the lists of all companies down to a day and delivers the supplier
invoices that are not known yet. It spends the day's budget of calls; what that
does not allow is left to a later call (exit code 6).` + besideDaemon,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := connector.ParseDate(since); err != nil {
				return fmt.Errorf("%w: --since %w", errUsage, err)
			}
			return carryOut(cmd.Context(), path, "fetch", map[string]string{"since": since}, s)
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().StringVar(&since, "since", "", "first day, as 2026-09-01")
	return cmd
}

func doFetch(ctx context.Context, a *app, args map[string]string, out io.Writer) ([]int64, error) {
	day, err := connector.ParseDate(args["since"])
	if err != nil {
		return nil, err
	}
	var unfinished exitError
	switch err = a.fetch(ctx, day); {
	case err == nil:
		_, err = fmt.Fprint(out, a.cfg.say("fetch: everything from %s on is here\n", day))
	case errors.As(err, &unfinished):
		fmt.Fprint(out, a.cfg.say("fetch: not everything from %s on could be read now; ask again later (einvoice status shows the day's calls)\n", day))
	}
	return nil, err
}

func (a *app) fetch(ctx context.Context, since connector.Date) error {
	all := true
	for _, c := range a.cfg.companies() {
		whole, err := a.inbox.FetchSince(ctx, c.ID, since)
		if err != nil {
			return fmt.Errorf("fetch invoices of %s: %w", c.ID, err)
		}
		all = all && whole
	}
	settled, err := a.goOn(ctx, a.inbox.Round)
	if err == nil && (!all || !settled) {
		err = exitError(exitUnfinished)
	}
	return err
}

// inboxRounds bounds how often rounds of the way back follow each other.
const inboxRounds = 1000

// goOn repeats a round of the way back, which brings a part of what the platform
// has, until all is here or nobody may be asked now.
func (a *app) goOn(ctx context.Context, round func(context.Context) error) (settled bool, err error) {
	spent := func() (int, error) {
		return a.ledger.Spend(ctx, time.Now().In(a.cfg.location()).Format(time.DateOnly), 0)
	}
	for range inboxRounds {
		before, err := spent()
		if err != nil {
			return false, err
		}
		if err := round(ctx); err != nil {
			return false, err
		}
		if settled, err = a.inbox.Settled(ctx); err != nil || settled {
			return settled, err
		}
		if after, err := spent(); err != nil || after == before {
			return false, err
		}
	}
	return false, nil
}

func registersCommand(s streams) *cobra.Command {
	var path, month string
	cmd := &cobra.Command{
		Use: "registers", Short: "Write the registers again from the ledger", Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if month != "" && !regexp.MustCompile(`^\d{4}-(0[1-9]|1[0-2])$`).MatchString(month) {
				return fmt.Errorf("%w: --month is %q, but must be written as 2026-09", errUsage, month)
			}
			return carryOut(cmd.Context(), path, "registers", map[string]string{"month": month}, s)
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().StringVar(&month, "month", "", "only this month, as 2026-09 (default: all)")
	return cmd
}

func doRegisters(ctx context.Context, a *app, args map[string]string, out io.Writer) ([]int64, error) {
	n, err := a.inbox.Rebuild(ctx, args["month"])
	if err == nil {
		_, err = fmt.Fprint(out, a.cfg.say("registers: %d written\n", n))
	}
	return nil, err
}

// doRefresh asks the platform about an invoice now, and records what it says.
func doRefresh(ctx context.Context, a *app, args map[string]string, out io.Writer) ([]int64, error) {
	ids, err := a.inbox.Refresh(ctx, args["invoice"])
	if err != nil {
		return ids, err
	}
	_, err = fmt.Fprint(out, a.cfg.say("asked the platform about %d invoice(s)\n", len(ids)))
	return ids, err
}
