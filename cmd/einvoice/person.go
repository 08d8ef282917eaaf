package main

import (
	"context"
	"fmt"
	"os"
	"time"

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
			for _, c := range cfg.companies() {
				diff, err := in.Register(cmd.Context(), client, c.ID, !dry)
				if err != nil {
					return fmt.Errorf("register %s: %w", c.ID, err)
				}
				fmt.Fprintf(s.out, "%s (%s): %s\n", c.ID, c.FiscalID, diff)
			}
			return nil
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&dry, "dry-run", false, "show the difference, change nothing")
	return cmd
}

// releaseCommand lets held invoices go.
func releaseCommand(s streams) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "release NUMBER|FILE",
		Short: "Let held invoices go (while the daemon is stopped)",
		Args:  exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return release(cmd.Context(), s, path, args[0])
		},
	}
	configFlag(cmd, &path)
	return cmd
}

func release(ctx context.Context, s streams, path, text string) error {
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
	if err != nil {
		return err
	}
	if len(found) == 0 {
		if found, err = invoicesOfFile(ctx, l, text); err != nil {
			return err
		}
	}
	var ids []int64
	for _, inv := range found {
		if inv.State == ledger.Held {
			ids = append(ids, inv.ID)
		}
	}
	if len(ids) == 0 {
		return fmt.Errorf("release %q: no held invoice has this number or came with this file", text)
	}
	if err := l.ReleaseHeld(ctx, ids, "einvoice release "+text+" at "+time.Now().Format(time.RFC3339)); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%d invoice(s) released\n", len(ids))
	return err
}
