package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"einvoice/connector/api"
	"einvoice/inbox"
)

func registerCommand(s streams) *cobra.Command {
	var path string
	var dry, replace bool
	cmd := &cobra.Command{
		Use:   "register",
		Short: "Register the companies with the API, callbacks included",
		Long: `Register compares each company's registration at the platform with the configuration,
shows the difference and brings it in line. A SIREN or SIRET alone suffices: what
the platform completes (name, VAT number, address) is shown and kept. An event that calls
other software is left alone unless --replace says otherwise.` + besideDaemon,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(path)
			if err != nil {
				return err
			}
			if cfg.Environment == "sandbox" {
				fmt.Fprintln(s.out, "SANDBOX", cfg.API.BaseURL)
			}
			if dry { // no ledger is made, none is asked
				return enrolAll(cmd.Context(), &app{cfg: cfg, log: openLog(cfg.Log, os.Stderr)}, false, false, s.out)
			}
			return carryOut(cmd.Context(), path, "register", map[string]string{"replace": map[bool]string{true: "yes"}[replace]}, s)
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&dry, "dry-run", false, "show the difference, change nothing")
	cmd.Flags().BoolVar(&replace, "replace", false, "also events that call other software")
	return cmd
}

func doRegister(ctx context.Context, a *app, args map[string]string, out io.Writer) ([]int64, error) {
	return nil, enrolAll(ctx, a, true, args["replace"] != "", out)
}

// enrolAll registers every company, or only shows what that would change.
func enrolAll(ctx context.Context, a *app, apply, replace bool, out io.Writer) error {
	client, err := newClient(a.cfg, a.log)
	if err != nil {
		return err
	}
	defer client.Close()
	in, err := inbox.New(a.cfg.Inbox, inbox.Options{Ledger: a.ledger, Companies: a.cfg.companies(), Platform: client, Lang: a.cfg.lang()})
	if err != nil {
		return err
	}
	for _, c := range a.cfg.companies() {
		e, err := in.Enrol(ctx, client, c.ID, apply, replace)
		if err == nil || errors.Is(err, inbox.ErrForeign) {
			fmt.Fprintf(out, "%s (%s): %s\n", c.ID, c.FiscalID, enrolled(e, apply && err == nil, a.cfg.Language))
		}
		if errors.Is(err, inbox.ErrForeign) {
			return fmt.Errorf("%w; nothing was changed: give --replace to take these events over", err)
		}
		var refused *api.Error
		if errors.As(err, &refused) && refused.Problem.Code != "" {
			p := refused.Problem
			return told{fmt.Sprintf("%s (%s): %s %s\n  → %s", c.ID, c.FiscalID, p.Code, p.Message(a.cfg.lang()), p.Remedy(a.cfg.lang())), err}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// enrolled says what was done about a difference.
func enrolled(e inbox.Enrolment, done bool, lang string) string {
	in, would, was, remains := "already in line", "would be changed (--dry-run):", "registered; changed were:", "the platform did not take:"
	foreign := "calls other software:"
	if lang == "fr" {
		in, would, was, remains = "déjà conforme", "serait modifiée (--dry-run) :", "enregistrée ; modifié :", "la plateforme n'a pas repris :"
		foreign = "appelle un autre logiciel :"
	}
	lines := []string{in}
	switch {
	case len(e.Difference) > 0 && done:
		lines = append([]string{was}, e.Difference...)
	case len(e.Difference) > 0:
		lines = append([]string{would}, e.Difference...)
	}
	if len(e.Foreign) > 0 && !done {
		lines = append(append(lines, foreign), e.Foreign...)
	}
	if len(e.Remains) > 0 {
		lines = append(append(lines, remains), e.Remains...)
	}
	return strings.Join(append(lines, e.Completed...), "\n")
}

// enrolAtStart does what register does, where the configuration says so. A
// platform that is away must not keep the daemon from starting.
func (a *app) enrolAtStart(ctx context.Context) {
	if !a.cfg.Inbox.Register {
		return
	}
	for _, c := range a.cfg.companies() {
		e, err := a.inbox.Enrol(ctx, a.client, c.ID, true, false)
		switch {
		case err != nil:
			a.log.Error().Err(err).Str("company", c.ID).Msg("registration not brought in line; einvoice register shows the difference")
		case len(e.Difference) > 0:
			a.log.Info().Str("company", c.ID).Strs("changed", e.Difference).Strs("remains", e.Remains).Msg("registration brought in line")
		}
	}
}
