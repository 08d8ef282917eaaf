package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"einvoice/connector/ledger"
	"einvoice/connector/problem"
)

// openStates are the invoices that still want something: a turn, time or a person.
func openStates() []ledger.State {
	return []ledger.State{ledger.Held, ledger.Uncertain, ledger.Sending, ledger.Waiting, ledger.Queued}
}

// allStates are those that --state may name.
func allStates() []ledger.State {
	return append(openStates(), ledger.Sent, ledger.Rejected, ledger.Refused, ledger.Duplicate, ledger.Conflict, ledger.Superseded, ledger.Ignored)
}

// queued is one line of the queue.
type queued struct {
	Company   string       `json:"company"`
	Number    string       `json:"number"`
	State     ledger.State `json:"state"`
	Gross     string       `json:"gross"`
	Currency  string       `json:"currency"`
	File      string       `json:"file"`
	Row       int          `json:"row"`
	Attempts  int          `json:"attempts"`
	NotBefore time.Time    `json:"not_before,omitzero"`
	Since     time.Time    `json:"since"`
	Code      string       `json:"code,omitempty"`
	Why       string       `json:"why,omitempty"`
	Remedy    string       `json:"remedy,omitempty"`
	Choices   []string     `json:"choices,omitempty"` // commands of a person
}

// choices are the commands by which a person decides about an invoice.
func choices(s ledger.State, number string) []string {
	if strings.ContainsAny(number, " '\"\\$&|;<>*?()") {
		number = strconv.Quote(number)
	}
	switch s {
	case ledger.Held:
		return []string{"einvoice release " + number, "einvoice resolve " + number + " --as-sent ID", "einvoice resolve " + number + " --as-rejected"}
	case ledger.Uncertain:
		return []string{"einvoice retry " + number}
	case ledger.Waiting:
		return []string{"einvoice hold " + number}
	case ledger.Queued:
		return []string{"einvoice retry " + number, "einvoice hold " + number}
	}
	return nil
}

func queueCommand(s streams) *cobra.Command {
	var path, company string
	var states []string
	var limit int
	var asJSON bool
	cmd := &cobra.Command{
		Use: "queue", Short: "List invoices that are not done: held, uncertain, waiting, to be sent", Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			chosen, err := statesNamed(states)
			if err != nil {
				return err
			}
			return reading(cmd.Context(), path, func(cfg *Config, l *ledger.Ledger) error {
				if company != "" && !slices.ContainsFunc(cfg.Companies, func(c Company) bool { return c.ID == company }) {
					return fmt.Errorf("%w: --company %q is none of the configuration's", errUsage, company)
				}
				lines, err := queue(cmd.Context(), cfg, l, chosen, company, limit)
				if err != nil || asJSON {
					return orJSON(s.out, lines, err)
				}
				return printQueue(s.out, cfg, lines)
			})
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().StringSliceVar(&states, "state", nil, "only these states: "+strings.Join(words(allStates()), ", "))
	cmd.Flags().StringVar(&company, "company", "", "only this company (its key)")
	cmd.Flags().IntVar(&limit, "limit", 1000, "at most this many of each state")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func words(states []ledger.State) (all []string) {
	for _, s := range states {
		all = append(all, string(s))
	}
	return all
}

func statesNamed(names []string) ([]ledger.State, error) {
	if len(names) == 0 {
		return openStates(), nil
	}
	var chosen []ledger.State
	for _, n := range names {
		if !slices.Contains(allStates(), ledger.State(n)) {
			return nil, fmt.Errorf("%w: --state %q is not one of %s", errUsage, n, strings.Join(words(allStates()), ", "))
		}
		chosen = append(chosen, ledger.State(n))
	}
	return chosen, nil
}

func queue(ctx context.Context, cfg *Config, l *ledger.Ledger, states []ledger.State, company string, limit int) ([]queued, error) {
	lines := []queued{} // an empty list in JSON, not null
	files := map[int64]string{}
	for _, s := range states {
		found, err := l.InvoicesIn(ctx, s, company, limit)
		if err != nil {
			return nil, err
		}
		for _, inv := range found {
			if _, known := files[inv.FileID]; !known {
				f, err := l.FileByID(ctx, inv.FileID)
				if err != nil {
					return nil, err
				}
				files[inv.FileID] = f.Name
			}
			lines = append(lines, lineOf(cfg.lang(), inv, files[inv.FileID]))
		}
	}
	return lines, nil
}

func lineOf(lang problem.Lang, inv ledger.Invoice, file string) queued {
	q := queued{Company: inv.Company, Number: inv.Key.Number, State: inv.State, Gross: inv.Gross.String(), Currency: inv.Currency,
		File: file, Row: inv.Row, Attempts: inv.Attempts, NotBefore: inv.NotBefore, Since: inv.CreatedAt,
		Choices: choices(inv.State, inv.Key.Number)}
	if p := inv.Cause(); p.Code != "" {
		q.Code, q.Why, q.Remedy = p.Code, p.Message(lang), p.Remedy(lang)
	}
	return q
}

func orJSON(out io.Writer, v any, err error) error {
	if err != nil {
		return err
	}
	return writeJSON(out, v)
}

func printQueue(out io.Writer, cfg *Config, lines []queued) error {
	if len(lines) == 0 {
		_, err := fmt.Fprint(out, cfg.say("no invoice is open\n"))
		return err
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprint(w, cfg.say("STATE\tCOMPANY\tNUMBER\tAMOUNT\tFILE, ROW\tSINCE\tWHY\n"))
	for _, q := range lines {
		why := strings.TrimSpace(q.Code + " " + q.Why)
		if !q.NotBefore.IsZero() {
			why = strings.TrimSpace(why + cfg.say(" (not before %s)", q.NotBefore.In(cfg.location()).Format(time.DateTime)))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s %s\t%s, %d\t%s\t%s\n", cfg.say(string(q.State)), q.Company, q.Number, figure(cfg.lang(), q.Gross), q.Currency, q.File, q.Row,
			q.Since.In(cfg.location()).Format(time.DateTime), why)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return printChoices(out, cfg, lines)
}

// printChoices says what may be done: once for each reason, and the commands
// once for each state in which somebody may have to act.
func printChoices(out io.Writer, cfg *Config, lines []queued) error {
	said := map[string]bool{}
	once := func(key, text string) {
		if text != "" && !said[key] {
			said[key] = true
			fmt.Fprintf(out, "%s: %s\n", key, text)
		}
	}
	fmt.Fprintln(out)
	for _, q := range lines {
		once(q.Code, q.Remedy)
	}
	for _, q := range lines {
		if q.State == ledger.Held || q.State == ledger.Uncertain {
			once(cfg.say(string(q.State)), strings.Join(choices(q.State, cfg.say("NUMBER")), " | "))
		}
	}
	return nil
}
