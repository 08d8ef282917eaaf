package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"einvoice/connector/ledger"
	"einvoice/inbox"
)

func registerCommand(s streams) *cobra.Command {
	var path string
	var dry bool
	cmd := &cobra.Command{
		Use:   "register",
		Short: "Register the companies with the API, callbacks included",
		Args:  none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(path)
			if err != nil {
				return err
			}
			client, err := newClient(cfg, openLog(cfg.Log, os.Stderr))
			if err != nil {
				return err
			}
			in, err := inbox.New(cfg.Inbox, inbox.Options{Companies: cfg.companies(), Platform: client})
			if err != nil {
				return err
			}
			if cfg.Environment == "sandbox" {
				fmt.Fprintln(s.out, "SANDBOX", cfg.API.BaseURL)
			}
			for _, c := range cfg.companies() {
				diff, err := in.Register(cmd.Context(), client, c.ID, !dry)
				if err != nil {
					return fmt.Errorf("register %s: %w", c.ID, err)
				}
				fmt.Fprintf(s.out, "%s (%s): %s\n", c.ID, c.FiscalID, registered(diff, dry))
			}
			return nil
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&dry, "dry-run", false, "show the difference, change nothing")
	return cmd
}

// registered says what was done about a difference.
func registered(diff string, dry bool) string {
	switch {
	case diff == "":
		return "already in line"
	case dry:
		return "would be changed (--dry-run):\n" + diff
	}
	return "registered; changed were:\n" + diff
}

// verb is a decision of a person about invoices found by number, API id, ERP key
// or the name of their export.
type verb struct {
	use, short string
	from       []ledger.State // the invoices it is about
	do         func(ctx context.Context, l *ledger.Ledger, ids []int64, note string) error
}

func personCommands(s streams) []*cobra.Command {
	verbs := []verb{
		{"release NUMBER|FILE", "Let held invoices go", []ledger.State{ledger.Held},
			func(ctx context.Context, l *ledger.Ledger, ids []int64, note string) error {
				return l.ReleaseHeld(ctx, ids, note)
			}},
		{"hold NUMBER|FILE", "Keep invoices that were not sent yet from being sent", []ledger.State{ledger.Queued, ledger.Waiting},
			func(ctx context.Context, l *ledger.Ledger, ids []int64, note string) error {
				return l.Hold(ctx, ids, note)
			}},
		{"retry NUMBER|FILE", "Send, or look up, now instead of later", []ledger.State{ledger.Queued, ledger.Uncertain, ledger.Rejected},
			func(ctx context.Context, l *ledger.Ledger, ids []int64, _ string) error { return l.Retry(ctx, ids) }},
	}
	cmds := []*cobra.Command{resolveCommand(s)}
	for _, v := range verbs {
		cmds = append(cmds, verbCommand(s, v))
	}
	return cmds
}

func verbCommand(s streams, v verb) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use: v.use, Short: v.short + " (while the daemon is stopped)", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return deciding(cmd.Context(), path, args[0], v.from, func(ctx context.Context, l *ledger.Ledger, ids []int64) error {
				if err := v.do(ctx, l, ids, strings.Join([]string{"einvoice", cmd.Name(), args[0]}, " ")); err != nil {
					return err
				}
				_, err := fmt.Fprintf(s.out, "%s: %d invoice(s)\n", cmd.Name(), len(ids))
				return err
			})
		},
	}
	configFlag(cmd, &path)
	return cmd
}

// resolveCommand records what a person found out about a held invoice.
func resolveCommand(s streams) *cobra.Command {
	var path, id string
	var never bool
	cmd := &cobra.Command{
		Use: "resolve NUMBER", Short: "Say what became of a held invoice (while the daemon is stopped)", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (id == "") == !never {
				return fmt.Errorf("%w: give either --as-sent ID or --as-rejected", errUsage)
			}
			out := ledger.Outcome{State: ledger.Rejected, Note: "resolved by a person: not at the platform"}
			if id != "" {
				out = ledger.Outcome{State: ledger.Sent, APIID: id, Note: "resolved by a person: sent as " + id}
			}
			return deciding(cmd.Context(), path, args[0], []ledger.State{ledger.Held}, func(ctx context.Context, l *ledger.Ledger, ids []int64) error {
				if len(ids) > 1 {
					return fmt.Errorf("resolve %q: %d held invoices have this number; name one by its ERP key", args[0], len(ids))
				}
				out.ID = ids[0]
				if err := l.ResolveHeld(ctx, out); err != nil {
					return err
				}
				_, err := fmt.Fprintf(s.out, "resolve: %s is %s\n", args[0], out.State)
				return err
			})
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().StringVar(&id, "as-sent", "", "it is at the platform under this id")
	cmd.Flags().BoolVar(&never, "as-rejected", false, "it counts no more; another may take its number")
	return cmd
}

// deciding opens the ledger for writing and finds the invoices a person means.
func deciding(ctx context.Context, path, text string, from []ledger.State, do func(context.Context, *ledger.Ledger, []int64) error) error {
	cfg, err := loadConfig(path)
	if err != nil {
		return err
	}
	l, err := ledger.Open(ctx, cfg.Ledger, ledger.Options{Identity: ledger.Identity{BaseURL: cfg.API.BaseURL, Companies: cfg.companies()}})
	if err != nil {
		return fmt.Errorf("open ledger in %s: %w", cfg.Ledger.Path, err)
	}
	defer l.Close()
	found, err := l.Find(ctx, text)
	if err == nil && len(found) == 0 {
		found, err = invoicesOfFile(ctx, l, text)
	}
	if err != nil {
		return err
	}
	var ids []int64
	for _, inv := range found {
		if slices.Contains(from, inv.State) {
			ids = append(ids, inv.ID)
		}
	}
	if len(ids) == 0 {
		return fmt.Errorf("%q: no invoice of this number or file is %v", text, from)
	}
	return do(ctx, l, ids)
}
