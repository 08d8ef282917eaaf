package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"einvoice/connector"
	"einvoice/connector/ledger"
	"einvoice/connector/slip"
)

const (
	slipKey   = "slip." // + company: until when the last one reached, RFC 3339
	slipEvery = 30 * time.Second
	slipsMost = 31 // days that are made up for after the daemon was away
)

// slipLoop writes the slips that come due until ctx ends.
func (a *app) slipLoop(ctx context.Context) error {
	ticker := time.NewTicker(slipEvery)
	defer ticker.Stop()
	said := ""
	for {
		// A place that is away is told once; the slip is tried again.
		if err := a.writeSlips(ctx, time.Now()); err != nil && ctx.Err() == nil && err.Error() != said {
			said = err.Error()
			a.log.Error().Err(err).Msg("slip not written; tried again")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// writeSlips writes what is due. The first start makes none: it has no day.
func (a *app) writeSlips(ctx context.Context, now time.Time) error {
	due, ok := a.cfg.Slip.Due(now.In(a.cfg.location()))
	if !ok {
		return nil
	}
	var errs []error
	for _, c := range a.cfg.Companies {
		errs = append(errs, a.writeSlipsOf(ctx, c.ID, due))
	}
	return errors.Join(errs...)
}

func (a *app) writeSlipsOf(ctx context.Context, company string, due time.Time) error {
	text, err := a.ledger.Get(ctx, slipKey+company)
	if err != nil {
		return err
	}
	from, err := time.Parse(time.RFC3339, text)
	if err != nil || from.Before(due.AddDate(0, 0, -slipsMost)) {
		return a.ledger.Put(ctx, slipKey+company, due.Format(time.RFC3339))
	}
	for from = from.In(due.Location()); from.Before(due); {
		to := a.cfg.Slip.Next(from)
		if to.After(due) { // the hour was changed
			to = due
		}
		if err := a.writeSlip(ctx, company, from, to); err != nil {
			return fmt.Errorf("write slip of %s: %w", company, err)
		}
		if err := a.ledger.Put(ctx, slipKey+company, to.Format(time.RFC3339)); err != nil {
			return err
		}
		from = to
	}
	return nil
}

func (a *app) writeSlip(ctx context.Context, company string, from, to time.Time) error {
	s, err := slip.Draw(ctx, a.ledger, company, from, to)
	if err != nil {
		return err
	}
	place, err := a.places.results(a.cfg.resultFolder(company, ledger.FolderResults))
	if err != nil {
		return err
	}
	for ext, write := range map[string]func(io.Writer) error{
		".csv":  func(w io.Writer) error { return s.WriteCSV(w, a.cfg.lang()) },
		".html": func(w io.Writer) error { return s.WriteHTML(w, a.cfg.lang()) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			return err
		}
		if err := place.Publish(ctx, slip.Name(company, connector.DateOf(to), ext), &b); err != nil {
			return err
		}
	}
	return nil
}

func slipCommand(s streams) *cobra.Command {
	var path, company, day string
	cmd := &cobra.Command{
		Use: "slip", Short: "Show what was dropped in a day and what became of it", Args: none,
		Long: `Slip adds up a company's exports of a day, as the files slip_<company>_<date> in the
results do, but as things stand now. It may be used beside the daemon.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return reading(cmd.Context(), path, func(cfg *Config, l *ledger.Ledger) error {
				from, to, err := slipDay(cfg, day)
				if err != nil {
					return err
				}
				for _, c := range cfg.Companies {
					if company != "" && company != c.ID {
						continue
					}
					drawn, err := slip.Draw(cmd.Context(), l, c.ID, from, to)
					if err == nil {
						err = drawn.WriteCSV(s.out, cfg.lang())
					}
					if err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().StringVar(&company, "company", "", "only this company (its key)")
	cmd.Flags().StringVar(&day, "date", "", "the day, as 2026-09-01 (default: today)")
	return cmd
}

// slipDay is the calendar day that a person asks for.
func slipDay(cfg *Config, day string) (from, to time.Time, err error) {
	if day == "" {
		day = time.Now().In(cfg.location()).Format(time.DateOnly)
	}
	from, err = time.ParseInLocation(time.DateOnly, day, cfg.location())
	if err != nil {
		return from, to, fmt.Errorf("%w: --date is %q, but must be written as 2026-09-01", errUsage, day)
	}
	return from, from.AddDate(0, 0, 1), nil
}
